"""The formats of an export, and which formats can hold which variant."""

from pathlib import Path

from wlm.errors import VariantError
from wlm.quantization.variant import Variant
from wlm.weights.archive import WEIGHTS

# By format: the name of the weights' file, its content in words, and what load.py needs.
FILES = {"torch": "model.pt", "onnx": "model.onnx", "safetensors": WEIGHTS, "npz": "model.npz"}
HOLDS = {
    "torch": "PyTorch's state_dict",
    "onnx": "the model for ONNX Runtime",
    "safetensors": "the weights in fp32 or bf16",
    "npz": "NumPy arrays of weights (fp32, int8 or int4), scales, zero points and biases",
}
NEEDS = {
    "torch": "torch",
    "onnx": "onnxruntime and NumPy",
    "safetensors": "torch and safetensors",
    "npz": "NumPy",
}


def formats_of(variant: Variant) -> tuple[str, ...]:
    """Return the formats that can hold a variant, the likeliest first."""
    if variant.runtime == "onnxruntime":
        return "onnx", "npz"
    precisions = {variant.lstm, variant.linear, variant.embedding}
    floats = ("safetensors", "torch") if precisions <= {"fp32", "bf16"} else ("torch",)
    return floats if "bf16" in precisions else (*floats, "npz")  # NumPy has no bf16


def comes_back(variant: Variant, format: str) -> bool:
    """Tell whether wlm can import its own export in a format: all but ONNX and .npz with
    integers."""
    is_float = not any("int" in precision for precision in variant.parts_by_precision())
    return format in ("torch", "safetensors") or (format == "npz" and is_float)


def is_exact(variant: Variant, format: str) -> bool:
    """Tell whether an export's load.py computes as the variant does; with NumPy it uses fp32."""
    return format != "npz" or not variant.parts_by_precision()


def format_for(variant: Variant, out: Path, asked: str | None = None) -> str:
    """Return the format asked for, else the format that the name of `out` ends with, else the
    variant's likeliest format. Raises VariantError for a format that cannot hold the variant."""
    by_suffix = {Path(file).suffix: format for format, file in FILES.items()}
    ending = by_suffix.get(out.suffix)
    format = asked or ending or formats_of(variant)[0]
    if ending and ending != format:
        raise VariantError(f"a file of the format {format} must not be called {out.name!r}")
    if format not in formats_of(variant):
        raise VariantError(_why_not(variant, format))
    return format


def _why_not(variant: Variant, format: str) -> str:
    lstm, linear, embedding = (
        "fp32" if precision in ("fp16", "bf16") else precision
        for precision in (variant.lstm, variant.linear, variant.embedding)
    )
    in_onnx = Variant(lstm, linear, embedding, runtime="onnxruntime")
    reasons = {
        "torch": "torch is for variants of PyTorch",
        "onnx": f"onnx is for variants of ONNX Runtime, such as {str(in_onnx)!r}",
        "safetensors": "safetensors is for fp32 and bf16 weights",
        "npz": "npz has no bf16",
    }
    return f"{reasons[format]}: export {str(variant)!r} as {' or '.join(formats_of(variant))}"
