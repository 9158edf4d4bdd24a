"""From a freeze to published files: built, reviewed by a second person, published, withdrawn; strangers stay outside."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import pytest
from django.db import IntegrityError, transaction

from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict, NotAllowed
from dienrong.datasets import kept, operations, queries
from dienrong.datasets.models import Freeze, Release
from dienrong.datasets.operations import DatasetsRefusal, NotNow, ReleaseFacts
from dienrong.jobs.models import Job

pytestmark = pytest.mark.django_db


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_freeze_names_every_table_by_its_hash_and_happens_once(freeze, done_run, ministry) -> None:
    roles = set(freeze.artefacts.values_list("role", flat=True))
    assert {"plausible_values", "weights", "replicates", "background", "responses", "items"} <= roles
    assert all(one.artefact_hash.startswith("sha256:") for one in freeze.artefacts.all())
    assert freeze.n_students > 200
    with pytest.raises(NotNow):
        operations.freeze_run(run=done_run, grade=5, by=ministry)
    entry = AuditEntry.objects.get(action="datasets.frozen")
    assert entry.after["hash"] == freeze.content_hash


def test_whoever_may_not_freezes_nothing(done_run, officer, researcher) -> None:
    for person in (officer, researcher):
        with pytest.raises(NotAllowed):
            operations.freeze_run(run=done_run, grade=5, by=person)
    assert not Freeze.objects.exists()


def test_the_built_files_prove_their_table_and_one_changed_figure_is_found(make_release) -> None:
    release = make_release()
    assert release.state == "built", release.refusal
    folder = kept.folder_of(release)
    command = [sys.executable, str(folder / "table_numpy.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 không khớp" in done.stdout
    expected = folder / "expected.csv"
    lines = expected.read_text().splitlines()
    first = lines[1].split(",")
    first[5] = repr(float(first[5]) + 1e-6)
    expected.write_text("\n".join([lines[0], ",".join(first), *lines[2:]]) + "\n")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_the_ids_of_the_files_are_not_those_of_the_run_and_differ_by_release(make_release) -> None:
    import polars as pl

    from lsakit.lineage import Store

    public, restricted = make_release("public"), make_release("restricted")
    assert restricted.state == "built", restricted.refusal
    store = Store(queries.store_path(public), create=False)
    weights = store.table(public.freeze.artefacts.get(role="weights").artefact_hash)
    real = set(weights["student_id"].to_list())
    tables = [pl.read_csv(kept.folder_of(one) / "STU_QQQ.csv") for one in (public, restricted)]
    for table in tables:
        assert not real & {str(one) for one in table["CNTSTUID"].to_list()}
    pv = "PV1MATH"
    joined = tables[0].select(pv, "CNTSTUID").join(tables[1].select(pv, other="CNTSTUID"), on=pv)
    same = joined.filter(pl.col("CNTSTUID") == pl.col("other")).height
    assert joined.height == tables[0].height
    assert same < 0.05 * joined.height


def test_a_plan_that_is_not_fulfilled_leaves_no_files(make_release, visitor) -> None:
    plan = make_release().plan_text.replace("k = 5", "k = 5000")
    failed = make_release("public", "1.1", plan_text=plan)
    assert failed.state == "failed"
    assert "fewer than 5000" in failed.refusal
    assert not failed.files.exists()
    assert visitor.get(f"/tep-du-lieu/{failed.pk}").status_code == 404


def test_a_plan_that_touches_gender_or_is_no_plan_is_refused_at_once(freeze, ministry) -> None:
    from small_datasets import PLAN_PUBLIC

    for text in (
        PLAN_PUBLIC.replace('["ETHNIC", "ESCS"]', '["ST004D01T"]'),
        "name = 1 =",
        "name = 'x'\nkind = 'public'",
    ):
        facts = ReleaseFacts(kind="public", version="9", title_vi="a", title_en="b", plan_text=text)
        with pytest.raises(DatasetsRefusal):
            operations.make_release(freeze=freeze, facts=facts, by=ministry)
    assert not Release.objects.exists()
    assert not Job.objects.exists()


def test_the_maker_does_not_approve_and_nothing_unapproved_is_published(
    make_release, ministry, second
) -> None:
    release = make_release()
    with pytest.raises(NotAllowed):
        operations.review_release(release=release, is_approved=True, note="", by=ministry)
    with pytest.raises(Conflict):
        operations.publish_release(release=release, by=ministry)
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(reviewed_by=ministry)
    approved = operations.review_release(release=release, is_approved=True, note="Đã xem", by=second)
    assert approved.state == "approved"
    assert operations.publish_release(release=approved, by=ministry).state == "published"


def test_a_file_changed_after_the_build_is_not_approved(make_release, second) -> None:
    release = make_release()
    path = kept.folder_of(release) / "STU_QQQ.csv"
    path.write_bytes(path.read_bytes()[:-2] + b"9\n")
    with pytest.raises(NotNow, match=r"STU_QQQ\.csv"):
        operations.review_release(release=release, is_approved=True, note="", by=second)


def test_a_release_sent_back_is_built_again_under_another_plan(make_release, ministry, second) -> None:
    release = make_release()
    with pytest.raises(DatasetsRefusal):
        operations.review_release(release=release, is_approved=False, note=" ", by=second)
    operations.review_release(release=release, is_approved=False, note="Nâng k lên 6", by=second)
    again = operations.rebuild_release(
        release=release, plan_text=release.plan_text.replace("k = 5", "k = 6"), by=ministry
    )
    assert again.state == "building"
    built = operations.build_release(release=again, progress=lambda _text, _share: None)
    assert (built.state, built.made_by) == ("built", ministry)


def test_everybody_takes_public_files_and_a_broken_download_goes_on(
    published_release, visitor, stranger, signed_in
) -> None:
    release = published_release()
    page = visitor.get("/tep-du-lieu/").content.decode()
    assert "Tệp dữ liệu lớp 5" in page
    for browser in (visitor, signed_in(stranger)):
        assert browser.get(f"/tep-du-lieu/{release.pk}").status_code == 200
    address = f"/tep-du-lieu/{release.pk}/tep/{release.archive_name}"
    whole = visitor.get(address)
    content = body(whole)
    assert len(content) == release.n_bytes == int(whole["Content-Length"])
    names = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    assert {"STU_QQQ.sav", "table.R", "ddi.xml", "README.vi.md", "SHA256SUMS"} <= names
    assert not any("swap" in name or "linkage" in name for name in names)
    part = visitor.get(address, HTTP_RANGE="bytes=100-199")
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 100-199/{release.n_bytes}")
    assert body(part) == content[100:200]
    assert body(visitor.get(address, HTTP_RANGE="bytes=-50")) == content[-50:]
    assert visitor.get(address, HTTP_RANGE=f"bytes={release.n_bytes}-").status_code == 416
    assert visitor.get(f"/tep-du-lieu/{release.pk}/tep/..%2fswaps.sealed").status_code == 404
    assert visitor.get(f"/tep-du-lieu/{release.pk}/tep/swaps.sealed").status_code == 404
    [listed] = queries.public_files()
    assert (listed.url, listed.sha256) == (address, release.archive_hash)


def test_too_many_downloads_from_one_address_wait(published_release, visitor, monkeypatch) -> None:
    release = published_release()
    monkeypatch.setattr(queries, "MOST_DOWNLOADS", 2)
    address = f"/tep-du-lieu/{release.pk}/tep/ddi.xml"
    answers = [visitor.get(address).status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def test_a_withdrawn_release_is_gone_for_everybody_but_the_ministry(
    published_release, visitor, ministry, signed_in
) -> None:
    release = published_release()
    with pytest.raises(DatasetsRefusal):
        operations.withdraw_release(release=release, reason="", by=ministry)
    operations.withdraw_release(release=release, reason="Sai trọng số", by=ministry)
    assert visitor.get(f"/tep-du-lieu/{release.pk}").status_code == 404
    assert visitor.get(f"/tep-du-lieu/{release.pk}/tep/{release.archive_name}").status_code == 404
    assert "Sai trọng số" in signed_in(ministry).get(f"/tep-du-lieu/quan-ly/{release.pk}").content.decode()
    assert queries.public_files() == []


def test_strangers_see_nothing_of_the_work(
    make_release, visitor, officer, stranger, researcher, newcomer, signed_in
) -> None:
    release = make_release()
    pages = (
        "/tep-du-lieu/quan-ly",
        "/tep-du-lieu/quan-ly/dong-bang",
        f"/tep-du-lieu/quan-ly/{release.pk}",
        f"/tep-du-lieu/quan-ly/{release.pk}/dung-lai",
        f"/tep-du-lieu/quan-ly/dot/{release.freeze_id}/phat-hanh",
    )
    for address in pages:
        assert visitor.get(address).status_code in (302, 401, 403), address
        for person in (officer, stranger, researcher, newcomer):
            assert signed_in(person).get(address).status_code == 403, address
    for person in (officer, researcher):
        browser = signed_in(person)
        assert (
            browser.post(f"/tep-du-lieu/quan-ly/{release.pk}/xem-xet", {"decision": "approve"}).status_code
            == 403
        )
        assert browser.post(f"/tep-du-lieu/quan-ly/{release.pk}/cong-bo").status_code == 403
        assert browser.get(f"/tep-du-lieu/{release.pk}/bien").status_code == 404
        assert browser.get(f"/tep-du-lieu/{release.pk}/tep/expected.csv").status_code == 404
    release.refresh_from_db()
    assert release.state == "built"


def test_the_whole_way_through_the_pages(done_run, ministry, second, signed_in, visitor) -> None:
    maker, reviewer = signed_in(ministry), signed_in(second)
    answer = maker.post("/tep-du-lieu/quan-ly/dong-bang", {"source": f"{done_run.pk}:5"})
    freeze = Freeze.objects.get()
    assert answer["Location"] == f"/tep-du-lieu/quan-ly/dot/{freeze.pk}/phat-hanh"
    from small_datasets import PLAN_PUBLIC

    values = {
        "kind": "public", "version": "1.0", "title_vi": "Tệp", "title_en": "Files", "license_name": "CC BY 4.0",
        "formats": ["sav", "csv"], "plan_text": PLAN_PUBLIC,
    }  # fmt: skip
    maker.post(answer["Location"], values)
    release = Release.objects.get()
    assert Job.objects.get().kind == "datasets.build"
    operations.build_release(release=release, progress=lambda _text, _share: None)
    page = maker.get(f"/tep-du-lieu/quan-ly/{release.pk}").content.decode()
    assert "Nguy cơ trước và sau" in page
    assert 'value="approve"' not in page
    assert 'value="approve"' in reviewer.get(f"/tep-du-lieu/quan-ly/{release.pk}").content.decode()
    reviewer.post(f"/tep-du-lieu/quan-ly/{release.pk}/xem-xet", {"decision": "approve", "note": ""})
    maker.post(f"/tep-du-lieu/quan-ly/{release.pk}/cong-bo")
    assert visitor.get(f"/tep-du-lieu/{release.pk}").status_code == 200
    found = visitor.get(f"/tep-du-lieu/{release.pk}/bien", {"q": "gioi tinh"}).content.decode()
    assert "ST004D01T" in found
    assert "W_FSTUWT" not in found
