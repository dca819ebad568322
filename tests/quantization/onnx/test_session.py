"""ONNX Runtime's int8 sums are exact, whatever the CPU."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from wlm.quantization.onnx import session as onnx_session
from wlm.quantization.onnx.session import EXACT, sums_saturate


def product_of(weights: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """What a session of ours makes of integers."""
    described = [
        [helper.make_tensor_value_info(name, kind, None)]
        for name, kind in (("x", TensorProto.UINT8), ("y", TensorProto.INT32))
    ]
    node = helper.make_node("MatMulInteger", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "g", *described, [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (sums,) = onnx_session.start(model.SerializeToString(), 1).run(None, {"x": inputs})
    return sums


@pytest.mark.parametrize("rows", [1, 25])
def test_sums_of_the_largest_products_are_exact(rows):
    inputs, weights = np.full((rows, 256), 255, np.uint8), np.full((256, 40), 127, np.int8)
    weights[:, ::2] = -127
    # 256 * 255 * 127; cut off at 16 bits a pair, it would be 128 * 32,767 = 4,194,176.
    assert set(map(abs, product_of(weights, inputs).ravel().tolist())) == {8_290_560}


def test_exact_sums_are_asked_for_only_where_they_would_saturate(monkeypatch):
    asked = []

    class Options(onnxruntime.SessionOptions):
        def add_session_config_entry(self, name, value):
            asked.append((name, value))
            super().add_session_config_entry(name, value)

    monkeypatch.setattr(onnxruntime, "SessionOptions", Options)
    for saturate in (False, True):
        monkeypatch.setattr(onnx_session, "sums_saturate", lambda saturate=saturate: saturate)
        product_of(np.ones((4, 4), np.int8), np.ones((1, 4), np.uint8))
    assert asked == [EXACT]


def test_sums_that_are_cut_off_are_noticed(monkeypatch):
    class Session:
        """A session of a CPU without VNNI, as pairs of products are added there."""

        def __init__(self, *_args, **_options): ...

        def run(self, _outputs, feed):
            pairs = feed["x"].astype(np.int32).reshape(4, 32, 2).sum(-1) * 127  # (4, 32)
            sums = np.clip(pairs, -(2**15), 2**15 - 1).sum(-1, keepdims=True)
            return [np.broadcast_to(sums, (4, 32))]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    sums_saturate.cache_clear()
    assert sums_saturate()
    sums_saturate.cache_clear()
