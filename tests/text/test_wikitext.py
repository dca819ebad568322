"""From WikiText's tokens to text as people write it, and back."""

import pytest

from wlm.text.vocabulary import EOS, Vocabulary
from wlm.text.wikitext import (
    detokenize,
    detokenized,
    lines,
    nearest_words,
    readable,
    tokenize,
)

READABLE = [
    ("the river , and the sea .", "the river, and the sea."),
    ("a well @-@ known bridge", "a well-known bridge"),
    ("12 @,@ 345 and 0 @.@ 5 %", "12,345 and 0.5%"),
    ("the town 's bridge didn 't fall", "the town’s bridge didn’t fall"),
    ("the bridge ( built 1900 ) [ sic ] : $ 5 ; why ?", "the bridge (built 1900) [sic]: $5; why?"),
    ('he said " old stones " , and left', "he said “old stones”, and left"),
    ('" a " and " b "', "“a” and “b”"),
    # A quote left open ends with its line: the next one opens again.
    ('an " open <eos> " new " line', "an “open\n“new” line"),
    ("he said ' old stones ' and left", "he said ‘old stones’ and left"),
    ("the dogs ' bones", "the dogs’ bones"),
    ("' the dogs ' and ' cats '", "‘the dogs’ and ‘cats’"),
    ("1900 – 1950 – the years", "1900–1950 – the years"),
    ("at 5 : 30 : the bridge", "at 5:30: the bridge"),
    ("stone : 30 bridges", "stone: 30 bridges"),
    ("and / or", "and/or"),
    ("it fell ... slowly", "it fell... slowly"),
    ("O 'Brien 's", "O’Brien’s"),
    ("the river <eos> the sea <eos>", "the river\nthe sea\n"),
    ("<eos> = River = <eos>", "\n= River =\n"),
    ("the <unk> @-@ based <unk> 's river", "the <unk>-based <unk>’s river"),
    ("mail @ home", "mail @ home"),
    ("U.S. and Mr. Smith , No. 5", "U.S. and Mr. Smith, No. 5"),
    ("", ""),
]


@pytest.mark.parametrize(("words", "readable"), READABLE)
def test_words_are_joined_as_people_write_them(words, readable):
    assert detokenize(words.split()) == readable


@pytest.mark.parametrize(("words", "readable"), READABLE)
def test_tokens_come_back_from_the_readable_text(words, readable):
    assert tokenize(readable) == words.split()


@pytest.mark.parametrize(("words", "readable"), READABLE)
def test_each_word_has_its_piece_which_later_words_leave_alone(words, readable):
    words = words.split()
    pieces = detokenized(words)
    assert len(pieces) == len(words)
    assert "".join(pieces) == readable
    for end in range(len(words)):
        assert detokenized(words[:end]) == pieces[:end]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("“Curly,” he said… ‘no’", "\" Curly , \" he said ... ' no '"),
        ("I can't, won't; they're", "I can 't , won 't ; they 're"),
        ("a state-of-the-art 1,000.5 km", "a state @-@ of @-@ the @-@ art 1 @,@ 000 @.@ 5 km"),
        ("It ended. Then", "It ended . Then"),
        ("It ended.", "It ended ."),
        ("J. Smith Jr. vs. etc. in the 19th-century U.S.", None),
        ("raw tokens @-@ and 's stay", "raw tokens @-@ and 's stay"),
        ("No. The bridge", "No . The bridge"),
        ("a\nb\n", "a <eos> b <eos>"),
        ("  \t ", ""),
        ("€5–10 & 20%", "€ 5 – 10 & 20 %"),
        ("m² a_b --", "m ² a _ b --"),
    ],
)
def test_a_visitors_text_becomes_wikitexts_tokens(text, words):
    expected = "J. Smith Jr. vs. etc. in the 19th @-@ century U.S." if words is None else words
    assert tokenize(text) == expected.split()


def test_tokens_are_never_changed_by_being_tokenized(wikitext2):
    for line in (wikitext2 / "valid.txt").read_text("utf-8").split("\n")[:1_000]:
        once = tokenize(line)
        assert tokenize(" ".join(once)) == once


def test_lines_of_wikitext_come_back(wikitext2):
    found = (wikitext2 / "test.txt").read_text("utf-8").split("\n")
    tokens = [line.split() for line in found if line.strip()]
    # Curly quotes in the source, an abbreviation that ends a sentence, <formula>: 1 line in 50.
    back = sum(tokenize(detokenize(token)) == token for token in tokens)
    assert back / len(tokens) > 0.97
    for token in tokens:
        spaceless = "".join(w.strip("@") if w in ("@-@", "@,@", "@.@") else w for w in token)
        text = detokenize(token).translate(str.maketrans("“”‘’", "\"\"''")).replace(" ", "")
        assert text == spaceless.translate(str.maketrans("“”‘’", "\"\"''"))


def test_headings_and_paragraphs_are_told_apart():
    text = "= River = <eos> <eos> The river . <eos> = = Old bridge = = <eos> It = stone . <eos> = 5"
    found = list(lines(text.split()))
    shown = [(line.level, "".join(piece for _, piece in line.pieces)) for line in found]
    assert shown == [
        (1, "River"),
        (0, "The river."),
        (2, "Old bridge"),
        (0, "It = stone."),
        (1, "5"),  # perhaps a heading: the line is not finished
    ]
    assert [place for place, _ in found[1].pieces] == [5, 6, 7]


def test_a_finished_line_is_a_heading_only_if_it_ends_as_one():
    ((line),) = lines(["=", "5", EOS])
    assert (line.level, line.pieces) == (0, ((0, "="), (1, " 5")))


def test_of_a_heading_that_began_before_the_text_no_sign_is_left():
    words = "Old bridge = = <eos> It = stone . <eos> <eos> = River = <eos>".split()
    assert [line.level for line in lines(words)] == [2, 0, 1]
    assert readable(words) == "Old bridge\n\nIt = stone.\n\nRiver"


def test_every_word_stands_in_one_line(wikitext2):
    words = [
        word
        for line in (wikitext2 / "test.txt").read_text("utf-8").split("\n")[:300]
        for word in (*line.split(), EOS)
    ]
    places = [place for line in lines(words) for place, _ in line.pieces]
    assert places == sorted(set(places))
    assert {words[i] for i in set(range(len(words))) - set(places)} == {"=", EOS}


def test_near_words_are_found_whatever_their_case():
    vocabulary = Vocabulary(["<unk>", "Bridge", "bridges", "river", "fridge", "stone"])
    assert nearest_words("bridge", vocabulary) == ["Bridge", "bridges", "fridge"]
    assert nearest_words("rivr", vocabulary) == ["river"]
    assert nearest_words("xyzzy", vocabulary) == []
    assert nearest_words("x" * 100_000, vocabulary) == []
