"""Where frames, uploads, records and the key of the installation lie, below the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings

FOLDER = "frames"
DRAFTS = "drafts"
UPLOAD_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".parquet")
KEY_FILE = "draw_key"


def frames_folder() -> Path:
    """Give the folder of frozen frames and records."""
    return Path(settings.DATA_DIR) / FOLDER


def population_path(plan: Any) -> Path:
    """Give the file of a plan's population while it is worked on."""
    return frames_folder() / DRAFTS / f"{plan.pk}.parquet"


def upload_path(name: str) -> Path:
    """Give the place of an uploaded file."""
    return frames_folder() / DRAFTS / Path(name).name


def keep_upload(file_name: str, data: bytes) -> str:
    """Keep an uploaded file under a random name with its ending; give the name."""
    name = secrets.token_hex(16) + Path(file_name).suffix.lower()
    path = upload_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return name


def frame_path(frame: Any) -> Path:
    """Give the file of a frozen frame."""
    return frames_folder() / Path(frame.file_name).name


def cells_path(frame: Any) -> Path:
    """Give the file with the fingerprints of a frozen frame's cells."""
    return frame_path(frame).with_suffix(".cells.json")


def record_path(draw: Any) -> Path:
    """Give the file of a draw's record."""
    return frames_folder() / Path(draw.record_name).name


def record_bytes(draw: Any) -> bytes:
    """Read the record of a draw, byte for byte as it was signed."""
    return record_path(draw).read_bytes()


def keep_record(name: str, content: bytes) -> None:
    """Write a record once, read-only; the same record again changes nothing."""
    path = frames_folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
    draft.write_bytes(content)
    os.chmod(draft, 0o444)
    os.replace(draft, path)
