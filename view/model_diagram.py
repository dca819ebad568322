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
    edges = [("words", names[0], f" {bptt} ids")]
    edges += [
        (above, below, f" {bptt} × {width:,}")
        for above, below, width in zip(names, [*names[1:], "loss"], numbers, strict=True)
    ]
    return _dot(lines, edges, ("words", "loss"), "style=rounded")


def outline(config: ModelConfig, megabytes: dict[str, float]) -> str:
    """Return DOT of the fp32 model in three boxes, for who sees it the first time: what goes in
    and out of embedding, LSTM and decoder, and the MB of each."""
    lstm = sum(size for part, size in megabytes.items() if part.startswith("LSTM"))
    boxes = {
        "embedding": f"embedding: {megabytes['embedding']:.1f} MB",
        "LSTM": f"{config.nlayers} LSTM layers: {lstm:.1f} MB",
        "decoder": f"Linear decoder: {megabytes['decoder']:.1f} MB",
    }
    lines = [
        f'"{name}" [label="{words}", fillcolor="{TINTS["fp32"]}"]' for name, words in boxes.items()
    ]
    edges = [
        ("a word", "embedding", f" its number, 1 of {config.ntoken:,}"),
        ("embedding", "LSTM", f" {config.ninp:,} values"),
        ("LSTM", "decoder", f" {config.nhid:,} values"),
        ("decoder", "the next word", f" {config.ntoken:,} scores"),
    ]
    return _dot(lines, edges, ("a word", "the next word"), "shape=plaintext, height=0.2")


def _dot(
    boxes: list[str],
    edges: list[tuple[str, str, str]],
    ends: tuple[str, str],
    ends_style: str,
) -> str:
    """A graph from top to bottom, its ends without colour."""
    return "\n".join(
        [
            "digraph {",
            'bgcolor="transparent"; rankdir=TB; nodesep=0.2; ranksep=0.24',
            f'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=15,'
            f' color="{LINE}", fontcolor="{INK}", margin="0.2,0.08", width=2.6]',
            f'edge [color="{LINE}", fontcolor="{LINE}", fontname="sans-serif", fontsize=13]',
            *(
                f'"{end}" [{ends_style}, fillcolor="transparent", fontcolor="{LINE}"]'
                for end in ends
            ),
            *boxes,
            *(f'"{above}" -> "{below}" [label="{words}"]' for above, below, words in edges),
            "}",
        ]
    )
