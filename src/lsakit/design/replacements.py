"""Replacement schools: the neighbours of a sampled school in the sorted frame."""

from __future__ import annotations

from collections.abc import Sequence

from lsakit.errors import DesignError

FIRST_CHOICES = (1, -1)
SECOND_CHOICES = (-1, 2, 1, -2)


def assign_replacements(
    n_units: int, selected: Sequence[int], *, n_replacements: int = 2
) -> list[tuple[int | None, int | None]]:
    """Give each sampled school of one stratum up to two replacements.

    Parameters
    ----------
    n_units : int
        Schools in the stratum's sorted list.
    selected : Sequence of int of shape (n_selected,)
        Places of the sampled schools, ascending from 0.
    n_replacements : {0, 1, 2}, default 2
        Replacements per school.

    Returns
    -------
    list of tuple of shape (n_selected,)
        Places of the first and second replacement; None where the list has no free neighbour.

    Raises
    ------
    DesignError
        If a place is outside the list or stands twice.

    Notes
    -----
    Two passes in list order, so that no school loses its first replacement to another's second. First
    replacement: the next school, else the one before. Second: the one before, else the second next, the
    next, the second before. A sampled school is never a replacement and no school replaces two.

    References
    ----------
    .. [1] ``docs/algorithms/school_sampling.md``, section 5.

    Examples
    --------
    >>> assign_replacements(12, [0, 2, 4, 8])
    [(1, None), (3, None), (5, 6), (9, 7)]
    """
    if len(set(selected)) != len(selected) or any(not 0 <= place < n_units for place in selected):
        raise DesignError(
            f"The sampled places must be different and lie within a list of {n_units} schools.",
            where=list(selected),
            param="selected",
        )
    used = set(selected)
    chosen: list[list[int | None]] = [[None, None] for _ in selected]
    for which, offsets in enumerate((FIRST_CHOICES, SECOND_CHOICES)[:n_replacements]):
        for row, place in enumerate(selected):
            free = (place + offset for offset in offsets)
            found = next((to for to in free if 0 <= to < n_units and to not in used), None)
            if found is not None:
                used.add(found)
                chosen[row][which] = found
    return [(first, second) for first, second in chosen]
