"""Where bytes, time and error are, all in one, as the command line gives it."""

from wlm.catalog.open import open_model, open_text
from wlm.inspecting.activation_error import ACTIVATION_TOKENS, activations, layer_errors
from wlm.inspecting.parts import saved_parts
from wlm.inspecting.times import InspectSpec
from wlm.inspecting.weight_error import weight_errors
from wlm.model.lstm import part_of
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant

Table = tuple[list[str], list[list[str]]]  # heads, rows


def add_bytes_and_errors(times: dict, spec: InspectSpec) -> dict:
    """Return what `inspect` measured with each variant's `parts` (bytes), `weights` and
    `activations` (errors) beside its times, as docs/json.md describes them. Raises WLMError."""
    checkpoint = open_model(spec.model, spec.vocabulary, spec.corpus)
    ids = open_text(spec.text, checkpoint.vocabulary).ids[:ACTIVATION_TOKENS]
    fp32 = prepare(checkpoint.model, Variant())
    reference, results = activations(fp32, ids), []
    for result in times["results"]:
        model = prepare(checkpoint.model, Variant.parse(result["variant"]))
        errors = [each.to_json() for each in weight_errors(fp32, model)]
        results.append(
            {
                **result,
                "parts": saved_parts(model),
                "weights": [{"part": part_of(each["matrix"]), **each} for each in errors],
                "activations": [
                    each.to_json() for each in layer_errors(reference, activations(model, ids))
                ],
            }
        )
    protocol = times["protocol"]
    if checkpoint.weights_read:
        protocol = {**protocol, "weights_read": checkpoint.weights_read}
    return {**times, "protocol": protocol, "results": results}


def parts_table(content: dict) -> Table:
    """Return bytes and errors, a row a part of each variant; of several matrices the worst."""
    rows = []
    for result in content["results"]:
        layers = {each["part"]: each for each in result["activations"]}
        for part, size in result["parts"].items():
            noise = [each["sqnr_db"] for each in result["weights"] if each["part"] == part]
            row = [result["label"], part, f"{size:,}"]
            row.append(_worst(noise) if noise else "")
            if part in layers:
                row += [_worst([layers[part]["sqnr_db"]]), f"{layers[part]['cosine']:.6f}"]
            rows.append([*row, *[""] * (6 - len(row))])
        rows.append([result["label"], "all", f"{sum(result['parts'].values()):,}", "", "", ""])
    return ["variant", "part", "bytes", "weights (dB)", "activations (dB)", "cosine"], rows


def times_table(content: dict) -> Table:
    """Return times and work, a row a module of each variant and pass."""
    bound = {True: "memory", False: "arithmetic", None: ""}
    heads = "variant tokens module ms spread Mmultiply-adds MB Gop/s bound-by".split()
    rows = [
        [
            result["label"],
            str(one["tokens"]),
            each["module"],
            f"{1e3 * each['seconds']:.3f}",
            f"{each['spread']:.0%}",
            f"{each['multiply_adds'] / 1e6:,.2f}",
            f"{each['bytes_moved'] / 1e6:,.2f}",
            f"{each['ops_per_s'] / 1e9:,.1f}",
            bound[each["memory_bound"]],
        ]
        for result in content["results"]
        for one in result["passes"]
        for each in one["modules"]
    ]
    return heads, rows


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
    """The least of several ratios, of which an infinite one is None."""
    known = [each for each in decibels if each is not None]
    return f"{min(known):.1f}" if known else "exact"
