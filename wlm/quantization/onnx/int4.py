"""Operators on 4-bit weights in an ONNX file, instead of operators on floats."""

import torch

from wlm.model.int4 import BLOCK, in_int4, pack
from wlm.model.parts import EMBEDDING, PARTS
from wlm.quantization.onnx.names import AXIS, END, QUANTIZED, SCALE, START

DOMAIN = "com.microsoft"  # of ONNX Runtime's own operators
# ONNX Runtime's setting that rounds inputs to 8 bits, one scale per BLOCK of inputs. Compared with
# sums in floats, a chunk of 25 words is a fifth faster; a single word takes a third of the time.
IN_8_BITS = 4


def with_int4(content: bytes, parts: list[str]) -> bytes:
    """Return an fp32 ONNX file with the weights of `linear`, `embedding` or both in int4."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(content)
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    made = []
    for node in graph.node:
        is_used = any(node.op_type == PARTS[part].operator for part in parts)
        name = next((input for input in node.input if input in weights), "")
        # The exporter may look up sizes, too, not only embeddings.
        if not is_used or not name or len(weights[name].dims) != 2:
            made.append(node)
            continue
        matrix = torch.from_numpy(numpy_helper.to_array(weights[name]).copy())
        make = _lookup if node.op_type == EMBEDDING.operator else _product
        nodes, numbers = make(node, name, matrix)
        made += nodes
        graph.initializer.remove(weights[name])
        graph.initializer.extend(
            numpy_helper.from_array(tensor.contiguous().numpy(), key)
            for key, tensor in numbers.items()
        )
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in made]
    del graph.node[:]
    graph.node.extend(nodes)
    if all(used.domain != DOMAIN for used in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid(DOMAIN, 1))
    return model.SerializeToString()


def _product(node, name: str, matrix: torch.Tensor) -> tuple[list, dict]:
    """Return the operator that replaces a MatMul with a matrix (H, V); every output has separate
    blocks."""
    from onnx import helper

    rounded = in_int4(matrix.T)
    rows, columns = rounded.shape
    packed = pack(rounded.values, BLOCK).view(rows, -1, BLOCK // 2)
    made = helper.make_node(
        "MatMulNBits",
        [node.input[0], name + QUANTIZED, name + SCALE],
        node.output,
        node.name,
        domain=DOMAIN,
        K=columns,
        N=rows,
        bits=4,
        block_size=BLOCK,
        accuracy_level=IN_8_BITS,
    )
    return [made], {name + QUANTIZED: packed, name + SCALE: rounded.scales}


def _lookup(node, name: str, matrix: torch.Tensor) -> tuple[list, dict]:
    """Return the operators that replace a Gather from a matrix (V, E). For an odd E, they read
    E + 1 columns and drop the last."""
    from onnx import helper

    rounded = in_int4(matrix)
    columns = rounded.shape[1]
    numbers = {name + QUANTIZED: pack(rounded.values, 2), name + SCALE: rounded.scales}
    (output,) = node.output
    looked_up = output + "_even" if columns % 2 else output
    made = helper.make_node(
        "GatherBlockQuantized",
        [name + QUANTIZED, node.input[1], name + SCALE],
        [looked_up],
        node.name,
        domain=DOMAIN,
        bits=4,
        block_size=BLOCK,
        gather_axis=0,
        quantize_axis=1,
    )
    if looked_up == output:
        return [made], numbers
    ends = {name + START: 0, name + END: columns, name + AXIS: 2}
    cut = helper.make_node("Slice", [looked_up, *ends], [output])
    return [made, cut], numbers | {key: torch.tensor([end]) for key, end in ends.items()}
