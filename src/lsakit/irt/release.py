"""Release of items that do not fit in some groups: calibrate, free the worst, calibrate again.

The procedure stands in docs/algorithms/item_release.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import CalibrationError
from lsakit.io.frames import Table, make_table, nullable_column
from lsakit.io.parquet_columns import as_columns
from lsakit.io.text_columns import text_column
from lsakit.irt.acceleration import Progress
from lsakit.irt.calibration import Calibration, calibrate_held, items_from
from lsakit.irt.group_misfit import group_curves, posterior_counts
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.options import CalibrationOptions
from lsakit.irt.packs import normal_prior
from lsakit.irt.plan import Held
from lsakit.irt.posteriors import Answered
from lsakit.irt.release_journal import ReleaseJournal, Round
from lsakit.irt.release_moves import Misfit, Move, Released, misfit_of, next_moves, shares_of
from lsakit.irt.response_data import ResponseData, read_responses

ON_ALARM = ("stop", "raise", "continue")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOptions:
    """How items are released.

    Parameters
    ----------
    least_n : int, default 100
        Responses in a group below which an item is not released there.
    most_unique_share : float, default 0.25
        Share of items that are not common in a group above which the comparability alarm rings.
    on_alarm : str, default "stop"
        "stop" (the result says that the groups are not comparable), "raise", or "continue" without the group.
    sets_per_round : int, default 1
        Releases of different items in one round.
    most_rounds : int, default 500
        Rounds after which it stops in any case.
    fixed : table or Calibration, optional
        Item parameters to hold fixed, as of an earlier cycle.
    released : Mapping of str to sequence of sequence of str, optional
        Sets to begin with, in the form of the option ``unique`` of `calibrate`: items that were freed before. Their groups
        never go back to the common set; the procedure may split a set, or let other groups join it.
    checkpoint : Path, optional
        File that keeps the releases after every round; deleted at the end.
    calibration : CalibrationOptions, optional
        How each round calibrates. Its ``progress`` is called in every step; ``unique`` and ``checkpoint`` are refused.
    """

    least_n: int = 100
    most_unique_share: float = 0.25
    on_alarm: str = "stop"
    sets_per_round: int = 1
    most_rounds: int = 500
    fixed: Any = None
    released: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    checkpoint: Path | None = None
    calibration: CalibrationOptions = field(default_factory=CalibrationOptions)

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        checks = {
            "least_n": self.least_n >= 2,
            "most_unique_share": 0.0 < self.most_unique_share <= 1.0,
            "on_alarm": self.on_alarm in ON_ALARM,
            "sets_per_round": self.sets_per_round >= 1,
            "most_rounds": self.most_rounds >= 1,
            "calibration": not self.calibration.unique and self.calibration.checkpoint is None,
        }
        for name, good in checks.items():
            if not good:
                raise CalibrationError(
                    f"The option {name!r} of a release cannot be {getattr(self, name)!r}.",
                    hint="See ReleaseOptions for what it accepts.",
                    param=name,
                    got=getattr(self, name),
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What was released, and the calibration at the end.

    Parameters
    ----------
    calibration : Calibration
        The last calibration, with standard errors; items of their own are named "item@groups".
    steps : polars.DataFrame
        Per release: round, item, groups (joined by commas), direction, rmsd, md, joined (set that they joined; null
        for a new one), n_flagged (pairs above the threshold before it), loglik (of the round).
    shares : polars.DataFrame
        Per group: n_items, n_common, n_shared, n_own, share_common, share_unique.
    misfit : polars.DataFrame
        Per set and group at the end: item, set, group, n, rmsd, md, flagged.
    unique : dict of str to tuple of tuple of str
        What was released, in the form of the option ``unique`` of `calibrate`.
    alarms : tuple of str
        Groups with too many items that are not common.
    is_comparable : bool
        Whether there is no alarm.
    stopped_because : str
        "threshold" (no pair is above), "alarm", "no_help" (the pairs above are alone in their sets) or "rounds".
    n_rounds : int
        Number of calibrations.
    threshold : float
        RMSD above which items were released, share of the highest score.
    schema : str
        Name and version of this form.
    """

    calibration: Calibration
    steps: Table
    shares: Table
    misfit: Table
    unique: dict[str, tuple[tuple[str, ...], ...]]
    alarms: tuple[str, ...]
    is_comparable: bool
    stopped_because: str
    n_rounds: int
    threshold: float
    schema: str = "lsakit.release/1"


def release_items(
    responses: Any,
    group: str,
    model: str | Mapping[str, str] = "gpcm",
    weights: str | ArrayLike | None = None,
    *,
    threshold: float = 0.12,
    items: Sequence[str] | None = None,
    options: ReleaseOptions | None = None,
) -> Release:
    """Calibrate groups together, giving items parameters of their own where they do not fit.

    Parameters
    ----------
    responses : table or Path
        One row per student, one column per item, and the group; or the path of such a Parquet file.
    group : str
        Column of the groups (countries, languages, modes, cycles).
    model : str or Mapping of str to str, default "gpcm"
        One model for all items, or a mapping from item to model.
    weights : str or array of shape (n_students,), optional
        Weights, dimensionless; senate weights let every group count alike.
    threshold : float, default 0.12
        RMSD above which an item is released in a group, share of the highest score.
    items : Sequence of str, optional
        Item columns; by default all but identifiers, group and weights.
    options : ReleaseOptions, optional
        Alarm, rounds, fixed items, checkpoint, calibration.

    Returns
    -------
    Release
        The calibration at the end, every step, and the shares of common items.

    Raises
    ------
    CalibrationError
        If there are fewer than two groups, the threshold is not between 0 and 1, the alarm rings under
        ``on_alarm="raise"``, or the responses cannot identify the model.
    ResponseError
        If a response is no whole number from 0.
    ConvergenceError
        If a round does not converge.

    References
    ----------
    .. [1] OECD (2017), PISA 2015 Technical Report, ch. 9.
    .. [2] docs/algorithms/item_release.md.
    """
    chosen = options or ReleaseOptions()
    data = read_responses(
        as_columns(responses),
        items=items,
        group=group,
        weights=weights,
        fractions=chosen.calibration.partly_right,
    )
    return release_data(data, group, model, threshold, chosen)


def release_data(
    data: ResponseData,
    group: str,
    model: str | Mapping[str, str],
    threshold: float,
    options: ReleaseOptions,
) -> Release:
    """Release items of responses that were read, as `release_items` does.

    Parameters
    ----------
    data : ResponseData
        The responses.
    group : str
        Name of the column of the groups.
    model : str or Mapping of str to str
        One model for all items, or a mapping from item to model.
    threshold : float
        RMSD above which an item is released.
    options : ReleaseOptions
        Alarm, rounds, fixed items, checkpoint, calibration.

    Returns
    -------
    Release
        The calibration at the end, every step, and the shares of common items.

    Raises
    ------
    CalibrationError
        If there are fewer than two groups, the threshold is not between 0 and 1, or the alarm rings.
    """
    chosen = options
    _refuse_threshold(threshold)
    if len(data.groups) < 2:
        raise CalibrationError(
            f"The column {group!r} holds {len(data.groups)} group; items are released in groups beside others.",
            hint="Use calibrate for one group.",
            param="group",
            got=data.groups,
        )
    held = Held(fixed=items_from(chosen.fixed, "fixed"), start=items_from(chosen.calibration.start, "start"))
    journal = ReleaseJournal.of(chosen.checkpoint, data, held.fixed, (model, threshold, chosen))
    state = journal.load() or Round(released=_begun(chosen.released), steps=[], number=0, start=held)
    work = _Work(data=data, model=model, group=group, threshold=threshold, options=chosen)
    found = work.run(state, journal)
    journal.close()
    return found


def _begun(sets: Mapping[str, Sequence[Sequence[str]]]) -> Released:
    """Begin with what was freed before, its partitions taken already."""
    found = {item: tuple(sorted(tuple(sorted(one)) for one in own)) for item, own in sorted(sets.items())}
    return Released(sets=found, seen={item: (own,) for item, own in found.items()})


def _refuse_threshold(threshold: float) -> None:
    """Refuse a threshold that no RMSD can pass, or that every one does."""
    if not 0.0 < threshold < 1.0:
        raise CalibrationError(
            f"The 'threshold' parameter must lie between 0 and 1. Got {threshold}.",
            hint="PISA took .12 in 2015 and .15 later; .10 is recommended by Joo et al. (2021).",
            param="threshold",
            got=threshold,
        )


def misfit_after(
    data: ResponseData, cal: Calibration, by: tuple[NDArray[np.int64], tuple[str, ...]] | None = None
) -> Misfit:
    """Compare the observed with the model curves of every set in every group of a calibration.

    Parameters
    ----------
    data : ResponseData
        The responses by set of parameters.
    cal : Calibration
        The calibration of them.
    by : tuple of (ndarray of shape (n_students,), tuple of str), optional
        Number of each student's group and the groups' names, where they are not those of the calibration.

    Returns
    -------
    Misfit
        RMSD and MD by set and group.
    """
    nodes = np.linspace(-cal.quadrature[1], cal.quadrature[1], cal.quadrature[0])
    mean, sd = (cal.groups.get_column(name).to_numpy() for name in ("mean", "sd"))
    group, groups = by or (data.group, data.groups)
    answered = Answered(
        items=cal.parameters,
        codes=data.codes,
        weight=data.weight,
        calibrated_group=data.group,
        group=group,
        groups=groups,
        nodes=nodes,
        prior=normal_prior(nodes, mean, sd),
        rows=np.arange(len(data.weight)),
        same_groups=by is None,
        partly=data.partly,
    )
    curves = group_curves(answered, *posterior_counts(answered))
    return misfit_of(curves, cal.parameters, groups, cal.items.get_column("fixed").to_numpy())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """The responses and how they are calibrated; the rounds are run on it."""

    data: ResponseData
    model: str | Mapping[str, str]
    group: str
    threshold: float
    options: ReleaseOptions

    def run(self, state: Round, journal: ReleaseJournal) -> Release:
        """Go round by round until nothing is to be released."""
        options = self.options
        while True:
            state = replace(state, number=state.number + 1)
            cal, by_set = self._calibrate(state)
            misfit = misfit_after(by_set, cal)
            released, alarms = self._alarms(state.released, misfit)
            moves = list(next_moves(misfit, released, threshold=self.threshold, least_n=options.least_n))[
                : options.sets_per_round
            ]
            reason = self._reason(state, misfit, alarms, moves)
            if reason:
                cal, by_set = self._calibrate(_from(state, cal), method=options.calibration.standard_errors)
                return self._result(state, (cal, misfit_after(by_set, cal)), alarms, reason)
            steps = [*state.steps, *(self._step(state, move, misfit, cal) for move in moves)]
            for move in moves:
                released = released.after(move)
            state = _from(replace(state, released=released, steps=steps), cal)
            journal.save(state)

    def _calibrate(self, state: Round, *, method: str = "none") -> tuple[Calibration, ResponseData]:
        """Calibrate with what is released so far."""
        given = self.options.calibration
        options = replace(
            given, unique=state.released.sets, standard_errors=method, progress=_told(given.progress, state)
        )
        return calibrate_held(self.data, self.model, self.group, state.start, options)

    def _alarms(self, released: Released, misfit: Misfit) -> tuple[Released, tuple[str, ...]]:
        """Say which groups have too many items that are not common; close them where that is asked for."""
        shares = shares_of(misfit)
        over = np.flatnonzero(shares["share_unique"] > self.options.most_unique_share).tolist()
        told = tuple(
            f"{int(shares['n_shared'][g] + shares['n_own'][g])} of {int(shares['n_items'][g])} items are not common "
            f"in {shares['group'][g]}, above {self.options.most_unique_share:.0%}: the group may not be comparable."
            for g in over
        )
        if told and self.options.on_alarm == "raise":
            raise CalibrationError(
                told[0],
                where=[shares["group"][g] for g in over],
                why="Too few items mean the same in this group as in the others.",
                hint="Look at its translation, coding and data; or report it apart (on_alarm='stop').",
                param="group",
            )
        if self.options.on_alarm == "continue":
            closed = tuple(sorted({*released.closed, *(shares["group"][g] for g in over)}))
            released = replace(released, closed=closed)
        return released, told

    def _reason(
        self, state: Round, misfit: Misfit, alarms: tuple[str, ...], moves: Sequence[Move]
    ) -> str | None:
        """Say why the procedure is at its end, where it is."""
        if not misfit.flagged(self.threshold, self.options.least_n).any():
            return "threshold"
        if alarms and self.options.on_alarm == "stop":
            return "alarm"
        if not moves:
            return "alarm" if alarms else "no_help"
        return "rounds" if state.number >= self.options.most_rounds else None

    def _step(self, state: Round, move: Move, misfit: Misfit, cal: Calibration) -> dict[str, Any]:
        """Write one release down."""
        return {
            "round": state.number,
            "item": move.item,
            "groups": ",".join(move.groups),
            "direction": "easier" if move.md > 0.0 else "harder",
            "rmsd": move.rmsd,
            "md": move.md,
            "joined": move.joined,
            "n_flagged": int(misfit.flagged(self.threshold, self.options.least_n).sum()),
            "loglik": cal.loglik,
        }

    def _result(
        self, state: Round, last: tuple[Calibration, Misfit], alarms: tuple[str, ...], reason: str
    ) -> Release:
        """Put the tables together."""
        cal, misfit = last
        return Release(
            calibration=cal,
            steps=_step_table(state.steps),
            shares=make_table(shares_of(misfit)),
            misfit=_misfit_table(misfit, misfit.flagged(self.threshold, self.options.least_n)),
            unique=dict(state.released.sets),
            alarms=alarms,
            is_comparable=not alarms,
            stopped_because=reason,
            n_rounds=state.number,
            threshold=self.threshold,
        )


def _from(state: Round, cal: Calibration) -> Round:
    """Let the next round start at a solution."""
    rows = cal.groups.select("group", "mean", "sd").iter_rows()
    groups = {name: (mean, sd) for name, mean, sd in rows}
    start: ItemParameters = cal.parameters
    return replace(state, start=replace(state.start, start=start, groups=groups))


def _told(progress: Progress | None, state: Round) -> Progress | None:
    """Put the round before what a calibration tells; the share is that of the round."""
    if progress is None:
        return None
    return lambda text, share: progress(f"round {state.number}, {len(state.steps)} released: {text}", share)


def _step_table(steps: Sequence[Mapping[str, Any]]) -> Table:
    """Write the releases as a table."""
    texts = {
        head: text_column(step[head] for step in steps) for head in ("item", "groups", "direction", "joined")
    }
    numbers = {
        head: np.array([step[head] for step in steps], dtype=float) for head in ("rmsd", "md", "loglik")
    }
    whole = {
        head: np.array([step[head] for step in steps], dtype=np.int64) for head in ("round", "n_flagged")
    }
    every = {**texts, **numbers, **whole}
    heads = ("round", "item", "groups", "direction", "rmsd", "md", "joined", "n_flagged", "loglik")
    return make_table({head: every[head] for head in heads})


def _misfit_table(misfit: Misfit, flagged: Any) -> Table:
    """Write every pair of set and group as a row."""
    group, place = np.nonzero(misfit.curves.n.T > 0)[::-1]
    rmsd, md = misfit.rmsd[group, place], misfit.md[group, place]
    return make_table(
        {
            "item": [misfit.columns[j] for j in place.tolist()],
            "set": [misfit.names[j] for j in place.tolist()],
            "group": [misfit.groups[g] for g in group.tolist()],
            "n": misfit.curves.n[group, place],
            "rmsd": nullable_column(rmsd, np.isnan(rmsd)),
            "md": nullable_column(md, np.isnan(md)),
            "flagged": flagged[group, place],
        }
    )
