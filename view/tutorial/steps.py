"""The eight steps of the guided tour: the text, the result and the code of each."""

from collections.abc import Callable
from dataclasses import dataclass

from view.inspect.bytes import parts_of
from view.shared import server
from view.tutorial import how, results
from view.tutorial.results import FP32, INT8, MODEL, ONNX, WITH_EMBEDDING, WORDS
from wlm.catalog.registry import DEFAULT_TEXT
from wlm.quantization.snippet import code_for
from wlm.quantization.variant import Variant

FOLDER = f"assets/models/{MODEL}"


@dataclass(frozen=True)
class Step:
    """One screen of the tour. It has a title; its point in a sentence and the rest of the text,
    both with the model's own numbers; the function that shows its result, larger for a presenter;
    its code; the variant that it makes, if any, which a visitor may export; and whether its result
    needs a whole slide."""

    title: str
    words: Callable[[], tuple[str, str]]
    show: Callable[[bool], None]
    code: str
    variant: Variant | None = None
    fills_slide: bool = False


def about_model() -> tuple[str, str]:
    """Return the text about the model's input, its output, and the parts between them."""
    config = server.config_of(MODEL)
    return (
        "Words go in as numbers. Scores of the next word come out.",
        f"The embedding turns each word into {config.ninp:,} values. {config.nlayers} LSTM layers "
        "read the words in order and remember them. The Linear decoder scores each of the "
        f"{config.ntoken:,} words that the model knows.",
    )


def about_weights() -> tuple[str, str]:
    """Return the text about how many weights training produced, and their purpose."""
    numbers = sum(weights.numel() for weights in server.load_model(MODEL).model.parameters())
    return (
        f"Training produced {numbers / 1e6:.0f} million numbers. They write this text.",
        "Given the title and five words, the model draws one word after another. The temperature "
        f"{results.TEMPERATURE} favors likely words.",
    )


def about_unreached() -> tuple[str, str]:
    """Return the text about how much smaller the file becomes, and why not even smaller."""
    before, after = parts_of(MODEL, FP32), parts_of(MODEL, INT8)
    saved = 1 - sum(after.values()) / sum(before.values())
    largest = max(after, key=after.get)
    share = after[largest] / sum(after.values())
    return (
        f"The file shrinks by {saved:.0%}, not by {1 - 8 / 32:.0%}.",
        f"The {largest}, neither LSTM nor Linear, stays in fp32: {share:.0%} of the smaller file.",
    )


STEPS = (
    Step(
        "The model",
        about_model,
        results.show_model,
        f'from wlm import load_checkpoint\n\nprint(load_checkpoint("{FOLDER}").model)',
    ),
    Step(
        "The text",
        lambda: (
            "All words outside a fixed list become `<unk>`.",
            "The model reads each word as its number in the list. The loss, in nats, tells how "
            "well it predicts the next word: lower is better.",
        ),
        results.show_text,
        "from wlm.text.corpus import read_text\n"
        "from wlm.text.vocabulary import Vocabulary\n\n"
        f'vocabulary = Vocabulary.from_file("{FOLDER}/vocab.txt")\n'
        f'print(read_text("assets/texts/{DEFAULT_TEXT}.txt", vocabulary).ids[:20])',
    ),
    Step(
        "The weights, and a text",
        about_weights,
        results.show_sample,
        "from wlm import SampleSettings, load_checkpoint, sample_words\n\n"
        f'checkpoint = load_checkpoint("{FOLDER}")\n'
        f'prompt = tuple("{results.OPENING}".split())\n'
        "only_words = dict(allow_unk=False, allow_eos=False)\n"
        f"settings = SampleSettings({results.TEMPERATURE}, prompt=prompt, **only_words)\n"
        f"for drawn in sample_words(checkpoint.model, checkpoint.vocabulary, settings, {WORDS}):\n"
        "    print(drawn.word)",
    ),
    Step("A weight becomes an integer", how.about_rounding, how.show_rounding, how.WEIGHT_LINES),
    Step("Integers multiply", how.about_sum, how.show_sum, how.SUM_LINES),
    Step(
        "Quantize",
        lambda: (
            "One call stores the weights of LSTM and Linear as 8-bit integers.",
            "The inputs are rounded while the model runs: this is dynamic quantization. Compare "
            "loss, size and time.",
        ),
        results.show_quantized,
        code_for(INT8, FOLDER),
        INT8,
        fills_slide=True,
    ),
    Step(
        "The part that stays in fp32",
        about_unreached,
        results.show_unreached,
        code_for(WITH_EMBEDDING, FOLDER),
        WITH_EMBEDDING,
    ),
    Step(
        "What to use today",
        lambda: (
            "`torch.ao.quantization` is deprecated. ONNX Runtime quantizes every part.",
            "PyTorch's new package, torchao, quantizes the Linear layers of transformers, but no "
            "LSTMs. ONNX Runtime quantizes the same model, including the embedding.",
        ),
        results.show_today,
        code_for(ONNX, FOLDER),
        ONNX,
        fills_slide=True,
    ),
)
