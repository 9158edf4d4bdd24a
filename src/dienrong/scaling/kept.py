"""Where files that were sent lie until they are frozen or thrown away, below the data folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

FOLDER = "scaling"


def folder() -> Path:
    """Give the folder of files that wait for their columns to be matched."""
    return Path(settings.DATA_DIR) / FOLDER


def ending_of(file_name: str) -> str:
    """Give the ending of a file's name; a packed file keeps both."""
    path = Path(file_name.lower())
    return "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix


def path_of(name: str) -> Path:
    """Give the place of a kept file."""
    return folder() / Path(name).name


def keep(file_name: str, chunks: Iterable[bytes]) -> str:
    """Write a file under a random name with its ending; give the name."""
    name = secrets.token_hex(16) + ending_of(file_name)
    path = path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
    return name


def forget(names: Iterable[str]) -> None:
    """Delete kept files; what is gone already is no matter."""
    for name in names:
        if name:
            path_of(name).unlink(missing_ok=True)
