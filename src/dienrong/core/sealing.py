"""Sealing what may not lie open in the database: sealed bytes, and digests that only this installation can make.

One key of 32 bytes serves the whole installation: the option ``DIENRONG_VAULT_KEY``, else the file ``vault_key``
in the data folder, made once and readable by its owner alone. From it each purpose gets a key of its own
(HKDF-SHA256), so that what one room sealed no other room opens. **Whoever loses this key loses what was sealed**:
it belongs into the backup, apart from the database.

Sealed bytes are: one byte of format (1), four bytes that name the key, twelve bytes of nonce, AES-256-GCM.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

FORMAT = b"\x01"
KEY_BYTES = 32
KEY_NAME_BYTES = 4
NONCE_BYTES = 12
FILE_NAME = "vault_key"


class SealBroken(ValueError):  # noqa: N818 - a broken seal is what it is
    """Sealed bytes cannot be opened: another key, another purpose, or changed bytes."""


def seal(purpose: str, content: bytes) -> bytes:
    """Seal bytes for a purpose; the same bytes sealed twice differ.

    Parameters
    ----------
    purpose : str
        What the content is for, as ``"room.thing"``: ``"accounts.totp"``. Opening needs the same purpose.
    content : bytes
        What to seal; its length shows, its content does not.
    """
    return Sealer(purpose).seal(content)


def open_sealed(purpose: str, sealed: bytes) -> bytes:
    """Open sealed bytes.

    Raises
    ------
    SealBroken
        If the bytes were sealed by another key or for another purpose, or were changed since.
    """
    return Sealer(purpose).open(sealed)


def keyed_digest(purpose: str, text: str) -> str:
    """Give the HMAC-SHA256 of a text under this purpose's key, as 64 hexadecimal digits.

    Equal texts give equal digests, so a digest can be looked up; without the key nobody can try texts out.
    """
    return Digester(purpose)(text)


class Sealer:
    """Seals and opens for one purpose with the key looked up once: for loops over many rows.

    It keeps the key of the moment it was made, so it lives no longer than one call of an operation or a query.

    Parameters
    ----------
    purpose : str
        As for ``seal``.
    """

    __slots__ = ("_aead", "_head", "_purpose")

    def __init__(self, purpose: str) -> None:
        key = _derived(_master_key(), "seal", purpose)
        self._purpose, self._head, self._aead = purpose, FORMAT + _key_name(key), AESGCM(key)

    def seal(self, content: bytes) -> bytes:
        """Seal bytes; the same bytes sealed twice differ."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return self._head + nonce + self._aead.encrypt(nonce, content, self._head)

    def open(self, sealed: bytes) -> bytes:
        """Open sealed bytes.

        Raises
        ------
        SealBroken
            As for ``open_sealed``.
        """
        sealed = bytes(sealed)  # PostgreSQL gives a memoryview
        end_of_head = len(FORMAT) + KEY_NAME_BYTES
        head, nonce = sealed[:end_of_head], sealed[end_of_head : end_of_head + NONCE_BYTES]
        if head[:1] != FORMAT or len(nonce) != NONCE_BYTES:
            raise SealBroken("these bytes are not sealed, or were cut")
        if head != self._head:
            raise SealBroken(
                f"sealed for another purpose than {self._purpose!r} or by another key: "
                f"put back the {FILE_NAME} of then"
            )
        try:
            return self._aead.decrypt(nonce, sealed[end_of_head + NONCE_BYTES :], head)
        except InvalidTag as error:
            raise SealBroken("the sealed bytes were changed") from error


class Digester:
    """Makes the digests of ``keyed_digest`` for one purpose with the key looked up once.

    Parameters
    ----------
    purpose : str
        As for ``keyed_digest``.
    """

    __slots__ = ("_started",)

    def __init__(self, purpose: str) -> None:
        self._started = hmac.new(_derived(_master_key(), "digest", purpose), digestmod=hashlib.sha256)

    def __call__(self, text: str) -> str:
        """Give the digest of a text."""
        digest = self._started.copy()
        digest.update(text.encode("utf-8"))
        return digest.hexdigest()


def key_from_text(text: str) -> bytes:
    """Read a key written as 64 hexadecimal digits.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("64 hexadecimal digits (32 bytes)")
    return key


def _master_key() -> bytes:
    """Give the key of the installation: the option, else the file, which is made at first use."""
    if settings.OPTIONS.vault_key:
        return key_from_text(settings.OPTIONS.vault_key)
    return _kept_key(f"{settings.DATA_DIR}/{FILE_NAME}")  # text: joining paths would cost more than sealing


@functools.lru_cache(maxsize=4)
def _kept_key(name: str) -> bytes:
    """Read the key in the data folder; of several processes that make it together one wins."""
    kept = Path(name)
    if not kept.exists():
        _keep_new_key(kept)
    try:
        return key_from_text(kept.read_text(encoding="ascii"))
    except ValueError as error:
        raise SealBroken(f"{kept} holds no usable key; put back the file of the backup") from error


def _keep_new_key(kept: Path) -> None:
    """Put a new key in its place, whole at once and readable by its owner alone."""
    descriptor, draft = tempfile.mkstemp(dir=kept.parent, prefix=f".{FILE_NAME}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, kept)
    finally:
        os.unlink(draft)


@functools.lru_cache(maxsize=64)
def _derived(master: bytes, use: str, purpose: str) -> bytes:
    """Derive the key of one use and purpose."""
    information = f"dienrong/{use}/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=information).derive(master)


def _key_name(key: bytes) -> bytes:
    """Give four bytes by which a derived key is known, and that tell nothing about it."""
    return hashlib.sha256(b"name of key" + key).digest()[:KEY_NAME_BYTES]
