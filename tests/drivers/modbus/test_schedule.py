"""The schedule in virtual time, on a line whose exchanges take the time that they are told to."""

import asyncio
import random
from collections import Counter
from itertools import pairwise

import pytest

from drivers.modbus import ModbusDriver
from drivers.modbus.answers import UnitError
from drivers.modbus.link import Answer, ReadRequest
from drivers.modbus.settings import ModbusSettings
from gateway.model import NS_PER_S
from gateway.ports import DriverContext
from tests.drivers.modbus.peer import DGT4X, Counts, Observed, dgt4x
from tests.virtual_time import START_S, VirtualClock, run

TIMEOUT_S = 0.3
GAP_S = 0.2


class Line:
    """A link in memory: units in `dead` do not answer at first, the others after `answer_s`."""

    def __init__(self, answer_s: float, dead: set[int], back_after_s: float = 1e9) -> None:
        self.answer_s = answer_s
        self.dead = dead
        self.back_at_s = START_S + back_after_s
        self.asked: list[tuple[float, int]] = []

    def __call__(self, *_told: object) -> "Line":
        return self

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def read(self, request: ReadRequest) -> Answer:
        unit = request.expected.unit
        now_s = asyncio.get_running_loop().time()
        self.asked.append((now_s, unit))
        if unit in self.dead and now_s < self.back_at_s:
            await asyncio.sleep(TIMEOUT_S + GAP_S)
            raise UnitError("timeout", f"unit {unit}")
        await asyncio.sleep(self.answer_s)
        return Answer(dgt4x(unit), int(self.answer_s * NS_PER_S))


def polled_for(
    monkeypatch: pytest.MonkeyPatch, line: Line, seconds: float, *, units: int, poll_hz: float
) -> tuple[Observed, Counts]:
    monkeypatch.setattr("drivers.modbus.driver.Link", line)
    seen, counts = Observed(), Counts()

    async def main() -> None:
        settings = ModbusSettings.model_validate(
            {
                "link": "serial",
                "path": "/dev/none",
                "poll_hz": poll_hz,
                "timeout_s": TIMEOUT_S,
                "quiet_gap_s": GAP_S,
                "units": [{**DGT4X, "unit_id": unit} for unit in range(1, units + 1)],
            }
        )
        context = DriverContext("shelf", VirtualClock(), random.Random(1), counts)
        task = asyncio.create_task(ModbusDriver(settings, context).run(seen))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    return seen, counts


def samples_a_unit(seen: Observed) -> Counter[str]:
    return Counter(sample.cell for sample in seen.samples)


def test_one_dead_unit_of_eight_takes_little_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = Line(0.005, {3})

    seen, counts = polled_for(monkeypatch, line, 60.0, units=8, poll_hz=10)

    samples = samples_a_unit(seen)
    assert "shelf:3" not in samples
    # Each of the three first failures and the few probes holds the line for half a second.
    assert min(samples.values()) >= 0.93 * 600
    assert counts["modbus_timeout"] <= 6


def test_no_unit_waits_longer_than_one_failure_for_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = Line(0.005, {2, 5})

    polled_for(monkeypatch, line, 60.0, units=8, poll_hz=10)

    for unit in (1, 3, 4, 6, 7, 8):
        moments = [at for at, asked in line.asked if asked == unit]
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert max(gaps) <= 0.1 + 2 * (TIMEOUT_S + GAP_S) + 8 * 0.005


def test_units_keep_their_pace_and_their_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(0.005, set())

    polled_for(monkeypatch, line, 10.0, units=4, poll_hz=10)

    start = line.asked[0][0]
    for place in range(4):
        phases = {round((at - start) % 0.1, 6) for at, unit in line.asked if unit == place + 1}
        assert phases <= {round(0.025 * place, 6), round(0.025 * place + 0.1, 6)}
    assert len(line.asked) in (400, 401)


def test_line_that_is_too_slow_is_shared_fairly(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(0.045, set())

    seen, _ = polled_for(monkeypatch, line, 20.0, units=10, poll_hz=10)

    samples = samples_a_unit(seen)
    assert max(samples.values()) - min(samples.values()) <= 1
    assert sum(samples.values()) >= 0.99 * 20.0 / 0.045


def test_dead_unit_is_found_when_it_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(0.005, {1}, back_after_s=10.0)

    seen, _ = polled_for(monkeypatch, line, 70.0, units=2, poll_hz=10)

    # At the latest it is probed 30 s after it fell silent.
    assert samples_a_unit(seen)["shelf:1"] > 250
    assert [fault.code for fault in seen.faults()] == ["unit_silent"]
    assert "unit_silent" in {fault.code for fault in seen.faults(active=False)}
