"""Schools with a handful of students in the grade: joined with the nearest of their commune before the draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import DesignError
from lsakit.io.frames import Table, as_table, floats, make_table, strings, with_columns

EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudoSchools:
    """Hold a frame in which very small schools were joined with a neighbor.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per school or pseudo-school; a pseudo-school keeps the row of its largest school, with the
        students of all.
    members : polars.DataFrame
        One row per school that was joined: school_id (of the pseudo-school), member_id, size, distance_km
        (to the school it was joined with; 0 for the pseudo-school's own).
    alone : tuple of str
        Schools too small that have no other school in their commune; they stay as they are.
    schema : str
        Name and version of this result's form.
    """

    frame: Table
    members: Table
    alone: tuple[str, ...]
    schema: str = "lsakit.pseudo_schools/1"


def distance_km(latitude: float, longitude: float, others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give great-circle distances from one place to others.

    Parameters
    ----------
    latitude, longitude : float
        The place, in degrees.
    others : ndarray of shape (n_places, 2)
        Latitude and longitude of the others, in degrees.

    Returns
    -------
    ndarray of shape (n_places,)
        Distances, in kilometers (haversine formula on the mean Earth radius).

    Examples
    --------
    >>> distance_km(0.0, 0.0, np.array([[0.0, 1.0]])).round(1).tolist()
    [111.2]
    """
    here, there = np.radians([latitude, longitude]), np.radians(np.asarray(others, dtype=np.float64))
    half = (there - here) / 2
    inner = np.sin(half[:, 0]) ** 2 + np.cos(here[0]) * np.cos(there[:, 0]) * np.sin(half[:, 1]) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(inner, 1.0))), dtype=np.float64)


def join_small_schools(
    frame: Any,
    *,
    least: int = 6,
    size: str = "enrolment",
    within: str = "commune_code",
    place: Sequence[str] = ("latitude", "longitude"),
) -> PseudoSchools:
    """Join every school with too few students with the nearest school of its commune.

    Parameters
    ----------
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        One row per school: school_id and the columns named below.
    least : int, default 6
        A school with fewer students is joined.
    size : str, default "enrolment"
        Column with the students of the grade.
    within : str, default "commune_code"
        Column inside which schools may be joined.
    place : Sequence of str, default ("latitude", "longitude")
        Columns with the coordinates, in degrees.

    Returns
    -------
    PseudoSchools
        The frame to draw from, and who belongs to whom.

    Raises
    ------
    DesignError
        If a school that must be joined has no coordinates.
    TableError
        If a column is absent or a size missing.

    Notes
    -----
    The smallest school is joined first, ties by ``school_id``; a school without students is joined too, as
    it may have students on the day. The joined unit stands where its largest school stands, and is joined
    again while it has fewer than ``least``.

    References
    ----------
    .. [1] ``docs/algorithms/small_schools.md``, section 3.
    """
    table = as_table(frame, param="frame")
    ids = strings(table, "school_id", param="frame")
    students = floats(table, size, param="frame")
    where = np.asarray(strings(table, within, param="frame"), dtype=object)
    spots = np.column_stack([floats(table, name, param="frame", nulls=True) for name in place])
    total = students.copy()
    keeps = np.ones(len(ids), dtype=bool)
    head = np.arange(len(ids))
    apart = np.zeros(len(ids))
    alone: list[str] = []
    by_commune: dict[str, list[int]] = {}
    for row, one in enumerate(where.tolist()):
        by_commune.setdefault(one, []).append(row)
    for rows in by_commune.values():
        while True:
            units = [row for row in rows if keeps[row]]
            small = sorted((total[row], ids[row], row) for row in units if total[row] < least)
            if not small:
                break
            if len(units) == 1:
                alone.append(ids[units[0]])
                break
            row = small[0][2]
            to, apart[row] = _nearest(row, [other for other in units if other != row], spots, ids)
            stays, goes = (row, to) if (students[row], ids[to]) > (students[to], ids[row]) else (to, row)
            apart[goes] = apart[row]
            total[stays] += total[goes]
            keeps[goes] = False
            head[head == goes] = stays
    joined = np.flatnonzero(np.isin(head, head[~keeps]))
    apart[keeps] = 0.0
    order = sorted(joined.tolist(), key=lambda row: (ids[head[row]], not keeps[row], ids[row]))
    whole = total if (total != np.floor(total)).any() else total.astype(np.int64)
    return PseudoSchools(
        frame=with_columns(table, {size: whole}).filter(keeps),
        members=make_table(
            {
                "school_id": np.asarray([ids[head[row]] for row in order], dtype=str),
                "member_id": np.asarray([ids[row] for row in order], dtype=str),
                "size": students[order],
                "distance_km": apart[order],
            }
        ),
        alone=tuple(sorted(alone)),
    )


def _nearest(
    row: int, others: Sequence[int], spots: NDArray[np.float64], ids: Sequence[str]
) -> tuple[int, float]:
    """Find the nearest other school, ties by school_id."""
    lacking = [ids[one] for one in (row, *others) if np.isnan(spots[one]).any()]
    if lacking:
        raise DesignError(
            f"{len(lacking)} schools have no coordinates, so the nearest school of {ids[row]!r} is not known.",
            where=lacking,
            hint="Enter latitude and longitude in the register.",
            param="place",
            got=lacking[0],
        )
    far = distance_km(spots[row, 0], spots[row, 1], spots[list(others)])
    best = min(range(len(others)), key=lambda number: (far[number], ids[others[number]]))
    return others[best], float(far[best])
