import pytest

from drivers.scanner.frames import Garbled
from drivers.scanner.scan_text import ScanTexts
from drivers.scanner.settings import ScannerSettings


def texts(**settings: object) -> ScanTexts:
    return ScanTexts(ScannerSettings.model_validate({"link": "tcp", "host": "h", **settings}))


@pytest.mark.parametrize(
    ("encoding", "frame", "text"),
    [
        ("utf-8", "Länge".encode(), "Länge"),
        ("latin-1", "Länge".encode("latin-1"), "Länge"),
        ("utf-8", "Länge".encode("latin-1"), None),
        ("ascii", "Länge".encode(), None),
        ("utf-8", b"A\xff", None),
    ],
)
def test_bytes_that_are_not_of_the_encoding(encoding: str, frame: bytes, text: str | None) -> None:
    read = texts(encoding=encoding).decode(frame)
    assert read == text if text else isinstance(read, Garbled)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<A>", "A"),
        ("<<A>>", "<A>"),
        ("A>", None),
        ("<A", None),
        ("<>", None),
        (">", None),
        ("<NOREAD>", ""),
        ("<[)>\x1e06\x1dP1\x1e\x04>", "[)>\x1e06\x1dP1\x1e\x04"),
        ("<a\tb\r\n>", "a\tb\r\n"),
        ("<a\x00b>", None),
        ("<a\x7fb>", None),
        ("<a\x85b>", None),
        ("<a\ufffdb>", None),
        ("<\U0001f600>", "\U0001f600"),
    ],
)
def test_text_between_its_marks(text: str, expected: str | None) -> None:
    read = texts(prefix="<", suffix=">", no_read=["NOREAD"]).read(text)
    assert read == expected if expected is not None else isinstance(read, Garbled)


def test_marks_that_overlap_are_no_scan() -> None:
    assert isinstance(texts(prefix="##", suffix="##").read("###"), Garbled)
    assert texts(prefix="##", suffix="##").read("##1##") == "1"


def test_person_sees_the_beginning_of_what_was_bad() -> None:
    read = texts().read("x" * 50 + "\x00")
    assert isinstance(read, Garbled)
    assert read.detail == f"no text: {'x' * 40}..."
