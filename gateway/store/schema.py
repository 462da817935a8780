"""The tables, and what SQLite is told about them.

A ledger key is `epoch number << 40 | seq`: keys grow over all epochs of the file, and the records
of one epoch lie together. No table has an index besides its primary key, since each index is one
more page to write per movement. Rule state has a rowid on purpose: a WITHOUT ROWID row of more than
a fifth of a page spills into a page of its own.
"""

from __future__ import annotations

SCHEMA_VERSION = 1

SEQ_BITS = 40
"""A trillion records an epoch, and eight million epochs."""

PAGE_BYTES = 512
"""Small, because a commit writes whole pages: by tests/bench/store.py a movement that is committed
alone costs 7 kB with 512, 10 kB with 1024, 16 kB with 2048 and 26 kB with 4096 bytes a page."""

CHECKPOINT_PAGES = 4000
"""The WAL, 2 MB then, is moved into the file beyond this and starts over at its beginning. A longer
one saves little more and costs the file system journal writes while it grows."""

ANCHORS_MAX = 1000
"""Anchors kept: at one a minute, the last 16 hours; the newest is what a restart needs."""

PULSES_MAX = 1000
"""Finished pulses kept for people to look at."""

PROPOSAL_ROWS = "proposal"
"""Stands where a rule's name stands: records of the proposals that wait, by id."""

LIGHT_ROWS = "shown"
"""Stands where a rule's name stands: what the lights that are lit show, by light."""

EVIDENCE_MAX = 20_000
"""Evidence rows kept: some hours of a busy site, about 20 MB."""

EVIDENCE_SLACK = 64
"""Evidence goes in lots, so that not every movement pays for a delete."""

TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE epoch(
  number INTEGER PRIMARY KEY, uuid TEXT, gateway TEXT, machine TEXT, reason TEXT,
  size INTEGER, high_water INTEGER, range BLOB) STRICT;
CREATE TABLE boot(number INTEGER PRIMARY KEY, boot_id TEXT) STRICT;
CREATE TABLE anchor(
  id INTEGER PRIMARY KEY, boot_id TEXT, boottime_ns INTEGER, unix_ns INTEGER, quality TEXT) STRICT;
CREATE TABLE ledger(
  key INTEGER PRIMARY KEY, kind TEXT, boot INTEGER, recorded_ns INTEGER,
  recorded_unix_ns INTEGER, leaf_hash BLOB, body BLOB) STRICT;
CREATE TABLE evidence(key INTEGER PRIMARY KEY, body BLOB) STRICT;
CREATE TABLE settlement(key INTEGER PRIMARY KEY, core_document_no TEXT) STRICT;
CREATE TABLE quarantine(
  key INTEGER PRIMARY KEY, kind TEXT, cause TEXT, reason TEXT, at_unix_ns INTEGER,
  body BLOB, requeued_as INTEGER) STRICT;
CREATE TABLE state(
  rule TEXT, key TEXT, schema INTEGER, value TEXT, PRIMARY KEY(rule, key)) STRICT;
CREATE TABLE reference(
  kind TEXT, code TEXT, version INTEGER, value TEXT, PRIMARY KEY(kind, code)) STRICT, WITHOUT ROWID;
CREATE TABLE alert(
  code TEXT, key TEXT, severity TEXT, text TEXT, ledger_key INTEGER,
  PRIMARY KEY(code, key)) STRICT, WITHOUT ROWID;
CREATE TABLE pulse(
  id INTEGER PRIMARY KEY, device TEXT, kind TEXT, cell TEXT, status TEXT) STRICT;
"""

ADDED_TABLES = """
CREATE TABLE IF NOT EXISTS acknowledgement(
  code TEXT, key TEXT, actor TEXT, note TEXT, at_unix_ns INTEGER,
  PRIMARY KEY(code, key)) STRICT, WITHOUT ROWID;
"""
"""Made in files that older releases made. These do not look at them, so that one can go back."""


def ledger_key(epoch_number: int, seq: int) -> int:
    """The primary key of one record."""
    return epoch_number << SEQ_BITS | seq


def split_key(key: int) -> tuple[int, int]:
    """Epoch number and seq of a key."""
    return key >> SEQ_BITS, key & ((1 << SEQ_BITS) - 1)
