from typing import Any

import pytest
from pydantic import ValidationError

from gateway.telemetry.settings import TelemetrySettings


def test_settings_need_no_more_than_a_url() -> None:
    settings = TelemetrySettings(url="http://127.0.0.1:8086")
    assert (settings.bucket, settings.token, settings.interval_s) == ("shelfgate", None, 10.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"url": "127.0.0.1:8086"},
        {"url": "ftp://127.0.0.1"},
        {"url": "http://h", "bucket": ""},
        {"url": "http://h", "interval_s": 0.5},
        {"url": "http://h", "spool_points_max": 10},
        {"url": "http://h", "weight_change_g": 0},
        {"url": "http://h", "tokn": "name"},
    ],
)
def test_settings_wrong_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TelemetrySettings(**wrong)


def test_settings_are_frozen_and_errors_do_not_echo_values() -> None:
    with pytest.raises(ValidationError) as caught:
        TelemetrySettings(url="http://h", token=["s3cret"])  # type: ignore[arg-type] # the point
    assert "s3cret" not in str(caught.value)
    settings = TelemetrySettings(url="http://h")
    with pytest.raises(ValidationError):
        settings.url = "http://elsewhere"  # type: ignore[misc] # the point
