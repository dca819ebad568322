"""The printed form of a variant's model, computed from its sizes without making the model."""

from math import ceil

from wlm.model.int4 import BLOCK
from wlm.model.lstm import ModelConfig
from wlm.quantization.variant import Variant

# The printed settings of weights, in torch.ao.quantization's words.
_STORED = {
    "fp32": "",
    "bf16": ", dtype=torch.bfloat16",
    "int8": ", dtype=torch.qint8, qscheme=torch.per_tensor_affine",
    "int8-channel": ", dtype=torch.qint8, qscheme=torch.per_channel_affine",
    "fp16": ", dtype=torch.float16",
}


def printout(config: ModelConfig, variant: Variant) -> str:
    """Return what `print` shows of a variant in PyTorch; for ONNX Runtime, which prints nothing of
    a model, its operators with their weights, in the order in which they run."""
    if variant.runtime == "onnxruntime":
        return "\n".join(["OnnxModel(", *_operators(config, variant), ")"])
    modules = [
        f"(drop): Dropout(p={config.dropout}, inplace=False)",
        f"(encoder): {_embedding(config, variant)}",
        f"(rnn): {_lstm(config, variant)}",
        f"(decoder): {_linear(config, variant)}",
    ]
    return "\n".join(["LSTMModel(", *(f"  {module}" for module in modules), ")"])


def _embedding(config: ModelConfig, variant: Variant) -> str:
    if variant.embedding == "int8":
        return (
            f"QuantizedEmbedding(num_embeddings={config.ntoken}, embedding_dim={config.ninp}, "
            "dtype=torch.quint8, qscheme=torch.per_channel_affine_float_qparams)"
        )
    return f"Embedding({config.ntoken}, {config.ninp}{_STORED[variant.embedding]})"


def _lstm(config: ModelConfig, variant: Variant) -> str:
    name = "LSTM" if variant.lstm in ("fp32", "bf16") else "DynamicQuantizedLSTM"
    sizes = f"{config.ninp}, {config.nhid}"
    if config.nlayers > 1:
        sizes += f", num_layers={config.nlayers}"
        if config.dropout:
            sizes += f", dropout={config.dropout}"
    if variant.lstm == "bf16":
        sizes += _STORED["bf16"]
    return f"{name}({sizes})"


def _linear(config: ModelConfig, variant: Variant) -> str:
    sizes = f"in_features={config.nhid}, out_features={config.ntoken}"
    stored = _STORED[variant.linear]
    if variant.linear in ("fp32", "bf16"):
        return f"Linear({sizes}, bias=True{stored})"
    return f"DynamicQuantizedLinear({sizes}{stored})"


def _operators(config: ModelConfig, variant: Variant) -> list[str]:
    rows, columns = config.ntoken, config.ninp
    table = "float" if variant.embedding == "fp32" else "uint8"
    lines = [f"Gather({rows}x{columns} {table})"]
    if variant.embedding == "int4":  # two numbers a byte, and the blocks' scales
        sizes = f"{rows}x{ceil(columns / 2)} uint8, {rows}x{ceil(columns / BLOCK)} float"
        lines = [f"GatherBlockQuantized({sizes})"]
    gates = 4 * config.nhid
    for layer in range(config.nlayers):
        inputs = config.nhid if layer else config.ninp
        if variant.lstm == "fp32":
            lines.append(f"LSTM(1x{gates}x{inputs} float, 1x{gates}x{config.nhid} float)")
        else:  # its weights lie the other way round
            weights = f"1x{inputs}x{gates} int8, 1x{config.nhid}x{gates} int8"
            lines.append(f"DynamicQuantizeLSTM({weights})")
    name, numbers = ("MatMul", "float") if variant.linear == "fp32" else ("MatMulInteger", "int8")
    blocks = ceil(config.nhid / BLOCK)
    lines.append(
        f"MatMulNBits({rows}x{blocks}x{BLOCK // 2} uint8, {rows}x{blocks} float)"
        if variant.linear == "int4"
        else f"{name}({config.nhid}x{rows} {numbers})"
    )
    return [f"  {line}" for line in lines]
