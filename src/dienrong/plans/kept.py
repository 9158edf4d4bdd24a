"""Files of this room: reports as sent and signed copies, kept under the hash of their content, sealed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from dienrong.core import sealing
from dienrong.core.refusals import Refusal

PURPOSE = "plans.file"


class FileGone(Refusal):
    """A kept file is gone or was changed."""

    code = "plans.file_gone"


def hash_of(content: bytes) -> str:
    """Give the hash under which content is kept."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _path(digest: str) -> Path:
    """Give the path of a file by its hash."""
    return Path(settings.DATA_DIR) / "plans" / digest.removeprefix("sha256:")


def keep(content: bytes) -> str:
    """Keep bytes, sealed, and give their hash; bytes that are kept already are left alone."""
    digest = hash_of(content)
    path = _path(digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_bytes(sealing.seal(PURPOSE, content))
        part.chmod(0o400)
        part.replace(path)
    return digest


def read(digest: str) -> bytes:
    """Open a kept file and check that it is what its name says.

    Raises
    ------
    FileGone
        If the file is gone or was changed.
    """
    try:
        content = sealing.open_sealed(PURPOSE, _path(digest).read_bytes())
    except (FileNotFoundError, sealing.SealBroken):
        content = b""
    if hash_of(content) != digest:
        raise FileGone(
            _("The file %(name)s is gone or was changed since.") % {"name": digest[:23]},
            hint=_("Ask whoever keeps the backup of the data folder."),
        )
    return content
