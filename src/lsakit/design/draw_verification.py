"""Repeat a public draw from its record, and name what differs: record, seed, school and column of the frame, sample."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lsakit.design.draw_record import (
    SAMPLE_COLUMNS,
    SCHEMA,
    STRATUM_COLUMNS,
    DrawRecord,
    PublicSource,
    commitment_of,
    design_from_json,
    frame_text,
    public_seed,
    result_hash,
)
from lsakit.design.drawn import DrawnSchools
from lsakit.design.pps import draw_schools
from lsakit.errors import DesignError, LsakitError
from lsakit.io.cell_texts import (
    FINGERPRINT_DIGITS,
    cell_fingerprints,
    cell_texts,
    table_text,
    text_hash,
    with_kinds,
)
from lsakit.io.frames import Table, as_table, make_table, refuse_duplicates, strings

MEMBERS = ("design", "frame", "commitment", "source", "seed", "strata", "sample", "result_hash")
CHANGED, ADDED, VANISHED = "changed", "added", "vanished"
MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawVerification:
    """Hold what came out when a draw was repeated.

    Parameters
    ----------
    is_repeated : bool
        Whether record, seed, frame and sample all agree, bit for bit.
    findings : tuple of str
        One sentence for each thing that differs; empty when the draw was repeated.
    changes : polars.DataFrame
        Differences between the frame given and the one recorded: school_id (empty for a whole column),
        column (empty for a whole school), change ("changed", "added", "vanished"), value (now; null where
        there is none).
    sentence : str
        The outcome in one sentence.
    drawn : DrawnSchools or None
        The repeated draw; None where the frame given cannot be drawn from.
    schema : str
        Name and version of this result's form.
    """

    is_repeated: bool
    findings: tuple[str, ...]
    changes: Table
    sentence: str
    drawn: DrawnSchools | None
    schema: str = "lsakit.draw_verification/1"


def verify_draw(record: Mapping[str, Any] | DrawRecord | str, frame: Any) -> DrawVerification:
    """Repeat a draw from its record and compare everything.

    Parameters
    ----------
    record : Mapping of str to object or DrawRecord or str
        The record, or its JSON text.
    frame : polars.DataFrame or pandas.DataFrame or Mapping
        The published frame, one row per school, in any order of rows and columns.

    Returns
    -------
    DrawVerification
        What agrees and what does not; a changed cell is named by school and column.

    Raises
    ------
    DesignError
        If the record is not one.
    TableError
        If the frame has no school_id, or a school stands twice.

    References
    ----------
    .. [1] ``docs/algorithms/public_draw.md``, section 6.
    """
    given = _read_record(record)
    table = with_kinds(as_table(frame, param="frame"), given["frame"]["kinds"])
    refuse_duplicates(table, "school_id", param="frame")
    sampled = {str(row[0]) for row in given["sample"]["rows"]}
    findings = _record_findings(given)
    changes = _frame_changes(given["frame"], table)
    findings += _frame_findings(given["frame"], table, changes, sampled)
    drawn, about_sample = _repeat(given, table)
    findings += about_sample
    outcome = (
        f"The draw was repeated bit for bit: {len(sampled)} schools of {table.height}, seed {given['seed']}."
        if not findings
        else f"The draw was not confirmed: {len(findings)} "
        f"{'thing differs' if len(findings) == 1 else 'things differ'}."
    )
    rows = changes or [("", "", "", None)]
    columns = dict(zip(("school_id", "column", "change", "value"), zip(*rows, strict=True), strict=True))
    found = make_table({name: list(values) for name, values in columns.items()})
    found = found.cast({"value": found.schema["column"]})
    return DrawVerification(
        is_repeated=not findings,
        findings=tuple(findings),
        changes=found if changes else found.head(0),
        sentence=outcome,
        drawn=drawn,
    )


def _read_record(record: Mapping[str, Any] | DrawRecord | str) -> dict[str, Any]:
    """Read a record and refuse what is none."""
    if isinstance(record, DrawRecord):
        record = record.to_json()
    if isinstance(record, str):
        try:
            record = json.loads(record)
        except ValueError as error:
            raise DesignError(
                f"The record is not JSON ({error}).",
                hint="Take the record file as it was published.",
                param="record",
            ) from error
    if not isinstance(record, Mapping) or record.get("schema") != SCHEMA:
        got = record.get("schema") if isinstance(record, Mapping) else type(record).__name__
        raise DesignError(
            f"This is not the record of a draw: its schema is {got!r}, not {SCHEMA!r}.",
            hint="Take the record file as it was published, or a version of lsakit that knows it.",
            param="record",
            got=got,
        )
    lacking = [name for name in MEMBERS if name not in record]
    if lacking or not _well_formed(record):
        raise DesignError(
            "The record is damaged: "
            + (f"it has no {lacking[0]!r}." if lacking else "the parts of its frame or sample do not fit."),
            where=lacking,
            hint="Take the record file as it was published.",
            param="record",
        )
    return dict(record)


def _well_formed(record: Mapping[str, Any]) -> bool:
    """Say whether the parts of a record have the form that the comparison needs."""
    frame, sample, source = (record[name] for name in ("frame", "sample", "source"))
    try:
        return (
            _well_formed_frame(frame)
            and list(sample["columns"]) == list(SAMPLE_COLUMNS)
            and all(_well_formed_row(row) for row in sample["rows"])
            and all(isinstance(source[name], str) for name in ("name", "text"))
            and isinstance(record["design"], Mapping)
            and isinstance(record["seed"], str)
            and all(isinstance(row["stratum"], str) for row in record["strata"])
        )
    except (KeyError, TypeError):
        return False


def _well_formed_frame(frame: Mapping[str, Any]) -> bool:
    """Say whether what a record tells of its frame fits together."""
    ids, cells, kinds = frame["school_ids"], frame["cells"], frame["kinds"]
    return (
        isinstance(frame["hash"], str)
        and isinstance(ids, list)
        and all(isinstance(one, str) for one in ids)
        and len(set(ids)) == len(ids) == frame["n_schools"]
        and set(kinds) == {"school_id", *cells}
        and all(isinstance(kind, str) for kind in kinds.values())
        and all(
            isinstance(part, str) and len(part) == len(ids) * FINGERPRINT_DIGITS for part in cells.values()
        )
    )


def _well_formed_row(row: Any) -> bool:
    """Say whether a row of a record's sample holds values of the right types."""
    text, number, maybe = (str,), (int, float), (str, type(None))
    types = (text, text, number, number, maybe, maybe, (bool,), (int,))
    return (
        isinstance(row, list)
        and len(row) == len(types)
        and all(isinstance(value, kind) for value, kind in zip(row, types, strict=True))
        and not any(isinstance(row[at], bool) for at in (2, 3, 7))
        and "" not in row
    )


def _record_findings(record: Mapping[str, Any]) -> list[str]:
    """Find where the record contradicts itself: commitment, seed, sample."""
    found = []
    committed = commitment_of(record["frame"]["hash"], record["design"], n_schools=0).hash
    if committed != record["commitment"]:
        found.append(
            f"The record's commitment is {record['commitment']}; its design and frame hash give {committed}."
        )
    source = PublicSource(name=record["source"]["name"], text=record["source"]["text"])
    seed = public_seed(str(record["commitment"]), source)
    if str(seed) != str(record["seed"]):
        found.append(
            f"The record's seed is {record['seed']}; the announced text {source.text!r} gives {seed}."
        )
    rows = record["sample"]["rows"]
    columns = {name: [row[at] for row in rows] for at, name in enumerate(SAMPLE_COLUMNS)}
    try:
        own = text_hash(table_text(columns, key="school_id", columns=SAMPLE_COLUMNS))
    except LsakitError as error:
        own = error.sentence
    if own != record["result_hash"]:
        found.append(f"The record's result hash is {record['result_hash']}; its sample gives {own}.")
    return found


def _frame_changes(recorded: Mapping[str, Any], table: Table) -> list[tuple[str, str, str, str | None]]:
    """Compare the frame's cells with their fingerprints."""
    ids = strings(table, "school_id", param="frame")
    place = {one: row for row, one in enumerate(ids)}
    before: list[str] = list(recorded["school_ids"])
    held = set(before)
    changes: list[tuple[str, str, str, str | None]] = []
    changes += [(one, "", VANISHED, None) for one in before if one not in place]
    changes += [(one, "", ADDED, None) for one in sorted(set(ids) - held)]
    names = set(table.columns) - {"school_id"}
    changes += [("", name, VANISHED, None) for name in sorted(set(recorded["cells"]) - names)]
    changes += [("", name, ADDED, None) for name in sorted(names - set(recorded["cells"]))]
    cells: list[tuple[str, str, str, str | None]] = []
    for name in sorted(names & set(recorded["cells"])):
        values = cell_texts(table, name)
        prints, kept = cell_fingerprints(values), recorded["cells"][name]
        for number, one in enumerate(before):
            row = place.get(one)
            start = number * FINGERPRINT_DIGITS
            if row is not None and kept[start : start + FINGERPRINT_DIGITS] != prints[row]:
                cells.append((one, name, CHANGED, values[row]))
    return changes + sorted(cells, key=lambda change: change[:2])


def _frame_findings(
    recorded: Mapping[str, Any],
    table: Table,
    changes: Sequence[tuple[str, str, str, str | None]],
    sampled: set[str],
) -> list[str]:
    """Say how the frame given differs from the one recorded."""
    own = text_hash(frame_text(table, recorded["kinds"]))
    if own == recorded["hash"] and not changes:
        return []
    found = [f"The frame is not the one of the draw: its hash is {own}, the record says {recorded['hash']}."]
    if own == recorded["hash"]:
        found = ["The record's fingerprints do not belong to the frame that its hash names."]
    for school, column, change, value in changes[:MOST_NAMED]:
        if column and school:
            now = "nothing" if value is None else repr(value)
            found.append(f"School {school}, column {column!r}: changed since the draw; it now holds {now}.")
        elif column:
            found.append(f"Column {column!r}: {change} since the draw.")
        else:
            extra = " It was sampled." if change == VANISHED and school in sampled else ""
            found.append(f"School {school}: {change} since the draw.{extra}")
    if len(changes) > MOST_NAMED:
        found.append(f"And {len(changes) - MOST_NAMED} differences of the frame more.")
    if not changes:
        found.append("No cell could be named: its fingerprint is that of the cell recorded.")
    return found


def _repeat(record: Mapping[str, Any], table: Table) -> tuple[DrawnSchools | None, list[str]]:
    """Draw again with the recorded seed, and compare the samples."""
    try:
        seed = int(str(record["seed"]))
        drawn = draw_schools(table, design_from_json(record["design"]), rng=seed)
    except (LsakitError, ValueError, TypeError) as error:
        reason = error.sentence if isinstance(error, LsakitError) else str(error)
        return None, [f"The draw could not be repeated: {reason}"]
    about = _strata_findings(record["strata"], drawn)
    if result_hash(drawn) == record["result_hash"]:
        return drawn, about
    before = {str(row[0]): list(row) for row in record["sample"]["rows"]}
    now = {str(row[0]): list(row) for row in drawn.table.select(SAMPLE_COLUMNS).rows()}
    found = about
    for title, names in (
        ("The repeated draw does not hold", sorted(set(before) - set(now))),
        ("The repeated draw holds in addition", sorted(set(now) - set(before))),
        (
            "The repeated draw gives other probabilities, weights or replacements to",
            sorted(one for one in set(now) & set(before) if _differs(before[one], now[one])),
        ),
    ):
        if names:
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            found.append(f"{title} {', '.join(names[:MOST_NAMED])}{more}.")
    return drawn, found or ["The repeated draw's hash differs from the record's."]


def _strata_findings(recorded: Sequence[Mapping[str, Any]], drawn: DrawnSchools) -> list[str]:
    """Compare intervals, random starts and numbers of schools, stratum by stratum."""
    before = {str(row["stratum"]): dict(row) for row in recorded}
    now = {row["stratum"]: row for row in drawn.strata.select(STRATUM_COLUMNS).to_dicts()}
    names = sorted(one for one in {*before, *now} if before.get(one) != now.get(one))
    if not names:
        return []
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return [
        f"The record's strata differ from those of the repeated draw: {', '.join(names[:MOST_NAMED])}{more}."
    ]


def _differs(before: list[Any], now: list[Any]) -> bool:
    """Say whether two rows of a sample differ, apart from their place in the order of selection."""
    return before[:-1] != now[:-1]
