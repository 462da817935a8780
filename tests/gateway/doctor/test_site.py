"""What is wired to nothing, and what cannot be counted, is named by its line in the file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import doctor
from gateway.doctor.finding import Finding
from gateway.settings import load_configuration
from tests.gateway.doctor.findings import named

Write = Callable[..., Path]
READER = '[[device]]\nid = "r"\ndriver = "llrp"\nhost = "192.0.2.1"\nantennas = [1, 2]\n'
SHELF = (
    '[[device]]\nid = "s"\ndriver = "modbus"\nlink = "tcp"\nhost = "192.0.2.2"\n'
    '[[device.units]]\nunit_id = 1\nprofile = "laumas-tlb-w"\ncapacity_g = 30000\n'
)


def found(path: Path, check: str) -> Finding:
    return named(doctor.examine_files(load_configuration(path)), check)


def line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


@pytest.mark.parametrize(
    ("rest", "marked", "key"),
    [
        ('[[zone]]\nlocation = "A"\nantennas = ["r:1", "r:3"]', '"r:3"', "zone[0].antennas"),
        (
            '[[portal]]\nportal = "g"\nouter = ["r:1"]\ninner = ["r:4"]\ninside = "H"',
            "inner =",
            "portal[0].inner",
        ),
        ('[[cell]]\ncell = "s:2"\nlocation = "B"', '"s:2"', "cell[1].cell"),
    ],
)
def test_place_that_the_device_does_not_observe_is_named(
    write_site: Write, rest: str, marked: str, key: str
) -> None:
    path = write_site(rest=READER + SHELF + rest)
    finding = found(path, "wiring")
    assert finding.verdict == "fail"
    assert finding.text.startswith(f"{path}:{line_of(path, marked)}: {key}: ")
    assert "observes only" in finding.text
    assert finding.fix


def test_place_that_the_device_observes_is_well(write_site: Write) -> None:
    rest = (
        '[[zone]]\nlocation = "A"\nantennas = ["r:2"]\n[[cell]]\ncell = "s:1"\nlocation = "B"\n'
        '[[device]]\nid = "all"\ndriver = "llrp"\nhost = "192.0.2.3"\n'
        '[[zone]]\nlocation = "C"\nantennas = ["all:7"]\n'
    )
    assert found(write_site(rest=READER + SHELF + rest), "wiring").verdict == "ok"


def items(path: Path, rows: str) -> Path:
    text = "code,name,unit_g,unit_sd_g,uom,epc_prefixes\n" + rows
    (path.parent / "items.csv").write_text(text, encoding="utf-8")
    return path


def test_item_that_is_in_no_file_may_come_from_the_core(site: Path) -> None:
    finding = found(items(site, "NUT,Nut,10.0,0.1,pcs,\n"), "planned items")
    assert finding.verdict == "warn"
    where = f"{site}:{line_of(site, 'item = ')}: cell[0].item: 'BOLT' is in no reference file"
    assert finding.text.startswith(where)
    assert finding.fix


def test_item_that_is_in_no_file_is_wrong_where_no_core_answers(site: Path) -> None:
    text = site.read_text(encoding="utf-8").replace("[mqtt]\n", '[mqtt]\nsettle = "broker"\n')
    site.write_text(text, encoding="utf-8")
    assert found(site, "planned items").verdict == "ok"
    assert found(items(site, "NUT,Nut,10.0,0.1,pcs,\n"), "planned items").verdict == "fail"
    site.write_text(text.replace('items = "items.csv"\n', ""), encoding="utf-8")
    assert found(site, "planned items").verdict == "warn"


@pytest.mark.parametrize(
    ("unit_g", "verdict"), [("0.0", "warn"), ("2.0", "fail"), ("2.5", "ok"), ("10.0", "ok")]
)
def test_piece_that_the_weight_rule_does_not_resolve_is_named(
    site: Path, unit_g: str, verdict: str
) -> None:
    finding = found(items(site, f"BOLT,Bolt,{unit_g},0.0,pcs,\n"), "planned items")
    assert finding.verdict == verdict
    if verdict == "fail":
        where = f"{site}:{line_of(site, 'item = ')}: cell[0].item: 'BOLT' weighs 2.0 g a piece"
        assert finding.text.startswith(where)
        assert "2.5 g" in finding.text
        assert "rules.weight" in finding.fix


@pytest.mark.parametrize(
    ("uom", "density", "verdict"), [("kg", "", "ok"), ("l", "0.9", "ok"), ("l", "", "warn")]
)
def test_bulk_goods_by_volume_need_a_density(
    site: Path, uom: str, density: str, verdict: str
) -> None:
    rows = f"code,uom,density_kg_l\nBOLT,{uom},{density}\n"
    (site.parent / "items.csv").write_text(rows, encoding="utf-8")
    finding = found(site, "planned items")
    assert finding.verdict == verdict
    if verdict == "warn":
        assert "'BOLT' has no density" in finding.text


def test_bulk_goods_share_no_plate(site: Path) -> None:
    (site.parent / "items.csv").write_text(
        "code,uom,unit_g\nBOLT,kg,\nNUT,pcs,10\n", encoding="utf-8"
    )
    text = site.read_text(encoding="utf-8").replace('item = "BOLT"', 'items = ["BOLT", "NUT"]')
    site.write_text(text, encoding="utf-8")
    finding = found(site, "planned items")
    assert finding.verdict == "fail"
    assert "'BOLT' is bulk goods on a plate of several items" in finding.text


def test_quiet_scale_resolves_a_lighter_piece(write_site: Write) -> None:
    path = write_site(rest="[rules.weight]\nband_g = 0.4\nstep_min_g = 1.0\n")
    assert found(items(path, "BOLT,Bolt,1.0,0.0,pcs,\n"), "planned items").verdict == "ok"


@pytest.mark.parametrize(("nut_g", "verdict"), [("10.4", "warn"), ("10.5", "ok")])
def test_items_of_one_plate_that_weigh_the_same_are_named(
    write_site: Write, nut_g: str, verdict: str
) -> None:
    cell = '[[cell]]\ncell = "scale:2"\nlocation = "B"\nitems = ["BOLT", "NUT"]\n'
    rows = f"BOLT,Bolt,10.0,0.1,pcs,\nNUT,Nut,{nut_g},0.1,pcs,\n"
    path = items(write_site(rest=cell), rows)
    finding = found(path, "planned items")
    assert finding.verdict == verdict
    if verdict == "warn":
        where = f"{path}:{line_of(path, 'items = [')}: cell[1].items: pieces of 'BOLT' and 'NUT'"
        assert finding.text.startswith(where)
