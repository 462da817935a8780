"""What is committed stays, once, and stock follows from it."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.core.book import Book
from simulators.core.record import Incoming, Rules
from tests.conformance.records import AT, amendment, epoch_of, movement, snapshot
from tests.simulators.core.conftest import incoming

EPOCH = epoch_of("book")
SHELF = ("shelf-edge-1", "M6-NUT")


def test_movement_changes_both_ends(book: Book) -> None:
    book.apply([incoming(movement("edge-1", EPOCH, 1, quantity=4))])
    assert book.stock() == {("unknown", "M6-NUT"): -4, ("shelf-edge-1", "M6-NUT"): 4}


def test_decimal_quantities_add_up_exactly(book: Book) -> None:
    book.apply(
        [incoming(movement("edge-1", EPOCH, seq, quantity="0.1", uom="kg")) for seq in range(1, 4)]
    )
    assert book.stock()["shelf-edge-1", "M6-NUT"] == Decimal("0.3")


def test_stock_of_zero_is_left_out(book: Book) -> None:
    there = movement("edge-1", EPOCH, 1)
    back = movement("edge-1", EPOCH, 2) | {"from": there["to"], "to": there["from"]}
    book.apply([incoming(there), incoming(back)])
    assert book.stock() == {}


def test_snapshot_states_what_a_location_holds(book: Book) -> None:
    lines = [{"item": "M8-NUT", "quantity": 3, "uom": "pcs", "epcs": []}]
    book.apply(
        [
            incoming(movement("edge-1", EPOCH, 1, quantity=5)),
            incoming(snapshot("edge-1", EPOCH, 2, lines=lines)),
            incoming(movement("edge-1", EPOCH, 3, quantity=2)),
        ]
    )
    assert book.stock() == {
        ("unknown", "M6-NUT"): -7,
        ("shelf-edge-1", "M8-NUT"): 3,
        ("shelf-edge-1", "M6-NUT"): 2,
    }


def test_pieces_of_a_movement_are_those_that_were_told_last(book: Book) -> None:
    def told(seq: int, *epcs: str, of: str = "m-1") -> Incoming:
        return incoming(amendment("edge-1", EPOCH, seq, amends_movement=of, epcs=list(epcs)))

    before = movement("edge-1", EPOCH, 1, movement_id="m-1", epcs=["30"])
    book.apply([incoming(before), told(2, "31", "32")])
    assert (book.pieces("m-1"), book.pieces("m-2")) == (["31", "32"], [])
    book.apply([told(3, "33", of="m-2"), told(4)])
    assert (book.pieces("m-1"), book.pieces("m-2")) == ([], ["33"])
    assert book.stock() == book.recount() == {("unknown", "M6-NUT"): -1, SHELF: 1}
    book.lose(1)
    assert book.pieces("m-1") == ["31", "32"]
    book.lose(2)
    assert (book.pieces("m-1"), book.pieces("m-2")) == (["30"], [])


def test_amended_time_says_nothing_of_pieces(book: Book) -> None:
    late = amendment("edge-1", EPOCH, 2, amends_seq=1, at_event_wall=AT)
    committed = book.apply([incoming(movement("edge-1", EPOCH, 1, epcs=["30"])), incoming(late)])
    assert [outcome.status for outcome in committed.outcomes] == ["accepted", "accepted"]
    assert book.pieces(f"{EPOCH}-1") == ["30"]


def test_movement_id_is_booked_once_whatever_its_seq(book: Book) -> None:
    records = [movement("edge-1", EPOCH, seq, movement_id="same") for seq in (1, 2)]
    committed = book.apply([incoming(record) for record in records])
    assert [outcome.status for outcome in committed.outcomes] == ["accepted", "rejected"]
    assert committed.outcomes[1].reason == "movement was booked before as MAT-00000001"
    assert book.hw("edge-1", EPOCH) == 2


def test_strict_core_rejects_what_it_has_not_issued() -> None:
    book = Book(Path(":memory:"), Rules(strict=True))
    book.references.put("item", "M6-NUT", {"code": "M6-NUT"})
    first = book.apply([incoming(movement("edge-1", EPOCH, 1))])
    book.references.put("location", "shelf-edge-1", {"code": "shelf-edge-1"})
    second = book.apply([incoming(movement("edge-1", EPOCH, 2))])
    book.references.put("item", "M6-NUT", None)
    third = book.apply([incoming(movement("edge-1", EPOCH, 3))])
    assert [each.outcomes[0].reason for each in (first, second, third)] == [
        "location is not known: shelf-edge-1",
        None,
        "item is not known: M6-NUT",
    ]
    book.close()


def test_rule_of_the_site_rejects(book: Book) -> None:
    book.rules = Rules(reject=lambda data: "too many" if data.get("quantity", 0) > 5 else None)
    records = [movement("edge-1", EPOCH, 1, quantity=6), movement("edge-1", EPOCH, 2, quantity=5)]
    committed = book.apply([incoming(record) for record in records])
    assert [outcome.reason for outcome in committed.outcomes] == ["too many", None]


def test_file_is_synchronous_full_and_wal(tmp_path: Path) -> None:
    book = Book(tmp_path / "core.db")
    modes = [
        book._database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous")
    ]
    book.close()
    assert modes == ["wal", 2]


def test_commit_survives_a_process_that_ends_before_its_ack(tmp_path: Path) -> None:
    first = Book(tmp_path / "core.db")
    kept = first.apply([incoming(movement("edge-1", EPOCH, seq)) for seq in (1, 2)])
    second = Book(tmp_path / "core.db")
    again = second.apply([incoming(movement("edge-1", EPOCH, seq)) for seq in (1, 2, 3)])
    first.close()
    second.close()
    assert [outcome.status for outcome in again.outcomes] == ["duplicate", "duplicate", "accepted"]
    documents = [outcome.document_no for outcome in (*kept.outcomes, *again.outcomes[2:])]
    assert len(set(documents)) == 3


def test_failed_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(_data: object) -> str | None:
        raise RuntimeError("rule is broken")

    book = Book(tmp_path / "core.db", Rules(reject=fail))
    with pytest.raises(RuntimeError):
        book.apply([incoming(movement("edge-1", EPOCH, 1))])
    book.close()
    again = Book(tmp_path / "core.db")
    state = again.hw("edge-1", EPOCH), again.stock(), again.counters()
    again.close()
    assert state == (0, {}, {})


def test_lost_records_are_forgotten_with_hw_and_stock(book: Book) -> None:
    book.apply([incoming(movement("edge-1", EPOCH, seq)) for seq in (1, 2, 3, 4)])
    before = book.stock()
    book.lose(3)
    assert book.hw("edge-1", EPOCH) == 1
    assert book.stock()["shelf-edge-1", "M6-NUT"] == 1
    book.apply([incoming(movement("edge-1", EPOCH, seq)) for seq in (2, 3, 4)])
    assert book.stock() == before


def test_another_connection_cannot_see_half_a_transaction(tmp_path: Path) -> None:
    book = Book(tmp_path / "core.db")
    reader = sqlite3.connect(f"file:{tmp_path / 'core.db'}?mode=ro", uri=True)
    seen = []

    def look(_data: object) -> None:
        seen.append(reader.execute("SELECT count(*) FROM record").fetchone()[0])

    book.rules = Rules(reject=look)
    book.apply([incoming(movement("edge-1", EPOCH, seq)) for seq in (1, 2, 3)])
    seen.append(reader.execute("SELECT count(*) FROM record").fetchone()[0])
    reader.close()
    book.close()
    assert seen == [0, 0, 0, 3]


acts = st.lists(
    st.tuples(
        st.sampled_from(["move", "snapshot"]),
        st.sampled_from(["a", "b", "unknown"]),
        st.sampled_from(["a", "b", "unknown"]),
        st.sampled_from(["M6", "M8"]),
        st.one_of(st.integers(1, 5), st.sampled_from(["0.5", "2.25"])),
    ),
    max_size=12,
)


@given(acts=acts, lost=st.integers(0, 12))
@settings(deadline=None)
def test_stock_is_always_what_the_records_come_to(
    acts: list[tuple[str, str, str, str, int | str]], lost: int
) -> None:
    book = Book(Path(":memory:"))
    records = []
    for seq, (act, source, target, item, quantity) in enumerate(acts, 1):
        if act == "move":
            ends = {"from": {"location": source}, "to": {"location": target}}
            changes = {"item": item, "quantity": quantity} | ends
            records.append(incoming(movement("edge-1", EPOCH, seq, **changes)))
        else:
            line = {"item": item, "quantity": quantity, "uom": "pcs", "epcs": []}
            records.append(incoming(snapshot("edge-1", EPOCH, seq, location=source, lines=[line])))
    book.apply(records)
    whole = book.stock()
    assert whole == book.recount()
    book.lose(lost)
    assert book.stock() == book.recount()
    book.apply(records)
    assert book.stock() == whole
    book.close()
