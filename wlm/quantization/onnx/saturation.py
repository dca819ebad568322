"""Whether ONNX Runtime's int8 sums are exact on this CPU.

x86 CPUs without VNNI multiply unsigned by signed bytes and add two products at a time in 16 bits,
where 255 * 127 * 2 does not fit: the sum is cut off at 32,767. Against exact sums that moved the
loss of small models by up to 0.12 nats, that of the bundled one by 0.001. EXACT has the weights
run as unsigned bytes, whose products have 32 bits: a chunk of 25 words takes 1.3 times as long on
such a CPU, a single word as long as before. Where there is VNNI it costs 1.7 times and gains
nothing.
"""

from functools import cache

import numpy as np

EXACT = "session.x64quantprecision", "1"  # a setting of a session and its value


@cache
def sums_saturate() -> bool:
    """Tell whether int8 sums are cut off here unless a session is started with EXACT.

    ONNX Runtime is asked for such a sum: which kernels it has for which CPU is its own business.
    """
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    inputs = np.full((4, 64), 255, np.uint8)
    weights = np.full((64, 32), 127, np.int8)
    described = [
        [helper.make_tensor_value_info(name, kind, None)]
        for name, kind in (("x", TensorProto.UINT8), ("y", TensorProto.INT32))
    ]
    node = helper.make_node("MatMulInteger", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "sum", *described, [numpy_helper.from_array(weights, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (sums,) = session.run(None, {"x": inputs})
    return bool((sums != inputs.astype(np.int32) @ weights.astype(np.int32)).any())
