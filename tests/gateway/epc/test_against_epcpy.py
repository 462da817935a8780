"""The classic schemes against epcpy, which others wrote: it encodes, we decode."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.epc import EpcError, decode_epc
from gateway.epc.bits import STRING_CHARACTERS

theirs = pytest.importorskip("epcpy.epc_schemes", reason="epcpy is not installed: scripts/setup")

SCHEMES: dict[str, tuple[Any, int, int]] = {
    "sgtin-96": (theirs.SGTIN, 13, 0),
    "sgtin-198": (theirs.SGTIN, 13, 20),
    "itip-110": (theirs.ITIP, 13, 0),
    "itip-212": (theirs.ITIP, 13, 20),
    "sgln-96": (theirs.SGLN, 12, 0),
    "sgln-195": (theirs.SGLN, 12, 20),
    "grai-96": (theirs.GRAI, 12, 0),
    "grai-170": (theirs.GRAI, 12, 16),
    "giai-96": (theirs.GIAI, 0, 0),
    "giai-202": (theirs.GIAI, 0, 18),
}
"""The class, the digits of company prefix and reference, and the longest serial if it is a text."""

PLAIN = sorted(STRING_CHARACTERS - set('"%&/<>?:'))
"""epcpy trips over a colon, and over its own escapes of the others; published vectors have some."""

PIECES = st.integers(0, 98).map("{:02}".format)
"""epcpy does not encode a 99th piece."""


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


def fields(data: st.DataObject, scheme: str) -> list[str]:
    _, total, longest = SCHEMES[scheme]
    prefix = data.draw(st.integers(6, 12).flatmap(digits))
    found = [prefix, data.draw(digits(total - len(prefix)))] if total else [prefix]
    if scheme.startswith("itip"):
        found += [data.draw(PIECES), data.draw(PIECES)]
    if longest:
        return [*found, data.draw(st.text(PLAIN, min_size=1, max_size=longest))]
    return [*found, str(data.draw(st.integers(0, 2**38 - 1)))]


def agree(tag: Any, scheme: str, filter_value: int) -> None:
    coding = tag.BinaryCodingScheme(scheme)
    kinds = [kind for kind in _filters(tag) if kind.value == str(filter_value)]
    assume(kinds)
    epc = decode_epc(tag.hex(binary_coding_scheme=coding, filter_value=kinds[0]))
    assert (epc.scheme, epc.filter_value, epc.uri) == (scheme, filter_value, tag.epc_uri)
    told = tag.gs1_element_string()
    # the extension 0 says that there is none (TDS 6.3.4), which epcpy tells all the same
    assert epc.element_string == told.removesuffix("(254)0")


def _filters(tag: Any) -> Any:
    module = __import__(type(tag).__module__, fromlist=["x"])
    return getattr(module, f"{type(tag).__name__}FilterValue")


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.data(), filter_value=st.integers(0, 7))
def test_what_epcpy_encodes(scheme: str, data: st.DataObject, filter_value: int) -> None:
    kind = SCHEMES[scheme][0]
    uri = f"urn:epc:id:{scheme.partition('-')[0]}:{'.'.join(fields(data, scheme))}"
    agree(kind(uri), scheme, filter_value)


@given(data=st.data(), filter_value=st.integers(0, 7))
def test_logistic_units_that_epcpy_encodes(data: st.DataObject, filter_value: int) -> None:
    prefix = data.draw(st.integers(6, 12).flatmap(digits))
    reference = data.draw(digits(17 - len(prefix)))
    agree(theirs.SSCC(f"urn:epc:id:sscc:{prefix}.{reference}"), "sscc-96", filter_value)


@pytest.mark.parametrize(
    ("header", "kind"), [("30", theirs.SGTIN), ("32", theirs.SGLN), ("33", theirs.GRAI)]
)
@given(noise=st.binary(min_size=11, max_size=11))
def test_noise_that_both_can_read_is_read_alike(header: str, kind: Any, noise: bytes) -> None:
    text = header + noise.hex()
    try:
        ours = decode_epc(text).uri
    except EpcError:
        return  # which of these epcpy takes all the same is its own affair
    assert kind.from_hex(text).epc_uri == ours
