"""The compact range against the recursive definition of RFC 6962 section 2.1."""

from __future__ import annotations

from hashlib import sha256

import pytest

from gateway.store.merkle import CompactRange, leaf_hash


def root_by_definition(leaves: list[bytes]) -> bytes:
    """MTH(D[n]), with k the largest power of two smaller than n."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = root_by_definition(leaves[:split]), root_by_definition(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", range(101))
def test_root_equals_definition(size: int) -> None:
    leaves = [f"leaf {number}".encode() for number in range(size)]
    grown = CompactRange().extend(leaf_hash(leaf) for leaf in leaves)
    assert grown.root() == root_by_definition(leaves)
    assert len(grown.hashes) == size.bit_count()


def test_extend_in_parts_equals_at_once() -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(77)]
    parts = CompactRange()
    for start in range(0, 77, 5):
        parts = parts.extend(leaves[start : start + 5])
    assert parts == CompactRange().extend(leaves)


def test_root_of_known_tree() -> None:
    """The eight-leaf test vector of the certificate-transparency reference tree."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    inputs.append("606162636465666768696a6b6c6d6e6f")
    tree = CompactRange().extend(leaf_hash(bytes.fromhex(data)) for data in inputs)
    assert tree.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_packed_range_unpacks() -> None:
    grown = CompactRange().extend(leaf_hash(bytes([number])) for number in range(11))
    assert CompactRange.unpack(11, grown.pack()) == grown


def test_unpack_refuses_wrong_size() -> None:
    with pytest.raises(ValueError, match="no compact range of 3 leaves"):
        CompactRange.unpack(3, bytes(32))
