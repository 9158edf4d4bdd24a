"""Between the draw and the test: which replacement is due, and whether the sample still stands in the frame."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lsakit.design.drawn import DrawnSchools
from lsakit.errors import DesignError
from lsakit.io.frames import as_table, strings

# Participation codes of a school (PISA 2012 KeyQuest) after which a replacement may be used.
REPLACEABLE = {2: "refusal", 3: "non-participation for another reason", 4: "no student was assessed"}


def next_replacement(drawn: DrawnSchools, school_id: str, *, reason: int, used: Collection[str] = ()) -> str:
    """Name the school that replaces a sampled one.

    Parameters
    ----------
    drawn : DrawnSchools
        The school sample.
    school_id : str
        The sampled school that does not take part.
    reason : int
        Its participation code; 2, 3 and 4 allow a replacement.
    used : Collection of str, default ()
        Replacements already asked that refused as well.

    Returns
    -------
    str
        School_id of the first replacement that is not in ``used``.

    Raises
    ------
    DesignError
        If the school was not sampled, its code allows no replacement, or the frame holds none any more.

    References
    ----------
    .. [1] ``docs/algorithms/school_sampling.md``, section 5.
    """
    ids = drawn.table.get_column("school_id").to_list()
    if school_id not in ids:
        raise DesignError(
            f"The school {school_id!r} is not in the sample, so nothing replaces it.",
            hint="Name the school that was drawn, not its replacement.",
            param="school_id",
            got=school_id,
        )
    if reason not in REPLACEABLE:
        raise DesignError(
            f"The participation code {reason!r} of school {school_id!r} allows no replacement.",
            why="A school that closed, has no eligible student or is excluded stands for others like it.",
            hint="A replacement is used after "
            + ", ".join(f"{code} ({word})" for code, word in REPLACEABLE.items())
            + ".",
            param="reason",
            got=reason,
        )
    row = drawn.table.row(ids.index(school_id), named=True)
    named = [row[name] for name in ("replacement_1", "replacement_2") if row[name] is not None]
    left = [one for one in named if one not in used]
    if not left:
        raise DesignError(
            f"The frame holds {len(named)} replacements of school {school_id!r}, and all were asked.",
            where=named,
            why="A school that was not named at the draw has no probability to stand for another.",
            hint="Report the school as non-respondent; the weights of its neighbors take its place.",
            param="used",
            got=tuple(used),
        )
    return str(left[0])


def check_sample(drawn: DrawnSchools, frame: Any) -> None:
    """Refuse a frame from which a sampled school or a replacement vanished, or in which its stratum changed.

    Parameters
    ----------
    drawn : DrawnSchools
        The school sample.
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        The frame as it is now.

    Raises
    ------
    DesignError
        If a school of the sample is not in the frame.
    TableError
        If the frame has no column school_id.

    Notes
    -----
    Closed and merged schools are recorded by a participation code (6, 11); they stay in the frame of the
    draw, from which weights are computed.
    """
    held = set(strings(as_table(frame, param="frame"), "school_id", param="frame"))
    for column, word in (
        ("school_id", "sampled schools"),
        ("replacement_1", "first replacements"),
        ("replacement_2", "second replacements"),
    ):
        gone = [one for one in strings(drawn.table, column, nulls=True) if one and one not in held]
        if gone:
            raise DesignError(
                f"{len(gone)} {word} vanished from the frame.",
                where=gone,
                why="Weights need every school of the frame that was drawn from.",
                hint="Use the frozen frame of the draw, and record a closed school by its participation code.",
                param="frame",
                got=gone[0],
            )
