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
        "Words go in as numbers, a score for every possible next word comes out.",
        f"An embedding turns each word into {config.ninp:,} values, {config.nlayers} LSTM layers "
        "read them in order and remember, and a Linear decoder scores each of "
        f"{config.ntoken:,} words.",
    )


def about_weights() -> tuple[str, str]:
    """Return the text about how many weights training produced, and their purpose."""
    numbers = sum(each.numel() for each in server.load_model(MODEL).model.parameters())
    return (
        f"Training left {numbers / 1e6:.0f} million numbers: here they are at work.",
        "Given a title and five words, it goes on: each word is drawn from what it expects after "
        f"those before it. A temperature of {results.TEMPERATURE} keeps it sober.",
    )


def about_unreached() -> tuple[str, str]:
    """Return the text about how much smaller the file becomes, and why not even smaller."""
    before, after = parts_of(MODEL, FP32), parts_of(MODEL, INT8)
    saved = 1 - sum(after.values()) / sum(before.values())
    largest = max(after, key=after.get)
    share = after[largest] / sum(after.values())
    return (
        f"The file shrinks by {saved:.0%}, not by {1 - 8 / 32:.0%}.",
        f"The {largest} is neither an LSTM nor a Linear layer, so it stays in 32-bit floats: "
        f"{share:.0%} of what is left.",
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
            "The model knows a fixed list of words; any other is `<unk>`.",
            "It reads the words' places in that list. How well it guesses each next word is its "
            "loss, in nats: lower is better.",
        ),
        results.show_text,
        "from wlm.text.corpus import read_text\n"
        "from wlm.text.vocabulary import Vocabulary\n\n"
        f'vocabulary = Vocabulary.from_file("{FOLDER}/vocab.txt")\n'
        f'print(read_text("assets/texts/{DEFAULT_TEXT}.txt", vocabulary).ids[:20])',
    ),
    Step(
        "Its weights, and what it writes",
        about_weights,
        results.show_sample,
        "from wlm import SampleSettings, load_checkpoint, sample_words\n\n"
        f'checkpoint = load_checkpoint("{FOLDER}")\n'
        f'prompt = tuple("{results.OPENING}".split())\n'
        "only_words = dict(allow_unk=False, allow_eos=False)\n"
        f"settings = SampleSettings({results.TEMPERATURE}, prompt=prompt, **only_words)\n"
        f"for each in sample_words(checkpoint.model, checkpoint.vocabulary, settings, {WORDS}):\n"
        "    print(each.word)",
    ),
    Step("A weight becomes an integer", how.about_rounding, how.show_rounding, how.WEIGHT_LINES),
    Step("Integers multiply", how.about_sum, how.show_sum, how.SUM_LINES),
    Step(
        "Quantize",
        lambda: (
            "One call stores the weights of LSTM and Linear as 8-bit integers.",
            "Their inputs are rounded on the fly: dynamic quantization. Look at loss, size and "
            "time.",
        ),
        results.show_quantized,
        code_for(INT8, FOLDER),
        INT8,
        fills_slide=True,
    ),
    Step(
        "What it could not reach",
        about_unreached,
        results.show_unreached,
        code_for(WITH_EMBEDDING, FOLDER),
        WITH_EMBEDDING,
    ),
    Step(
        "What to use today",
        lambda: (
            "`torch.ao.quantization` is deprecated; ONNX Runtime reaches every part.",
            "PyTorch moved on from the API behind step 6 to torchao, made for the Linear layers of "
            "transformers, with nothing for LSTMs. ONNX Runtime quantizes the same model, "
            "embedding included.",
        ),
        results.show_today,
        code_for(ONNX, FOLDER),
        ONNX,
        fills_slide=True,
    ),
)
