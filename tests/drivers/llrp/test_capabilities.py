from dataclasses import replace
from pathlib import Path

import pytest

from drivers.llrp.capabilities import Channel, capabilities_of
from gateway.ports import LinkError, ProtocolError
from tests.drivers.llrp.captures import r220, r420
from tests.drivers.llrp.scripted_reader import ZEBRA, ScriptedReader, capabilities_of_reader


def test_r420_is_read_as_it_is(data_folder: Path) -> None:
    reader = r420(data_folder)
    assert reader.is_impinj
    assert (reader.model, reader.firmware) == (2001002, "5.14.0.240")
    assert (reader.antenna_count, reader.gpi_count) == (4, 4)
    assert reader.can_hold_reports
    assert reader.can_warn_of_full_buffer
    assert len(reader.power_cdbm_by_index) == 81
    assert reader.mode_identifiers == (0, 1, 2, 3, 4, 1000, 1002, 1003, 1004, 1005)
    assert reader.channel(7) == Channel(1, 1)


def test_r220_is_read_as_it_is(data_folder: Path) -> None:
    reader = r220(data_folder)
    assert (reader.model, reader.firmware) == (2001001, "4.8.3.240")
    assert (reader.antenna_count, len(reader.power_cdbm_by_index)) == (2, 91)
    assert reader.mode_identifiers == (2, 3, 1000)
    assert reader.power_index(40) == 91


@pytest.mark.parametrize(
    ("power_dbm", "index"), [(30.0, 81), (33.0, 81), (10.0, 1), (10.24, 1), (10.25, 2), (29.9, 80)]
)
def test_power_is_the_nearest_not_above(data_folder: Path, power_dbm: float, index: int) -> None:
    assert r420(data_folder).power_index(power_dbm) == index


def test_power_below_the_table_is_refused(data_folder: Path) -> None:
    with pytest.raises(LinkError, match=r"2001002, 5\.14\.0\.240\) begins at 10\.0 dBm"):
        r420(data_folder).power_index(9.9)


def test_power_table_need_not_be_in_order(data_folder: Path) -> None:
    reader = replace(r420(data_folder), power_cdbm_by_index={1: 3000, 7: 1000, 9: 2000})
    assert (reader.power_index(25), reader.power_index(30)) == (9, 1)


def test_fixed_frequency_region_takes_the_channel_asked_for() -> None:
    reader = capabilities_of_reader(ScriptedReader(ZEBRA, hopping=False))
    assert not reader.is_impinj
    assert reader.channel(2) == Channel(0, 2)
    with pytest.raises(LinkError, match=r"channel 3: the reader .* has 1 to 2"):
        reader.channel(3)


def test_mode_outside_the_table_is_refused(data_folder: Path) -> None:
    assert r420(data_folder).mode_index(1002) == 1002
    with pytest.raises(LinkError, match="mode 7"):
        r420(data_folder).mode_index(7)


def test_antennas_are_checked(data_folder: Path) -> None:
    assert r220(data_folder).antennas(()) == (1, 2)
    assert r220(data_folder).antennas((2,)) == (2,)
    with pytest.raises(LinkError, match=r"antennas \(1, 3\): .* has 2"):
        r220(data_folder).antennas((1, 3))


def test_inputs_are_checked(data_folder: Path) -> None:
    assert r420(data_folder).inputs((1, 4)) == (1, 4)
    with pytest.raises(LinkError, match=r"gpi_ports \(5,\): .* has 4"):
        r420(data_folder).inputs((5,))


def test_capabilities_without_sense_are_a_protocol_error() -> None:
    for fields in ({}, {"GeneralDeviceCapabilities": {}}, {"GeneralDeviceCapabilities": 7}):
        with pytest.raises(ProtocolError, match="unusable"):
            capabilities_of(fields)
