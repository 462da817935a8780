"""A simulated LLRP reader on real sockets, and a player of recorded readers.

Written from the LLRP 1.0.1 standard alone: it shares no codec with any driver, so that the two
can prove each other.
"""

from simulators.llrp.device import IMPINJ_R420, PLAIN, Device
from simulators.llrp.faults import Faults
from simulators.llrp.field import Sighting, StillField, TagField, numbered_epcs
from simulators.llrp.radio import RadioSettings
from simulators.llrp.reader import LlrpReader, Options

__all__ = [
    "IMPINJ_R420",
    "PLAIN",
    "Device",
    "Faults",
    "LlrpReader",
    "Options",
    "RadioSettings",
    "Sighting",
    "StillField",
    "TagField",
    "numbered_epcs",
]
