"""Standard setting: modified Angoff and Bookmark, with rounds, panels' spread and standard errors.

Formulas and references: docs/algorithms/standard_setting.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, as_table, floats, make_table, nullable_column, require_columns, strings
from lsakit.irt.item_parameters import ItemParameters
from lsakit.irt.item_subsets import items_named
from lsakit.irt.models import Floats
from lsakit.population.item_maps import (
    RP67,
    characteristic_curve,
    expected_scores,
    ordered_item_booklet,
    read_items,
    response_probability_location,
)
from lsakit.population.panels import Entries, doubts, read_entries, spread_columns

REACH = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardSetting:
    """Cut scores and how they came about.

    Parameters
    ----------
    cuts : polars.DataFrame
        The last round, per level: level, cut (points of the test for Angoff, logits for Bookmark), se, n_judges, theta
        and se_theta (logits; null without item parameters).
    rounds : polars.DataFrame
        Every round and level: round, level, n_judges, cut, mean, median, sd, se, minimum, maximum, n_panels, se_panels
        (standard error between panels; null for one).
    judges : polars.DataFrame
        Every judge: round, level, panel, judge, cut, consistency (Angoff with item parameters: correlation of the
        ratings with the expected scores at the judge's cut).
    method : str
        "angoff" or "bookmark".
    response_probability : float or None
        RP of a Bookmark.
    doubtful : tuple of str
        Sentences on what is in doubt.
    schema : str
        Name and version of this form.
    """

    cuts: Table
    rounds: Table
    judges: Table
    method: str
    response_probability: float | None
    doubtful: tuple[str, ...]
    schema: str = "lsakit.standard_setting/1"


def angoff(judgments: Any, items: Any = None) -> StandardSetting:
    """Set cut scores by the modified Angoff method.

    Parameters
    ----------
    judgments : table
        Columns judge, item and rating: the score a student just at the level is expected to get (a probability for
        items of two categories); round, panel and level may be there.
    items : Calibration or table, optional
        Item parameters, to put the cuts on the ability scale and to judge the ratings.

    Returns
    -------
    StandardSetting
        Cuts of the last round, every round, every judge.

    Raises
    ------
    EstimationError
        If a judge left out or repeated an item, a rating lies outside the item's scores, there are fewer than two
        judges, or a cut has no ability.
    CalibrationError
        If a rated item is not among the parameters.

    References
    ----------
    .. [1] Cizek and Bunch (2007), Standard Setting, ch. 6.

    Examples
    --------
    >>> rows = [("J1", "a", 0.6), ("J1", "b", 0.4), ("J2", "a", 0.7), ("J2", "b", 0.5)]
    >>> table = {"judge": [r[0] for r in rows], "item": [r[1] for r in rows], "rating": [r[2] for r in rows]}
    >>> round(angoff(table).cuts["cut"].item(), 3)
    1.1
    """
    table = as_table(judgments, param="judgments")
    require_columns(table, ["judge", "item", "rating"], param="judgments")
    entries = read_entries(table, "judgments")
    names = strings(table, "item", param="judgments")
    rating = floats(table, "rating", param="judgments")
    parameters = read_items(items) if items is not None else None
    sheet, order = _sheet(entries, names, rating)
    own = items_named(parameters, order) if parameters is not None else None
    _refuse_ratings(rating, names, own)
    cuts = {key: float(values.sum()) for key, values in sheet.items()}
    panel_of = dict(zip(entries.judge, entries.panel, strict=True))
    rounds = make_table(spread_columns(cuts, panel_of, center="mean"))
    last = _last_round(entries, rounds, cuts)
    theta = np.array(
        [_ability(own, cut, level) for level, cut in zip(last["level"], last["cut"], strict=True)]
    )
    slope = np.ones(len(theta))
    if own is not None:
        slope = (characteristic_curve(own, theta + 1e-4) - characteristic_curve(own, theta - 1e-4)) / 2e-4
    consistency = _consistencies(own, sheet)
    return StandardSetting(
        cuts=_cut_table(last, theta, last["se"] / slope),
        rounds=rounds,
        judges=_judge_table(cuts, panel_of, consistency),
        method="angoff",
        response_probability=None,
        doubtful=doubts(entries, last["values"]),
    )


def bookmark(
    placements: Any, items: Any = None, probability: float = RP67, *, booklet: Any = None
) -> StandardSetting:
    """Set cut scores by the Bookmark method.

    Parameters
    ----------
    placements : table
        Columns judge, and page (the last page that the borderline student masters) or location (difficulty of the
        bookmark for an item of slope 1, logits); round, panel and level may be there.
    items : Calibration or table, optional
        Item parameters of the ordered item booklet; needed for pages unless `booklet` is given.
    probability : float, default 2/3
        The response probability: two thirds (RP67) or 0.62 (RP62) as a rule.
    booklet : table, optional
        The booklet that was used: columns page and location at this probability (`ordered_item_booklet`).

    Returns
    -------
    StandardSetting
        Cuts of the last round (median over judges), every round, every judge; logits.

    Raises
    ------
    EstimationError
        If a page is not in the booklet, a judge gave two bookmarks for a level and round or crosses the own levels,
        there are fewer than two judges, or levels cross in the last round.

    References
    ----------
    .. [1] Cizek and Bunch (2007), Standard Setting, ch. 10.

    Examples
    --------
    >>> found = bookmark({"judge": ["J1", "J2", "J3"], "location": [0.42, 0.55, 0.47]})
    >>> round(found.cuts["cut"].item(), 7)
    1.1631472
    """
    table = as_table(placements, param="placements")
    entries = read_entries(table, "placements")
    if "page" in table.columns:
        location = _page_locations(table, items, probability, booklet)
    else:
        require_columns(table, ["location"], param="placements")
        given = floats(table, "location", param="placements")
        location = given + response_probability_location(1.0, 0.0, probability=probability)
    cuts: dict[tuple[int, str, str], float] = {}
    for row, (number, level, judge) in enumerate(
        zip(entries.round_number.tolist(), entries.level, entries.judge, strict=True)
    ):
        if (number, level, judge) in cuts:
            raise EstimationError(
                f"The judge {judge!r} placed more than one bookmark for {level!r} in round {number}.",
                where=[f"row {row + 1}"],
                hint="Keep one.",
                param="placements",
            )
        cuts[(number, level, judge)] = float(location[row])
    panel_of = dict(zip(entries.judge, entries.panel, strict=True))
    rounds = make_table(spread_columns(cuts, panel_of, center="median"))
    last = _last_round(entries, rounds, cuts)
    _refuse_crossing(entries, cuts, last)
    return StandardSetting(
        cuts=_cut_table(last, last["cut"], last["se"]),
        rounds=rounds,
        judges=_judge_table(cuts, panel_of, [float("nan")] * len(cuts)),
        method="bookmark",
        response_probability=probability,
        doubtful=doubts(entries, last["values"]),
    )


def _sheet(
    entries: Entries, names: list[str], rating: Floats
) -> tuple[dict[tuple[int, str, str], Floats], list[str]]:
    """Ratings of every judge in one order of the items; every judge rates every item once."""
    order = list(dict.fromkeys(names))
    place = {name: number for number, name in enumerate(order)}
    sheet: dict[tuple[int, str, str], Floats] = {}
    keys = zip(entries.round_number.tolist(), entries.level, entries.judge, strict=True)
    for row, key in enumerate(keys):
        own = sheet.setdefault(key, np.full(len(order), np.nan))
        if not np.isnan(own[place[names[row]]]):
            raise EstimationError(
                f"The judge {key[2]!r} rated the item {names[row]!r} more than once in round {key[0]}.",
                where=[f"row {row + 1}"],
                hint="Keep one rating.",
                param="judgments",
            )
        own[place[names[row]]] = rating[row]
    for (number, level, judge), own in sheet.items():
        absent = [name for name, value in zip(order, own.tolist(), strict=True) if np.isnan(value)]
        if absent:
            raise EstimationError(
                f"The judge {judge!r} rated {len(order) - len(absent)} of {len(order)} items for {level!r} in "
                f"round {number}.",
                where=absent,
                why="A sum over fewer items would be a lower cut for no reason.",
                hint="Complete the ratings, or leave the judge out of the round.",
                param="judgments",
            )
    return sheet, order


def _refuse_ratings(rating: Floats, names: list[str], items: ItemParameters | None) -> None:
    """Refuse ratings outside the scores of an item; without parameters only those below 0."""
    most = np.full(len(rating), np.inf)
    if items is not None:
        highest = dict(zip(items.names, items.n_steps.tolist(), strict=True))
        most = np.array([float(highest[name]) for name in names])
    wrong = (rating < 0.0) | (rating > most)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise EstimationError(
            f"The rating of the item {names[row]!r} must lie between 0 and its highest score. Got "
            f"{rating[row]:g}; {int(wrong.sum())} ratings do not.",
            where=[f"row {one + 1}" for one in np.flatnonzero(wrong).tolist()],
            hint="A rating is an expected score; write 60 percent as 0.6.",
            param="rating",
            got=float(rating[row]),
        )


def _last_round(entries: Entries, rounds: Table, cuts: dict[tuple[int, str, str], float]) -> dict[str, Any]:
    """Cuts of the last round by level."""
    number = entries.n_rounds
    rows = np.flatnonzero(rounds.get_column("round").to_numpy() == number)
    own = rounds[rows.tolist()]
    missing = sorted(set(entries.levels) - set(own.get_column("level").to_list()))
    few = own.get_column("n_judges").to_numpy() < 2
    if missing or few.any():
        raise EstimationError(
            f"The last round ({number}) needs at least two judges for every level.",
            where=missing or [own.get_column("level")[int(np.flatnonzero(few)[0])]],
            why="Their spread is the standard error of the cut.",
            hint="Add the judges' entries of that round.",
            param="round",
        )
    levels = own.get_column("level").to_list()
    return {
        "level": levels,
        "cut": own.get_column("cut").to_numpy().astype(float),
        "se": own.get_column("se").to_numpy().astype(float),
        "n_judges": own.get_column("n_judges").to_list(),
        "values": {
            level: np.array([value for (n, name, _), value in cuts.items() if n == number and name == level])
            for level in levels
        },
    }


def _ability(items: ItemParameters | None, cut: float, level: str) -> float:
    """Ability whose expected sum score is the cut; NaN without parameters."""
    if items is None:
        return float("nan")
    theta = float(_abilities(items, np.array([cut]))[0])
    if np.isnan(theta):
        low, high = characteristic_curve(items, [-REACH, REACH])
        raise EstimationError(
            f"The cut of {cut:.3f} points for {level!r} lies outside what the test can tell "
            f"({low:.3f} to {high:.3f}).",
            why="No ability has this expected score.",
            hint="Look at ratings of 0 and of the highest score, or leave 'items' out.",
            param="judgments",
        )
    return theta


def _abilities(items: ItemParameters, cuts: Floats) -> Floats:
    """Abilities whose expected sum scores are the cuts, by bisection; NaN where no ability has one."""
    low, high = np.full(len(cuts), -REACH), np.full(len(cuts), REACH)
    ends = characteristic_curve(items, [-REACH, REACH])
    for _ in range(80):
        middle = 0.5 * (low + high)
        below = characteristic_curve(items, middle) < cuts
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.where((ends[0] < cuts) & (cuts < ends[1]), 0.5 * (low + high), np.nan)


def _consistencies(items: ItemParameters | None, sheet: dict[tuple[int, str, str], Floats]) -> list[float]:
    """Correlation of each judge's ratings with the expected scores at the judge's own cut; NaN where that has none."""
    if items is None:
        return [float("nan")] * len(sheet)
    ratings = np.array(list(sheet.values()))
    theta = _abilities(items, ratings.sum(axis=1))
    known = np.flatnonzero(~np.isnan(theta))
    out = np.full(len(ratings), np.nan)
    expected = expected_scores(items, theta[known]).T / items.n_steps
    for place, row in zip(known.tolist(), expected, strict=True):
        share = ratings[place] / items.n_steps
        if share.std() >= 1e-12 and row.std() >= 1e-12:
            out[place] = np.corrcoef(share, row)[0, 1]
    return [float(one) for one in out]


def _cut_table(last: dict[str, Any], theta: Floats, se_theta: Floats) -> Table:
    """Table of the cuts of the last round."""
    return make_table(
        {
            "level": last["level"],
            "cut": last["cut"],
            "se": last["se"],
            "n_judges": last["n_judges"],
            "theta": nullable_column(theta, np.isnan(theta)),
            "se_theta": nullable_column(np.asarray(se_theta), np.isnan(theta)),
        }
    )


def _judge_table(
    cuts: dict[tuple[int, str, str], float], panel_of: dict[str, str], consistency: list[float]
) -> Table:
    """Table of every judge's cut in every round."""
    values = np.array(consistency)
    return make_table(
        {
            "round": [key[0] for key in cuts],
            "level": [key[1] for key in cuts],
            "panel": [panel_of[key[2]] for key in cuts],
            "judge": [key[2] for key in cuts],
            "cut": np.array(list(cuts.values())),
            "consistency": nullable_column(values, np.isnan(values)),
        }
    )


def _page_locations(table: Table, items: Any, probability: float, booklet: Any) -> Floats:
    """Locations of the pages on which the bookmarks stand."""
    if booklet is None and items is None:
        raise EstimationError(
            "Bookmarks on pages need the item parameters or the ordered item booklet.",
            hint="Give 'items' or 'booklet', or placements as 'location'.",
            param="items",
        )
    book = (
        as_table(booklet, param="booklet")
        if booklet is not None
        else ordered_item_booklet(items, probability)
    )
    require_columns(book, ["page", "location"], param="booklet")
    pages = dict(
        zip(
            floats(book, "page", param="booklet").tolist(),
            floats(book, "location", param="booklet").tolist(),
            strict=True,
        )
    )
    given = floats(table, "page", param="placements").tolist()
    strange = [row for row, page in enumerate(given) if page not in pages]
    if strange:
        raise EstimationError(
            f"The page {given[strange[0]]:g} is not in the ordered item booklet (pages 1 to {len(pages)}).",
            where=[f"row {row + 1}" for row in strange],
            hint="A bookmark stands on the last page that the borderline student masters.",
            param="page",
            got=given[strange[0]],
        )
    return np.array([pages[page] for page in given])


def _refuse_crossing(entries: Entries, cuts: dict[tuple[int, str, str], float], last: dict[str, Any]) -> None:
    """Refuse levels whose cuts do not rise: in the last round for the panel, in every round for a judge."""
    order: NDArray[np.int64] = np.argsort(last["cut"], kind="stable")
    rising = [last["level"][place] for place in order.tolist()]
    values = last["cut"][order]
    if len(rising) > 1 and (np.diff(values) <= 0.0).any():
        raise EstimationError(
            "Two levels have the same cut in the last round.",
            where=rising,
            hint="Look at the bookmarks of both levels; judges may not have told them apart.",
            param="level",
        )
    crossed = []
    for number, judge in dict.fromkeys((key[0], key[2]) for key in cuts):
        own = [cuts[(number, level, judge)] for level in rising if (number, level, judge) in cuts]
        if any(b < a for a, b in pairwise(own)):
            crossed.append(f"{judge} (round {number})")
    if crossed:
        raise EstimationError(
            f"{len(crossed)} judges placed a higher level before a lower one.",
            where=crossed,
            hint="Ask them, and correct the placements.",
            param="placements",
        )
