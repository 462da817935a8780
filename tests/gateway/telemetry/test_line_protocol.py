"""The writer against a parser written from the reference, and against influxd itself."""

import math
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ports import Sample
from gateway.telemetry.line_protocol import encode, line, series_key

TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.text(
    ', ="\\#\n\t\r_a1é', max_size=12
)
VALUE = st.integers(-(2**63), 2**63 - 1) | st.floats() | TEXT


def sanitised(text: str) -> str:
    return "".join("_" if ord(c) < 32 or c == "\x7f" else "/" if c == "\\" else c for c in text)


def parse(text: str) -> tuple[str, dict[str, str], dict[str, int | float | str], int]:
    """Parse one line by the letter of the reference: strictly, one character at a time."""
    head, rest = cut(text, " ")
    body, stamp = cut_fields(rest)
    name, *tags = split(head, ",")
    pairs = [split(tag, "=") for tag in tags]
    assert all(len(pair) == 2 for pair in pairs)
    fields = dict(field(part) for part in body)
    return (
        unescape(name),
        {unescape(key): unescape(value) for key, value in pairs},
        fields,
        int(stamp),
    )


def cut(text: str, mark: str) -> tuple[str, str]:
    parts = split(text, mark)
    return parts[0], text[len(parts[0]) + 1 :]


def split(text: str, mark: str) -> list[str]:
    parts, escaped = [""], False
    for character in text:
        if not escaped and character == mark:
            parts.append("")
        else:
            parts[-1] += character
        escaped = not escaped and character == "\\"
    return parts


def cut_fields(text: str) -> tuple[list[str], str]:
    """Cut at commas and at the space before the stamp; quotes count within values only."""
    parts, in_value, quoted, escaped = [""], False, False, False
    for index, character in enumerate(text):
        if not escaped and not quoted and character == " ":
            return parts, text[index + 1 :]
        if not escaped and in_value and character == '"':
            quoted = not quoted
        if not escaped and not quoted and character == "=":
            in_value = True
        if not escaped and not quoted and character == ",":
            parts.append("")
            in_value = False
        else:
            parts[-1] += character
        escaped = not escaped and character == "\\"
    raise AssertionError(f"no time stamp in {text!r}")


def field(text: str) -> tuple[str, int | float | str]:
    key = split(text, "=")[0]
    value = text[len(key) + 1 :]
    if value.startswith('"'):
        return unescape(key), value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return unescape(key), int(value[:-1]) if value.endswith("i") else float(value)


def unescape(text: str) -> str:
    for mark in ", =":
        text = text.replace(f"\\{mark}", mark)
    return text


def writable(value: float | str) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(lambda t: t[0] != "#"),
    st.dictionaries(TEXT, TEXT, max_size=4),
    st.dictionaries(TEXT, VALUE, max_size=4),
    st.integers(0, 2**63 - 1),
)
def test_line_any_text_parses_back(
    measurement: str, tags: Mapping[str, str], fields: Mapping[str, int | float | str], at: int
) -> None:
    written = encode(Sample(measurement, tags, fields, at))
    expected = {key: value for key, value in fields.items() if key and writable(value)}
    if not expected:
        assert written is None
        return
    assert written is not None
    text = written.decode()
    found_measurement, found_tags, found_fields, found_at = parse(text)
    assert found_measurement == sanitised(measurement)
    assert found_tags == {
        sanitised(key): sanitised(value) for key, value in sorted(tags.items()) if key and value
    }
    assert found_fields == {sanitised(key): value for key, value in expected.items()}
    assert found_at == at


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"v": 1}, "m,t=a v=1i 5"),
        ({"v": True}, "m,t=a v=1i 5"),
        ({"v": 1.0}, "m,t=a v=1.0 5"),
        ({"v": 1e22}, "m,t=a v=1e+22 5"),
        ({"v": 'say "a\\b"'}, 'm,t=a v="say \\"a\\\\b\\"" 5'),
        ({"v": math.nan, "w": 2}, "m,t=a w=2i 5"),
        ({"v": 2**63, "w": 2}, "m,t=a w=2i 5"),
        ({"a b": 1, "c=d,e": 2}, r"m,t=a a\ b=1i,c\=d\,e=2i 5"),
    ],
)
def test_line_known_values_are_written_so(
    fields: Mapping[str, int | float | str], text: str
) -> None:
    assert line("m,t=a", fields, 5) == text.encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**63, -(2**63) - 1])
def test_line_nothing_writable_is_none(value: float) -> None:
    assert line("m", {"v": value}, 5) is None


def test_line_lone_surrogate_is_replaced() -> None:
    assert line("m", {"v": "\ud800"}, 5) == b'm v="?" 5'


def test_series_key_sorts_and_escapes() -> None:
    key = series_key("a b,c", ("z", "1"), ("a", "x=y, z\\"), ("empty", ""), ("", "nameless"))
    assert key == r"a\ b\,c,a=x\=y\,\ z/,z=1"


def test_series_key_comment_mark_is_no_comment() -> None:
    assert series_key("#m") == "_m"


def test_series_key_without_measurement_is_a_bug() -> None:
    with pytest.raises(ValueError, match="measurement"):
        series_key("")


HOSTILE = [
    "plain",
    "comma,",
    "space ",
    "equal=",
    'quote"',
    "back\\slash",
    "end\\",
    "\\,\\ \\=",
    "new\nline",
    "tab\t",
    "nul\x00",
    "cr\r",
    "#hash",
    "é漢字😀",
    "\u2028",
    "'single'",
]


@pytest.mark.server
async def test_line_hostile_texts_are_taken_by_influxd_as_meant(influxd: Any) -> None:
    lines = [
        encode(
            Sample(
                "hostile",
                {"number": str(number), f"k{text}": text},
                {"text": text, f"f{text}": number},
                1_700_000_000_000_000_000 + number,
            )
        )
        for number, text in enumerate(HOSTILE)
    ]
    body = b"\n".join(line for line in lines if line)
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{influxd.url}/write?db=shelfgate", data=body) as answer,
    ):
        assert answer.status == 204, await answer.text()
    [series] = await influxd.query("SELECT * FROM hostile")
    rows = [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]
    assert len(rows) == len(HOSTILE)
    for number, text in enumerate(HOSTILE):
        row = rows[number]
        assert row["text"] == text
        assert row[f"k{sanitised(text)}"] == sanitised(text)
        assert row[f"f{sanitised(text)}"] == number
