"""Vocabularies, texts, batches, and text as people write it."""

import os
import pickle
import unicodedata
from pathlib import Path

import pytest
import torch
from torch import tensor

from helpers import tutorial_code
from wlm.errors import SettingError, TextError
from wlm.text.corpus import (
    Corpus,
    Text,
    batchify,
    get_batch,
    read_text,
    read_words,
)
from wlm.text.splits import split_file, split_of
from wlm.text.vocabulary import Vocabulary


@pytest.fixture
def write(tmp_path):
    """Write bytes to a file called text.txt and return its path."""

    def write(content: bytes):
        path = tmp_path / "text.txt"
        path.write_bytes(content)
        return path

    return write


def test_a_vocabulary_numbers_words_by_their_place():
    vocabulary = Vocabulary(["<unk>", "the", "river"])
    assert len(vocabulary) == 3
    assert vocabulary.ids == {"<unk>": 0, "the": 1, "river": 2}
    assert "river" in vocabulary
    assert "lake" not in vocabulary
    assert vocabulary.decode(tensor([2, 1])) == ["river", "the"]


def test_unknown_words_are_encoded_as_unk():
    ids = Vocabulary(["the", "<unk>"]).encode(["the", "lake", "<unk>"])
    assert ids.tolist() == [0, 1, 1]
    assert ids.dtype == torch.int64


def test_no_words_are_encoded_as_no_ids(vocabulary):
    ids = vocabulary.encode([])
    assert (ids.shape, ids.dtype) == ((0,), torch.int64)


def test_an_unknown_word_is_refused_by_a_vocabulary_without_unk():
    words = Vocabulary(["the", "river"])
    message = "the word 'lake' is not in the vocabulary, which has no <unk> to read it as: use"
    with pytest.raises(TextError, match=message):
        words.encode(["the", "lake", "sea"])
    with pytest.raises(TextError, match=message):  # a word that says more than <unk> itself
        words.encode(["<unk>", "lake"])
    with pytest.raises(TextError, match="the word '<unk>' is not in the vocabulary, which has no"):
        words.encode(["the", "<unk>"])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_word_is_found_with_its_accents_composed_differently(write, form):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    words = Vocabulary([unicodedata.normalize(form, word) for word in ("<unk>", "<eos>", "café")])
    written = unicodedata.normalize(other, "café")
    assert written in words and "cafe" not in words
    assert words.encode([written, "cafe"]).tolist() == [2, 0]
    text = read_text(write(f"{written} cafe {words.words[2]}\n".encode()), words)
    assert (text.ids.tolist(), text.unknown) == ([2, 0, 2, 1], 1)
    assert text.recomposed.tolist() == [True, False, False, False]


def test_a_vocabulary_may_tell_compositions_apart():
    pair = [unicodedata.normalize(form, "café") for form in ("NFD", "NFC")]
    words = Vocabulary(pair)
    assert words.encode(pair).tolist() == [0, 1] and not words.is_recomposed(pair).any()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "at least 2 words, got 0"),
        (["the"], "at least 2 words, got 1"),
        (["the", "a", "the", "a"], "each word once, but 'the' stands twice"),
        (["the", "a b"], "word 1 of the vocabulary must be one word, got 'a b'"),
        (["the ", "a"], "word 0 of the vocabulary must be one word, got 'the '"),
        (["the", ""], "word 1 of the vocabulary must be one word, got ''"),
        (["the", "a\x85b"], "word 1 .* got 'a.x85b'"),
        (["the", "a\u2028b"], "word 1 .* got 'a.u2028b'"),
        (["the", "a\nb"], "word 1 .* got 'a.nb'"),
    ],
)
def test_a_vocabulary_refuses_what_is_no_list_of_different_words(words, message):
    with pytest.raises(TextError, match=message):
        Vocabulary(words)


def test_a_vocabulary_file_round_trips(tmp_path):
    # A zero-width space, a joiner and a byte order mark are no white space: parts of words.
    words = ["<eos>", "naïve", "東京", "a\u200bb", "a\u200db", "\ufeffx", "@-@", "'", "\\n"]
    Vocabulary(words).save(tmp_path / "vocab.txt")
    assert (tmp_path / "vocab.txt").read_bytes() == "".join(f"{w}\n" for w in words).encode()
    assert Vocabulary.from_file(tmp_path / "vocab.txt").words == words


@pytest.mark.parametrize(
    "content",
    [
        b"the\nriver\n",
        b"the\nriver",
        b"the\r\nriver\r\n",
        b"\xef\xbb\xbfthe\nriver\n",
        b"the \nriver\t\n",
        b"the\nriver\n\n \n",
        b'["the", "river"]',
        b'\n{"river": 1, "the": 0}\n',
        b'{"0": "the", "1": "river"}',
        b'{"version": 1, "model": {"vocab": {"the": 0, "river": 1}}}',
        b'{"word2idx": {"the": 0, "river": 1}, "idx2word": ["the", "river"]}',
    ],
)
def test_a_vocabulary_file_may_be_written_by_any_editor(write, content):
    assert Vocabulary.from_file(write(content)).words == ["the", "river"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "the\n\nriver\n",
            r"vocabulary '.*' must have one word per line, but line 2 is blank: rem",
        ),
        ("the\n \nriver\n", r"but line 2 is blank: .*a blank itself cannot be a word"),
        ("the\nriver\nthe\n", "'the' stands twice, in lines 1 and 3"),
        ("", "at least 2 words, got 1"),
        ("the river\nof\n", "line 1 must be one word, got 'the river'"),
        ("the river of stone\n", "has its 4 words in one line: each needs a line of its own"),
        ("the 1042\nriver 7\n", "has two columns, such as 'the 1042': keep the column of the w"),
        ("0\tthe\n1\triver\n", r"has two columns, such as '0.tthe'"),
        ("word,count\nthe,1042\nriver,7\n", "has two columns, such as 'word,count': keep the col"),
        ("the;1042\nriver;7\n", "has two columns, such as 'the;1042'"),
        ("0,the,1042\n1,river,7\n", "has 3 columns, such as '0,the,1042'"),
        ("ccopy_reg\n_reconstructor\np0\n(ctorchtext.vocab\nV\n.", "is a pickle, which wlm never"),
        ("(dp0\nS'the'\np1\nI0\ns.", "is a pickle, which wlm never unpickles: give plain text"),
        ("(lp0\nS'the'\np1\na.", "is a pickle, which wlm never unpickles"),
        ('{"the": 0, "river": 2}', "the ids in .* must be 0 to 1, each once, got 0 to 2"),
        ('{"the": 0, "river": 0}', "the ids in .* must be 0 to 1, each once, got 0 to 0"),
        ('{"words": {"a": 1.5}}', "must be a list of words, or an object from words to ids"),
        ("[1, 2]", "must be a list of words, or an object from words to ids"),
        ("[\nthe\n[\n", "'\\[' stands twice"),  # a list of words, the first a bracket
        # These end a line for str.splitlines, which would shift the ids of all later words.
        ("a\x85b\nc\n", "line 1 .* got 'a.x85b'"),
        ("c\na\u2028b\n", "line 2 .* got 'a.u2028b'"),
        ("c\na\x0bb\n", "line 2 .* got 'a.x0bb'"),
    ],
)
def test_a_vocabulary_file_that_holds_anything_else_is_refused(write, content, message):
    with pytest.raises(TextError, match=message):
        Vocabulary.from_file(write(content.encode()))


@pytest.mark.parametrize("read", [Vocabulary.from_file, read_words])
def test_a_missing_file_is_named(read, tmp_path):
    with pytest.raises(TextError, match=r"there is no \w+ file '.*absent\.txt'"):
        read(tmp_path / "absent.txt")


@pytest.mark.parametrize("read", [Vocabulary.from_file, read_words])
def test_a_file_in_another_encoding_is_refused_with_the_first_wrong_byte(read, write):
    with pytest.raises(TextError, match=r"'.*text\.txt' must be UTF-8, but byte 3 is 0xef"):
        read(write(b"na\n\xefve\n"))


@pytest.mark.parametrize("read", [Vocabulary.from_file, read_words])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("the river".encode("utf-16"), "must be UTF-8, but is UTF-16: save it as UTF-8"),
        ("the river".encode("utf-16-be"), "must be UTF-8, but is UTF-16: save it as UTF-8"),
        ("the river".encode("utf-32"), "must be UTF-8, but is UTF-32: save it as UTF-8"),
        (b"the river\n\0of\n", "must be text, but byte 10 is a NUL character"),
        (b"the river\n" * 200_000 + b"\0", "must be text, but byte 2,000,000 is a NUL"),
        (pickle.dumps({"the": 0}), "but is a pickle, which wlm never unpickles"),
        (b"PK\x03\x04\0\0", "but is a zip archive, such as a PyTorch file"),
        (b"\x1f\x8b\x08\0", "but is compressed by gzip: give the file inside"),
    ],
)
def test_what_is_no_plain_text_is_called_by_its_name(read, write, content, message):
    with pytest.raises(TextError, match=rf"'.*text\.txt' {message}|'.*text\.txt' .*{message}"):
        read(write(content))


@pytest.mark.parametrize("read", [Vocabulary.from_file, read_words])
def test_pipes_devices_folders_and_sparse_files_are_refused_unread(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(20_000_000_000)
    with (tmp_path / "small").open("wb") as file:
        file.truncate(90_000_000)
    for path, message in (
        (tmp_path / "pipe", "cannot be read: it is a pipe, not a file"),
        ("/dev/zero", "cannot be read: it is a device, not a file"),
        (tmp_path, "cannot be read: it is a folder, not a file"),
        (
            tmp_path / "sparse",
            r"cannot be read: it must have at most [\d,]+ bytes, got 20,000,000,0",
        ),
        (tmp_path / "small", "must be text, but byte 0 is a NUL character"),
    ):
        with pytest.raises(TextError, match=message):
            read(path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that fails to be read")
@pytest.mark.parametrize("read", [Vocabulary.from_file, read_words])
def test_a_text_that_fails_to_be_read_is_said_in_words(read):
    with pytest.raises(TextError, match=r"'/proc/self/mem' cannot be read: \w+"):
        read("/proc/self/mem")


@pytest.mark.parametrize("read", [Vocabulary.from_file, read_words])
@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5_000])
def test_a_path_that_can_hold_no_file_is_refused(read, name, tmp_path):
    with pytest.raises(TextError, match="cannot be read: "):
        read(f"{tmp_path}/{name}")


def test_every_line_ends_with_eos(write):
    path = write(b" the river\n\n\tthe  old\xc2\xa0town \n \n")
    expected = "the river <eos> <eos> the old town <eos> <eos>".split()
    assert read_words(path) == expected


@pytest.mark.parametrize(
    "content",
    [b"the\nriver", b"the\r\nriver\r\n", b"the\rriver\r", b"\xef\xbb\xbfthe\nriver\n"],
    ids=["no line end at the end", "CRLF", "CR", "byte order mark"],
)
def test_a_text_may_be_written_by_any_editor(write, content):
    assert read_words(write(content)) == ["the", "<eos>", "river", "<eos>"]


def test_only_line_ends_end_a_line(write):
    words = read_words(write("the\x0criver\x1cand\x85the\u2028town\n".encode()))
    assert words == ["the", "river", "and", "the", "town", "<eos>"]


@pytest.mark.parametrize("content", [b"", b"\n", b" \n\n\t\n", b"\xef\xbb\xbf", b"\xe2\x80\xa8"])
def test_a_text_without_a_word_is_refused(write, vocabulary, content):
    with pytest.raises(TextError, match=r"'.*text\.txt' is empty: .* at least two words"):
        read_text(write(content), vocabulary)


@pytest.mark.parametrize("content", [b"<unk> <eos>\n", "東京 は 晴れ\n".encode(), b"zzz"])
def test_a_text_of_unknown_words_alone_is_refused(write, vocabulary, content):
    with pytest.raises(TextError, match="'text' has none of the vocabulary's 20 words"):
        read_text(write(content), vocabulary)


def test_a_text_is_encoded_and_its_unknown_words_are_counted(write, vocabulary):
    text = read_text(write(b"the lake in <unk>\nthe sea\n"), vocabulary)
    assert text.name == "text"
    assert text.ids.tolist() == [2, 1, 6, 1, 0, 2, 1, 0]
    assert vocabulary.decode(text.ids) == "the <unk> in <unk> <eos> the <unk> <eos>".split()
    assert text.unknown == 3


def test_a_text_may_be_given_a_name_and_have_no_unknown_words(text_file, vocabulary):
    text = read_text(text_file, vocabulary, "bridges")
    assert (text.name, text.unknown, len(text.ids)) == ("bridges", 0, 640)


def test_a_text_can_be_read_in_part():
    text = Text("short", torch.arange(10), 0)
    assert text.first(None).tolist() == list(range(10))
    assert text.first(10).tolist() == list(range(10))
    assert text.first(2).tolist() == [0, 1]


@pytest.mark.parametrize("tokens", [1, 0, -1, 11, 2.5, True])
def test_a_part_of_a_text_must_lie_within_it(tokens):
    message = rf"tokens must be a whole number from 2 to 10 \(.*'short'\), got {tokens}"
    with pytest.raises(SettingError, match=message):
        Text("short", torch.arange(10), 0).first(tokens)


@pytest.fixture
def corpus_folder(tmp_path):
    """Three splits that share words, with blank lines and no line end at one's end."""
    (tmp_path / "train.txt").write_text(" \n = River = \n \n the river is old \n", "utf-8")
    (tmp_path / "valid.txt").write_text("the old bridge\n\n\nthe sea", "utf-8")
    (tmp_path / "test.txt").write_text("a naïve sea \x0c bridge\n", "utf-8")
    return tmp_path


def test_ids_go_by_first_appearance_in_train_valid_test(corpus_folder):
    corpus = Corpus.from_folder(corpus_folder)
    expected = "<eos> = River the river is old bridge sea a naïve"
    assert corpus.vocabulary.words == expected.split()
    assert corpus.train.tolist() == [0, 1, 2, 1, 0, 0, 3, 4, 5, 6, 0]
    assert corpus.valid.tolist() == [3, 6, 7, 0, 0, 0, 3, 8, 0]
    assert corpus.test.tolist() == [9, 10, 8, 7, 0]


def test_a_corpus_equals_the_tutorials(corpus_folder):
    ours, theirs = Corpus.from_folder(corpus_folder), tutorial_code.Corpus(corpus_folder)
    assert ours.vocabulary.words == theirs.dictionary.idx2word
    assert ours.vocabulary.ids == theirs.dictionary.word2idx
    for split in ("train", "valid", "test"):
        assert torch.equal(getattr(ours, split), getattr(theirs, split))


@pytest.mark.parametrize("form", ["wiki.{}.tokens", "ptb.{}.txt"])
def test_a_corpus_may_have_the_names_under_which_it_is_published(corpus_folder, form):
    expected = Corpus.from_folder(corpus_folder).sha256()
    for split in ("train", "valid", "test"):
        (corpus_folder / f"{split}.txt").rename(corpus_folder / form.format(split))
    assert Corpus.from_folder(corpus_folder).sha256() == expected
    assert split_file(corpus_folder, "test").name == form.format("test")
    assert split_of(form.format("test")) == "test"
    assert split_of("tests.txt") is None


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_corpus_without_one_of_its_splits_is_refused(corpus_folder, split):
    (corpus_folder / f"{split}.txt").unlink()
    with pytest.raises(TextError, match=rf"there is no text file '.*{split}\.txt'"):
        Corpus.from_folder(corpus_folder)


def test_batchify_cuts_ids_into_columns_and_drops_the_rest():
    data = batchify(torch.arange(11), 3)
    assert data.tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    assert data.is_contiguous()


def test_get_batch_pairs_each_row_with_the_next():
    data = tensor([[0, 3, 6], [1, 4, 7], [2, 5, 8]])
    source, targets = get_batch(data, 0, 2)
    assert source.tolist() == [[0, 3, 6], [1, 4, 7]]
    assert targets.tolist() == [1, 4, 7, 2, 5, 8]


def test_the_last_batch_is_as_long_as_what_is_left():
    data = tensor([[0, 3], [1, 4], [2, 5]])
    source, targets = get_batch(data, 1, 25)
    assert source.tolist() == [[1, 4]]
    assert targets.tolist() == [2, 5]


@pytest.mark.parametrize("batch_size", [1, 2, 5])
@pytest.mark.parametrize("bptt", [1, 4, 25])
def test_batches_equal_the_tutorials(batch_size, bptt):
    ids = torch.arange(53) * 7 % 20
    data, theirs = batchify(ids, batch_size), tutorial_code.batchify(ids, batch_size)
    assert torch.equal(data, theirs)
    for i in range(0, len(data) - 1, bptt):
        expected = tutorial_code.get_batch(theirs, i, bptt)
        assert all(map(torch.equal, get_batch(data, i, bptt), expected))


@pytest.mark.parametrize(
    ("length", "batch_size", "highest"),
    [(10, 0, 5), (10, 6, 5), (10, -1, 5), (1_000, 257, 256), (10, 2.0, 5), (10, "2", 5)],
)
def test_each_column_must_have_two_tokens(length, batch_size, highest):
    message = f"the batch size must be a whole number from 1 to {highest} .*, got {batch_size!r}"
    with pytest.raises(SettingError, match=message):
        batchify(torch.arange(length), batch_size)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_a_column_of_two_tokens_is_enough(batch_size):
    assert batchify(torch.arange(10), batch_size).shape == (10 // batch_size, batch_size)
