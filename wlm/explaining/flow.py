"""A word on its way through the model: its id, the output of every part, and the next words."""

from collections.abc import Sequence
from dataclasses import dataclass

from wlm.explaining.reading import logits, read
from wlm.quantization.pytorch import PyTorchModel
from wlm.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Flow:
    """A word, its id, the output of embedding and every LSTM layer, by part, and the likeliest next
    words with their probabilities, likeliest first."""

    word: str
    id: int
    values: dict[str, tuple[float, ...]]
    next_words: tuple[tuple[str, float], ...]


def flow(model: PyTorchModel, vocabulary: Vocabulary, words: Sequence[str], count: int = 5) -> Flow:
    """Return the last word on its way through a variant that has read the words before it. Raises
    TextError."""
    ids = vocabulary.encode(words)
    reading, at = read(model, ids), len(ids) - 1
    stages = [reading.embedded[at], *reading.hidden[at + 1]]
    given = logits(model, reading, at).double().softmax(0)
    likely = given.topk(min(count, len(vocabulary)))
    return Flow(
        vocabulary.words[int(ids[at])],
        int(ids[at]),
        {
            part: tuple(output.tolist())
            for part, output in zip(model.config.parts()[:-1], stages, strict=True)
        },
        tuple(
            (vocabulary.words[id], share)
            for id, share in zip(likely.indices.tolist(), likely.values.tolist(), strict=True)
        ),
    )
