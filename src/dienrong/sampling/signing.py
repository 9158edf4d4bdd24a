"""The signature of the installation over the record of a draw: Ed25519, its key made once in the data folder.

Anyone checks it with OpenSSL alone; the command stands on the public page and in the manual.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.utils.translation import gettext as _

from dienrong.core.refusals import Refusal
from dienrong.sampling.kept import KEY_FILE


class KeyUnusable(Refusal):
    """The key of the installation cannot be read."""

    code = "sampling.key_unusable"


def sign(content: bytes) -> tuple[str, str]:
    """Sign bytes; give signature and public key, both in base64."""
    key = _key()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(key.sign(content)).decode(), base64.b64encode(public).decode()


def is_signed(content: bytes, signature: str, public_key: str) -> bool:
    """Tell whether a signature belongs to bytes and key."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key)).verify(
            base64.b64decode(signature), content
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def public_pem(public_key: str) -> bytes:
    """Write a public key as OpenSSL reads it."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def fingerprint(public_key: str) -> str:
    """Give the SHA-256 of a public key in groups of four digits, to be read out and compared."""
    digits = hashlib.sha256(base64.b64decode(public_key)).hexdigest()
    return " ".join(digits[start : start + 4] for start in range(0, 32, 4))


def _key() -> Ed25519PrivateKey:
    """Read the key of the installation; of several processes that make it together one wins."""
    kept = Path(settings.DATA_DIR) / KEY_FILE
    if not kept.exists():
        _keep_new_key(kept)
    try:
        key = load_pem_private_key(kept.read_bytes(), password=None)
    except (ValueError, OSError) as error:
        raise KeyUnusable(
            _("The key with which records are signed cannot be read."),
            hint=_("Put the file draw_key of the backup back into the data folder."),
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(
            _("The key with which records are signed cannot be read."),
            hint=_("Put the file draw_key of the backup back into the data folder."),
        )
    return key


def _keep_new_key(kept: Path) -> None:
    """Put a new key in its place, whole at once and readable by its owner alone."""
    content = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    kept.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=kept.parent, prefix=f".{KEY_FILE}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, kept)
    finally:
        os.unlink(draft)
