"""wlm: an LSTM word language model, dynamically quantized and fairly measured.

Importing wlm loads nothing else; a public name loads its module when it is first used.
"""

from importlib import import_module

__version__ = "1.0.0"

_HOMES = {
    "LSTMModel": "wlm.model.lstm",
    "SampleSettings": "wlm.sampling.words",
    "Variant": "wlm.quantization.variant",
    "Vocabulary": "wlm.text.vocabulary",
    "WLMError": "wlm.errors",
    "compare_callables": "wlm.measuring.callables",
    "load_checkpoint": "wlm.weights.checkpoint",
    "sample_words": "wlm.sampling.words",
    "save_checkpoint": "wlm.weights.checkpoint",
    "saved_bytes": "wlm.quantization.pytorch",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'wlm' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
