"""A release that was stopped goes on: its rounds in a file, tied to the data and the options it belongs to."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lsakit.errors import CalibrationError
from lsakit.irt.checkpoints import digest_of
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.plan import Held
from lsakit.irt.release_moves import Released
from lsakit.irt.response_data import ResponseData


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Where a release stands.

    Parameters
    ----------
    released : Released
        What is released.
    steps : list of dict
        The releases so far, as rows.
    number : int
        Rounds done.
    start : Held
        Fixed items, and the solution that the next round starts from.
    """

    released: Released
    steps: list[dict[str, Any]]
    number: int
    start: Held


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseJournal:
    """Keeps the rounds in one file, replaced as a whole.

    Parameters
    ----------
    path : Path or None
        The file; None keeps nothing.
    belongs_to : str
        Digest of data and options; a file with another one is refused.
    fixed : ItemParameters or None
        Items held fixed, which belong to the options and not to the file.
    """

    path: Path | None
    belongs_to: str
    fixed: ItemParameters | None

    @classmethod
    def of(
        cls,
        path: Path | None,
        data: ResponseData,
        fixed: ItemParameters | None,
        asked: tuple[Any, float, Any],
    ) -> ReleaseJournal:
        """Open the journal of a request.

        Parameters
        ----------
        path : Path or None
            The file.
        data : ResponseData
            The responses.
        fixed : ItemParameters or None
            Items held fixed.
        asked : tuple of (model, float, ReleaseOptions)
            Model, threshold and options.

        Returns
        -------
        ReleaseJournal
            The journal.
        """
        model, threshold, options = asked
        if path is None:
            return cls(path=None, belongs_to="", fixed=fixed)
        given = options.calibration
        words = [*data.items, *data.groups, repr(model if isinstance(model, str) else sorted(model.items()))]
        words += [
            repr(one) for one in (threshold, options.least_n, options.most_unique_share, options.on_alarm)
        ]
        words += [
            repr(one)
            for one in (options.sets_per_round, given.tolerance, given.priors, given.reference_group)
        ]
        words += [
            repr((item, sorted(sorted(one) for one in sets)))
            for item, sets in sorted(options.released.items())
        ]
        arrays = [data.codes, data.weight, data.group, given.nodes]
        if fixed is not None:
            arrays += [fixed.native, fixed.n_steps]
            words += [*fixed.names, *fixed.models]
        return cls(path=Path(path), belongs_to=digest_of(arrays, words), fixed=fixed)

    def load(self) -> Round | None:
        """Read where the release stands.

        Returns
        -------
        Round or None
            The state; None where there is no file.

        Raises
        ------
        CalibrationError
            If the file is no checkpoint of a release, or belongs to other data or options.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as kept:
                found = {name: kept[name] for name in kept.files}
            told = json.loads(str(found["told"]))
            start = _items_of(found, told)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as cause:
            raise self._refusal(f"The file {self.path.name!r} is no checkpoint of a release.") from cause
        if told["belongs_to"] != self.belongs_to:
            raise self._refusal(f"The checkpoint {self.path.name!r} belongs to other responses or options.")
        groups = {name: (float(mean), float(sd)) for name, (mean, sd) in told["groups"].items()}
        return Round(
            released=Released(
                sets={item: _tuples(sets) for item, sets in told["sets"].items()},
                seen={item: tuple(_tuples(sets) for sets in seen) for item, seen in told["seen"].items()},
                closed=tuple(told["closed"]),
            ),
            steps=told["steps"],
            number=told["number"],
            start=Held(fixed=self.fixed, start=start, groups=groups),
        )

    def save(self, state: Round) -> None:
        """Write where the release stands.

        Parameters
        ----------
        state : Round
            The state; its next round starts at a solution.
        """
        if self.path is None or state.start.start is None:
            return
        items = state.start.start
        told = {
            "belongs_to": self.belongs_to,
            "sets": state.released.sets,
            "seen": state.released.seen,
            "closed": state.released.closed,
            "steps": state.steps,
            "number": state.number,
            "groups": dict(state.start.groups),
            "names": items.names,
            "models": items.models,
        }
        new = self.path.with_name(self.path.name + ".new")
        with new.open("wb") as file:
            np.savez(
                file,
                told=np.array(json.dumps(told)),
                n_steps=items.n_steps,
                slope=items.slope,
                intercepts=items.intercepts,
                extra=items.extra,
            )
        os.replace(new, self.path)

    def close(self) -> None:
        """Take the file away: the release is done."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _refusal(self, what: str) -> CalibrationError:
        """Say what is wrong with the file, and the way out."""
        return CalibrationError(
            what,
            why="Going on from it would give numbers of another release.",
            hint="Delete the file to start anew, or name another one.",
            param="checkpoint",
            got=str(self.path),
        )


def _tuples(sets: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Turn the lists of a file into what they were."""
    return tuple(tuple(own) for own in sets)


def _items_of(found: dict[str, Any], told: dict[str, Any]) -> ItemParameters:
    """Read the solution that the next round starts from."""
    return ItemParameters(
        names=tuple(told["names"]),
        models=tuple(told["models"]),
        n_steps=found["n_steps"],
        slope=found["slope"],
        intercepts=found["intercepts"],
        extra=found["extra"],
    )
