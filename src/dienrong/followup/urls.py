"""Addresses of the room."""

from __future__ import annotations

from django.urls import path

from dienrong.followup.views import calendars, duties, plans, risks, tasks

app_name = "followup"
ROOT, PLAN, TASK = "cong-viec", "cong-viec/ke-hoach/<int:plan_id>", "cong-viec/nhiem-vu/<int:task_id>"
DUTY, RISK = "cong-viec/viec-giao/<int:duty_id>", "cong-viec/rui-ro/<int:risk_id>"
urlpatterns = [
    path(ROOT, plans.home, name="home"),
    path(f"{ROOT}/lich", calendars.month, name="month"),
    path(f"{ROOT}/lich/dia-chi", calendars.address, name="calendar_address"),
    path("lich/<str:key>.ics", calendars.feed, name="feed"),
    path(f"{ROOT}/ke-hoach/moi", plans.add, name="add_plan"),
    path(PLAN, plans.plan, name="plan"),
    path(f"{PLAN}/sua", plans.change, name="change_plan"),
    path(f"{PLAN}/ban-hanh", plans.adopt, name="adopt"),
    path(f"{PLAN}/ket-thuc", plans.close, name="close"),
    path(f"{PLAN}/xoa", plans.delete, name="delete_plan"),
    path(f"{PLAN}/ke-hoach.docx", plans.word, name="word"),
    path(f"{PLAN}/ke-hoach.xlsx", plans.excel, name="excel"),
    path(f"{PLAN}/don-doc", duties.chat_text, name="chat"),
    path(f"{PLAN}/nhiem-vu-moi", tasks.add, name="add_task"),
    path(f"{PLAN}/rui-ro-moi", risks.add, name="add_risk"),
    path(TASK, tasks.task, name="task"),
    path(f"{TASK}/sua", tasks.change, name="change_task"),
    path(f"{TASK}/tinh-trang", tasks.set_state, name="set_state"),
    path(f"{TASK}/xoa", tasks.delete, name="delete_task"),
    path(f"{TASK}/giao", duties.hand_out, name="hand_out"),
    path(DUTY, duties.report, name="report"),
    path(f"{DUTY}/tra-lai", duties.give_back, name="return"),
    path(f"{DUTY}/thu-lai", duties.take_back, name="take_back"),
    path(RISK, risks.change, name="change_risk"),
    path(f"{RISK}/tinh-trang", risks.set_state, name="risk_state"),
]
