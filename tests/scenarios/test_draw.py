"""A public draw from the registry to a stranger's machine: files, command, signature, page without network."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from dienrong.accounts import operations as accounts
from dienrong.core import clock
from dienrong.cycles import operations as cycles
from dienrong.registry import operations as registry
from dienrong.sampling import operations, outputs
from dienrong.sampling.models import Plan
from sampling_moments import AFTER, DUE, NOON, NUMBER, SOURCE, YEAR
from small_cycle import nation, school_row

pytestmark = [pytest.mark.web, pytest.mark.django_db]
FILES = ("record.json", "record.sig", "draw_key.pem", "record.html", "frame.parquet", "frame.csv")


@pytest.fixture
def published(db, settings, tmp_path: Path) -> Path:
    """Draw 10 of 60 schools in public; give the folder of the published files."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    rows = tuple(
        school_row(
            f"{province}{number:06d}",
            f"Trường TH Số {number}",
            commune,
            enrolment_5=20 + number * 5,
            classes_5=1 + number // 6,
        )
        for number in range(1, 31)
        for province, commune in (("01", "00004"), ("79", "26734"))
    )
    with clock.fixed(NOON):
        registry.load_nation(rows=nation(rows), school_year=YEAR, by=None)
        expert = accounts.create_person(
            username="bo", full_name="Nguyễn Minh", password="dien-rong-2026", by=None
        )
        accounts.assign_role(user=expert, role="ministry_expert", unit_code="", unit_name="", by=None)
        programme = cycles.create_programme(code="q", name_vi="Q", name_en="Q", legal_basis="", by=expert)
        new = cycles.NewCycle(
            slug="q-2026",
            name_vi="Kỳ 2026",
            name_en="Cycle 2026",
            school_year=YEAR,
            first_test_date=datetime.date(2026, 4, 20),
            grades=(5,),
            subjects=(),
        )
        cycle = cycles.create_cycle(programme=programme, new=new, by=expert)
        plan = operations.create_plan(
            cycle=cycle,
            new=operations.NewPlan(
                title="Lớp 5 <chính thức> & “công khai”",
                population="students",
                grade=5,
                phase="main_survey",
                rules="timss",
                school_year=YEAR,
                frame_date=datetime.date(2026, 11, 22),
            ),
            by=expert,
        )
        plan = operations.take_registry(plan=plan, by=expert)
        values = {"explicit": ["province"], "implicit": ["area"], "n_schools": 10, "n_students": 30}
        plan = operations.change_design(plan=plan, values=values, by=expert)
        operations.freeze_frame(plan=plan, by=expert)
        plan = Plan.objects.get(pk=plan.pk)
        operations.commit_plan(plan=plan, source_name=SOURCE, source_due_at=DUE, by=expert)
    with clock.fixed(AFTER):
        plan = Plan.objects.get(pk=plan.pk)
        operations.draw_sample(plan=plan, source_text=NUMBER, witnesses=["Bà A"], by=expert)
    folder = tmp_path / "published"
    folder.mkdir()
    plan = Plan.objects.get(pk=plan.pk)
    for name in FILES:
        (folder / name).write_bytes(outputs.output(plan, name).content)
    return folder


def verify_draw(folder: Path, frame: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a stranger would: a process of its own that knows nothing of the site."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "DIENRONG"))
    }
    command = [
        sys.executable,
        "-c",
        "from lsakit.cli import main; raise SystemExit(main())",
        "verify-draw",
        "record.json",
        frame,
    ]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_published_files_repeat_the_draw(published: Path) -> None:
    for frame in ("frame.parquet", "frame.csv"):
        found = verify_draw(published, frame)
        assert found.returncode == 0, found.stdout + found.stderr
        assert "bit for bit: 10 schools of 60" in found.stdout


def test_one_changed_cell_is_named_by_school_and_column(published: Path) -> None:
    table = pl.read_parquet(published / "frame.parquet")
    changed = (
        pl.when(pl.col("school_id") == "79000017").then(106).otherwise(pl.col("enrolment")).alias("enrolment")
    )
    table.with_columns(changed).write_parquet(published / "changed.parquet")
    found = verify_draw(published, "changed.parquet")
    assert found.returncode == 1
    assert "79000017" in found.stdout
    assert "enrolment" in found.stdout
    assert "106" in found.stdout


def test_one_changed_byte_of_the_published_file_is_named(published: Path) -> None:
    content = (published / "frame.csv").read_bytes()
    place = content.index("Trường TH Số 9,".encode()) + len("Trường TH S")
    (published / "changed.csv").write_bytes(content[:place] + b"x" + content[place + 1 :])
    found = verify_draw(published, "changed.csv")
    assert found.returncode != 0
    place = content.index(b"01000009,")
    (published / "changed.csv").write_bytes(content[:place] + content[place:].replace(b"urban", b"urbax", 1))
    found = verify_draw(published, "changed.csv")
    assert found.returncode == 1
    assert "01000009" in found.stdout
    assert "area" in found.stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="OpenSSL is not installed")
def test_openssl_alone_checks_the_signature(published: Path) -> None:
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "draw_key.pem",
        "-rawin",
        "-in",
        "record.json",
        "-sigfile",
        "record.sig",
    ]
    assert subprocess.run(command, cwd=published, capture_output=True, check=False).returncode == 0
    record = published / "record.json"
    record.write_bytes(record.read_bytes().replace(NUMBER.encode(), b"48213 07 98"))
    assert subprocess.run(command, cwd=published, capture_output=True, check=False).returncode != 0


@pytest.mark.browser
def test_the_offline_page_checks_itself_from_a_file(published: Path) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
    import site_under_test

    reason = site_under_test.missing()
    if reason:
        pytest.skip(reason)
    page_file = published / "record.html"
    whole = page_file.read_text(encoding="utf-8")
    record = json.loads((published / "record.json").read_text(encoding="utf-8"))
    seed, school = record["seed"], record["sample"]["rows"][0][0]
    changes = {
        "": "",
        "seed": (seed, str(int(seed) + 1)),
        "number": (f'\\"text\\":\\"{NUMBER}\\"', '\\"text\\":\\"48213 07 98\\"'),
        "school": (school, "99999999"),
    }
    (published / "whole.html").write_text(whole, encoding="utf-8")
    outcomes = {}
    with site_under_test.browsing() as chromium:
        context = chromium.new_context(offline=True)
        for name, change in changes.items():
            content = whole.replace(*change) if change else whole
            assert not change or content != whole, name
            page_file.write_text(content, encoding="utf-8")
            page = context.new_page()
            faults: list[str] = []
            page.on("pageerror", lambda error, kept=faults: kept.append(str(error)))
            page.goto(page_file.as_uri())
            assert not faults, faults
            marks = page.locator("#checks b").all_inner_texts()
            outcomes[name] = (page.locator("#outcome").get_attribute("data-outcome"), len(marks))
            if not change:
                assert page.locator("#sample tbody tr").count() == 10
                assert "Lớp 5 <chính thức> & “công khai”" in page.locator("h1").inner_text()
                assert page.evaluate(
                    "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
                )
            page.close()
    assert outcomes == {"": ("good", 5), "seed": ("bad", 5), "number": ("bad", 5), "school": ("bad", 5)}
