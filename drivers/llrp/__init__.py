"""LLRP readers (EPCglobal Low Level Reader Protocol 1.0.1 and 1.1) over TCP and TLS."""

from .driver import LlrpDriver

__all__ = ["LlrpDriver"]
