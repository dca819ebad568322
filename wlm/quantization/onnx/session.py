"""Sessions of ONNX Runtime, and a file made to give the loss in the logits' place."""

from wlm.quantization.onnx.names import LOG_LIKELIHOOD, OUTPUTS, TARGETS
from wlm.quantization.onnx.saturation import EXACT, sums_saturate


def start(content: bytes, threads: int):
    """Return a session that runs an ONNX file on so many threads, its int8 sums exact."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal: what fails is raised
    if sums_saturate():
        options.add_session_config_entry(*EXACT)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def put_loss_in(content: bytes) -> bytes:
    """Return the file with a loss in the logits' place: log-softmax, of it the words that came."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_from_string(content)
    logits, graph = OUTPUTS[0], model.graph
    graph.node.extend(
        [
            helper.make_node("LogSoftmax", [logits], ["log_probabilities"], axis=-1),
            helper.make_node(
                "GatherElements", ["log_probabilities", TARGETS], [LOG_LIKELIHOOD], axis=-1
            ),
        ]
    )
    shape = ["length", "batch", 1]
    graph.input.append(helper.make_tensor_value_info(TARGETS, TensorProto.INT64, shape))
    graph.output.remove(next(each for each in graph.output if each.name == logits))
    graph.output.append(helper.make_tensor_value_info(LOG_LIKELIHOOD, TensorProto.FLOAT, shape))
    return model.SerializeToString()
