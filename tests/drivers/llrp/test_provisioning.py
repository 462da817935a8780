import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from llrpkit.protocol import LLRPMessage, decode_message, impinj, messages, params

from drivers.llrp import control, provisioning
from drivers.llrp.capabilities import Capabilities
from drivers.llrp.frames import frame_of, id_of
from drivers.llrp.settings import LlrpSettings
from gateway.ports import LinkError
from tests.drivers.llrp.captures import pcap, r220, r420
from tests.drivers.llrp.scripted_reader import ZEBRA, ScriptedReader, capabilities_of_reader

IMMEDIATE, NULL, UPON_N_TAGS_OR_END_OF_ROSPEC = 1, 0, 2

Kind = TypeVar("Kind", bound=LLRPMessage)


def read_back(frame: bytes, kind: type[Kind]) -> Kind:
    """What another codec makes of a frame, which it must encode to the same bytes."""
    found = decode_message(frame)
    assert found.to_bytes(message_id=id_of(frame)) == frame
    assert isinstance(found, kind)
    return found


def rospec_of(reader: Capabilities, **settings: object) -> messages.ADD_ROSPEC:
    chosen = LlrpSettings(host="reader", **settings)  # type: ignore[arg-type]
    return read_back(provisioning.add_rospec(chosen, reader, 9), messages.ADD_ROSPEC)


def config_of(reader: Capabilities, **settings: object) -> messages.SET_READER_CONFIG:
    chosen = LlrpSettings(host="reader", **settings)  # type: ignore[arg-type]
    return read_back(provisioning.reader_config(chosen, reader, 9), messages.SET_READER_CONFIG)


def antennas_of(message: messages.ADD_ROSPEC) -> list[params.AntennaConfiguration]:
    [inventory] = message.ro_spec.spec_parameters
    assert isinstance(inventory, params.AISpec)
    [specification] = inventory.inventory_parameter_specs
    assert inventory.antenna_ids == [a.antenna_id for a in specification.antenna_configurations]
    return specification.antenna_configurations


def test_rospec_reports_every_tag_and_never_ends(data_folder: Path) -> None:
    spec = rospec_of(r420(data_folder)).ro_spec
    boundary = spec.ro_boundary_spec
    assert spec.ro_spec_id == provisioning.ROSPEC_ID
    assert int(boundary.ro_spec_start_trigger.ro_spec_start_trigger_type) == IMMEDIATE
    assert int(boundary.ro_spec_stop_trigger.ro_spec_stop_trigger_type) == NULL
    [inventory] = spec.spec_parameters
    assert isinstance(inventory, params.AISpec)
    assert int(inventory.ai_spec_stop_trigger.ai_spec_stop_trigger_type) == NULL
    report = spec.ro_report_spec
    assert report is not None
    assert (int(report.ro_report_trigger), report.n) == (UPON_N_TAGS_OR_END_OF_ROSPEC, 1)


def test_rospec_asks_for_what_the_rules_need(data_folder: Path) -> None:
    report = rospec_of(r420(data_folder)).ro_spec.ro_report_spec
    assert report is not None
    content = report.tag_report_content_selector
    assert content.enable_antenna_id
    assert content.enable_peak_rssi
    assert content.enable_first_seen_timestamp
    assert content.enable_last_seen_timestamp
    assert content.enable_tag_seen_count
    # Each of these would split the reader's accumulation further, for nothing that is used.
    assert not content.enable_spec_index
    assert not content.enable_access_spec_id
    [extra] = report.custom
    assert isinstance(extra, impinj.ImpinjTagReportContentSelector)
    assert extra.impinj_enable_rf_phase_angle is not None
    assert extra.impinj_enable_peak_rssi is not None
    assert extra.impinj_enable_rf_doppler_frequency is not None


def test_r420_takes_its_tables_by_index(data_folder: Path) -> None:
    antennas = antennas_of(
        rospec_of(
            r420(data_folder),
            antennas=(1, 3),
            power_dbm=24.3,
            power_dbm_by_antenna={3: 12.5},
            session=2,
            population=500,
            mode=1002,
            search_mode=2,
        )
    )
    assert [antenna.antenna_id for antenna in antennas] == [1, 3]
    for antenna, power in zip(antennas, (58, 11), strict=True):
        radio = antenna.rf_transmitter
        assert radio is not None
        assert (radio.hop_table_id, radio.channel_index, radio.transmit_power) == (1, 1, power)
        [command] = antenna.air_protocol_inventory_command_settings
        assert command.c1_g2_rf_control is not None
        assert command.c1_g2_rf_control.mode_index == 1002
        control_ = command.c1_g2_singulation_control
        assert control_ is not None
        assert (control_.session, control_.tag_population) == (2, 500)
        [search] = command.custom
        assert isinstance(search, impinj.ImpinjInventorySearchMode)
        assert int(search.inventory_search_mode) == 2


def test_all_antennas_of_an_r220_are_used_when_none_is_named(data_folder: Path) -> None:
    antennas = antennas_of(rospec_of(r220(data_folder), mode=1000))
    assert [antenna.antenna_id for antenna in antennas] == [1, 2]
    assert {a.rf_transmitter.transmit_power for a in antennas if a.rf_transmitter} == {81}


def test_other_vendor_gets_nothing_of_impinj() -> None:
    reader = capabilities_of_reader(ScriptedReader(ZEBRA, hopping=False))
    rospec = rospec_of(reader, search_mode=2, channel=2)
    assert rospec.ro_spec.ro_report_spec is not None
    assert rospec.ro_spec.ro_report_spec.custom == []
    for antenna in antennas_of(rospec):
        assert antenna.rf_transmitter is not None
        assert (antenna.rf_transmitter.hop_table_id, antenna.rf_transmitter.channel_index) == (0, 2)
        assert antenna.air_protocol_inventory_command_settings[0].custom == []
    assert config_of(reader).custom == []


def test_config_asks_for_keepalives_events_and_holding(data_folder: Path) -> None:
    config = config_of(r420(data_folder), keepalive_s=0.5, gpi_ports=(1, 4))
    assert not config.reset_to_factory_default
    assert config.keepalive_spec is not None
    assert config.keepalive_spec.periodic_trigger_value == 500
    assert config.events_and_reports is not None
    assert config.events_and_reports.hold_events_and_reports_upon_reconnect
    assert [(g.gpi_port_num, g.config) for g in config.gpi_port_current_states] == [
        (1, True),
        (4, True),
    ]
    [monitor] = config.custom
    assert isinstance(monitor, impinj.ImpinjLinkMonitorConfiguration)
    assert (int(monitor.link_monitor_mode), monitor.link_down_threshold) == (1, 5)
    assert config.reader_event_notification_spec is not None
    states = {
        int(state.event_type): state.notification_state
        for state in config.reader_event_notification_spec.event_notification_states
    }
    gpi, rospec, buffer, exception, with_singulation, antenna = 1, 2, 3, 4, 7, 8
    assert all(states[kind] for kind in (gpi, rospec, buffer, exception, antenna))
    assert not states[with_singulation]


def test_holding_is_not_asked_of_a_reader_without_it() -> None:
    reader = capabilities_of_reader(ScriptedReader(ZEBRA, holds=False))
    assert config_of(reader).events_and_reports is None


def test_what_the_reader_lacks_is_refused(data_folder: Path) -> None:
    for settings in ({"mode": 7}, {"antennas": (5,)}, {"power_dbm": 1.0}):
        with pytest.raises(LinkError):
            rospec_of(r420(data_folder), **settings)


@pytest.mark.server
def test_all_that_is_sent_dissects_in_tshark(
    data_folder: Path, tmp_path: Path, require: Callable[[str], str]
) -> None:
    reader = r420(data_folder)
    chosen = LlrpSettings(host="reader", mode=1000, gpi_ports=(1,))
    frames = [
        control.encode("GET_READER_CAPABILITIES", {"RequestedData": 0}, 1),
        control.encode("GET_READER_CONFIG", {"RequestedData": 0}, 2),
        provisioning.reader_config(chosen, reader, 4),
        provisioning.add_rospec(chosen, reader, 5),
        control.encode("ENABLE_ROSPEC", {"ROSpecID": 1}, 6),
        control.encode("START_ROSPEC", {"ROSpecID": 1}, 7),
        control.encode("DELETE_ROSPEC", {"ROSpecID": 0}, 8),
        control.set_output(1, True, 9),
        control.enable_impinj_extensions(10),
        *(frame_of(kind, b"", 11) for kind in (14, 26, 64, 72)),
    ]
    capture = tmp_path / "sent.pcap"
    capture.write_bytes(pcap(frames))
    command = [require("tshark"), "-r", str(capture), "-V", "-d", "tcp.port==5084,llrp"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.count("Low Level Reader Protocol") == len(frames)
    assert "Malformed" not in shown
    assert "RO report trigger: 2" in shown
