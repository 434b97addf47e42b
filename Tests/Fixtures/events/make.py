"""Writes small.tfevents with TensorBoard's own protocol buffers and record writer.

    pip install tensorboard==2.21.0 && python make.py

EventFileTests writes the same events in Swift and compares the bytes.
"""

from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.summary.writer.record_writer import RecordWriter

start = 1_700_000_000.5


def scalars(**values):
    return Summary(
        value=[Summary.Value(tag=tag.replace("__", "/"), simple_value=v) for tag, v in values.items()]
    )


text = Summary.Value(
    tag="settings",
    tensor=TensorProto(
        dtype=7,
        tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
        string_val=["    seed: 1\n    größe: 2".encode()],
    ),
    metadata=SummaryMetadata(
        plugin_data=SummaryMetadata.PluginData(plugin_name="text"), data_class=2
    ),
)

events = [
    Event(wall_time=start, file_version="brain.Event:2"),
    Event(wall_time=start, step=301, session_log=SessionLog(status=SessionLog.START)),
    Event(wall_time=start, summary=Summary(value=[text])),
    Event(wall_time=start + 1, step=301, summary=scalars(loss__total=6.125, temperature=0.07)),
    Event(wall_time=start + 2, step=70_000, summary=scalars(loss__total=0.0)),
]

with open(Path(__file__).with_name("small.tfevents"), "wb") as file:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
