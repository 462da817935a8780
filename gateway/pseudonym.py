"""Names of people that tell nobody who they are.

Part of `gateway.model`; import them from there.
"""

from __future__ import annotations

import hashlib
import hmac

PSEUDONYM_DIGITS = 16
"""64 bits: no two of a million people share one."""


def pseudonym(key: bytes, actor: str) -> str:
    """What stands for that person, by a secret that stays here: hex digits, always the same ones;
    without a secret, the name itself.
    """
    if not key:
        return actor
    return hmac.new(key, actor.encode(), hashlib.sha256).hexdigest()[:PSEUDONYM_DIGITS]
