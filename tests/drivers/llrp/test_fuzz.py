"""Whatever a reader says, only the errors of the seam come out: never a bug, never a hang."""

import random
from collections import Counter
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.llrp.capabilities import Capabilities, capabilities_of
from drivers.llrp.control import decode
from drivers.llrp.frames import FrameCutter
from drivers.llrp.observer import Observer
from drivers.llrp.outbox import Outbox
from drivers.llrp.session import Session
from drivers.llrp.settings import LlrpSettings
from gateway.model import NS_PER_S
from gateway.ports import DriverContext, LinkError, ProtocolError
from tests.drivers.llrp.scripted_reader import ScriptedReader, vendor_event
from tests.drivers.llrp.wire import attempt, event, message, report, status, tag, tlv
from tests.virtual_time import VirtualClock, run

FRAMES = [
    event(attempt(0)),
    event(attempt(4)),
    event(tlv(248, b"\x00\x01\x80")),
    event(tlv(249, b"\x01\x00\x00\x00\x01\x00\x00\x00\x00")),
    event(tlv(250, b"\x50")),
    event(tlv(251, b"")),
    event(tlv(252, b"\x00\x04oops\x81\x00\x01")),
    event(tlv(255, b"\x00\x00\x02")),
    event(utc_us=None, uptime_us=7),
    vendor_event(),
    message(62),
    message(100, status(110)),
    message(36, status()),
    report(tag(bytes(range(12)), antenna=1, rssi=-3, seen=2, first=5, last=9)),
]

Change = tuple[int, int, int]


def mutated(frames: list[bytes], changes: list[Change]) -> list[bytes]:
    """Change single bytes; lengths of frames stay, what is inside does not."""
    changed = [bytearray(frame) for frame in frames]
    for which, where, value in changes:
        frame = changed[which % len(changed)]
        place = where % len(frame)
        if not 2 <= place < 6:
            frame[place] = value
    return [bytes(frame) for frame in changed]


class Wire:
    def __init__(self) -> None:
        self.failures: list[LinkError] = []

    def write(self, data: bytes) -> None:
        assert len(data) >= 10

    def fail(self, error: LinkError) -> None:
        self.failures.append(error)


def take_all(frames: list[bytes]) -> Counter[str]:
    """Let a session take frames as a connection would; return what was counted."""
    counts: Counter[str] = Counter()

    def count(name: str, amount: int = 1) -> None:
        assert amount > 0
        counts[name] += amount

    async def main() -> None:
        clock = VirtualClock()
        outbox = Outbox("dock", clock, NS_PER_S, count)
        context = DriverContext("dock", clock, Random(1), count)
        observer = Observer(LlrpSettings(host="reader"), context, outbox, {})
        session = Session(Wire(), observer, count)
        for frame in FrameCutter().feed(b"".join(frames)):
            session.receive(frame)
        observer.close()
        outbox.close()

    run(main())
    return counts


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(FRAMES), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 200), st.integers(0, 255)), max_size=12),
)
def test_mutated_conversation_raises_nothing(frames: list[bytes], changes: list[Change]) -> None:
    counts = take_all(mutated(frames, changes))
    assert all(amount > 0 for amount in counts.values())


def test_unchanged_conversation_has_no_bad_frames() -> None:
    assert take_all(FRAMES)["bad_frames"] == 0


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 0), st.integers(0, 1 << 16), st.integers(0, 255))))
def test_mutated_capabilities_are_read_or_refused(changes: list[Change]) -> None:
    [frame] = mutated([message(11, status() + ScriptedReader().capabilities())], changes)
    try:
        found = capabilities_of(decode(frame).fields)
    except ProtocolError:
        return
    assert isinstance(found, Capabilities)


def test_twenty_thousand_mutated_reports_raise_protocol_errors_only() -> None:
    draw = random.Random(20)
    whole = [report(tag(bytes(range(12)), antenna=1, rssi=-3, seen=2), tag(bytes(12), rssi=-3))]
    changes = [
        [(0, draw.randrange(200), draw.randrange(256)) for _ in range(draw.randrange(1, 6))]
        for _ in range(20_000)
    ]
    counts = take_all([mutated(whole, change)[0] for change in changes])
    assert 2_000 < counts["bad_frames"] < 18_000
