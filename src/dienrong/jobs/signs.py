"""Signs between processes beside the database, for as long as a job's transaction holds SQLite's only writer.

In that time nobody else can write: neither the heartbeat its progress, nor a person the wish to cancel. Small files
in the data folder carry both. On other databases nothing is written here; there the database serves.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection

FOLDER = "jobs"


class Sign(NamedTuple):
    """What a running job said of itself last."""

    ticket: int
    stage: str
    share: float


def are_needed() -> bool:
    """Tell whether the database has one writer alone."""
    return str(connection.vendor) == "sqlite"


def say(job_id: uuid.UUID, sign: Sign) -> None:
    """Leave stage and share done, whole at once."""
    _write(_progress(job_id), json.dumps(list(sign)))


def said(job_id: uuid.UUID) -> Sign | None:
    """Read what a job said last; None where it said nothing."""
    try:
        ticket, stage, share = json.loads(_progress(job_id).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Sign(int(ticket), str(stage), float(share))


def ask_to_stop(job_id: uuid.UUID, ticket: int) -> None:
    """Ask a running job to stop; only the run with this ticket heeds it."""
    _write(_stop(job_id), str(ticket))


def is_asked_to_stop(job_id: uuid.UUID, ticket: int) -> bool:
    """Tell whether somebody asked this run to stop."""
    try:
        return _stop(job_id).read_text(encoding="ascii") == str(ticket)
    except OSError:
        return False


def clear(job_id: uuid.UUID) -> None:
    """Take the signs of a job away."""
    for file in (_progress(job_id), _stop(job_id)):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _progress(job_id: uuid.UUID) -> Path:
    """Name the file of the progress."""
    return Path(settings.DATA_DIR) / FOLDER / f"{job_id}.progress"


def _stop(job_id: uuid.UUID) -> Path:
    """Name the file of the wish to stop."""
    return Path(settings.DATA_DIR) / FOLDER / f"{job_id}.stop"


def _write(file: Path, text: str) -> None:
    """Write a file so that whoever reads it sees the old or the new content; a full disk stops no job."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
