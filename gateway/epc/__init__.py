"""EPCs as GS1's Tag Data Standard 2.3 encodes them: from the hexadecimal digits of a tag to the
thing that carries it. Pure.

Of trade items (SGTIN, DSGTIN, ITIP), logistic units (SSCC), places (SGLN) and assets (GRAI, GIAI),
in the schemes of TDS 1.x and the `+` and `++` schemes of TDS 2.x. Others are known by name only.
"""

from gateway.epc.decoding import decode_epc, epc_of
from gateway.epc.identity import Epc, EpcError, gtin14
from gateway.epc.index import EpcIndex
from gateway.epc.pattern import EpcPattern

__all__ = [
    "QUARANTINE_ROW",
    "Epc",
    "EpcError",
    "EpcIndex",
    "EpcPattern",
    "decode_epc",
    "epc_of",
    "gtin14",
]

QUARANTINE_ROW = "quarantine:"
"""Before the EPC, the key of a durable row of the rule that keeps it aside; its value tells `place`
and `reason`.
"""
