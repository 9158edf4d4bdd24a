"""A calibration that was stopped goes on: its state in a file, tied to the data and the options it belongs to."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import CalibrationError
from lsakit.irt.acceleration import Trace


class FileJournal:
    """Keeps the state of an iteration in one file, replaced as a whole.

    Parameters
    ----------
    path : Path
        The file; its folder must be there.
    belongs_to : str
        Digest of data and options; a file with another one is refused.
    every : int, default 10
        Number of expectation steps between two writings.
    """

    def __init__(self, path: Path, belongs_to: str, *, every: int = 10) -> None:
        self._path = Path(path)
        self._belongs_to = belongs_to
        self._every = every
        self._last = 0

    def load(self) -> Trace | None:
        """Read the state, where the file is there.

        Returns
        -------
        Trace or None
            The state; None where there is no file.

        Raises
        ------
        CalibrationError
            If the file is no checkpoint, or belongs to other data or options.
        """
        if not self._path.exists():
            return None
        try:
            with np.load(self._path, allow_pickle=False) as kept:
                found = {name: kept[name] for name in kept.files}
            owner = str(found["belongs_to"])
            history = tuple((float(one), float(other)) for one, other in found["history"])
            trace = Trace(
                x=found["x"],
                mapped=found["mapped"],
                loglik=float(found["loglik"]),
                points=found["points"],
                residuals=found["residuals"],
                calls=int(found["calls"]),
                history=history,
            )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as cause:
            raise self._refusal(f"The file {self._path.name!r} is no checkpoint of a calibration.") from cause
        if owner != self._belongs_to:
            raise self._refusal(f"The checkpoint {self._path.name!r} belongs to other responses or options.")
        self._last = trace.calls
        return trace

    def save(self, trace: Trace) -> None:
        """Write the state, where enough steps were made since the last time.

        Parameters
        ----------
        trace : Trace
            The state.
        """
        if trace.calls < self._last + self._every:
            return
        self._last = trace.calls
        new = self._path.with_name(self._path.name + ".new")
        with new.open("wb") as file:
            np.savez(
                file,
                belongs_to=np.array(self._belongs_to),
                x=trace.x,
                mapped=trace.mapped,
                loglik=np.array(trace.loglik),
                points=trace.points,
                residuals=trace.residuals,
                calls=np.array(trace.calls),
                history=np.array(trace.history, dtype=float).reshape(-1, 2),
            )
        os.replace(new, self._path)

    def close(self) -> None:
        """Take the file away: the calibration is done."""
        self._path.unlink(missing_ok=True)

    def _refusal(self, what: str) -> CalibrationError:
        """Say what is wrong with the file, and the way out."""
        return CalibrationError(
            what,
            why="Going on from it would give numbers of another calibration.",
            hint="Delete the file to start anew, or name another one.",
            param="checkpoint",
            got=str(self._path),
        )


def digest_of(arrays: Iterable[NDArray[np.generic]], words: Iterable[str]) -> str:
    """Hash what a checkpoint belongs to.

    Parameters
    ----------
    arrays : Iterable of ndarray of shape (...)
        Responses, weights, groups, start values and masks.
    words : Iterable of str
        Names and options.

    Returns
    -------
    str
        Hexadecimal digest.
    """
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    for word in words:
        found.update(word.encode() + b"\0")
    return found.hexdigest()
