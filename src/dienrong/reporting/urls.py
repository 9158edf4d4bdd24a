"""Addresses of the reports."""

from __future__ import annotations

from django.urls import path

from dienrong.reporting.views import approving, figures, press, publishing, walks, writing
from dienrong.reporting.views import reports as views

app_name = "reporting"
NATION = "bao-cao/<slug:slug>/<slug:population>/<slug:subject>"
PROVINCE = NATION + "/tinh/<slug:province>"
WRITE = "bao-cao/<slug:slug>/tinh/<slug:province>/soan"
SECTION = WRITE + "/muc/<slug:heading>"
urlpatterns = [
    path("bao-cao/", views.index, name="index"),
    path("bao-cao/doi-chieu", publishing.comparison, name="comparison"),
    path("bao-cao/<slug:slug>/cong-bo", publishing.publish, name="publish"),
    path("bao-cao/<slug:slug>/thu-hoi", publishing.withdraw, name="withdraw"),
    path("bao-cao/<slug:slug>/nguon-goc", walks.trace, name="trace"),
    path("bao-cao/<slug:slug>/bao-cao.pdf", views.pdf, name="pdf"),
    path("bao-cao/<slug:slug>/bao-cao.docx", views.word, name="word"),
    path("bao-cao/<slug:slug>/bao-cao.xlsx", views.workbook, name="workbook"),
    path("bao-cao/<slug:slug>/tinh/<slug:province>/bao-cao.pdf", views.pdf, name="province_pdf"),
    path("bao-cao/<slug:slug>/tinh/<slug:province>/bao-cao.docx", views.word, name="province_word"),
    path("bao-cao/<slug:slug>/tinh/<slug:province>/bao-cao.xlsx", views.workbook, name="province_workbook"),
    path("bao-cao/<slug:slug>/cac-tinh", approving.approved, name="approved"),
    path("bao-cao/<slug:slug>/thong-tin-bao-chi", press.note, name="press"),
    path("bao-cao/<slug:slug>/thong-tin-bao-chi/luu", press.save, name="press_save"),
    path("bao-cao/<slug:slug>/thong-tin-bao-chi/cong-bo", press.release, name="press_release"),
    path("bao-cao/<slug:slug>/thong-tin-bao-chi/rut", press.hold, name="press_hold"),
    path("bao-cao/<slug:slug>/thong-tin-bao-chi.docx", press.word, name="press_word"),
    path("bao-cao/<slug:slug>/thong-tin-bao-chi.pdf", press.pdf, name="press_pdf"),
    path(WRITE, approving.overview, name="write"),
    path(WRITE + "/trinh", approving.hand_over, name="hand_over"),
    path(WRITE + "/rut-lai", approving.take_back, name="take_back"),
    path(WRITE + "/tra-lai", approving.give_back, name="give_back"),
    path(WRITE + "/phe-duyet", approving.approve, name="approve"),
    path(WRITE + "/mo-lai", approving.reopen, name="reopen"),
    path(WRITE + "/viec-can-lam", approving.measures, name="measures"),
    path(WRITE + "/viec-can-lam/<int:measure>", approving.measures, name="measure"),
    path(WRITE + "/viec-can-lam/<int:measure>/bo", approving.remove_measure, name="remove_measure"),
    path(WRITE + "/so-lieu/<int:number>/cap-nhat", writing.renew, name="renew"),
    path(SECTION, writing.section, name="write_section"),
    path(SECTION + "/luu", writing.save, name="save_section"),
    path(SECTION + "/trich-dan", writing.cite, name="cite"),
    path(SECTION + "/phien-ban", writing.versions, name="versions"),
    path(SECTION + "/phien-ban/<int:number>/khoi-phuc", writing.restore, name="restore"),
    path(SECTION + "/hai-ban/<int:number>", writing.both_texts, name="both_texts"),
    path(SECTION + "/hai-ban/<int:number>/chon", writing.settle, name="settle"),
    path(NATION, views.national, name="national"),
    path(NATION + "/hinh.svg", figures.figure_svg, name="svg"),
    path(NATION + "/hinh.xlsx", figures.figure_xlsx, name="xlsx"),
    path(NATION + "/ve", figures.drawing, name="drawing"),
    path(NATION + "/bang", figures.table, name="table"),
    path(PROVINCE + "/ve", figures.drawing, name="province_drawing"),
    path(PROVINCE + "/bang", figures.table, name="province_table"),
    path(PROVINCE, views.provincial, name="provincial"),
    path(PROVINCE + "/hinh.svg", figures.figure_svg, name="province_svg"),
    path(PROVINCE + "/hinh.xlsx", figures.figure_xlsx, name="province_xlsx"),
]
