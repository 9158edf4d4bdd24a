"""Where files and rows lie: in a folder of their own below the data folder, sealed where they are personal."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from dienrong.core import sealing

FILE_PURPOSE = "imports.file"
ROWS_PURPOSE = "imports.rows"
FOLDER = "uploads"
NAME = re.compile(r"[0-9a-f]{32}")
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=DjangoJSONEncoder().default
).encode


class FileGone(Exception):  # noqa: N818 - it says what happened
    """The file was deleted when its time was over."""


def uploads_folder() -> Path:
    """Give the folder of all uploads."""
    return Path(settings.DATA_DIR) / FOLDER


def keep_file(data: bytes, *, is_personal: bool) -> str:
    """Write a file under a random name and give the name; sealed where it holds personal data."""
    name = secrets.token_hex(16)
    folder = uploads_folder()
    folder.mkdir(parents=True, exist_ok=True)
    content = sealing.seal(FILE_PURPOSE, data) if is_personal else data
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return name


def kept_file(name: str, *, is_personal: bool) -> bytes:
    """Read a kept file.

    Raises
    ------
    FileGone
        If it was deleted.
    """
    if not NAME.fullmatch(name):
        raise FileGone
    try:
        content = (uploads_folder() / name).read_bytes()
    except FileNotFoundError as error:
        raise FileGone from error
    return sealing.open_sealed(FILE_PURPOSE, content) if is_personal else content


def forget_file(name: str) -> None:
    """Delete a kept file; one that is gone is no matter."""
    if NAME.fullmatch(name):
        with contextlib.suppress(FileNotFoundError):
            (uploads_folder() / name).unlink()


def packed(value: Any, *, is_personal: bool, sealer: sealing.Sealer | None = None) -> bytes:
    """Write a value as JSON bytes, sealed where it is personal; whoever packs many hands in ``rows_sealer()``."""
    content = _encode(value).encode("utf-8")
    return (sealer or rows_sealer()).seal(content) if is_personal else content


def unpacked(content: bytes, *, is_personal: bool, sealer: sealing.Sealer | None = None) -> Any:
    """Read what ``packed`` wrote."""
    content = bytes(content)
    return json.loads((sealer or rows_sealer()).open(content) if is_personal else content)


def rows_sealer() -> sealing.Sealer:
    """Give what seals and opens many rows with one look-up of the key."""
    return sealing.Sealer(ROWS_PURPOSE)
