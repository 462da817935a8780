"""The absolute statement passes however much stands in one place."""

from gateway.canonical import canonical
from gateway.model import UNKNOWN_LOCATION, Movement, Snapshot, SnapshotLine, SnapshotRequest
from gateway.store.booking import Head, record
from rules.stock import Stock
from simulators.core.contract import load_contract
from tests.conformance.records import envelope
from tests.rules.acts import came, play
from tests.rules.play import Play

EPOCH = "0f8fad5b-d9cb-469f-a165-70867728950e"
AT = "2026-11-24T06:00:02.120Z"
RECORD_BYTES_MAX = 64_000
EPCS = tuple(f"3099{number:020x}" for number in range(20_000))


def passes(event: Snapshot | Movement) -> None:
    """The record is short, and the contract takes it."""
    body = record(event, Head("edge-1", EPOCH, 42, AT, "synced"), lambda _: AT)
    assert len(canonical(body)) < RECORD_BYTES_MAX
    load_contract().validate("event", envelope("hamburg", body))


def put(item: str, epcs: tuple[str, ...]) -> Movement:
    ends = (UNKNOWN_LOCATION, "A")
    return Movement(
        "id", "receipt", "observed", item, len(epcs), "pcs", *ends, 0, 0, 990, epcs=epcs
    )


def told(stock: Play) -> Snapshot:
    stock.feed(stock.now_s + 1, SnapshotRequest("requested"))
    snapshot = stock.kinds(Snapshot)[-1]
    assert isinstance(snapshot, Snapshot)
    return snapshot


def test_first_statement_of_very_much_stock_passes() -> None:
    found = play()
    found.feed(2.0, *(came(epc, cause="first_start") for epc in EPCS))
    found.wake(10.0)
    [snapshot] = found.kinds()
    assert snapshot.lines == (SnapshotLine("NUT", 20_000, "pcs"),)
    passes(snapshot)


def test_requested_statement_of_very_much_stock_passes_and_forgets_no_epc() -> None:
    stock = Play([Stock])
    stock.feed(1.0, put("BOLT", EPCS[:1000]), put("NUT", EPCS[1000:]))
    rows = dict(stock.rows)
    for _ in range(2):
        snapshot = told(stock)
        assert snapshot.lines == (
            SnapshotLine("BOLT", 1000, "pcs", EPCS[:1000]),
            SnapshotLine("NUT", 19_000, "pcs"),
        )
        passes(snapshot)
    assert stock.rows == rows


def test_many_short_epcs_pass() -> None:
    stock = Play([Stock])
    stock.feed(1.0, put("NUT", tuple(f"{number:04x}" for number in range(5000))))
    passes(told(stock))


def test_statement_that_differs_forgets_the_epcs() -> None:
    stock = Play([Stock])
    stock.feed(1.0, put("NUT", EPCS[:5]))
    stock.feed(2.0, Snapshot("id", "counted", "A", (SnapshotLine("NUT", 4, "pcs"),), 0))
    assert told(stock).lines == (SnapshotLine("NUT", 4, "pcs"),)
