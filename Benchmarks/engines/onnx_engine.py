"""ONNX Runtime: a model at "path" that reads images."""

import numpy
import onnxruntime
import protocol

sessions = {}


def image(request):
    key = (request["path"], request["threads"])
    if key not in sessions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = request["threads"]
        sessions[key] = onnxruntime.InferenceSession(
            request["path"], options, providers=["CPUExecutionProvider"])
    side = request["side"]
    pixels = numpy.random.default_rng(2).normal(size=(request["batch"], 3, side, side))
    inputs = {"x": pixels.astype(numpy.float32)}
    return protocol.timed(request, lambda: sessions[key].run(None, inputs))


if __name__ == "__main__":
    protocol.serve({"image": image, "cnn": image})
