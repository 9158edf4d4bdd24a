"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from dienrong.readiness.views import boards, checks, files, machines, money, norms, reviewing, surveys

app_name = "readiness"
ROOT, SCHOOL, MONEY = "phong-may", "phong-may/truong/<str:school_id>", "phong-may/du-toan"
BUDGET, CHECK = "phong-may/du-toan/<int:budget_id>", "kiem-tra-may/<str:code>"
urlpatterns = [
    path(ROOT, boards.home, name="home"),
    path(f"{ROOT}/mo-khao-sat", boards.open_round, name="open_round"),
    path(f"{ROOT}/don-doc", boards.reminders, name="reminders"),
    path(f"{ROOT}/truong", boards.schools, name="schools"),
    path(f"{ROOT}/truong.xlsx", files.schools_file, name="schools_file"),
    path(f"{ROOT}/mua-sam", money.procurement, name="procurement"),
    path(f"{ROOT}/chuan", norms.norms, name="norms"),
    path(f"{ROOT}/chuan/dat", norms.set_norm, name="set_norm"),
    path(f"{ROOT}/don-gia", money.prices, name="prices"),
    path(SCHOOL, reviewing.school, name="school"),
    path(f"{SCHOOL}/xet", reviewing.review, name="review"),
    path(f"{SCHOOL}/hinh-thuc", reviewing.decide, name="decide"),
    path(f"{SCHOOL}/phieu", surveys.full_form, name="form"),
    path(f"{SCHOOL}/phieu/luu", surveys.save, name="save"),
    path(f"{SCHOOL}/phieu/nop", surveys.submit, name="submit"),
    path(f"{SCHOOL}/phieu/nhom", surveys.add_group, name="add_group"),
    path(f"{SCHOOL}/phieu/nhom/<int:position>/bo", surveys.remove_group, name="remove_group"),
    path(f"{SCHOOL}/phieu/<int:number>", surveys.screen, name="screen"),
    path(f"{SCHOOL}/may", machines.machines, name="machines"),
    path(f"{SCHOOL}/may/ma", machines.make_link, name="make_link"),
    path(f"{SCHOOL}/may/dong", machines.close_link, name="close_link"),
    path(f"{SCHOOL}/may/nop-tep", machines.hand_over, name="hand_over"),
    path(f"{SCHOOL}/may/<int:report_id>", machines.report, name="report"),
    path(MONEY, money.budgets, name="budgets"),
    path(BUDGET, money.budget, name="budget"),
    path(f"{BUDGET}/lay-so-lieu", money.fill, name="fill"),
    path(f"{BUDGET}/dong", money.add_line, name="add_line"),
    path(f"{BUDGET}/dong/<int:line_id>/nguon", money.change_source, name="change_source"),
    path(f"{BUDGET}/dong/<int:line_id>/bo", money.remove_line, name="remove_line"),
    path(f"{BUDGET}/buoc", money.move, name="move"),
    path(f"{BUDGET}/phien-ban", money.further_version, name="further_version"),
    path(f"{BUDGET}.xlsx", files.budget_excel, name="budget_excel"),
    path(f"{BUDGET}.docx", files.budget_word, name="budget_word"),
    path("kiem-tra-may", checks.enter, name="check_enter"),
    path(CHECK, checks.check, name="check"),
    path(f"{CHECK}/gio", checks.tick, name="check_tick"),
    path(f"{CHECK}/xuong", checks.down, name="check_down"),
    path(f"{CHECK}/len", checks.up, name="check_up"),
    path(f"{CHECK}/gui", checks.send, name="check_send"),
]
