"""A model in ONNX Runtime cut into its modules, so that the clock can be read between them."""

import torch
from torch import Tensor

from wlm.model.lstm import Hidden
from wlm.quantization.onnx.names import INPUTS, LOG_LIKELIHOOD, LSTM_OPERATORS, OUTPUTS, TARGETS
from wlm.quantization.onnx.session import put_loss_in, start


class OnnxModules:
    """Embedding, LSTM, decoder and loss of a model, as four sessions.

    Their outputs stay in ONNX Runtime and are not copied. The clock can be read between the calls.
    """

    def __init__(self, content: bytes, threads: int):
        import onnx
        from onnx.utils import Extractor

        file = onnx.load_from_string(put_loss_in(content))
        nodes = file.graph.node
        layers = [node for node in nodes if node.op_type in LSTM_OPERATORS]
        self.embedded = layers[0].input[0]
        # A layer's output has an axis for its one direction, which is squeezed out.
        (squeeze,) = (node for node in nodes if layers[-1].output[0] in node.input)
        self.output, self.logits = squeeze.output[0], OUTPUTS[0]
        for name in (self.embedded, self.output, self.logits):
            kind = onnx.TensorProto.FLOAT
            file.graph.value_info.append(onnx.helper.make_tensor_value_info(name, kind, [None] * 3))
        self._extractor, self._threads = Extractor(file), threads
        self._ends = {
            "embedding": ([INPUTS[0]], [self.embedded]),
            "LSTM": ([self.embedded, *INPUTS[1:]], [self.output, *OUTPUTS[1:]]),
            "decoder": ([self.output], [self.logits]),
            "loss": ([self.logits, TARGETS], [LOG_LIKELIHOOD]),
        }
        self._modules: dict[str, _Module] = {}

    def embedding(self, input: Tensor):
        """Return the embedded words of ids (T, B), as ONNX Runtime holds them."""
        return self._module("embedding")({INPUTS[0]: _value(input)})[0]

    def lstm(self, embedded, hidden: Hidden) -> tuple:
        """Return the last layer's output and the next hidden state."""
        state = dict(zip(INPUTS[1:], map(_value, hidden), strict=True))
        output, *state = self._module("LSTM")({self.embedded: embedded, **state})
        return output, tuple(torch.from_numpy(value.numpy()) for value in state)

    def decoder(self, output):
        """Return the logits of the last layer's output, as ONNX Runtime holds them."""
        return self._module("decoder")({self.output: output})[0]

    def loss(self, logits, targets: Tensor) -> float:
        """Return the mean negative log-likelihood of targets (T * B), in nats."""
        shape = (*logits.shape()[:2], 1)
        feed = {self.logits: logits, TARGETS: _value(targets.view(shape))}
        return -float(self._module("loss")(feed)[0].numpy().mean())

    def _module(self, name: str) -> "_Module":
        """Return a module. Its session is made when first needed; some need only the embedding."""
        if name not in self._modules:
            inputs, outputs = self._ends[name]
            part = self._extractor.extract_model(inputs, outputs).SerializeToString()
            self._modules[name] = _Module(start(part, self._threads), outputs)
        return self._modules[name]


class _Module:
    """A session whose inputs and outputs are ONNX Runtime's own values."""

    def __init__(self, session, outputs: list[str]):
        self.session, self.outputs = session, outputs
        self.binding = session.io_binding()  # a tenth of the overhead of `run_with_ort_values`

    def __call__(self, feed: dict) -> list:
        for name, value in feed.items():
            self.binding.bind_ortvalue_input(name, value)
        for name in self.outputs:
            self.binding.bind_output(name)
        self.session.run_with_iobinding(self.binding)
        return self.binding.get_outputs()


def _value(tensor: Tensor):
    from onnxruntime import OrtValue

    return OrtValue.ortvalue_from_numpy(tensor.numpy())
