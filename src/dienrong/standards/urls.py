"""Addresses of the room."""

from __future__ import annotations

from django.urls import path, re_path

from dienrong.standards.views import entry, files, panel, sessions

app_name = "standards"
SETTING, FORM = "dat-chuan/<int:pk>", "dat-chuan/phieu"
urlpatterns = [
    path("dat-chuan", sessions.home, name="home"),
    path("dat-chuan/moi", sessions.new, name="new"),
    path(f"{FORM}", entry.form, name="form"),
    path(f"{FORM}/luu", entry.save, name="save"),
    path(f"{FORM}/nop", entry.submit, name="submit"),
    path(f"{FORM}/lay-lai", entry.take_back, name="take_back"),
    path(f"{FORM}/phan-hoi", entry.feedback, name="feedback"),
    path(f"{FORM}/ket-thuc", entry.leave, name="leave"),
    path(f"{FORM}/<str:code>", entry.door, name="door"),
    path(f"{SETTING}", sessions.setting, name="setting"),
    path(f"{SETTING}/lam/<slug:action>", sessions.act, name="act"),
    path(f"{SETTING}/vong/<int:number>", sessions.round_page, name="round"),
    path(f"{SETTING}/cuon-cau-hoi", sessions.booklet, name="booklet"),
    path(f"{SETTING}/mo-ta-cau-hoi", sessions.describe, name="describe"),
    path(f"{SETTING}/ban-do-cau-hoi", sessions.item_map, name="item_map"),
    re_path(
        r"^dat-chuan/(?P<pk>[0-9]+)/cuon-cau-hoi\.(?P<ending>pdf|xlsx)$", files.booklet, name="booklet_file"
    ),
    path(f"{SETTING}/phieu-giay.pdf", files.paper_form, name="paper_form"),
    path(f"{SETTING}/phieu-moi.pdf", files.slips, name="slips"),
    path(f"{SETTING}/bang-so-lieu.xlsx", files.tables, name="tables"),
    path(f"{SETTING}/chuyen-gia/them", panel.add, name="add_panelists"),
    path(f"{SETTING}/chuyen-gia/<int:number>/nhap-phieu", panel.type_in, name="type_in"),
    path(f"{SETTING}/chuyen-gia/<int:number>/phieu-moi", panel.slip, name="slip"),
    path(f"{SETTING}/chuyen-gia/<int:number>/<slug:action>", panel.act, name="panelist_act"),
]
