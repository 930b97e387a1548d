"""A division that depends on names alone: the same today and tomorrow, whatever else there is."""

import hashlib


def fraction(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
