"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from dienrong.datasets.views import managing, public, requests, reviewing

app_name = "datasets"
ROOT, RELEASE = "tep-du-lieu/", "tep-du-lieu/<int:release_id>"
MANAGE = "tep-du-lieu/quan-ly"
MANAGED = f"{MANAGE}/<int:release_id>"
GRANT = f"{MANAGE}/lien-ket/<int:grant_id>"
LINK = "tep-du-lieu/lien-ket/<str:token>"
urlpatterns = [
    path(ROOT, public.index, name="public"),
    path(RELEASE, public.release, name="release"),
    path(f"{RELEASE}/bien", public.codebook, name="codebook"),
    path(f"{RELEASE}/tep/<str:name>", public.file, name="file"),
    path(f"{RELEASE}/xin-du-lieu", requests.ask, name="ask"),
    path("tep-du-lieu/da-nhan-yeu-cau", requests.asked, name="asked"),
    path(LINK, requests.link, name="link"),
    path(f"{LINK}/da-huy", requests.destroyed, name="destroyed"),
    path(MANAGE, managing.board, name="manage"),
    path(f"{MANAGE}/dong-bang", managing.freeze, name="freeze"),
    path(f"{MANAGE}/dot/<int:freeze_id>/phat-hanh", managing.make, name="make"),
    path(MANAGED, managing.release, name="managed"),
    path(f"{MANAGED}/dung-lai", managing.rebuild, name="rebuild"),
    path(f"{MANAGED}/xem-xet", reviewing.review, name="review"),
    path(f"{MANAGED}/cong-bo", reviewing.publish, name="publish"),
    path(f"{MANAGED}/thu-hoi", reviewing.withdraw, name="withdraw"),
    path(f"{MANAGE}/yeu-cau/<int:request_id>", reviewing.request_page, name="request"),
    path(f"{MANAGE}/yeu-cau/<int:request_id>/dong-y", reviewing.grant, name="grant"),
    path(f"{MANAGE}/yeu-cau/<int:request_id>/tu-choi", reviewing.refuse, name="refuse"),
    path(f"{GRANT}/gia-han", reviewing.renew, name="renew"),
    path(f"{GRANT}/thu-hoi", reviewing.revoke, name="revoke"),
]
