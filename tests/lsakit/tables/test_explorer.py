"""The explorer's engine: its numbers are those of the direct calls, and nothing hidden can be learned from it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lsakit as lk
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.tables.explorer import (
    AnalysisFile,
    Answer,
    Catalogue,
    Question,
    QuestionError,
    answer,
    catalogue,
)
from lsakit.tables.explorer.calls import python_call, r_call
from lsakit.tables.explorer.drawing import MOST_DRAWN, alternative, can_draw, draw_answer
from lsakit.tables.explorer.variables import Variable, known_variables, variables_of
from lsakit.tables.explorer.wording import Words
from lsakit.tables.explorer.workbook import answer_csv, answer_xlsx
from lsakit.tables.suppression import rules_named

DESIGN = SurveyDesign(
    weight="weight", replicates="replicate_{r}", n_replicates=16, method="fay", fay_factor=0.5
)
CUTS = (420.0, 480.0, 540.0)
WORDS = {language: Words(language=language, names={"01": "Hà Nội"}) for language in ("vi", "en")}


def students(n_schools: int = 60, per_school: int = 20) -> pl.DataFrame:
    """Make students of four provinces in two regions; few minority students in province 04."""
    rng = np.random.default_rng(11)
    school = np.repeat(np.arange(n_schools), per_school)
    n = school.size
    province = np.array(["01", "02", "03", "04"])[school % 4]
    minority = rng.random(n) < np.where(province == "04", 0.06, 0.3)
    ses = rng.normal(0, 1, n) + np.where(school % 3 == 0, 0.4, 0)
    table: dict[str, Any] = {
        "school_id": school.astype(str),
        "province_code": province,
        "region6": np.where(np.isin(province, ["01", "02"]), "north", "south"),
        "area": np.where(school % 5 < 2, "urban", "rural"),
        "gender": np.where(rng.random(n) < 0.5, "F", "M"),
        "ethnicity": np.where(minority, "minority", "kinh"),
        "sector": np.where(school < 3, "private", "public"),
        "ses": np.where(rng.random(n) < 0.3, np.nan, ses),
        "stratum": school % 4,
        "weight": rng.uniform(5, 30, n_schools)[school],
    }
    for replicate in range(1, 17):
        factor = np.where(rng.random(n_schools) < 0.5, 0.5, 1.5)[school]
        table[f"replicate_{replicate}"] = table["weight"] * factor
    ability = 500 + 30 * ses - 25 * minority + rng.normal(0, 70, n)
    for value in range(1, 4):
        table[f"PV{value}MATHS"] = ability + rng.normal(0, 25, n)
    return pl.DataFrame(table)


@pytest.fixture(scope="module")
def file() -> AnalysisFile:
    return AnalysisFile.of(
        students(),
        DESIGN,
        population="grade5",
        rules=rules_named("national"),
        cuts=CUTS,
        percentiles=(25.0, 50.0, 75.0),
        run="a" * 64,
    )


@pytest.fixture(scope="module")
def offered(file: AnalysisFile) -> Catalogue:
    return catalogue(file.columns, populations=("grade5",), few_schools=file.few_schools)


def ask(file: AnalysisFile, offered: Catalogue, **parts: Any) -> Answer:
    question = {"population": "grade5", "measure": "maths", "statistic": "mean"} | parts
    return answer(Question(**question), file, offered)


def test_numbers_are_those_of_the_direct_calls(file: AnalysisFile, offered: Catalogue) -> None:
    table, values, by = students(), "PV{m}MATHS", ["gender", "area"]
    more: dict[str, Any] = {"by": by, "design": DESIGN, "cluster": "school_id"}
    direct = {
        "mean": lk.estimate_means(table, values, **more),
        "sd": lk.estimate_means(table, values, **more),
        "percentiles": lk.estimate_percentiles(table, values, [25, 50, 75], **more),
        "levels": lk.estimate_levels(table, values, cuts=list(CUTS), **more),
        "at_or_above": lk.estimate_levels(table, values, cuts=list(CUTS), **more),
        "slope": lk.estimate_gradient(table.filter(pl.col("ses").is_not_nan()), values, "ses", **more),
    }
    for statistic, result in direct.items():
        wanted = {
            (row["gender"], row["area"], row["statistic"]): (row["estimate"], row["standard_error"], row["n"])
            for row in result.table.to_dicts()
        }
        rows = [row for row in ask(file, offered, statistic=statistic, by=tuple(by)).rows if row["group"]]
        assert len({tuple(row["group"]) for row in rows}) == 4
        for row in rows:
            estimate, error, n = wanted[(*row["group"], row["statistic"])]
            assert row["estimate"] == pytest.approx(estimate, rel=1e-12)
            assert row["standard_error"] == pytest.approx(error, rel=1e-9)
            assert row["n"] == n


def test_the_whole_stands_first_and_intervals_are_of_the_t_distribution(
    file: AnalysisFile, offered: Catalogue
) -> None:
    found = ask(file, offered, by=("area",))
    whole = lk.estimate_means(students(), "PV{m}MATHS", design=DESIGN)
    low, high = whole.confidence_intervals()
    first = found.rows[0]
    assert first["group"] == []
    assert (first["ci_low"], first["ci_high"]) == pytest.approx((low[0], high[0]), rel=1e-9)


def test_categories_and_indices_are_measures_too(file: AnalysisFile, offered: Catalogue) -> None:
    shares = ask(file, offered, measure="ethnicity", statistic="percent", by=("province_code",))
    direct = lk.estimate_proportions(students(), "ethnicity", by="province_code", design=DESIGN).table
    wanted = {(row["province_code"], row["category"]): row["estimate"] for row in direct.to_dicts()}
    for row in shares.rows[2:]:
        assert row["estimate"] == pytest.approx(wanted[row["group"][0], row["category"]], rel=1e-12)
    index = ask(file, offered, measure="ses", by=("gender",))
    known = students().filter(pl.col("ses").is_not_nan())
    direct = lk.estimate_means(known, "ses", by="gender", design=DESIGN).table.filter(
        pl.col("statistic") == "mean"
    )
    assert [row["estimate"] for row in index.rows[1:]] == pytest.approx(direct["estimate"].to_list())
    assert [row["n"] for row in index.rows[1:]] == direct["n"].to_list()
    assert index.rows[0]["flag"] == "†"  # three of ten have no value: below 75 %


def test_hidden_groups_have_no_numbers_and_are_not_computed(
    file: AnalysisFile, offered: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lsakit.tables.explorer import statistics

    seen: list[pl.DataFrame] = []
    real = statistics.estimate_means

    def watched(rows: Any, values: str, **more: Any) -> Any:
        seen.append(rows.table)
        return real(rows, values, **more)

    monkeypatch.setattr(statistics, "estimate_means", watched)
    found = ask(file, offered, by=("province_code", "ethnicity"))
    hidden = {tuple(row["group"]): row for row in found.rows if row["suppressed_because"]}
    assert hidden["04", "minority"]["suppressed_because"] == "too_few_students:30"
    assert hidden["04", "kinh"]["suppressed_because"] == "complementary"
    assert (
        len(hidden) >= 4
    )  # the column of the minority needs a second hidden province, and its row a second group
    for row in hidden.values():
        assert all(row[name] is None for name in ("n", "n_schools", "estimate", "standard_error", "ci_low"))
    for table in seen:
        keys = {"province_code", "ethnicity"}
        pairs = set(table.select("province_code", "ethnicity").unique().rows())
        if table.get_column("ethnicity").null_count():
            assert not pairs & set(hidden), keys


def test_two_questions_side_by_side_tell_no_more_than_each(file: AnalysisFile, offered: Catalogue) -> None:
    """Whatever else is asked over the same variables, what a smaller table hides and shows stays the same."""
    alone = ask(file, offered, by=("province_code", "ethnicity"))
    state = {tuple(row["group"]): row["suppressed_because"] for row in alone.rows}
    other_order = ask(file, offered, by=("ethnicity", "province_code"), statistic="sd")
    assert {tuple(reversed(row["group"])): row["suppressed_because"] for row in other_order.rows} == state
    for third in ("gender", "area"):
        larger = ask(file, offered, by=("province_code", "ethnicity", third))
        shown = [row["group"] for row in larger.rows if row["group"] and not row["suppressed_because"]]
        parts: dict[tuple[str, str], int] = {}
        for province, ethnicity, _ in shown:
            parts[province, ethnicity] = parts.get((province, ethnicity), 0) + 1
        for pair, why in state.items():
            if why:  # a hidden group is never the sum of parts that are all shown
                assert parts.get(pair, 0) < 2, (third, pair)


def test_comparisons_are_those_of_compare(file: AnalysisFile, offered: Catalogue) -> None:
    table, more = students(), {"design": DESIGN, "cluster": "school_id"}
    means = lk.estimate_means(table, "PV{m}MATHS", by=["province_code"], **more)
    whole = lk.estimate_means(table, "PV{m}MATHS", **more)
    found = ask(file, offered, by=("province_code",), compare="whole")
    direct = lk.compare(means, "province_code", against=whole).table.filter(pl.col("statistic") == "mean")
    for row, wanted in zip(found.comparisons, direct.to_dicts(), strict=True):
        assert row["group"] == wanted["group"]
        for name in ("estimate", "standard_error", "p_value"):
            assert row[name] == pytest.approx(wanted[name], rel=1e-9)
    reference = ask(file, offered, by=("province_code",), compare="reference", reference="03")
    assert [(row["group"], row["reference"]) for row in reference.comparisons] == [
        ("01", "03"), ("02", "03"), ("04", "03"),
    ]  # fmt: skip
    estimates = dict(
        means.table.filter(pl.col("statistic") == "mean").select("province_code", "estimate").rows()
    )
    for row in reference.comparisons:
        assert row["estimate"] == pytest.approx(estimates[row["group"]] - estimates["03"], rel=1e-9)
        assert row["ci_low"] < row["estimate"] < row["ci_high"]
    pairs = ask(file, offered, by=("province_code",), compare="pairs")
    assert len(pairs.comparisons) == 6
    adjusted = lk.compare(means, "province_code").table.filter(pl.col("statistic") == "mean")
    from lsakit.estimation.closed_forms import with_discoveries

    wanted = with_discoveries(adjusted, 0.05).get_column("is_significant").to_list()
    assert [row["is_significant"] for row in pairs.comparisons] == wanted
    single = ask(file, offered, by=("province_code",), compare="pairs", adjust=False)
    assert [row["is_significant"] for row in single.comparisons] == [
        row["p_value"] < 0.05 for row in single.comparisons
    ]


def test_comparisons_inside_other_groups(file: AnalysisFile, offered: Catalogue) -> None:
    found = ask(
        file, offered, by=("gender", "area"), compare="whole", compare_by="gender", statistic="levels"
    )
    assert {tuple(row["within"]) for row in found.comparisons} == {("rural",), ("urban",)}
    assert len(found.comparisons) == 2 * 2 * (len(CUTS) + 1)


REFUSED = [
    ({"population": "grade12"}, "unknown_population"),
    ({"measure": "school_id"}, "not_offered"),
    ({"measure": "stratum", "statistic": "percent"}, "not_offered"),
    ({"by": ("school_id",)}, "not_offered"),
    ({"by": ("stratum",)}, "not_offered"),
    ({"by": ("ses",)}, "not_offered"),
    ({"statistic": "percent"}, "statistic_does_not_fit"),
    ({"measure": "gender", "statistic": "mean"}, "statistic_does_not_fit"),
    ({"by": ("gender", "area", "ethnicity", "sector")}, "too_many_break_downs"),
    ({"by": ("gender", "gender")}, "break_down_twice"),
    ({"by": ("province_code", "region6")}, "one_inside_the_other"),
    ({"measure": "gender", "statistic": "percent", "by": ("gender",)}, "measure_by_itself"),
    ({"compare": "best"}, "unknown_comparison"),
    ({"compare": "pairs"}, "nothing_to_compare"),
    ({"by": ("gender",), "compare": "pairs", "compare_by": "area"}, "compared_is_no_break_down"),
    ({"by": ("gender",), "compare": "reference"}, "no_reference"),
    ({"by": ("gender",), "compare": "reference", "reference": "X"}, "reference_not_shown"),
]


@pytest.mark.parametrize(("parts", "key"), REFUSED)
def test_what_makes_no_sense_is_refused_in_both_languages(
    file: AnalysisFile, offered: Catalogue, parts: dict[str, Any], key: str
) -> None:
    with pytest.raises(QuestionError) as refused:
        ask(file, offered, **parts)
    assert refused.value.key == key
    vietnamese, english = (refused.value.sentence_in(language) for language in ("vi", "en"))
    assert vietnamese != english
    assert "{" not in vietnamese + english
    assert vietnamese.count(".") >= 2  # what is wrong, and what to do


def test_a_quarter_of_the_index_is_no_break_down_of_the_index() -> None:
    table = students().with_columns(ses_quarter=pl.lit("1"))
    file = AnalysisFile.of(table, DESIGN, population="grade5", rules=rules_named("national"), cuts=CUTS)
    offered = catalogue(file.columns, populations=("grade5",))
    for parts in ({"measure": "ses"}, {"statistic": "slope"}):
        with pytest.raises(QuestionError) as refused:
            ask(file, offered, by=("ses_quarter",), **parts)
        assert refused.value.key == "measure_by_its_own_part"
    assert ask(file, offered, by=("ses_quarter",)).rows[1]["group"] == ["1"]


def test_a_variable_that_tells_single_schools_is_never_offered() -> None:
    table = students().with_columns(area=pl.col("school_id"))
    file = AnalysisFile.of(table, DESIGN, population="grade5", rules=rules_named("national"))
    assert file.few_schools == ("area",)
    offered = catalogue(
        file.columns, populations=("grade5",), few_schools=file.few_schools, with_restricted=True
    )
    assert "area" not in offered.break_downs
    assert "stratum" in offered.break_downs
    assert "stratum" not in catalogue(file.columns, populations=("grade5",)).break_downs


def test_when_everything_is_hidden_the_question_is_refused() -> None:
    file = AnalysisFile.of(students(4, 5), DESIGN, population="grade5", rules=rules_named("national"))
    offered = catalogue(file.columns, populations=("grade5",))
    with pytest.raises(QuestionError) as refused:
        ask(file, offered, by=("gender",))
    assert refused.value.key == "nothing_shown"


def test_an_answer_survives_years_as_text(file: AnalysisFile, offered: Catalogue) -> None:
    found = ask(file, offered, by=("gender", "area"), compare="pairs", compare_by="area")
    again = Answer.of(json.loads(json.dumps(found.plain())))
    assert again == found
    assert again.digest == found.digest
    changed = json.loads(json.dumps(found.plain()))
    changed["rows"][0]["estimate"] += 1e-9
    assert Answer.of(changed).digest != found.digest


def test_the_same_question_has_one_name(offered: Catalogue) -> None:
    from lsakit.tables.explorer import settle

    first = Question(population="grade5", measure="maths", statistic="mean", by=("gender",))
    said_more = Question(
        population="grade5", measure="maths", statistic="mean", by=("gender",), reference="F", adjust=False
    )
    names = {settle(question, offered).name_in("r", "national") for question in (first, said_more)}
    assert len(names) == 1
    assert settle(first, offered).name_in("other run", "national") not in names
    assert settle(first, offered).name_in("r", "naep") not in names


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    "parts",
    [
        {"by": ("gender",), "compare": "pairs"},
        {"by": ("province_code", "ethnicity")},
        {"statistic": "levels", "by": ("area",)},
        {"statistic": "at_or_above", "by": ("area",)},
        {"statistic": "percentiles", "by": ("area",)},
        {"statistic": "slope", "by": ("gender",)},
        {"measure": "sector", "statistic": "percent"},
        {"by": ("province_code",), "compare": "whole"},
    ],
)
def test_charts_and_files_hold_what_is_shown_and_no_more(
    file: AnalysisFile, offered: Catalogue, parts: dict[str, Any], language: str
) -> None:
    found, words = ask(file, offered, **parts), WORDS[language]
    kind = offered.measures[found.question.measure].kind
    svg = draw_answer(found, kind, words)
    assert svg == draw_answer(found, kind, words)
    assert len(svg) < 60_000
    assert str(len({tuple(row["group"]) for row in found.rows if row["estimate"]})) in alternative(
        found, kind, words
    )
    title = words.title(found, kind)
    assert (("Lớp 5" in title) == (language == "vi")) or "grade5" not in title
    book = answer_xlsx(found, words, [("a", "b")], title)
    assert book == answer_xlsx(found, words, [("a", "b")], title)
    text = answer_csv(found, words, [("origin", "=1+1")]).decode("utf-8-sig")
    assert "'=1+1" in text
    assert text.count("\r\n") >= len(found.rows)
    for row in found.rows:
        if row["estimate"] is not None:
            assert repr(row["estimate"]) in text


def test_too_many_groups_are_not_drawn(file: AnalysisFile, offered: Catalogue) -> None:
    found = ask(file, offered, by=("gender",))
    many = Answer(
        question=found.question,
        rows=tuple({**found.rows[1], "group": [str(k)]} for k in range(MOST_DRAWN + 1)),
        comparisons=(),
        explanations=found.explanations,
        facts=found.facts,
    )
    assert can_draw(found)
    assert not can_draw(many)


def test_every_variable_has_a_name_in_both_languages() -> None:
    for name in known_variables():
        said = {language: WORDS[language].variable(name, "grade5") for language in ("vi", "en")}
        assert said["vi"] != said["en"]
        assert name not in said.values()
    with pytest.raises(ValueError, match="unknown kind"):
        variables_of({"x": {"kind": "number", "class": "public"}})


@pytest.mark.parametrize(
    "parts",
    [
        {"by": ("gender",), "compare": "pairs"},
        {"by": ("gender",), "compare": "whole"},
        {"by": ("gender", "area"), "compare": "whole", "adjust": False},
        {"statistic": "percentiles"},
        {"statistic": "levels", "by": ("area",)},
        {"statistic": "slope", "by": ("area",)},
        {"measure": "sector", "statistic": "percent"},
    ],
)
def test_the_python_call_gives_the_same_number(
    file: AnalysisFile, offered: Catalogue, parts: dict[str, Any], tmp_path: Path, monkeypatch: Any
) -> None:
    found = ask(file, offered, **parts)
    students().filter(pl.col("ses").is_not_nan() | (parts.get("statistic") != "slope")).write_parquet(
        tmp_path / "students.parquet"
    )
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {}
    exec(python_call(found, offered.measures[found.question.measure], fay_factor=0.5), space)
    table = space["result"].table
    if not found.question.by:
        row = found.rows[0]
    else:
        row = next(row for row in found.rows if row["group"])
        for name, value in zip(found.question.by, row["group"], strict=True):
            table = table.filter(pl.col(name) == value)
    mine = table.filter(pl.col("statistic") == row["statistic"])
    assert mine["estimate"].item() == pytest.approx(row["estimate"], rel=1e-12)
    assert mine["standard_error"].item() == pytest.approx(row["standard_error"], rel=1e-9)
    if found.comparisons:
        assert space["differences"].table.height >= len(found.comparisons)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed; on Debian: r-base-core")
@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"by": ("gender", "area")},
        {"statistic": "levels", "by": ("area",)},
        {"statistic": "levels"},
        {"statistic": "slope"},
        {"statistic": "slope", "by": ("area",)},
        {"measure": "sector", "statistic": "percent", "by": ("area",)},
        {"measure": "ses"},
    ],
)
def test_the_r_call_gives_the_same_numbers(
    file: AnalysisFile, offered: Catalogue, parts: dict[str, Any], tmp_path: Path
) -> None:
    found = ask(file, offered, **parts)
    frame = students().with_columns(pl.col("ses").fill_nan(None))
    frame.write_csv(tmp_path / "students.csv", null_value="NA")
    code = r_call(found, offered.measures[found.question.measure], fay_factor=0.5)
    assert code.count("\n") >= 4
    tail = "\nout <- if (exists('error')) c(estimate, error) else c(coef(r), unlist(SE(r)))\n"
    script = tmp_path / "call.R"
    script.write_text(code + tail + 'cat("OUT", sprintf("%.12g", out), sep = "\\n")', encoding="utf-8")
    ran = subprocess.run(
        ["Rscript", "--vanilla", str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if "there is no package called" in ran.stderr:
        pytest.skip("R's package survey is not installed; on Debian: r-cran-survey")
    assert ran.returncode == 0, ran.stderr
    numbers = [float(line) for line in ran.stdout.partition("OUT\n")[2].split()]
    rows = [row for row in found.rows if bool(row["group"]) == bool(found.question.by)]
    for row in rows:
        if row["statistic"] == "strength":
            continue
        for name in ("estimate", "standard_error"):
            assert min(abs(number - row[name]) for number in numbers) <= 1e-6 * abs(row[name]), (row, name)


def test_r_is_not_offered_where_it_defines_the_statistic_otherwise(
    file: AnalysisFile, offered: Catalogue
) -> None:
    for statistic in ("sd", "percentiles", "at_or_above"):
        found = ask(file, offered, statistic=statistic)
        assert r_call(found, Variable(name="maths", kind="scale"), fay_factor=0.5) == ""
