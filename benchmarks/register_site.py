"""A site with a whole register in a database of its own: support of the benchmarks of pages and rosters.

SQLite in a temporary folder; with DIENRONG_DATABASE_URL (its user may create databases) a new PostgreSQL database
beside it, which is dropped at the end.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDERS = (REPOSITORY / "src", REPOSITORY / "tests")
SEED = 2026
NOON = datetime.datetime(2026, 1, 15, 5, 0, tzinfo=datetime.UTC)
COUNTED = datetime.date(2025, 10, 12)
CONFIRMED = datetime.datetime(2025, 10, 20, 3, 0, tzinfo=datetime.UTC)
MIB = 1024


@contextlib.contextmanager
def own_database() -> Iterator[dict[str, str]]:
    """Give the environment of a site in a new database, and take the database away at the end."""
    given = os.environ.get("DIENRONG_DATABASE_URL", "")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIENRONG_")}
    kept["PYTHONPATH"] = os.pathsep.join([*map(str, FOLDERS), os.environ.get("PYTHONPATH", "")])
    kept["DJANGO_SETTINGS_MODULE"] = "dienrong.settings"
    with tempfile.TemporaryDirectory() as folder:
        environment = kept | {"DIENRONG_DATA_DIR": folder}
        if not given.startswith("postgres"):
            yield environment
            return
        name = f"bench_{uuid.uuid4().hex[:10]}"
        tell(given, f"CREATE DATABASE {name}")
        try:
            yield environment | {"DIENRONG_DATABASE_URL": urlsplit(given)._replace(path=f"/{name}").geturl()}
        finally:
            tell(given, f"DROP DATABASE {name} WITH (FORCE)")


def tell(address: str, statement: str) -> None:
    """Tell a PostgreSQL server something outside a transaction."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)


def run_sizes(script: str, sizes: Sequence[int]) -> list[str]:
    """Run a benchmark once per size, each in a process and a database of its own; give what they wrote last."""
    last = []
    for size in sizes:
        with own_database() as environment:
            command = [sys.executable, script, "--one", str(size)]
            outcome = subprocess.run(command, env=environment, check=False, stdout=subprocess.PIPE, text=True)
        sys.stdout.write(outcome.stdout)
        sys.stdout.flush()
        if outcome.returncode:
            raise SystemExit(f"the size {size} failed")
        last.append(outcome.stdout.splitlines()[-1])
    return last


def start_django() -> str:
    """Set Django up, make the tables, and say on which database."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", interactive=False, verbosity=0)
    return connection.vendor


def peak_mib() -> float:
    """Give the largest memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The loaded site: its register, and one person of each level in the units of one school."""

    register: Any
    school_id: str
    commune_code: str
    province_code: str
    people: dict[str, Any]
    seconds: dict[str, float]


def load_site(n_schools: int) -> Site:
    """Load a register with planted errors, five years, make people, and check the data of the nation."""
    from dienrong.core import clock
    from dienrong.scorecard.operations import check_nation
    from lsakit.datasets import full_register
    from planted_errors import plant_errors
    from register_loading import load_planted

    seconds: dict[str, float] = {}
    with clock.fixed(NOON), timed(seconds, "made"):
        register = full_register(seed=SEED, n_schools=n_schools)
        planted = plant_errors(register, seed=SEED)
    with clock.fixed(NOON), timed(seconds, "loaded"):
        load_planted(planted, data_at=COUNTED, confirmed_at=CONFIRMED)
    with clock.fixed(NOON), timed(seconds, "checked"):
        check_nation()
    busiest = register.schools.filter(levels="TH").group_by("commune_code").len().sort("len", "commune_code")
    commune = busiest.item(-1, "commune_code")
    school = register.schools.filter(commune_code=commune, levels="TH").row(0, named=True)
    units = {
        "ministry_expert": ("", ""),
        "province_officer": (school["province_code"], "Tỉnh"),
        "commune_officer": (commune, "Xã"),
        "school_coordinator": (school["school_id"], school["name"]),
    }
    return Site(
        register=register,
        school_id=school["school_id"],
        commune_code=commune,
        province_code=school["province_code"],
        people={role: _person(role, *unit) for role, unit in units.items()},
        seconds=seconds,
    )


def _person(role: str, unit_code: str, unit_name: str) -> Any:
    """Make a person with a role."""
    from dienrong.accounts import operations

    user = operations.create_person(
        username=role, full_name="Nguyễn Thị Minh", password="dien-rong-2026", by=None
    )
    operations.assign_role(user=user, role=role, unit_code=unit_code, unit_name=unit_name, by=None)
    return user


@contextlib.contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Note how long something took."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def browser(person: Any) -> Any:
    """Give the browser of a person, second step passed."""
    from django.test import Client

    from dienrong.accounts.middleware import SECOND_FACTOR_SHOWN

    client = Client(SERVER_NAME="localhost")
    client.force_login(person)
    session = client.session
    session[SECOND_FACTOR_SHOWN] = True
    session.save()
    return client


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What asking for a page cost at the server."""

    status: int
    n_queries: int
    seconds: float
    n_bytes: int


def ask(client: Any, address: str, *, times: int = 7) -> Page:
    """Ask for a page several times; the median counts, after one time that warms."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        answer = client.get(address)
        taken.append(time.perf_counter() - start)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    n_bytes = 0 if answer.streaming else len(answer.content)
    return Page(
        status=answer.status_code,
        n_queries=len(queries),
        seconds=sorted(taken)[times // 2],
        n_bytes=n_bytes,
    )


def call(work: Any, *, times: int = 51) -> float:
    """Give the median seconds of a call, after one that warms."""
    work()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return sorted(taken)[times // 2]
