"""Misfortunes of the one process tree that ``dienrong serve`` keeps."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.web, pytest.mark.long]


def children_of(pid: int) -> dict[int, str]:
    """Give the direct children of a process with their command lines."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/dang-nhap", timeout=60) as page:
            return page.status == 200 and "Đăng nhập" in page.read().decode()
    except OSError:
        return False


def serve(place, **options: str):
    port = place.free_port()
    place.environment.update({"DIENRONG_PORT": str(port), "DIENRONG_WORKERS": "2", **options})
    tree = place.start("-m", "dienrong", "serve")
    place.until(lambda: answers(port), "the first page", seconds=240)
    return tree, port


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the process table of Linux")
def test_dead_children_come_back_and_all_stop_together(embedded) -> None:
    tree, port = serve(embedded)
    assert f"http://127.0.0.1:{port}/" in embedded.logs()
    embedded.until(lambda: len(children_of(tree.pid)) == 3, "web server and two workers")
    before = children_of(tree.pid)
    workers = [pid for pid, command in before.items() if " worker " in command]
    assert len(workers) == 2

    os.kill(workers[0], signal.SIGKILL)
    embedded.until(
        lambda: len(children_of(tree.pid)) == 3 and workers[0] not in children_of(tree.pid), "a new worker"
    )
    web = next(pid for pid, command in children_of(tree.pid).items() if "granian" in command)
    grandchildren = list(children_of(web))
    os.kill(web, signal.SIGTERM)
    embedded.until(
        lambda: web not in children_of(tree.pid) and answers(port), "the page coming back", seconds=180
    )

    everybody = [*children_of(tree.pid), *workers, *grandchildren]
    started = time.monotonic()
    tree.send_signal(signal.SIGTERM)
    assert tree.wait(timeout=120) == 0
    assert time.monotonic() - started < 20
    embedded.until(lambda: not any(map(is_alive, everybody)), "everybody gone")
    assert not answers(port)


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel to stop orphans")
def test_a_killed_supervisor_leaves_no_worker_behind(embedded) -> None:
    tree, _port = serve(embedded, DIENRONG_WORKERS="1")
    embedded.until(lambda: len(children_of(tree.pid)) == 2, "web server and worker")
    everybody = list(children_of(tree.pid))
    tree.send_signal(signal.SIGKILL)
    tree.wait()
    embedded.until(lambda: not any(map(is_alive, everybody)), "the children gone", seconds=120)


def refusal(place, *arguments: str, **options: str) -> tuple[int, str]:
    outcome = subprocess.run(
        [sys.executable, "-m", "dienrong", *arguments],
        env={**place.environment, **options},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return outcome.returncode, outcome.stderr


def test_what_cannot_start_says_why_in_one_sentence(embedded, tmp_path: Path) -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        status, said = refusal(embedded, "serve", DIENRONG_PORT=str(holder.getsockname()[1]))
    assert (status, said.count("\n")) == (2, 1)
    assert "cannot be listened on" in said

    status, said = refusal(embedded, "serve", DIENRONG_PROT="1")
    assert status == 2
    assert "Did you mean DIENRONG_PORT?" in said
    assert "Traceback" not in said

    file = tmp_path / "file"
    file.write_text("")
    status, said = refusal(embedded, "check", DIENRONG_DATA_DIR=str(file))
    assert status == 2
    assert "cannot be written" in said
    assert "Traceback" not in said

    nowhere = "postgresql://nobody:hunter2@127.0.0.1:1/none"
    status, said = refusal(embedded, "migrate", DIENRONG_DATABASE_URL=nowhere)
    assert status == 2
    assert "The database cannot be used" in said
    assert "hunter2" not in said
    assert "Traceback" not in said


def test_the_check_finds_a_changed_audit_log(embedded) -> None:
    environment = embedded.environment
    subprocess.run(
        [sys.executable, "-m", "dienrong", "createuser", "bo", "--full-name", "Bộ", "--password-stdin"],
        env=environment, input="dien-rong-2026\n", text=True, check=True, capture_output=True,
    )  # fmt: skip
    assert "in order" in embedded.run("-m", "dienrong", "check")
    import sqlite3

    with contextlib.closing(sqlite3.connect(embedded.folder / "data" / "dienrong.sqlite3")) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="never changed or removed"):
            connection.execute("UPDATE audit_auditentry SET actor_name = 'x'")
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit_auditentry SET actor_name = 'x'")
        connection.commit()
    status, said = refusal(embedded, "check")
    assert status == 1
    assert "its content is not what was written" in said


def test_the_key_of_sessions_is_made_once_and_kept_for_its_owner_alone(embedded) -> None:
    read_settings = ("-c", "import dienrong.settings")
    embedded.run(*read_settings)
    key = embedded.folder / "data" / "secret_key"
    before = key.read_text()
    assert len(before) > 60
    assert key.stat().st_mode & 0o777 == 0o600
    embedded.run(*read_settings)
    assert key.read_text() == before
    key.write_text("short")
    status, said = refusal(embedded, "check")
    assert status == 2
    assert "holds no usable key" in said
