"""A tag that goes through a gate, or stands beside it, as its antennas see it."""

from random import Random
from typing import Any

from gateway.model import Coverage, Passage, TagRead
from rules.portal import Portal
from tests.rules.play import TAG, Play, S, read, report

OUTER, INNER = "g:1", "g:2"


def hill(
    point: str, middle_s: float, epc: str = TAG, peak: float = -45.0
) -> list[tuple[float, TagRead]]:
    """Reads of a tag that comes to an antenna and goes: strongest in the middle."""
    steps = [index / 10 for index in range(-10, 11)]
    return [(middle_s + step, read(point, epc, peak - 15 * abs(step))) for step in steps]


def go(play: Play, reads: list[tuple[float, TagRead]], until_s: float) -> None:
    """Feed the reads as they happen, with the reader watched all along."""
    waiting = sorted(reads, key=lambda pair: pair[0])
    while play.now_s < until_s:
        now_s = play.now_s + 0.25
        while waiting and waiting[0][0] <= now_s:
            moment, tag = waiting.pop(0)
            play.feed(moment, report(tag, device="g"))
        play.feed(now_s, Coverage("g", S // 4))


def watched(**known: Any) -> Play:
    """A gate that has been watched for some time."""
    play = Play([Portal], now_s=-10.0, **known)
    play.cover(1.0, device="g", resumed=True)
    return play


def directions(play: Play) -> list[str]:
    return [fact.direction for fact in play.kinds(Passage)]


Reads = list[tuple[float, TagRead]]
Stations = list[tuple[float, float]]
"""When (seconds) a load is where (metres behind the middle of the gate)."""

WAVE_M, FADING_DB, WEAKEST_DBM = 0.08, 4.0, -78.0


def heard_dbm(side: int, x_m: float) -> float:
    """The level of a tag in the lane: an antenna looks to its own side of the gate."""
    ahead = (x_m if side else -x_m) - 0.4
    return -50.0 - 6.0 * abs(ahead - 0.5) - (12.0 if ahead < 0 else 0.0)


def at_x(stations: Stations, now_s: float) -> float:
    before = stations[0]
    for station in stations:
        if now_s < station[0]:
            share = (now_s - before[0]) / (station[0] - before[0])
            return before[1] + (station[1] - before[1]) * share
        before = station
    return before[1]


def carried(epc: str, stations: Stations, loss_db: float = 0.0) -> Reads:
    """Reads of a tag on its way: fading stays while it stands, and differs 8 cm on."""
    random = Random(epc)
    offset_m, reads = random.uniform(-0.6, 0.6), []
    places: dict[tuple[int, int], float] = {}
    now_s = stations[0][0] + random.uniform(0.0, 0.15)
    while now_s < stations[-1][0]:
        x_m = at_x(stations, now_s) + offset_m
        for side, point in enumerate((OUTER, INNER)):
            fading = places.setdefault((side, int(x_m / WAVE_M)), random.gauss(0.0, FADING_DB))
            dbm = heard_dbm(side, x_m) + fading - loss_db
            if dbm > WEAKEST_DBM:
                reads.append((now_s, read(point, epc, dbm + random.gauss(0.0, 0.3))))
        now_s += random.uniform(0.1, 0.2)
    return reads


def load(name: str, stations: Stations, tags: int = 20) -> Reads:
    """A pallet of tags."""
    return [pair for epc in epcs_of(name, tags) for pair in carried(epc, stations)]


def epcs_of(name: str, tags: int = 20) -> list[str]:
    return [f"3034{name.encode().hex()}{number:04x}" for number in range(tags)]


def through(since_s: float, speed_m_s: float = 1.2, inward: bool = True) -> Stations:
    """From 5 m before the gate to 5 m behind it."""
    far_m = -5.0 if inward else 5.0
    return [(since_s, far_m), (since_s + 10.0 / speed_m_s, -far_m)]
