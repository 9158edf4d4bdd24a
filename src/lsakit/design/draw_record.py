"""The public draw: commit to frame and design, take a seed that nobody could choose, let anyone repeat it.

Everything here is a function of its arguments; the record is plain JSON. ``docs/algorithms/public_draw.md`` says
how to repeat a draw without this code.
"""

from __future__ import annotations

import hashlib
import json
import platform
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from lsakit.design.drawn import DrawnSchools
from lsakit.design.options import Design
from lsakit.design.overlap import Keyfitz, Overlap, PermanentNumbers
from lsakit.design.pps import draw_schools
from lsakit.design.strata import label_of_key
from lsakit.errors import DesignError
from lsakit.io.cell_texts import (
    cell_fingerprints,
    cell_texts,
    json_text,
    table_text,
    text_hash,
    value_kinds,
    with_kinds,
)
from lsakit.io.frames import Table, as_table

SCHEMA = "lsakit.draw_record/1"
COMMITMENT_SCHEMA = "lsakit.draw_commitment/1"
SEED_PREFIX = "lsakit.public_seed/1"
SEED_BYTES = 16
SAMPLE_COLUMNS = (
    "school_id",
    "stratum",
    "probability",
    "base_weight",
    "replacement_1",
    "replacement_2",
    "is_certainty",
    "selection_order",
)
STRATUM_COLUMNS = ("stratum", "n_frame", "n_schools", "n_drawn", "total_size", "interval", "random_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSource:
    """Name a public source of chance and what it said.

    Parameters
    ----------
    name : str
        The source as it was named beforehand, such as a lottery, its draw and its day.
    text : str
        What was announced, as read: usually digits. Spaces at the ends go, runs of spaces count as one.

    Raises
    ------
    DesignError
        If the name or the text is empty, or is no text.
    """

    name: str
    text: str

    def __post_init__(self) -> None:
        """Bring both to one spelling and refuse what is empty."""
        for name in ("name", "text"):
            value = " ".join(unicodedata.normalize("NFC", getattr(self, name)).split())
            if any("\ud800" <= letter <= "\udfff" for letter in value):
                raise DesignError(
                    f"The '{name}' of the public source holds bytes that are no letters: {value!r}.",
                    hint="Type it again; digits and letters are enough.",
                    param=name,
                )
            if not value:
                raise DesignError(
                    f"The '{name}' of the public source is empty.",
                    why="A seed from nothing is a seed that someone chose.",
                    hint="Name the source before the draw, and enter what it announced.",
                    param=name,
                )
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """Hold what is published before the seed is known.

    Parameters
    ----------
    hash : str
        Hash of the design and the frame's hash together; this is the commitment.
    frame_hash : str
        Hash of the frame's text.
    n_schools : int
        Schools in the frame.
    design : dict
        The plan as JSON.
    schema : str
        Name and version of this result's form.
    """

    hash: str
    frame_hash: str
    n_schools: int
    design: Mapping[str, Any]
    schema: str = COMMITMENT_SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRecord:
    """Hold a draw made in public, with its record.

    Parameters
    ----------
    record : dict
        The record, ready for JSON: schema, design, frame (hash, columns, school_ids, cells), commitment,
        source, seed, strata, sample, result_hash, software.
    drawn : DrawnSchools
        The sample.
    """

    record: Mapping[str, Any]
    drawn: DrawnSchools

    def to_json(self) -> str:
        """Write the record as JSON text, one member per line.

        Returns
        -------
        str
            The text; the same draw gives the same text with the same software.
        """
        lines = [f"{json.dumps(key)}: {json_text(value)}" for key, value in self.record.items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"


def design_to_json(design: Design) -> dict[str, Any]:
    """Write a plan as JSON values.

    Parameters
    ----------
    design : Design
        The plan.

    Returns
    -------
    dict of str to object
        Its fields; the keys of ``n_schools`` become the labels of the strata.
    """
    out: dict[str, Any] = {}
    for one in fields(design):
        value = getattr(design, one.name)
        if isinstance(value, Mapping):
            value = {label_of_key(key): int(count) for key, count in value.items()}
        elif isinstance(value, (Keyfitz, PermanentNumbers)):
            value = {"method": "keyfitz" if isinstance(value, Keyfitz) else "permanent", **asdict(value)}
        elif isinstance(value, tuple):
            value = list(value)
        elif one.name in ("n_schools", "n_students", "n_replacements"):
            value = int(value)
        elif isinstance(value, (int, float, np.number)):
            value = float(value)
        out[one.name] = value
    return out


def design_from_json(values: Mapping[str, Any]) -> Design:
    """Read a plan from JSON values.

    Parameters
    ----------
    values : Mapping of str to object
        What `design_to_json` wrote, or a part of it: fields not named have their defaults.

    Returns
    -------
    Design
        The plan.

    Raises
    ------
    DesignError
        If a field is unknown or holds what no plan may hold.

    Examples
    --------
    >>> plan = Design(explicit=["region"], n_schools={"North": 2, "South": 3}, n_students=30)
    >>> design_from_json(design_to_json(plan)) == plan
    True
    """
    known = {one.name for one in fields(Design)}
    unknown = sorted(set(values) - known)
    lacking = [name for name in ("n_schools", "n_students") if name not in values]
    if unknown or lacking:
        what = f"has no field {unknown[0]!r}" if unknown else f"needs the field {lacking[0]!r}"
        raise DesignError(
            f"A design {what}.",
            hint=f"Its fields are: {', '.join(sorted(known))}.",
            param=(unknown or lacking)[0],
        )
    given = dict(values)
    overlap = given.get("overlap")
    if overlap is not None:
        given["overlap"] = _overlap_from_json(overlap)
    return Design(**given)


def _overlap_from_json(values: Mapping[str, Any]) -> Overlap:
    """Read overlap control."""
    kinds: dict[str, Any] = {"keyfitz": Keyfitz, "permanent": PermanentNumbers}
    given = dict(values)
    kind = kinds.get(given.pop("method", ""))
    try:
        if kind is not None:
            return kind(**given)  # type: ignore[no-any-return]
    except TypeError:
        pass
    raise DesignError(
        f"The 'overlap' of a design is not understood: {json_text(dict(values))}.",
        hint="Write method 'keyfitz' with previous_probability and previously_drawn, or 'permanent' with column.",
        param="overlap",
    )


def commit_draw(frame: Any, design: Design) -> Commitment:
    """Fix the frame and the plan of a draw before its seed is known.

    Parameters
    ----------
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        The frozen frame, one row per school.
    design : Design
        The plan.

    Returns
    -------
    Commitment
        Hashes to publish.

    Raises
    ------
    DesignError
        If the design does not fit the frame: a trial draw is made, so that the public one cannot fail.
    TableError
        If a school stands twice, or a column is absent.

    References
    ----------
    .. [1] ``docs/algorithms/public_draw.md``, section 2.
    """
    table = with_kinds(as_table(frame, param="frame"), {})
    draw_schools(table, design, rng=0)
    frame_hash = text_hash(frame_text(table))
    return commitment_of(frame_hash, design_to_json(design), n_schools=table.height)


def frame_text(table: Table, kinds: Mapping[str, str] | None = None) -> str:
    """Write a frame as the text that its hash is taken of.

    Parameters
    ----------
    table : polars.DataFrame
        The frame.
    kinds : Mapping of str to str, optional
        Recorded kinds, for the columns that they name; a text file does not tell days from text.

    Returns
    -------
    str
        A line with the kind of each column (a JSON object), then the lines of `lsakit.io.cell_texts.table_text`
        by school_id.
    """
    known = kinds or {}
    found = {name: known.get(name, kind) for name, kind in value_kinds(table).items()}
    return json_text(found) + "\n" + table_text(table, key="school_id")


def commitment_of(frame_hash: str, design: Mapping[str, Any], *, n_schools: int) -> Commitment:
    """Hash a plan and the hash of a frame together.

    Parameters
    ----------
    frame_hash : str
        Hash of the frame's text.
    design : Mapping of str to object
        The plan as JSON values.
    n_schools : int
        Schools in the frame; not part of the hash.

    Returns
    -------
    Commitment
        The commitment.
    """
    text = json_text({"design": design, "frame": frame_hash, "schema": COMMITMENT_SCHEMA})
    return Commitment(hash=text_hash(text), frame_hash=frame_hash, n_schools=n_schools, design=design)


def public_seed(commitment: str, source: PublicSource) -> int:
    """Derive the seed of a draw from what a public source announced.

    Parameters
    ----------
    commitment : str
        The commitment's hash, published before.
    source : PublicSource
        The source; its text enters, its name does not.

    Returns
    -------
    int
        First 16 bytes, as a big-endian number, of the SHA-256 of three lines joined by line feeds:
        ``lsakit.public_seed/1``, the commitment, the text.

    Notes
    -----
    With the commitment inside, two draws from the same announcement (grades 5 and 9, say) are independent,
    and a frame made after the announcement cannot be tried until it suits: its commitment was not published.

    Examples
    --------
    >>> public_seed("sha256:00", PublicSource(name="dice", text="3 1 4"))
    84297040817913104074700658767291686219
    """
    text = f"{SEED_PREFIX}\n{commitment}\n{source.text}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:SEED_BYTES], "big")


def draw_record(
    frame: Any, design: Design, *, source: PublicSource, commitment: str | None = None
) -> DrawRecord:
    """Draw schools with a public seed and write the record with which anyone can repeat the draw.

    Parameters
    ----------
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        The frozen frame, one row per school.
    design : Design
        The plan.
    source : PublicSource
        What the source announced.
    commitment : str, optional
        The hash that was published; refused when frame or plan are no longer those.

    Returns
    -------
    DrawRecord
        The sample and its record.

    Raises
    ------
    DesignError
        If frame or plan differ from what was published, or do not fit each other.
    TableError
        If a school stands twice, or a column is absent.

    References
    ----------
    .. [1] ``docs/algorithms/public_draw.md``.
    """
    from lsakit import __version__

    table = with_kinds(as_table(frame, param="frame"), {})
    plan = design_to_json(design)
    committed = commitment_of(text_hash(frame_text(table)), plan, n_schools=table.height)
    if commitment is not None and commitment != committed.hash:
        raise DesignError(
            f"The frame or the design is not the one that was published: {commitment} was, "
            f"{committed.hash} is.",
            why="A draw from another frame than the published one proves nothing.",
            hint="Draw from the frozen frame and design, or publish the new ones and wait for a new number.",
            param="commitment",
            got=commitment,
        )
    seed = public_seed(committed.hash, source)
    drawn = draw_schools(table, design_from_json(plan), rng=seed)
    sample = sample_rows(drawn)
    return DrawRecord(
        record={
            "schema": SCHEMA,
            "design": plan,
            "frame": frame_part(table, committed.frame_hash),
            "commitment": committed.hash,
            "source": {"name": source.name, "text": source.text},
            "seed": str(seed),
            "strata": drawn.strata.select(STRATUM_COLUMNS).to_dicts(),
            "sample": {"columns": list(SAMPLE_COLUMNS), "rows": sample},
            "result_hash": result_hash(drawn),
            "software": {
                "lsakit": __version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        },
        drawn=drawn,
    )


def frame_part(table: Table, frame_hash: str) -> dict[str, Any]:
    """Write what the record says of the frame: its hash, and a fingerprint of every cell.

    Parameters
    ----------
    table : polars.DataFrame
        The frame.
    frame_hash : str
        Hash of its text.

    Returns
    -------
    dict of str to object
        hash, n_schools, kinds (of the columns), school_ids (ascending), cells: for each column the fingerprints of its cells
        in the order of school_ids, without separators.
    """
    names = sorted(set(table.columns) - {"school_id"})
    ids = [one or "" for one in cell_texts(table, "school_id")]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    cells = {}
    for name in names:
        prints = cell_fingerprints(cell_texts(table, name))
        cells[name] = "".join(prints[row] for row in order)
    return {
        "hash": frame_hash,
        "n_schools": table.height,
        "kinds": value_kinds(table),
        "school_ids": [ids[row] for row in order],
        "cells": cells,
    }


def sample_rows(drawn: DrawnSchools) -> list[list[Any]]:
    """Give the sample as rows of JSON values, in the order of selection.

    Parameters
    ----------
    drawn : DrawnSchools
        The sample.

    Returns
    -------
    list of list
        Values of `SAMPLE_COLUMNS`.
    """
    return [list(row) for row in drawn.table.select(SAMPLE_COLUMNS).rows()]


def result_hash(drawn: DrawnSchools) -> str:
    """Hash a sample: schools, probabilities, weights and replacements, every bit.

    Parameters
    ----------
    drawn : DrawnSchools
        The sample.

    Returns
    -------
    str
        Hash of its text, by school_id.
    """
    return text_hash(table_text(drawn.table, key="school_id", columns=SAMPLE_COLUMNS))
