import pytest

from gateway.toml_lines import Path, key_lines, line_of

TEXT = """\
# a comment = 1
[gateway]
id = "edge-1" # not = this
"site" = "plant"

[[device]]
id = "a"
units = [
  { unit_id = 1 },
  { unit_id = 2, note = "]" },
]
[[device]]
id = "b"
[device.tls]
ca_file = 'x[y'
[[device.units]]
unit_id = 7

[rules.presence]
settle_s = 9.0
dotted.key = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("gateway",), 2),
        (("gateway", "id"), 3),
        (("gateway", "site"), 4),
        (("device", 0), 6),
        (("device", 0, "units"), 8),
        (("device", 1, "id"), 13),
        (("device", 1, "tls", "ca_file"), 15),
        (("device", 1, "units", 0, "unit_id"), 17),
        (("rules", "presence", "settle_s"), 20),
        (("rules", "presence", "dotted", "key"), 21),
    ],
)
def test_key_lines_of_every_kind_of_key(path: Path, line: int) -> None:
    assert key_lines(TEXT)[path] == line


def test_key_lines_inside_a_long_value_are_not_keys() -> None:
    assert ("device", 0, "unit_id") not in key_lines(TEXT)


def test_line_of_a_missing_key_is_that_of_its_table() -> None:
    lines = key_lines(TEXT)
    assert line_of(("device", 1, "tls", "key_file"), lines) == 14
    assert line_of(("device", 0, "units", 1, "profile"), lines) == 8


def test_line_of_a_table_that_is_not_there_is_unknown() -> None:
    assert line_of(("mqtt", "host"), key_lines(TEXT)) is None
