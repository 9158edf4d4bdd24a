"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from dienrong.support.views import directory, questions, telling

app_name = "support"
urlpatterns = [
    path("hoi-dap", questions.questions, name="questions"),
    path("hoi-dap/moi", questions.ask, name="ask"),
    path("hoi-dap/thuong-gap", questions.frequent, name="frequent"),
    path("hoi-dap/thuong-gap/moi", questions.save_frequent, name="add_frequent"),
    path("hoi-dap/thuong-gap/<int:frequent_id>", questions.save_frequent, name="change_frequent"),
    path("hoi-dap/<int:question_id>", questions.question, name="question"),
    path("hoi-dap/<int:question_id>/chuyen", questions.pass_up, name="pass_up"),
    path("hoi-dap/<int:question_id>/xong", questions.settle, name="settle"),
    path("truyen-thong", telling.kit_page, name="kit"),
    path("truyen-thong/mau/<slug:code>", telling.text, name="text"),
    path("truyen-thong/mau/<slug:code>.docx", telling.word, name="word"),
    path("truyen-thong/nhat-ky", telling.log, name="log"),
    path("truyen-thong/nhat-ky/moi", telling.add, name="add_telling"),
    path("danh-ba", directory.contacts, name="contacts"),
    path("danh-ba/moi", directory.save, name="add_contact"),
    path("danh-ba/<int:contact_id>", directory.save, name="change_contact"),
    path("danh-ba/<int:contact_id>/xoa", directory.delete, name="delete_contact"),
]
