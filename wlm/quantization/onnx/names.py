"""Names in ONNX files: the exporter's, the quantizer's and ours."""

from wlm.model.parts import PARTS

PACKAGES = ("onnx", "onnxruntime")
INPUTS, OUTPUTS = ("input", "h", "c"), ("logits", "next_h", "next_c")
TARGETS, LOG_LIKELIHOOD = "targets", "log_likelihood"  # of a file with the loss in it
# The operators that hold each part's weights in an exported model.
OPERATORS = {part.name: part.operator for part in PARTS}
# The same once the model is quantized, or not.
LSTM_OPERATORS = ("LSTM", "DynamicQuantizeLSTM")
DECODER_OPERATORS = ("MatMul", "MatMulInteger", "MatMulNBits")
EMBEDDING_OPERATORS = ("Gather", "GatherBlockQuantized")
QUANTIZED, SCALE, ZERO_POINT = "_quantized", "_scale", "_zero_point"
START, END, AXIS = "_start", "_end", "_axis"  # of the slice that drops a column
