"""A tag that goes through a gate, or stands beside it, as its antennas see it."""

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


def watched(**known: float) -> Play:
    play = Play([Portal], **known)  # type: ignore[arg-type]
    play.cover(1.0, device="g", resumed=True)
    return play


def directions(play: Play) -> list[str]:
    return [fact.direction for fact in play.kinds(Passage)]
