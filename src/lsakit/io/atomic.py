"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lsakit.errors import FileFormatError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file beside its place and move it there only when everything succeeded.

    Parameters
    ----------
    path : Path
        Where the file shall stand in the end; an older file there stays until the last moment.

    Yields
    ------
    Path
        A fresh, empty file in the same folder, with the same suffix; removed if the block fails.

    Raises
    ------
    FileFormatError
        If the folder is absent or may not be written.

    Notes
    -----
    The data are flushed to the disk before the rename, so that a power cut leaves the old file or the new.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "a.txt") as draft:
    ...     _ = draft.write_text("whole")
    >>> [entry.name for entry in folder.iterdir()]
    ['a.txt']
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    except OSError as error:
        raise FileFormatError(
            f"The file {path.name!r} cannot be written: {error.strerror or error}.",
            hint="Check that its folder exists and may be written.",
            param="path",
            got=str(path),
        ) from error
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        with draft.open("rb+") as stream:
            os.fsync(stream.fileno())
        draft.chmod(0o666 & ~_umask())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _umask() -> int:
    """Read the process's file mode mask, which the system lets one read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
