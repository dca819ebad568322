"""A variant in PyTorch: a module that is made, called, measured and inspected here.

The only module that touches torch.ao.quantization, which PyTorch has deprecated without a
replacement for LSTMs; the torch release is pinned for that reason.
"""

import copy
import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wlm.errors import VariantError, WLMError, first_line
from wlm.model.lstm import Hidden, LSTMModel, part_of
from wlm.model.parts import PARTS
from wlm.quantization.bf16 import in_bf16
from wlm.quantization.engines import default_engine, missing_engine, packing_for, quiet
from wlm.quantization.variant import Variant

# The names of the settings in torch.ao.quantization, by part and precision.
_DYNAMIC = {
    "fp16": "float16_dynamic_qconfig",
    "int8": "default_dynamic_qconfig",
    "int8-channel": "per_channel_dynamic_qconfig",
}
QCONFIGS = {
    "lstm": _DYNAMIC,
    "linear": _DYNAMIC,
    "embedding": {"int8": "float_qparams_weight_only_qconfig"},
}


class PyTorchModules:
    """The modules of a PyTorch model, to be called one after the other, as those of OnnxModules."""

    def __init__(self, module: LSTMModel):
        self.embedding, self.lstm, self.decoder = module.encoder, module.rnn, module.decoder

    def loss(self, logits: Tensor, targets: Tensor) -> float:
        """Return the mean negative log-likelihood of targets (T * B), in nats."""
        return F.cross_entropy(logits.view(len(targets), -1), targets).item()


class PyTorchModel:
    """A PyTorch module with the size of its file, and the engine that its weights are packed for;
    `threads` is the process's number.

    `model(input, hidden)` and `nll` compute what LSTMModel's do.
    """

    def __init__(self, module: LSTMModel, threads: int = 1, engine: str = ""):
        self.module, self.config, self.threads = module.eval(), module.config, threads
        self.engine = engine or default_engine()
        self.nll, self.init_hidden = module.nll, module.init_hidden

    def __call__(self, input: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        return self.module(input, hidden)

    @cached_property
    def saved_bytes(self) -> int:
        return saved_bytes(self.module)

    def eval(self) -> "PyTorchModel":
        return self

    def modules(self) -> PyTorchModules:
        """Return the model's modules, to be called one after the other."""
        return PyTorchModules(self.module)

    def multiplied(self, matrix: str, input: Tensor) -> Tensor:
        """Return a matrix, by its name in the fp32 state_dict, times an input (C,), plus its bias:
        (R,), as PyTorch computes it with the model's engine."""
        with torch.inference_mode():
            if matrix == "decoder.weight":
                return self.module.decoder(input.view(1, -1))[0]
            numbers = self.numbers()
            weight, bias = numbers[matrix], numbers[matrix.replace("weight", "bias")]
            if not weight.is_quantized:
                return F.linear(input, weight, bias)
            with packing_for(self.engine):
                packed = torch.ops.quantized.linear_prepack(weight, bias)
            return torch.ops.quantized.linear_dynamic(input.view(1, -1), packed, True)[0]

    def part_bytes(self) -> dict[str, int]:
        """Return the bytes of numbers that `torch.save` writes for every part, see
        `ModelConfig.parts`; scales and zero points included."""
        entries: dict[str, dict] = {part: {} for part in self.config.parts()}
        for key, value in self.module.state_dict().items():
            entries[part_of(key)][key] = value
        return {part: _stored_bytes(values) for part, values in entries.items()}

    def numbers(self) -> dict[str, Tensor]:
        """Return weights and biases by their names in the fp32 state_dict, in its order: quantized
        tensors, or floats of 32 bits, rounded if the part is in 16 bits."""
        encoder, rnn, decoder = self.module.encoder, self.module.rnn, self.module.decoder
        if hasattr(rnn, "get_weight"):
            lstm = {**rnn.get_weight(), **rnn.get_bias()}
        else:
            lstm = dict(rnn.named_parameters())
        found = {f"rnn.{name}": value for name, value in lstm.items()}
        found["encoder.weight"] = encoder.weight
        found["decoder.weight"], found["decoder.bias"] = decoder.weight, decoder.bias
        return {key: _unpacked(found[key]) for key in self.config.shapes()}

    def matrices(self) -> dict[str, Tensor]:
        """Return the weight matrices among `numbers`, which are in the order of a pass."""
        return {key: value for key, value in self.numbers().items() if "weight" in key}


def quantize(model: LSTMModel, variant: Variant) -> LSTMModel:
    """Return the PyTorch variant of an fp32 model: for fp32 the model itself, else a new one that
    shares the weights of the parts that stay as they are.

    If the model was imported quantized, as this variant, the result has the imported matrices.
    Raises VariantError if this machine lacks the quantized engine. Source: the tutorial,
    section 4 (`torch.quantization.quantize_dynamic`).
    """
    names, in_16_bits = qconfigs(variant), variant.parts_by_precision().get("bf16", [])
    if not names and not in_16_bits:
        return model
    if reason := missing_engine(variant):
        raise VariantError(reason)
    _refuse_large(model, variant)
    # The app and README report PyTorch's deprecations once, instead of each call.
    with packing_for(variant.engine or default_engine()), quiet():
        settings = {
            getattr(nn, PARTS[part].label): getattr(torch.ao.quantization, name)
            for part, name in names.items()
        }
        with torch.random.fork_rng(devices=[]):  # it fills new modules at random first
            made = _with_shared_weights(model)
            for part in in_16_bits:
                module = PARTS[part].module
                setattr(made, module, in_bf16(getattr(made, module)))
            if names:
                made = torch.ao.quantization.quantize_dynamic(made, settings, inplace=True)
        if model.imported:
            _put_matrices(made, model.state_dict(), model.imported.matrices)
        return made


def _put_matrices(made: LSTMModel, floats: dict[str, Tensor], matrices: dict[str, Tensor]) -> None:
    """Pack quantized matrices in a quantized model, with the fp32 model's biases."""
    numbers = {**floats, **matrices}
    if "encoder.weight" in matrices:
        made.encoder.set_weight(numbers["encoder.weight"])
    if "rnn.weight_ih_l0" in matrices:
        made.rnn.set_weight_bias(
            {key.removeprefix("rnn."): value for key, value in numbers.items() if "rnn." in key}
        )
    if "decoder.weight" in matrices:
        made.decoder.set_weight_bias(numbers["decoder.weight"], numbers["decoder.bias"])


def _with_shared_weights(module: nn.Module) -> nn.Module:
    """Return a copy of a tree of modules that shares all tensors: its modules can be replaced, and
    no weight is in memory twice."""
    copied = copy.copy(module)
    copied._parameters, copied._buffers = dict(module._parameters), dict(module._buffers)
    children = module._modules.items()
    copied._modules = {name: _with_shared_weights(child) for name, child in children}
    return copied


def _refuse_large(model: LSTMModel, variant: Variant) -> None:
    """Raise VariantError for weights that fp16 cannot hold, which PyTorch would clip silently."""
    most = torch.finfo(torch.float16).max
    for part in variant.parts_by_precision().get("fp16", []):
        weights = getattr(model, PARTS[part].module).parameters()
        largest = max(float(weight.abs().max()) for weight in weights)
        if largest > most:
            raise VariantError(
                f"{variant} needs weights within ±{most:,.0f}, fp16's range, got {largest:,.0f}"
            )


def qconfigs(variant: Variant) -> dict[str, str]:
    """Return the name in torch.ao.quantization of the setting of every quantized part."""
    return {
        part: by_precision[precision]
        for part, by_precision in QCONFIGS.items()
        if (precision := getattr(variant, part)) not in ("fp32", "bf16")
    }


def saved_bytes(model: nn.Module) -> int:
    """Return the bytes of the model's state_dict as `torch.save` writes it.

    Raises WLMError if no temporary file of that size can be written, neither on disk nor in
    memory. Source: the tutorial, section 4 (`print_size_of_model`); the archive holds the file's
    stem, so the file's name is the tutorial's too.
    """
    reasons = []
    for parent in (None, "/dev/shm"):  # the system's temporary folder, then Linux's memory
        try:
            with tempfile.TemporaryDirectory(prefix="wlm-", dir=parent) as folder:
                path = Path(folder) / "temp.p"
                torch.save(model.state_dict(), path)
                return path.stat().st_size
        except (OSError, RuntimeError) as error:
            reasons.append(first_line(error))
    raise WLMError(f"the model cannot be saved to measure its size: {'; '.join(reasons)}")


def _stored_bytes(entries: dict) -> int:
    """Return the bytes of numbers in the archive that `torch.save` writes."""
    file = io.BytesIO()
    torch.save(entries, file)
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
    return sum(record.file_size for record in records if "/data/" in record.filename)


def _unpacked(values: Tensor | Callable[[], Tensor]) -> Tensor:
    """Return quantized values as they are, others as 32-bit floats."""
    # Embedding and Linear, if they are quantized, unpack their numbers in methods.
    values = (values() if callable(values) else values).detach()
    return values if values.is_quantized else values.float()
