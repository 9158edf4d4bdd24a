"""Addresses of the explorer and of the public portal."""

from __future__ import annotations

from django.urls import path

from dienrong.explorer.views import explore, kept, portal, rules

app_name = "explorer"
EXPLORER = "kham-pha/<slug:slug>"
KEPT = "kham-pha/ket-qua/<slug:key>"
urlpatterns = [
    path("cong-bo/", portal.home, name="portal"),
    path("cong-bo/hoi-dap", portal.questions, name="questions"),
    path("kham-pha/", explore.index, name="index"),
    path(KEPT, kept.page, name="kept"),
    path(KEPT + "/hinh.svg", kept.svg, name="kept_svg"),
    path(KEPT + "/so-lieu.xlsx", kept.xlsx, name="kept_xlsx"),
    path(KEPT + "/so-lieu.csv", kept.csv, name="kept_csv"),
    path(EXPLORER, explore.page, name="page"),
    path(EXPLORER + "/hinh.svg", explore.svg, name="svg"),
    path(EXPLORER + "/so-lieu.xlsx", explore.xlsx, name="xlsx"),
    path(EXPLORER + "/so-lieu.csv", explore.csv, name="csv"),
    path(EXPLORER + "/luu", explore.keep, name="keep"),
    path(EXPLORER + "/quy-tac", rules.page, name="rules"),
]
