"""Addresses of the accounts room."""

from __future__ import annotations

from django.urls import path

from dienrong.accounts import views

app_name = "accounts"
urlpatterns = [
    path("dang-nhap", views.login, name="login"),
    path("dang-xuat", views.logout, name="logout"),
    path("tai-khoan", views.profile, name="profile"),
    path("tai-khoan/mat-khau", views.password, name="password"),
    path("tai-khoan/phien/<int:sign_in_id>/ket-thuc", views.end_sign_in, name="end_sign_in"),
]
