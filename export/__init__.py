"""From trained checkpoints to the files that serving loads: ONNX, TensorRT engines and the manifest."""
