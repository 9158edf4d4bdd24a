"""The sample files of the manual, on a register with several years, refuse just the rows that the manual names."""

from __future__ import annotations

import datetime

import pytest

from dienrong.accounts import operations as accounts
from dienrong.accounts import permissions
from dienrong.core import clock
from dienrong.imports import operations, queries, samples
from dienrong.imports.columns import target_of
from dienrong.registry.models import School, SchoolEnrolment
from lsakit.datasets import full_register
from planted_errors import clean
from register_loading import load_planted

pytestmark = [pytest.mark.web, pytest.mark.django_db]

NOON = datetime.datetime(2026, 1, 15, 5, 0, tzinfo=datetime.UTC)
PARAMS = {
    "mau-truong": {"on_date": "2026-01-15"},
    "mau-quy-mo": {"school_year": "2025-2026", "counted_on": "2026-01-10"},
    "mau-hoc-sinh": {"school_year": "2025-2026"},
}
REFUSED = {"mau-truong": 3, "mau-quy-mo": 3, "mau-hoc-sinh": 4}
"""As docs/manuals/nhap-du-lieu.md says."""


@pytest.fixture
def officer(settings, tmp_path):
    """The officer of the province with the most schools."""
    import dataclasses

    settings.DATA_DIR = tmp_path
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, vault_key="5a" * 32)
    with clock.fixed(NOON):
        register = clean(full_register(seed=2026, n_schools=700, n_years=3))
        load_planted(register, data_at=datetime.date(2025, 10, 12), confirmed_at=NOON)
        person = accounts.create_person(
            username="so", full_name="Trần Văn Đức", password="dien-rong-2026", by=None
        )
        codes = list(School.objects.values_list("province__code", flat=True))
        code = max(sorted(set(codes)), key=codes.count)
        accounts.assign_role(user=person, role="province_officer", unit_code=code, unit_name="", by=None)
        yield person


@pytest.mark.parametrize("name", list(samples.TITLES))
def test_a_sample_file_holds_the_mistakes_the_manual_names(officer, name: str) -> None:
    assert SchoolEnrolment.objects.values("school_year").distinct().count() == 3
    target = target_of(samples.TITLES[name][0])
    content = samples.made(name, permissions.scope_of(officer))
    upload = operations.send_in(
        by=officer, target=target, file_name=f"{name}.xlsx", data=content, params=PARAMS[name]
    )
    upload = operations.inspect_upload(upload.id)
    mapping = {match.place: match.column for match in queries.inspected(upload).matches if match.column}
    operations.match_columns(by=officer, upload=upload, mapping=mapping)
    upload = operations.preview_upload(upload.id, by=officer)
    assert upload.counts["refused"] == REFUSED[name], upload.counts
    assert upload.counts["new"] + upload.counts["changed"] >= 8
    upload = operations.accept_upload(by=officer, upload=upload)
    assert operations.undo_upload(by=officer, upload=upload).state == "undone"
