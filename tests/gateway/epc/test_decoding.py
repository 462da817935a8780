import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.epc import EpcError, decode_epc, epc_of, gtin14
from gateway.epc.bits import STRING_CHARACTERS, Bits
from gateway.epc.decoding import _kind, kind_of

BY_PREFIX_ONLY = {
    "adi-var", "cpi-96", "cpi-var", "gdti-96", "gdti-174", "gid-96", "gsrn-96", "gsrnp-96",
    "sgcn-96", "usdod-96", "ADI", "CPI", "GDTI", "GID", "GSRN", "GSRNP", "SGCN", "USDOD",
}  # fmt: skip
SGTIN_PLUS = "f73795211411234538566cb0afc4"


def vectors(folder: Path, name: str) -> list[dict[str, Any]]:
    loaded = json.loads((folder / "tds" / name).read_text(encoding="utf-8"))
    return [vector for vector in loaded["vectors"] if vector.get("hex")]


@pytest.mark.parametrize(
    ("name", "count"), [("epcpy_vectors.json", 16), ("tds23_annexE3_vectors.json", 32)]
)
def test_published_vectors(data_folder: Path, name: str, count: int) -> None:
    found = vectors(data_folder, name)
    assert len(found) == count
    for vector in found:
        if vector["scheme"] in BY_PREFIX_ONLY:
            with pytest.raises(EpcError, match="is read by its prefix only"):
                decode_epc(vector["hex"])
            continue
        epc = decode_epc(vector["hex"])
        assert epc.uri == (vector.get("epc_uri") or vector.get("uri") or ""), vector
        assert epc.element_string == vector["gs1_element_string"]
        if vector.get("tag_uri"):
            told = vector["tag_uri"].removeprefix("urn:epc:tag:")
            assert told.startswith(f"{epc.scheme}:{epc.filter_value}.{epc.company_prefix}.")
        if vector.get("digital_link"):
            # the host of a `++` tag is not read
            host = "id.example.com" if epc.scheme.endswith("++") else "id.gs1.org"
            assert epc.digital_link.replace("id.gs1.org", host) == vector["digital_link"]


@pytest.mark.parametrize(
    ("digits", "gtin", "owned", "serial"),
    [
        ("3074257BF7194E4000001A85", "80614141123458", "061414112345", "6789"),
        (SGTIN_PLUS, "79521141123453", "952114112345", "32a/b"),
        ("311BA1B300CE0A6A83000000", "", "", "03456789123"),
        ("3276451FD46072000000162E", "", "", "5678"),
        ("3376451FD40C0E400000162E", "", "952114112345", "5678"),
        ("3476451FD40000000000162E", "", "95211415678", "5678"),
        ("FA3952114132E83C2BF10", "", "952114132a/b", "952114132a/b"),
        ("4076451FD40C0E40820000000F54", "09521141123454", "952114112345", "981"),
    ],
)
def test_what_a_tag_says_of_the_thing(digits: str, gtin: str, owned: str, serial: str) -> None:
    epc = decode_epc(digits)
    assert (epc.gtin, epc.owned, epc.serial) == (gtin, owned, serial)


def test_place_without_an_extension_has_none_in_its_link() -> None:
    assert decode_epc("3276451FD460720000000000").element_string == "(414)9521141123454"
    assert decode_epc("F23952114112345401" + "0" * 10).element_string == "(414)9521141123454"


@pytest.mark.parametrize(
    ("digits", "reason"),
    [
        ("", "it has 0 hexadecimal digits"),
        ("3", "it has 1 hexadecimal digits"),
        ("30" * 63, "it has 126 hexadecimal digits"),
        ("30zz", "no hexadecimal digits"),
        ("-30", "no hexadecimal digits"),
        ("3 0", "no hexadecimal digits"),
        ("000000000000000000000001", "header 00: the tag was never programmed"),
        ("e2801160600002054d0a1b2c", "header e2 is of no known scheme"),
        ("3074257BF7194E4000001A", "cut off: at least 96 bits are wanted and 88 are there"),
        ("30", "cut off: at least 11 bits are wanted and 8 are there"),
        ("307C257BF7194E4000001A85", "partition 7 does not exist"),
        ("347C257BF7194E4000001A85", "partition 7 does not exist"),
        ("3017ffffffffff4000001a85", "company prefix 16777215 has more than 7 digits"),
        ("3074257BFFFFFE4000001A85", "reference 1048569 has more than 6 digits"),
        ("3074257BF7194E4000001A850001", "bits that must be zero are not"),
        ("311BA1B300CE0A6A83000001", "bits that must be zero are not"),
        ("3674257BF6B7A659B2C2BF1000000000000000000000000001", "bits that must be zero are not"),
        ("3674257BF6B7A659B2C2BF1000000000000000000000000080", "has the character '\\x00', which"),
        ("3674257BF6B7A6000000000000000000000000000000000000", "the serial number is empty"),
        ("F73795211411234548566CB0AFC4", "the check digit of GTIN 79521141123454 is wrong"),
        ("F737952114112345a8566CB0AFC4", "the GTIN 7952114112345a is no decimal number"),
        ("F73795211411234538566CB0AFC5", "bits that must be zero are not"),
        ("F737952114112345385", "cut off"),
        ("F7379521141123453c566CB0AFC4", "is in no known encoding (6)"),
        ("F737952114112345380", "the serial number is empty"),
        ("F73795211411234539f", "31 characters, more than 20"),
        ("F9009520123456789123A", "the SSCC 09520123456789123a is no decimal number"),
        ("FB372CDE795211411234538566CB0AFC4", "of kind 7 does not exist"),
        ("FB34001E795211411234538566CB0AFC4", "does not exist"),
        ("FA3952114132D83C2BF10", "ends in d, neither e nor f"),
        ("FA3" + "1" * 31 + "F", "more than 30 characters"),
        ("F737952114112345303FFF", "the serial number 1023 has more than 3 digits"),
        ("F737952114112345300", "the serial number is empty"),
        ("F7379521141123453a30000", "URN code 40 are out of range"),
    ],
)
def test_what_cannot_be_told_is_said(digits: str, reason: str) -> None:
    with pytest.raises(EpcError) as caught:
        decode_epc(digits)
    assert reason in str(caught.value)
    assert epc_of(digits) is None


@given(st.one_of(st.text(max_size=130), st.binary(max_size=64).map(bytes.hex)))
def test_anything_is_an_epc_or_an_epc_error(digits: str) -> None:
    try:
        epc = decode_epc(digits)
    except EpcError:
        assert epc_of(digits) is None
        return
    assert epc.digital_link
    assert epc_of(digits) == epc


@given(
    st.sampled_from(["30", "36", "31", "32", "39", "33", "37", "34", "38", "40", "41"]), st.data()
)
def test_known_headers_over_noise_never_fail_otherwise(header: str, data: st.DataObject) -> None:
    digits = header + data.draw(st.binary(min_size=11, max_size=30)).hex()
    epc = epc_of(digits)
    assert epc is None or epc.uri.startswith("urn:epc:id:")


def packed(indicator: int, text: str) -> str:
    """A text of a `+` scheme as the standard encodes it, in hexadecimal digits."""
    code40 = " ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"
    base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bits = f"{indicator:03b}{len(text):05b}"
    if indicator == 0:
        bits += f"{int(text):0{(10 ** len(text) - 1).bit_length()}b}"
    elif indicator in {1, 2}:
        bits += "".join(f"{int(one, 16):04b}" for one in text)
    elif indicator == 3:
        bits += "".join(f"{base64.index(one):06b}" for one in text)
    elif indicator == 4:
        bits += "".join(f"{ord(one):07b}" for one in text)
    else:
        padded = text + " " * (-len(text) % 3)
        for a, b, c in zip(padded[::3], padded[1::3], padded[2::3], strict=True):
            value = 1600 * code40.index(a) + 40 * code40.index(b) + code40.index(c) + 1
            bits += f"{value:016b}"
    bits += "0" * (-len(bits) % 4)
    return f"{int(bits, 2):0{len(bits) // 4}x}"


CHARACTERS = {
    0: "0123456789",
    1: "0123456789ABCDEF",
    2: "0123456789abcdef",
    3: "abcXYZ019-_",
    4: "".join(sorted(STRING_CHARACTERS)),
    5: "ABCXYZ-.:0189",
}


@given(st.data(), st.sampled_from(sorted(CHARACTERS)))
def test_serial_in_every_encoding(data: st.DataObject, indicator: int) -> None:
    serial = data.draw(st.text(CHARACTERS[indicator], min_size=1, max_size=20))
    epc = decode_epc("f7179521141123453" + packed(indicator, serial))
    assert epc.serial == serial
    assert epc.elements == (("01", "79521141123453"), ("21", serial))


def test_asset_number_goes_on_after_its_digits() -> None:
    assert decode_epc("FA3952114132F").elements == (("8004", "952114132"),)
    assert decode_epc("FA39521E" + packed(5, "AB-1")).elements == (("8004", "9521AB-1"),)


def test_data_behind_the_epc_of_a_plus_tag_is_left_alone() -> None:
    assert decode_epc("f7b" + SGTIN_PLUS[3:] + "17ff").serial == "32a/b"


@pytest.mark.parametrize(
    ("text", "gtin"),
    [
        ("96385074", "00000096385074"),
        ("614141123452", "00614141123452"),
        ("9506000134352", "09506000134352"),
        ("79521141123453", "79521141123453"),
    ],
)
def test_gtin_of_any_length_has_fourteen_digits(text: str, gtin: str) -> None:
    assert gtin14(text) == gtin


@pytest.mark.parametrize("text", ["", "9506000134353", "950600013435", "95060001343X2", "१२३४५६७८"])
def test_wrong_gtin_is_refused(text: str) -> None:
    with pytest.raises(EpcError):
        gtin14(text)


def test_bits_run_out_where_they_end() -> None:
    bits = Bits("a5")
    assert (bits.take(4), bits.take(3)) == (0xA, 2)
    with pytest.raises(EpcError, match="at least 9 bits are wanted and 8 are there"):
        bits.take(2)


def test_all_pieces_of_a_trade_item_are_decoded_once_to_know_their_kind() -> None:
    tag = 0x3074257BF7194E4000001A85
    kinds = {kind_of(f"{tag ^ serial:024x}") for serial in (0, 1, 0x3FFFFFFFFF)}
    assert kinds == {("80614141123458", "061414112345")}
    assert kind_of(f"{tag ^ 1 << 38:024x}") != kind_of(f"{tag:024x}")
    before = _kind.cache_info().misses
    assert all(kind_of(f"{tag + serial:024x}") for serial in range(1000))
    assert _kind.cache_info().misses == before


@given(st.sampled_from(["30", "36", "33", "f7"]), st.binary(min_size=10, max_size=14))
def test_kind_is_what_the_whole_tag_says(header: str, noise: bytes) -> None:
    digits = header + noise.hex()
    epc = epc_of(digits)
    assert kind_of(digits) == ((epc.gtin, epc.owned) if epc else None)
