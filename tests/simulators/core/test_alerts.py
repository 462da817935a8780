"""What stands at the gateways, and who sees to it."""

from tests.conformance.records import acknowledgement, alert, epoch_of
from tests.simulators.core.conftest import Bench

EPOCH = epoch_of("alerts")


def seen(bench: Bench) -> list[tuple[str, str | None, str | None]]:
    return [(each.key, each.seen_by, each.note) for each in bench.book.alerts()]


def test_alert_stands_with_whoever_sees_to_it_until_it_is_cleared(bench: Bench) -> None:
    bench.handle([bench.event(alert("edge-1", EPOCH, 1))])
    assert seen(bench) == [("unresolved:A:M6-NUT", None, None)]
    bench.handle([bench.event(acknowledgement("edge-1", EPOCH, 2, note="tonight"))])
    bench.handle([bench.event(alert("edge-1", EPOCH, 3, text="A: count it again"))])
    assert seen(bench) == [("unresolved:A:M6-NUT", "ana", "tonight")]
    assert bench.book.alerts()[0].text == "A: count it again"
    bench.handle([bench.event(alert("edge-1", EPOCH, 4, raised=False))])
    assert seen(bench) == []


def test_alerts_are_those_of_the_records_that_a_backup_brings_back(bench: Bench) -> None:
    bench.handle([bench.event(alert("edge-1", EPOCH, 1))])
    bench.handle([bench.event(acknowledgement("edge-1", EPOCH, 2))])
    bench.handle([bench.event(alert("edge-1", EPOCH, 3, raised=False))])
    bench.book.lose(2)
    assert seen(bench) == [("unresolved:A:M6-NUT", None, None)]
