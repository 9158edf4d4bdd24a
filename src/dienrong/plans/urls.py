"""Addresses of the room."""

from __future__ import annotations

from django.urls import path, re_path

from dienrong.plans.views import documents, nation, reports, standing

app_name = "plans"
ROOT = "ke-hoach-468"
UNIT = f"{ROOT}/<str:kind>/<str:code>"
REPORT = f"{ROOT}/bao-cao/<int:pk>"
urlpatterns = [
    path(ROOT, standing.home, name="home"),
    path(f"{ROOT}/van-ban", documents.home, name="documents"),
    path(f"{ROOT}/van-ban/<slug:code>", documents.document, name="document"),
    path(f"{ROOT}/chi-tieu/them", documents.add_target, name="add_target"),
    path(f"{ROOT}/chi-tieu/<int:pk>/rut", documents.withdraw, name="withdraw_target"),
    path(f"{ROOT}/bao-cao", reports.home, name="reports"),
    path(f"{ROOT}/bao-cao/mo", nation.new_call, name="new_call"),
    path(f"{ROOT}/bao-cao/the-thuc", reports.head, name="head"),
    path(f"{ROOT}/bao-cao/dot/<int:pk>", nation.call, name="call"),
    path(f"{ROOT}/bao-cao/dot/<int:pk>/nhac/<str:code>", nation.remind, name="remind"),
    path(f"{ROOT}/bao-cao/dot/<int:pk>/lap", reports.begin, name="begin"),
    path(REPORT, reports.report, name="report"),
    path(f"{REPORT}/luu/<slug:part>", reports.save, name="save"),
    path(f"{REPORT}/gui", reports.send, name="send"),
    path(f"{REPORT}/sua", reports.reopen, name="reopen"),
    path(f"{REPORT}/loi-van/<slug:part>", reports.texts, name="texts"),
    path(f"{REPORT}/ban/<int:number>", reports.version, name="version"),
    path(f"{REPORT}/ban/<int:number>/da-ky", reports.signed, name="signed"),
    re_path(
        rf"^{ROOT}/bao-cao/(?P<pk>[0-9]+)/du-thao\.(?P<ending>docx|pdf|xlsx)$",
        reports.draft_file,
        name="draft_file",
    ),
    re_path(
        rf"^{ROOT}/bao-cao/(?P<pk>[0-9]+)/ban/(?P<number>[0-9]+)\.(?P<ending>docx|pdf|xlsx)$",
        reports.version_file,
        name="version_file",
    ),
    path(f"{ROOT}/toan-quoc/<str:phase>/<slug:indicator>", standing.nation_target, name="nation_target"),
    path(f"{ROOT}/toan-quoc/<slug:indicator>/cach-tinh", documents.national_reading, name="national_reading"),
    path(UNIT, standing.unit, name="unit"),
    path(f"{UNIT}/cach-tinh/<slug:indicator>", documents.reading, name="reading"),
    path(f"{UNIT}/<str:phase>/<slug:indicator>", standing.target, name="target"),
    path(f"{UNIT}/<str:phase>/<slug:indicator>/danh-sach", standing.behind, name="behind"),
]
