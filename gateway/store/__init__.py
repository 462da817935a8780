"""Durable truth: one SQLite file for the ledger, the rules' state and all that must survive.

Written by one thread over one connection (`Store`), read over others (`StoreReader`).
"""

from gateway.store.reading import StoreReader
from gateway.store.store import Store
from gateway.store.words import (
    Clocks,
    Committed,
    Epoch,
    HighWaterBeyondLast,
    Identity,
    LedgerRow,
    Opened,
    PulseRow,
    Quarantined,
    RaisedAlert,
    Settled,
    StateRow,
    StoreFailed,
    StoreFull,
    StoreRefused,
    StoreSpent,
    StoreStatus,
    VerifyReport,
    WallTime,
    Window,
)
from gateway.uplink.outbox import Result

__all__ = [
    "Clocks",
    "Committed",
    "Epoch",
    "HighWaterBeyondLast",
    "Identity",
    "LedgerRow",
    "Opened",
    "PulseRow",
    "Quarantined",
    "RaisedAlert",
    "Result",
    "Settled",
    "StateRow",
    "Store",
    "StoreFailed",
    "StoreFull",
    "StoreReader",
    "StoreRefused",
    "StoreSpent",
    "StoreStatus",
    "VerifyReport",
    "WallTime",
    "Window",
]
