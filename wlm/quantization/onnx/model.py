"""A model in ONNX Runtime, called like the PyTorch one."""

import threading

import numpy as np
import torch
from torch import Tensor

from wlm.model.int4 import Int4Matrix
from wlm.model.lstm import Hidden, ModelConfig
from wlm.quantization.onnx.modules import OnnxModules
from wlm.quantization.onnx.names import INPUTS, LOG_LIKELIHOOD, OUTPUTS, TARGETS
from wlm.quantization.onnx.session import put_loss_in, start
from wlm.quantization.onnx.weights import stored_numbers, stored_parts


class OnnxModel:
    """An ONNX file run by ONNX Runtime on a fixed number of threads.

    `model(input, hidden)` maps word ids (T, B) and a hidden state to logits (T, B, V) and the next
    hidden state, all PyTorch tensors; `nll` computes the loss without returning logits. Both
    have a separate session, made when first needed.
    """

    def __init__(self, content: bytes, config: ModelConfig, threads: int = 1):
        self.config, self.threads, self.saved_bytes = config, threads, len(content)
        self.content = content
        self._lock = threading.Lock()
        self._sessions: dict[bool, object] = {}

    def __call__(self, input: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        session = self._session(with_loss=False)
        logits, h, c = session.run(OUTPUTS, self._feed(input, hidden))
        return torch.from_numpy(logits), (torch.from_numpy(h), torch.from_numpy(c))

    def nll(self, input: Tensor, hidden: Hidden, targets: Tensor) -> tuple[Tensor, Hidden]:
        """Return the negative log-likelihood of the targets (T * B), in nats, and the next hidden
        state."""
        session = self._session(with_loss=True)
        feed = self._feed(input, hidden)
        feed[TARGETS] = targets.view(*input.shape, 1).numpy()
        picked, h, c = session.run((LOG_LIKELIHOOD, *OUTPUTS[1:]), feed)
        return -torch.from_numpy(picked).flatten(), (torch.from_numpy(h), torch.from_numpy(c))

    def init_hidden(self, batch_size: int) -> Hidden:
        """Return the zero state that a text starts from."""
        return self.config.zero_state(batch_size)

    def eval(self) -> "OnnxModel":
        """Return the model, which has no training mode."""
        return self

    def modules(self) -> OnnxModules:
        """Return the model's modules, to be called one after the other."""
        return OnnxModules(self.content, self.threads)

    def part_bytes(self) -> dict[str, int]:
        """Return the bytes of numbers that each part stores in the file, see `ModelConfig.parts`;
        scales and zero points included."""
        return stored_parts(self.content, self.config.parts())

    def numbers(self) -> dict[str, Tensor | Int4Matrix]:
        """Return weights and biases by their names in the fp32 state_dict, in its order: floats,
        quantized tensors for int8, or an Int4Matrix."""
        found = stored_numbers(self.content)
        return {key: found[key] for key in self.config.shapes()}

    def matrices(self) -> dict[str, Tensor | Int4Matrix]:
        """Return the weight matrices among `numbers`, which are in the order of a pass."""
        return {key: value for key, value in self.numbers().items() if "weight" in key}

    @staticmethod
    def _feed(input: Tensor, hidden: Hidden) -> dict[str, np.ndarray]:
        values = (input, *hidden)
        return {name: value.numpy() for name, value in zip(INPUTS, values, strict=True)}

    def _session(self, *, with_loss: bool):
        with self._lock:
            if with_loss not in self._sessions:
                content = put_loss_in(self.content) if with_loss else self.content
                self._sessions[with_loss] = start(content, self.threads)
            return self._sessions[with_loss]
