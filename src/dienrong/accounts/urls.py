"""Addresses of the accounts room."""

from __future__ import annotations

from django.urls import path

from dienrong.accounts.views import account, links, people, sign_in

app_name = "accounts"
urlpatterns = [
    path("dang-nhap", sign_in.login, name="login"),
    path("dang-nhap/ma-xac-thuc", sign_in.second_step, name="second_step"),
    path("dang-nhap/thiet-lap-ma", sign_in.totp_setup, name="totp_setup"),
    path("dang-nhap/ngoai", sign_in.oidc_start, name="oidc_start"),
    path("dang-nhap/ngoai/ve", sign_in.oidc_callback, name="oidc_callback"),
    path("dang-xuat", sign_in.logout, name="logout"),
    path("moi/<str:secret>", links.open_link, name="open_link"),
    path("tai-khoan", account.profile, name="profile"),
    path("tai-khoan/mat-khau", account.password, name="password"),
    path("tai-khoan/phien/<int:sign_in_id>/ket-thuc", account.end_sign_in, name="end_sign_in"),
    path("tai-khoan/ma-xac-thuc", account.change_totp, name="change_totp"),
    path("tai-khoan/ma-du-phong", sign_in.recovery_codes, name="recovery_codes"),
    path("tai-khoan/lien-ket/bo", account.unlink_identity, name="unlink_identity"),
    path("tai-khoan/khoa-api", account.api_tokens, name="api_tokens"),
    path("tai-khoan/khoa-api/<int:token_id>/thu-hoi", account.revoke_api_token, name="revoke_api_token"),
    path("tai-khoan/uy-quyen", account.delegate, name="delegate"),
    path(
        "tai-khoan/uy-quyen/<int:assignment_id>/ket-thuc", account.revoke_delegation, name="revoke_delegation"
    ),
    path("nguoi-dung", people.people, name="people"),
    path("nguoi-dung/moi", people.invite, name="invite"),
    path("nguoi-dung/loi-moi", people.invitations, name="invitations"),
    path("nguoi-dung/loi-moi/<int:invitation_id>", people.invitation, name="invitation"),
    path(
        "nguoi-dung/loi-moi/<int:invitation_id>/thu-hoi", people.revoke_invitation, name="revoke_invitation"
    ),
    path("nguoi-dung/<int:person_id>", people.person, name="person"),
    path("nguoi-dung/<int:person_id>/vai-tro", people.give_role, name="give_role"),
    path("nguoi-dung/<int:person_id>/vai-tro/<int:assignment_id>/ket-thuc", people.end_role, name="end_role"),
    path("nguoi-dung/<int:person_id>/trang-thai", people.switch, name="switch"),
    path("nguoi-dung/<int:person_id>/dat-lai", people.reset, name="reset"),
    path("nguoi-dung/<int:person_id>/ma-xac-thuc-moi", people.fresh_totp, name="fresh_totp"),
]
