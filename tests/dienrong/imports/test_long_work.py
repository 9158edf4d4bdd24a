"""Large files are worked on in the background: cancelled, killed and run again, nothing is half-written."""

from __future__ import annotations

import datetime

import pytest
from django.core.management import call_command

from dienrong.core import clock
from dienrong.imports import operations, queries
from dienrong.imports.models import StagedRow, Upload, WrittenBlock
from dienrong.jobs import operations as jobs
from dienrong.jobs.models import Job, State
from dienrong.jobs.running import JobCancelled, JobContext
from dienrong.registry.models import School
from small_files import workbook

HEAD = ["Mã trường", "Tên trường", "Cấp học", "Mã xã/phường", "Loại hình"]
N = 2_600


def many_schools(n: int = N) -> bytes:
    rows = [[f"02{k:06d}", f"Trường TH Số {k}", "TH", "00004", "Công lập"] for k in range(n)]
    return workbook(("DS", [HEAD, *rows]))


def run(upload: Upload, kind: str) -> str:
    """Run the job of an upload as a worker would."""
    upload.refresh_from_db()
    job = Job.objects.get(id=upload.job_id)
    assert job.kind == kind
    claimed = jobs.claim(job_id=job.id, ticket=job.ticket, worker="tests")
    assert claimed is not None
    return str(jobs.run(claimed, beating=False))


@pytest.fixture
def client(registry, officer, signed_in):
    return signed_in(officer)


@pytest.fixture
def matched(client, send) -> Upload:
    answer = send(client, "truong", many_schools())
    upload = Upload.objects.get(id=answer["Location"].rsplit("/", 1)[-1])
    seen = queries.inspected(upload)
    fields = {f"column-{match.place}": match.column for match in seen.matches}
    client.post(f"/nhap-du-lieu/tep/{upload.id}/ghep-cot", fields)
    upload.refresh_from_db()
    return upload


def test_a_large_file_is_previewed_accepted_and_taken_back_by_jobs(client, matched) -> None:
    waiting = client.get(f"/nhap-du-lieu/tep/{matched.id}").content.decode()
    assert "Đối chiếu tệp với dữ liệu đang có" in waiting
    assert "tien-do" in waiting
    assert client.get(f"/nhap-du-lieu/tep/{matched.id}/tien-do").status_code == 204
    assert run(matched, "imports.preview") == State.DONE
    ended = client.get(f"/nhap-du-lieu/tep/{matched.id}/tien-do")
    assert ended["HX-Redirect"] == f"/nhap-du-lieu/tep/{matched.id}"
    assert Upload.objects.get().counts["new"] == N
    client.post(f"/nhap-du-lieu/tep/{matched.id}/ghi-nhan")
    assert School.objects.count() == 4
    assert run(matched, "imports.accept") == State.DONE
    assert School.objects.count() == 4 + N
    assert WrittenBlock.objects.count() == 2
    client.post(f"/nhap-du-lieu/tep/{matched.id}/hoan-tac")
    assert run(matched, "imports.undo") == State.DONE
    assert School.objects.count() == 4


class Stops(JobContext):
    """A context whose work is cancelled after so many reports."""

    left = 2

    def progress(self, stage: str, share: float) -> None:
        """Count down, then stop."""
        Stops.left -= 1
        if Stops.left < 0:
            raise JobCancelled

    tell = progress


def test_a_cancelled_preview_leaves_no_preview_and_runs_again(matched, officer) -> None:
    Stops.left = 1
    job = Job.objects.get(id=matched.job_id)
    with pytest.raises(JobCancelled):
        operations.preview_upload(matched.id, by=officer, progress=Stops(job).progress)
    matched.refresh_from_db()
    assert matched.state == Upload.State.MATCHED
    assert matched.counts == {}
    assert StagedRow.objects.count() == 2_000  # of the dead run; the next one begins by deleting them
    assert run(matched, "imports.preview") == State.DONE
    assert StagedRow.objects.count() == N
    assert run_twice_changes_nothing(matched, officer)


def run_twice_changes_nothing(upload: Upload, officer) -> bool:
    """A second worker that does the preview again finds it done."""
    before = list(StagedRow.objects.values_list("pk", flat=True))
    operations.preview_upload(upload.id, by=officer)
    return before == list(StagedRow.objects.values_list("pk", flat=True))


def test_accepting_that_is_cancelled_midway_writes_nothing(client, matched, officer) -> None:
    run(matched, "imports.preview")
    Stops.left = 1
    job = Job.objects.get(id=matched.job_id)
    with pytest.raises(JobCancelled):
        operations.accept_upload(by=officer, upload=matched, progress=Stops(job).tell)
    assert School.objects.count() == 4
    assert not WrittenBlock.objects.exists()
    matched.refresh_from_db()
    assert matched.state == Upload.State.PREVIEWED
    operations.accept_upload(by=officer, upload=matched)
    Stops.left = 0
    with pytest.raises(JobCancelled):
        operations.undo_upload(by=officer, upload=matched, progress=Stops(job).tell)
    assert School.objects.count() == 4 + N


def test_a_job_that_failed_says_why_on_the_page_of_the_file(client, matched) -> None:
    run(matched, "imports.preview")
    client.post(f"/nhap-du-lieu/tep/{matched.id}/ghi-nhan")
    School.objects.filter(school_id="01000001").update(school_id="02000007")
    assert run(matched, "imports.accept") == State.FAILED
    text = client.get(f"/nhap-du-lieu/tep/{matched.id}").content.decode()
    assert "đã thay đổi sau khi xem trước, ở các dòng: 9" in text
    assert "Đối chiếu lại" in text


def test_a_job_and_its_result_are_its_senders(
    matched, signed_in, stranger, colleague, commune_officer
) -> None:
    for person in (stranger, colleague, commune_officer):
        client = signed_in(person)
        assert client.get(f"/viec-nen/{matched.job_id}").status_code == 404
        assert client.get(f"/viec-nen/{matched.job_id}/the").status_code == 404
        assert client.post(f"/viec-nen/{matched.job_id}/huy").status_code == 404


def test_a_file_of_many_bytes_is_opened_by_a_job(client, send) -> None:
    rows = [
        [f"02{k:06d}", f"Trường TH Số {k} " + "dài " * 50, "TH", "00004", "Công lập"] for k in range(9_000)
    ]
    data = "\r\n".join(";".join(row) for row in [HEAD, *rows]).encode()
    assert len(data) > 1 << 20
    answer = send(client, "truong", data, name="ds.csv")
    upload = Upload.objects.get()
    assert "Mở tệp dữ liệu" in client.get(answer["Location"]).content.decode()
    assert run(upload, "imports.inspect") == State.DONE
    assert "Cột trong tệp" in client.get(answer["Location"]).content.decode()


def test_files_and_rows_end_after_their_time(client, matched, own_folder) -> None:
    run(matched, "imports.preview")
    operations.accept_upload(by=matched.created_by, upload=matched)
    assert operations.purge() == 0
    with clock.fixed(clock.now() + datetime.timedelta(days=31)):
        call_command("purge_uploads")
    assert not StagedRow.objects.exists()
    assert not WrittenBlock.objects.exists()
    assert not list((own_folder / "uploads").iterdir())
    text = client.get(f"/nhap-du-lieu/tep/{matched.id}").content.decode()
    assert "Hoàn tác cả" not in text
    answer = client.post(f"/nhap-du-lieu/tep/{matched.id}/hoan-tac")
    assert answer.status_code == 409
    assert "không còn hoàn tác một bước được" in answer.content.decode()
