"""What the final response rates will be, seen from a collection that is not finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, as_table, floats, make_table, refuse_duplicates, strings
from lsakit.weighting.participation import participants
from lsakit.weighting.profiles import Rules, read_rules
from lsakit.weighting.standards import place

# Schools that the pooled rate counts for in a stratum: enough to steady a stratum of few, soon outweighed.
PRIOR_SCHOOLS = 2.0
PENDING, TOOK_PART, OPEN = 0, 1, 2
STATES = ("pending", "took_part", "replacement_open", "lost")
LOST = 3
DRAWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipationForecast:
    """Hold a forecast of the final response rates.

    Parameters
    ----------
    table : polars.DataFrame
        One row per rate ("school_before", "school_after", "student" where students are given): so_far
        (among units whose outcome is known; null where none is), worst, low, expected, high, best
        (weighted rates, proportions). Worst and best are certain bounds: all that is open fails, or
        succeeds. Low and high hold the middle 90 % of the forecast.
    zone_worst, zone_expected, zone_best : str
        Zone at the bounds and at the expected rates.
    zone_chances : Mapping of str to float
        Chance of each zone that occurred in the draws (proportions that add up to 1).
    schools : polars.DataFrame
        The schools that are open, by what they can still bring, largest first: school_id, stratum, state
        ("pending" or "replacement_open"), n_replacements_left, gain_before, gain_after (points of the rate,
        proportions, won when it or a replacement takes part), chance (that it or a replacement does).
    n_draws : int
        Draws behind low, high and the chances.
    rules : Rules
        The rules used.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    zone_worst: str
    zone_expected: str
    zone_best: str
    zone_chances: Mapping[str, float]
    schools: Table
    n_draws: int
    rules: Rules
    schema: str = "lsakit.participation_forecast/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """Hold the sampled schools that are not known to be ineligible or excluded."""

    school_id: list[str]
    stratum: NDArray[np.int64]
    labels: list[str]
    size: NDArray[np.float64]
    state: NDArray[np.int64]
    is_original: NDArray[np.bool_]
    is_decided: NDArray[np.bool_]
    n_left: NDArray[np.int64]
    n_failed: int


def forecast_participation(
    schools: Any,
    students: Any = None,
    *,
    rng: np.random.Generator,
    rules: str | Rules | Mapping[str, Any] = "pisa",
    n_draws: int = 4000,
) -> ParticipationForecast:
    """Forecast the final response rates before and after replacement.

    Parameters
    ----------
    schools : table
        One row per sampled school: school_id, status (null while the school's answer is not known),
        participant_id (the school that took part; without the column nobody is replaced yet), enrolment,
        base_weight; stratum; replacement_1 and replacement_2 (null where there is none);
        n_replacements_left where some were tried in vain.
    students : table, optional
        The students known so far: school_id, student_id, status (null before the test); the schools table
        then needs enrolment_listed of the schools that took part.
    rng : numpy.random.Generator
        Chance of the draws.
    rules : str or Rules or Mapping, default "pisa"
        Codes and standards.
    n_draws : int, default 4000
        Draws.

    Returns
    -------
    ParticipationForecast
        Bounds, expected rates, intervals, zones, and the schools to call first.

    Raises
    ------
    DesignError
        If no school can be eligible, or a student is in a school that did not take part.
    TableError
        If a column is absent or holds what it may not hold.

    Notes
    -----
    Beta-binomial: in each explicit stratum the chance that an open original takes part is
    ``Beta(2 m + r, 2 (1 − m) + n − r)`` with ``r`` of ``n`` known originals taking part and ``m`` the pooled
    ``(r + ½) / (n + 1)``; the chance of one replacement is pooled, ``Beta(½ + taken, ½ + failed)``, each one
    left being asked in turn. Expected rates are exact, the rest comes from the draws. Schools whose answer
    is not known are taken as eligible.

    References
    ----------
    .. [1] Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 2.4 and chapter 5.
    .. [2] ``docs/algorithms/response_rates.md``, section "Forecast".
    """
    ruled = read_rules(rules)
    if n_draws < 1:
        raise DesignError(f"The 'n_draws' parameter must be 1 or more. Got {n_draws}.", param="n_draws")
    table = as_table(schools, param="schools")
    state = _read(table, ruled)
    share = state.size / state.size.sum()
    chance, again = _chances(state)
    rates = _rates(state, share, chance, again)
    before, after = _draw(state, share, n_draws, rng)
    drawn = {"school_before": before, "school_after": after}
    if students is not None:
        rates["student"], drawn["student"] = _students(table, students, state, ruled, (n_draws, rng))
    zones = {name: _zone(rates, name, ruled) for name in ("worst", "expected", "best")}
    return ParticipationForecast(
        table=_table(rates, drawn),
        zone_worst=zones["worst"],
        zone_expected=zones["expected"],
        zone_best=zones["best"],
        zone_chances=_zone_chances(drawn, ruled),
        schools=_open_schools(state, share, chance, again),
        n_draws=n_draws,
        rules=ruled,
    )


def _read(table: Table, rules: Rules) -> _State:
    """Sort the schools by what is known of them."""
    refuse_duplicates(table, "school_id", param="schools table")
    status = floats(table, "status", param="schools table", nulls=True)
    codes = rules.school_status
    known = (*codes.participant, *codes.nonrespondent, *codes.excluded, *codes.ineligible, *codes.not_sampled)
    strange = np.flatnonzero(~np.isnan(status) & ~np.isin(status, known))
    ids = strings(table, "school_id", param="schools table")
    if len(strange):
        raise TableError(
            "The column 'status' of the schools table holds codes that the rules do not know. "
            f"Got {status[strange[0]]:g}.",
            where=[ids[row] for row in strange.tolist()],
            hint="Correct the code; leave it empty while the answer is not known.",
            param="status",
            got=float(status[strange[0]]),
        )
    gone = np.isin(status, (*codes.excluded, *codes.ineligible, *codes.not_sampled))
    rows = np.flatnonzero(~gone)
    size = (floats(table, "base_weight", param="schools table") * _enrolment(table, ids))[rows]
    if not len(rows) or size.sum() <= 0:
        raise DesignError(
            "The response rate of schools has an empty denominator: no school can be eligible.",
            hint="Check the status codes.",
            param="schools",
        )
    has_stratum = "stratum" in table.columns
    labels = strings(table, "stratum", param="schools table") if has_stratum else ["" for _ in ids]
    names, code = np.unique(np.asarray(labels)[rows], return_inverse=True)
    pending = np.isnan(status)[rows]
    took_part, itself, left, failed = _replacements(table, ids, status, rules)
    state = np.where(took_part, TOOK_PART, np.where(left > 0, OPEN, LOST))[rows]
    return _State(
        school_id=[ids[row] for row in rows.tolist()],
        stratum=code.astype(np.int64),
        labels=names.tolist(),
        size=size,
        state=np.where(pending & ~took_part[rows], PENDING, state),
        is_original=itself[rows],
        is_decided=~pending | took_part[rows],
        n_left=left[rows],
        n_failed=failed,
    )


def _enrolment(table: Table, ids: list[str]) -> NDArray[np.float64]:
    """Take the frame's enrolment, refusing negative numbers."""
    enrolment = floats(table, "enrolment", param="schools table")
    bad = np.flatnonzero(enrolment < 0)
    if len(bad):
        raise TableError(
            f"The column 'enrolment' of the schools table must not be negative. Got {enrolment[bad[0]]:g}.",
            where=[ids[row] for row in bad.tolist()],
            hint="Correct the number.",
            param="enrolment",
        )
    return enrolment


def _replacements(
    table: Table, ids: list[str], status: NDArray[np.float64], rules: Rules
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64], int]:
    """Who took part, who for itself, how many replacements are left, how many refused so far."""
    who = participants(table, status, ids, rules)
    took_part = np.asarray([bool(one) for one in who])
    itself = np.asarray([one == school for one, school in zip(who, ids, strict=True)])
    names = [name for name in ("replacement_1", "replacement_2") if name in table.columns]
    stand_by = [strings(table, name, param="schools table", nulls=True) for name in names]
    all_of = np.asarray([[bool(one) for one in column] for column in stand_by]).reshape(len(names), len(ids))
    total = all_of.sum(axis=0) if names else np.zeros(len(ids), dtype=np.int64)
    tried = np.zeros(len(ids), dtype=np.int64)
    for place_, column in enumerate(stand_by):
        used = np.asarray([one == other and bool(one) for one, other in zip(who, column, strict=True)])
        tried[used] = place_ + 1
    left = total - tried
    if "n_replacements_left" in table.columns:
        given = floats(table, "n_replacements_left", param="schools table", nulls=True)
        left = np.where(np.isnan(given), left, given).astype(np.int64)
    replaced = took_part & ~itself
    failed = np.maximum(total - left - replaced, 0)
    return took_part, itself, np.where(took_part, 0, left), int(failed.sum())


def _posterior(state: _State) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Beta parameters of an original's chance in each stratum."""
    n_strata = len(state.labels)
    known = np.bincount(state.stratum[state.is_decided], minlength=n_strata)
    reached = np.bincount(state.stratum[state.is_decided & state.is_original], minlength=n_strata)
    pooled = (reached.sum() + 0.5) / (known.sum() + 1.0)
    return PRIOR_SCHOOLS * pooled + reached, PRIOR_SCHOOLS * (1.0 - pooled) + known - reached


def _chances(state: _State) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expected chance of each original, and of its replacements when it fails."""
    a, b = _posterior(state)
    chance = (a / (a + b))[state.stratum]
    taken = float(((state.state == TOOK_PART) & ~state.is_original).sum())
    yes, no = 0.5 + taken, 0.5 + state.n_failed
    # E[(1 − q)^k] of a beta variable, for k replacements left
    fail = np.exp(special.betaln(yes, no + state.n_left) - special.betaln(yes, no))
    return chance, np.where(state.n_left > 0, 1.0 - fail, 0.0)


def _rates(
    state: _State, share: NDArray[np.float64], chance: NDArray[np.float64], again: NDArray[np.float64]
) -> dict[str, dict[str, float | None]]:
    """Bounds, expected rates and rates so far."""
    sure_before, sure_after = state.is_original, state.state == TOOK_PART
    pending, still = state.state == PENDING, state.state == OPEN
    decided = state.is_decided & ~still
    so_far = share[state.is_decided].sum()
    settled = share[decided].sum()
    return {
        "school_before": {
            "so_far": float(share[sure_before].sum() / so_far) if so_far > 0 else None,
            "worst": float(share[sure_before].sum()),
            "expected": float(share[sure_before].sum() + (share * chance)[pending].sum()),
            "best": float(share[sure_before].sum() + share[pending].sum()),
        },
        "school_after": {
            "so_far": float(share[sure_after].sum() / settled) if settled > 0 else None,
            "worst": float(share[sure_after].sum()),
            "expected": float(
                share[sure_after].sum()
                + (share * (chance + (1.0 - chance) * again))[pending].sum()
                + (share * again)[still].sum()
            ),
            "best": float(share[sure_after].sum() + share[pending | still].sum()),
        },
    }


def _draw(
    state: _State,
    share: NDArray[np.float64],
    n_draws: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw the final rates."""
    a, b = _posterior(state)
    taken = float(((state.state == TOOK_PART) & ~state.is_original).sum())
    pending, still = np.flatnonzero(state.state == PENDING), np.flatnonzero(state.state == OPEN)
    before = np.full(n_draws, share[state.is_original].sum())
    after = np.full(n_draws, share[state.state == TOOK_PART].sum())
    for start in range(0, n_draws, DRAWS_AT_ONCE):
        part = slice(start, min(start + DRAWS_AT_ONCE, n_draws))
        n = part.stop - part.start
        p = rng.beta(a, b, size=(n, len(a)))[:, state.stratum[pending]]
        q = rng.beta(0.5 + taken, 0.5 + state.n_failed, size=(n, 1))
        says_yes = rng.random((n, len(pending))) < p
        replaced = rng.random((n, len(pending))) < 1.0 - (1.0 - q) ** state.n_left[pending]
        found = rng.random((n, len(still))) < 1.0 - (1.0 - q) ** state.n_left[still]
        before[part] += says_yes @ share[pending]
        after[part] += (says_yes | replaced) @ share[pending] + found @ share[still]
    return before, after


def _students(
    table: Table, students: Any, state: _State, rules: Rules, chance: tuple[int, np.random.Generator]
) -> tuple[dict[str, float | None], NDArray[np.float64]]:
    """Forecast the student rate of the lists at hand."""
    n_draws, rng = chance
    people = as_table(students, param="students")
    refuse_duplicates(people, "student_id", param="students table")
    status = floats(people, "status", param="students table", nulls=True)
    codes = rules.student_status
    sampled = ~np.isin(status, codes.not_sampled)
    counted = sampled & ~np.isin(status, (*codes.excluded, *codes.ineligible))
    known = (*codes.respondent, *codes.nonrespondent, *codes.excluded, *codes.ineligible, *codes.not_sampled)
    if (~np.isnan(status) & ~np.isin(status, known)).any():
        raise TableError("The column 'status' of the students table holds unknown codes.", param="status")
    ids = strings(table, "school_id", param="schools table")
    school_status = floats(table, "status", param="schools table", nulls=True)
    row_of = {one: row for row, one in enumerate(participants(table, school_status, ids, rules)) if one}
    where = strings(people, "school_id", param="students table")
    strangers = sorted({one for one in where if one not in row_of})
    if strangers:
        raise DesignError(
            f"Students are listed in {len(strangers)} schools that did not take part.",
            where=strangers,
            hint="Name the school as participant_id in the schools table.",
            param="students",
        )
    school = np.asarray([row_of[one] for one in where], dtype=np.int64)
    listed = floats(table, "enrolment_listed", param="schools table", nulls=True)
    n_sampled = np.bincount(school[sampled], minlength=table.height)
    weight = (floats(table, "base_weight", param="schools table") * listed / np.maximum(n_sampled, 1))[school]
    if not counted.any() or not np.isfinite(weight[counted]).all():
        raise TableError(
            "The student rate needs eligible students, and 'enrolment_listed' of each of their schools.",
            param="enrolment_listed",
        )
    place_of = {one: number for number, one in enumerate(state.school_id)}
    stratum = np.asarray([state.stratum[place_of[ids[row]]] for row in school.tolist()])
    share = np.where(counted, weight, 0.0) / weight[counted].sum()
    done, open_ = np.isin(status, codes.respondent), counted & np.isnan(status)
    decided = counted & ~open_
    n_strata = len(state.labels)
    n, r = (np.bincount(stratum[rows], minlength=n_strata) for rows in (decided, decided & done))
    pooled = (r.sum() + 0.5) / (n.sum() + 1.0)
    a, b = PRIOR_SCHOOLS * pooled + r, PRIOR_SCHOOLS * (1.0 - pooled) + n - r
    sure = float(share[done].sum())
    expected = sure + float((share * (a / (a + b))[stratum])[open_].sum())
    rows = np.flatnonzero(open_)
    draws = np.full(n_draws, sure)
    for number in range(n_draws if len(rows) else 0):
        p = rng.beta(a, b)
        draws[number] += share[rows][rng.random(len(rows)) < p[stratum[rows]]].sum()
    so_far = float(share[done].sum() / share[decided].sum()) if decided.any() else None
    best = sure + float(share[open_].sum())
    return {"so_far": so_far, "worst": sure, "expected": expected, "best": best}, draws


def _zone(rates: Mapping[str, Mapping[str, float | None]], name: str, rules: Rules) -> str:
    """Place one set of rates."""
    return place({rate: values[name] for rate, values in rates.items()}, rules.rates)[0]


def _zone_chances(drawn: Mapping[str, NDArray[np.float64]], rules: Rules) -> dict[str, float]:
    """Share of the draws in each zone."""
    rows = zip(*(values.tolist() for values in drawn.values()), strict=True)
    zones = [place(dict(zip(drawn, row, strict=True)), rules.rates)[0] for row in rows]
    return {zone: zones.count(zone) / len(zones) for zone in sorted(set(zones))}


def _table(
    rates: Mapping[str, Mapping[str, float | None]], drawn: Mapping[str, NDArray[np.float64]]
) -> Table:
    """Write the rates."""
    edges = {name: np.quantile(values, [0.05, 0.95]) for name, values in drawn.items()}
    columns: dict[str, list[Any]] = {"rate": list(rates)}
    for name in ("so_far", "worst", "low", "expected", "high", "best"):
        if name in ("low", "high"):
            columns[name] = [float(edges[rate][int(name == "high")]) for rate in rates]
        else:
            columns[name] = [values[name] for values in rates.values()]
    return make_table(columns)


def _open_schools(
    state: _State, share: NDArray[np.float64], chance: NDArray[np.float64], again: NDArray[np.float64]
) -> Table:
    """List the schools that can still bring something, largest first."""
    pending = state.state == PENDING
    rows = np.flatnonzero(pending | (state.state == OPEN))
    rows = rows[np.lexsort((np.asarray(state.school_id)[rows], -share[rows]))]
    success = np.where(pending, chance + (1.0 - chance) * again, again)
    return make_table(
        {
            "school_id": [state.school_id[row] for row in rows.tolist()],
            "stratum": [state.labels[state.stratum[row]] for row in rows.tolist()],
            "state": [STATES[state.state[row]] for row in rows.tolist()],
            "n_replacements_left": state.n_left[rows],
            "gain_before": np.where(pending, share, 0.0)[rows],
            "gain_after": share[rows],
            "chance": success[rows],
        }
    )
