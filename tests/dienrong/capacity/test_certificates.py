"""Certificates: numbered, issued, printed, corrected, revoked; what the public is told, and what it cannot find out."""

from __future__ import annotations

import datetime
import re
from io import BytesIO
from urllib.parse import parse_qs, urlparse

import pytest
from django.db import IntegrityError, transaction
from pypdf import PdfReader

from dienrong.audit.models import AuditEntry
from dienrong.capacity import kept, operations
from dienrong.capacity.documents import check_address
from dienrong.capacity.models import Certificate, CertificateVersion, IssueBatch, LookUpAttempt, NumberSeries
from dienrong.capacity.numbering import LETTERS, PatternError, number_key, number_of
from dienrong.capacity.operations import (
    CapacityRefusal,
    Correction,
    IssueFacts,
    LookUpLocked,
    NotNow,
    SeriesFacts,
)
from dienrong.capacity.queries import verify
from dienrong.core.refusals import NotAllowed
from dienrong.jobs import operations as jobs
from dienrong.jobs.models import Job
from small_capacity import (
    ADDRESS,
    BIRTH,
    TODAY,
    add,
    certificate_of,
    hold,
    issue,
    make_course,
    make_training,
    number_series,
    on,
    province,
    school,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]
A = "01000001"
LAST = datetime.date(2026, 11, 24)
PHONE = "203.0.113.7"
NEW_NAME = "Nguyễn Thị Ánh Tuyết"


@pytest.fixture
def people(ministry) -> list:
    first = add(1, by=ministry, at=school(A), name="Nguyễn Thị Ánh", birth_date=BIRTH)
    return [first, *(add(number, by=ministry, at=school(A)) for number in (2, 3))]


@pytest.fixture
def training(officer, people):
    """A concluded training of three people; certificates hold for two years."""
    course = make_course(officer, valid_months=24)
    return hold(make_training(course, officer, organizer=province("01")), people, officer)


@pytest.fixture
def batch(training, officer) -> IssueBatch:
    number_series(officer, province("01"))
    return issue(training, officer)


@pytest.fixture
def certificate(batch, people) -> Certificate:
    return certificate_of(people[0])


def text_of(content: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages))


def facts(**changes) -> IssueFacts:
    values = {
        "issued_on": LAST,
        "decision": "45/QĐ",
        "place": "Hà Nội",
        "signer_title": "Giám đốc",
        "signer_name": "Trần Thế Cương",
        "address": ADDRESS,
    }
    return IssueFacts(**(values | changes))


@pytest.mark.parametrize(
    "pattern", ["CN-2026", "{serial}/{unknown}", "{serial}}", "{year}", "{serial}" + "x" * 90]
)
def test_a_pattern_that_numbers_nothing_is_refused(pattern, officer) -> None:
    with pytest.raises(PatternError):
        number_of(pattern, serial=1, year=2026, issuer="S")
    with pytest.raises(CapacityRefusal):
        operations.set_series(
            facts=SeriesFacts(
                year=2026, pattern=pattern, issuer_code="S", issuer_name="Sở", organizer=province("01")
            ),
            by=officer,
        )


def test_numbers_follow_the_pattern_of_issuer_and_year(batch, people) -> None:
    numbers = list(Certificate.objects.order_by("number").values_list("number", flat=True))
    assert numbers == [f"{serial:05d}/2026/CN-SGDĐT.01" for serial in (1, 2, 3)]
    assert NumberSeries.objects.get().next_serial == 4
    # By given name: Ánh, then Đức, then Hòa.
    assert [certificate_of(one).number[:5] for one in people] == [
        "00001",
        "00002" if people[1].sort_key < people[2].sort_key else "00003",
        "00003" if people[1].sort_key < people[2].sort_key else "00002",
    ]
    assert number_key(" 00001 2026 cn sgddt 01") == number_key(numbers[0])


def test_a_used_series_keeps_its_pattern(batch, officer, stranger, commune_officer) -> None:
    base = {
        "year": 2026,
        "pattern": "{serial:5}/{year}/CN-{issuer}",
        "issuer_code": "SGDĐT.01",
        "issuer_name": "Sở",
    }
    for changed in ({"pattern": "{serial}"}, {"issuer_code": "KHAC"}, {"next_serial": 2}):
        with pytest.raises(NotNow):
            operations.set_series(
                facts=SeriesFacts(**(base | {"organizer": province("01"), "next_serial": 4} | changed)),
                by=officer,
            )
    operations.set_series(facts=SeriesFacts(**base, organizer=province("01"), next_serial=9), by=officer)
    with pytest.raises(CapacityRefusal):  # the sign is taken in that year
        operations.set_series(facts=SeriesFacts(**base, organizer=province("79")), by=stranger)
    for user in (stranger, commune_officer):
        with pytest.raises(NotAllowed):
            operations.set_series(facts=SeriesFacts(**base, organizer=province("01")), by=user)


def test_the_sheet_says_who_what_when_and_where_to_check(certificate) -> None:
    says = certificate.versions.get()
    content = kept.read(says.file_hash)
    page = PdfReader(BytesIO(content)).pages[0]
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (842, 595)  # A4, landscape
    written = text_of(content)
    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Nguyễn Thị Ánh", "05/09/1985", "Trường TH Hòa Bình",
        "Bồi dưỡng nghiệp vụ đánh giá diện rộng", "23/11/2026", "24/11/2026", certificate.number,
        certificate.check_code, ADDRESS, "ngày 24 tháng 11 năm 2026", "Trần Thế Cương", "24/11/2028",
    ):  # fmt: skip
        assert part in written, part
    asked = parse_qs(urlparse(check_address(certificate, 1)).query)
    assert asked == {"so": ["00001-2026-CN-SGDDT-01"], "ma": [certificate.check_code], "ban": ["1"]}


def test_the_qr_code_of_the_sheet_holds_the_address(certificate) -> None:
    import segno

    from dienrong.capacity.documents import sheet_of

    sheet = sheet_of(certificate, certificate.versions.get())
    drawn = segno.make(check_address(certificate, 1), error="m")
    path = re.search(r' d="([^"]+)"', sheet.qr)
    assert path is not None
    own = BytesIO()
    drawn.save(own, kind="svg", border=1, xmldecl=False, nl=False, omitsize=True)
    assert path.group(1) in own.getvalue().decode()


def test_the_same_content_gives_the_same_bytes(certificate) -> None:
    from dienrong.capacity import documents

    sheet = documents.sheet_of(certificate, certificate.versions.get())
    assert (
        kept.hash_of(documents.pdf([sheet], title=certificate.number)) == certificate.versions.get().file_hash
    )


def test_the_sheet_of_all_has_a_page_each(batch) -> None:
    reader = PdfReader(BytesIO(kept.read(batch.sheet_hash)))
    assert len(reader.pages) == batch.n_issued == 3
    assert AuditEntry.objects.filter(action="capacity.issued").count() == 1


def test_nobody_gets_a_second_certificate_of_a_training(batch, training, officer) -> None:
    with on(LAST, 20):
        assert operations.issue_batch(batch=batch) == 3  # the work comes twice, the certificates once
        with pytest.raises(NotNow):
            operations.start_issue(training=training, facts=facts(), by=officer)
    assert Certificate.objects.count() == 3


def test_an_issue_that_stopped_goes_on_where_it_stopped(training, officer, monkeypatch) -> None:
    from dienrong.capacity.operations import issuing

    number_series(officer, province("01"))
    monkeypatch.setattr(issuing, "AT_A_TIME", 1)
    with on(LAST, 19):
        batch = operations.start_issue(training=training, facts=facts(), by=officer)

        class StoppedError(Exception):
            pass

        def stop_after_two(_stage: str, share: float) -> None:
            if share > 0.5:
                raise StoppedError

        with pytest.raises(StoppedError):
            operations.issue_batch(batch=batch, progress=stop_after_two)
        assert Certificate.objects.count() == 2
        operations.issue_batch(batch=batch)
    assert sorted(Certificate.objects.values_list("number", flat=True)) == [
        f"0000{n}/2026/CN-SGDĐT.01" for n in (1, 2, 3)
    ]


def test_the_background_job_issues_with_progress(training, officer) -> None:
    number_series(officer, province("01"))
    with on(LAST, 19):
        batch = operations.start_issue(training=training, facts=facts(), by=officer)
        job = Job.objects.get(kind="capacity.issue")
        claimed = jobs.claim(job_id=job.id, ticket=job.ticket, worker="test")
        assert claimed is not None
        assert jobs.run(claimed, beating=False) == "done"
    job.refresh_from_db()
    assert (job.progress, job.result) == (1.0, {"batch": batch.pk, "n": 3})


@pytest.mark.parametrize(
    "changed",
    [
        {"decision": " "},
        {"signer_name": ""},
        {"place": ""},
        {"issued_on": datetime.date(2026, 11, 23)},
        {"issued_on": datetime.date(2027, 1, 1)},
    ],
)
def test_what_an_issue_needs(training, officer, changed) -> None:
    number_series(officer, province("01"))
    with on(LAST, 19), pytest.raises(CapacityRefusal):
        operations.start_issue(training=training, facts=facts(**changed), by=officer)
    assert not IssueBatch.objects.exists()


def test_who_may_issue_and_when(training, officer, stranger, coordinator, commune_officer, people) -> None:
    with on(LAST, 19):
        with pytest.raises(NotNow):  # no numbering
            operations.start_issue(training=training, facts=facts(), by=officer)
        for user in (stranger, coordinator, commune_officer):
            with pytest.raises(NotAllowed):
                operations.start_issue(training=training, facts=facts(), by=user)
    course = make_course(officer, code="KHONG-CN", is_certified=False)
    other = hold(
        make_training(
            course, officer, organizer=province("01"), code="BD-X", days=(datetime.date(2026, 12, 1),) * 2
        ),
        people,
        officer,
    )
    number_series(officer, province("01"))
    with on(datetime.date(2026, 12, 2)), pytest.raises(NotNow):
        operations.start_issue(training=other, facts=facts(issued_on=datetime.date(2026, 12, 1)), by=officer)


def test_a_correction_is_a_new_version_under_the_same_number(
    certificate, officer, stranger, coordinator
) -> None:
    correction = Correction(holder_name=NEW_NAME, workplace="Trường TH Hòa Bình", reason="Sai tên")
    for user in (stranger, coordinator):
        with pytest.raises(NotAllowed):
            operations.correct_certificate(certificate=certificate, correction=correction, by=user)
    with on(datetime.date(2026, 12, 1)):
        says = operations.correct_certificate(certificate=certificate, correction=correction, by=officer)
        certificate.refresh_from_db()
        assert (certificate.version, says.version, says.reason) == (2, 2, "Sai tên")
        first = certificate.versions.get(version=1)
        assert (first.holder_name, says.holder_name) == ("Nguyễn Thị Ánh", NEW_NAME)
        assert first.file_hash != says.file_hash
        assert "05/09/1985" in text_of(kept.read(says.file_hash))
        assert NEW_NAME in text_of(kept.read(says.file_hash))
        with pytest.raises(NotNow):
            operations.correct_certificate(certificate=certificate, correction=correction, by=officer)
        for wrong in (
            Correction(holder_name="1", workplace="", reason="x"),
            Correction(holder_name="Lê An", workplace="", reason=" "),
        ):
            with pytest.raises(CapacityRefusal):
                operations.correct_certificate(certificate=certificate, correction=wrong, by=officer)
        old = verify(certificate.number, certificate.check_code, version=1)
        new = verify(certificate.number, certificate.check_code, version=2)
    assert old is not None
    assert old.is_old_version
    assert new is not None
    assert not new.is_old_version
    assert (new.holder, new.corrected_on) == ("N. T. Á. T.", datetime.date(2026, 12, 1))
    entry = AuditEntry.objects.get(action="capacity.certificate_corrected")
    assert entry.before["holder"] == "Nguyễn Thị Ánh"


def test_a_revoked_certificate_stays_in_the_register_and_says_so(
    certificate, officer, stranger, coordinator
) -> None:
    with pytest.raises(NotAllowed):
        operations.revoke_certificate(certificate=certificate, reason="x", decision="1/QĐ", by=stranger)
    with pytest.raises(NotAllowed):
        operations.revoke_certificate(certificate=certificate, reason="x", decision="1/QĐ", by=coordinator)
    with pytest.raises(CapacityRefusal):
        operations.revoke_certificate(certificate=certificate, reason=" ", decision="1/QĐ", by=officer)
    with on(datetime.date(2026, 12, 1)):
        operations.revoke_certificate(certificate=certificate, reason="Thi hộ", decision="1/QĐ", by=officer)
        certificate.refresh_from_db()
        answer = verify(certificate.number, certificate.check_code)
        assert answer is not None
        assert (answer.standing, answer.revoked_on) == ("revoked", datetime.date(2026, 12, 1))
        with pytest.raises(NotNow):
            operations.revoke_certificate(certificate=certificate, reason="x", decision="1/QĐ", by=officer)
        with pytest.raises(NotNow):
            operations.correct_certificate(
                certificate=certificate,
                correction=Correction(holder_name="Lê An", workplace="", reason="x"),
                by=officer,
            )
    with pytest.raises(IntegrityError), transaction.atomic():
        Certificate.objects.exclude(pk=certificate.pk).update(revoked_on=TODAY)


def test_a_certificate_goes_out_of_date(certificate) -> None:
    assert certificate.valid_to == datetime.date(2028, 11, 24)
    for day, standing in ((datetime.date(2028, 11, 23), "valid"), (datetime.date(2028, 11, 24), "expired")):
        with on(day):
            answer = verify(certificate.number, certificate.check_code)
            assert answer is not None
            assert answer.standing == standing


def test_forged_and_guessed_numbers_get_one_and_the_same_answer(certificate, batch) -> None:
    other = Certificate.objects.exclude(pk=certificate.pk).first()
    good = certificate.check_code
    changed = good[:-1] + next(letter for letter in LETTERS if letter != good[-1])
    tries = [
        (certificate.number, changed),
        (certificate.number, other.check_code),
        (certificate.number, ""),
        (certificate.number, "-" * 10),
        ("00999/2026/CN-SGDĐT.01", good),
        ("", ""),
        ("", "-" * 10),
        ("' OR 1=1 --", good),
        ("%", good),
    ]
    assert [verify(number, code) for number, code in tries] == [None] * len(tries)
    found = verify(
        certificate.number.lower().replace("đ", "d").replace("/", " "), f" {good[:5].lower()}-{good[5:]} "
    )
    assert found is not None
    assert found.number == certificate.number


def test_the_answer_names_nobody(certificate, people) -> None:
    answer = verify(certificate.number, certificate.check_code, name="nguyen thi anh")
    assert answer is not None
    assert answer.is_holder is True
    told = str(answer)
    assert answer.holder == "N. T. Á."
    for secret in ("Nguyễn", "1985", people[0].staff_code, "Hòa Bình"):
        assert secret not in told
    wrong = verify(certificate.number, certificate.check_code, name="Trần Văn Đức")
    assert wrong is not None
    assert wrong.is_holder is False


def test_look_ups_lock_after_ten_misses_and_open_again(certificate) -> None:
    def ask(code: str, address: str = PHONE, name: str = ""):
        return operations.look_up(
            number=certificate.number, check_code=code, version=None, name=name, address=address
        )

    with on(LAST, 20):
        for _number in range(9):
            assert ask("AAAAAAAAAA") is None
        assert ask(certificate.check_code) is not None
        assert (
            ask(certificate.check_code, name="Lê Văn Sai") is not None
        )  # a name that does not fit is a miss
        with pytest.raises(LookUpLocked):
            ask(certificate.check_code)
        assert ask(certificate.check_code, address="203.0.113.8") is not None
    with on(LAST, 21):
        assert ask(certificate.check_code) is not None
    kept_rows = list(LookUpAttempt.objects.values_list("address_digest", flat=True))
    assert all(len(one) == 64 and PHONE not in one for one in kept_rows)
    assert AuditEntry.objects.filter(action="capacity.look_ups_locked").count() == 1
    with on(datetime.date(2026, 12, 1)):
        ask(certificate.check_code)
    assert LookUpAttempt.objects.count() == 1  # older ones are forgotten


def test_look_ups_lock_after_many_hits_too(certificate) -> None:
    with on(LAST, 20):
        for _number in range(120):
            operations.look_up(
                number=certificate.number,
                check_code=certificate.check_code,
                version=None,
                name="",
                address=PHONE,
            )
        with pytest.raises(LookUpLocked):
            operations.look_up(
                number=certificate.number,
                check_code=certificate.check_code,
                version=None,
                name="",
                address=PHONE,
            )


def test_a_birth_date_lies_sealed_in_versions_and_files(certificate, settings) -> None:
    assert b"1985" not in bytes(CertificateVersion.objects.get(certificate=certificate).sealed_birth_date)
    for path in (settings.DATA_DIR / "capacity").iterdir():
        assert not path.read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_five_hundred_certificates_are_issued_within_a_minute(officer) -> None:
    """The job takes about 11 s of a processor; the minute that was promised is asked of processor time, not of a busy wall."""
    from time import process_time

    from dienrong.capacity.models import Person, Posting

    rows = [
        Person(staff_code=f"X{number:05d}", full_name=f"Nguyễn Văn {'An' if number % 2 else 'Bình'}")
        for number in range(500)
    ]
    for row in rows:
        row.set_keys()
    people = Person.objects.bulk_create(rows)
    home = school(A)
    Posting.objects.bulk_create(
        Posting(person=one, kind="teacher", level="school", school=home, valid_from=datetime.date(2026, 1, 1))
        for one in people
    )
    training = hold(make_training(make_course(officer), officer, organizer=province("01")), people, officer)
    number_series(officer, province("01"))
    began = process_time()
    batch = issue(training, officer)
    assert process_time() - began < 60
    assert (batch.n_issued, Certificate.objects.count()) == (500, 500)
    assert len(PdfReader(BytesIO(kept.read(batch.sheet_hash))).pages) == 500
