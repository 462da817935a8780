from collections.abc import Callable
from random import Random

from simulators.llrp.faults import Faults
from simulators.llrp.outbox import RECENT_MAX, Outbox


class Sink:
    """A link that keeps what it gets."""

    def __init__(self) -> None:
        self.writable = True
        self.sent: list[tuple[int, bytes]] = []

    def send_unasked(self, message_type: int, body: bytes) -> None:
        self.sent.append((message_type, body))


class Rig:
    """An outbox with a clock and timers that the test moves."""

    def __init__(self, faults: Faults | None = None, held_max: int = 10) -> None:
        self.now_s = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.link = Sink()
        self.outbox = Outbox(
            faults or Faults(), Random(3), lambda: self.now_s, self.later, held_max
        )

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self.timers.append((self.now_s + delay_s, call))

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        for due_s, call in list(self.timers):
            if due_s <= self.now_s:
                self.timers.remove((due_s, call))
                call()


def bodies(rig: Rig) -> list[bytes]:
    return [body for kind, body in rig.link.sent if kind == 61]


def report_many(rig: Rig, count: int) -> list[bytes]:
    numbered = [bytes([n]) for n in range(count)]
    for body in numbered:
        rig.outbox.report(body)
    return numbered


def test_reports_without_a_client_wait_and_leave_in_one_burst() -> None:
    rig = Rig()
    sent = report_many(rig, 5)
    rig.outbox.connect(rig.link, holding=False)
    assert bodies(rig) == sent


def test_holding_keeps_reports_and_events_in_order_until_release() -> None:
    rig = Rig()
    rig.outbox.connect(rig.link, holding=True)
    rig.outbox.report(b"1")
    rig.outbox.event(b"2")
    rig.outbox.report(b"3")
    held = list(rig.link.sent)
    rig.outbox.release()
    assert held == []
    assert rig.link.sent == [(61, b"1"), (63, b"2"), (61, b"3")]


def test_full_buffer_loses_the_newest_and_says_so_once() -> None:
    rig = Rig()
    rig.outbox.on_overflow = lambda: b"overflow"
    rig.outbox.on_level = lambda percent: b"level %d" % percent
    sent = report_many(rig, 15)
    rig.outbox.connect(rig.link, holding=False)
    assert bodies(rig) == sent[:9]
    assert [body for kind, body in rig.link.sent if kind == 63] == [b"level 80", b"overflow"]
    assert rig.outbox.lost == 6


def test_buffer_warns_again_after_it_was_drained() -> None:
    rig = Rig()
    rig.outbox.on_level = lambda _percent: b"level"
    for _ in range(2):
        rig.outbox.disconnect()
        report_many(rig, 9)
        rig.outbox.connect(rig.link, holding=False)
    assert len([1 for kind, _body in rig.link.sent if kind == 63]) == 2


def test_client_that_does_not_read_gets_everything_later() -> None:
    rig = Rig()
    rig.outbox.connect(rig.link, holding=False)
    rig.link.writable = False
    sent = report_many(rig, 5)
    assert bodies(rig) == []
    rig.link.writable = True
    rig.outbox.flush()
    assert bodies(rig) == sent


def test_delayed_reports_come_within_the_bound_and_in_order() -> None:
    rig = Rig(Faults(delay=1.0, delay_max_s=2.0), held_max=100)
    rig.outbox.connect(rig.link, holding=False)
    sent = report_many(rig, 20)
    assert bodies(rig) == []
    rig.advance(1.0)
    assert bodies(rig) == []
    rig.advance(1.0)
    assert bodies(rig) == sent


def test_report_never_overtakes_one_that_waits() -> None:
    rig = Rig()
    rig.outbox.connect(rig.link, holding=False)
    rig.link.writable = False
    rig.outbox.report(b"1")
    rig.link.writable = True
    rig.outbox.report(b"2")
    assert bodies(rig) == [b"1", b"2"]


def test_dropped_reports_are_gone_and_counted() -> None:
    faults = Faults(drop=0.5)
    rig = Rig(faults)
    rig.outbox.connect(rig.link, holding=False)
    report_many(rig, 100)
    assert len(bodies(rig)) == 100 - faults.struck["drop"]
    assert 30 < faults.struck["drop"] < 70


def test_reconnect_sends_some_of_the_last_reports_twice() -> None:
    faults = Faults(duplicate=1.0)
    rig = Rig(faults, held_max=100)
    rig.outbox.connect(rig.link, holding=False)
    sent = report_many(rig, RECENT_MAX + 5)
    rig.outbox.disconnect()
    rig.outbox.connect(rig.link, holding=False)
    assert bodies(rig) == sent + sent[-RECENT_MAX:]
