"""A recording: what the engine was fed, as JSON lines that replay to the same events.

docs/recording.md is the format. Reading is strict: what is not understood is an error that names
file and line, since a recording that is half understood would prove nothing.
"""

from gateway.recording.reading import RecordingError, read_recording
from gateway.recording.words import FACTS, End, Fed, Head, Known, Line, RuleRow, Woken
from gateway.recording.writing import (
    end_line,
    fact_line,
    head_line,
    known_line,
    row_line,
    wake_line,
)

__all__ = [
    "FACTS",
    "End",
    "Fed",
    "Head",
    "Known",
    "Line",
    "RecordingError",
    "RuleRow",
    "Woken",
    "end_line",
    "fact_line",
    "head_line",
    "known_line",
    "read_recording",
    "row_line",
    "wake_line",
]
