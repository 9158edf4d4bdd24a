"""The scaling report: every number in its sentences and tables is the run's; nothing of single students in any form."""

from __future__ import annotations

import datetime
import io
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import docx
import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from lsakit.errors import LsakitError
from lsakit.lineage import Store
from lsakit.pipeline.scaling import ScalingDecision, ScalingOptions, run_scaling
from lsakit.tables import report_docx, report_pdf, report_xlsx
from lsakit.tables.report import Report, in_print
from lsakit.tables.scaling_report import DecisionFact, ScalingFacts, StageFact, build_scaling_report
from lsakit.tables.scaling_report.facts import Outputs
from small_study import NOW, WITH_DIF, WITH_SHIFT, make_study

OPTIONS = ScalingOptions(
    group="province",
    reference_group="01",
    weight="final_weight",
    dif_by=("gender",),
    conditioning=("gender", "books"),
    reported=("gender",),
    n_values=4,
    seed=11,
    cuts=(420.0, 500.0, 580.0),
    link="stocking_lord",
)
DECISIONS = (
    ScalingDecision(item="M10", kind="drop"),
    ScalingDecision(item="C12", kind="collapse", scores={2: 1}),
)
REASON = "Hai phương án đều đúng"
ALL = [
    "summary", "data", "options", "classical", "calibration", "parameters", "fit", "dif", "link", "population",
    "values", "scale", "decisions", "lineage",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outputs, ScalingFacts]:
    """A second cycle linked to a first one, in which an item became harder; two items decided."""
    store = Store(tmp_path_factory.mktemp("report") / "store")
    first = run_scaling(
        store, make_study().inputs(store), ScalingOptions(group="province", until="values"), now=NOW, who="x"
    )
    old = {stage: store.manifest(name).outputs for stage, name in first.manifests.items()}
    inputs = make_study(9, mean=0.2, shifted=WITH_SHIFT).inputs(
        store, old_items=old["calibration"]["item_parameters"].hash, old_scale=old["values"]["scale"].hash
    )
    found = run_scaling(store, inputs, OPTIONS, DECISIONS, now=NOW, who="Nguyễn An")
    manifests = {stage: store.manifest(name) for stage, name in found.manifests.items()}
    outputs = {
        stage: {role: store.load(one.hash) for role, one in manifest.outputs.items()}
        for stage, manifest in manifests.items()
    }
    facts = ScalingFacts(
        title="Toán lớp 5",
        cycle="Đánh giá diện rộng 2026",
        subject="Toán",
        run=3,
        options=asdict(OPTIONS),
        software="lsakit 0.1.0",
        data="tệp tra-loi.csv",
        items=store.table(inputs.items),
        inputs=inputs.given(),
        decisions=(
            DecisionFact(
                item="M10", kind="drop", reason=REASON, who="Trần Bình", day=datetime.date(2026, 11, 5)
            ),
            DecisionFact(item="C12", kind="collapse", scores={2: 1}, reason="Mức 2 hiếm", who="Lê Chi"),
        ),
        stages=tuple(
            StageFact(
                stage=stage,
                manifest_id=manifest.id,
                step=manifest.step,
                version=str(manifest.step_version),
                outputs={role: one.hash for role, one in manifest.outputs.items()},
            )
            for stage, manifest in manifests.items()
        ),
        who="Nguyễn An",
        day=datetime.date(2026, 11, 22),
        names={"province": {"01": "Hà Nội", "48": "Đà Nẵng", "79": "TP. Hồ Chí Minh"}},
    )
    return outputs, facts


@pytest.fixture(scope="module")
def report(run: tuple[Outputs, ScalingFacts]) -> Report:
    """The report in Vietnamese."""
    return build_scaling_report(*run, language="vi")


def section(report: Report, key: str) -> Any:
    return next(one for one in report.sections if one.key == key)


def said(report: Report, key: str) -> str:
    return " ".join(section(report, key).paragraphs)


def written(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}".replace("-", "−")
    return text.translate(str.maketrans(",.", ".,"))


def test_every_part_is_there_in_both_languages(run: tuple[Outputs, ScalingFacts], report: Report) -> None:
    english = build_scaling_report(*run, language="en")
    assert [one.key for one in report.sections] == ALL
    assert [one.key for one in english.sections] == ALL
    assert report.title == "Báo cáo định cỡ: Toán lớp 5"
    assert report.source_line == "Nguồn: Đánh giá diện rộng 2026, Toán lớp 5, lượt chạy 3; lsakit 0.1.0."
    assert [len(one.paragraphs) for one in english.sections] == [
        len(one.paragraphs) for one in report.sections
    ]
    assert [len(one.tables) for one in english.sections] == [len(one.tables) for one in report.sections]


def test_models_by_group_are_told_with_the_group_of_each_term(
    run: tuple[Outputs, ScalingFacts], tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    options = replace(OPTIONS, link="none", per_group=True, pca_share=0.9, rule_of_values="pisa2012_scoring")
    found = run_scaling(store, make_study(9).inputs(store), options, now=NOW, who="x")
    manifest = store.manifest(found.manifests["population"])
    outputs = {"population": {role: store.load(one.hash) for role, one in manifest.outputs.items()}}
    made = build_scaling_report(outputs, replace(run[1], options=asdict(options)), language="en")
    assert "a second time, by the rule: PISA until 2012, scoring" in said(made, "options")
    words = said(made, "population")
    assert "Each of the 3 groups by" in words
    assert "principal components of each group" in words
    assert "has 2 conditioning variables" in words, "the group is no covariate"
    table = section(made, "population").tables[0]
    terms = outputs["population"]["coefficients"]
    assert table.columns[:2] == ("Group", "Term")
    assert [row[:2] for row in table.rows] == [
        (run[1].names["province"][row["province"]], row["term"]) for row in terms.to_dicts()
    ]
    assert [table.values[line, 2][0] for line in range(terms.height)] == terms["estimate"].to_list()


def test_an_automatic_release_is_told_with_its_alarm(
    run: tuple[Outputs, ScalingFacts], tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    asked = {
        "link": "none",
        "release": "automatic",
        "rmsd_threshold": 0.02,
        "release_alarm": 0.2,
        "until": "fit",
    }
    options = replace(OPTIONS, **asked)
    found = run_scaling(store, make_study(9).inputs(store), options, now=NOW, who="x")
    outputs = {
        stage: {role: store.load(one.hash) for role, one in store.manifest(name).outputs.items()}
        for stage, name in found.manifests.items()
    }
    facts = replace(run[1], options=asdict(options))
    record, steps = outputs["calibration"]["release"], outputs["calibration"]["release_steps"]
    for language, ended in (("en", "too many items of a group were not common"), ("vi", "không còn chung")):
        made = build_scaling_report(outputs, facts, language=language)
        words = said(made, "fit")
        assert ended in words
        assert len(re.findall(r"20[.,]0%", words)) == len(record["alarmed"]) > 0
        heads = {head for one in made.sections for table in one.tables for head in table.columns}
        assert not [head for head in heads if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", head)]
        assert not [row[0] for row in section(made, "options").tables[0].rows if "_" in row[0]]
    tables = {table.columns[0]: table for table in section(made, "fit").tables}
    assert [row[1] for row in tables["Vòng"].rows] == steps["item"].to_list()


def test_no_word_is_left_without_a_text(run: tuple[Outputs, ScalingFacts], report: Report) -> None:
    """Names of columns, flags, options and roles that had no text once stood in the report as they are."""
    for language in ("vi", "en"):
        made = build_scaling_report(*run, language=language)
        heads = {head for one in made.sections for table in one.tables for head in table.columns}
        assert not [head for head in heads if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", head)]
        names = [row[0] for row in section(made, "options").tables[0].rows]
        assert not [name for name in names if "_" in name]
        roles = [row[1] for row in section(made, "lineage").tables[-1].rows]
        assert not [role for role in roles if "_" in role]
    statuses = {row[1] for row in section(report, "link").tables[-1].rows}
    assert statuses <= {
        "Dùng để liên kết",
        "Loại khỏi liên kết",
        "Chỉ ở đợt này",
        "Chỉ ở đợt trước",
        "Đã gộp điểm ở đợt này",
    }


def test_data_count_students_items_and_missing_answers(
    run: tuple[Outputs, ScalingFacts], report: Report
) -> None:
    outputs, _facts = run
    summary = outputs["scores"]["summary"]
    given, omitted = summary["n_administered"].sum(), summary["n_omitted"].sum()
    text = said(report, "data")
    assert "900 học sinh trả lời 12 câu hỏi, tổng điểm tối đa 14" in text
    assert f"Trong {written(given, 0)} lượt câu hỏi được giao" in text
    assert f"{written(100 * omitted / given, 1)}% bỏ trống" in text
    kinds = section(report, "data").tables[0]
    assert [row[0] for row in kinds.rows] == ["Có trả lời", "Bỏ trống", "Chưa làm tới", "Không hợp lệ"]
    assert sum(value for (_row, column), (value, _kind) in kinds.values.items() if column == 1) == given
    clusters = next(
        table for table in section(report, "data").tables if table.caption == "Số câu hỏi theo khối"
    )
    assert clusters.rows == (("A", "4", "4"), ("B", "4", "4"), ("C", "4", "6"))


def test_parameters_are_those_of_the_calibration(run: tuple[Outputs, ScalingFacts], report: Report) -> None:
    items = run[0]["calibration"]["item_parameters"]
    table = section(report, "parameters").tables[0]
    assert [row[0] for row in table.rows] == items["item"].to_list()
    assert "M10" not in items["item"].to_list()
    place = items["item"].to_list().index(WITH_DIF)
    row = items.row(place, named=True)
    assert table.rows[place][:5] == (
        WITH_DIF, "GPCM", written(row["n"], 0), written(row["slope"], 3), written(row["se_slope"], 3),
    )  # fmt: skip
    assert table.values[place, 3] == (row["slope"], "parameter")
    hardest = items.sort("difficulty").row(-1, named=True)
    assert f"{written(hardest['difficulty'], 2)} (câu {hardest['item']})" in said(report, "parameters")
    convergence = run[0]["calibration"]["convergence"]
    assert f"log hợp lý {written(convergence['log_likelihood'], 1)}" in said(report, "calibration")
    assert f"sau {convergence['n_iterations']} vòng lặp" in said(report, "calibration")


def test_items_that_work_differently_are_named(run: tuple[Outputs, ScalingFacts], report: Report) -> None:
    tests = run[0]["dif"]["dif"]
    clear = tests.filter(pl.col("category").is_in(["B", "C"]))["item"].to_list()
    assert WITH_DIF in clear  # drawn 1.2 logits harder for girls
    assert f"Câu hỏi thuộc B và C: {', '.join(clear)}." in said(report, "dif")
    table = next(one for one in section(report, "dif").tables if "loại B và C" in one.caption)
    assert [row[0] for row in table.rows] == clear


def test_the_link_names_the_item_that_moved_and_its_error(
    run: tuple[Outputs, ScalingFacts], report: Report
) -> None:
    found = run[0]["link"]["link"]
    text = said(report, "link")
    assert f"{found['n_common']} câu hỏi chung, trong đó {found['n_kept']} câu dùng để liên kết" in text
    assert f"{WITH_SHIFT} (" in text  # drawn 1.5 logits harder in this cycle
    assert f"Sai số liên kết theo câu hỏi: {written(found['linking_error_item'], 4)} logit" in text
    assert f"{written(found['linking_error_item_points'], 2)} điểm" in text


def test_population_values_and_scale_give_the_numbers_of_the_run(
    run: tuple[Outputs, ScalingFacts], report: Report
) -> None:
    outputs, _facts = run
    population, scale = outputs["population"]["population"], outputs["values"]["scale"]
    assert "3 biến điều kiện: province, Giới tính, books" in said(report, "population")
    assert f"{written(population['residual_sd'], 3)} logit" in said(report, "population")
    assert f"giải thích {written(100 * population['r_squared'], 1)}% phương sai" in said(report, "population")
    assert "4 giá trị khả dĩ cho mỗi học sinh trong 900 học sinh; hạt giống ngẫu nhiên 11" in said(
        report, "values"
    )
    reliability = outputs["fit"]["reliability"]["wle"]["value"]
    assert f"Độ tin cậy WLE: {written(reliability, 3)}." in said(report, "values")
    assert f"giữ của đợt trước: điểm = {written(scale['slope'], 4)} × θ" in said(report, "scale")
    distribution = outputs["values"]["distribution"].filter(pl.col("group").is_null())
    mean = distribution.filter(pl.col("kind") == "mean")["value"].item()
    assert f"trung bình {written(mean, 1)}" in said(report, "scale")
    levels = section(report, "scale").tables[1]
    assert levels.columns == ("Nhóm", "Số học sinh", "Dưới mức 1", "Mức 1", "Mức 2", "Mức 3")
    for line in range(len(levels.rows)):
        shares = [levels.values[line, column][0] for column in range(2, 6)]
        assert sum(shares) == pytest.approx(1.0, abs=1e-12)  # shares of one whole


def test_decisions_stand_with_their_reasons_and_who_took_them(report: Report) -> None:
    table = section(report, "decisions").tables[0]
    assert table.rows == (
        ("M10", "Bỏ câu hỏi", "–", REASON, "Trần Bình", "05/11/2026"),
        ("C12", "Gộp mức điểm", "2 → 1", "Mức 2 hiếm", "Lê Chi", "–"),
    )
    assert "2 quyết định có hiệu lực" in said(report, "decisions")


def test_lineage_names_every_hash(run: tuple[Outputs, ScalingFacts], report: Report) -> None:
    _outputs, facts = run
    inputs, stages, outputs = section(report, "lineage").tables
    assert {row[1] for row in inputs.rows} == set(facts.inputs.values())
    assert [row[1] for row in stages.rows] == [one.manifest_id for one in facts.stages]
    assert {row[2] for row in outputs.rows} == {
        value for one in facts.stages for value in one.outputs.values()
    }


def test_no_form_tells_of_a_single_student(report: Report) -> None:
    """Codes of students are S0000 to S0899; none may stand in a page, a file or a sheet."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(report_xlsx(report)))
    cells = [
        str(cell)
        for name in book.sheet_names
        for row in book.get_sheet_by_name(name).to_python()
        for cell in row
    ]
    words = [text for one in report.sections for text in one.paragraphs]
    words += [cell for one in report.sections for table in one.tables for row in table.rows for cell in row]
    words += [figure.svg + figure.alternative for one in report.sections for figure in one.figures]
    assert len(cells) > 1000
    assert not [text for text in (*cells, *words) if re.search(r"\bS0\d{3}\b", text)]


def test_the_workbook_holds_every_table_with_numbers(
    run: tuple[Outputs, ScalingFacts], report: Report
) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(report_xlsx(report)))
    tables = [figure.table for one in report.sections for figure in one.figures]
    tables += [table for one in report.sections for table in one.tables]
    assert len(book.sheet_names) == len(tables) + 1
    place = next(place for place, table in enumerate(tables, start=1) if table.caption == "Tham số câu hỏi")
    rows = book.get_sheet_by_name(str(place)).to_python()
    items = run[0]["calibration"]["item_parameters"]
    assert [row[3] for row in rows[3 : 3 + items.height]] == pytest.approx(
        items["slope"].to_list(), rel=1e-14
    )
    assert "Mã số liệu" not in rows[2]


def test_long_tables_are_named_on_paper_and_stand_in_the_workbook(report: Report) -> None:
    sentences, printed = in_print(section(report, "classical"), "vi")
    assert [table.caption for table in printed] == ["Thống kê cổ điển của câu hỏi"]
    assert sentences[-1] == "Chỉ có trong tệp Excel của báo cáo: Thống kê các phương án trả lời."
    document = docx.Document(io.BytesIO(report_docx(report)))
    captions = [one.text for one in document.paragraphs if one.style.name == "Caption"]
    assert any("Tham số câu hỏi" in line for line in captions)
    assert not any("phương án trả lời" in line for line in captions)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_pdf_has_every_heading_and_no_line_too_long(
    run: tuple[Outputs, ScalingFacts], language: str
) -> None:
    reader = pytest.importorskip("pypdf", reason="pypdf reads the printed report back")
    made = build_scaling_report(*run, language=language)
    content = report_pdf(made)
    assert content == report_pdf(made)
    text = "\n".join(page.extract_text() for page in reader.PdfReader(io.BytesIO(content)).pages)
    for one in made.sections:
        assert one.heading.split(",")[0] in text
    assert REASON in text.replace("\n", " ")


def test_a_run_that_stopped_early_tells_what_it_has(run: tuple[Outputs, ScalingFacts]) -> None:
    outputs, facts = run
    early = build_scaling_report(
        {stage: outputs[stage] for stage in ("scores", "classical")}, facts, language="vi"
    )
    assert [one.key for one in early.sections] == ["data", "options", "classical", "decisions", "lineage"]
    with pytest.raises(LsakitError, match="left no stage"):
        build_scaling_report({}, facts, language="vi")


def test_scores_that_came_ready_say_that_missing_kinds_are_unknown(run: tuple[Outputs, ScalingFacts]) -> None:
    outputs, facts = run
    unknown = outputs["scores"]["summary"].with_columns(
        pl.lit(None, pl.Int64).alias(name)
        for name in ("n_administered", "n_omitted", "n_not_reached", "n_invalid")
    )
    changed = {**outputs, "scores": {**outputs["scores"], "summary": unknown}}
    made = build_scaling_report(changed, facts, language="vi")
    assert "không tách ra được" in said(made, "data")
    assert "Câu trả lời và các loại thiếu" not in [table.caption for table in section(made, "data").tables]


def changed(outputs: Outputs, stage: str, role: str, table: Any) -> Outputs:
    return {**outputs, stage: {**outputs[stage], role: table}}


def test_parameters_of_which_the_data_say_little_are_named_in_the_language_of_the_report(
    run: tuple[Outputs, ScalingFacts],
) -> None:
    """The sentences of the calibration are English; the report once put them into Vietnamese text."""
    outputs, facts = run
    assert "Không câu hỏi nào có độ dốc hay độ khó nằm ngoài" in said(
        build_scaling_report(outputs, facts, language="vi"), "calibration"
    )
    items = outputs["calibration"]["item_parameters"]
    is_first, is_second = pl.col("item") == "M01", pl.col("item") == "M02"
    odd = items.with_columns(
        slope=pl.when(is_first).then(4.5).otherwise("slope"),
        difficulty=pl.when(is_second).then(-7.25).otherwise("difficulty"),
    )
    text = said(
        build_scaling_report(changed(outputs, "calibration", "item_parameters", odd), facts, language="vi"),
        "calibration",
    )
    assert "1 câu hỏi có độ dốc ngoài khoảng 0,2 đến 4,0: M01 (4,50)." in text
    assert "1 câu hỏi có độ khó vượt ±6,0 logit, nơi dữ liệu nói rất ít: M02 (−7,25)." in text


def test_a_group_with_many_misfits_is_named(run: tuple[Outputs, ScalingFacts]) -> None:
    """More than a quarter of a group's items above the threshold, as the release rule has it."""
    outputs, facts = run
    fit = outputs["fit"]["group_fit"].sort("group", "item")
    own = fit.filter(pl.col("group") == "48").height
    places = pl.int_range(pl.len()).over("group")
    for n, is_named in ((own // 4, False), (own // 4 + 1, True)):
        many = fit.with_columns(exceeds=(pl.col("group") == "48") & (places < n))
        text = said(
            build_scaling_report(changed(outputs, "fit", "group_fit", many), facts, language="en"), "fit"
        )
        assert (f"Group Đà Nẵng: {n} of {own} items have an RMSD above the threshold" in text) == is_named


def test_nothing_free_of_flags_is_called_good(report: Report) -> None:
    """Sentences give findings; words of judgment belong to people."""
    text = " ".join(sentence for one in report.sections for sentence in one.paragraphs).lower()
    for word in ("tốt", "kém", "đạt yêu cầu", "chấp nhận", "đáng tin", "nên "):
        assert word not in text


def test_groups_and_variables_have_their_names(run: tuple[Outputs, ScalingFacts], report: Report) -> None:
    groups = next(one for one in section(report, "calibration").tables if one.columns[0] == "Nhóm")
    assert [row[0] for row in groups.rows] == ["Hà Nội", "Đà Nẵng", "TP. Hồ Chí Minh"]
    checked = next(one for one in section(report, "population").tables if one.columns[0] == "Biến")
    assert ("Giới tính", "Nữ") in {row[:2] for row in checked.rows}
    assert ("province", "Hà Nội") in {row[:2] for row in checked.rows}
    assert [row[0] for row in section(report, "scale").tables[0].rows] == [
        "Tất cả", "Hà Nội", "Đà Nẵng", "TP. Hồ Chí Minh",
    ]  # fmt: skip
    assert "Theo Giới tính:" in said(report, "dif")
    figure = section(report, "dif").figures[0]
    assert "gender" not in figure.title
    assert ">M<" not in figure.svg
    english = build_scaling_report(*run, language="en")
    assert "By Gender:" in said(english, "dif")
