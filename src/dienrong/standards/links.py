"""Links and PINs of panelists: signed by this installation, bound to a version, so that they can be revoked.

The link is short enough to be typed on a shared computer: ``/dat-chuan/phieu/12-abcd-efgh-jkmn`` holds the panelist's
key and 60 bits of a keyed digest of key and version. The PIN has six digits, lies sealed, and is shown on the slip.
"""

from __future__ import annotations

import re
import secrets

from dienrong.core import sealing

LINK_PURPOSE, PIN_PURPOSE = "standards.link", "standards.pin"
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
N_LETTERS, PIN_DIGITS = 12, 6
CODE = re.compile(rf"([1-9][0-9]{{0,9}})-([{LETTERS}]{{4}})-([{LETTERS}]{{4}})-([{LETTERS}]{{4}})")


def link_code(key: int, version: int) -> str:
    """Give the code of a panelist's link, in groups of four letters."""
    number = int(sealing.keyed_digest(LINK_PURPOSE, f"{key}:{version}"), 16)
    letters = ""
    for _place in range(N_LETTERS):
        number, rest = divmod(number, len(LETTERS))
        letters += LETTERS[rest]
    return f"{key}-{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def key_of(code: str) -> int | None:
    """Give the panelist's key that a code names; None where it has no such form."""
    found = CODE.fullmatch(code.strip().lower())
    return int(found[1]) if found else None


def is_code_of(code: str, key: int, version: int) -> bool:
    """Tell whether a code is that of this panelist and version."""
    return secrets.compare_digest(code.strip().lower().encode(), link_code(key, version).encode())


def new_pin() -> str:
    """Make a PIN."""
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"


def seal_pin(pin: str) -> bytes:
    """Seal a PIN."""
    return sealing.seal(PIN_PURPOSE, pin.encode())


def read_pin(sealed: bytes) -> str:
    """Open a sealed PIN."""
    return sealing.open_sealed(PIN_PURPOSE, sealed).decode()


def is_pin(typed: str, sealed: bytes) -> bool:
    """Tell whether what was typed is the PIN; blanks between digits are overlooked."""
    return secrets.compare_digest(re.sub(r"\s", "", typed).encode(), read_pin(sealed).encode())
