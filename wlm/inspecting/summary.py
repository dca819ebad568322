"""Bytes, time and error in one result, as the command line prints it."""

from wlm.catalog.open import open_model, open_text
from wlm.inspecting.activation_error import ACTIVATION_TOKENS, activations, layer_errors
from wlm.inspecting.parts import saved_parts
from wlm.inspecting.times import InspectSpec
from wlm.inspecting.weight_error import weight_errors
from wlm.model.lstm import part_of
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant

Table = list[dict[str, str]]  # rows of cells, by their column's title


def add_bytes_and_errors(times: dict, spec: InspectSpec) -> dict:
    """Return the result of `inspect` with `parts` (bytes), `weights` and `activations` (errors)
    added to every variant, as docs/json.md describes them. Raises WLMError."""
    checkpoint = open_model(spec.model, spec.vocabulary, spec.corpus)
    ids = open_text(spec.text, checkpoint.vocabulary).ids[:ACTIVATION_TOKENS]
    fp32 = prepare(checkpoint.model, Variant())
    reference, results = activations(fp32, ids), []
    for result in times["results"]:
        model = prepare(checkpoint.model, Variant.parse(result["variant"]))
        errors = [error.to_json() for error in weight_errors(fp32, model)]
        results.append(
            {
                **result,
                "parts": saved_parts(model),
                "weights": [{"part": part_of(error["matrix"]), **error} for error in errors],
                "activations": [
                    error.to_json() for error in layer_errors(reference, activations(model, ids))
                ],
            }
        )
    protocol = times["protocol"]
    if checkpoint.weights_read:
        protocol = {**protocol, "weights_read": checkpoint.weights_read}
    return {**times, "protocol": protocol, "results": results}


def parts_table(content: dict) -> Table:
    """Return bytes and errors, one row per part of a variant, with its worst matrix's noise."""
    rows = []
    for result in content["results"]:
        layers = {error["part"]: error for error in result["activations"]}
        for part, size in result["parts"].items():
            noise = [error["sqnr_db"] for error in result["weights"] if error["part"] == part]
            layer = layers.get(part)
            rows.append(
                {
                    "variant": result["label"],
                    "part": part,
                    "bytes": f"{size:,}",
                    "weights (dB)": _worst(noise) if noise else "",
                    "activations (dB)": _worst([layer["sqnr_db"]]) if layer else "",
                    "cosine": f"{layer['cosine']:.6f}" if layer else "",
                }
            )
        whole = {"variant": result["label"], "part": "all"}
        whole["bytes"] = f"{sum(result['parts'].values()):,}"
        rows.append(dict.fromkeys(rows[0], "") | whole)
    return rows


def times_table(content: dict) -> Table:
    """Return times and work, one row per module of every variant and pass."""
    return [
        {
            "variant": result["label"],
            "tokens": str(timed["tokens"]),
            "module": module["module"],
            "ms": f"{1e3 * module['seconds']:.3f}",
            "spread": f"{module['spread']:.0%}",
            "Mmultiply-adds": f"{module['multiply_adds'] / 1e6:,.2f}",
            "MB": f"{module['bytes_moved'] / 1e6:,.2f}",
            "Gop/s": f"{module['ops_per_s'] / 1e9:,.1f}",
            "bound-by": module["bound_by"] or "",
        }
        for result in content["results"]
        for timed in result["passes"]
        for module in timed["modules"]
    ]


def ceilings(content: dict) -> str:
    """Return the machine's roofline in a line."""
    roofline = content["roofline"]
    int8, bf16 = roofline["int8_ops_per_s"], roofline["bf16_ops_per_s"]
    return (
        f"memory {roofline['memory_bytes_per_s'] / 1e9:.1f} GB/s, caches "
        f"{roofline['cache_bytes_per_s'] / 1e9:.1f} GB/s, fp32 peak "
        f"{roofline['fp32_ops_per_s'] / 1e9:.1f} Gop/s"
        + (f", int8 peak {int8 / 1e9:.1f} Gop/s" if int8 else "")
        + f", bf16 peak {bf16 / 1e9:.1f} Gop/s"
    )


def _worst(decibels: list[float | None]) -> str:
    """Return the lowest ratio in words; None is infinite."""
    known = [ratio for ratio in decibels if ratio is not None]
    return f"{min(known):.1f}" if known else "exact"
