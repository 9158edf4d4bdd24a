"""Units and schools come in whole, once, with their audit entry; nothing half-written."""

from __future__ import annotations

import pytest

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Refusal
from dienrong.registry import operations
from dienrong.registry.models import AdministrativeUnit, RegistryLoad, School, SchoolEnrolment
from small_cycle import SCHOOLS, nation, school_row

pytestmark = pytest.mark.django_db
YEAR = "2025-2026"


def load(rows):
    return operations.load_nation(rows=rows, school_year=YEAR, by=None)


def test_units_schools_and_enrolments_come_in(registry) -> None:
    assert AdministrativeUnit.objects.filter(level="province").count() == 2
    assert AdministrativeUnit.objects.get(code="00004").parent.code == "01"
    school = School.objects.get(school_id="01000003")
    assert (school.province.code, school.commune.code) == ("01", "00008")
    assert list(school.enrolments.values_list("grade", "n_students", "n_classes")) == [(9, 200, 5)]
    entry = AuditEntry.objects.get(action="registry.nation_loaded")
    assert entry.after["n_schools"] == 4


def test_the_same_content_twice_changes_nothing(registry) -> None:
    before = list(School.objects.order_by("pk").values())
    assert load(nation()).pk == registry.pk
    assert RegistryLoad.objects.count() == 1
    assert AuditEntry.objects.filter(action="registry.nation_loaded").count() == 1
    assert list(School.objects.order_by("pk").values()) == before


def test_a_school_that_is_gone_is_closed_and_one_that_changed_keeps_its_row(registry) -> None:
    key = School.objects.get(school_id="01000001").pk
    changed = (school_row("01000001", "Trường TH Hòa Bình 1", "00008", enrolment_5=90), SCHOOLS[3])
    load(nation(changed, "sha256:2"))
    school = School.objects.get(school_id="01000001")
    assert (school.pk, school.name, school.commune.code) == (key, "Trường TH Hòa Bình 1", "00008")
    assert SchoolEnrolment.objects.get(school=school, grade=5).n_students == 90
    assert not School.objects.get(school_id="01000002").is_open
    assert School.objects.filter(is_open=True).count() == 2


def test_a_school_in_an_unknown_commune_is_refused_and_nothing_is_written(db) -> None:
    with pytest.raises(Refusal, match="99999"):
        load(nation((school_row("01000009", "Trường TH Lạ", "99999"),)))
    assert not School.objects.exists()
    assert not AdministrativeUnit.objects.exists()
    assert not AuditEntry.objects.exists()


def test_the_synthetic_nation_fits_the_registry(db) -> None:
    from dienrong.registry.numeric import nation_rows, nation_source

    rows = nation_rows(seed=3, size="small")
    loaded = load(rows)
    assert (loaded.n_provinces, loaded.n_communes) == (34, 3321)
    assert School.objects.filter(is_open=True).count() == loaded.n_schools == len(rows.schools)
    assert loaded.source == nation_source(seed=3, size="small")
    n_students = sum(row["enrolment_5"] + row["enrolment_9"] for row in rows.schools)
    assert sum(SchoolEnrolment.objects.values_list("n_students", flat=True)) == n_students
