"""Addresses of the room."""

from __future__ import annotations

from django.urls import path, re_path

from dienrong.fieldwork.views import boards, files, schools, sessions, weights

app_name = "fieldwork"
PLAN, SCHOOL, SESSION = "tham-gia/<int:plan_id>", "tham-gia/truong/<int:school_id>", "buoi-khao-sat"
urlpatterns = [
    path("tham-gia", boards.home, name="home"),
    path(f"{PLAN}", boards.board_page, name="board"),
    path(f"{PLAN}/bat-dau", boards.start, name="start"),
    path(f"{PLAN}/goi", boards.calls, name="calls"),
    path(f"{PLAN}/truong", boards.schools, name="schools"),
    path(f"{PLAN}/da-gui-thu", boards.notify, name="notify"),
    re_path(
        r"^tham-gia/(?P<plan_id>[0-9]+)/truong\.(?P<ending>pdf|docx|xlsx)$",
        files.school_list,
        name="school_list",
    ),
    path(f"{PLAN}/trong-so", weights.weights, name="weights"),
    path(f"{PLAN}/trong-so/tinh", weights.compute, name="compute"),
    path(f"{PLAN}/trong-so/<int:number>/<str:name>", weights.weight_file, name="weight_file"),
    path(f"{PLAN}/bao-cao", weights.report, name="report_page"),
    re_path(
        r"^tham-gia/(?P<plan_id>[0-9]+)/bao-cao\.(?P<ending>pdf|docx)$", weights.report, name="report_file"
    ),
    path(f"{SCHOOL}", schools.school, name="school"),
    path(f"{SCHOOL}/goi", boards.note_call, name="note_call"),
    path(f"{SCHOOL}/tra-loi/<int:step>", schools.answer, name="answer"),
    path(f"{SCHOOL}/khong-tham-gia", schools.decline, name="decline"),
    path(f"{SCHOOL}/nop-danh-sach", schools.send_list, name="send_list"),
    path(f"{SCHOOL}/lam/<slug:action>", schools.act, name="act"),
    path(f"{SCHOOL}/buoi-moi", schools.plan_session, name="plan_session"),
    path(f"{SCHOOL}/su-co", schools.incident, name="incident"),
    path(f"{SCHOOL}/giam-sat", schools.visit, name="visit"),
    path("tham-gia/su-co/<int:incident_id>", schools.settle_incident, name="settle_incident"),
    path("tham-gia/nguoi/<int:person_id>", schools.status, name="status"),
    re_path(
        r"^tham-gia/truong/(?P<school_id>[0-9]+)/thu-moi\.(?P<ending>pdf|docx)$", files.letter, name="letter"
    ),
    re_path(
        r"^tham-gia/truong/(?P<school_id>[0-9]+)/(?P<kind>[a-z-]+)\.(?P<ending>pdf|xlsx)$",
        files.form,
        name="form",
    ),
    path(f"{SESSION}", sessions.sessions, name="sessions"),
    path(f"{SESSION}/<int:session_id>", sessions.session, name="session"),
    path(f"{SESSION}/<int:session_id>/bao-cao/<int:screen>", sessions.report, name="report"),
    path(f"{SESSION}/<int:session_id>/huy", sessions.cancel, name="cancel_session"),
]
