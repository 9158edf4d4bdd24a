"""Whole installations in a folder of their own: real processes, a real database, real signals."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from postgres import NoServerError, free_port, running_server

HERE = Path(__file__).resolve().parent


class Installation:
    """One installation: its environment, its processes and a plain look into its database."""

    def __init__(self, folder: Path, database_url: str, **options: str) -> None:
        self.folder = folder
        self.database_url = database_url
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DIENRONG_")}
        self.environment = {
            **kept,
            "DJANGO_SETTINGS_MODULE": "dienrong.settings",
            "DIENRONG_DATA_DIR": str(folder / "data"),
            "DIENRONG_DATABASE_URL": database_url,
            "DIENRONG_JOB_HEARTBEAT_SECONDS": "2",
            **options,
        }
        self.processes: list[subprocess.Popen] = []

    def run(self, *arguments: str) -> str:
        """Run a command to its end and give what it says."""
        outcome = subprocess.run(
            [sys.executable, *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        assert outcome.returncode == 0, outcome.stderr
        return outcome.stdout

    def enqueue(self, *jobs: tuple[str, dict]) -> list[str]:
        """Ask for jobs."""
        return self.run(str(HERE / "slow_jobs.py"), "enqueue", json.dumps(jobs)).split()

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a process that goes on."""
        log = (self.folder / f"log-{len(self.processes)}.txt").open("wb")
        process = subprocess.Popen([sys.executable, *arguments], env=self.environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_worker(self) -> subprocess.Popen:
        """Start one worker that knows the slow kinds."""
        return self.start(str(HERE / "slow_jobs.py"), "work")

    def rows(self, query: str) -> list[tuple]:
        """Ask the database without Django."""
        if self.database_url.startswith("postgres"):
            import psycopg

            with psycopg.connect(self.database_url) as connection:
                return connection.execute(query).fetchall()
        import sqlite3

        with contextlib.closing(
            sqlite3.connect(self.folder / "data" / "dienrong.sqlite3", timeout=60)
        ) as connection:
            return connection.execute(query).fetchall()

    def job(self) -> dict:
        """Give the only job."""
        names = ("state", "attempts", "ticket", "stage", "error", "result")
        (row,) = self.rows(f"SELECT {', '.join(names)} FROM jobs_job")
        return dict(zip(names, row, strict=True))

    def until(self, condition: Callable[[], object], what: str, seconds: float = 150.0) -> None:
        """Wait for a condition; fail with the logs when it does not come."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not happen within {seconds} s\n{self.logs()}")
            time.sleep(0.05)

    def logs(self) -> str:
        """Give what the processes said."""
        return "\n".join(
            f"--- {file.name}\n{file.read_text(errors='replace')[-3000:]}"
            for file in sorted(self.folder.glob("log-*.txt"))
        )

    @staticmethod
    def free_port() -> int:
        """Give a port nobody uses now."""
        return free_port()

    def end(self) -> None:
        """Stop what still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the address of a PostgreSQL server whose user may create databases, or skip."""
    try:
        with running_server() as address:
            yield address
    except NoServerError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory) -> Path:
    """A SQLite file with its tables made, to copy from."""
    folder = tmp_path_factory.mktemp("migrated")
    Installation(folder, "").run("-m", "dienrong", "migrate", "-v0")
    return folder / "data" / "dienrong.sqlite3"


@pytest.fixture(scope="session")
def migrated_database(postgres_server, tmp_path_factory) -> Iterator[str]:
    """The name of a PostgreSQL database with its tables made, to copy from."""
    name = f"dienrong_{uuid.uuid4().hex[:10]}"
    _tell(postgres_server, f"CREATE DATABASE {name}")
    address = urlsplit(postgres_server)._replace(path=f"/{name}").geturl()
    Installation(tmp_path_factory.mktemp("migrated"), address).run("-m", "dienrong", "migrate", "-v0")
    yield name
    _tell(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def _tell(server: str, statement: str) -> None:
    """Run one statement on the server."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture
def embedded(tmp_path: Path, migrated_file: Path) -> Iterator[Installation]:
    """An installation on SQLite."""
    place = Installation(tmp_path, "")
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data")
    yield place
    place.end()


@pytest.fixture
def served(tmp_path: Path, request) -> Iterator[Installation]:
    """An installation on PostgreSQL."""
    server, template = (
        request.getfixturevalue("postgres_server"),
        request.getfixturevalue("migrated_database"),
    )
    name = f"dienrong_{uuid.uuid4().hex[:10]}"
    _tell(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    place = Installation(tmp_path, urlsplit(server)._replace(path=f"/{name}").geturl())
    yield place
    place.end()
    _tell(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request) -> Installation:
    """An installation on each database in turn."""
    return request.getfixturevalue("embedded" if request.param == "sqlite" else "served")
