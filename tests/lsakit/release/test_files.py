"""Released files: codes, names, pseudonyms, proof by R and Python, DDI, the same bytes twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import polars as pl
import pytest

import lsakit as lk
from lsakit.errors import TableError
from lsakit.io.codebook import Codebook, Variable
from lsakit.release import Description, DisclosurePlan, build_microdata, protect, write_release
from lsakit.release.aliases import jackknife_zones, with_iea_names
from lsakit.release.missing_scheme import missing_codes, refuse_collisions, width_for
from lsakit.release.package import FORMATS, write_archive
from lsakit.release.pseudonyms import pseudonyms, with_pseudonyms
from lsakit.release.published import published_table
from small_release import run_tables

KEY = b"a key of the tests, 32 bytes lon"
ABOUT = Description(
    identifier="t-puf-1.0", title_vi="Tệp thử", title_en="Test files", kind="public", version="1.0", year=2026,
    published_on="2026-11-28", publisher_vi="Bộ Giáo dục và Đào tạo", publisher_en="MOET", population_vi="học sinh lớp 5",
    population_en="students of grade 5", license_name="CC BY 4.0", license_url="https://example.org/by",
)  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return build_microdata(run_tables())


@pytest.fixture(scope="module")
def made(data):
    return protect(data, DisclosurePlan.read("public_small"), seed=11)


@pytest.fixture(scope="module")
def folder(data, made, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("release")
    released = with_pseudonyms(made.data, key=KEY, purpose="t/1.0")
    write_release(place, released, ABOUT, protected=made, report_table=published_table(data), formats=FORMATS)
    return place


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(lk.__file__).parents[1])}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_missing_codes_stand_above_legal_values_and_a_collision_is_refused() -> None:
    """C7: with two digits the missing code 96 would be the province 96."""
    assert missing_codes(2, "RNIMD") == {94: "D", 96: "R", 97: "N", 98: "I", 99: "M"}
    assert width_for(96) == 3
    bad = Variable(name="PROVINCE", type="integer", width=2, missing={96: "R"}, valid_range=(1.0, 96.0))
    with pytest.raises(TableError, match=r"96 of 'PROVINCE' are also legal values \(C7\)"):
        refuse_collisions(Codebook(variables=(bad,)))
    loose = Variable(name="Q", type="integer", width=1, missing={9: "M"})
    with pytest.raises(TableError, match="C7"):
        refuse_collisions(Codebook(variables=(loose,)), {"Q": [1, 9]})


def test_names_codes_and_labels_follow_the_convention(data) -> None:
    student, responses = data.tables["student"], data.tables["responses"]
    assert student.columns[:3] == ["CNT", "CNTSCHID", "CNTSTUID"]
    assert {"W_FSTUWT", "W_FSTURWT8", "SENWT", "PV3MATH", "PV1READ", "BOOKID"} <= set(student.columns)
    assert student["SENWT"].sum() == pytest.approx(5000.0, rel=1e-12)
    assert set(responses["A1"].unique()) == {1, 2, 3, 4, 6, 8, 9}
    assert set(responses["A2"].unique()) == {1, 7}
    assert not [one for name in data.tables for one in data.codebooks[name].check(data.tables[name])]
    assert data.variable("PROVINCE").missing == {94: "D"}


def test_the_shipped_scripts_prove_the_table_and_find_a_change(folder, tmp_path) -> None:
    for script in ("table.py", "table_numpy.py"):
        done = run([sys.executable, str(folder / script)])
        assert done.returncode == 0, done.stdout + done.stderr
    assert run([sys.executable, str(folder / "table_numpy.py"), "--csv"]).returncode == 0
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    expected = pl.read_csv(copy / "expected.csv", schema_overrides={"group": pl.String, "by": pl.String})
    expected.with_columns(estimate=pl.col("estimate") + 1e-6).write_csv(copy / "expected.csv")
    for script in ("table.py", "table_numpy.py"):
        assert run([sys.executable, str(copy / script)]).returncode == 1, script


@pytest.mark.parametrize("options", [[], ["--base"]])
def test_r_opens_the_sav_and_gives_the_table(folder, options: list[str]) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed here")
    if run(["Rscript", "-e", "library(haven); library(survey)"]).returncode:
        pytest.skip("the R packages haven and survey are not installed here")
    done = run(["Rscript", str(folder / "table.R"), *options])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 không khớp" in done.stdout


def test_spss_file_carries_labels_and_user_missing(folder) -> None:
    import pyreadstat

    _frame, meta = pyreadstat.read_sav(str(folder / "STU_QQQ.sav"), user_missing=True)
    assert meta.column_names_to_labels["ST004D01T"] == "Giới tính | Gender"
    assert meta.variable_value_labels["ETHNIC"][2.0] == "Dân tộc thiểu số | Ethnic minority"
    assert meta.missing_ranges["ETHNIC"] == [{"lo": 4.0, "hi": 4.0}]
    for kind in ("dta", "parquet", "csv"):
        other = lk.read_table(folder / f"STU_QQQ.{kind}")
        assert other["PV1MATH"].to_list() == pytest.approx(_frame["PV1MATH"].tolist(), abs=1e-9)


def test_pseudonyms_need_the_key_and_differ_by_release(made) -> None:
    ids = [f"{number:05d}" for number in range(400)]
    one, other = (pseudonyms(ids, key=KEY, purpose=purpose) for purpose in ("a/public", "a/restricted"))
    assert sorted(one) == sorted(other) == list(range(1, 401))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 20
    assert one != pseudonyms(ids, key=KEY[::-1], purpose="a/public")
    # Neither order nor neighbourhood of the real numbers shows through: the rank correlation is that of chance.
    ranks = pl.DataFrame({"a": range(400), "b": one})
    assert abs(ranks.select(pl.corr("a", "b", method="spearman")).item()) < 0.2
    with pytest.raises(TableError, match="16 bytes"):
        pseudonyms(ids, key=b"short", purpose="a")
    released = with_pseudonyms(made.data, key=KEY, purpose="x")
    assert released.tables["student"]["CNTSTUID"].is_sorted()
    joined = released.tables["student"].join(released.tables["school"], on="CNTSCHID", how="anti")
    assert joined.height == 0


def test_nothing_secret_is_written(folder, made) -> None:
    ids = set(made.data.tables["student"]["CNTSTUID"].to_list())
    for path in folder.iterdir():
        content = path.read_bytes()
        assert not any(one.encode() in content for one in list(ids)[:50]), path.name
    assert not list(folder.glob("*swap*"))
    assert "seed" not in (folder / "disclosure.json").read_text()


def test_the_same_release_has_the_same_bytes(data, made, folder, tmp_path) -> None:
    released = with_pseudonyms(made.data, key=KEY, purpose="t/1.0")
    again = tmp_path / "again"
    found = write_release(
        again, released, ABOUT, protected=made, report_table=published_table(data), formats=FORMATS
    )
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    differing = [one.name for one in found if (again / one.name).read_bytes() != first[one.name]]
    # Stata's header and Excel's properties carry the moment of writing; the sums name those files in turn, and the
    # record for DataCite the size of all, which an Excel file packed otherwise changes by a few bytes.
    assert {Path(name).suffix for name in differing if name != "datacite.json"} <= {".dta", ".xlsx", ""}
    for number in (1, 2):
        write_archive(again, tmp_path / f"{number}.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_ddi_is_in_the_order_of_the_schema_and_valid_where_the_schema_is_given(folder) -> None:
    root = Xml.parse(folder / "ddi.xml").getroot()
    space = {"d": "ddi:codebook:2_5"}
    assert (root.tag, root.get("version")) == ("{ddi:codebook:2_5}codeBook", "2.5")
    assert [one.tag.partition("}")[2] for one in root] == ["stdyDscr", *["fileDscr"] * 3, "dataDscr"]
    ids = [one.get("ID") for one in root.iter() if one.get("ID")]
    assert len(ids) == len(set(ids))
    assert {one.get("files") for one in root.iterfind(".//d:var", space)} <= set(ids)
    gender = root.find(".//d:var[@name='ST004D01T']", space)
    assert [one.findtext("d:catValu", namespaces=space) for one in gender.iterfind("d:catgry", space)] == [
        "1",
        "2",
        "4",
    ]
    schema = os.environ.get("DDI_CODEBOOK_XSD")
    if schema:
        etree = pytest.importorskip("lxml.etree")
        rules = etree.XMLSchema(etree.parse(schema))
        assert rules.validate(etree.parse(str(folder / "ddi.xml"))), rules.error_log


def test_iea_names_stand_beside(made, folder) -> None:
    other = with_iea_names(made.data, grade=5)
    student = other.tables["student"]
    assert {
        "IDCNTRY",
        "IDSCHOOL",
        "IDSTUD",
        "TOTWGT",
        "HOUWGT",
        "SENWGT",
        "ASMMAT01",
        "ASRREA03",
        "ITSEX",
    } <= set(student.columns)
    pupils, meta = lk.read_table(folder / "ASGVNM.sav"), lk.read_table(folder / "ACGVNM.sav")
    assert pupils["TOTWGT"].sum() == pytest.approx(student["TOTWGT"].sum(), rel=1e-12)
    assert "IDSCHOOL" in meta.columns
    assert student["SENWGT"].sum() == pytest.approx(500.0)
    assert student["HOUWGT"].sum() == pytest.approx(student.height)
    assert not [one for one in other.codebooks["student"] if one.name not in student.columns]
    units = pl.DataFrame(
        {
            "school_id": [f"s{number}" for number in range(300)],
            "zone": [number // 2 for number in range(300)],
            "role": [number % 2 + 1 for number in range(300)],
        }
    )
    zones = jackknife_zones(units, seed=1)
    assert (zones["JKZONE"].min(), zones["JKZONE"].max()) == (1, 75)
    halves = zones.with_columns(pair=pl.Series(units["zone"])).group_by("pair").agg(pl.col("JKREP").sum())
    assert halves["JKREP"].to_list() == [1] * 150


def test_a_release_without_title_or_with_a_bad_doi_is_refused() -> None:
    from dataclasses import replace

    for changes in ({"title_en": " "}, {"doi": "doi:abc"}):
        with pytest.raises(TableError):
            replace(ABOUT, **changes)
