"""Print text sampled from one variant, or from fp32 and a variant side by side."""

from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.cli.measure import chosen_model, given, with_bar
from wlm.cli.options import VARIANT_HELP, add_model

EXAMPLES = """\
  python -m wlm sample --variant int8 --temperature 0.8 --words 100 --seed 1
  python -m wlm sample --compare --prompt "The old bridge" --temperature 0.8
"""


def add_options(parser: ArgumentParser) -> None:
    add_model(parser)
    add = parser.add_argument
    add("--variant", help=f"{VARIANT_HELP}; default fp32, with --compare int8")
    add("--compare", action="store_true", help="also sample fp32, in two columns")
    add("--temperature", type=float, help="default 1.0")
    add("--words", type=int, default=100, help="default %(default)s")
    add("--seed", type=int, help="default 1")
    add("--prompt", default="", help="text to continue")
    add("--top-k", type=int, help="sample from the k most probable words; 0 for all")
    add("--top-p", type=float, help="sample from the most probable words that sum to p")
    add("--no-unk", dest="allow_unk", action="store_false", help="never draw <unk>")
    add("--no-eos", dest="allow_eos", action="store_false", help="never end a line")
    add("--stop-at-article", action="store_true", help="stop before the next article begins")
    add(
        "--draw",
        help="multinomial, as in the tutorial, race, or inverse-cdf, the quickest; "
        "default multinomial",
    )


def run(options: Namespace) -> None:
    from wlm.quantization.prepare import prepare
    from wlm.quantization.variant import Variant
    from wlm.sampling.words import SampleSettings, sample_words
    from wlm.text.wikitext import tokenize

    prompt = tuple(tokenize(options.prompt)) if options.prompt.strip() else ()
    settings = SampleSettings(**{**given(SampleSettings, options), "prompt": prompt})
    chosen = Variant.parse(options.variant or ("int8" if options.compare else "fp32"))
    variants = [Variant(), chosen] if options.compare else [chosen]
    checkpoint = chosen_model(options)
    _note_unknown(prompt, checkpoint.vocabulary)
    models = [prepare(checkpoint.model, variant) for variant in variants]
    streams = [
        sample_words(model, checkpoint.vocabulary, settings, options.words) for model in models
    ]
    read = {"weights_read": checkpoint.weights_read} if checkpoint.weights_read else {}
    if options.json:
        contents = [
            {**_content(variant, settings, list(with_bar(stream, options.words))), **read}
            for variant, stream in zip(variants, streams, strict=True)
        ]
        output.print_json(contents if options.compare else contents[0])
    elif options.compare:
        output.print_columns(variants, streams, prompt)
    else:
        output.print_stream(streams[0], prompt)


def _content(variant, settings, text: list) -> dict:
    return {
        "variant": str(variant),
        "label": variant.label,
        "temperature": settings.temperature,
        "seed": settings.seed,
        "words": [word.word for word in text],
        "words_per_s": len(text) / sum(word.seconds for word in text) if text else None,
    }


def _note_unknown(prompt: tuple[str, ...], vocabulary) -> None:
    from wlm.text.wikitext import nearest_words

    for word in dict.fromkeys(prompt):
        if word not in vocabulary:
            near = ", ".join(nearest_words(word, vocabulary)) or "none"
            output.note(f"{word!r} is read as <unk>; near it: {near}")
