"""Heavy rehearsals (SHELFGATE_HEAVY=1): a release on a bare Debian, and in one that is booted."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli.exits import CONFIG

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
DEBIAN = "bookworm"
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")

pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        os.environ.get("SHELFGATE_HEAVY") != "1", reason="takes minutes: set SHELFGATE_HEAVY=1"
    ),
]

SITE = """\
[gateway]
id = "edge-7"
site = "hall"

[mqtt]
host = "127.0.0.1"
port = 1
username = "edge-7"
password = "mqtt-password"

[[device]]
id = "shelf"
driver = "modbus"
link = "tcp"
host = "127.0.0.1"
port = 1

[[device.units]]
unit_id = 1
profile = "siwarex-wp251"
capacity_g = 50000
weight_unit = "kg"
cells = ["1"]
"""

BOOT_TO_END = """\
[Unit]
After=multi-user.target

[Service]
ExecStart=/rehearse.sh
"""


def _run(*command: str | Path, seconds: float = 600) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        cwd="/",
        env=environment,
    )


def _mirror() -> list[str]:
    """The mirror that this machine itself uses, else debootstrap's own choice."""
    told = _run("apt-get", "indextargets", "--format", "$(REPO_URI)")
    uris = (uri for uri in told.stdout.split() if uri.rstrip("/").endswith("/debian"))
    return [uri for uri, _ in zip(uris, range(1), strict=False)]


def _debian(folder: Path, debootstrap: str, packages: str) -> Path:
    """A Debian with these packages, and a release in it that is not yet installed."""
    told = _run(
        debootstrap, "--variant=minbase", f"--include={packages}", DEBIAN, folder, *_mirror()
    )
    assert told.returncode == 0, told.stdout
    shutil.copy(Path("/") / CERTIFICATES, folder / CERTIFICATES)
    assert _run(ROOT / "scripts" / "release", folder).returncode == 0
    (archive,) = folder.glob("shelfgate-*.tar.gz")
    shutil.unpack_archive(archive, folder / "unpacked", filter="data")
    next((folder / "unpacked").iterdir()).rename(folder / "release")
    return folder


def _put_site(debian: Path) -> None:
    credentials = debian / "etc/shelfgate/credentials"
    credentials.mkdir(mode=0o700, parents=True, exist_ok=True)
    (credentials / "mqtt-password").write_text("secret\n")
    (credentials / "mqtt-password").chmod(0o600)
    (debian / "etc/shelfgate/gateway.toml").write_text(SITE)


def test_release_is_installed_on_a_bare_debian(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    """Python is there, its venv module is not."""
    bare = _debian(tmp_path / "debian", require("debootstrap"), "python3,ca-certificates")
    told = _run("chroot", bare, "/release/install")
    assert told.returncode == 0, told.stderr
    assert "installing python3-venv" in told.stderr
    _put_site(bare)
    told = _run("chroot", bare, "/release/install")
    assert told.returncode == 0, told.stderr
    told = _run("chroot", bare, "/usr/local/bin/shelfgate", "check")
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[-1] == "/etc/shelfgate/gateway.toml: well"


def _break_release(good: Path, broken: Path) -> None:
    """The same release, but its daemon ends at once."""
    shutil.copytree(good, broken)
    (wheel,) = broken.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        content = {info.filename: archive.read(info) for info in archive.infolist()}
    content["gateway/cli/run.py"] = b"import sys\n\n\ndef main(_):\n    sys.exit(70)\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def test_unit_lives_and_is_put_back_in_a_booted_debian(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    """Real systemd: readiness, credentials, watchdog, restart, drop-ins, a release put back."""
    nspawn = require("systemd-nspawn")
    packages = "python3,python3-venv,ca-certificates,systemd-sysv,dbus"
    booted = _debian(tmp_path / "debian", require("debootstrap"), packages)
    _break_release(booted / "release", booted / "broken")
    _put_site(booted)
    shutil.copy(HERE / "rehearse.sh", booted)
    units = booted / "etc/systemd/system"
    (units / "rehearsal.service").write_text(BOOT_TO_END)
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants" / "rehearsal.service").symlink_to("../rehearsal.service")
    told = _run(nspawn, "-D", booted, "-b", "--register=no", "--keep-unit", "--resolv-conf=off")
    log = booted / "rehearsal.log"
    result = booted / "result"
    lines = result.read_text().splitlines() if result.exists() else [told.stderr]
    assert dict(line.split(" ", 1) for line in lines) == {
        "install": "0",
        "started": "active",
        "status": "0",
        "state_folder": "700",
        "restarts_while_idle": "0",
        "restarts_after_stop": "1",
        "restarts_after_kill": "2",
        "with_serial": "active",
        "with_keyboard": "active",
        "with_addresses": "active",
        "broken_release": "1",
        "put_back": "0",
        "up_again": "active",
        "without_secret": str(CONFIG),
        "left_alone": "failed",
        "end": "0",
    }, log.read_text() if log.exists() else told.stdout
