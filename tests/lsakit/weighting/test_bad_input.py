"""Bad input of weighting, one row each: one sentence that says which rows and what to do; nothing is skipped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lsakit as lk
from lsakit.errors import LsakitError

N = 12
IDS = [f"S{row:02d}" for row in range(N)]
Columns = dict[str, list[Any]]


def tables(**changes: Any) -> tuple[Columns, Columns, Columns]:
    """Two strata of six schools, all of which took part with ten students."""
    drawn: Columns = {
        "school_id": IDS,
        "stratum": ["N"] * 6 + ["S"] * 6,
        "probability": [0.25] * N,
        "base_weight": [4.0] * N,
        "replacement_1": [f"R{row:02d}" for row in range(N)],
        "replacement_2": [None] * N,
    }
    schools: Columns = {
        "school_id": IDS,
        "participant_id": list(IDS),
        "status": [1] * N,
        "enrolment": [50] * N,
        "enrolment_listed": [50] * N,
        "stratum": drawn["stratum"],
        "base_weight": drawn["base_weight"],
    }
    students: Columns = {
        "school_id": [one for one in IDS for _ in range(10)],
        "student_id": [f"{one}-{row}" for one in IDS for row in range(10)],
        "status": [10] * (10 * N),
    }
    found = {"drawn": drawn, "schools": schools, "students": students}
    for name, columns in changes.items():
        for column, values in columns.items():
            found[name][column] = list(found[name][column])
            for row, value in values.items():
                found[name][column][row] = value
    return drawn, schools, students


def weigh(**changes: Any) -> Any:
    return lk.final_weights(*tables(**changes))


def rates(**changes: Any) -> Any:
    return lk.response_rates(*tables(**changes)[1:])


def refusing(*rows: int) -> dict[str, Any]:
    """These schools refused, nobody came for them."""
    return {"participant_id": dict.fromkeys(rows), "status": dict.fromkeys(rows, 2)}


def without(*rows: int) -> tuple[Columns, Columns, Columns]:
    """The tables with refusing schools and without their students."""
    drawn, schools, students = tables(schools=refusing(*rows))
    gone = {IDS[row] for row in rows}
    kept = [row for row, one in enumerate(students["school_id"]) if one not in gone]
    return drawn, schools, {name: [column[row] for row in kept] for name, column in students.items()}


def doubled() -> Any:
    w = weigh()
    return dataclasses.replace(w, table=w.table.with_columns(final_weight=2 * w.table["final_weight"]))


REFUSALS: list[tuple[str, Callable[[], Any], tuple[str, ...]]] = [
    (
        "cell with no respondents",
        lambda: lk.final_weights(*without(*range(6, 12))),
        ("1 non-response cells have no respondents", "See: S", "Merge the stratum"),
    ),
    (
        "zone with one school",
        lambda: lk.replicate_weights(lk.final_weights(*without(7, 8, 9, 10, 11))),
        ("1 strata have one participating school", "See: S", "lonely='collapse'", "lonely='split'"),
    ),
    (
        "empty denominator: schools",
        lambda: rates(
            schools={"status": dict.fromkeys(range(N), 6), "participant_id": dict.fromkeys(range(N))},
            students={"status": dict.fromkeys(range(10 * N), 50)},
        ),
        ("response rate of schools has an empty denominator", "Check the status codes"),
    ),
    (
        "empty denominator: sizes of zero",
        lambda: rates(schools={"enrolment": dict.fromkeys(range(N), 0)}),
        ("response rate of schools has an empty denominator",),
    ),
    (
        "empty denominator: students",
        lambda: lk.response_rates(*tables(students={"status": dict.fromkeys(range(10 * N), 20)})[1:]),
        ("response rate of students has an empty denominator",),
    ),
    (
        "weights that do not sum: final weights changed by hand",
        lambda: lk.replicate_weights(doubled()),
        ("do not sum from their parts", "See: S00-0", "Pass what final_weights gave"),
    ),
    (
        "weights that do not sum: probability and weight",
        lambda: weigh(drawn={"probability": {3: 0.3}}),
        ("'base_weight' and 'probability'", "See: S03", "draw_schools"),
    ),
    (
        "weights that do not sum: margins",
        lambda: lk.calibrate_weights(
            [1.0] * 4, {"a": list("xxyy"), "b": list("uvuv")}, {"a": {"x": 5, "y": 5}, "b": {"u": 5, "v": 6}}
        ),
        ("different totals: a 10, b 11", "one count of the population"),
    ),
    (
        "weights that do not sum: no weight at all",
        lambda: lk.house_weights([0.0, 0.0]),
        ("do not add up to a positive number", "Leave out rows"),
    ),
    (
        "a sampled school that vanished: no outcome",
        lambda: lk.final_weights(
            tables()[0],
            {name: column[1:] for name, column in tables()[1].items()},
            {name: column[10:] for name, column in tables()[2].items()},
        ),
        ("1 sampled schools are not in the schools table", "See: S00", "one row with its status code"),
    ),
    (
        "a sampled school that vanished: from the frame",
        lambda: lk.nonresponse_bias(
            tables()[1], {"school_id": IDS[1:], "area": ["a"] * (N - 1)}, by=["area"]
        ),
        ("not in the frame", "See: S00", "stays in it"),
    ),
    (
        "a replacement that is none",
        lambda: weigh(
            schools={"participant_id": {2: "X"}, "status": {2: 2}},
            students={"school_id": dict.fromkeys(range(20, 30), "X")},
        ),
        ("not the sampled school's replacements", "See: X for S02", "Correct participant_id"),
    ),
    (
        "negative weight",
        lambda: weigh(drawn={"base_weight": {4: -4.0}}),
        ("'base_weight' of drawn must be positive. Got -4", "See: S04"),
    ),
    (
        "missing weight",
        lambda: weigh(drawn={"base_weight": {4: None}}),
        ("'base_weight' of the drawn must have no missing values", "row 5"),
    ),
    (
        "unknown code",
        lambda: weigh(students={"status": {7: 13}}),
        ("Got 13 in 1 of 120 rows", "See: S00-7", "Correct the code"),
    ),
    (
        "a student of no school",
        lambda: weigh(students={"school_id": {7: "Z"}}),
        ("did not take part", "See: S00-7", "Correct school_id"),
    ),
    (
        "unknown rules",
        lambda: lk.final_weights(*tables(), rules="pirls"),
        ("'pirls'", "naep, national, pisa, seaplm, talis, timss"),
    ),
    (
        "unknown column",
        lambda: lk.final_weights(
            {name: column for name, column in tables()[0].items() if name != "base_weight"}, *tables()[1:]
        ),
        ("no column 'base_weight'", "school_id"),
    ),
]


@pytest.mark.parametrize(("call", "words"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_bad_input_gets_one_clear_sentence(call: Callable[[], Any], words: tuple[str, ...]) -> None:
    with pytest.raises(LsakitError) as refused:
        call()
    sentence = refused.value.sentence
    for word in words:
        assert word in sentence, f"{word!r} is not in: {sentence}"
    assert sentence.rstrip().endswith((".", "?")), sentence


def test_good_input_passes_the_same_calls() -> None:
    """Control: nothing is refused when nothing is wrong."""
    w = weigh()
    assert w.table["final_weight"].to_numpy() == pytest.approx(20.0)
    assert lk.replicate_weights(w).matrix.shape == (120, 80)
    assert rates().zone == "acceptable"
    assert lk.final_weights(*without(7, 8)).table.height == 100
    frame = {"school_id": IDS, "area": ["a", "b"] * 6}
    assert lk.nonresponse_bias(without(7)[1], frame, by=["area"]).table.height == 4
    assert np.all(lk.house_weights(w) == 1.0)
