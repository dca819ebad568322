"""The parts of a model, in the order of a pass: embedding, each LSTM layer, decoder.

Which bytes of the saved file and which weight matrices belong to each, whatever the precision.
"""

import io
import re
import zipfile

import torch
from torch import Tensor, nn

from wlm.model.lstm import LSTMModel, ModelConfig
from wlm.quantization.onnx.weights import stored_matrices, stored_parts
from wlm.quantization.prepare import PreparedModel, PyTorchModel

EMBEDDING, DECODER, FILE_FORMAT = "embedding", "decoder", "file format"


def part_names(config: ModelConfig) -> list[str]:
    """Return the names of a model's parts in the order of a pass; layers count from 0, as in
    PyTorch's state_dict."""
    return [EMBEDDING, *(f"LSTM {layer}" for layer in range(config.nlayers)), DECODER]


def part_of(key: str) -> str:
    """Return the part that an entry of a state_dict belongs to, quantized or not."""
    module, _, rest = key.partition(".")
    if module == "rnn":
        # weight_ih_l0 in floats, _all_weight_values.0.param once quantized.
        return f"LSTM {re.search(r'(?:_l|_all_weight_values[.])([0-9]+)', rest)[1]}"
    return {"encoder": EMBEDDING, "decoder": DECODER}[module]


def saved_parts(model: PreparedModel) -> dict[str, int]:
    """Return the bytes of a variant's file by part, with what is left over as the file's format.

    A part's bytes are its numbers, scales and zero points included: the storages that `torch.save`
    writes for its entries, or the constants in an ONNX file. Names, headers and padding are the
    format. They sum to `saved_bytes`. Raises WLMError where that cannot be found out.
    """
    names = part_names(model.config)
    if isinstance(model, PyTorchModel):
        entries: dict[str, dict] = {part: {} for part in names}
        for key, value in model.module.state_dict().items():
            entries[part_of(key)][key] = value
        parts = {part: _stored_bytes(each) for part, each in entries.items()}
    else:
        parts = stored_parts(model.content, names)
    return {**parts, FILE_FORMAT: model.saved_bytes - sum(parts.values())}


def _stored_bytes(entries: dict) -> int:
    """The bytes of numbers in the archive that `torch.save` writes."""
    file = io.BytesIO()
    torch.save(entries, file)
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
    return sum(record.file_size for record in records if "/data/" in record.filename)


def weight_matrices(model: PreparedModel) -> dict[str, Tensor]:
    """Return a variant's weight matrices, by their names in the fp32 state_dict, in the order of a
    pass.

    Where a module is quantized to int8, its matrices are quantized tensors that know their scales;
    else they are fp32, rounded where they are stored in fp16.
    """
    if not isinstance(model, PyTorchModel):
        return stored_matrices(model.content, model.config)
    module: LSTMModel = model.module
    rnn = module.rnn
    lstm = rnn.get_weight() if hasattr(rnn, "get_weight") else dict(rnn.named_parameters())
    by_layer = sorted(
        (name for name in lstm if name.startswith("weight_")),
        key=lambda name: (int(name.rpartition("_l")[2]), "_hh_" in name),
    )
    return {
        "encoder.weight": _weight(module.encoder),
        **{f"rnn.{name}": lstm[name].detach() for name in by_layer},
        "decoder.weight": _weight(module.decoder),
    }


def _weight(module: nn.Module) -> Tensor:
    # A quantized module unpacks it in a method of that name.
    return (module.weight() if callable(module.weight) else module.weight).detach()


def matrix_label(name: str) -> str:
    """Return what a weight matrix is called in words, such as `LSTM 0 recurrent`."""
    roles = {"_ih_": " input", "_hh_": " recurrent"}
    return part_of(name) + next((word for sign, word in roles.items() if sign in name), "")
