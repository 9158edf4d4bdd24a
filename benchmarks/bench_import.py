"""Time and peak memory of a roster from Excel: sent, opened, previewed, accepted; and proof that no count moved.

    python benchmarks/bench_import.py [--sizes 2000 20000 200000] [--write]

Each size runs in a process of its own on a SQLite database of its own, so that its peak memory (VmHWM of Linux) is
its own. The workbook has 20 columns: the 11 of the class list, nine more that are left out. One row in a hundred
has a date that does not exist. The same file is then sent once more, and must change nothing. ``--write`` records
the table in benchmarks/results/import.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "import.md"
SECONDS_GOAL, MEMORY_GOAL = 90.0, 1024.0
N_EXTRA = 9
FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Giàng", "Lò", "Hồ")
MIDDLES = ("Văn", "Thị", "Minh", "Ngọc", "Quốc", "Thu")
GIVENS = (
    "An",
    "Bình",
    "Cường",
    "Dũng",
    "Hà",
    "Hòa",
    "Khoa",
    "Lan",
    "Mai",
    "Nam",
    "Páo",
    "Quân",
    "Sơn",
    "Thủy",
)
HEAD = (
    "Mã trường*", "Mã học sinh*", "Số định danh", "Họ tên*", "Ngày sinh*", "Giới tính*", "Dân tộc", "Khối*", "Lớp*",
    "Trạng thái", "Khuyết tật", *(f"Ghi chú {k}" for k in range(1, N_EXTRA + 1)),
)  # fmt: skip


def make(path: Path, n_rows: int, schools: list[tuple[str, int]]) -> None:
    """Write the workbook: codes as numbers that lost their zeros, dates of three forms."""
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet("Danh sách")
    sheet.write_row(0, 0, HEAD)
    for k in range(n_rows):
        school, grade = schools[k % len(schools)]
        row = k + 1
        born = dt.date(2020 - grade, 1 + k % 12, 1 + k % 28)
        name = f"{FAMILIES[k % 12]} {MIDDLES[k % 6]} {GIVENS[(k // 7) % 14]}"
        sheet.write_string(row, 0, school)
        sheet.write_number(row, 1, 100_000_000 + k)
        sheet.write_string(row, 3, name)
        if k % 100 == 99:
            sheet.write_string(row, 4, "31/02/2015")
        elif k % 3:
            sheet.write_string(row, 4, f"{born:%d/%m/%Y}")
        else:
            sheet.write_datetime(row, 4, dt.datetime(born.year, born.month, born.day), day)
        sheet.write_string(row, 5, "Nữ" if k % 2 else "Nam")
        sheet.write_string(row, 6, "Kinh" if k % 5 else "Tày")
        sheet.write_number(row, 7, grade)
        sheet.write_string(row, 8, f"{grade}A{1 + k % 3}")
        sheet.write_string(row, 9, "Đang học")
        sheet.write_string(row, 10, "Không")
        for extra in range(N_EXTRA):
            sheet.write_string(row, 11 + extra, f"giá trị {k % 500}")
    book.close()


def run(folder: Path, n_rows: int) -> dict[str, float]:
    """Take one file from its sending to its acceptance, in this process."""
    os.environ |= {"DIENRONG_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "dienrong.settings"}
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from dienrong.accounts import operations as accounts
    from dienrong.imports import operations, queries
    from dienrong.imports.columns import target_of
    from dienrong.registry import operations as registry
    from dienrong.registry.models import School, SchoolEnrolment
    from dienrong.registry.numeric import nation_rows

    registry.load_nation(rows=nation_rows(seed=2026, size="small"), school_year="2026-2027", by=None)
    person = accounts.create_person(
        username="bo", full_name="Nguyễn Thị Minh", password="dien-rong-2026", by=None
    )
    accounts.assign_role(user=person, role="ministry_expert", unit_code="", unit_name="", by=None)
    taught = SchoolEnrolment.objects.filter(n_students__gt=0).order_by("school__school_id", "grade")
    path = folder / "danh-sach.xlsx"
    make_in_a_child(path, n_rows, list(taught.values_list("school__school_id", "grade")))
    target = target_of("hoc-sinh")
    figures: dict[str, float] = {
        "n_rows": n_rows,
        "file_mb": path.stat().st_size / 2**20,
        "n_schools": School.objects.count(),
    }

    def timed(name: str, work):
        begin = time.perf_counter()
        done = work()
        figures[name] = time.perf_counter() - begin
        return done

    def send() -> object:
        upload = operations.send_in(
            by=person,
            target=target,
            file_name="ds.xlsx",
            data=path.read_bytes(),
            params={"school_year": "2026-2027"},
        )
        return operations.inspect_upload(upload.id)

    def preview(upload) -> object:
        mapping = {match.place: match.column for match in queries.inspected(upload).matches if match.column}
        operations.match_columns(by=person, upload=upload, mapping=mapping)
        return operations.preview_upload(upload.id, by=person)

    upload = timed("send", send)
    upload = timed("preview", lambda: preview(upload))
    counts = dict(upload.counts)
    upload = timed("accept", lambda: operations.accept_upload(by=person, upload=upload))
    figures["total"] = figures["send"] + figures["preview"] + figures["accept"]
    figures["peak_mb"] = peak_megabytes()
    again = timed("second_preview", lambda: preview(send()))
    n_bad = n_rows // 100
    expected = {"new": n_rows - n_bad, "changed": 0, "unchanged": 0, "refused": n_bad}
    moved = counts != expected or dict(again.counts) != {**expected, "new": 0, "unchanged": n_rows - n_bad}
    upload = timed("undo", lambda: operations.undo_upload(by=person, upload=upload))
    figures["moved"] = float(moved)
    return figures


def make_in_a_child(path: Path, n_rows: int, schools: list[tuple[str, int]]) -> None:
    """Write the workbook in another process, so that its memory is not counted here."""
    source = path.with_suffix(".json")
    source.write_text(json.dumps(schools))
    subprocess.run([sys.executable, __file__, "--make", str(path), "--sizes", str(n_rows)], check=True)


def peak_megabytes() -> float:
    """Give the peak resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def table(rows: list[dict[str, float]]) -> str:
    """Write the figures as a table."""
    lines = [
        "| rows | file MB | send s | preview s | accept s | total s | peak MiB | same file again s | undo s | counts |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        cells = [f"{row[name]:.1f}" for name in ("file_mb", "send", "preview", "accept", "total")]
        tail = [f"{row['peak_mb']:.0f}", f"{row['second_preview']:.1f}", f"{row['undo']:.1f}"]
        lines.append(
            f"| {row['n_rows']:.0f} | {' | '.join([*cells, *tail])} | {'MOVED' if row['moved'] else 'same'} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Run each size in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_000, 20_000, 200_000])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--make", type=Path)
    parser.add_argument("--run", type=Path)
    words = parser.parse_args()
    if words.make:
        schools = [tuple(pair) for pair in json.loads(words.make.with_suffix(".json").read_text())]
        make(words.make, words.sizes[0], schools)
        return 0
    if words.run:
        print("FIGURES " + json.dumps(run(words.run, words.sizes[0])))
        return 0
    rows: list[dict[str, float]] = []
    for size in words.sizes:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--run", folder, "--sizes", str(size)]
            outcome = subprocess.run(command, capture_output=True, text=True, check=False)
            found = [line for line in outcome.stdout.splitlines() if line.startswith("FIGURES ")]
            if not found:
                print(outcome.stderr[-4000:], file=sys.stderr)
                return 1
            rows.append(json.loads(found[0].removeprefix("FIGURES ")))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    text = table(rows)
    print(text)
    if words.write:
        RESULTS.parent.mkdir(exist_ok=True)
        machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite"
        RESULTS.write_text(f"# Import of a roster from Excel\n\n{machine}.\n\n{text}\n", encoding="utf-8")
    last = rows[-1]
    late = last["n_rows"] >= 200_000 and (last["total"] > SECONDS_GOAL or last["peak_mb"] > MEMORY_GOAL)
    return 1 if any(row["moved"] for row in rows) or late else 0


if __name__ == "__main__":
    sys.exit(main())
