"""The site under test as a process of its own, and the browser that visits it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSER = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PASSWORD = "dien-rong-2026"
SIZES = {"desk": (1366, 768), "phone": (390, 844)}
SLUG = "quoc-gia-2026"
FIGURE = "grade5/maths/mean/nation/all"
SECONDS_TO_START = 240


def missing() -> str:
    """Say why no browser can be driven here; empty where one can."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "Playwright is not installed (extra webtest)"
    if not (Path(BROWSER).exists() or shutil.which("chromium")):
        return f"Chromium is not installed ({BROWSER}); on Debian: apt-get install chromium"
    return ""


@contextmanager
def serving(folder: Path, size: str) -> Iterator[str]:
    """Build a demonstration in a folder, serve it on a free port and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DIENRONG_")}
    environment |= {"DIENRONG_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "dienrong.settings"}
    log = (folder.parent / f"{folder.name}.log").open("wb")
    command = [sys.executable, str(Path(__file__).with_name("demo_site.py")), str(port), size]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait(process, f"http://127.0.0.1:{port}/dang-nhap", Path(log.name))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        log.close()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Wait until the site answers; fail with its last words where it ends instead."""
    for _second in range(SECONDS_TO_START * 2):
        if process.poll() is not None:
            raise RuntimeError(f"the site ended while starting:\n{log.read_text(errors='replace')[-3000:]}")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"the site did not answer within {SECONDS_TO_START} s")


@contextmanager
def browsing() -> Iterator[Any]:
    """Start Chromium."""
    from playwright.sync_api import sync_playwright

    path = BROWSER if Path(BROWSER).exists() else shutil.which("chromium")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


def open_page(
    chromium: Any, address: str, *, person: str = "", size: str = "desk", language: str = "vi"
) -> Any:
    """Open a page of a person (or of nobody) at a size and in a language; console errors are kept on it."""
    width, height = SIZES[size]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, base_url=address, has_touch=size == "phone"
    )
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    if person:
        sign_in(page, person)
    if language != "vi":
        context.add_cookies([{"name": "dienrong_language", "value": language, "url": address}])
    return page


def sign_in(page: Any, person: str) -> None:
    """Sign a person in through the form."""
    page.goto("/dang-nhap")
    page.fill("[name=username]", person)
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(re.compile(r"^(?!.*dang-nhap).*$"))


def overflow(page: Any) -> int:
    """Give by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def addresses(page: Any) -> dict[str, dict[str, str]]:
    """Name the pages of the site by person; the page lent is signed in as the ministry's expert."""
    page.goto(f"/ky-danh-gia/{SLUG}/buoc/10?tab=lineage")
    artefact = page.locator("main table a").first.get_attribute("href").partition("#")[0]
    page.goto("/truong")
    school = page.locator("main table a").first.get_attribute("href")
    code = str(school).rpartition("/")[2]
    page.goto("/don-vi")
    unit = page.locator("main table a").first.get_attribute("href")
    page.goto("/sap-nhap")
    batch = page.locator("main a[href^='/sap-nhap/']:not([href$=moi])").first.get_attribute("href")
    page.goto("/chat-luong-du-lieu/quy-tac")
    rule = page.locator("main a[href^='/chat-luong-du-lieu/quy-tac/']").first.get_attribute("href")
    page.goto("/nguoi-dung")
    person = page.locator("main table a").first.get_attribute("href")
    page.goto("/chat-luong-du-lieu")
    tile = page.locator("main a[href^='/chat-luong-du-lieu/tinh/']").first.get_attribute("href")
    plans = sampling_addresses(page)
    field_pages = fieldwork_addresses(page)
    panels = standards_addresses(page)
    scaling = scaling_addresses(page)
    capacity = capacity_addresses(page)
    followup = followup_addresses(page)
    project = project_addresses(page)
    rooms = readiness_addresses(page)
    page.goto(f"/bao-cao/{SLUG}/grade5/maths")
    province = page.locator("#province option").nth(1).get_attribute("value")
    national = f"/bao-cao/{SLUG}/grade5/maths"
    public = {
        "home": "/",
        "login": "/dang-nhap",
        "reports": "/bao-cao/",
        "national": national,
        "province": f"{national}/tinh/{province}",
        "trace": f"/bao-cao/{SLUG}/nguon-goc?figure={FIGURE}",
        "comparison": "/bao-cao/doi-chieu",
        "portal": "/cong-bo/",
        "portal-questions": "/cong-bo/hoi-dap",
        "explorer": f"/kham-pha/{SLUG}",
        "explorer-levels": f"/kham-pha/{SLUG}?quan-the=grade5&do=maths&thong-ke=levels&theo=gender",
        "explorer-hidden": f"/kham-pha/{SLUG}?quan-the=grade5&do=maths&theo=ses_quarter&theo=gender&so-sanh=whole",
        "explorer-rules": f"/kham-pha/{SLUG}/quy-tac",
    }
    own = {
        "board": "/",
        "step": f"/ky-danh-gia/{SLUG}/buoc/8",
        "step-history": f"/ky-danh-gia/{SLUG}/buoc/13?tab=happened",
        "step-artefacts": f"/ky-danh-gia/{SLUG}/buoc/10?tab=lineage",
    }
    field = {"schools": "/truong", "school": school}
    registry = {
        "school-edit": f"{school}/sua",
        "school-open": "/truong/thanh-lap",
        "school-split": f"{school}/tach",
        "school-recode": f"{school}/doi-ma",
        "school-close": f"{school}/giai-the",
        "unit-change": f"{str(unit).partition('?')[0]}/sua",
        "units": "/don-vi",
        "units-2024": "/don-vi?date=31/12/2024",
        "unit": unit,
        "batches": "/sap-nhap",
        "batch-new": "/sap-nhap/moi",
        "batch": batch,
    }
    rosters = {"lists": "/danh-sach", "list": f"/danh-sach/{code}", "protection": "/danh-sach/bao-ve-du-lieu"}
    imports = {
        "import": "/nhap-du-lieu",
        "import-schools": "/nhap-du-lieu/truong",
        "import-students": "/nhap-du-lieu/hoc-sinh",
        "import-totals": "/nhap-du-lieu/so-chinh-thuc",
        "roster-file": "/nhap-du-lieu/hoc-sinh/hien-co",
    }
    quality = {
        "quality": "/chat-luong-du-lieu",
        "quality-province": tile,
        "quality-school": f"/chat-luong-du-lieu/truong/{code}",
        "rules": "/chat-luong-du-lieu/quy-tac",
        "rule": rule,
        "totals": "/chat-luong-du-lieu/so-chinh-thuc",
    }
    people = {
        "people": "/nguoi-dung",
        "person": person,
        "invite": "/nguoi-dung/moi",
        "invitations": "/nguoi-dung/loi-moi",
        "tokens": "/tai-khoan/khoa-api",
        "delegate": "/tai-khoan/uy-quyen",
    }
    data = registry | rosters | imports | quality | people
    local = {
        "schools": "/truong",
        "lists": "/danh-sach",
        "import": "/nhap-du-lieu",
        "import-students": "/nhap-du-lieu/hoc-sinh",
        "quality": "/chat-luong-du-lieu",
    }
    analysis = {
        "runs": f"/ky-danh-gia/{SLUG}/phan-tich",
        "run-new": f"/ky-danh-gia/{SLUG}/phan-tich/moi",
        "run": f"/ky-danh-gia/{SLUG}/phan-tich/1",
        "artefact": artefact,
        "trace": public["trace"],
        "reports": "/bao-cao/",
        "audit": "/nhat-ky",
        "jobs": "/viec-nen/",
        "profile": "/tai-khoan",
        "refusal": "/ky-danh-gia/khong-co",
        "explorer-inside": f"/kham-pha/{SLUG}?do=maths&theo=gender",
    }
    press = f"/bao-cao/{SLUG}/thong-tin-bao-chi"
    reports = {"press": press, "approved-texts": f"/bao-cao/{SLUG}/cac-tinh"}
    files = {
        "data-files": "/tep-du-lieu/",
        "data-release": "/tep-du-lieu/1",
        "data-codebook": "/tep-du-lieu/1/bien",
        "data-request": "/tep-du-lieu/2/xin-du-lieu",
    }
    custody = {
        "data-board": "/tep-du-lieu/quan-ly",
        "data-managed": "/tep-du-lieu/quan-ly/1",
        "data-asked": "/tep-du-lieu/quan-ly/yeu-cau/1",
        "data-make": "/tep-du-lieu/quan-ly/dot/1/phat-hanh",
        "data-freeze": "/tep-du-lieu/quan-ly/dong-bang",
    }
    return {
        "": public
        | {"press": press}
        | {"draw-public": plans["draw-public"]}
        | capacity["public"]
        | files
        | rooms["public"],
        "bo": own
        | custody
        | field
        | analysis
        | reports
        | scaling
        | data
        | plans
        | field_pages
        | panels
        | capacity["all"]
        | project["all"]
        | rooms["all"],
        "so": own
        | local
        | writing_addresses(page)
        | {
            "batches": "/sap-nhap",
            "people": "/nguoi-dung",
            "sampling": "/chon-mau",
            "sampled-schools": plans["sampled-schools"],
            "participation": field_pages["participation"],
            "participation-calls": field_pages["participation-calls"],
            "national": national,
            "refused": f"/ky-danh-gia/{SLUG}/phan-tich",
        }
        | capacity["organizer"]
        | followup["owner"]
        | project["local"]
        | {"plan-reports": "/ke-hoach-468/bao-cao"}
        | rooms["province"],
        "xa": {"board": "/", "people": "/nguoi-dung"}
        | local
        | capacity["local"]
        | followup["local"]
        | project["local"]
        | rooms["local"],
        "truong": {"board": "/"} | local | capacity["local"] | project["local"] | rooms["local"],
        "coi-khao-sat": {"board": "/", "test-sessions": "/buoi-khao-sat"},
        "ma-hoa": {"board": "/"},
        "nghien-cuu": {"board": "/", "national": national},
    }


def followup_addresses(page: Any) -> dict[str, dict[str, str]]:
    """Name the pages of plans and tasks, by who opens them."""
    page.goto("/cong-viec")
    plan = page.locator("main table th a[href*='/ke-hoach/']").last.get_attribute("href")
    page.goto(str(plan))
    task = page.locator("main table th a").first.get_attribute("href")
    page.goto("/hoi-dap")
    question = page.locator("main table th a").first.get_attribute("href")
    local = {
        "tasks-home": "/cong-viec",
        "tasks-month": "/cong-viec/lich",
        "questions": "/hoi-dap",
        "ask": "/hoi-dap/moi",
    }
    return {
        "local": local,
        "owner": local
        | {
            "plan-new": "/cong-viec/ke-hoach/moi",
            "plan-tasks": str(plan),
            "plan-chart": f"{plan}?tab=tien-do",
            "plan-units": f"{plan}?tab=don-vi",
            "plan-risks": f"{plan}?tab=rui-ro",
            "task": str(task),
            "task-change": f"{task}/sua",
            "task-hand-out": f"{task}/giao",
            "plan-chat": f"{plan}/don-doc",
            "calendar-address": "/cong-viec/lich/dia-chi",
            "question": str(question),
            "frequent-questions": "/hoi-dap/thuong-gap",
            "directory": "/danh-ba",
            "kit": "/truyen-thong",
            "kit-text": "/truyen-thong/mau/parents_letter",
            "tellings": "/truyen-thong/nhat-ky",
        },
    }


def writing_addresses(page: Any) -> dict[str, str]:
    """Name the pages on which the officer of the demonstration writes the report of the province."""
    start = "/".join(page.url.split("/")[:3])
    own = page.context.browser.new_context(base_url=start).new_page()
    sign_in(own, "so")
    own.goto("/bao-cao/")
    desks = own.locator("main a[href$='/soan']")
    desk = str(desks.first.get_attribute("href")) if desks.count() else ""
    own.context.close()
    if not desk:  # the small cycle of the tests has results of other provinces than the officer's
        return {}
    return {
        "write": desk,
        "write-section": f"{desk}/muc/han-che",
        "write-all": f"{desk}/muc/nguyen-nhan?tat-ca=1",
        "write-versions": f"{desk}/muc/han-che/phien-ban",
        "write-measures": f"{desk}/viec-can-lam",
    }


def project_addresses(page: Any) -> dict[str, dict[str, str]]:
    """Name the pages of the plan of Project 468, by who opens them; the nation of the tests holds one province at least."""
    root, phase = "/ke-hoach-468", "2022-2026"
    page.goto(root)
    province = str(page.locator(f"main table a[href^='{root}/tinh/']").first.get_attribute("href"))
    call = page.locator(f"main a[href^='{root}/bao-cao/dot/']").first.get_attribute("href")
    local = {
        "plan-home": root,
        "plan-documents": f"{root}/van-ban",
        "plan-document": f"{root}/van-ban/qd-468",
    }
    every = local | {
        "plan-province": province,
        "plan-target": f"{province}/{phase}/core_experts",
        "plan-schools-behind": f"{province}/{phase}/participation/danh-sach",
        "plan-people-behind": f"{province}/{phase}/core_experts/danh-sach",
        "plan-nation-target": f"{root}/toan-quoc/{phase}/core_experts",
        "plan-reading": f"{province}/cach-tinh/school_staff",
        "plan-target-new": f"{root}/chi-tieu/them",
        "plan-reports": f"{root}/bao-cao",
        "plan-call-new": f"{root}/bao-cao/mo",
        "plan-call": str(call),
        "plan-remind": f"{call}/nhac/{province.rpartition('/')[2]}",
        "plan-head": f"{root}/bao-cao/the-thuc",
    }
    return {"all": every, "local": local}


def capacity_addresses(page: Any) -> dict[str, dict[str, str]]:
    """Name the pages of people, trainings and certificates, by who opens them."""
    page.goto("/boi-duong/nhan-su")
    person = page.locator("main table a").first.get_attribute("href")
    page.goto(str(person))
    move = page.locator("main a[href$='/chuyen']").first.get_attribute("href")
    trainings = {}
    for name, state in (("open", "open"), ("running", "running"), ("concluded", "concluded")):
        page.goto(f"/boi-duong/dot?tinh-trang={state}")
        trainings[name] = page.locator("main table a").last.get_attribute("href")
    page.goto("/boi-duong/chuong-trinh")
    course = page.locator("main table a").first.get_attribute("href")
    page.goto("/chung-nhan?tinh-trang=revoked")
    revoked = page.locator("main table a").first.get_attribute("href")
    page.goto("/chung-nhan?tinh-trang=valid")
    valid = page.locator("main table a").first.get_attribute("href")
    page.goto(str(valid))
    checked = page.locator("main a[href*='tra-cuu-chung-nhan?so']").first.get_attribute("href")
    evaluate = f"/danh-gia-boi-duong/{str(trainings['concluded']).rpartition('/')[2]}"
    local = {
        "training-home": "/boi-duong",
        "capacity-people": "/boi-duong/nhan-su",
        "capacity-person-new": "/boi-duong/nhan-su/moi",
        "trainings": "/boi-duong/dot",
        "training-nominate": f"{trainings['open']}/cu",
        "certificates": "/chung-nhan",
    }
    organizer = local | {
        "indicator": "/boi-duong/chi-tieu/core_experts",
        "capacity-person": str(person),
        "capacity-divided": "/boi-duong/nhan-su/can-quyet-dinh",
        "training-open": str(trainings["open"]),
        "training-running": str(trainings["running"]),
        "training-attendance": f"{trainings['running']}/diem-danh",
        "training-code": f"{trainings['running']}/ma-diem-danh",
        "training-scores": f"{trainings['running']}/ket-qua",
        "needs": "/boi-duong/nhu-cau",
        "numbering": "/chung-nhan/danh-so",
        "certificate": str(valid),
    }
    every = organizer | {
        **{f"capacity-person-{tab}": f"{person}?tab={tab}" for tab in ("boi-duong", "lich-su")},
        "capacity-person-change": f"{person}/sua",
        "capacity-move": str(move),
        "courses": "/boi-duong/chuong-trinh",
        "course": str(course),
        "course-new": "/boi-duong/chuong-trinh/moi",
        "training-plan": f"{course}/mo-dot",
        **{
            f"training-{tab}": f"{trainings['open']}?tab={tab}"
            for tab in ("chi-tieu", "tai-lieu", "danh-gia")
        },
        "training-concluded": str(trainings["concluded"]),
        "norms": "/boi-duong/dinh-muc",
        "certificate-revoked": str(revoked),
        "certificate-correct": f"{valid}/chinh-sua",
        "certificate-revoke": f"{valid}/thu-hoi",
    }
    answer = "/tra-cuu-chung-nhan" + str(checked).partition("/tra-cuu-chung-nhan")[2]
    public = {"look-up": "/tra-cuu-chung-nhan", "look-up-answer": answer, "evaluate": evaluate}
    return {"local": local, "organizer": organizer, "all": every, "public": public}


def fieldwork_addresses(page: Any) -> dict[str, str]:
    """Name the pages of the fieldwork that the demonstration holds."""
    page.goto("/tham-gia")
    root = f"/tham-gia/{page.url.rpartition('/')[2]}"
    page.goto(f"{root}/truong?cot=selected")
    school = page.locator("main table a").first.get_attribute("href")
    page.goto(f"{root}/truong?cot=waiting")
    waiting = page.locator("main table a").first.get_attribute("href")
    return {
        "participation": root,
        "participation-calls": f"{root}/goi",
        "participation-schools": f"{root}/truong",
        "participation-weights": f"{root}/trong-so",
        "participation-report": f"{root}/bao-cao",
        "participation-answer": f"{waiting}/tra-loi/1",
        "participation-decline": f"{waiting}/khong-tham-gia",
        "participation-school": school,
        **{f"participation-{tab}": f"{school}?tab={tab}" for tab in ("nguoi", "buoi", "lich-su")},
        "participation-visit": f"{school}/giam-sat",
    }


def scaling_addresses(page: Any) -> dict[str, str]:
    """Name the pages of the scaling study that the demonstration holds."""
    root = f"/dinh-co/{SLUG}"
    study = f"{root}/1"
    page.goto(f"{study}/cau-hoi?state=decided")
    decided = page.locator("main table a[href*='/cau-hoi/']").first.get_attribute("href")
    run = f"{study}/luot/2"
    sections = ("calibration", "fit", "dif", "maps", "population", "values")
    return {
        "scaling": root,
        "scaling-new": f"{root}/moi",
        "scaling-study": study,
        "scaling-data": f"{study}/du-lieu",
        "scaling-items": f"{study}/cau-hoi",
        "scaling-item": decided,
        "scaling-runs": f"{study}/luot",
        "scaling-run-new": f"{study}/luot/moi",
        "scaling-run": run,
        "scaling-compare": f"{run}/so-sanh/1",
        "scaling-table": f"{run}/bang/fit/group_fit",
        "scaling-history": f"{study}/lich-su",
        "scaling-report": f"{run}/bao-cao",
        **{f"scaling-{name}": f"{run}/ket-qua/{name}" for name in sections},
    }


def standards_addresses(page: Any) -> dict[str, str]:
    """Name the pages of the two standard-setting sessions that the demonstration holds."""
    page.goto("/dat-chuan")
    open_session, adopted = (
        page.locator("main table a", has_text=title).first.get_attribute("href")
        for title in ("Tiếng Việt lớp 5: ba mức", "Toán lớp 5: ba mức")
    )
    return {
        "standards": "/dat-chuan",
        "standards-new": "/dat-chuan/moi",
        "standards-open": open_session,
        "standards-adopted": adopted,
        **{f"standards-{tab}": f"{adopted}?tab={tab}" for tab in ("ket-qua", "lich-su")},
        "standards-panelists": f"{open_session}?tab=chuyen-gia",
        "standards-round": f"{open_session}/vong/1",
        "standards-panel": f"{adopted}/vong/2?nhom=2",
        "standards-booklet": f"{adopted}/cuon-cau-hoi",
        "standards-describe": f"{open_session}/mo-ta-cau-hoi",
        "standards-map": f"{adopted}/ban-do-cau-hoi",
        "standards-paper": f"{open_session}/chuyen-gia/12/nhap-phieu",
    }


def sampling_addresses(page: Any) -> dict[str, str]:
    """Name the pages of the drawn plan and of the draft that the demonstration holds."""
    page.goto("/chon-mau")
    draft, drawn = (
        page.locator("main table a", has_text=grade).first.get_attribute("href")
        for grade in ("Lớp 9", "Lớp 5")
    )
    page.goto(f"{drawn}/mau")
    school = page.locator("main table a").first.get_attribute("href")
    steps = ("tong-the", "khung-mau", "loai-tru", "phan-tang", "do-chinh-xac", "dong-bang")
    return {
        "sampling": "/chon-mau",
        "plan-new": "/chon-mau/moi",
        "plan": drawn,
        "plan-history": f"{drawn}?tab=happened",
        "plan-commit": f"{drawn}/cam-ket",
        "sampled-schools": f"{drawn}/mau",
        "sampled-school": school,
        "draw-public": f"/chon-mau/cong-khai/{drawn.rpartition('/')[2]}",
        **{f"plan-{step}": f"{draft}/{step}" for step in steps},
    }


def readiness_addresses(page: Any) -> dict[str, dict[str, str]]:
    """Name the pages of rooms and machines, by who opens them."""
    page.goto("/phong-may/truong?hinh-thuc=computer")
    school = page.locator("main table tbody th a").first.get_attribute("href")
    page.goto("/phong-may/truong?trang-thai=draft")
    draft = page.locator("main table tbody th a").first.get_attribute("href")
    page.goto("/phong-may/du-toan")
    budgets = [one.get_attribute("href") for one in page.locator("main table tbody th a").all()]
    page.goto(f"{school}/may")
    check = str(page.locator("#duong-dan").input_value())
    report = page.locator("main table tbody th a").first.get_attribute("href")
    local = {
        "readiness": "/phong-may",
        "readiness-schools": "/phong-may/truong",
        "readiness-norms": "/phong-may/chuan",
    }
    province = local | {
        "readiness-reminders": "/phong-may/don-doc",
        "readiness-school": str(school),
        "readiness-form": f"{draft}/phieu",
        "readiness-machines": f"{school}/may",
        "readiness-procurement": "/phong-may/mua-sam",
        "readiness-prices": "/phong-may/don-gia",
        "readiness-budgets": "/phong-may/du-toan",
        **{f"readiness-budget-{place}": str(one) for place, one in enumerate(budgets, start=1)},
    }
    every = province | {
        "readiness-screen": f"{draft}/phieu/1",
        "readiness-groups": f"{draft}/phieu/4",
        "readiness-summary": f"{draft}/phieu/18",
        "readiness-report": str(report),
    }
    public = {"check-enter": "/kiem-tra-may", "check": check[check.index("/kiem-tra-may") :]}
    return {"local": local, "province": province, "all": every, "public": public}
