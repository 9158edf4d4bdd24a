"""Specifications of reports: what is read, what is refused and how, own files, own words, own rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lsakit.errors import EstimationError, LsakitError
from lsakit.tables.exhibits.catalogue import KINDS, SENTENCES
from lsakit.tables.report import build_report
from lsakit.tables.report_parts import ReportCycle
from lsakit.tables.specification import STANDARD, read_specification
from lsakit.tables.texts import LANGUAGES, Texts

CYCLE = ReportCycle(title="Đánh giá diện rộng 2026")
OWN = """
name = "own"
scope = "nation"
title = { vi = "Báo cáo riêng", en = "Own report" }

[rules]
minimum_students = 100

[[section]]
key = "means"
heading = { vi = "Điểm", en = "Means" }
sentences = ["headline"]

[[section.exhibit]]
kind = "means"
by = ["gender"]
subjects = ["maths"]
populations = ["grade5"]
"""
FIVE = ["Kết quả đạt được", "Tồn tại, hạn chế", "Nguyên nhân", "Giải pháp", "Kiến nghị"]


def written(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", STANDARD)
def test_the_standard_specifications_are_read(name: str) -> None:
    plan = read_specification(name)
    assert plan.name == name
    assert plan.sections
    for section in plan.sections:
        assert all(rule in SENTENCES for rule in section.sentences)
        assert all(exhibit.kind in KINDS for exhibit in section.exhibits)


def test_the_report_of_a_province_has_exactly_the_five_headings_and_the_method() -> None:
    plan, texts = read_specification("province"), Texts("vi")
    assert [texts.say(str(section.heading)) for section in plan.sections[:5]] == FIVE
    assert [section.key for section in plan.sections[5:]] == ["method"]
    assert plan.own_sections == ("shortcomings", "causes", "solutions", "recommendations")


def test_an_own_file_gives_its_report(tmp_path: Path, estimates: pl.DataFrame, names: dict[str, str]) -> None:
    plan = read_specification(written(tmp_path, OWN))
    for language, title in (("vi", "Báo cáo riêng"), ("en", "Own report")):
        report = build_report(estimates, language=language, names=names, cycle=CYCLE, specification=plan)
        assert report.title == title
        (section,) = report.sections
        assert [figure.key for figure in section.figures] == ["grade5-maths-groups"]
        assert len(section.figures[0].table.rows) == 2


def test_a_rule_of_the_file_hides_more(
    tmp_path: Path, estimates: pl.DataFrame, names: dict[str, str]
) -> None:
    few = estimates.with_columns(n=pl.when(pl.col("group") == "F").then(pl.lit(99)).otherwise(pl.col("n")))
    plan = read_specification(written(tmp_path, OWN))
    report = build_report(few, language="en", names=names, cycle=CYCLE, specification=plan)
    rows = report.sections[0].figures[0].table.rows
    assert "fewer than 100 students" in " ".join(rows[0])
    assert "fewer" not in " ".join(rows[1])


BAD: dict[str, tuple[str, str, str]] = {
    "unknown kind": (
        'kind = "means"',
        'kind = "ranking"',
        "section 'means', exhibit 1: kind 'ranking' is not known",
    ),
    "grouping of another kind": (
        'by = ["gender"]',
        'by = ["school_id"]',
        "exhibit 1: by 'school_id' is not known",
    ),
    "statistic": (
        'subjects = ["maths"]',
        'statistics = ["rank"]',
        "exhibit 1: statistic 'rank' is not known",
    ),
    "form": ('subjects = ["maths"]', 'form = "pie"', "exhibit 1: form 'pie' is not known"),
    "correction": (
        'subjects = ["maths"]',
        'correction = "bonferroni"',
        "correction 'bonferroni' is not known",
    ),
    "sentence": ('["headline"]', '["praise"]', "section 'means': sentence 'praise' is not known"),
    "sentence of a province": (
        '["headline"]',
        '["evidence_below"]',
        "sentence 'evidence_below' is not known",
    ),
    "scope": ('scope = "nation"', 'scope = "school"', "top: scope 'school' is not known"),
    "key": ("minimum_students", "minimum_pupils", r"\[rules\]: the key 'minimum_pupils' is not known"),
    "rule": ("= 100", '= "many"', r"\[rules\]: minimum_students 'many' is not known"),
    "heading": (
        '{ vi = "Điểm", en = "Means" }',
        '"section.nowhere"',
        "heading 'section.nowhere' is not known",
    ),
    "one language": ('{ vi = "Điểm", en = "Means" }', '{ vi = "Điểm" }', "section 'means': heading"),
    "no TOML": ("scope =", "scope", "own.toml is not TOML"),
    "populations": ('populations = ["grade5"]', "populations = 5", "populations 5 is not known"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_known_is_refused_with_its_place(tmp_path: Path, case: str) -> None:
    before, after, sentence = BAD[case]
    assert before in OWN
    with pytest.raises(LsakitError, match=sentence) as refused:
        read_specification(written(tmp_path, OWN.replace(before, after, 1)))
    assert "own.toml" in str(refused.value)
    assert refused.value.hint


def test_the_refusal_names_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(LsakitError) as refused:
        read_specification(written(tmp_path, OWN.replace('by = ["gender"]', 'by = ["moon"]')))
    assert "gender, area, ethnicity" in str(refused.value.hint)


def test_a_file_that_is_not_there_and_a_section_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LsakitError, match="cannot be read"):
        read_specification(tmp_path / "nowhere.toml")
    twice = OWN + '\n[[section]]\nkey = "means"\nheading = "section.method"\n'
    with pytest.raises(LsakitError, match="'means' stands twice"):
        read_specification(written(tmp_path, twice))


def test_an_exhibit_without_estimates_is_left_out_and_told_or_refused(
    tmp_path: Path, estimates: pl.DataFrame, names: dict[str, str]
) -> None:
    report = build_report(estimates, language="en", names=names, cycle=CYCLE)
    (method,) = [section for section in report.sections if section.key == "method"]
    assert "change of means" in method.paragraphs[-1]
    assert "percent correct by domain" in method.paragraphs[-1]
    asked = OWN.replace(
        'kind = "means"\nby = ["gender"]', 'kind = "trend"\nby = ["gender"]\nif_missing = "refuse"'
    )
    with pytest.raises(EstimationError, match="holds nothing for the exhibit 'trend' by gender"):
        build_report(
            estimates,
            language="en",
            names=names,
            cycle=CYCLE,
            specification=read_specification(written(tmp_path, asked)),
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_the_unit_stand_in_their_section(
    estimates: pl.DataFrame, names: dict[str, str], language: str
) -> None:
    words = {"causes": ["Giáo viên thiếu ở vùng cao.", "  "], "solutions": ["Bồi dưỡng giáo viên."]}
    report = build_report(estimates, language=language, names=names, cycle=CYCLE, province="04", words=words)
    sections = {section.key: section for section in report.sections}
    open_place = Texts(language).say("sentence.to_be_written")
    assert sections["causes"].paragraphs[-1] == "Giáo viên thiếu ở vùng cao."
    assert not sections["causes"].left_to_unit
    assert open_place not in sections["causes"].paragraphs
    assert sections["recommendations"].left_to_unit
    assert open_place in sections["recommendations"].paragraphs


@pytest.mark.parametrize(
    ("words", "name"), [({"achieved": ["x"]}, "achieved"), ({"nowhere": ["x"]}, "nowhere")]
)
def test_words_elsewhere_are_refused(
    estimates: pl.DataFrame, names: dict[str, str], words: dict[str, Any], name: str
) -> None:
    with pytest.raises(EstimationError, match=f"no section '{name}' for the unit's own words"):
        build_report(estimates, language="vi", names=names, cycle=CYCLE, province="04", words=words)


def test_a_specification_of_the_other_scope_is_refused(
    estimates: pl.DataFrame, names: dict[str, str]
) -> None:
    with pytest.raises(EstimationError, match="is of a province, but the report is of a nation"):
        build_report(estimates, language="vi", names=names, cycle=CYCLE, specification="province")
    with pytest.raises(EstimationError, match="is of a nation, but the report is of a province"):
        build_report(
            estimates, language="vi", names=names, cycle=CYCLE, province="04", specification="press_note"
        )


def test_a_province_sees_nothing_of_another(estimates: pl.DataFrame, names: dict[str, str]) -> None:
    report = build_report(estimates, language="vi", names=names, cycle=CYCLE, province="04")
    told = str([(section.paragraphs, section.figures, section.tables) for section in report.sections])
    assert "Cao Bằng" in told
    for other in ("Hà Nội", "Tuyên Quang", "Cà Mau", "province_code/01", "province_code/08"):
        assert other not in told


def test_every_kind_and_rule_has_its_words_in_both_languages() -> None:
    for language in LANGUAGES:
        texts = Texts(language)
        assert [kind for kind in KINDS if not texts.has(f"exhibit.{kind}")] == []
