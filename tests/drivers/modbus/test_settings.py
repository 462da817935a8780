from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.model import NS_PER_S
from gateway.ports import ConfigError
from tests.drivers.modbus.peer import DGT4X, Counts, make_driver


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"link": "tcp", "host": ""}, "host: a tcp link needs one"),
        ({"link": "serial"}, "path: a serial link needs one"),
        ({"link": "rtu_over_tcp", "units": [{**DGT4X, "unit_id": 0}]}, "0 is for all units"),
        ({"units": [{**DGT4X, "unit_id": 1}] * 2}, "each unit_id may stand once"),
        ({"units": []}, "units"),
        ({"colour": 1}, "colour"),
        ({"units": [{**DGT4X, "unit_id": 1, "cells": ["a:b"]}]}, "cells"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    told = {"link": "tcp", "host": "h", "units": [{**DGT4X, "unit_id": 1}], **settings}

    with pytest.raises(ValidationError, match=message):
        make_driver(Counts(), **told)


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([{"profile": "no-such"}], "no-such"),
        ([{"cells": ["a", "b"]}], "has 1 cells"),
        ([{"cells": ["a"]}, {"cells": ["a"]}], "shelf:a stands twice"),
        ([{"cells": [""]}], "at least one"),
        ([{"address_base": 1}], "counts from 0"),
    ],
)
def test_units_that_cannot_be_are_config_errors(units: list[dict[str, Any]], message: str) -> None:
    told = [{**DGT4X, "unit_id": number, **unit} for number, unit in enumerate(units, 1)]

    with pytest.raises(ConfigError, match=message):
        make_driver(Counts(), link="tcp", host="h", units=told)


def test_cells_are_named_by_the_installer_or_counted() -> None:
    four = {**DGT4X, "profile": "dini-dgt4x-multiscale"}
    driver = make_driver(
        Counts(),
        link="tcp",
        host="h",
        units=[
            {**four, "unit_id": 1, "cells": ["left", "", "right"]},
            {**DGT4X, "unit_id": 2},
        ],
    )

    assert [unit.cells.ids for unit in driver.units] == [
        ("shelf:left", "shelf:right"),
        ("shelf:3",),
    ]


def test_profiles_folder_of_the_settings_is_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(tmp_path)):
        make_driver(
            Counts(),
            link="tcp",
            host="h",
            profiles_folder=tmp_path,
            units=[{**DGT4X, "unit_id": 1}],
        )


def test_bounds_of_the_driver_cover_a_dead_unit() -> None:
    driver = make_driver(
        Counts(),
        link="rtu_over_tcp",
        host="h",
        timeout_s=0.5,
        quiet_gap_s=0.5,
        units=[{**DGT4X, "unit_id": 1}],
    )

    assert driver.lateness_max_ns == NS_PER_S // 2
    assert driver.silence_max_ns == 33 * NS_PER_S // 10


def test_first_polls_are_spread_over_one_period() -> None:
    units = [{**DGT4X, "unit_id": number} for number in range(1, 5)]
    driver = make_driver(Counts(), link="tcp", host="h", poll_hz=10, units=units)

    assert [due for due, _ in sorted(driver._staggered(0))] == [
        0,
        25_000_000,
        50_000_000,
        75_000_000,
    ]
