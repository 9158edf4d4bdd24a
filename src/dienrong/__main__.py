"""The command ``dienrong``: thin words over the operations of the rooms."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Sequence
from importlib import metadata

from dienrong import options

REFUSED = 2
SECONDS_BEFORE_STOP_IS_FORCED = 10
SECONDS_UNTIL_SERVED = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 when done, 1 when it failed, 2 when it was refused."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dienrong.settings")
    parser = _parser()
    chosen, rest = parser.parse_known_args(list(sys.argv[1:] if arguments is None else arguments))
    if rest and chosen.command not in PASSED_ON:
        parser.error(f"{chosen.command} knows no {' '.join(rest)}")
    if chosen.command == "options":
        return _options(chosen.format)
    try:
        options.load(os.environ)
    except options.OptionsError as refusal:
        return _refuse("\n".join(refusal.sentences))
    from django.core.exceptions import ImproperlyConfigured
    from django.db.utils import OperationalError, ProgrammingError

    try:
        return COMMANDS[chosen.command](chosen, rest)
    except ImproperlyConfigured as refusal:
        return _refuse(str(refusal))
    except (OperationalError, ProgrammingError) as error:
        what = str(error).strip().splitlines()[0]
        return _refuse(
            f"The database cannot be used ({what}). Check DIENRONG_DATABASE_URL; run `dienrong migrate`."
        )


def _parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = argparse.ArgumentParser(
        prog="dienrong",
        description="Diện Rộng: the platform of a national large-scale assessment.",
        epilog="Settings are environment variables; `dienrong options` lists all of them.",
    )
    parser.add_argument("--version", action="version", version=f"dienrong {metadata.version('dienrong')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("serve", help="migrate, start the workers and the web server, print the address")
    demo = commands.add_parser("demo", help="build the synthetic demonstration, then serve it")
    demo.add_argument("--size", choices=("national", "small"), default="national", help="size of the nation")
    demo.add_argument("--no-serve", action="store_true", help="build it and stop")
    commands.add_parser("worker", help="run one background worker", add_help=False)
    commands.add_parser("migrate", help="bring the database up to date", add_help=False)
    commands.add_parser("createuser", help="make an account", add_help=False)
    commands.add_parser("check", help="check options, database and audit log")
    commands.add_parser("manage", help="run any other Django management command", add_help=False)
    listing = commands.add_parser("options", help="list all settings")
    listing.add_argument("--format", choices=("text", "markdown", "env"), default="text")
    return parser


def _refuse(sentence: str) -> int:
    """Say why nothing was started."""
    sys.stderr.write(sentence + "\n")
    return REFUSED


def _options(form: str) -> int:
    """Print the options table."""
    writers = {
        "text": options.plain_table,
        "markdown": options.markdown_page,
        "env": options.environment_example,
    }
    sys.stdout.write(writers[form]())
    return 0


def _django(*arguments: str) -> int:
    """Run a Django management command; a refusal gives its own status."""
    from django.core.management import ManagementUtility

    ManagementUtility(["dienrong", *arguments]).execute()
    return 0


def _pass_on(chosen: argparse.Namespace, rest: Sequence[str]) -> int:
    """Hand a command to Django under its own name."""
    names = {"worker": ["work"], "manage": []}
    return _django(*names.get(chosen.command, [chosen.command]), *rest)


def _check(chosen: argparse.Namespace, rest: Sequence[str]) -> int:
    """Check options, models, pending migrations and the chain of the audit log."""
    import django
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    django.setup()
    from dienrong.audit import operations

    try:
        call_command("check", "--database", "default")
        call_command("migrate", "--check", verbosity=0)
    except SystemCheckError as error:
        return _refuse(str(error))
    except SystemExit:
        return _refuse("The database is not up to date. Run `dienrong migrate`.")
    faults = operations.verify_chain()
    for fault in faults:
        sys.stderr.write(f"Audit entry {fault.entry_id}: {fault.what}.\n")
    if not faults:
        sys.stdout.write("Options, database and audit log are in order.\n")
    return 1 if faults else 0


def _serve(chosen: argparse.Namespace, rest: Sequence[str]) -> int:
    """Migrate, collect static files, then run web server and workers as one process tree."""
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    read = settings.OPTIONS
    taken = _port_taken(read.host, read.port)
    if taken:
        return _refuse(taken)
    django.setup()
    from dienrong.core.supervision import Child, Supervisor

    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    connections.close_all()
    worker = [sys.executable, "-m", "dienrong", "worker", "--parent", str(os.getpid())]
    children = [Child(name="web", command=_web_command(read), is_vital=True)]
    children += [Child(name=f"worker {n}", command=worker) for n in range(1, read.workers + 1)]
    said: list[bool] = []

    def say_when_ready() -> None:
        if not said and _answers(read.host, read.port):
            said.append(True)
            sys.stdout.write(f"Diện Rộng: {_address(read.host, read.port)}  (Ctrl-C stops)\n")
            sys.stdout.flush()

    return Supervisor(children).run(on_tick=say_when_ready)


def _web_command(read: options.Options) -> list[str]:
    """Give the command line of the web server."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", read.host, "--port", str(read.port), "--workers", str(read.web_processes)),
        *("--blocking-threads", "4", "--log-level", "warning", "--respawn-failed-workers"),
        *("--workers-kill-timeout", str(SECONDS_BEFORE_STOP_IS_FORCED)),
        "dienrong.wsgi:application",
    ]


def _demo(chosen: argparse.Namespace, rest: Sequence[str]) -> int:
    """Build the demonstration and serve it."""
    os.environ["DIENRONG_DEMO"] = "1"
    import django

    django.setup()
    from dienrong import demo

    demo.run_demo(size=chosen.size)
    if chosen.no_serve:
        return 0
    if sys.stdout.isatty():
        from django.conf import settings

        read = settings.OPTIONS
        threading.Thread(target=_open_browser, args=(read.host, read.port), daemon=True).start()
    return _serve(chosen, rest)


def _open_browser(host: str, port: int) -> None:
    """Open the demonstration in this person's browser once the server answers."""
    for _ in range(4 * SECONDS_UNTIL_SERVED):
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                webbrowser.open(f"http://{host}:{port}/")
                return
        threading.Event().wait(0.25)


def _port_taken(host: str, port: int) -> str:
    """Say that the port cannot be listened on; empty where it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return (
                f"DIENRONG_HOST {host} and DIENRONG_PORT {port} cannot be listened on ({error.strerror}). "
                "Another program may use the port; set DIENRONG_PORT to a free one."
            )
    return ""


def _answers(host: str, port: int) -> bool:
    """Tell whether somebody listens on the port."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    try:
        with socket.create_connection((target, port), timeout=0.2):
            return True
    except OSError:
        return False


def _address(host: str, port: int) -> str:
    """Give the address that a person types into a browser of this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}/"


PASSED_ON = frozenset({"worker", "migrate", "createuser", "manage"})
COMMANDS: dict[str, Callable[[argparse.Namespace, Sequence[str]], int]] = {
    "serve": _serve,
    "demo": _demo,
    "check": _check,
    **dict.fromkeys(PASSED_ON, _pass_on),
}

if __name__ == "__main__":
    sys.exit(main())
