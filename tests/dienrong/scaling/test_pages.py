"""Pages of scaling: for the ministry alone; board, card, forms, results, files; each state says the next step."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from python_calamine import CalamineWorkbook

from dienrong.scaling import operations, queries
from dienrong.scaling.models import ItemDecision, ScalingRun, ScalingStudy, StudyData
from dienrong.scaling.numeric import board, results
from small_scaling import OPTIONS, answers, csv_bytes, items

pytestmark = pytest.mark.django_db
ROOT = "/dinh-co/quoc-gia-2026"
STUDY = f"{ROOT}/1"
RUN = f"{STUDY}/luot/1"
SECTIONS = ("calibration", "fit", "dif", "maps", "population", "values")
READ = (
    ROOT, STUDY, f"{STUDY}/lich-su", f"{STUDY}/du-lieu", f"{STUDY}/cau-hoi", f"{STUDY}/cau-hoi.xlsx",
    f"{STUDY}/cau-hoi/T03", f"{STUDY}/luot", RUN, f"{RUN}/bang/fit/group_fit", f"{RUN}/bang/fit/group_fit.xlsx",
    f"{RUN}/hinh/wright_map.svg", f"{RUN}/hinh/wright_map.xlsx", f"{RUN}/hinh/curve.svg?item=T03",
    *(f"{RUN}/ket-qua/{name}" for name in SECTIONS),
)  # fmt: skip
CHANGE = (f"{ROOT}/moi", f"{STUDY}/luot/moi")
POSTS = (
    f"{STUDY}/du-lieu/tu-luot", f"{STUDY}/du-lieu/tep", f"{STUDY}/du-lieu/dong-bang", f"{STUDY}/du-lieu/bo",
    f"{STUDY}/quyet-dinh", f"{RUN}/de-xuat",
)  # fmt: skip
FORM = {
    "model": "gpcm", "models": "", "rule": "pisa2015", "rule_of_values": "", "group": "region", "reference_group": "", "weight": "weight",
    "senate": "on", "dif_by": ["gender"], "rmsd_threshold": "0,12", "conditioning": ["gender"], "pca_share": "",
    "reported": ["gender"], "release": "none", "release_alarm": "0,25", "link": "none", "drift": "0,5", "n_values": "5", "seed": "2026", "scale_mean": "500",
    "scale_sd": "100", "cuts": "450; 550", "until": "values",
}  # fmt: skip


def test_every_page_opens_for_the_ministry(scaled, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    for address in (*READ, *CHANGE):
        page = browser.get(address)
        assert page.status_code == 200, address
    assert browser.get("/dinh-co").url == ROOT


@pytest.mark.parametrize("who", ["officer", "coordinator", "researcher", "newcomer", "stranger"])
def test_strangers_open_nothing(request, scaled, visitor, signed_in, who) -> None:
    browser = signed_in(request.getfixturevalue(who))
    for address in (*READ, *CHANGE):
        assert browser.get(address).status_code == 403, address
    for address in POSTS:
        assert browser.post(address).status_code == 403, address
    assert visitor.get(STUDY).status_code == 302
    assert (ItemDecision.objects.count(), ScalingRun.objects.count()) == (0, 1)


def test_what_does_not_exist_is_not_found(scaled, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    for address in (
        f"{ROOT}/9", f"{STUDY}/luot/9", f"{STUDY}/cau-hoi/KHONG", f"{RUN}/ket-qua/khac", f"{RUN}/ket-qua/link",
        f"{RUN}/bang/fit/khac", f"{RUN}/hinh/khac.svg", "/dinh-co/khong-co",
    ):  # fmt: skip
        assert browser.get(address).status_code == 404, address


def test_empty_states_say_the_first_step(cycle, signed_in, ministry, data_folder) -> None:
    browser = signed_in(ministry)
    assert "Chưa có đợt định cỡ" in browser.get(ROOT).content.decode()
    page = browser.post(f"{ROOT}/moi", {"title": "Toán lớp 5", "subject": "maths", "grade": "5"}, follow=True)
    assert page.redirect_chain[-1][0] == f"{STUDY}/du-lieu"
    assert "Chưa có dữ liệu" in page.content.decode()
    assert "Chưa có câu hỏi để xem xét" in browser.get(f"{STUDY}/cau-hoi").content.decode()
    assert "Muốn chạy phải có dữ liệu" in browser.get(f"{STUDY}/luot").content.decode()
    assert browser.get(f"{STUDY}/luot/moi", follow=True).redirect_chain[-1][0] == f"{STUDY}/du-lieu"
    assert browser.get(f"{STUDY}/du-lieu/xem-truoc").status_code == 409


@pytest.mark.parametrize(
    "wrong", [{"title": ""}, {"subject": "other"}, {"subject": "x"}, {"grade": "7"}, {"previous": "5"}]
)
def test_a_wrong_study_is_said_on_top(cycle, signed_in, ministry, wrong) -> None:
    page = signed_in(ministry).post(f"{ROOT}/moi", {"title": "A", "subject": "maths", "grade": "5", **wrong})
    assert page.status_code == 422
    assert "data-errors" in page.content.decode()
    assert not ScalingStudy.objects.exists()


def test_files_are_sent_matched_looked_at_and_frozen(study, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    files = {
        "responses": SimpleUploadedFile("tra-loi.csv", csv_bytes(answers()[:200])),
        "items": SimpleUploadedFile("cau-hoi.csv", csv_bytes(items())),
    }
    page = browser.post(f"{STUDY}/du-lieu/tep", files, follow=True)
    assert page.redirect_chain[-1][0] == f"{STUDY}/du-lieu/cot"
    html = page.content.decode()
    form = page.context["form"]
    assert "tra-loi.csv" in html
    assert form.n_like_items >= 2
    posted = {"is_scored": "0", "item_rule": "listed", "student_id": "student_id"}
    for place, column in enumerate(form.described):
        if column.name == "region":
            posted[f"role_{place}"] = "group"
        if column.name == "gender":
            posted[f"dif_{place}"] = "on"
    page = browser.post(f"{STUDY}/du-lieu/cot", posted, follow=True)
    html = page.content.decode()
    assert page.redirect_chain[-1][0] == f"{STUDY}/du-lieu/xem-truoc"
    assert "Dữ liệu đã sẵn sàng để chốt" in html
    assert "north: 100; south: 100" in html.replace("\n", "")
    page = browser.post(f"{STUDY}/du-lieu/dong-bang", follow=True)
    assert page.redirect_chain[-1][0] == f"{STUDY}/luot/moi"
    data = StudyData.objects.get()
    assert data.state == "frozen"
    assert data.mapping["columns"] == {
        "group": "region",
        "weight": "",
        "dif": ["gender"],
        "background": ["gender"],
    }


def test_faults_are_shown_by_place_with_advice_and_cannot_be_frozen(study, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    rows = answers()[:50]
    rows[4]["M2"] = "khá"
    files = {
        "responses": SimpleUploadedFile("tra-loi.csv", csv_bytes(rows)),
        "items": SimpleUploadedFile("cau-hoi.csv", csv_bytes(items())),
    }
    browser.post(f"{STUDY}/du-lieu/tep", files)
    posted = {"is_scored": "0", "item_rule": "listed", "student_id": "student_id"}
    html = browser.post(f"{STUDY}/du-lieu/cot", posted, follow=True).content.decode()
    for words in ("Còn 1 lỗi phải sửa", "Không phải số nguyên", "khá", "M2", "Hãy sửa ô"):
        assert words in html
    assert "Chốt dữ liệu này" not in html
    assert browser.post(f"{STUDY}/du-lieu/dong-bang").status_code == 422
    assert StudyData.objects.get().state == "draft"


def test_a_file_that_cannot_be_read_is_said_beside_the_field(study, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    page = browser.post(f"{STUDY}/du-lieu/tep", {"responses": SimpleUploadedFile("a.parquet", b"no parquet")})
    assert page.status_code == 422
    assert not StudyData.objects.exists()
    page = browser.post(f"{STUDY}/du-lieu/tep", {})
    assert page.status_code == 422
    assert "Hãy chọn tệp" in page.content.decode() or "chọn một tệp" in page.content.decode()


def test_data_of_a_run_go_through_the_preview(study, done_run, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    page = browser.post(f"{STUDY}/du-lieu/tu-luot", {"run": "1"}, follow=True)
    assert page.redirect_chain[-1][0] == f"{STUDY}/du-lieu/xem-truoc"
    assert "final_weight" in page.content.decode()
    assert browser.post(f"{STUDY}/du-lieu/tu-luot", {"run": "x"}).status_code == 409
    page = browser.post(f"{STUDY}/du-lieu/bo", follow=True)
    assert not StudyData.objects.exists()


def test_a_run_is_started_from_the_form_and_leads_to_its_card(study, frozen, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    html = browser.get(f"{STUDY}/luot/moi").content.decode()
    assert "Lượt này sẽ tính những gì" in html
    page = browser.post(f"{STUDY}/luot/moi", {**FORM, "look": "1"})
    assert page.status_code == 200
    assert not ScalingRun.objects.exists()
    page = browser.post(f"{STUDY}/luot/moi", FORM, follow=True)
    assert page.redirect_chain[-1][0] == RUN
    assert "Lượt định cỡ 1 đang chờ trong hàng đợi" in page.content.decode()
    run = ScalingRun.objects.get()
    assert run.options == OPTIONS
    assert browser.post(f"{STUDY}/luot/moi", FORM).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"rmsd_threshold": "rất cao"},
        {"cuts": "thấp; cao"},
        {"cuts": "550; 450"},
        {"models": "T01 phép"},
        {"models": "T01 = magic"},
        {"group": "weight"},
        {"n_values": "1"},
        {"reported": ["region"], "group": ""},
        {"link": "fixed"},
        {"per_group": "on", "group": "", "reported": []},
        {"release": "automatic", "group": "", "reported": []},
        {"release_alarm": "2"},
        {"rule_of_values": "magic"},
    ],
)
def test_a_wrong_option_is_said_on_top_and_starts_nothing(study, frozen, signed_in, ministry, wrong) -> None:
    page = signed_in(ministry).post(f"{STUDY}/luot/moi", {**FORM, **wrong})
    assert page.status_code == 422
    assert "data-errors" in page.content.decode()
    assert not ScalingRun.objects.exists()


def shown(page) -> list[str]:
    return [one["row"].item for one in page.context["page"].object_list]


def test_the_board_filters_sorts_and_searches_without_accents(scaled, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    everything = shown(browser.get(f"{STUDY}/cau-hoi"))
    assert len(everything) == 14
    assert "T03" in shown(browser.get(f"{STUDY}/cau-hoi?flag=rmsd"))
    assert shown(browser.get(f"{STUDY}/cau-hoi?q=phep+do+so+3")) == ["T03"]
    assert sorted(shown(browser.get(f"{STUDY}/cau-hoi?q=GIAI BAI TOAN"))) == ["M1", "M2"]
    by_rmsd = browser.get(f"{STUDY}/cau-hoi?sort=-rmsd")
    assert shown(by_rmsd)[0] == "T03"
    values = [
        one["row"].facility
        for one in browser.get(f"{STUDY}/cau-hoi?sort=facility").context["page"].object_list
    ]
    assert values == sorted(values)
    assert shown(browser.get(f"{STUDY}/cau-hoi?sort=evil&state=evil&flag=evil")) == everything
    empty = browser.get(f"{STUDY}/cau-hoi?q=khong-co-cau-nay").content.decode()
    assert "Không có câu hỏi nào" in empty


def test_ten_thousand_items_are_paged_on_the_server(scaled, signed_in, ministry, monkeypatch) -> None:
    rows = tuple(
        board.BoardRow(item=f"I{n:05d}", label=f"Câu số {n}", n=n, facility=n / 10_000, flags=("too_hard",))
        for n in range(10_000)
    )
    monkeypatch.setattr(board, "_rows", lambda *_given: rows)
    browser = signed_in(ministry)
    page = browser.get(f"{STUDY}/cau-hoi?page=200&sort=-facility")
    assert shown(page)[-1] == "I00000"
    assert len(shown(page)) == 50
    assert len(page.content) < 150_000


def test_a_decision_is_taken_withdrawn_and_stands_in_the_history(scaled, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    card = browser.get(f"{STUDY}/cau-hoi/T03?flag=rmsd").content.decode()
    for words in ("Không phù hợp trong nhóm", "Phép đo số 3", "cân nhắc tham số riêng", "<svg"):
        assert words in card
    posted = {"item": "T03", "kind": "free", "groups": ["south"], "reason": "Khó hơn ở miền Nam."}
    page = browser.post(f"{STUDY}/quyet-dinh?flag=rmsd", posted, follow=True)
    assert page.redirect_chain[-1][0] == f"{STUDY}/cau-hoi/T03?flag=rmsd"
    html = page.content.decode()
    assert "Đã lưu quyết định về T03" in html
    assert "Khó hơn ở miền Nam." in html
    assert "Quyết định đã thay đổi từ sau lượt 1" in html
    decision = ItemDecision.objects.get()
    assert (decision.details, decision.run) == ({"groups": ["south"]}, scaled)
    assert "Chạy lại theo quyết định" in browser.get(STUDY).content.decode()
    board_html = browser.get(f"{STUDY}/cau-hoi?state=free").content.decode()
    assert "Tham số riêng cho nhóm" in board_html
    page = browser.post(f"{STUDY}/quyet-dinh/{decision.pk}/rut", follow=True)
    assert "Đã rút quyết định về T03" in page.content.decode()
    history = browser.get(f"{STUDY}/lich-su").content.decode()
    for words in ("Ra quyết định về câu hỏi", "Rút quyết định về câu hỏi", "Chốt dữ liệu đợt định cỡ"):
        assert words in history


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"kind": "free"},
        {"kind": "collapse"},
        {"kind": "magic"},
        {"kind": "free", "groups": ["north", "south"]},
        {"kind": "free", "groups": ["west"]},
    ],
)
def test_a_wrong_decision_is_said_on_top_and_decides_nothing(scaled, signed_in, ministry, wrong) -> None:
    posted = {"item": "T03", "kind": "drop", "reason": "Thử.", **wrong}
    page = signed_in(ministry).post(f"{STUDY}/quyet-dinh", posted)
    assert page.status_code == 422
    assert "data-errors" in page.content.decode()
    assert not ItemDecision.objects.exists()


def test_a_polytomous_item_offers_to_join_categories(scaled, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    posted = {
        "item": "M1", "kind": "collapse", "score_0": "0", "score_1": "0", "score_2": "1", "reason": "Mức 1 hiếm.",
    }  # fmt: skip
    page = browser.post(f"{STUDY}/quyet-dinh", posted, follow=True)
    assert "0 → 0, 1 → 0, 2 → 1" in page.content.decode()
    assert ItemDecision.objects.get().details == {"scores": {"0": 0, "1": 0, "2": 1}}


def test_files_hold_the_numbers_and_where_they_come_from(scaled, signed_in, ministry, tmp_path) -> None:
    browser = signed_in(ministry)
    page = browser.get(f"{RUN}/bang/calibration/item_parameters.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(page.content))
    heads, *rows = book.get_sheet_by_index(0).to_python()
    stored = results.table(
        queries.store_path(scaled.study), queries.manifests_of(scaled), "calibration", "item_parameters"
    )
    # The workbook writes sixteen significant digits, so the last bit may differ.
    assert [row[heads.index("Độ dốc")] for row in rows] == pytest.approx(stored["slope"].to_list(), rel=1e-15)
    notes = str(book.get_sheet_by_index(1).to_python())
    assert queries.manifest_of(scaled, "calibration") in notes
    page = browser.get(f"{STUDY}/cau-hoi.xlsx?flag=rmsd")
    heads, *rows = CalamineWorkbook.from_filelike(io.BytesIO(page.content)).get_sheet_by_index(0).to_python()
    assert "T03" in [row[heads.index("Câu hỏi")] for row in rows]


def test_a_lost_artefact_is_said_and_the_way_out(scaled, signed_in, ministry) -> None:
    from lsakit.lineage import Store

    store = Store(queries.store_path(scaled.study), create=False)
    artefact = store.manifest(queries.manifest_of(scaled, "population")).outputs["coefficients"]
    file = store.path / artefact.file_name
    before = file.read_bytes()
    results._load.cache_clear()
    try:
        file.unlink()
        page = signed_in(ministry).get(f"{RUN}/ket-qua/population")
        assert page.status_code == 409
        assert "không còn nguyên vẹn" in page.content.decode()
    finally:
        file.write_bytes(before)
        results._load.cache_clear()


def test_results_of_a_run_that_is_not_done_are_refused(study, frozen, signed_in, ministry) -> None:
    operations.request_run(study=study, options=OPTIONS, by=ministry)
    browser = signed_in(ministry)
    assert browser.get(f"{RUN}/ket-qua/fit").status_code == 409
    assert browser.get(RUN).status_code == 200


def test_two_runs_are_compared_on_a_page(make_scaling, study, signed_in, ministry) -> None:
    make_scaling(until="calibration")
    new = operations.NewDecision(item="T03", kind="drop", reason="Thử.")
    known = operations.KnownItem(item="T03", max_score=1)
    operations.take_decision(study=study, new=new, known=known, run=None, by=ministry)
    make_scaling(until="calibration")
    browser = signed_in(ministry)
    page = browser.get(f"{STUDY}/luot/2/so-sanh?with=1", follow=True)
    assert page.redirect_chain[-1][0] == f"{STUDY}/luot/2/so-sanh/1"
    html = page.content.decode()
    for words in ("Thay đổi từ lượt 1 đến lượt 2", "T03", "kết quả như nhau", "<svg"):
        assert words in html


def test_means_are_compared_on_the_page_of_two_runs(make_scaling, signed_in, ministry) -> None:
    make_scaling()
    make_scaling(scale_mean=250)
    page = signed_in(ministry).get(f"{STUDY}/luot/2/so-sanh/1").content.decode()
    row = re.search(r"<th scope=\"row\">gender: F</th>(.*?)</tr>", page)[1]
    cells = re.findall(r">([^<>]+)</td>", row)
    assert cells[3:] == ["−250,00", "0,000"], "only the scale moved"
    assert "Trung bình giá trị khả dĩ" in page


def test_a_model_for_each_group_is_told_on_its_page(make_scaling, signed_in, ministry) -> None:
    make_scaling(per_group=True)
    browser = signed_in(ministry)
    page = browser.get(f"{RUN}/ket-qua/population").content.decode()
    assert "<dt>Số mô hình tổng thể</dt><dd>2</dd>" in page
    assert "<dt>Mỗi nhóm một mô hình tổng thể riêng</dt><dd>có</dd>" in browser.get(RUN).content.decode()
    report = browser.get(f"{RUN}/bao-cao").content.decode()
    assert "Mỗi nhóm trong 2 nhóm theo" in report


def test_an_automatic_release_is_told_on_its_pages_and_in_the_report(
    make_scaling, signed_in, ministry
) -> None:
    run = make_scaling(release="automatic", until="fit", release_alarm=0.05)
    assert run.state == "done", run.refusal
    path, manifests = queries.store_path(run.study), queries.manifests_of(run)
    steps = results.table(path, manifests, "calibration", "release_steps")
    assert steps["item"].to_list() == ["T03"], "the item that is harder in the south"
    shares = results.table(path, manifests, "calibration", "release_shares")
    browser = signed_in(ministry)
    page = browser.get(f"{RUN}/ket-qua/fit").content.decode()
    for words in (
        "Các câu hỏi đã giải phóng, theo từng bước",
        "Câu hỏi chung và câu đã giải phóng theo nhóm",
        "T03",
    ):
        assert words in page
    own = shares.filter(shares["group"] == "south").row(0, named=True)
    n = own["n_shared"] + own["n_own"]
    sentence = f"south: {n} trên {own['n_items']} câu hỏi không còn chung, nhiều hơn 5%"
    assert sentence in page
    assert sentence in browser.get(RUN).content.decode()
    assert "câu hỏi không còn chung" in browser.get(f"{RUN}/bao-cao").content.decode()
    items = results.item_table(path, manifests["calibration"])
    assert {"T03@south", "T03@north"} & set(items["item"])


def test_without_a_release_no_page_speaks_of_one(scaled, signed_in, ministry) -> None:
    page = signed_in(ministry).get(f"{RUN}/ket-qua/fit").content.decode()
    assert "đã giải phóng, theo từng bước" not in page
    assert "<h2>Giải phóng câu hỏi</h2>" not in page


def test_the_board_of_the_cycle_names_what_waits(scaled, signed_in, ministry, officer) -> None:
    html = signed_in(ministry).get("/").content.decode()
    assert "Toán lớp 5: Xem xét câu hỏi" in html
    assert "Định cỡ và thang đo" in signed_in(ministry).get(ROOT).content.decode()
    assert "Toán lớp 5" not in signed_in(officer).get("/").content.decode()


def test_pages_speak_english(scaled, signed_in, ministry) -> None:
    browser = signed_in(ministry)
    browser.cookies["dienrong_language"] = "en"
    html = browser.get(f"{STUDY}/cau-hoi/T03").content.decode()
    for words in ("Leave the item out", "What the run saw", "Misfit in a group"):
        assert words in html
