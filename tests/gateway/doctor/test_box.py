"""What is wrong with the machine is found, and its fix is named."""

import os
from pathlib import Path

import pytest

from gateway.clock import BootClock
from gateway.doctor import box
from tests.gateway.doctor.findings import named


@pytest.mark.parametrize(
    ("free_bytes", "verdict"), [(10 << 20, "fail"), (500 << 20, "warn"), (5 << 30, "ok")]
)
def test_disk_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_bytes: int, verdict: str
) -> None:
    real = os.statvfs(tmp_path)
    fields = [*real]
    fields[1], fields[4] = 1, free_bytes  # f_frsize, f_bavail
    monkeypatch.setattr(os, "statvfs", lambda _folder: os.statvfs_result(fields))
    finding = named(box.examine_box(tmp_path, BootClock()), "disk space")
    assert finding.verdict == verdict
    assert ("free some space" in finding.fix) == (verdict != "ok")


@pytest.mark.parametrize(("worst_ms", "verdict"), [(5, "ok"), (150, "warn"), (2000, "fail")])
def test_disk_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worst_ms: int, verdict: str
) -> None:
    spans = [1_000_000] * 29 + [worst_ms * 1_000_000]
    monkeypatch.setattr(box, "measure_syncs", lambda _folder, _clock: spans)
    finding = named(box.examine_box(tmp_path, BootClock()), "disk sync")
    assert finding.verdict == verdict
    assert ("SSD" in finding.fix) == (verdict != "ok")


def test_disk_sync_is_measured_where_the_ledger_lies(tmp_path: Path) -> None:
    spans = box.measure_syncs(tmp_path, BootClock())
    assert len(spans) == box.SYNCS
    assert all(span > 0 for span in spans)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("synced", "verdict"), [(True, "ok"), (False, "warn")])
def test_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synced: bool, verdict: str) -> None:
    monkeypatch.setattr(box, "synchronised", lambda: synced)
    finding = named(box.examine_box(tmp_path, BootClock()), "clock")
    assert finding.verdict == verdict
    assert ("chrony" in finding.fix) == (verdict != "ok")
