"""A model as an ONNX file, fp32 or quantized, made once and kept in the user's cache.

The file maps INPUTS, word ids (T, B) and a hidden state (L, B, H) twice, to OUTPUTS, logits
(T, B, V) and the next hidden state.
"""

import hashlib
import io
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from weakref import WeakKeyDictionary

import torch

from wlm.disk_cache import read_cached, write_cached
from wlm.errors import VariantError, WLMError, first_line
from wlm.model.lstm import LSTMModel, ModelConfig
from wlm.model.parts import PARTS
from wlm.quantization.engines import quiet
from wlm.quantization.onnx.int4 import with_int4
from wlm.quantization.onnx.model import OnnxModel
from wlm.quantization.onnx.names import INPUTS, OUTPUTS, PACKAGES
from wlm.quantization.variant import Variant

EXPORT_FORMAT = 2  # raise it to make all files again
MOST_DIFFERENCE = 1e-5
# For all models together: enough for the bundled model's files in fp32 and int8.
MOST_BYTES_IN_MEMORY = 150_000_000

FP32 = Variant(runtime="onnxruntime")


@dataclass
class _Held:
    """A model's digest and files in memory, by name, the last used last.

    Both are of the weights in one `state`: reading and hashing them again takes 0.2 s for 114 MB.
    """

    state: list[tuple]
    digest: str
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)


_held: WeakKeyDictionary[LSTMModel, _Held] = WeakKeyDictionary()
_lock = threading.Lock()


def missing_packages() -> str:
    """Return why this machine cannot export, or nothing if it can."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if not missing:
        return ""
    return (
        f"ONNX Runtime's variants need {' and '.join(missing)}, not installed here: "
        f"pip install {' '.join(missing)}"
    )


def onnx_file(model: LSTMModel, variant: Variant) -> bytes:
    """Return the variant's ONNX file, from memory, from the cache or made now, fp32 checked
    against PyTorch.

    Raises VariantError if a package is missing, WLMError if the export fails or differs from the
    model.
    """
    if reason := missing_packages():
        raise VariantError(reason)

    def fp32() -> bytes:
        return _kept(model, FP32, lambda: _checked(model, _export(model)))

    with _lock:  # one at a time: an export copies the weights
        if variant == FP32:
            return fp32()
        return _kept(model, variant, lambda: _quantized(fp32(), variant))


def _kept(model: LSTMModel, variant: Variant, make: Callable[[], bytes]) -> bytes:
    held = _held_of(model)
    versions = "-".join([str(EXPORT_FORMAT), *map(version, ("torch", *PACKAGES))])
    name = ".".join(getattr(variant, part) for part in PARTS) + ".onnx"
    content = held.files.pop((versions, name), None)
    if content is None:
        key = f"onnx-{held.digest}", versions, name
        content = read_cached(*key)
        if content is None:
            content = make()
            write_cached(*key, content)
    held.files[versions, name] = content
    _limit_memory(held)
    return content


def _held_of(model: LSTMModel) -> _Held:
    """Return the model's entry, a new one if its weights have changed."""
    weights = list(model.state_dict().values())
    # PyTorch counts the changes of a tensor, but not in inference mode.
    counted = not any(weight.is_inference() for weight in weights)
    state = [(weight.data_ptr(), weight._version) for weight in weights] if counted else []
    held = _held.get(model)
    if held is None or not state or held.state != state:
        held = _held[model] = _Held(state, _digest(model.config, weights))
    return held


def _limit_memory(newest: _Held) -> None:
    """Drop files from memory until all fit: other models' first, then the least recently used."""
    total = sum(len(content) for held in _held.values() for content in held.files.values())
    for held in [*(other for other in _held.values() if other is not newest), newest]:
        while held.files and total > MOST_BYTES_IN_MEMORY:
            total -= len(held.files.pop(next(iter(held.files))))


def _digest(config: ModelConfig, weights: list[torch.Tensor]) -> str:
    """Return a hash that identifies a model by its sizes and weights."""
    digest = hashlib.sha256(repr(config).encode())
    for weight in weights:
        digest.update(weight.contiguous().numpy())
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
    except Exception as error:  # the exporter, PyTorch and protobuf raise many types
        raise WLMError(f"the model cannot be exported to ONNX: {first_line(error)}") from None
    return _unshared(content.getvalue())


def _unshared(content: bytes) -> bytes:
    """Return the file with separate weights for each operator: the exporter stores equal weights
    once and passes them on by Identity operators, where the quantizer does not find them."""
    import onnx

    file = onnx.load_from_string(content)
    graph, weights = file.graph, {tensor.name: tensor for tensor in file.graph.initializer}
    copies = [
        node for node in graph.node if node.op_type == "Identity" and node.input[0] in weights
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
        torch.rand(state.shape, generator=generator) - 0.5 for state in model.init_hidden(2)
    )
    training = model.training
    with torch.inference_mode():
        expected, expected_hidden = model.eval()(input, hidden)
    model.train(training)
    logits, made_hidden = OnnxModel(content, model.config)(input, hidden)
    pairs = zip((logits, *made_hidden), (expected, *expected_hidden), strict=True)
    # Relative to the largest value: a small value is a difference of large ones.
    worst = max(float((a - b).abs().max() / b.abs().max().clamp(min=1.0)) for a, b in pairs)
    if not worst <= MOST_DIFFERENCE:  # true for NaN, too
        raise WLMError(
            f"the exported model must agree with PyTorch's to {MOST_DIFFERENCE:g}, "
            f"and differs by {worst:.1e}"
        )
    return content


def _quantized(content: bytes, variant: Variant) -> bytes:
    """Return an fp32 file quantized, in one pass per precision: a pass has one setting for all of
    its operators."""
    import onnx
    from onnxruntime.quantization import quantize_dynamic

    by_precision = variant.parts_by_precision()
    in_int4 = by_precision.pop("int4", [])
    for precision, parts in by_precision.items():
        try:
            with quiet(), tempfile.TemporaryDirectory(prefix="wlm-") as folder:
                path = Path(folder) / "model.onnx"
                # Not `reduce_range`: sums are exact without it, see `session`.
                quantize_dynamic(
                    onnx.load_from_string(content),
                    path,
                    op_types_to_quantize=[PARTS[part].operator for part in parts],
                    per_channel=precision == "int8-channel",
                )
                content = path.read_bytes()
        except OSError as error:
            reason = error.strerror or error
            raise WLMError(f"{variant} needs a temporary file that fails: {reason}") from None
        except Exception as error:  # of many types, as in `_export`
            raise WLMError(f"{variant} cannot be made: {first_line(error)}") from None
    return with_int4(content, in_int4) if in_int4 else content
