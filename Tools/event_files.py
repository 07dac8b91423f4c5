"""TensorBoard's own writing and reading of event files, to compare ours with.

    python Tools/event_files.py write Tests/TrainingTests/Fixtures/events.tfevents
    python Tools/event_files.py read FOLDER

Made with Python 3.11, tensorboard 2.21.0. `write` makes the fixture that EventFileTests compares
byte by byte. `read` loads a folder as TensorBoard does and prints its scalars as JSON:
{tag: [[step, value], ...]}.
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

EVENTS = [
    (1700000000.25, 0, {"train/loss": 2.5, "train/learning_rate": 1e-05}),
    (1700000001.5, 1, {"train/loss": -0.0, "train/gradient_norm": 3.4e38}),
    (1700000002.0, 300, {"train/loss": float("inf")}),
]


def write(path):
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        first = event_pb2.Event(wall_time=1700000000.0, file_version="brain.Event:2")
        writer.write(first.SerializeToString())
        for wall_time, step, scalars in EVENTS:
            values = [summary_pb2.Summary.Value(tag=t, simple_value=v) for t, v in scalars.items()]
            event = event_pb2.Event(
                wall_time=wall_time, step=step, summary=summary_pb2.Summary(value=values)
            )
            writer.write(event.SerializeToString())
        writer.flush()


def read(folder):
    accumulator = EventAccumulator(folder).Reload()
    tags = accumulator.Tags()["scalars"]
    print(json.dumps({t: [[e.step, e.value] for e in accumulator.Scalars(t)] for t in tags}))


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](sys.argv[2])
