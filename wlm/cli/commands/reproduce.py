"""Run the tutorial from start to end; print its table next to the published one."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from wlm.cli import output
from wlm.cli.measure import keep, measure, with_bar
from wlm.errors import WLMError, check_range

EXAMPLES = """\
  python -m wlm reproduce
  python -m wlm reproduce --tokens 20000
"""


def add_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", help="default: the tutorial's if it was fetched, else the bundled one")
    add("--text", help="WikiText-2's folder if it was not fetched")
    add("--tokens", type=int, help="read only the text's first tokens")
    add("--words", type=int, default=1_000, help="default %(default)s")
    add("--out", metavar="FILE", help="write the words there, as the tutorial did")


def run(options: Namespace) -> None:
    from wlm.catalog.open import open_model
    from wlm.measuring.compare import compare
    from wlm.measuring.reproduce import table, to_json, tutorial_settings
    from wlm.sampling.words import MAX_WORDS

    spec = tutorial_settings(options.model, options.text, options.tokens)
    check_range("--words", options.words, 1, MAX_WORDS)
    if options.out:
        _write(options.out)  # report an error now, not after writing a thousand words
    written = _tutorials_words(open_model(spec.model), spec.threads, options)
    started = time.time()
    measured, stopped = measure(compare, spec)
    comparison = measured.to_json()
    run_id = keep(spec, comparison, started, stopped)
    content = to_json(spec, comparison, table(spec, comparison, stopped), written)
    output.answer(options, content, lambda: output.print_reproduction(content, run_id))


def _tutorials_words(checkpoint, threads: int, options: Namespace) -> list:
    """Write as section 3 of the tutorial does, with its generator and seed, to --out if given.

    After Ctrl-C, keep and print the words written so far.
    """
    from wlm.measuring.evaluate import thread_count
    from wlm.sampling.words import SampleSettings, sample_words, to_out_txt

    stream = sample_words(
        checkpoint.model, checkpoint.vocabulary, SampleSettings(seed=1111), options.words
    )
    written, ended = [], False
    try:
        with thread_count(threads):
            for sampled in with_bar(stream, options.words):
                written.append(sampled)
        ended = True
    finally:
        words = [sampled.word for sampled in written]
        if options.out and words:
            _write(options.out, to_out_txt(words))
        if not ended and words:
            output.note(f"stopped after {len(words):,} words: {' '.join(words)}")
    return written


def _write(path: str, text: str | None = None) -> None:
    """Write a text file; without a text, only check that the file can be written."""
    try:
        with Path(path).open("a" if text is None else "w", encoding="utf-8") as file:
            file.write(text or "")
    except OSError as error:
        raise WLMError(f"the file {path!r} cannot be written: {error.strerror}") from None
