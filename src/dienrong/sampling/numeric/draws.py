"""The public draw over files: commit, draw, repeat, and the texts from which others repeat its hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dienrong.sampling.numeric.designs import PlanRefusedError, design_of
from dienrong.sampling.numeric.frames import SIZE
from lsakit.design.draw_record import (
    COMMITMENT_SCHEMA,
    SAMPLE_COLUMNS,
    PublicSource,
    commit_draw,
    commitment_of,
    design_to_json,
    draw_record,
)
from lsakit.design.draw_verification import verify_draw
from lsakit.design.drawn import DrawnSchools
from lsakit.errors import LsakitError
from lsakit.io.cell_texts import json_text, table_text
from lsakit.io.files import read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A school of a sample; ``original`` is the sampled school that it would replace."""

    school_id: str
    role: str
    original: str
    name: str
    province_code: str
    commune_code: str
    stratum: str
    selection_order: int
    n_people: int
    probability: float | None
    base_weight: float | None
    is_certainty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A draw: the record as text, its seed, its hash, the schools."""

    record: str
    seed: str
    result_hash: str
    schools: tuple[Sampled, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether a draw was repeated bit for bit; what differs, in lsakit's sentences."""

    is_repeated: bool
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How the probability of one school came about."""

    school_id: str
    stratum: str
    place: int
    n_frame: int
    size: float
    measure: float
    cumulative: float
    probability: float
    is_certainty: bool
    is_drawn: bool
    n_asked: int
    total: float
    interval: float | None
    random_number: float | None


def commit(frame: Path, values: Mapping[str, Any]) -> str:
    """Give the commitment to a frame and a plan; a trial draw is made, so that the public one cannot fail.

    Raises
    ------
    PlanRefusedError
        If the plan does not fit the frame.
    """
    try:
        return commit_draw(read_table(frame), design_of(values)).hash
    except LsakitError as error:
        raise PlanRefusedError(error.sentence) from error


def commitment_now(frame_hash: str, values: Mapping[str, Any]) -> str:
    """Give the commitment that a plan has with the hash of its frame."""
    return commitment_of(frame_hash, design_to_json(design_of(values)), n_schools=0).hash


def draw(
    frame: Path, values: Mapping[str, Any], *, source_name: str, source_text: str, commitment: str
) -> Outcome:
    """Draw with a seed from what was announced.

    Raises
    ------
    PlanRefusedError
        If frame or plan are not those of the commitment.
    """
    table = read_table(frame)
    try:
        source = PublicSource(name=source_name, text=source_text)
        made = draw_record(table, design_of(values), source=source, commitment=commitment)
    except LsakitError as error:
        raise PlanRefusedError(error.sentence) from error
    return Outcome(
        record=made.to_json(),
        seed=str(made.record["seed"]),
        result_hash=str(made.record["result_hash"]),
        schools=_sampled(made.drawn, table),
    )


def _sampled(drawn: DrawnSchools, table: Any) -> tuple[Sampled, ...]:
    """List the sampled schools, each followed by those that would replace it."""
    known = {str(row["school_id"]): row for row in table.to_dicts()}
    found = []
    for row in sorted(drawn.table.to_dicts(), key=lambda one: one["selection_order"]):
        for role, column in (
            ("original", "school_id"),
            ("replacement_1", "replacement_1"),
            ("replacement_2", "replacement_2"),
        ):
            school = row[column]
            if school is None:
                continue
            traits, is_original = known[school], role == "original"
            found.append(
                Sampled(
                    school_id=school,
                    role=role,
                    original="" if is_original else row["school_id"],
                    name=str(traits.get("name") or school),
                    province_code=str(traits.get("province_code") or ""),
                    commune_code=str(traits.get("commune_code") or ""),
                    stratum=row["stratum"],
                    selection_order=row["selection_order"],
                    n_people=int(traits[SIZE]),
                    probability=row["probability"] if is_original else None,
                    base_weight=row["base_weight"] if is_original else None,
                    is_certainty=bool(row["is_certainty"]) and is_original,
                )
            )
    return tuple(found)


def verify(record: str, frame: Path) -> Verification:
    """Repeat a draw from its record and its frame."""
    try:
        found = verify_draw(record, read_table(frame))
    except LsakitError as error:
        return Verification(is_repeated=False, findings=(error.sentence,))
    return Verification(is_repeated=found.is_repeated, findings=found.findings)


def previous_draw(record: str, frame: Path) -> dict[str, tuple[float, bool]]:
    """Give the probability of every school in an earlier draw, and whether it was taken."""
    drawn = verify_draw(record, read_table(frame)).drawn
    if drawn is None:
        raise PlanRefusedError("The earlier draw cannot be repeated.")
    columns = ("school_id", "probability", "is_drawn")
    return {
        school: (float(probability), bool(taken))
        for school, probability, taken in drawn.frame.select(columns).rows()
    }


def origin_of(record: str, frame: Path, school_id: str) -> Origin | None:
    """Tell how the probability of one school came about; None where the frame has no such school."""
    drawn = verify_draw(record, read_table(frame)).drawn
    if drawn is None:
        return None
    row = next((one for one in drawn.frame.to_dicts() if one["school_id"] == school_id), None)
    if row is None:
        return None
    stratum = next(one for one in drawn.strata.to_dicts() if one["stratum"] == row["stratum"])
    return Origin(
        school_id=school_id,
        stratum=row["stratum"],
        place=row["frame_position"],
        n_frame=stratum["n_frame"],
        size=row["size"],
        measure=row["measure_of_size"],
        cumulative=row["cumulative_size"],
        probability=row["probability"],
        is_certainty=row["is_certainty"],
        is_drawn=row["is_drawn"],
        n_asked=stratum["n_schools"],
        total=stratum["total_size"],
        interval=stratum["interval"],
        random_number=stratum["random_number"],
    )


def texts_of(record: Mapping[str, Any]) -> dict[str, str]:
    """Give the two texts whose hashes the record holds: the commitment's, the sample's."""
    rows = record["sample"]["rows"]
    columns = {name: [row[at] for row in rows] for at, name in enumerate(SAMPLE_COLUMNS)}
    commitment = {
        "design": record["design"],
        "frame": record["frame"]["hash"],
        "schema": COMMITMENT_SCHEMA,
    }
    return {
        "commitment": json_text(commitment),
        "sample": table_text(columns, key="school_id", columns=SAMPLE_COLUMNS),
    }


def strata_of_record(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the strata of a record."""
    return [dict(row) for row in record["strata"]]


def read_record(text: str) -> dict[str, Any]:
    """Read a record."""
    return dict(json.loads(text))
