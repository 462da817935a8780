"""A release goes on a box, is found there by a second run, and is put back when it does not fit."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli.exits import CONFIG

ROOT = Path(__file__).resolve().parents[2]
STRICT = os.environ.get("SHELFGATE_STRICT") == "1"
NOT_REACHABLE = 69
"""The exit code of the script when packages cannot be had."""

SITE = """\
[gateway]
id = "edge-7"
site = "hall"

[mqtt]
host = "192.0.2.10"

[[device]]
id = "shelf"
driver = "modbus"
link = "tcp"
host = "192.0.2.41"

[[device.units]]
unit_id = 1
profile = "siwarex-wp251"
capacity_g = 50000
weight_unit = "kg"
cells = ["1"]
"""

SYSTEMCTL = """\
#!/bin/sh
# Writes down what it is told; a service whose release is marked as bad does not come up.
echo "$*" >>"$SHELFGATE_BOX/told"
[ "$1" != restart ] || [ ! -e "$SHELFGATE_BOX/opt/shelfgate/current/.bad" ]
"""


def _environment(**more: str) -> dict[str, str]:
    """Ours, but without what would lead to this checkout."""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**inherited, **more}


def _run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd="/",
        env=_environment(**environment),
    )


def _offline(text: str) -> None:
    (pytest.fail if STRICT else pytest.skip)(f"packages cannot be had: {text}")


@dataclass
class Box:
    """A folder that stands for an edge box, and a release to install on it."""

    root: Path
    release: Path

    @property
    def opt(self) -> Path:
        return self.root / "opt" / "shelfgate"

    @property
    def etc(self) -> Path:
        return self.root / "etc" / "shelfgate"

    @property
    def in_use(self) -> str:
        return str((self.opt / "current").readlink())

    def install(self) -> subprocess.CompletedProcess[str]:
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        told = _run(
            self.release / "install", "--root", self.root, PATH=path, SHELFGATE_BOX=str(self.root)
        )
        if told.returncode == NOT_REACHABLE:
            _offline(told.stderr)
        return told

    def shelfgate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _run(self.opt / "current" / "bin" / "shelfgate", *arguments)

    def next_release(self) -> str:
        """Make a release of other content, its environment already there to save the time."""
        lock = self.release / "requirements.lock"
        lock.write_text(lock.read_text() + "# newer\n")
        (wheel,) = self.release.glob("*.whl")
        name = hashlib.sha256(wheel.read_bytes() + lock.read_bytes()).hexdigest()[:8]
        folder = self.opt / f"{self.in_use.rpartition('-')[0]}-{name}"
        shutil.copytree(self.opt / self.in_use, folder, symlinks=True)
        return folder.name


@pytest.fixture
def box(tmp_path: Path) -> Box:
    told = _run(ROOT / "scripts" / "release", tmp_path / "dist")
    if told.returncode:
        _offline(told.stderr)
    (archive,) = (tmp_path / "dist").glob("shelfgate-*.tar.gz")
    shutil.unpack_archive(archive, tmp_path / "unpacked", filter="data")
    (release,) = (tmp_path / "unpacked").iterdir()
    root = tmp_path / "box"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "systemctl").write_text(SYSTEMCTL)
    (root / "bin" / "systemctl").chmod(0o755)
    return Box(root, release)


@pytest.mark.server
def test_release_is_installed_updated_and_put_back(box: Box) -> None:
    _first_installation_asks_for_a_site(box)
    first = _second_run_takes_the_site_in_use(box)
    _wrong_configuration_leaves_the_release_in_use(box, first)
    _release_that_does_not_come_up_is_put_back(box, first)


def _first_installation_asks_for_a_site(box: Box) -> None:
    told = box.install()
    assert told.returncode == 0, told.stderr
    assert "describe your site" in told.stderr
    assert (box.etc / "gateway.toml").read_text() == (ROOT / "config/gateway.toml").read_text()
    assert (box.etc / "credentials").stat().st_mode & 0o777 == 0o700
    unit = box.root / "etc/systemd/system/shelfgate.service"
    assert unit.read_text() == (ROOT / "systemd/shelfgate.service").read_text()
    assert os.access(box.root / "usr/local/bin/shelfgate", os.X_OK)
    site_packages = next((box.opt / "current" / "lib").glob("python3*/site-packages"))
    assert {"gateway", "drivers", "rules"} <= {path.name for path in site_packages.iterdir()}
    assert not {"simulators", "tests", "amqtt"} & {path.name for path in site_packages.iterdir()}
    shown = box.shelfgate("drivers")
    assert "llrp" in shown.stdout
    assert "modbus" in shown.stdout


def _second_run_takes_the_site_in_use(box: Box) -> str:
    """The site uses a profile, which is found where the wheel puts it."""
    first = box.in_use
    made = (box.opt / first / ".complete").stat().st_mtime_ns
    (box.etc / "gateway.toml").write_text(SITE)
    told = box.install()
    assert told.returncode == 0, told.stderr
    assert (box.in_use, f"in use: {first}" in told.stderr) == (first, True)
    assert (box.opt / first / ".complete").stat().st_mtime_ns == made
    assert (box.etc / "gateway.toml").read_text() == SITE
    assert not (box.root / "told").exists()  # no systemd runs there: nothing is started
    return first


def _wrong_configuration_leaves_the_release_in_use(box: Box, first: str) -> None:
    box.next_release()
    (box.etc / "gateway.toml").write_text(SITE.replace("capacity_g", "capacity"))
    told = box.install()
    assert told.returncode == CONFIG
    assert "gateway.toml:17: device[0].units[0].capacity: unknown key" in told.stderr
    assert f"{first} stays in use" in told.stderr
    assert box.in_use == first


def _release_that_does_not_come_up_is_put_back(box: Box, first: str) -> None:
    (box.etc / "gateway.toml").write_text(SITE)
    (box.root / "run/systemd/system").mkdir(parents=True)
    second = box.next_release()
    (box.opt / second / ".bad").touch()
    told = box.install()
    assert told.returncode == 1
    assert f"{first} is in use again" in told.stderr
    assert box.in_use == first
    orders = (box.root / "told").read_text().split("\n")
    assert [order for order in orders if order.startswith(("restart", "enable"))] == [
        "enable -q shelfgate",
        "restart shelfgate",
        "restart shelfgate",
    ]
    (box.opt / second / ".bad").unlink()
    assert box.install().returncode == 0
    assert box.in_use == second
    kept = {path.name for path in box.opt.iterdir()}
    assert kept == {first, second, "current"}


@pytest.mark.server
def test_wheel_holds_the_product_alone_and_is_the_same_each_time(tmp_path: Path) -> None:
    for place in ("one", "two"):
        told = _run(ROOT / "scripts" / "release", "--wheel", tmp_path / place)
        if told.returncode:
            _offline(told.stderr)
    (one,), (two,) = (tuple((tmp_path / place).glob("*.whl")) for place in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    names = zipfile.ZipFile(one).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.startswith("shelfgate-")} == {
        "gateway",
        "drivers",
        "rules",
    }
    profiles = {path.name for path in (ROOT / "config" / "profiles").glob("*.toml")}
    shipped = {Path(name).name for name in names if "/share/shelfgate/config/profiles/" in name}
    assert shipped == profiles
    assert not [name for name in names if "__pycache__" in name]
