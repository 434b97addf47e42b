"""Prints what TensorBoard reads in a run's directory, as JSON: scalars, texts, and whether the
files' events are byte for byte what TensorBoard's protocol buffers would write.

    pip install tensorboard && python read_events.py RUN
"""

import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event


def canonical(path):
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        message, data = data[12 : 12 + length], data[16 + length :]
        if Event.FromString(message).SerializeToString() != message:
            return False
    return True


run = Path(sys.argv[1])
events = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0})
events.Reload()
tags = events.Tags()
texts = {
    tag: [[event.step, event.tensor_proto.string_val[0].decode()] for event in events.Tensors(tag)]
    for tag in tags["tensors"]
    if events.SummaryMetadata(tag).plugin_data.plugin_name == "text"
}
scalars = {
    tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in tags["scalars"]
}
whole = all(canonical(path) for path in run.glob("events.out.tfevents.*"))
json.dump({"scalars": scalars, "texts": texts, "canonical": whole}, sys.stdout)
