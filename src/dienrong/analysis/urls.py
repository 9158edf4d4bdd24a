"""Addresses of the analysis room."""

from __future__ import annotations

from django.urls import path

from dienrong.analysis import views

app_name = "analysis"
urlpatterns = [
    path("ky-danh-gia/<slug:slug>/phan-tich", views.runs, name="runs"),
    path("ky-danh-gia/<slug:slug>/phan-tich/moi", views.new, name="new"),
    path("ky-danh-gia/<slug:slug>/phan-tich/<int:number>", views.run, name="run"),
    path("ky-danh-gia/<slug:slug>/san-pham/<slug:manifest_id>", views.artefact, name="artefact"),
    path("ky-danh-gia/<slug:slug>/san-pham/<slug:manifest_id>/kiem-tra", views.verify, name="verify"),
]
