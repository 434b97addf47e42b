"""OpenVINO: a model at "path" that reads images, in the arithmetic that "type" names."""

import numpy
import openvino
import protocol

core = openvino.Core()
models = {}


def image(request):
    side, batch = request["side"], request["batch"]
    key = (request["path"], batch, request["threads"], request["type"])
    if key not in models:
        model = core.read_model(request["path"])
        model.reshape({"x": [batch, 3, side, side]})
        models[key] = core.compile_model(model, "CPU", {
            "INFERENCE_NUM_THREADS": request["threads"], "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": request["type"]})
    pixels = numpy.random.default_rng(2).normal(size=(batch, 3, side, side))
    pixels = pixels.astype(numpy.float32)
    return protocol.timed(request, lambda: models[key]([pixels]))


if __name__ == "__main__":
    protocol.serve({"image": image, "cnn": image})
