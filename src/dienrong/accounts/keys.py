"""Secrets of 256 random bits: links and API keys. The database keeps their SHA-256 alone."""

from __future__ import annotations

import hashlib
import secrets

API_PREFIX = "dr_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Make a secret of 256 random bits that fits into an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_of_secret(raw: str) -> str:
    """Give the SHA-256 under which a secret is kept; 256 random bits need no slow hash."""
    return hashlib.sha256(raw.encode("utf-8")).hexdigest()
