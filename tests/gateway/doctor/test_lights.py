"""A light that no device has, or that cannot show what it is there for, is named by its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import doctor
from gateway.doctor.finding import Finding
from gateway.settings import load_configuration
from tests.gateway.doctor.findings import named

Write = Callable[..., Path]
READER = (
    '[[device]]\nid = "r"\ndriver = "llrp"\nhost = "192.0.2.1"\nantennas = [1]\n'
    'lights = [{ light = "two", ports = { red = 1, green = 2 } }, { light = "horn", port = 3 }]\n'
    '[[zone]]\nlocation = "A"\nantennas = ["r:1"]\n'
)
SCANNER = '[[device]]\nid = "gun"\ndriver = "scanner"\nlink = "tcp"\nhost = "192.0.2.3"\n'


def light(name: str, kind: str, location: str = "") -> str:
    place = f'location = "{location}"\n' if location else ""
    return f'[[light]]\nlight = "{name}"\nkind = "{kind}"\n{place}'


def found(path: Path) -> Finding:
    return named(doctor.examine_files(load_configuration(path)), "lights")


@pytest.mark.parametrize(
    ("wired", "text"),
    [
        (light("r:tow", "pick", "A"), "r has only r:horn, r:two; did you mean 'r:two'?"),
        (light("gun:a", "pick", "A"), "the driver of gun has no lights"),
        (light("r:two", "stack"), "it has no amber"),
    ],
)
def test_light_that_cannot_be_is_named(write_site: Write, wired: str, text: str) -> None:
    path = write_site(rest=READER + SCANNER + light("r:horn", "buzzer") + wired)
    finding = found(path)
    assert finding.verdict == "fail"
    lines = path.read_text(encoding="utf-8").splitlines()
    line = max(index for index, each in enumerate(lines, start=1) if each.startswith("light = "))
    assert finding.text.startswith(f"{path}:{line}: light[1].light: ")
    assert text in finding.text
    assert finding.fix


@pytest.mark.parametrize("kind", ["stack", "buzzer"])
def test_light_of_one_lamp_can_be_anything(write_site: Write, kind: str) -> None:
    finding = found(write_site(rest=READER + light("r:horn", kind) + light("r:two", "pick", "A")))
    assert (finding.verdict, finding.text) == ("ok", "2 wired")
