"""Files of releases: a folder for each below the data folder; archives and personal copies beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings

from dienrong.datasets.models import Grant, Release


def root() -> Path:
    """Give the folder of the room."""
    return Path(settings.DATA_DIR) / "datasets"


def folder_of(release: Release) -> Path:
    """Give the folder of the files of a release."""
    return root() / f"release-{release.pk}" / "files"


def archive_of(release: Release) -> Path:
    """Give the archive of a release."""
    return root() / f"release-{release.pk}" / f"{release.slug}-{release.version}.zip"


def swaps_of(release: Release) -> Path:
    """Give the sealed log of swaps of a release."""
    return root() / f"release-{release.pk}" / "swaps.sealed"


def copy_of(grant: Grant) -> Path:
    """Give the personal copy of a grant."""
    return root() / "copies" / f"{grant.copy_id}.zip"


def clear(release: Release) -> None:
    """Remove what an earlier, broken build left."""
    shutil.rmtree(root() / f"release-{release.pk}", ignore_errors=True)
    folder_of(release).mkdir(parents=True)


def is_whole(path: Path, n_bytes: int) -> bool:
    """Tell whether a file is there at its full length."""
    return path.is_file() and path.stat().st_size == n_bytes
