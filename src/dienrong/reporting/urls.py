"""Addresses of the reports."""

from __future__ import annotations

from django.urls import path

from dienrong.reporting.views import reports as views
from dienrong.reporting.views import walks

app_name = "reporting"
NATION = "bao-cao/<slug:slug>/<slug:population>/<slug:subject>"
PROVINCE = NATION + "/tinh/<slug:province>"
urlpatterns = [
    path("bao-cao/", views.index, name="index"),
    path("bao-cao/doi-chieu", views.comparison, name="comparison"),
    path("bao-cao/<slug:slug>/cong-bo", views.publish, name="publish"),
    path("bao-cao/<slug:slug>/thu-hoi", views.withdraw, name="withdraw"),
    path("bao-cao/<slug:slug>/nguon-goc", walks.trace, name="trace"),
    path("bao-cao/<slug:slug>/bao-cao.pdf", views.pdf, name="pdf"),
    path("bao-cao/<slug:slug>/bao-cao.docx", views.word, name="word"),
    path("bao-cao/<slug:slug>/bao-cao.xlsx", views.workbook, name="workbook"),
    path("bao-cao/<slug:slug>/tinh/<slug:province>/bao-cao.pdf", views.pdf, name="province_pdf"),
    path("bao-cao/<slug:slug>/tinh/<slug:province>/bao-cao.docx", views.word, name="province_word"),
    path("bao-cao/<slug:slug>/tinh/<slug:province>/bao-cao.xlsx", views.workbook, name="province_workbook"),
    path(NATION, views.national, name="national"),
    path(NATION + "/hinh.svg", views.figure_svg, name="svg"),
    path(NATION + "/hinh.xlsx", views.figure_xlsx, name="xlsx"),
    path(PROVINCE, views.provincial, name="provincial"),
    path(PROVINCE + "/hinh.svg", views.figure_svg, name="province_svg"),
    path(PROVINCE + "/hinh.xlsx", views.figure_xlsx, name="province_xlsx"),
]
