"""Addresses of the cycles room; the home page is the board of the newest cycle."""

from __future__ import annotations

from django.urls import path

from dienrong.cycles import views

app_name = "cycles"
urlpatterns = [
    path("", views.home, name="home"),
    path("ky-danh-gia/<slug:slug>", views.board, name="board"),
    path("ky-danh-gia/<slug:slug>/buoc/<int:number>", views.step, name="step"),
    path("ky-danh-gia/<slug:slug>/buoc/<int:number>/trang-thai", views.change_step, name="change_step"),
]
