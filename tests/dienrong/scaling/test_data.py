"""Data of a study: sent, matched, looked at, frozen; faults are named by file, row, column and value."""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path

import polars as pl
import pytest

import lsakit as lk
from dienrong.audit.models import AuditEntry
from dienrong.core.refusals import Conflict, NotAllowed
from dienrong.scaling import kept, operations, pages, queries
from dienrong.scaling.models import StudyData
from dienrong.scaling.numeric import results, uploads
from lsakit.lineage import Store
from small_scaling import MATCHING, OPTIONS, answers, csv_bytes, items, sent

pytestmark = pytest.mark.django_db
STRANGERS = ("officer", "coordinator", "researcher", "newcomer", "stranger")


def send(study, by, rows=None, item_rows=None, name="tra-loi.csv") -> StudyData:
    files = {"responses": sent(name, rows or answers()), "items": sent("cau-hoi.csv", item_rows or items())}
    return operations.send_files(study=study, files=files, by=by)


def kept_files() -> list[Path]:
    return sorted(kept.folder().glob("*")) if kept.folder().exists() else []


def faults_of(draft) -> dict[str, int]:
    return draft.counts["faults"]["n_by_code"]


def test_files_are_guessed_matched_and_frozen(study, ministry) -> None:
    draft = send(study, ministry)
    assert draft.mapping["student_id"] == "student_id"
    assert draft.mapping["roles"]["responses/weight"] == "weight"
    assert not draft.mapping["is_scored"]
    draft = operations.match_columns(data=draft, matching=MATCHING, by=ministry)
    assert draft.counts["faults"]["n"] == 0
    assert (draft.counts["n_students"], draft.counts["n_items"], draft.counts["n_polytomous"]) == (900, 14, 2)
    assert dict(draft.counts["groups"]) == {"north": 450, "south": 450}
    frozen = operations.freeze_data(data=draft, by=ministry)
    assert set(frozen.artefacts) == {"raw_responses", "items", "students"}
    assert frozen.artefacts["raw_responses"]["n_rows"] == 900
    assert queries.data_of(study) == frozen
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"scaling.data_sent", "scaling.data_matched", "scaling.data_frozen"} <= actions


def test_the_same_files_give_the_same_hashes(study, ministry) -> None:
    hashes = []
    for _turn in range(2):
        draft = operations.match_columns(data=send(study, ministry), matching=MATCHING, by=ministry)
        frozen = operations.freeze_data(data=draft, by=ministry)
        hashes.append({role: one["hash"] for role, one in frozen.artefacts.items()})
    assert hashes[0] == hashes[1]


def test_a_packed_file_is_unpacked(study, ministry) -> None:
    packed = operations.SentFile(name="tra-loi.csv.gz", chunks=[gzip.compress(csv_bytes(answers()))])
    draft = operations.send_files(
        study=study, files={"responses": packed, "items": sent("cau-hoi.csv", items())}, by=ministry
    )
    draft = operations.match_columns(data=draft, matching=MATCHING, by=ministry)
    assert draft.counts["n_students"] == 900


def test_a_damaged_packed_file_is_refused_and_nothing_is_kept(study, ministry) -> None:
    packed = operations.SentFile(name="tra-loi.csv.gz", chunks=[gzip.compress(csv_bytes(answers()))[:200]])
    with pytest.raises(operations.DataRefused):
        operations.send_files(study=study, files={"responses": packed}, by=ministry)
    assert not kept_files()
    assert not StudyData.objects.exists()


def test_a_damaged_file_is_refused_by_the_name_it_was_sent_under(study, ministry) -> None:
    damaged = operations.SentFile(name="tra-loi.parquet", chunks=[b"PAR1" + bytes(200)])
    with pytest.raises(operations.DataRefused, match=r"'tra-loi\.parquet'"):
        operations.send_files(study=study, files={"responses": damaged}, by=ministry)
    assert not kept_files()


@pytest.mark.parametrize("name", ["tra-loi.exe", "tra-loi.docx", "tra-loi", "tra-loi.zip"])
def test_other_kinds_of_files_are_refused(study, ministry, name) -> None:
    with pytest.raises(operations.DataRefused, match="Không đọc được loại tệp"):
        send(study, ministry, name=name)
    assert not kept_files()


def test_a_new_draft_takes_the_place_of_the_old_with_its_files(
    study, ministry, django_capture_on_commit_callbacks
) -> None:
    send(study, ministry)
    with django_capture_on_commit_callbacks(execute=True):
        send(study, ministry)
    assert StudyData.objects.count() == 1
    assert len(kept_files()) == 2


def test_a_draft_is_thrown_away_with_its_files(study, ministry, django_capture_on_commit_callbacks) -> None:
    draft = send(study, ministry)
    with django_capture_on_commit_callbacks(execute=True):
        operations.throw_away(data=draft, by=ministry)
    assert not StudyData.objects.exists()
    assert not kept_files()


def test_a_draft_that_nobody_freezes_goes_after_its_days(
    study, frozen, ministry, settings, django_capture_on_commit_callbacks
) -> None:
    draft = send(study, ministry)
    files = {kept.path_of(one["kept"]) for one in draft.files.values()}
    days = datetime.timedelta(days=settings.OPTIONS.upload_days)
    assert operations.purge_drafts(now=draft.updated_at + days) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert operations.purge_drafts(now=draft.updated_at + days + datetime.timedelta(seconds=1)) == 1
    assert not any(path.exists() for path in files)
    assert [one.state for one in StudyData.objects.all()] == ["frozen"]


def test_frozen_data_are_never_changed(frozen, ministry) -> None:
    for change in (
        lambda: operations.match_columns(data=frozen, matching=MATCHING, by=ministry),
        lambda: operations.throw_away(data=frozen, by=ministry),
        lambda: operations.freeze_data(data=frozen, by=ministry),
    ):
        with pytest.raises((Conflict, operations.DataRefused)):
            change()
    assert StudyData.objects.get().state == "frozen"


def wrong_answers(**cells) -> list[dict]:
    rows = answers()[:60]
    for place, changes in cells.items():
        rows[int(place[1:])].update(changes)
    return rows


@pytest.mark.parametrize(
    ("rows", "code", "row", "column", "value"),
    [
        (wrong_answers(r3={"M1": "hai"}), "not_whole", 5, "M1", "hai"),
        (wrong_answers(r3={"M1": "1.5"}), "not_whole", 5, "M1", "1.5"),
        (wrong_answers(r7={"student_id": "00001"}), "id_twice", 9, "student_id", "00001"),
        (wrong_answers(r0={"student_id": ""}), "id_missing", 2, "student_id", ""),
        (wrong_answers(r1={"weight": -1.0}), "weight", 3, "weight", "-1.0"),
        (wrong_answers(r1={"region": ""}), "group_missing", 3, "region", ""),
        (wrong_answers(r1={"region": "east"}), "group_of_one", None, "region", "east"),
    ],
)
def test_a_wrong_cell_is_named(study, ministry, rows, code, row, column, value) -> None:
    draft = operations.match_columns(data=send(study, ministry, rows), matching=MATCHING, by=ministry)
    assert faults_of(draft).get(code) == 1
    fault = next(one for one in draft.counts["faults"]["kept"] if one["code"] == code)
    assert (fault["row"], fault["column"], fault["value"]) == (row, column, value)
    with pytest.raises(operations.DataRefused, match="1 lỗi"):
        operations.freeze_data(data=draft, by=ministry)
    words = pages.fault_rows(draft)[0]
    assert words["what"] != code
    assert words["advice"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Đáp án": ""}, "no_key"),
        ({"Đáp án": "bốn"}, "key"),
        ({"Dạng": "ghép đôi"}, "format"),
        ({"Điểm tối đa": 12}, "max_score"),
        ({"Điểm tối đa": 3}, "mc_score"),
        ({"Mã câu hỏi": "T02"}, "item_twice"),
        ({"Mã câu hỏi": "X99"}, "item_without_column"),
    ],
)
def test_a_wrong_row_of_the_items_is_named(study, ministry, change, code) -> None:
    rows = items()
    rows[0].update(change)
    draft = operations.match_columns(
        data=send(study, ministry, answers()[:60], rows), matching=MATCHING, by=ministry
    )
    assert code in faults_of(draft)


def test_raw_responses_without_an_items_file_are_refused(study, ministry) -> None:
    draft = operations.send_files(
        study=study, files={"responses": sent("a.csv", answers()[:50])}, by=ministry
    )
    matching = uploads.Matching(student_id="student_id", is_scored=False, item_rule="prefix", prefix="M")
    draft = operations.match_columns(data=draft, matching=matching, by=ministry)
    assert "no_items_file" in faults_of(draft)


@pytest.mark.parametrize("cell", ["vắng", "77", "1.5"])
def test_one_stray_cell_does_not_silently_lose_an_item(study, ministry, cell) -> None:
    """A word in one cell of an item took the whole item away: 182 items instead of 183, without a sentence."""
    rows = [{"id": str(n), "A1": n % 2, "A2": (n // 2) % 2, "A3": n % 3, "age": 120 + n} for n in range(40)]
    rows[6]["A2"] = cell
    draft = operations.send_files(study=study, files={"responses": sent("a.csv", rows)}, by=ministry)
    matching = uploads.Matching(student_id="id", item_rule="rest")
    draft = operations.match_columns(data=draft, matching=matching, by=ministry)
    assert faults_of(draft) == {"stray_cell": 1}
    (fault,) = draft.counts["faults"]["kept"]
    assert (fault["row"], fault["column"], fault["value"]) == (8, "A2", cell)
    left_out = uploads.Matching(student_id="id", item_rule="rest", left_out=("A2",))
    draft = operations.match_columns(data=draft, matching=left_out, by=ministry)
    assert (faults_of(draft), draft.counts["n_items"]) == ({}, 2)


def test_scores_beyond_nine_are_no_scores(study, ministry) -> None:
    rows = [{"id": str(n), "A1": n % 2, "A2": (n // 2) % 2, "A3": 99 if n == 5 else 1} for n in range(40)]
    draft = operations.send_files(study=study, files={"responses": sent("a.csv", rows)}, by=ministry)
    matching = uploads.Matching(student_id="id", item_rule="prefix", prefix="A")
    draft = operations.match_columns(data=draft, matching=matching, by=ministry)
    assert faults_of(draft) == {"no_score": 1}


def test_an_item_that_nobody_answered_is_left_out_and_said(study, ministry) -> None:
    rows = [{"id": str(n), "A1": n % 2, "A2": (n // 2) % 2, "A3": ""} for n in range(40)]
    draft = operations.send_files(study=study, files={"responses": sent("a.csv", rows)}, by=ministry)
    matching = uploads.Matching(student_id="id", item_rule="prefix", prefix="A")
    draft = operations.match_columns(data=draft, matching=matching, by=ministry)
    assert (draft.counts["n_items"], draft.counts["n_unanswered"], draft.counts["faults"]["n"]) == (2, 1, 0)


def test_students_come_from_their_own_file(study, ministry) -> None:
    rows = [{"id": f"{n:03d}", "A1": n % 2, "A2": (n // 2) % 2} for n in range(40)]
    people = [{"ma": f"{n:03d}", "vung": "bac" if n % 2 else "nam", "tuoi": 10 + n % 3} for n in range(40)]
    files = {"responses": sent("a.csv", rows), "students": sent("hs.csv", people)}
    draft = operations.send_files(study=study, files=files, by=ministry)
    matching = uploads.Matching(
        student_id="id",
        students_id="ma",
        item_rule="prefix",
        prefix="A",
        roles={"students/vung": "group", "students/tuoi": "background"},
    )
    draft = operations.match_columns(data=draft, matching=matching, by=ministry)
    assert draft.counts["faults"]["n"] == 0
    assert dict(draft.counts["groups"]) == {"bac": 20, "nam": 20}
    draft = operations.match_columns(
        data=draft,
        matching=uploads.Matching(**{**matching.to_json(), "students_id": ""}),
        by=ministry,
    )
    assert "students_without_id" in faults_of(draft)


def test_a_student_without_a_row_is_named(study, ministry) -> None:
    rows = [{"id": f"{n:03d}", "A1": n % 2, "A2": (n // 2) % 2} for n in range(40)]
    people = [{"ma": f"{n:03d}", "vung": "bac" if n % 2 else "nam"} for n in range(39)]
    files = {"responses": sent("a.csv", rows), "students": sent("hs.csv", people)}
    draft = operations.send_files(study=study, files=files, by=ministry)
    matching = uploads.Matching(
        student_id="id", students_id="ma", item_rule="prefix", prefix="A", roles={"students/vung": "group"}
    )
    draft = operations.match_columns(data=draft, matching=matching, by=ministry)
    fault = next(one for one in draft.counts["faults"]["kept"] if one["code"] == "student_unknown")
    assert (fault["row"], fault["value"]) == (41, "039")


def test_data_are_taken_from_a_run_of_the_cycle(study, done_run, ministry) -> None:
    draft = operations.take_run(study=study, run=done_run, by=ministry)
    assert draft.source == "run"
    frozen = operations.freeze_data(data=draft, by=ministry)
    assert {"raw_responses", "items", "students", "old_items"} <= set(frozen.artefacts)
    assert frozen.mapping["columns"]["weight"] == "final_weight"
    assert frozen.counts["n_students"] == frozen.artefacts["students"]["n_rows"]


@pytest.mark.parametrize("rule", ["timss_calibration", "timss_scoring"])
def test_a_run_hands_its_booklets_on_so_that_the_end_of_the_test_is_known(
    study, done_run, ministry, rule
) -> None:
    """Runs on data of the cycle were refused under these rules; the scores are those of the whole test."""
    draft = operations.take_run(study=study, run=done_run, by=ministry)
    frozen = operations.freeze_data(data=draft, by=ministry)
    options = {**OPTIONS, "rule": rule, "group": None, "weight": "final_weight", "until": "scores"}
    run = operations.request_run(study=study, options=options, by=ministry, in_background=False)
    operations.execute_run(run, progress=lambda _text, _share: None)
    assert run.state == "done", run.refusal
    path, manifests = queries.store_path(study), queries.manifests_of(run)
    found = results.table(path, manifests, "scores", "scored_responses")
    store = Store(path, create=False)
    given = {role: store.table(one["hash"]) for role, one in frozen.artefacts.items()}
    whole = lk.score_responses(given["test_responses"], given["test_items"], rule, booklets=given["booklets"])
    names = given["items"]["item"].to_list()
    assert found.select(names).equals(whole.table.select(names))
    summary = results.table(path, manifests, "scores", "summary")
    assert summary["item"].to_list() == names
    assert summary["n_not_reached"].to_list() == [
        whole.summary.row(by_predicate=pl.col("item") == name, named=True)["n_not_reached"] for name in names
    ]


def test_a_subject_that_the_run_lacks_is_refused(cycle, done_run, ministry, data_folder) -> None:
    new = operations.NewStudy(title="Lịch sử", subject="history", grade=5)
    other = operations.create_study(cycle=cycle, new=new, by=ministry)
    with pytest.raises(operations.DataRefused, match="không có câu hỏi môn “history”"):
        operations.take_run(study=other, run=done_run, by=ministry)
    assert not StudyData.objects.exists()


def test_two_studies_of_a_cycle_have_two_titles(study, cycle, ministry) -> None:
    with pytest.raises(Conflict, match="đã có đợt định cỡ"):
        operations.create_study(
            cycle=cycle, new=operations.NewStudy(title=" Toán  lớp 5 ", subject="maths", grade=5), by=ministry
        )


@pytest.mark.parametrize("who", STRANGERS)
def test_strangers_change_nothing(request, study, frozen, who) -> None:
    person = request.getfixturevalue(who)
    n_entries, files = AuditEntry.objects.count(), kept_files()
    for change in (
        lambda: operations.create_study(
            cycle=study.cycle, new=operations.NewStudy(title="Khác", subject="maths"), by=person
        ),
        lambda: send(study, person),
        lambda: operations.match_columns(data=frozen, matching=MATCHING, by=person),
        lambda: operations.freeze_data(data=frozen, by=person),
        lambda: operations.throw_away(data=frozen, by=person),
    ):
        with pytest.raises(NotAllowed):
            change()
    assert kept_files() == files
    assert (StudyData.objects.count(), AuditEntry.objects.filter(actor=person).count()) == (1, 0)
    assert AuditEntry.objects.count() == n_entries
