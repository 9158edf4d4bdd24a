"""The tests on PostgreSQL: a server in a temporary folder, started for them and taken away afterwards.

    python tests/postgres.py [arguments of pytest]

Without arguments the tests of dienrong run. DIENRONG_TEST_POSTGRES_URL names a server that runs already; its user
must be allowed to create databases. A server does not run as root: root starts it as the user ``postgres``.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
OTHER_USER = "postgres"


class NoServerError(RuntimeError):
    """No server can be had here; the sentence says why."""


def free_port() -> int:
    """Give a port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """Give the address of a server whose user may create databases.

    Raises
    ------
    NoServerError
        If PostgreSQL is not installed, or does not start.
    """
    given = os.environ.get("DIENRONG_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    if not PROGRAMS:
        raise NoServerError("no PostgreSQL here: set DIENRONG_TEST_POSTGRES_URL or install postgresql")
    user = _unprivileged_user()
    folder = Path("/tmp") / f"dienrong-postgres-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o700)
    if user:
        shutil.chown(folder, user)
    port = free_port()
    try:
        _start(folder, port, user)
        yield f"postgresql://dienrong@127.0.0.1:{port}/postgres"
    finally:
        _run("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "stop", folder=folder, user=user)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_user() -> str | None:
    """Give the user as whom the server runs, where we are root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(OTHER_USER)
    except KeyError:
        raise NoServerError("PostgreSQL does not run as root, and there is no user postgres") from None
    return OTHER_USER


def _start(folder: Path, port: int, user: str | None) -> None:
    """Make the cluster and start the server."""
    data = folder / "data"
    made = _run(
        *("initdb", "-D", str(data), "-U", "dienrong", "-A", "trust", "-E", "UTF8", "--no-sync"),
        folder=folder,
        user=user,
    )
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    log = folder / "log"
    started = made.returncode == 0 and _run(
        "pg_ctl", "-D", str(data), "-w", "-o", options, "-l", str(log), "start", folder=folder, user=user
    )
    if not started or started.returncode:
        said = log.read_text(errors="replace") if log.exists() else made.stderr
        raise NoServerError(f"a PostgreSQL server could not be started here: {said[-200:]}")


def _run(program: str, *arguments: str, folder: Path, user: str | None) -> subprocess.CompletedProcess[str]:
    """Run a program of PostgreSQL; the server it starts must not hold our pipes."""
    keeps = program == "pg_ctl"
    return subprocess.run(
        [str(PROGRAMS[0] / program), *arguments],
        user=user,
        cwd=folder,
        env={"LC_ALL": "C"},
        text=True,
        check=False,
        stdout=subprocess.DEVNULL if keeps else subprocess.PIPE,
        stderr=subprocess.DEVNULL if keeps else subprocess.PIPE,
    )


def main(words: list[str]) -> int:
    """Run tests on a server of their own."""
    asked = words or ["-q", "tests/dienrong"]
    try:
        with running_server() as address:
            environment = os.environ | {"DIENRONG_DATABASE_URL": address}
            return subprocess.run(
                [sys.executable, "-m", "pytest", *asked], env=environment, check=False
            ).returncode
    except NoServerError as reason:
        print(reason, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
