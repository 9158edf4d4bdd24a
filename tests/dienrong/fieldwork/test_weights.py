"""Weights from outcomes: files by hash, the same outcomes give the same files, an open school is refused."""

from __future__ import annotations

import json
from io import BytesIO

import polars as pl
import pytest

from dienrong.core.refusals import NotAllowed
from dienrong.fieldwork import operations
from dienrong.fieldwork.models import FieldSchool
from dienrong.fieldwork.operations.weights import path_of, read_file
from small_fieldwork import bring_to_selected, hold_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(fieldwork, ministry, settings, tmp_path):
    """All schools tested and concluded, one refused without a replacement."""
    settings.DATA_DIR = tmp_path
    schools = list(FieldSchool.objects.order_by("number"))
    for number, one in enumerate(schools[1:]):
        bring_to_selected(one, ministry, first=1 + 100 * number)
        hold_test(one, ministry, absent=number % 2)
        operations.conclude_school(school=one, by=ministry)
    return fieldwork, schools[0]


def test_weights_keep_the_total_and_are_repeated_bit_for_bit(done, ministry, officer) -> None:
    fieldwork, open_school = done
    with pytest.raises(operations.NotNow, match=open_school.sampled.school_code):
        operations.compute_weights(fieldwork=fieldwork, by=ministry)
    operations.decline_school(school=open_school, code=2, reason="Từ chối", by=ministry)
    with pytest.raises(NotAllowed):
        operations.compute_weights(fieldwork=fieldwork, by=officer)
    run = operations.compute_weights(fieldwork=fieldwork, by=ministry)
    again = operations.compute_weights(fieldwork=fieldwork, by=ministry)
    assert run.files == again.files
    assert run.manifest_hash == again.manifest_hash
    assert (run.number, again.number) == (1, 2)
    table = pl.read_parquet(BytesIO(read_file(run.files["students.parquet"])))
    assert table.height == run.summary["n_respondents"] == 5 * 8 - 2
    # National rules do not trim: weights add up to w1 × listed over all sampled schools, the refused one by its frame.
    schools = FieldSchool.objects.filter(sampled__role="original").select_related("sampled")
    expected = sum(one.sampled.base_weight * (one.n_listed or one.sampled.n_people) for one in schools)
    assert table["final_weight"].sum() == pytest.approx(expected, rel=1e-9)  # sums of 38 products
    replicates = pl.read_parquet(BytesIO(read_file(run.files["replicates.parquet"])))
    assert replicates.shape == (38, 81)
    manifest = json.loads(read_file(run.manifest_hash))
    assert manifest["inputs"] == run.files["inputs.json"]


def test_a_changed_file_is_named(done, ministry) -> None:
    fieldwork, open_school = done
    operations.decline_school(school=open_school, code=2, reason="Từ chối", by=ministry)
    run = operations.compute_weights(fieldwork=fieldwork, by=ministry)
    path = path_of(run.files["students.parquet"])
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(operations.FieldRefusal, match=run.files["students.parquet"]):
        read_file(run.files["students.parquet"])
