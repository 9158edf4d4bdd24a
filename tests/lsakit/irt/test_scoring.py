"""Raw answers to scores: keys, the four missings, the rules, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from lsakit.errors import LsakitError, ResponseError, TableError, UnknownColumnError
from lsakit.irt.scoring import RULES, score_responses

ITEMS: dict[str, list[Any]] = {
    "item": ["M1", "M2", "R1", "R2"],
    "format": ["mc", "cr", "mc", "mc"],
    "key": [2, None, 4, 1],
    "max_score": [1, 2, 1, 1],
    "cluster": ["A", "A", "B", "B"],
    "position": [1, 2, 1, 2],
}
RAW: dict[str, list[Any]] = {
    "student_id": ["a", "b", "c", "d"],
    "booklet": [1, 1, 2, 2],
    "M1": [2, 1, 98, None],
    "M2": [2, 0, 99, None],
    "R1": [4, 99, 3, 4],
    "R2": [99, 96, 99, 1],
}


def test_keys_and_credits_and_missings() -> None:
    found = score_responses(RAW, ITEMS)
    assert found.table["M1"].to_list() == [1, 0, 0, None]
    assert found.table["M2"].to_list() == [2, 0, 0, None]
    assert found.table["R1"].to_list() == [1, 0, 0, 1]
    assert found.table["R2"].to_list() == [0, None, 0, 1]
    assert found.table.columns[:2] == ["student_id", "booklet"]
    assert found.rule == "pisa2015"


def test_not_reached_is_wrong_under_the_rule_that_says_so() -> None:
    assert score_responses(RAW, ITEMS, rule="wrong").table["R2"].to_list() == [0, 0, 0, 1]


def test_timss_recodes_omissions_after_the_last_answer_but_the_first() -> None:
    raw = {"student_id": ["a"], "M1": [2], "M2": [99], "R1": [99], "R2": [99]}
    calibration = score_responses(raw, ITEMS, rule="timss_calibration")
    scoring = score_responses(raw, ITEMS, rule="timss_scoring")
    assert calibration.table.row(0) == ("a", 1, 0, None, None)
    assert scoring.table.row(0) == ("a", 1, 0, 0, 0)
    summary = calibration.summary
    assert summary["n_omitted"].to_list() == [0, 1, 0, 0]
    assert summary["n_not_reached"].to_list() == [0, 0, 1, 1]
    assert summary["n_recoded"].to_list() == [0, 0, 1, 1]


def test_timss_follows_the_order_of_the_booklet() -> None:
    booklets = {"booklet": [1, 1, 2, 2], "position": [1, 2, 1, 2], "cluster": ["A", "B", "B", "A"]}
    raw = {
        "student_id": ["a", "b"],
        "booklet": [1, 2],
        "M1": [99, 99],
        "M2": [99, 99],
        "R1": [4, 4],
        "R2": [1, 1],
    }
    found = score_responses(raw, ITEMS, rule="timss_calibration", booklets=booklets)
    assert found.table["M1"].to_list() == [0, 0]
    assert found.table["M2"].to_list() == [0, None]


def test_an_omission_between_answers_stays() -> None:
    raw = {"student_id": ["a"], "M1": [99], "M2": [99], "R1": [99], "R2": [1]}
    assert score_responses(raw, ITEMS, rule="timss_calibration").table.row(0) == ("a", 0, 0, 0, 1)


def test_the_summary_counts_each_kind_of_missing() -> None:
    row = score_responses(RAW, ITEMS).summary.row(0, named=True)
    assert (row["n_administered"], row["n_answered"], row["n_invalid"], row["n_not_administered"]) == (
        3,
        2,
        1,
        1,
    )
    assert row["mean_score"] == pytest.approx(1 / 3)
    last = score_responses(RAW, ITEMS).summary.row(3, named=True)
    assert (last["n_omitted"], last["n_not_reached"], last["n_answered"]) == (2, 1, 1)


def test_a_code_outside_the_items_codes_names_item_code_and_students() -> None:
    raw = RAW | {"M2": [2, 3, 99, 3]}
    with pytest.raises(ResponseError) as caught:
        score_responses(raw, ITEMS)
    assert caught.value.param == "M2"
    assert caught.value.got == 3
    assert caught.value.where[0] == "student b (row 2)"
    assert "0 to 2" in str(caught.value)
    assert "Correct the code at its source" in str(caught.value)


def test_option_zero_is_no_option() -> None:
    with pytest.raises(ResponseError, match=r"The code 0 is none of the codes of the item 'M1'"):
        score_responses(RAW | {"M1": [0, 1, 1, 1]}, ITEMS)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"key": [None, None, 4, 1]}, TableError, "no key"),
        ({"format": ["mc", "essay", "mc", "mc"]}, TableError, "a format other than 'mc' and 'cr'"),
        ({"max_score": [1, 0, 1, 1]}, TableError, "outside 1 to 9"),
        ({"item": ["M1", "M1", "R1", "R2"]}, TableError, "must be unique"),
    ],
)
def test_a_wrong_items_table_is_refused(change: dict[str, Any], kind: type[LsakitError], words: str) -> None:
    with pytest.raises(kind, match=words):
        score_responses(RAW, ITEMS | change)


def test_a_column_without_item_and_an_item_without_column() -> None:
    with pytest.raises(TableError, match=r"no item of the items table"):
        score_responses(RAW | {"X9": [1, 1, 1, 1]}, ITEMS)
    with pytest.raises(UnknownColumnError, match=r"no column 'R2'"):
        score_responses({name: values for name, values in RAW.items() if name != "R2"}, ITEMS)


def test_several_booklets_without_their_order_are_refused() -> None:
    with pytest.raises(TableError, match=r"Pass the table of booklets"):
        score_responses(RAW, ITEMS, rule="timss_scoring")


def test_questionnaires_have_no_wrong_answers_and_old_pisa_has_two_rules() -> None:
    items = {"item": ["Q1"], "format": ["cr"], "key": [None], "max_score": [3]}
    raw = {"Q1": [3, 0, 96, 98, 99, None]}
    scored = {rule: score_responses(raw, items, rule=rule).table["Q1"].to_list() for rule in RULES}
    assert scored["questionnaire"] == [3, 0, None, None, None, None]
    assert scored["pisa2012_calibration"] == scored["pisa2015"] == [3, 0, None, 0, 0, None]
    assert scored["pisa2012_scoring"] == scored["wrong"] == [3, 0, 0, 0, 0, None]


def test_an_unknown_rule_names_the_known_ones() -> None:
    with pytest.raises(
        ResponseError, match=r"pisa2015, pisa2012_calibration, .*questionnaire or a ScoringRule"
    ):
        score_responses(RAW, ITEMS, rule="timss")
