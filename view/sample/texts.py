"""Texts drawn from several variants: written as one watches, typeset, and compared."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import streamlit as st

from view.sample.turns import Turns
from view.shared import page as ui
from wlm.quantization.variant import Variant
from wlm.sampling.candidates import Candidate, candidates
from wlm.sampling.divergence import Reader, WordDivergence, divergences
from wlm.sampling.words import (
    SampledWord,
    SampleSettings,
    first_difference,
    sample_words,
    to_out_txt,
)
from wlm.text.vocabulary import EOS
from wlm.text.wikitext import detokenize, lines

AT_ONCE = 2  # visitors whose texts are drawn at the same time, by threads of this process
SCREEN_UPDATE_SECONDS = 0.1  # words are drawn faster than a screen need show them


@dataclass(frozen=True)
class Request:
    """What a sample is asked for with; the first variant is the baseline."""

    model: str
    variants: tuple[Variant, ...]
    settings: SampleSettings
    words: int


@dataclass
class Sample:
    """A text per variant, and how far the variants differ along the baseline's text."""

    request: Request
    texts: list[list[SampledWord]]
    divergences: list[WordDivergence] = field(default_factory=list)
    seen: dict[int, list[Candidate]] = field(default_factory=dict)  # draws looked at, by place

    @property
    def labels(self) -> list[str]:
        """Return the variants' labels."""
        return [each.label for each in self.request.variants]

    @property
    def complete(self) -> bool:
        """Tell whether all words were compared."""
        return len(self.texts) == 1 or 0 < len(self.texts[0]) == len(self.divergences)

    def words(self, i: int) -> list[str]:
        """Return the words of a variant's text."""
        return [each.word for each in self.texts[i]]

    def ids(self) -> list[int]:
        """Return the word ids of the baseline's text."""
        return [each.id for each in self.texts[0]]

    def departure(self, i: int) -> int | None:
        """Return the place, from 0, of the first word in which a text differs from the first."""
        return first_difference(self.words(0), self.words(i))

    def before_first_departure(self) -> tuple[int, ...]:
        """Return the ids of the baseline's text up to where the first other text departs."""
        places = [self.departure(i) for i in range(1, len(self.texts))]
        return tuple(self.ids()[: min((each for each in places if each is not None), default=0)])

    def words_per_second(self, i: int) -> float:
        """Return the speed of a variant, model and draw; 0 while it has no text."""
        text = self.texts[i]
        return len(text) / sum(each.seconds for each in text) if text else 0.0

    def readers(self) -> list[Reader]:
        """Return the variants as readers."""
        model = self.request.model
        return [Reader.of(ui.load_variant(model, each), each) for each in self.request.variants]

    def draw_at(self, place: int) -> list[Candidate]:
        """Return the draw at a place of the baseline's text, looked at once."""
        if place not in self.seen:
            vocabulary = ui.load_model(self.request.model).vocabulary
            before = self.ids()[:place]
            self.seen[place] = candidates(self.readers(), vocabulary, self.request.settings, before)
        return self.seen[place]


@st.cache_resource(show_spinner=False)
def _turns() -> Turns:
    return Turns(AT_ONCE)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for one's turn to draw, and say how many are ahead."""
    with _turns().join() as ahead:
        place = st.empty()
        while waiting := ahead():
            others = "1 visitor is" if waiting == 1 else f"{waiting} visitors are"
            place.info(f"{others} ahead of you.", icon=":material/hourglass_top:")
            time.sleep(0.2)
        place.empty()
        yield


def write(request: Request, show: Callable[[Sample], None]) -> Sample:
    """Draw all variants' texts, a word of each in turn, and show them as they grow."""
    # In the session from the first word on, so that a stopped text stays.
    sample = st.session_state["sample"] = Sample(request, [[] for _ in request.variants])
    with turn():
        vocabulary = ui.load_model(request.model).vocabulary
        streams = {
            i: sample_words(
                ui.load_variant(request.model, each), vocabulary, request.settings, request.words
            )
            for i, each in enumerate(request.variants)
        }
        shown = 0.0
        while streams:
            for i in list(streams):
                if (word := next(streams[i], None)) is None:
                    del streams[i]
                else:
                    sample.texts[i].append(word)
            if time.monotonic() - shown > SCREEN_UPDATE_SECONDS:
                show(sample)
                shown = time.monotonic()
        show(sample)
        compare(sample)
    return sample


def settled(sample: Sample) -> Sample:
    """Return the session's sample; a copy where its writing was stopped, since the script that was
    writing it may add some words yet."""
    if sample.complete or not all(sample.texts):
        return sample
    copy = Sample(sample.request, [list(text) for text in sample.texts])
    st.session_state["sample"] = copy
    return copy


def finish(sample: Sample) -> None:
    """Compare a sample's texts where that was stopped."""
    if not sample.complete:
        with turn():
            compare(sample)


def compare(sample: Sample) -> None:
    """Have all variants read the baseline's text, to see how far they differ on each word."""
    words = len(sample.texts[0])
    if len(sample.texts) < 2:
        return
    vocabulary = ui.load_model(sample.request.model).vocabulary
    progress, found, shown = st.progress(0.0), [], 0.0
    stream = divergences(sample.readers(), vocabulary, sample.request.settings, sample.ids())
    for each in stream:
        found.append(each)
        if time.monotonic() - shown > SCREEN_UPDATE_SECONDS:
            text = f"All variants read {sample.labels[0]}'s text: {len(found)} of {words} words"
            progress.progress(len(found) / words, text=text)
            shown = time.monotonic()
    progress.empty()
    sample.divergences = found


def show_texts(sample: Sample, slots: list, *, raw: bool) -> None:
    """Show each text so far under its variant's label and speed, departures marked."""
    departures = [sample.departure(i) for i in range(len(sample.texts))]
    for i, slot in enumerate(slots):
        # In the baseline's text a mark stands wherever another one departs.
        places = departures if i == 0 else [departures[i]]
        marks = {place: ":material/call_split:" for place in places if place is not None}
        with slot.container(border=True):
            speed = f" :gray[{sample.words_per_second(i):,.0f} words per second]"
            st.markdown(f"**{sample.labels[i]}** ·{speed if sample.texts[i] else ''}")
            prompt = sample.request.settings.prompt
            words = [*prompt, *sample.words(i)]
            marks = {place + len(prompt): icon for place, icon in marks.items()}
            show = raw_tokens if raw else typeset
            st.markdown(show(words, marks, prompt=len(prompt)))


def show_downloads(sample: Sample) -> None:
    """Draw what each text can be downloaded as."""
    for i, column in enumerate(st.columns(len(sample.texts))):
        words, prompt = sample.words(i), sample.request.settings.prompt
        with column, st.container(horizontal=True):
            for name, content, help in (
                ("out.txt", to_out_txt(words), "Raw tokens, 20 a line, as in the tutorial."),
                ("text.txt", detokenize([*prompt, *words]), "The text as people write it."),
            ):
                st.download_button(
                    name,
                    content,
                    file_name=name,
                    key=f"download-{name}-{i}",
                    icon=":material/download:",
                    on_click="ignore",
                    type="tertiary",
                    help=help,
                )


def typeset(words: list[str], marks: Mapping[int, str] | None = None, *, prompt: int = 0) -> str:
    """Return Markdown of a text with headings and paragraphs.

    A mark is an icon by place; the first `prompt` words are a prompt, in grey.
    """
    marks = dict(marks or {})
    blocks: list[str] = []
    for line in lines(words):
        text = ""
        for place, piece in line.pieces:
            for each in [each for each in marks if each < place]:  # a sign that is not shown
                text += _marked(marks.pop(each), _NAMES.get(words[each], words[each]))
            if place in marks:
                text += _marked(marks.pop(place), piece.strip())
            else:
                text += _plain(piece, grey=place < prompt)
        blocks.append(("#" * min(6, line.level + 2) + " " if line.level else "") + text.strip())
    last = "".join(_marked(icon, _NAMES.get(words[i], words[i])) for i, icon in marks.items())
    return "\n\n".join([*blocks, last] if last else blocks)


_NAMES = {EOS: "a new line", "=": "a heading"}


def raw_tokens(words: list[str], marks: Mapping[int, str], *, prompt: int = 0) -> str:
    """Return Markdown of the tokens as they are, `<eos>` ending a line, as `typeset` does."""
    pieces = [
        (_marked(marks[i], word) if i in marks else _plain(f" {word}", grey=i < prompt))
        + ("\n\n" if word == EOS else "")
        for i, word in enumerate(words)
    ]
    return "".join(pieces)


def _plain(piece: str, *, grey: bool) -> str:
    word = piece.lstrip()
    space = " " * (len(piece) - len(word))
    return f"{space}:gray[{ui.plain(word)}]" if grey else space + ui.plain(word)


def _marked(icon: str, word: str) -> str:
    return f" :orange-background[:orange[{icon}] **{ui.plain(word)}**]"
