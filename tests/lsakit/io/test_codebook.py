"""Codebooks: their forms, and what they find in a table."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from lsakit.errors import FileFormatError, TableError, UnknownColumnError
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.missing_labels import kind_of_label, letters_of, marked_labels, read_lettered, read_marked
from lsakit.io.sav_dictionary import missing_form

BOOK = Codebook(
    variables=(
        Variable(
            name="Q1",
            label="Giới tính",
            label_en="Gender",
            type="integer",
            width=2,
            values={1: "Nữ", 2: "Nam", 98: "Invalid", 99: "Bỏ trống"},
            missing={98: "I", 99: "M"},
            disclosure="restricted",
        ),
        Variable(
            name="province_code", type="text", width=2, identifier=True, values={"01": "Hà Nội = Thủ đô\n2"}
        ),
        Variable(
            name="score", type="number", decimals=2, valid_range=(0.0, 1000.0), missing_range=(9990.0, 9999.0)
        ),
        Variable(name="text", type="text", values={' "a" = \\b': "x = y", "": "empty"}, question="Câu 3?"),
    ),
    file_label="Học sinh",
)


def test_table_and_json_keep_everything(tmp_path: Path) -> None:
    assert Codebook.from_table(BOOK.to_table(), file_label="Học sinh") == BOOK
    assert Codebook.from_json(BOOK.to_json()) == BOOK
    for name in ("book.json", "book.xlsx"):
        BOOK.write(tmp_path / name)
        assert Codebook.read(tmp_path / name).variables == BOOK.variables


def test_a_json_code_keeps_its_kind() -> None:
    again = Codebook.from_json(BOOK.to_json())
    assert [type(code) for code in again["Q1"].values] == [int] * 4
    assert list(again["province_code"].values) == ["01"]


def test_checks_name_rows_and_values() -> None:
    table = pl.DataFrame(
        {
            "Q1": [1, 7, None, 99],
            "province_code": ["01", "02", None, "01"],
            "score": [500.0, 1000.5, 9995.0, None],
            "other": [1, 2, 3, 4],
        }
    )
    findings = BOOK.check(table)
    found = {(finding.check, finding.variable): finding for finding in findings}
    assert found["C4", "Q1"].rows == (2,)
    assert "7" in found["C4", "Q1"].sentence
    assert found["C4", "province_code"].rows == (2,)
    assert found["C4", "score"].rows == (2,)
    assert "legal range" in found["C4", "score"].sentence
    assert ("names", "text") in found
    assert ("names", "other") in found
    assert len(findings) == 5


def test_a_missing_code_inside_the_legal_range_is_c7() -> None:
    book = Codebook(
        variables=(Variable(name="age", type="integer", valid_range=(5.0, 99.0), missing={99: "M"}),)
    )
    assert [finding.check for finding in book.check({"age": [10]})] == ["C7"]
    assert "99" in book.check({"age": [10]})[0].sentence


def test_a_clean_table_has_no_findings() -> None:
    book = Codebook(variables=(BOOK["Q1"],))
    assert book.check({"Q1": [1, 2, 98, 99, None]}) == ()


def test_another_kind_of_column_is_found() -> None:
    assert [finding.check for finding in Codebook(variables=(BOOK["Q1"],)).check({"Q1": ["a"]})] == ["type"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"type": "float"}, "'type'"),
        ({"disclosure": "secret"}, "'disclosure'"),
        ({"missing": {9: "X"}}, "'missing'"),
        ({"valid_range": (5.0, 1.0)}, "must rise"),
        ({"identifier": True}, "needs its width"),
    ],
)
def test_a_variable_refuses_what_its_field_does_not_allow(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(TableError, match=words):
        Variable(name="x", **wrong)  # type: ignore[arg-type]


def test_refusals_of_codebooks(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="unique"):
        Codebook(variables=(Variable(name="a"), Variable(name="a")))
    with pytest.raises(UnknownColumnError, match="no variable 'z'"):
        BOOK["z"]
    with pytest.raises(TableError, match="schema"):
        Codebook.from_json('{"schema": "other"}')
    with pytest.raises(TableError, match="not a codebook"):
        Codebook.from_json("[1")
    with pytest.raises(TableError, match="cannot be understood"):
        Codebook.from_table({"name": ["a"], "values": ["nothing here"]})
    with pytest.raises(FileFormatError, match=r"\.json or \.xlsx"):
        BOOK.write(tmp_path / "book.txt")
    with pytest.raises(FileFormatError, match="no file"):
        Codebook.read(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Valid Skip", "V"),
        ("Invalid", "I"),
        ("No Response", "M"),
        ("Không tới", "R"),
        ("Not applicable", "N"),
    ],
)
def test_labels_name_kinds(label: str, kind: str) -> None:
    assert kind_of_label(label) == kind


def test_kinds_travel_in_labels_only_where_the_words_do_not_say_them() -> None:
    variable = Variable(name="x", values={97: "Từ chối", 98: "Invalid"}, missing={97: "M", 98: "I", 99: "U"})
    marked = marked_labels(variable)
    assert marked == {97: "Từ chối [M]", 98: "Invalid", 99: "Missing, kind not stated"}
    plain, kinds = read_marked(marked, [97, 98, 99])
    assert kinds == variable.missing
    assert plain[97] == "Từ chối"


def test_stata_letters_are_the_kinds_own() -> None:
    variable = Variable(name="x", missing={96: "R", 97: "M", 98: "M", 99: "I"})
    assert letters_of(variable) == {96: "r", 97: "m", 98: "a", 99: "i"}
    assert read_lettered("Refused [98 M]", "a") == ("Refused", 98, "M")
    assert read_lettered("Refused", "a") == ("Refused", None, "U")
    assert read_lettered("", "r") == ("", None, "R")


def test_more_than_three_codes_become_a_range() -> None:
    five = Variable(name="x", values={1: "a"}, missing=dict.fromkeys((95, 96, 97, 98, 99), "M"))
    assert missing_form(five) == ([], (95.0, 99.0))
    far = Variable(name="x", values={1: "a"}, missing=dict.fromkeys((-9, 96, 97, 98, 99), "M"))
    assert missing_form(far) == ([-9.0], (96.0, 99.0))
    mixed = Variable(name="x", values={50: "a"}, missing=dict.fromkeys((1, 2, 98, 99), "M"))
    with pytest.raises(TableError, match="4 missing codes"):
        missing_form(mixed)
