"""Officers look after the people below them in their own unit, and after nobody else."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils.html import escape

from dienrong.accounts import operations, permissions
from dienrong.accounts.models import Assignment, SignIn, User
from dienrong.audit.models import AuditEntry
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed

PASSWORD = "dien-rong-2026"
PROVINCE, COMMUNE, SCHOOL = "01", "00004", "01000001"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register")]


def names_on(page) -> str:
    return page.content.decode().partition("<main")[2].partition("</main>")[0]


@pytest.fixture
def everyone(
    ministry, officer, colleague, commune_officer, coordinator, researcher, stranger, newcomer
) -> dict[str, User]:
    far = operations.create_person(username="truong-xa", full_name="Ngô Thị Sen", password=PASSWORD, by=None)
    operations.assign_role(user=far, role="school_coordinator", unit_code="79000001", by=None)
    people = (ministry, officer, colleague, commune_officer, coordinator, researcher, stranger, newcomer, far)
    return {user.username: user for user in people}


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        ("bo", {"bo", "so", "so2", "xa", "truong", "nghien-cuu", "la", "moi", "truong-xa"}),
        ("so", {"xa", "truong"}),
        ("xa", {"truong"}),
        ("la", {"truong-xa"}),
    ],
)
def test_everyone_lists_the_people_in_their_charge(signed_in, everyone, viewer: str, seen: set[str]) -> None:
    page = signed_in(everyone[viewer]).get("/nguoi-dung")
    assert {user.username for user in page.context["page"].object_list} == seen
    html = names_on(page)
    for name, user in everyone.items():
        assert (escape(user.full_name) in html) == (name in seen), name


@pytest.mark.parametrize("viewer", ["truong", "nghien-cuu", "moi"])
def test_who_manages_nobody_sees_no_list(signed_in, everyone, viewer: str) -> None:
    for address in ("/nguoi-dung", "/nguoi-dung/moi", "/nguoi-dung/loi-moi"):
        assert signed_in(everyone[viewer]).get(address).status_code == 403
        assert Client().get(address).status_code == 302


POSTS = ("trang-thai", "dat-lai", "ma-xac-thuc-moi", "vai-tro?role=school_coordinator&q=hoa")


@pytest.mark.parametrize(
    ("viewer", "person"),
    [
        ("la", "xa"), ("la", "truong"), ("la", "so"), ("so", "truong-xa"), ("so", "so2"), ("so", "bo"),
        ("so", "la"), ("so", "nghien-cuu"), ("so", "moi"), ("xa", "so"), ("xa", "truong-xa"), ("truong", "xa"),
        ("nghien-cuu", "truong"), ("moi", "truong"),
    ],
)  # fmt: skip
def test_a_person_outside_the_charge_is_refused_page_and_posts(
    signed_in, everyone, viewer: str, person: str
) -> None:
    browser, other = signed_in(everyone[viewer]), everyone[person]
    n_rows, n_entries = Assignment.objects.count(), AuditEntry.objects.count()
    page = browser.get(f"/nguoi-dung/{other.pk}")
    assert page.status_code == 403
    assert other.full_name not in names_on(page)
    for post in POSTS:
        answer = browser.post(f"/nguoi-dung/{other.pk}/{post}", {"to": "off", "unit": f"school:{SCHOOL}"})
        assert answer.status_code == 403, post
    held = other.assignments.first()
    if held is not None:
        assert browser.post(f"/nguoi-dung/{other.pk}/vai-tro/{held.pk}/ket-thuc").status_code == 403
    other.refresh_from_db()
    assert other.is_active
    assert (Assignment.objects.count(), AuditEntry.objects.count()) == (n_rows, n_entries)


def test_nobody_raises_themselves(signed_in, everyone) -> None:
    for name in ("bo", "so", "xa"):
        user = everyone[name]
        browser = signed_in(user)
        before = permissions.scope_of(user)
        for post in POSTS:
            form = {"to": "off", "unit": f"school:{SCHOOL}"}
            assert browser.post(f"/nguoi-dung/{user.pk}/{post}", form).status_code == 403, (name, post)
        row = user.assignments.get()
        assert browser.post(f"/nguoi-dung/{user.pk}/vai-tro/{row.pk}/ket-thuc").status_code == 403
        with pytest.raises(NotAllowed):
            operations.give_role(
                person=user,
                role="test_administrator",
                unit_kind="school",
                unit_code=SCHOOL,
                until=None,
                by=user,
            )
        assert permissions.scope_of(User.objects.get(pk=user.pk)) == before


def test_a_role_above_ones_own_is_not_given_by_a_forged_form(signed_in, everyone) -> None:
    browser, person = signed_in(everyone["so"]), everyone["truong"]
    for role, unit in (("province_officer", "province:01"), ("ministry_expert", "nation:")):
        browser.post(f"/nguoi-dung/{person.pk}/vai-tro?role={role}", {"unit": unit})
        browser.post(f"/nguoi-dung/moi?role={role}", {"unit": unit, "full_name": "Ai Đó"})
    browser.post(f"/nguoi-dung/{person.pk}/vai-tro?role=commune_officer&q=sai+gon", {"unit": "commune:26734"})
    assert person.assignments.count() == 1


def test_an_officer_gives_and_ends_a_role(signed_in, everyone) -> None:
    browser, person = signed_in(everyone["so"]), everyone["truong"]
    address = f"/nguoi-dung/{person.pk}"
    form = {"unit": "school:01000003", "until": "2099-12-31"}
    browser.post(f"{address}/vai-tro?role=test_administrator&q=hoa+an", form)
    row = person.assignments.get(role="test_administrator")
    assert (row.unit_name, row.commune_code, row.last_day.isoformat()) == (
        "Trường TH Hoà An", COMMUNE, "2099-12-31",
    )  # fmt: skip
    twice = browser.post(f"{address}/vai-tro?role=test_administrator&q=hoa+an", form)
    assert "đã giữ vai trò này" in twice.content.decode()
    assert browser.post(f"{address}/vai-tro/{row.pk}/ket-thuc").status_code == 302
    assert not person.assignments.filter(role="test_administrator").exists()
    assert AuditEntry.objects.get(action="accounts.role_ended").actor == everyone["so"]


def test_a_role_of_another_person_is_not_ended_through_this_one(signed_in, everyone) -> None:
    row = everyone["xa"].assignments.get()
    answer = signed_in(everyone["so"]).post(f"/nguoi-dung/{everyone['truong'].pk}/vai-tro/{row.pk}/ket-thuc")
    assert answer.status_code == 404


def test_switching_off_signs_out_and_switching_on_lets_in(signed_in, everyone) -> None:
    person = everyone["truong"]
    theirs = Client()
    theirs.post("/dang-nhap", {"username": "truong", "password": PASSWORD})
    browser = signed_in(everyone["xa"])
    browser.post(f"/nguoi-dung/{person.pk}/trang-thai", {"to": "off"})
    assert theirs.get("/tai-khoan").status_code == 302
    assert not SignIn.objects.filter(user=person).exists()
    assert Client().post("/dang-nhap", {"username": "truong", "password": PASSWORD}).status_code == 200
    browser.post(f"/nguoi-dung/{person.pk}/trang-thai", {"to": "on"})
    assert Client().post("/dang-nhap", {"username": "truong", "password": PASSWORD}).status_code == 302
    actions = list(AuditEntry.objects.filter(actor=everyone["xa"]).values_list("action", flat=True))
    assert actions == ["accounts.switched_on", "accounts.switched_off"]


def test_who_also_works_above_is_not_taken_over_from_below(signed_in, everyone) -> None:
    """A reset link for a ministry expert who also coordinates a school would give the ministry's role away."""
    both = everyone["bo"]
    operations.assign_role(user=both, role="school_coordinator", unit_code=SCHOOL, by=None)
    browser = signed_in(everyone["so"])
    page = browser.get(f"/nguoi-dung/{both.pk}")
    assert page.status_code == 200
    html = names_on(page)
    assert "Chuyên gia của Bộ" not in html
    assert "dat-lai" not in html
    for post in POSTS[:3]:
        assert browser.post(f"/nguoi-dung/{both.pk}/{post}", {"to": "off"}).status_code == 403


def test_whose_roles_all_ended_is_still_found(signed_in, everyone) -> None:
    person = everyone["truong"]
    Assignment.objects.filter(user=person).update(valid_from="2020-01-01", valid_to="2021-01-01")
    browser = signed_in(everyone["xa"])
    assert person.full_name in names_on(browser.get("/nguoi-dung", {"state": "ended"}))
    assert browser.get(f"/nguoi-dung/{person.pk}").status_code == 200


def test_a_school_that_moved_away_takes_its_people_along(signed_in, everyone, register) -> None:
    register.move_school(SCHOOL, "79", "26734")
    assert signed_in(everyone["so"]).get(f"/nguoi-dung/{everyone['truong'].pk}").status_code == 403
    assert signed_in(everyone["la"]).get(f"/nguoi-dung/{everyone['truong'].pk}").status_code == 200
    assert operations.refresh_places(unit_codes=[SCHOOL]) == 1
    assert everyone["truong"].full_name not in names_on(signed_in(everyone["so"]).get("/nguoi-dung"))
    assert everyone["truong"].full_name in names_on(signed_in(everyone["la"]).get("/nguoi-dung"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "pao"}, {"truong"}), ({"q": "dao"}, {"xa"}), ({"q": "ĐÀO pham"}, {"xa"}), ({"q": "zzz"}, set()),
        ({"role": "commune_officer"}, {"xa"}), ({"role": "coder"}, set()), ({"state": "on"}, {"xa", "truong"}),
        ({"state": "off"}, set()), ({"q": "truong", "role": "school_coordinator"}, {"truong"}),
    ],
)  # fmt: skip
def test_the_list_is_searched_without_marks_and_filtered(signed_in, everyone, query, found) -> None:
    page = signed_in(everyone["so"]).get("/nguoi-dung", query)
    assert {user.username for user in page.context["page"].object_list} == found
    if not found:
        assert "Không tìm thấy ai" in page.content.decode()


def test_people_stand_in_vietnamese_order_and_the_list_asks_the_same_however_long(
    signed_in, officer, django_assert_num_queries, bare_shell
) -> None:
    browser = signed_in(officer)

    def add(numbers: range, name: str) -> None:
        for n in numbers:
            user = operations.create_person(username=f"p{n}", full_name=f"{name}", password=PASSWORD, by=None)
            operations.assign_role(user=user, role="school_coordinator", unit_code=SCHOOL, by=None)

    for n, name in enumerate(["Trần Bình", "Nguyễn Văn An", "Lê Thị Ánh", "Đỗ An"]):
        add(range(n, n + 1), name)
    shown = browser.get("/nguoi-dung").context["page"].object_list
    assert [user.full_name for user in shown] == ["Đỗ An", "Nguyễn Văn An", "Lê Thị Ánh", "Trần Bình"]
    with django_assert_num_queries(6):  # session, person, roles, count, people, their roles
        browser.get("/nguoi-dung")
    add(range(10, 70), "Hoàng Yến")
    with django_assert_num_queries(6):
        page = browser.get("/nguoi-dung")
    assert len(page.context["page"].object_list) == 50
    assert page.context["page"].has_next()


def test_the_page_of_a_person_shows_roles_sign_ins_and_what_happened(signed_in, everyone) -> None:
    Client(headers={"user-agent": "Chrome/142.0 (Windows)"}).post(
        "/dang-nhap", {"username": "truong", "password": PASSWORD}
    )
    html = names_on(signed_in(everyone["so"]).get(f"/nguoi-dung/{everyone['truong'].pk}"))
    for word in ("Trường TH Hòa Bình", "Chrome 142 · Windows", "Giao vai trò", "Đăng nhập"):
        assert word in html, word
    assert clock.today().strftime("%d/%m/%Y") in html


def test_an_empty_charge_says_the_first_step(signed_in, stranger) -> None:
    assert "Chưa có ai" in signed_in(stranger).get("/nguoi-dung").content.decode()
