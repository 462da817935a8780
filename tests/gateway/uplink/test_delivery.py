"""The position in the ledger: what goes out next, and when it goes back. Time is a number here."""

from random import Random

import pytest

from gateway.model import NS_PER_S
from gateway.uplink.delivery import (
    AHEAD_MAX,
    ALONE_AFTER_CUTS,
    FETCH_MAX,
    PAYLOAD_INVALID,
    RETRY_MAX_NS,
    WITHHELD_MAX,
    WITHHOLD_AFTER_CUTS,
    Pace,
    Phase,
    Position,
    Room,
)
from gateway.uplink.outbox import Bounds

TIMEOUT_NS = 5 * NS_PER_S
NOT_AUTHORIZED = 0x87


def flowing(last: int = 10, high_water: int = 0, first_kept: int = 1) -> Position:
    position = Position(Pace("core", TIMEOUT_NS), Random(1))
    position.connect(0, Bounds(first_kept, last, high_water))
    assert position.take_hello()
    position.hello(0, high_water)
    position.alarms.clear()
    return position


def publish(position: Position, now: int = 0, size_bytes: int = 1000) -> list[int]:
    """Publish all that there is room for; the broker answers nothing yet."""
    sent = []
    while (room := position.room(now)) is not None:
        for seq in range(room.after + 1, room.after + 1 + room.limit):
            position.sent(now, seq, size_bytes)
            sent.append(seq)
    return sent


def codes(position: Position) -> list[tuple[str, bool]]:
    return [(alarm.code, alarm.raised) for alarm in position.alarms]


def test_nothing_goes_out_before_the_core_has_answered() -> None:
    position = Position(Pace("core", TIMEOUT_NS), Random(1))
    assert position.room(0) is None
    position.connect(0, Bounds(1, 10, 4))
    assert position.take_hello()
    assert not position.take_hello()
    assert position.room(0) is None
    position.hello(0, 4)
    assert position.room(0) == Room(4, 6)


@pytest.mark.parametrize(("high_water", "room"), [(4, Room(4, 6)), (2, Room(2, 8)), (10, None)])
def test_hello_puts_the_position_behind_the_core(high_water: int, room: Room | None) -> None:
    position = flowing(high_water=4)
    position.hello(0, high_water)
    assert position.room(0) == room


def test_records_go_out_a_window_at_a_time_and_not_too_far_ahead() -> None:
    position = flowing(last=10_000)
    assert position.room(0) == Room(0, FETCH_MAX)
    assert publish(position) == list(range(1, AHEAD_MAX + 1))
    position.ack(0, 100)
    assert publish(position) == list(range(AHEAD_MAX + 1, AHEAD_MAX + 101))


def test_settled_ledger_waits_for_nothing() -> None:
    position = flowing()
    assert position.wake_at is None
    publish(position)
    assert position.wake_at == TIMEOUT_NS
    position.ack(1, 9)
    assert position.wake_at == 1 + TIMEOUT_NS
    position.ack(2, 10)
    assert position.wake_at is None


def test_overdue_ack_greets_and_tries_one_record_later_each_time() -> None:
    position = flowing()
    publish(position)
    waits = []
    for _ in range(12):
        now = position.wake_at
        assert now is not None
        position.timer(now - 1)
        assert not position.take_hello()
        position.timer(now)
        assert position.take_hello()
        assert publish(position, now) == [1]
        assert position.wake_at is not None
        waits.append(position.wake_at - now)
    assert all(TIMEOUT_NS <= wait < TIMEOUT_NS + RETRY_MAX_NS for wait in waits)
    assert max(waits[:2]) < max(waits[4:])
    assert len(set(waits)) == len(waits)
    assert codes(position) == [("core_silent", True)]
    position.ack(0, 1)
    assert publish(position) == list(range(2, 11))
    assert codes(position)[-1] == ("core_silent", False)


def test_two_gateways_do_not_retry_together() -> None:
    deadlines = []
    for seed in (1, 2):
        position = Position(Pace("core", TIMEOUT_NS), Random(seed))
        position.connect(0, Bounds(1, 10, 0))
        position.timer(TIMEOUT_NS)
        deadlines.append(position.wake_at)
    assert deadlines[0] != deadlines[1]


def test_core_that_acks_but_never_says_hello_is_served() -> None:
    position = Position(Pace("core", TIMEOUT_NS), Random(1))
    position.connect(0, Bounds(1, 3, 0))
    position.timer(TIMEOUT_NS)
    assert publish(position) == [1]
    position.ack(TIMEOUT_NS, 1)
    assert publish(position) == [2, 3]


def test_old_ack_of_a_kept_session_changes_nothing() -> None:
    position = flowing(high_water=5)
    publish(position)
    deadline = position.wake_at
    position.ack(99, 3)
    position.ack(99, 5)
    assert (position.settled, position.wake_at) == (5, deadline)


def test_hello_below_what_is_kept_asks_for_a_snapshot_and_greets() -> None:
    position = flowing(last=30, high_water=30, first_kept=21)
    position.hello(0, 5)
    assert position.snapshot_wanted
    assert position.take_hello()
    assert position.room(0) is None
    position.hello(0, 20)
    assert position.room(0) == Room(20, 10)


def test_core_ahead_of_the_ledger_stops_all_and_says_so() -> None:
    position = flowing(last=10)
    position.hello(0, 11)
    assert position.phase is Phase.HELD
    assert position.room(0) is None
    assert codes(position) == [("ledger_went_back", True)]
    position.hello(0, 11)
    assert len(position.alarms) == 1


def test_core_that_does_not_follow_gets_one_snapshot_an_hour() -> None:
    position = flowing(last=30, high_water=30, first_kept=21)
    wanted: list[int] = []
    for minute in range(150):
        position.hello(minute * 60 * NS_PER_S, 5)
        if position.snapshot_wanted:
            wanted.append(minute)
            position.snapshot_wanted = False
    assert wanted == [0, 60, 120]


def test_new_epoch_is_wanted_on_each_connection_until_there_is_one() -> None:
    position = flowing(last=10)
    for _ in range(2):
        position.hello(0, 11)
        assert position.epoch_wanted
        position.epoch_wanted = False
        position.disconnect()
        position.connect(0, Bounds(1, 10, 0))
    assert codes(position) == [("ledger_went_back", True)]


def test_ack_ahead_of_the_ledger_is_not_believed_but_asked_about() -> None:
    position = flowing(last=10)
    position.ack(0, 11)
    assert position.take_hello()
    assert position.phase is Phase.GREETING
    assert position.alarms == []
    position.hello(0, 3)
    assert position.room(0) == Room(3, 7)


@pytest.mark.parametrize(
    ("seq", "done"), [(20, False), (21, True), (30, True), (31, True), (32, False)]
)
def test_replay_starts_at_any_record_that_is_kept(seq: int, done: bool) -> None:
    position = flowing(last=30, high_water=30, first_kept=21)
    assert position.replay(0, seq) is done
    assert position.room(0) == (Room(seq - 1, 31 - seq) if done and seq < 31 else None)


def test_good_word_clears_once_what_an_earlier_run_may_have_raised() -> None:
    position = Position(Pace("core", TIMEOUT_NS), Random(1))
    position.connect(0, Bounds(1, 2, 0))
    position.hello(0, 0)
    for seq in publish(position):
        position.passed(seq)
    position.hello(0, 2)
    assert sorted(codes(position)) == [
        ("core_silent", False),
        ("ledger_went_back", False),
        ("record_withheld", False),
        ("uplink_refused", False),
    ]


def test_refused_records_pause_and_go_out_again() -> None:
    position = flowing()
    publish(position)
    for seq in range(1, 11):
        position.refused(0, seq, NOT_AUTHORIZED, "Not authorized")
    assert codes(position) == [("uplink_refused", True)]
    assert "Not authorized" in position.alarms[0].text
    assert position.room(0) is None
    resume_at = position.wake_at
    assert resume_at is not None
    assert NS_PER_S <= resume_at <= 2 * NS_PER_S
    position.timer(resume_at)
    assert position.room(resume_at) == Room(0, 10)
    position.sent(resume_at, 1, 1000)
    position.passed(1)
    assert codes(position)[-1] == ("uplink_refused", False)


def test_record_that_never_passes_is_withheld_and_its_number_goes_on() -> None:
    position = flowing()
    publish(position)
    position.refused(0, 4, PAYLOAD_INVALID, "Payload format invalid")
    assert position.withheld == {4: "Payload format invalid"}
    assert position.alarms[0].code == "record_withheld"
    assert position.room(0) == Room(3, 7)


def test_alarm_of_withheld_records_clears_when_the_core_has_all_stand_ins() -> None:
    position = flowing()
    publish(position)
    for seq in (4, 6):
        position.refused(0, seq, PAYLOAD_INVALID, "Payload format invalid")
    position.ack(0, 5)
    assert codes(position) == [("record_withheld", True)]
    position.ack(0, 6)
    assert codes(position) == [("record_withheld", True), ("record_withheld", False)]
    position.withhold(8, "too large")
    assert codes(position)[-1] == ("record_withheld", True)


def test_withheld_records_are_bounded() -> None:
    position = flowing()
    for seq in range(WITHHELD_MAX + 50):
        position.withhold(seq, "too large")
    assert len(position.withheld) == WITHHELD_MAX


def cut(position: Position, sizes: dict[int, int]) -> list[int]:
    """Publish what there is room for, let nothing be answered, and lose the connection."""
    position.connect(0, Bounds(1, position.last, 0))
    position.hello(0, 0)
    sent = []
    while (room := position.room(0)) is not None:
        seq = room.after + 1
        position.sent(0, seq, sizes.get(seq, 1000))
        sent.append(seq)
    position.disconnect()
    return sent


def test_large_record_at_which_the_connection_is_cut_again_and_again_is_withheld() -> None:
    position = flowing(last=3)
    for number in range(WITHHOLD_AFTER_CUTS):
        assert 1 not in position.withheld
        assert cut(position, {1: 50_000}) == ([1, 2, 3] if number < ALONE_AFTER_CUTS else [1])
    assert 1 in position.withheld


def test_small_record_is_never_suspected() -> None:
    position = flowing(last=3)
    for _ in range(WITHHOLD_AFTER_CUTS * 3):
        cut(position, {})
    assert position.withheld == {}


def test_record_no_larger_than_what_passed_is_not_suspected() -> None:
    position = flowing(last=3)
    position.sent(0, 1, 60_000)
    position.passed(1)
    for _ in range(WITHHOLD_AFTER_CUTS * 3):
        cut(position, {1: 50_000})
    assert position.withheld == {}


def test_brokers_word_settles_only_without_a_gap() -> None:
    position = Position(Pace("broker", TIMEOUT_NS), Random(1))
    position.connect(0, Bounds(1, 5, 0))
    assert publish(position) == [1, 2, 3, 4, 5]
    assert [position.passed(seq) for seq in (2, 1, 5, 3, 4)] == [None, 2, None, 3, 5]
    assert position.wake_at is None
