"""Hold telemetry lines while the server is away: bounded, oldest dropped first, counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

SPOOL_POINTS_MAX = 100_000
"""Some 2.5 h of a large gateway (64 cells and 32 antennas make about 11 points a second), if its
lines are short; with long names the bound in bytes is reached first."""

SPOOL_BYTES_MAX = 16 * 1024 * 1024
"""A tenth of the 160 MiB that the process may use, its bookkeeping included."""

POINT_OVERHEAD_BYTES = 48
"""What CPython adds to a line: 33 bytes of object head, rounding, and 8 for its place."""


class Spool:
    """A queue of ready-made lines that never refuses and never waits: it forgets its oldest.

    Lines carry their own time stamp, so a late delivery is still true. A batch that was taken and
    not delivered is given back; what no longer fits then is dropped like anything old.
    """

    def __init__(
        self, points_max: int = SPOOL_POINTS_MAX, bytes_max: int = SPOOL_BYTES_MAX
    ) -> None:
        """Bound the spool in points and in bytes, whichever is reached first."""
        self.points_max = points_max
        self.bytes_max = bytes_max
        self.bytes_held = 0
        self.dropped = 0
        self._lines: deque[bytes] = deque()

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, lines: Iterable[bytes]) -> int:
        """Append lines, newest last; return how many old ones had to go."""
        for line in lines:
            self._lines.append(line)
            self.bytes_held += len(line) + POINT_OVERHEAD_BYTES
        return self._drop_oldest()

    def take(self, points_max: int) -> list[bytes]:
        """Remove and return up to `points_max` of the oldest lines, oldest first."""
        batch = [self._lines.popleft() for _ in range(min(points_max, len(self._lines)))]
        self.bytes_held -= sum(map(len, batch)) + POINT_OVERHEAD_BYTES * len(batch)
        return batch

    def give_back(self, batch: list[bytes]) -> int:
        """Put an undelivered batch back in front; return how many of the oldest had to go."""
        self._lines.extendleft(reversed(batch))
        self.bytes_held += sum(map(len, batch)) + POINT_OVERHEAD_BYTES * len(batch)
        return self._drop_oldest()

    def _drop_oldest(self) -> int:
        dropped = 0
        while len(self._lines) > self.points_max or self.bytes_held > self.bytes_max:
            self.bytes_held -= len(self._lines.popleft()) + POINT_OVERHEAD_BYTES
            dropped += 1
        self.dropped += dropped
        return dropped
