"""A model as a diagram: Graphviz's DOT, which the browser draws."""

from wlm.model import ModelConfig

# Tints with dark words on them: they read on a light and on a dark page.
TINTS = {"fp32": "#a9cfe8", "fp16": "#a5dcc6", "int8": "#f4bd92", "int8-channel": "#f0d27a"}
INK, LINE = "#17202a", "#8c98a4"


def diagram(
    config: ModelConfig, modules: dict[str, str], megabytes: dict[str, float], bptt: int
) -> str:
    """Return DOT of a pass over a chunk of `bptt` words: each part with its precision, shape and
    MB in the file. `modules` has the precisions of embedding, LSTM and decoder, `megabytes` the
    parts' as `saved_parts` names them."""
    lines = []
    for part, size in megabytes.items():
        module = part.rstrip("0123456789 ")
        if module not in modules:
            continue
        rows, columns = {
            "embedding": (config.ntoken, config.ninp),
            "decoder": (config.ntoken, config.nhid),
        }.get(module, (4 * config.nhid, (config.nhid if part != "LSTM 0" else config.ninp)))
        shape = f"{rows:,} × {columns:,}"
        if module == "LSTM":
            shape += f", {rows:,} × {config.nhid:,}"
        words = f"{part}: {modules[module]}\\n{shape}\\n{size:,.2f} MB"
        lines.append(f'"{part}" [label="{words}", fillcolor="{TINTS[modules[module]]}"]')
    names = [line.split('"')[1] for line in lines]
    numbers = [config.ninp, *[config.nhid] * config.nlayers, config.ntoken]
    ends = [("words", names[0], f" {bptt} ids")]
    ends += [
        (above, below, f" {bptt} × {width:,}")
        for above, below, width in zip(names, [*names[1:], "loss"], numbers, strict=True)
    ]
    edges = [f'"{above}" -> "{below}" [label="{words}"]' for above, below, words in ends]
    return "\n".join(
        [
            "digraph {",
            'bgcolor="transparent"; rankdir=TB; nodesep=0.2; ranksep=0.24',
            f'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=15,'
            f' color="{LINE}", fontcolor="{INK}", margin="0.2,0.08", width=2.6]',
            f'edge [color="{LINE}", fontcolor="{LINE}", fontname="sans-serif", fontsize=13]',
            f'"words" [style=rounded, fontcolor="{LINE}"]; "loss" [style=rounded,'
            f' fontcolor="{LINE}"]',
            *lines,
            *edges,
            "}",
        ]
    )
