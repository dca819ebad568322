"""A model as an ONNX file, fp32 or quantized, made once and kept in the user's cache.

The file is what one would ship: INPUTS to OUTPUTS, which are word ids (T, B) and a hidden state
(L, B, H) twice to logits (T, B, V) and the next hidden state.
"""

import hashlib
import io
import tempfile
import threading
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch

from wlm.disk_cache import read_cached, write_cached
from wlm.errors import VariantError, WLMError, first_line
from wlm.model.lstm import LSTMModel
from wlm.quantization.engines import quiet
from wlm.quantization.onnx.int4 import with_int4
from wlm.quantization.onnx.model import OnnxModel
from wlm.quantization.onnx.names import INPUTS, OPERATORS, OUTPUTS, PACKAGES
from wlm.quantization.variant import PART_LABELS, Variant

EXPORT_FORMAT = 2  # raised whenever files made before are not to be used any more
MOST_DIFFERENCE = 1e-5

FP32 = Variant(runtime="onnxruntime")
_lock = threading.Lock()


def missing_packages() -> str:
    """Return why nothing can be exported here, or nothing where it can."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if not missing:
        return ""
    return (
        f"ONNX Runtime's variants need {' and '.join(missing)}, not installed here: "
        f"pip install {' '.join(missing)}"
    )


def onnx_file(model: LSTMModel, variant: Variant) -> bytes:
    """Return the variant's ONNX file, from the cache or made now, fp32 checked against PyTorch.

    Raises VariantError where a package is missing, WLMError where the export fails or computes
    something else than the model.
    """
    if reason := missing_packages():
        raise VariantError(reason)
    weights = _digest(model)

    def fp32() -> bytes:
        return _kept(weights, FP32, lambda: _checked(model, _export(model)))

    with _lock:  # one at a time: each takes a copy of the weights
        if variant == FP32:
            return fp32()
        return _kept(weights, variant, lambda: _quantized(fp32(), variant))


def _kept(weights: str, variant: Variant, make: Callable[[], bytes]) -> bytes:
    versions = "-".join([str(EXPORT_FORMAT), *map(version, ("torch", *PACKAGES))])
    name = ".".join(getattr(variant, part) for part in PART_LABELS) + ".onnx"
    key = f"onnx-{weights}", versions, name
    content = read_cached(*key)
    if content is None:
        content = make()
        write_cached(*key, content)
    return content


def _digest(model: LSTMModel) -> str:
    """Tell a model by its sizes and weights."""
    digest = hashlib.sha256(repr(model.config).encode())
    for value in model.state_dict().values():
        digest.update(value.contiguous().numpy())
    return digest.hexdigest()[:32]


def _export(model: LSTMModel) -> bytes:
    """Trace the model; length and batch stay free. Raises WLMError."""
    batch = {1: "batch"}
    text = {0: "length", 1: "batch"}
    input = torch.zeros(3, 2, dtype=torch.int64)
    content = io.BytesIO()
    try:
        with quiet(), torch.no_grad():
            torch.onnx.export(
                model,
                (input, model.init_hidden(2)),
                content,
                dynamo=False,  # the other exporter writes an LSTM out step by step
                opset_version=17,
                input_names=INPUTS,
                output_names=OUTPUTS,
                dynamic_axes={
                    **dict.fromkeys(("input", "logits"), text),
                    **dict.fromkeys(("h", "c", "next_h", "next_c"), batch),
                },
            )
    except Exception as error:  # of many kinds: the exporter's, PyTorch's, protobuf's
        raise WLMError(f"the model cannot be exported to ONNX: {first_line(error)}") from None
    return _unshared(content.getvalue())


def _unshared(content: bytes) -> bytes:
    """Give each operator weights of its own: the exporter stores equal ones once and hands them on
    by Identity operators, behind which the quantizer does not see them."""
    import onnx

    file = onnx.load_from_string(content)
    graph, weights = file.graph, {each.name: each for each in file.graph.initializer}
    copies = [
        each for each in graph.node if each.op_type == "Identity" and each.input[0] in weights
    ]
    if not copies:
        return content
    for node in copies:
        graph.initializer.add().CopyFrom(weights[node.input[0]])
        graph.initializer[-1].name = node.output[0]
        graph.node.remove(node)
    return file.SerializeToString()


def _checked(model: LSTMModel, content: bytes) -> bytes:
    """Return the file if it computes what the model does. Raises WLMError."""
    generator = torch.Generator().manual_seed(1)
    input = torch.randint(model.config.ntoken, (7, 2), generator=generator)
    hidden = tuple(
        torch.rand(each.shape, generator=generator) - 0.5 for each in model.init_hidden(2)
    )
    training = model.training
    with torch.inference_mode():
        expected, expected_hidden = model.eval()(input, hidden)
    model.train(training)
    logits, made_hidden = OnnxModel(content, model.config)(input, hidden)
    pairs = zip((logits, *made_hidden), (expected, *expected_hidden), strict=True)
    # Against the largest, as rounding goes: a small one is a difference of large ones.
    worst = max(float((a - b).abs().max() / b.abs().max().clamp(min=1.0)) for a, b in pairs)
    if not worst <= MOST_DIFFERENCE:  # NaN is no agreement
        raise WLMError(
            f"the exported model must agree with PyTorch's to {MOST_DIFFERENCE:g}, "
            f"and differs by {worst:.1e}"
        )
    return content


def _quantized(content: bytes, variant: Variant) -> bytes:
    """Quantize an fp32 file, one pass a precision: each takes one setting for all its operators."""
    import onnx
    from onnxruntime.quantization import quantize_dynamic

    by_precision = variant.parts_by_precision()
    in_int4 = by_precision.pop("int4", [])
    for precision, parts in by_precision.items():
        try:
            with quiet(), tempfile.TemporaryDirectory(prefix="wlm-") as folder:
                path = Path(folder) / "model.onnx"
                # Not `reduce_range`: sums are exact without it, see `saturation`.
                quantize_dynamic(
                    onnx.load_from_string(content),
                    path,
                    op_types_to_quantize=[OPERATORS[part] for part in parts],
                    per_channel=precision == "int8-channel",
                )
                content = path.read_bytes()
        except OSError as error:
            reason = error.strerror or error
            raise WLMError(f"{variant} needs a temporary file that fails: {reason}") from None
        except Exception as error:  # of many kinds, as in `_export`
            raise WLMError(f"{variant} cannot be made: {first_line(error)}") from None
    return with_int4(content, in_int4) if in_int4 else content
