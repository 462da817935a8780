"""Whoever must look at what is unresolved is told so, until it is settled."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model import Alert, Dismissal, Fact, Passage, Unresolved
from rules.open_alerts import IDS_MAX, STANDS_NS, OpenAlerts
from tests.rules.acts import NUT_TAG, Acts, came, change, foreign, gone, play
from tests.rules.play import TAG, S, at

DAY_S = STANDS_NS / S


def question(number: int, place: str = "A", *candidates: str, reason: str = "unsure") -> Unresolved:
    return Unresolved(f"id-{number}", reason, place, candidates, at(0), at(0), epcs=(TAG,))


def raised(facts: Any) -> list[tuple[str, bool]]:
    return [(fact.key, fact.raised) for fact in facts if isinstance(fact, Alert)]


def unsure(epc: str = NUT_TAG) -> Fact:
    return replace(came(epc), confidence_permille=499)


GATE = Passage("gate", TAG, "uncertain", at(1.0), at(5.0), 40, -4500, 500)


@pytest.mark.parametrize(
    ("facts", "key", "words"),
    [
        ((unsure(),), "unresolved:A:NUT", ("A: NUT", NUT_TAG, "look")),
        (
            (came(foreign()),),
            "unresolved:A",
            ("A: tag 3074257b", ", (01)80614141123458(21)0, is of no known item", "look"),
        ),
        ((GATE,), "unresolved:hall:BOLT", ("hall: BOLT", TAG, "gate", "look")),
        ((change(0, confidence=0),), "unresolved:A1:BOLT", ("A1: ", "weight", "BOLT", "count")),
        ((change(0, item="", confidence=0),), "unresolved:A1", ("A1: ", "no known item", "look")),
        ((gone(),), "unresolved:A:BOLT", ("A: tag " + TAG, "BOLT", "look")),
    ],
    ids=["unsure", "unknown EPC", "gate", "count", "unknown item", "disagreement"],
)
def test_unresolved_of_any_kind_is_an_alert(
    facts: tuple[Fact, ...], key: str, words: tuple[str, ...]
) -> None:
    found = play()
    found.feed(9.0, *facts)
    found.wake(400.0)
    assert len(found.kinds(Unresolved)) == 1
    [alert] = found.asked
    assert (alert.key, alert.raised, alert.severity) == (key, True, "warning")
    assert [word for word in words if word not in alert.text] == []


def test_reason_that_has_no_text_of_its_own_is_told() -> None:
    alerts = OpenAlerts("boot", 0)
    [alert] = alerts.told(at(0), (question(1, "A", "NUT", "BOLT", reason="odd"),)).facts
    assert isinstance(alert, Alert)
    assert (alert.key, "NUT or BOLT" in alert.text, "odd" in alert.text) == (
        "unresolved:A",
        True,
        True,
    )


def test_text_keeps_to_what_the_contract_allows() -> None:
    many = tuple(f"{number:0128}" for number in range(9))
    [alert] = OpenAlerts("boot", 0).told(at(0), (question(1, "A", *many),)).facts
    assert isinstance(alert, Alert)
    assert len(alert.text) == 1024


def again(found: Acts, **known: Any) -> Acts:
    return play(rows=found.rows, last_alive_s=found.now_s, now_s=found.now_s, **known)


@pytest.mark.parametrize("restart", [False, True])
def test_alert_stands_once_until_all_of_the_place_is_settled(restart: bool) -> None:
    found = play()
    found.feed(2.0, came(foreign()), came(foreign(1)))
    assert raised(found.asked) == [("unresolved:A", True)]
    later = again(found) if restart else found
    later.feed(30.0, gone(foreign(), second=29.0))
    assert len(later.kinds(Dismissal)) == 1
    assert raised(later.asked) == raised(found.asked) * (not restart)
    later.feed(40.0, gone(foreign(1), second=39.0))
    assert raised(later.asked)[-1] == ("unresolved:A", False)
    assert later.rows == {}


def test_places_and_items_have_alerts_of_their_own() -> None:
    found = play()
    found.feed(2.0, unsure(), came(foreign()), came(foreign(), "B"))
    assert [key for key, _ in raised(found.asked)] == [
        "unresolved:A:NUT",
        "unresolved:A",
        "unresolved:B",
    ]


@pytest.mark.parametrize("boot", ["boot-1", "boot-2"])
def test_alert_ends_a_day_after_the_last_question(boot: str) -> None:
    found = play()
    found.feed(2.0, came(foreign()))
    found.feed(1000.0, came(foreign(1)))
    later = again(found, boot=boot)
    later.feed(1001.0, came(foreign(2), "B"))
    later.wake(DAY_S + 999.9)
    assert raised(later.asked) == [("unresolved:B", True)]
    later.wake(DAY_S + 1000.0)
    assert raised(later.asked)[1:] == [("unresolved:A", False)]
    assert "asked:unresolved:A" not in later.rows
    assert len(later.kinds(Dismissal)) == 0


def test_more_questions_than_are_kept_let_the_alert_stand() -> None:
    alerts = OpenAlerts("boot", 0)
    asked = [question(number) for number in range(IDS_MAX + 1)]
    assert raised(alerts.told(at(0), asked).facts) == [("unresolved:A", True)]
    closed = [Dismissal(one.unresolved_id, "returned", at(1)) for one in asked]
    turn = alerts.told(at(1), closed)
    assert raised(turn.facts) == []
    assert len(turn.puts[-1].value["ids"]) == 1  # type: ignore[arg-type]
    assert raised(alerts.overdue(at(DAY_S)).facts) == [("unresolved:A", False)]


def test_alerts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.open_alerts.STANDING_MAX", 2)
    alerts = OpenAlerts("boot", 0)
    turn = alerts.told(at(0), [question(number, f"Z{number}") for number in range(3)])
    assert raised(turn.facts) == [
        ("unresolved:Z0", True),
        ("unresolved:Z1", True),
        ("unresolved:Z0", False),
        ("unresolved:Z2", True),
    ]
