"""The pages of runs and artefacts: for the ministry alone; a flipped byte is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from dienrong.analysis import queries
from dienrong.analysis.models import AnalysisRun

pytestmark = pytest.mark.django_db
CYCLE = "/ky-danh-gia/quoc-gia-2026"


def manifest_of(run: AnalysisRun, stage: str) -> str:
    return run.stages.get(stage=stage, grade=5).manifest_id


def test_strangers_open_nothing(done_run, visitor, signed_in, officer, coordinator, researcher) -> None:
    manifest = manifest_of(done_run, "weights")
    addresses = ("/phan-tich", "/phan-tich/moi", "/phan-tich/1", f"/san-pham/{manifest}")
    for address in addresses:
        assert visitor.get(CYCLE + address).status_code == 302, address
        for person in (officer, coordinator, researcher):
            page = signed_in(person).get(CYCLE + address)
            assert page.status_code == 403, address
            assert "Chuyên gia của Bộ" in page.content.decode()
    for person in (officer, researcher):
        assert (
            signed_in(person).post(f"{CYCLE}/phan-tich/moi", {"size": "small", "seed": 1}).status_code == 403
        )
        assert signed_in(person).post(f"{CYCLE}/san-pham/{manifest}/kiem-tra").status_code == 403
    assert AnalysisRun.objects.count() == 1


def test_without_runs_the_page_says_the_first_step(cycle, signed_in, ministry) -> None:
    html = signed_in(ministry).get(f"{CYCLE}/phan-tich").content.decode()
    assert "Chưa có lượt phân tích" in html
    assert f"{CYCLE}/phan-tich/moi" in html


def test_a_run_is_started_from_the_form_and_leads_to_its_job_card(cycle, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    page = browser.post(f"{CYCLE}/phan-tich/moi", {"size": "small", "seed": "2026"}, follow=True)
    html = page.content.decode()
    assert page.redirect_chain[-1][0] == f"{CYCLE}/phan-tich/1"
    assert "Lượt phân tích 1 đang chờ trong hàng đợi" in html
    assert 'hx-trigger="every 2s"' in html
    again = browser.post(f"{CYCLE}/phan-tich/moi", {"size": "small", "seed": "2026"})
    assert again.status_code == 409
    assert "Hãy đợi xong, hoặc hủy lượt đó trước" in again.content.decode()


@pytest.mark.parametrize("wrong", [{"seed": "0"}, {"seed": "một"}, {"size": "huge"}, {"n_students": "99"}])
def test_a_wrong_form_is_said_on_top_and_starts_nothing(cycle, signed_in, ministry, wrong) -> None:
    page = signed_in(ministry).post(f"{CYCLE}/phan-tich/moi", {"size": "small", "seed": "1", **wrong})
    assert page.status_code == 422
    assert "data-errors" in page.content.decode()
    assert not AnalysisRun.objects.exists()


def test_a_run_shows_options_stages_and_manifests(done_run, signed_in, ministry) -> None:
    html = signed_in(ministry).get(f"{CYCLE}/phan-tich/1").content.decode()
    for words in ("Giá trị khả dĩ", "Trọng số", "Ước lượng", done_run.options_hash, "lsakit"):
        assert words in html
    assert html.count("/san-pham/") == len(queries.stages_of(done_run))
    assert signed_in(ministry).get(f"{CYCLE}/phan-tich/2").status_code == 404


def test_an_artefact_shows_inputs_parameters_software_and_first_rows(done_run, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    html = browser.get(f"{CYCLE}/san-pham/{manifest_of(done_run, 'weights')}").content.decode()
    for words in (
        "fay_factor",
        "numpy",
        "Trọng số cuối",
        "school_base_weight",
        "student_id",
        "Trường được chọn",
        "8 dòng đầu",
    ):
        assert words in html
    assert html.count(f"{CYCLE}/san-pham/") >= 3
    assert browser.get(f"{CYCLE}/san-pham/{'0' * 64}").status_code == 404


def test_whole_files_are_confirmed_and_a_flipped_byte_is_named(done_run, signed_in, ministry, cycle) -> None:
    browser = signed_in(ministry)
    manifest = manifest_of(done_run, "scoring")
    address = f"{CYCLE}/san-pham/{manifest}"
    assert "đều nguyên như khi ghi" in browser.post(f"{address}/kiem-tra", follow=True).content.decode()
    file = artefact_file(cycle, manifest, "scored_responses")
    before = file.read_bytes()
    try:
        file.write_bytes(before[:200] + bytes([before[200] ^ 1]) + before[201:])
        html = browser.post(f"{address}/kiem-tra", follow=True).content.decode()
        assert "scored_responses" in html
        assert "đã bị thay đổi sau khi ghi" in html
        assert not queries.is_stored(done_run)
        file.unlink()
        assert "không còn" in browser.post(f"{address}/kiem-tra", follow=True).content.decode()
    finally:
        file.write_bytes(before)


def artefact_file(cycle, manifest: str, role: str) -> Path:
    from lsakit.lineage import Store

    store = Store(queries.store_path(cycle), create=False)
    return store.path / store.manifest(manifest).outputs[role].file_name
