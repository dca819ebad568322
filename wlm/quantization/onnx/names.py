"""Names in ONNX files: the exporter's, the quantizer's and ours."""

PACKAGES = ("onnx", "onnxruntime")
INPUTS, OUTPUTS = ("input", "h", "c"), ("logits", "next_h", "next_c")
TARGETS, LOG_LIKELIHOOD = "targets", "log_likelihood"  # of a file with the loss in it
# The operators that hold each part's weights, quantized or not.
LSTM_OPERATORS = ("LSTM", "DynamicQuantizeLSTM")
DECODER_OPERATORS = ("MatMul", "MatMulInteger", "MatMulNBits")
EMBEDDING_OPERATORS = ("Gather", "GatherBlockQuantized")
QUANTIZED, SCALE, ZERO_POINT = "_quantized", "_scale", "_zero_point"
START, END, AXIS = "_start", "_end", "_axis"  # of the slice that drops a column
