"""How values of options are read from text: each reader refuses what it does not know and says what would do."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

LANGUAGES = ("vi", "en")
LOG_LEVELS = ("debug", "info", "warning", "error")
DATABASE_SCHEMES = ("sqlite", "postgresql", "postgres")
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


def parse_flag(text: str) -> bool:
    """Read yes or no."""
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError("one of 1, 0, true, false, yes, no, on, off")


def parse_list(text: str) -> tuple[str, ...]:
    """Read names separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def parse_path(text: str) -> Path:
    """Read a folder or file name; ``~`` is the home folder."""
    if not text.strip():
        raise ValueError("the name of a folder")
    return Path(text.strip()).expanduser()


def parse_text(text: str) -> str:
    """Read text as it stands, without blanks at its ends."""
    return text.strip()


def parse_time_zone(text: str) -> str:
    """Read the name of a time zone of the IANA list."""
    try:
        return zoneinfo.ZoneInfo(text.strip()).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("a time zone of the IANA list, such as Asia/Ho_Chi_Minh") from error


def parse_database_url(text: str) -> str:
    """Read the address of a database; empty means the SQLite file in the data folder."""
    address = text.strip()
    if address and urlsplit(address).scheme not in DATABASE_SCHEMES:
        raise ValueError("sqlite:///folder/file.sqlite3 or postgresql://user:password@host:5432/name")
    return address


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Make a reader of whole numbers between two bounds, both included."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\s*[0-9]{1,9}\s*", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def parse_vault_key(text: str) -> str:
    """Read a key of 32 bytes, as hexadecimal digits; empty means the file in the data folder."""
    if text.strip() and not re.fullmatch(r"[0-9a-fA-F]{64}", text.strip()):
        raise ValueError("64 hexadecimal digits (32 bytes)")
    return text.strip().lower()


def parse_issuer(text: str) -> str:
    """Read the address of a provider of OpenID Connect; http only on this machine itself."""
    address = text.strip().rstrip("/")
    if not address:
        return ""
    parts = urlsplit(address)
    is_here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if not (parts.hostname and (parts.scheme == "https" or is_here)) or parts.query or parts.fragment:
        raise ValueError("an address such as https://provider.example (http on this machine alone)")
    return address


MAIL_SCHEMES = ("smtp", "smtp+starttls", "smtps")


def parse_mail_url(text: str) -> str:
    """Read the address of a mail server; empty means that no mail is sent."""
    address = text.strip()
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if address and (
        parts.scheme not in MAIL_SCHEMES or not parts.hostname or port == -1 or parts.path not in ("", "/")
    ):
        raise ValueError(
            "smtp://host:25, smtp+starttls://user:password@host:587 or smtps://user:password@host:465"
        )
    return address


def parse_site_url(text: str) -> str:
    """Read the public address of an installation; empty where it is not known."""
    address = text.strip().rstrip("/")
    parts = urlsplit(address)
    if address and (
        parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
    ):
        raise ValueError("an address such as https://danhgia.example.vn")
    return address


def one_of(*words: str) -> Callable[[str], str]:
    """Make a reader that accepts only these words, in any case."""

    def parse(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError("one of " + ", ".join(words))
        return word

    return parse
