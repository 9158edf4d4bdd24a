"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from dienrong.imports import views

app_name = "imports"
urlpatterns = [
    path("nhap-du-lieu", views.home, name="home"),
    path("nhap-du-lieu/tep-mau/<slug:name>.xlsx", views.sample, name="sample"),
    path("nhap-du-lieu/tep/<uuid:upload_id>", views.upload, name="upload"),
    path("nhap-du-lieu/tep/<uuid:upload_id>/tien-do", views.progress, name="progress"),
    path("nhap-du-lieu/tep/<uuid:upload_id>/ghep-cot", views.match, name="match"),
    path("nhap-du-lieu/tep/<uuid:upload_id>/doc-lai", views.read_anew, name="read_anew"),
    path("nhap-du-lieu/tep/<uuid:upload_id>/xem-truoc", views.preview, name="preview"),
    path("nhap-du-lieu/tep/<uuid:upload_id>/ghi-nhan", views.accept, name="accept"),
    path("nhap-du-lieu/tep/<uuid:upload_id>/hoan-tac", views.undo, name="undo"),
    path("nhap-du-lieu/tep/<uuid:upload_id>/bo", views.cancel, name="cancel"),
    path("nhap-du-lieu/tep/<uuid:upload_id>/dong-bi-tu-choi.xlsx", views.refused, name="refused"),
    path("nhap-du-lieu/<slug:code>", views.start, name="start"),
    path("nhap-du-lieu/<slug:code>/mau.xlsx", views.template, name="template"),
    path("nhap-du-lieu/<slug:code>/hien-co", views.people, name="people"),
    path("nhap-du-lieu/<slug:code>/hien-co.xlsx", views.export, name="export"),
]
