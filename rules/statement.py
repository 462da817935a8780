"""What fits into one absolute statement of stock.

A Snapshot says all that a location holds, so it cannot be parted over several records, and it must
always pass. Its quantities are always whole. The EPCs are left out of a line that would carry the
record's lists of them beyond a bound: a statement says how many, the movements say which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gateway.model import SnapshotLine

EPC_BYTES_MAX = 28_000
"""JSON bytes of the EPCs in one record: 1,037 EPCs of 96 bits. Of the shortest kind that there can
be so many of, 4,000: the contract allows 4,096 a line."""

JSON_BYTES = 3
"""Two quotes and a comma around each EPC."""


def stated(lines: Iterable[SnapshotLine]) -> Iterator[SnapshotLine]:
    """The lines of one record in their order; a list of EPCs stays whole or is left out."""
    room = EPC_BYTES_MAX
    for line in lines:
        size = sum(len(epc) + JSON_BYTES for epc in line.epcs)
        if size > room:
            yield replace(line, epcs=())
        else:
            room -= size
            yield line
