"""Plans are loaded as written: every line of the sources, the right province, once, or refused whole."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import tomllib
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from dienrong.accounts.models import User
from dienrong.audit.models import AuditEntry
from dienrong.plans.models import Phase, PlanDocument, Target
from dienrong.plans.operations import documents as operations
from dienrong.plans.operations.documents import UnknownUnit, load_document, load_shipped, shipped
from dienrong.plans.operations.refusals import NotNow, PlanRefusal
from dienrong.plans.queries import documents
from dienrong.registry.models import AdministrativeUnit, UnitSuccession

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
MERGED = datetime.date(2025, 7, 1)
SOURCES = {
    "ca-mau-208": ("000_39071ac85e6dffb6.txt", 3),
    "bac-ninh-186": ("001_c35a71dfc5d5cace.txt", 0),
}
SEEDS = Path(os.environ.get("DIENRONG_SHARED", Path(__file__).resolve().parents[4] / "shared")) / "seeds"
# SHA-256 of every word of the document in order, white space apart; taken from the sources when they were copied.
WORDS = {
    "ca-mau-208": "47798b12e235180c72acb82a971eab30dad66c1bba1c51772a44746261221652",
    "bac-ninh-186": "f193f1a8d46df74a07ecc1e99c3789f1b88f8c5059e5ca70a22c25e469af5dbc",
}


def old_province(code: str, name: str, successor: AdministrativeUnit | None = None) -> AdministrativeUnit:
    made = AdministrativeUnit.objects.create(
        level="province", code=code, kind="province", name=name, full_name=f"Tỉnh {name}",
        valid_from=datetime.date(2004, 1, 1), valid_to=MERGED, search_key=name.lower(),
    )  # fmt: skip
    if successor is not None:
        UnitSuccession.objects.create(
            predecessor=made, successor=successor, on_date=MERGED, decision="NQ 202/2025/QH15"
        )
    return made


@pytest.fixture
def merged_ca_mau() -> AdministrativeUnit:
    """Cà Mau of today, continued from Bạc Liêu and the Cà Mau of before."""
    new = AdministrativeUnit.objects.create(
        level="province", code="96", kind="province", name="Cà Mau", full_name="Tỉnh Cà Mau", valid_from=MERGED,
        search_key="ca mau",
    )  # fmt: skip
    old_province("95", "Bạc Liêu", new)
    old_province("96", "Cà Mau", new)
    return new


def words_of(code: str) -> list[str]:
    """Every word of a data file that is the document's own, in its order."""
    said = tomllib.loads(shipped()[code])
    lines = [said["title"]] if said["source_kind"] == "text" else [said["title"], said["preamble"]]
    if said["source_kind"] == "text":
        lines.append(said["preamble"])
    for section in said["sections"]:
        lines += [] if section.get("is_heading_ours") else [section["heading"]]
        lines += section.get("paragraphs", [])
    lines += (
        [said["closing"], "Nơi nhận:", *said["recipients"], said["signer_title"], said["signer"]]
        if said.get("closing")
        else []
    )
    return " ".join(lines).split()


@pytest.mark.parametrize("code", SOURCES)
def test_every_word_stands_as_in_the_source(code: str) -> None:
    found = hashlib.sha256(" ".join(words_of(code)).encode()).hexdigest()
    assert found == WORDS[code]


@pytest.mark.parametrize("code", SOURCES)
def test_the_source_itself_gives_the_same_words(code: str) -> None:
    name, n_heads = SOURCES[code]
    if not (SEEDS / name).exists():
        pytest.skip("the sources do not lie beside the program")
    lines = [line.strip() for line in (SEEDS / name).read_text(encoding="utf-8").splitlines() if line.strip()]
    assert words_of(code) == " ".join(lines[n_heads:]).split()


def test_the_plan_of_ca_mau_is_the_one_of_the_old_province(merged_ca_mau, ministry) -> None:
    found = load_shipped(by=ministry)
    assert set(found.new) == {"ca-mau-208", "qd-468"}
    assert found.without_unit == ("bac-ninh-186",)
    plan = PlanDocument.objects.get(code="ca-mau-208")
    assert (plan.unit.code, plan.unit.valid_to, plan.issued_on) == ("96", MERGED, datetime.date(2024, 9, 30))
    topics = set(plan.sections.values_list("topic", flat=True))
    assert topics >= {
        "purpose",
        "demands",
        "general_goal",
        "goals",
        "tasks",
        "solutions",
        "funding",
        "organization",
    }
    assert plan.sections.filter(topic="organization").count() == 7
    assert plan in documents.documents_of(merged_ca_mau)
    assert [one.unit.name for one in documents.ancestors_of(merged_ca_mau)] == ["Bạc Liêu", "Cà Mau"]


def test_targets_are_the_paragraphs_that_they_name(merged_ca_mau, ministry) -> None:
    load_shipped(by=ministry)
    rows = Target.objects.filter(document__code="ca-mau-208").select_related("phase")
    said = {(one.phase.code, one.indicator): (float(one.share), one.quote) for one in rows}
    assert len(said) == 10
    expected = {
        "programmes": 1,
        "participation": 1,
        "core_experts": 1,
        "testing_staff": 0.5,
        "school_staff": 0.5,
    }
    for code, share in expected.items():
        assert said["2022-2026", code][0] == share
        assert said["2027-2030", code][0] == 1
    for (_phase, code), (share, quote) in said.items():
        if code != "programmes":
            assert quote.startswith(f"- {share:.0%} ")


def test_a_plan_without_a_share_takes_that_of_the_nation(ministry, project) -> None:
    new = AdministrativeUnit.objects.create(
        level="province", code="24", kind="province", name="Bắc Ninh", full_name="Tỉnh Bắc Ninh", valid_from=MERGED,
        search_key="bac ninh",
    )  # fmt: skip
    old_province("27", "Bắc Ninh", new)
    load_shipped(by=ministry)
    phase = Phase.objects.get(code="2022-2026")
    aims = {one.indicator.code: one for one in documents.aims_of(new, phase)}
    staff = aims["school_staff"]
    assert staff.own.share is None
    assert (staff.is_national, float(staff.target.share)) == (True, 0.5)
    assert aims["programmes"].target.share is None


def test_loading_twice_is_once_and_other_words_are_refused(ministry, project) -> None:
    n = AuditEntry.objects.count()
    assert load_shipped(by=ministry).new == ()
    assert AuditEntry.objects.count() == n
    changed = shipped()["qd-468"].replace("khách quan", "chủ quan")
    with pytest.raises(NotNow):
        load_document(changed, by=ministry)
    assert "chủ quan" not in str(list(PlanDocument.objects.values_list("title", flat=True)))


BAD = {
    "no toml": ("code = ", "cannot be read"),
    "nothing": ("", "lacks"),
    "unknown topic": ('topic = "goals"', 'topic = "dreams"'),
    "unknown indicator": ('indicator = "core_experts"', 'indicator = "wishes"'),
    "no such paragraph": ("paragraph = 4", "paragraph = 9"),
}


@pytest.mark.parametrize("case", ["unknown topic", "unknown indicator", "no such paragraph"])
def test_a_damaged_file_is_refused_whole(case: str, ministry) -> None:
    operations.load_phases(by=ministry)
    old, new = BAD[case]
    text = shipped()["qd-468"]
    assert old in text
    with pytest.raises(PlanRefusal):
        load_document(text.replace(old, new), by=ministry)
    assert not PlanDocument.objects.exists()


@pytest.mark.parametrize("case", ["no toml", "nothing"])
def test_what_is_no_document_is_refused(case: str, ministry) -> None:
    with pytest.raises(PlanRefusal) as refused:
        load_document(BAD[case][0], by=ministry)
    assert refused.value.hint


def test_a_province_that_is_not_registered_is_refused(ministry) -> None:
    operations.load_phases(by=ministry)
    with pytest.raises(UnknownUnit):
        load_document(shipped()["ca-mau-208"], by=ministry)


def test_the_command_loads_and_says_what_it_did(tmp_path) -> None:
    out = StringIO()
    call_command("load_plans", stdout=out)
    assert "qd-468" in out.getvalue()
    assert "ca-mau-208" in out.getvalue().partition("province unknown")[2]
    broken = tmp_path / "broken.toml"
    broken.write_text("code = ", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("load_plans", str(broken))
    assert User.objects.count() == 0


def test_no_heading_of_the_document_is_ours_where_the_text_is_at_hand() -> None:
    said = tomllib.loads(shipped()["ca-mau-208"])
    assert not any(section.get("is_heading_ours") for section in said["sections"])
    assert re.search(r"208/KH-UBND", said["number"])
