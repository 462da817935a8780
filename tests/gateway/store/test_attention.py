"""Who has seen an alert, and which are told again."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.model import NS_PER_S, Alert
from gateway.outcome import Outcome
from gateway.store import StoreReader, StoreRefused
from gateway.store.attention import REMINDED_MAX
from gateway.store.file import Job, StoreFile
from tests.gateway.store.conftest import StillClock, StillWall

Read = Callable[[], StoreReader]
PAUSE_NS = 600 * NS_PER_S


class Desk:
    """A store in which alerts are raised and cleared."""

    def __init__(self, file: StoreFile) -> None:
        self.file = file

    def do(self, job: Job) -> Any:
        (result,) = self.file.transact([job]).results
        if isinstance(result, Exception):
            raise result
        return result

    def tell(self, *alerts: Alert) -> None:
        self.do(lambda file: file.book([Outcome(0, events=alerts)]))

    def acknowledge(self, key: str, actor: str = "ana", note: str | None = None) -> Any:
        return self.do(lambda file: file.acknowledge_alert(key, actor, note))

    def remind(self) -> int:
        count: int = self.do(lambda file: file.remind(PAUSE_NS))
        return count


@pytest.fixture
def desk(file: StoreFile) -> Desk:
    return Desk(file)


def up(key: str = "A", *, code: str = "short", raised: bool = True) -> Alert:
    return Alert(code, key, raised, "warning", f"look at {key}", 0)


def events(read: Read, kind: str) -> list[dict[str, Any]]:
    records = read().records_after(0, 1000)
    return [json.loads(record.body) for record in records if record.kind == kind]


def told(read: Read) -> list[tuple[str, bool]]:
    return [(body["key"], body["raised"]) for body in events(read, "alert")]


def test_acknowledgement_is_recorded_and_shown_until_the_alert_is_cleared(
    desk: Desk, read: Read
) -> None:
    desk.tell(up())
    assert desk.acknowledge("A", note="tonight") == ("short",)
    (body,) = events(read, "acknowledgement")
    assert (body["code"], body["key"], body["actor"], body["note"]) == (
        "short",
        "A",
        "ana",
        "tonight",
    )
    (raised,) = read().alerts()
    assert raised.seen is not None
    assert (raised.seen.actor, raised.seen.note, raised.seen.at) == (
        "ana",
        "tonight",
        body["at_event"],
    )
    assert read().alert_figures() == {"raised": 1, "acknowledged": 1}
    desk.tell(up(raised=False))
    desk.tell(up())
    (raised,) = read().alerts()
    assert raised.seen is None
    assert read().alert_figures() == {"raised": 1, "acknowledged": 0}


def test_who_acknowledged_first_stays(desk: Desk, read: Read) -> None:
    desk.tell(up())
    desk.acknowledge("A", "ana")
    assert desk.acknowledge("A", "ben") == ("short",)
    assert [body["actor"] for body in events(read, "acknowledgement")] == ["ana"]


def test_alert_that_a_rule_raises_anew_is_still_acknowledged(desk: Desk, read: Read) -> None:
    desk.tell(up())
    desk.acknowledge("A")
    desk.tell(up())
    (raised,) = read().alerts()
    assert raised.seen is not None


def test_all_alerts_of_a_key_are_acknowledged_together(desk: Desk, read: Read) -> None:
    desk.tell(up(code="short"), up(code="over"), up("B"))
    assert desk.acknowledge("A") == ("over", "short")
    assert [raised.alert.code for raised in read().alerts() if raised.seen] == ["over", "short"]


def test_what_does_not_stand_cannot_be_acknowledged(desk: Desk, read: Read) -> None:
    desk.tell(up(), up(raised=False))
    with pytest.raises(StoreRefused, match="no alert 'A' stands"):
        desk.acknowledge("A")
    assert events(read, "acknowledgement") == []


def test_alert_that_nobody_has_seen_is_told_again_after_each_pause(
    desk: Desk, read: Read, clock: StillClock
) -> None:
    desk.tell(up())
    clock.at += PAUSE_NS - 1
    assert desk.remind() == 0
    clock.at += 1
    assert (desk.remind(), desk.remind()) == (1, 0)
    clock.at += PAUSE_NS
    assert desk.remind() == 1
    assert told(read) == [("A", True)] * 3
    assert [body["text"] for body in events(read, "alert")] == ["look at A"] * 3


def test_alert_that_is_seen_or_cleared_is_not_told_again(
    desk: Desk, read: Read, clock: StillClock
) -> None:
    desk.tell(up("A"), up("B"), up("C"))
    desk.acknowledge("A")
    desk.tell(up("B", raised=False))
    clock.at += PAUSE_NS
    assert desk.remind() == 1
    assert told(read)[-1] == ("C", True)


def test_alert_of_another_boot_is_told_again_by_wall_time(
    desk: Desk,
    wall: StillWall,
    clock: StillClock,
    open_store_file: Callable[..., StoreFile],
) -> None:
    desk.tell(up())
    desk.file.close()
    clock.at = 3 * NS_PER_S
    wall.boot_unix_ns += 60 * NS_PER_S
    again = Desk(open_store_file(boot_id="boot-2"))
    assert again.remind() == 0
    wall.boot_unix_ns += PAUSE_NS
    assert again.remind() == 1


def test_reminders_come_in_lots(desk: Desk, clock: StillClock) -> None:
    desk.tell(*(up(str(number)) for number in range(REMINDED_MAX + 1)))
    clock.at += PAUSE_NS
    assert [desk.remind() for _ in range(3)] == [REMINDED_MAX, 1, 0]


def test_file_of_an_older_release_takes_acknowledgements(
    desk: Desk, open_store_file: Callable[..., StoreFile], read: Read
) -> None:
    desk.tell(up())
    desk.do(lambda file: file._connection.execute("DROP TABLE acknowledgement"))
    desk.file.close()
    again = Desk(open_store_file())
    assert again.acknowledge("A") == ("short",)
    assert read().alert_figures() == {"raised": 1, "acknowledged": 1}
