import struct
from typing import Any

import pytest
from llrpkit.protocol import decode_message, enums, params

from simulators.llrp.device import IMPINJ_R420, PLAIN, Device
from simulators.llrp.requests import Requests
from simulators.llrp.wire import Frame, MessageType, tlv
from tests.simulators.llrp import orders

ALL_CONFIG = struct.pack("!HBHH", 0, 0, 0, 0)
EXTENSIONS_ON = struct.pack("!IBI", 25882, 21, 0)


class Desk:
    """Asks without a connection, and decodes the answers with llrpkit."""

    def __init__(self, device: Device = IMPINJ_R420) -> None:
        self.requests = Requests(device)

    def ask(self, kind: int, body: bytes = b"", version: int = 1) -> Any:
        return decode_message(self.requests.answer(Frame(version, kind, 77, body)))

    def code(self, kind: int, body: bytes = b"") -> int:
        return int(self.ask(kind, body).llrp_status.status_code)

    def rospec_state(self) -> int:
        (rospec,) = self.ask(MessageType.GET_ROSPECS).ro_specs
        return int(rospec.current_state)


def test_capabilities_of_the_impinj_flavour_are_those_of_an_r420() -> None:
    answer = Desk().ask(1, b"\0")
    general, llrp = answer.general_device_capabilities, answer.llrp_capabilities
    band = answer.regulatory_capabilities.uhf_band_capabilities
    powers = [p.transmit_power_value for p in band.transmit_power_level_table_entrys]
    modes = band.air_protocol_uhfrf_mode_tables[0].c1_g2_uhfrf_mode_table_entrys
    hops = band.frequency_information.frequency_hop_tables[0].frequency
    assert (general.device_manufacturer_name, general.model_name) == (25882, 2001002)
    assert general.max_number_of_antenna_supported == 4
    assert general.has_utc_clock_capability
    assert (llrp.max_num_ro_specs, llrp.supports_event_and_report_holding) == (1, True)
    assert powers == list(range(1000, 3001, 25))
    assert [m.mode_identifier for m in modes] == [0, 1, 2, 3, 4, 1000, 1002, 1003, 1004, 1005]
    assert sorted(hops) == list(range(902_750, 927_251, 500))


def test_capabilities_have_the_shape_of_a_real_r420(data_folder: Any) -> None:
    real = (data_folder / "llrp/edgex_GetReaderCapabilitiesResponse-000.payload.bin").read_bytes()
    ours = Desk().requests.answer(Frame(1, 1, 1, b"\0"))[10:]
    hops = real.index(struct.pack("!HHBBH", 147, 208, 1, 0, 50)) + 8
    assert len(ours) == len(real)
    assert ours[:hops] == real[:hops]
    assert ours[hops + 200 :] == real[hops + 200 :]
    channels = [struct.unpack("!50I", told[hops : hops + 200]) for told in (ours, real)]
    assert sorted(channels[0]) == sorted(channels[1])


def test_configuration_has_the_shape_of_a_real_r420(data_folder: Any) -> None:
    real = (data_folder / "llrp/edgex_GetReaderConfigResponse-000.payload.bin").read_bytes()
    ours = Desk().requests.answer(Frame(1, 2, 1, ALL_CONFIG))[10:]
    assert len(ours) == len(real)
    assert sum(a != b for a, b in zip(ours, real, strict=True)) < 0.1 * len(real)


@pytest.mark.parametrize("requested", range(1, 5))
def test_capabilities_asked_for_singly_come_alone(requested: int) -> None:
    answer = Desk().ask(1, bytes([requested]))
    parts = (
        answer.general_device_capabilities,
        answer.llrp_capabilities,
        answer.regulatory_capabilities,
        answer.air_protocol_llrp_capabilities,
    )
    assert [bool(part) for part in parts] == [n == requested for n in range(1, 5)]


def test_plain_flavour_has_no_extensions_and_no_utc() -> None:
    desk = Desk(PLAIN)
    assert not desk.ask(1, b"\0").general_device_capabilities.has_utc_clock_capability
    assert desk.code(MessageType.CUSTOM_MESSAGE, EXTENSIONS_ON) == 109
    assert desk.code(3, orders.hold()) == 100


def test_configuration_tells_what_was_set() -> None:
    desk = Desk()
    for change in (
        orders.keepalive(5000),
        orders.hold(),
        orders.output(2, True),
        orders.input_enabled(3),
        orders.events(1),
    ):
        assert desk.code(3, change) == 0
    told = desk.ask(2, ALL_CONFIG)
    on = {
        s.event_type
        for s in told.reader_event_notification_spec.event_notification_states
        if s.notification_state
    }
    assert told.keepalive_spec.periodic_trigger_value == 5000
    assert told.events_and_reports.hold_events_and_reports_upon_reconnect
    assert [o.gpo_data for o in told.gpo_write_datas] == [False, True, False, False]
    assert [i.config for i in told.gpi_port_current_states] == [False, False, True, False]
    assert on == {1, 4, 8}


def test_factory_reset_forgets_what_was_set() -> None:
    desk = Desk()
    desk.ask(3, orders.keepalive(5000))
    assert desk.code(3, orders.config(reset_to_factory_default=True)) == 0
    assert desk.ask(2, ALL_CONFIG).keepalive_spec.periodic_trigger_value == 0


def test_refused_configuration_changes_nothing() -> None:
    desk = Desk()
    both = orders.keepalive(5000) + orders.output(9, True)[1:]
    assert desk.code(3, both) == 100
    assert desk.ask(2, ALL_CONFIG).keepalive_spec.periodic_trigger_value == 0


def test_configuration_state_value_follows_the_configuration() -> None:
    desk = Desk()

    def value() -> int:
        return int(
            desk.ask(2, ALL_CONFIG).llrp_configuration_state_value.llrp_configuration_state_value
        )

    fresh = value()
    desk.ask(20, orders.add())
    with_rospec = value()
    desk.ask(24, orders.number(1))
    enabled = value()
    desk.ask(21, orders.number(0))
    assert with_rospec != fresh
    assert enabled == with_rospec
    assert value() == fresh


def test_one_part_of_the_configuration_comes_alone() -> None:
    answer = Desk().ask(2, struct.pack("!HBHH", 3, 3, 0, 0))
    assert [a.antenna_id for a in answer.antenna_configurations] == [3]
    assert answer.keepalive_spec is None


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (1, b"\x05", 101),
        (1, b"", 101),
        (2, struct.pack("!HBHH", 5, 0, 0, 0), 101),
        (2, struct.pack("!HBHH", 0, 12, 0, 0), 101),
        (2, struct.pack("!HBHH", 0, 9, 5, 0), 101),
        (20, b"", 100),
        (20, orders.add(antennas=(5,)), 100),
        (20, orders.add(transmit_power_index=82), 100),
        (20, orders.add(mode_index=7), 100),
        (20, orders.add(search_mode=1), 100),
        (20, orders.add() + orders.add(), 100),
        (24, orders.number(7), 101),
        (22, orders.number(0), 101),
        (21, orders.number(7), 101),
        (3, b"\0" + tlv(177, bytes(6)), 100),
        (3, b"\0" + tlv(900), 100),
        (3, b"\0" + tlv(220, b"\x02" + bytes(4)), 100),
        (3, orders.output(5, True), 100),
        (46, b"", 109),
        (33, b"", 109),
        (500, b"", 109),
    ],
)
def test_bad_request_is_answered_with_its_code(kind: int, body: bytes, code: int) -> None:
    assert Desk().code(kind, body) == code


@pytest.mark.parametrize(
    ("place", "parameter", "error"),
    [
        (b"\0" + tlv(900), 900, 207),
        (b"\0" + tlv(177, bytes(6)), 177, 202),
        (b"\0" + tlv(1023, struct.pack("!II", 25882, 38)), 1023, 209),
        (b"\0" + tlv(226), 226, 200),
    ],
)
def test_bad_parameter_is_named(place: bytes, parameter: int, error: int) -> None:
    status = Desk().ask(3, place).llrp_status
    assert status.parameter_error.parameter_type == parameter
    assert status.parameter_error.error_code == error


def test_bad_field_is_named() -> None:
    error = Desk().ask(20, orders.add(transmit_power_index=82)).llrp_status.parameter_error
    assert (error.parameter_type, error.error_code) == (224, 201)
    assert (error.field_error.field_num, error.field_error.error_code) == (2, 301)


@pytest.mark.parametrize("kind", [46, 1, 20])
def test_version_2_is_answered_with_error_110_and_the_same_id(kind: int) -> None:
    answer = Desk().ask(kind, b"\0", version=2)
    assert (type(answer).__name__, answer.message_id) == ("ERROR_MESSAGE", 77)
    assert answer.llrp_status.status_code == 110


def test_extensions_are_enabled_by_the_vendor_message() -> None:
    desk = Desk()
    assert desk.code(20, orders.add(search_mode=1)) == 100
    assert desk.code(MessageType.CUSTOM_MESSAGE, EXTENSIONS_ON) == 0
    assert desk.code(20, orders.add(search_mode=1)) == 0


def test_life_cycle_with_an_immediate_trigger() -> None:
    desk = Desk()
    one = orders.number(1)
    assert desk.code(20, orders.add()) == 0
    assert desk.rospec_state() == 0
    assert desk.code(22, one) == 101
    assert desk.code(24, one) == 0
    assert desk.rospec_state() == 2
    assert desk.code(22, one) == 101
    assert desk.code(23, one) == 0
    assert desk.rospec_state() == 1
    assert desk.code(22, one) == 0
    assert desk.code(25, orders.number(0)) == 0
    assert desk.rospec_state() == 0
    assert desk.code(23, one) == 101
    assert desk.code(21, orders.number(0)) == 0
    assert desk.ask(26).ro_specs == []


def test_life_cycle_without_a_trigger_waits_for_start() -> None:
    desk = Desk()
    desk.ask(20, orders.add(start=enums.ROSpecStartTriggerType.Null))
    desk.ask(24, orders.number(0))
    assert desk.rospec_state() == 1
    desk.ask(22, orders.number(1))
    assert desk.rospec_state() == 2


def test_second_rospec_finds_no_room_and_the_same_id_is_taken() -> None:
    desk, spacious = Desk(), Desk(PLAIN)
    other = orders.rospec()
    other.ro_spec_id = 2
    for each in (desk, spacious):
        assert each.code(20, orders.add()) == 0
        assert each.code(20, orders.add()) == 100
    assert desk.code(20, orders.add(other)) == 100
    assert spacious.code(20, orders.add(other)) == 0


def test_second_immediate_rospec_waits_for_the_radio() -> None:
    desk = Desk(PLAIN)
    other = orders.rospec()
    other.ro_spec_id = 2
    desk.ask(20, orders.add())
    desk.ask(20, orders.add(other))
    desk.ask(24, orders.number(0))
    states = [r.current_state for r in desk.ask(26).ro_specs]
    desk.ask(21, orders.number(1))
    assert states == [2, 1]
    assert desk.rospec_state() == 2


def test_rospec_is_told_as_it_was_added() -> None:
    desk = Desk()
    added = orders.rospec(antennas=(1, 3), report_every_n=5)
    desk.ask(20, orders.add(added))
    (told,) = desk.ask(26).ro_specs
    assert told == added


@pytest.mark.parametrize(
    ("change", "parameter", "error"),
    [
        ({"priority": 8}, 177, 201),
        ({"current_state": 1}, 177, 201),
        ({"ro_spec_id": 0}, 177, 201),
    ],
)
def test_malformed_rospec_is_refused(change: dict[str, Any], parameter: int, error: int) -> None:
    spec = orders.rospec()
    for name, value in change.items():
        setattr(spec, name, value)
    found = Desk().ask(20, orders.add(spec)).llrp_status.parameter_error
    assert (found.parameter_type, found.error_code) == (parameter, error)


def test_rospec_without_parts_is_refused() -> None:
    boundary = tlv(178, tlv(179, b"\0") + tlv(182, bytes(5)))
    for parts, missing in ((b"", 178), (boundary, 183), (tlv(178, tlv(179, b"\0")), 182)):
        found = Desk().ask(20, tlv(177, struct.pack("!IBB", 1, 0, 0) + parts)).llrp_status
        error = found.parameter_error
        assert (error.parameter_type, error.error_code) == (missing, 203)


def test_report_trigger_of_version_1_1_is_refused() -> None:
    spec = orders.rospec()
    spec.ro_report_spec.ro_report_trigger = 3
    found = Desk().ask(20, orders.add(spec)).llrp_status.parameter_error
    assert (found.parameter_type, found.field_error.field_num) == (237, 0)


def test_access_specs_are_kept_and_told() -> None:
    desk = Desk()
    body = struct.pack("!IHBBI", 5, 0, 1, 0, 0)
    stop = tlv(208, struct.pack("!BH", 0, 0))
    command = tlv(
        209,
        tlv(338, tlv(339, struct.pack("!BHHH", 0x60, 0, 0, 0)))
        + tlv(341, struct.pack("!HIBHH", 1, 0, 0x80, 0, 2)),
    )
    assert desk.code(40, tlv(207, body + stop + command)) == 0
    assert desk.code(40, tlv(207, body + stop + command)) == 100
    assert desk.code(42, orders.number(5)) == 0
    (told,) = desk.ask(44).access_specs
    assert told.access_spec_id == 5
    assert told.current_state == enums.AccessSpecState.Active
    assert desk.code(43, orders.number(0)) == 0
    assert desk.code(51 - 10, orders.number(0)) == 0
    assert desk.ask(44).access_specs == []
    assert isinstance(told.access_command, params.AccessCommand)
