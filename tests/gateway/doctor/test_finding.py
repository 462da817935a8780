import pytest

from gateway.doctor.finding import Finding


def test_a_finding_that_is_not_ok_needs_a_fix() -> None:
    with pytest.raises(AssertionError):
        Finding("disk", "fail", "it is full")
    with pytest.raises(AssertionError):
        Finding("disk", "ok", "room enough", "nothing to mend")
