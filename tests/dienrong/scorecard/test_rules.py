"""Every rule finds the row that must fail and leaves the row that must pass; a malformed file is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

import dienrong.scorecard
from dienrong.scorecard.numeric import tables
from dienrong.scorecard.numeric.rules import Rule, RuleError, read_rules

OWN = Path(dienrong.scorecard.__file__).parent / "rules"
RULES = read_rules([OWN])


def outcome(rule: Rule, row: dict) -> str:
    asked, fails = rule.expressions()
    given = tables.frame_of(rule.entity, [row]).select(asked=asked, fails=fails).row(0)
    return "fails" if given[1] else "passes" if given[0] else "not_asked"


CASES = [(rule, number) for rule in RULES.values() for number in range(len(rule.examples))]


@pytest.mark.parametrize(("rule", "number"), CASES, ids=lambda one: getattr(one, "id", one))
def test_an_example_comes_out_as_it_says(rule: Rule, number: int) -> None:
    example = rule.examples[number]
    assert outcome(rule, tables.good_row(rule.entity, **example.row)) == example.outcome


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_good_row_fails_no_rule(rule: Rule) -> None:
    assert outcome(rule, tables.good_row(rule.entity)) != "fails"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_texts_fill_in_both_languages(rule: Rule) -> None:
    row = tables.good_row(rule.entity)
    for text in (*rule.sentence.values(), *rule.hint.values()):
        filled = text.format(**row)
        assert filled.endswith("."), filled
        assert "{" not in filled


def test_the_frame_checks_are_all_there() -> None:
    bases = " ".join(rule.basis for rule in RULES.values())
    for number in range(1, 12):
        assert f"F{number} " in f"{bases} ".replace("·", " "), f"no rule stands for F{number}"
    assert {rule.dimension for rule in RULES.values()} == {"correct", "complete", "clean", "fresh"}


def test_the_page_of_columns_is_the_code() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "modules" / "scorecard" / "columns.md"
    assert page.read_text(encoding="utf-8") == tables.columns_page()


GOOD = """
[[rule]]
id = "phone_of_the_province"
dimension = "clean"
severity = "warning"
entity = "school"
cells = ["phone"]
where = "phone NOT LIKE '024%'"
basis = "CV 12/SGDĐT"
fix = "contact"
sentence = {vi = "Số {phone} không phải của tỉnh.", en = "{phone} is not of the province."}
hint = {vi = "Sửa số.", en = "Correct it."}
examples = [{outcome = "fails", phone = "0281234567"}, {outcome = "passes"}]
"""


def test_an_installation_adds_a_rule_by_a_file(tmp_path) -> None:
    (tmp_path / "tinh.toml").write_text(GOOD, encoding="utf-8")
    rules = read_rules([OWN, tmp_path])
    assert set(rules) - set(RULES) == {"phone_of_the_province"}
    added = rules["phone_of_the_province"]
    assert [outcome(added, tables.good_row("school", **one.row)) for one in added.examples] == [
        "fails",
        "passes",
    ]


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("[[rule]]", "[rule]", "rule", "[[rule]]"),
        ('severity = "warning"', 'severity = "fatal"', "severity", "error, warning"),
        ('dimension = "clean"', 'dimension = "good"', "dimension", "correct, complete, clean, fresh"),
        ('entity = "school"', 'entity = "pupil"', "entity", "school"),
        ('cells = ["phone"]', 'cells = ["mobile"]', "cells", "columns.md"),
        ("phone NOT LIKE '024%'", "phone NOT LIKE", "where", "cannot be read"),
        ("phone NOT LIKE '024%'", "mobile IS NULL", "where", "mobile"),
        ("phone NOT LIKE '024%'", "phone", "where", "yes or no"),
        ("phone NOT LIKE '024%'", "SUM(n_students) > 1", "where", "yes or no"),
        ("Số {phone}", "Số {mobile}", "sentence", "{mobile}"),
        ('basis = "CV 12/SGDĐT"\n', "", "basis", "missing"),
        ('fix = "contact"', 'fix = "contact"\ncolour = "red"', "colour", "not known"),
        (', {outcome = "passes"}', "", "examples", "passes"),
        ('phone = "0281234567"', 'mobile = "1"', "examples", "mobile"),
        ('id = "phone_of_the_province"', 'id = "Phone"', "id", "lower-case"),
        ('id = "phone_of_the_province"', 'id = "name_shared"', "id", "10_identity.toml"),
        ("[[rule]]", "[[rule", "-", "TOML"),
    ],
)
def test_a_malformed_file_is_refused_with_file_key_and_way_out(tmp_path, old, new, key, words) -> None:
    assert old in GOOD
    (tmp_path / "tinh.toml").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError) as refused:
        read_rules([OWN, tmp_path])
    assert refused.value.file == "tinh.toml"
    assert refused.value.key == key
    assert words in str(refused.value)
