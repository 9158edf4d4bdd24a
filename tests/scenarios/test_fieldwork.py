"""A small sample from the draw to the weights, through the pages, each step by the role that does it."""

from __future__ import annotations

import datetime
import json
import zipfile
from io import BytesIO

import polars as pl
import pytest
from django.test import Client
from pypdf import PdfReader

from dienrong.accounts import operations as accounts
from dienrong.core import clock
from dienrong.fieldwork.models import FieldSchool, ListedPerson, TestSession, WeightRun
from dienrong.jobs import operations as jobs
from dienrong.jobs.models import Job, State
from dienrong.options import Options
from small_fieldwork import N_STUDENTS, draw_plan, fill_list, load_schools

PASSWORD = "dien-rong-2026"
NOON = datetime.datetime(2026, 11, 22, 5, tzinfo=datetime.UTC)
TEST_DAY = datetime.datetime(2027, 3, 2, 5, tzinfo=datetime.UTC)
DAYS = {"answer_due": "4/12/2026", "list_due": "11/12/2026", "test_from": "1/3/2027", "test_to": "31/3/2027"}
TestSession.__test__ = False  # type: ignore[attr-defined]


def browser_of(username: str, role: str, code: str = "") -> Client:
    person = accounts.create_person(username=username, full_name="Đỗ Tân Binh", password=PASSWORD, by=None)
    accounts.assign_role(user=person, role=role, unit_code=code, unit_name="", by=None)
    client = Client()
    client.force_login(person)
    return client


def send(client: Client, address: str, **values: object) -> None:
    page = client.post(address, values)
    assert page.status_code == 302, (address, page.status_code, page.content.decode()[-1500:])
    assert "dang-nhap" not in page.headers["Location"], address


@pytest.fixture
def small_world(db, settings, tmp_path):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.DATA_DIR = tmp_path
    settings.OPTIONS = Options(data_dir=tmp_path, require_totp=False, vault_key="5a" * 32)
    with clock.fixed(NOON):
        load_schools()
        yield draw_plan()


def answer(client: Client, school: FieldSchool) -> None:
    root = f"/tham-gia/truong/{school.pk}/tra-loi"
    send(client, f"{root}/1", answer="yes")
    send(client, f"{root}/2", coordinator_name="Lò Thị Mai")
    send(client, f"{root}/3", coordinator_phone="0912345678")
    send(client, f"{root}/4", test_date="")


def test_from_the_draw_to_the_weights(small_world) -> None:
    plan = small_world
    ministry = browser_of("bo", "ministry_expert")
    officers = {
        "01": browser_of("so-01", "province_officer", "01"),
        "79": browser_of("so-79", "province_officer", "79"),
    }
    send(ministry, f"/tham-gia/{plan.pk}/bat-dau", **DAYS)
    for officer in officers.values():
        send(officer, f"/tham-gia/{plan.pk}/da-gui-thu")
    assert set(FieldSchool.objects.values_list("state", flat=True)) == {"notified"}

    # One school refuses; its first replacement takes its place.
    refusing = FieldSchool.objects.filter(school__province__code="01").order_by("number").first()
    own = browser_of("truong-1", "school_coordinator", refusing.school.school_id)
    send(own, f"/tham-gia/truong/{refusing.pk}/tra-loi/1", answer="no")
    send(own, f"/tham-gia/truong/{refusing.pk}/khong-tham-gia", code=2, reason="Trường đang sửa chữa")
    send(officers["01"], f"/tham-gia/truong/{refusing.pk}/lam/thay-the")

    active = list(
        FieldSchool.objects.exclude(state="not_taking_part")
        .select_related("school__province")
        .order_by("number")
    )
    assert len(active) == 6
    for place, school in enumerate(active):
        code, officer = school.school.school_id, officers[school.school.province.code]
        coordinator = browser_of(f"dieu-phoi-{place}", "school_coordinator", code)
        answer(coordinator, school)
        fill_list(school.school, 30, 1 + 100 * place)
        send(coordinator, f"/tham-gia/truong/{school.pk}/nop-danh-sach")
        send(officer, f"/tham-gia/truong/{school.pk}/lam/chon")
        send(
            coordinator,
            f"/tham-gia/truong/{school.pk}/buoi-moi",
            on_date="2/3/2027",
            begins_at="07:30",
            room="P1",
        )
    excluded = ListedPerson.objects.filter(is_selected=True, field_school=active[0]).first()
    send(officers["01"], f"/tham-gia/nguoi/{excluded.pk}", code=31, text="Học sinh hòa nhập")

    with clock.fixed(TEST_DAY):
        for place, session in enumerate(TestSession.objects.order_by("field_school__number")):
            report(Client(), session, place)
        board = ministry.get(f"/tham-gia/{plan.pk}")
        rates = {row["title"]: row for row in board.context["rates"]}
        assert len(rates) == 3
        assert "Mọi trường đã khảo sát" in board.content.decode()
        for school in active:
            send(officers[school.school.province.code], f"/tham-gia/truong/{school.pk}/lam/ket-thuc")
        send(ministry, f"/tham-gia/{plan.pk}/trong-so/tinh")
        job = Job.objects.get(kind="fieldwork.weights")
        claimed = jobs.claim(job_id=job.id, ticket=job.ticket, worker="test")
        assert jobs.run(claimed, beating=False) == State.DONE
    run = WeightRun.objects.get()
    n_respondents = 6 * N_STUDENTS - 1 - 3  # one excluded, three absent
    assert run.summary["n_respondents"] == n_respondents
    files = f"/tham-gia/{plan.pk}/trong-so/{run.number}"
    table = pl.read_parquet(BytesIO(ministry.get(f"{files}/students.parquet").content))
    assert table.height == n_respondents
    # Every pupil of the frame of listed schools is stood for: weights of the eligible add up to w1 × listed.
    weighed = sum(
        one.base_weight * 30 * (1 - (1 / N_STUDENTS if place == 0 else 0))
        for place, one in enumerate(weights_of(active))
    )
    assert table["final_weight"].sum() == pytest.approx(weighed, rel=1e-9)  # sums of fewer than 50 products
    manifest = json.loads(ministry.get(f"{files}/manifest.json").content)
    assert manifest["outputs"]["students.parquet"] == run.files["students.parquet"]
    pdf = PdfReader(BytesIO(ministry.get(f"/tham-gia/{plan.pk}/bao-cao.pdf").content))
    words = "".join(page.extract_text() for page in pdf.pages)
    assert "Phân tích sai lệch do không tham gia" in words
    docx = zipfile.ZipFile(BytesIO(ministry.get(f"/tham-gia/{plan.pk}/bao-cao.docx").content))
    assert "Phân tích sai lệch" in docx.read("word/document.xml").decode()
    assert docx.read("word/media/image1.png").startswith(b"\x89PNG")


def weights_of(active: list[FieldSchool]) -> list:
    """Give the sampled school behind each school that took part, whose base weight it has."""
    return [one.sampled.original or one.sampled for one in active]


def report(client: Client, session: TestSession, place: int) -> None:
    """Report a session as its coordinator does; every second school has one absent pupil."""
    from dienrong.accounts.models import User

    client.force_login(
        User.objects.get(
            assignments__unit_code=session.field_school.school.school_id, username__startswith="dieu-phoi"
        )
    )
    root = f"/buoi-khao-sat/{session.pk}/bao-cao"
    send(client, f"{root}/1", started="07:30", ended="09:45")
    absent = [session.people.order_by("person_code").first().person_code] if place % 2 else []
    send(client, f"{root}/2", absent=absent)
    if absent:
        send(client, f"{root}/3", **{f"code_{absent[0]}": 20})
    send(client, f"{root}/4", nothing="1")
    send(client, f"{root}/5")
