"""Set up and start Diện Rộng with nothing but Python 3.11 or later.

    python3 run.py              carry a national assessment from school list to report, and open it
    python3 run.py test         run the tests, in under ten minutes
    python3 run.py long         and those that take longer: every page in a browser, every misfortune of processes
    python3 run.py check        format, lint, types, import contracts, house tests (for developers)
    python3 run.py bare         the statistics alone, without the web, in an environment of their own
    python3 run.py wheelhouse   gather every package in wheelhouse/ for a machine without network

This file uses the standard library alone. It makes .venv/, installs the packages that requirements/*.lock
names (each checked by its hash), compiles the numerical kernels once, and starts. Nothing outside this
folder is changed, and no administrator's right is asked for.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time

if sys.version_info < (3, 11):
    sys.exit(
        "Diện Rộng needs Python 3.11 or later; this is Python {}.{}. Install a newer Python from python.org or "
        "your system's packages and type the same command with it (for example: python3.11 run.py).".format(
            *sys.version_info[:2]
        )
    )

from pathlib import Path

ROOT = Path(__file__).resolve().parent
WINDOWS = platform.system() == "Windows"
WHEELHOUSE = ROOT / "wheelhouse"


class CannotGoOnError(Exception):
    """Something is missing; the text says what, and what to do."""


class Steps:
    """Print one line per step, with its time."""

    def __init__(self, total):
        self.total = total
        self.number = 0

    def run(self, title, work):
        """Announce a step, do it, and say how long it took."""
        self.number += 1
        print(f"[{self.number}/{self.total}] {title} …", end=" ", flush=True)
        started = time.monotonic()
        outcome = work()
        print(outcome or f"{time.monotonic() - started:.1f} s", flush=True)


class Environment:
    """One virtual environment and what has been installed in it."""

    def __init__(self, folder):
        self.folder = ROOT / folder
        self.bin = self.folder / ("Scripts" if WINDOWS else "bin")
        self.python = self.bin / ("python.exe" if WINDOWS else "python")
        self.stamp = self.folder / "installed.json"

    def is_usable(self):
        """Tell whether the environment's Python runs and is this Python's version."""
        if not self.python.exists():
            return False
        asked = [str(self.python), "-c", "import sys; print(sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
        return answer.returncode == 0 and answer.stdout.strip() == str(tuple(sys.version_info[:2]))

    def create(self):
        """Make the environment, with its own pip where this Python can give one."""
        if self.is_usable():
            return "kept"
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            import venv
        except ImportError as error:
            raise CannotGoOnError(
                "This Python has no 'venv' module. Install it (Debian and Ubuntu: apt install python3-venv; "
                "Fedora: dnf install python3) and type the same command again."
            ) from error
        try:
            import ensurepip  # noqa: F401 - Debian leaves it out of python3 and ships it in python3-venv

            venv.create(self.folder, with_pip=True, symlinks=not WINDOWS)
        except (ImportError, subprocess.CalledProcessError):
            shutil.rmtree(self.folder, ignore_errors=True)
            venv.create(self.folder, with_pip=False, symlinks=not WINDOWS)
        return None

    def installed(self):
        """Read which lock files were installed, by hash."""
        try:
            return json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def install(self, lock):
        """Install the packages of one lock file and the project itself, unless that was done already."""
        wanted = fingerprint([lock, ROOT / "pyproject.toml"])
        done = self.installed()
        if done.get(lock.name) == wanted:
            return "unchanged"
        installers = find_installers(self)
        run_installer(installers, ["--require-hashes", "-r", str(lock)])
        run_installer(installers, ["--no-deps", "--no-build-isolation", "-e", str(ROOT)])
        self.stamp.write_text(json.dumps({**done, lock.name: wanted}), encoding="utf-8")
        return None

    def compile_kernels(self):
        """Compile the numerical kernels into their cache, once per change of their sources."""
        wanted = fingerprint(sorted((ROOT / "src" / "lsakit" / "kernels").glob("*.py")))
        done = self.installed()
        if done.get("kernels") == wanted:
            return "unchanged"
        self.call(["-m", "lsakit.pipeline.warm_up"], quiet=True)
        self.stamp.write_text(json.dumps({**self.installed(), "kernels": wanted}), encoding="utf-8")
        return None

    def call(self, arguments, quiet=False, **options):
        """Run the environment's Python; refuse to go on where it fails."""
        command = [str(self.python), *arguments]
        outcome = subprocess.run(command, cwd=ROOT, capture_output=quiet, text=True, check=False, **options)
        if outcome.returncode and quiet:
            raise CannotGoOnError(
                f"'{' '.join(arguments)}' failed:\n{(outcome.stderr or '').strip()[-2000:]}"
            )
        return outcome.returncode


def fingerprint(files):
    """Hash some files together with this Python and machine."""
    digest = hashlib.sha256(f"{sys.version_info[:3]} {platform.system()} {platform.machine()}".encode())
    for file in files:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def find_installers(environment):
    """List the ways to install, best first: uv, the environment's pip, this Python's, the wheelhouse's."""
    python = str(environment.python)
    wheels = ["--no-index", "--find-links", str(WHEELHOUSE)] if WHEELHOUSE.is_dir() else []
    options = ["install", "--quiet", "--disable-pip-version-check", "--no-input", *wheels]
    found = []
    uv = shutil.which("uv")
    if uv:
        found.append([uv, "pip", "install", "--quiet", "--python", python, *wheels])
    if answers([python, "-m", "pip", "--version"]):
        found.append([python, "-m", "pip", *options])
    elif answers([sys.executable, "-m", "pip", "--version"]):
        found.append([sys.executable, "-m", "pip", "--python", python, *options])
    found.extend([python, str(wheel / "pip"), *options] for wheel in sorted(WHEELHOUSE.glob("pip-*.whl")))
    if found:
        return found
    raise CannotGoOnError(
        "No installer is at hand: this Python has neither 'ensurepip' nor 'pip', and there is no wheelhouse/. "
        "Install one of them (Debian and Ubuntu: apt install python3-venv) and type the same command again; or "
        "make wheelhouse/ on a machine with network (python3 run.py wheelhouse) and copy it into this folder."
    )


def answers(command):
    """Tell whether a command runs."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run_installer(installers, arguments):
    """Run the first installer that succeeds; turn the last failure into a sentence that says what to do."""
    said = ""
    for installer in installers:
        outcome = subprocess.run(
            [*installer, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if outcome.returncode == 0:
            return
        said = (outcome.stderr or outcome.stdout).strip()
    offline = any(
        sign in said
        for sign in ("NewConnectionError", "ConnectTimeout", "Name or service", "name resolution", "unreachable",
                     "getaddrinfo", "error sending request", "Could not find a version", "dns error")
    )  # fmt: skip
    if offline and WHEELHOUSE.is_dir():
        advice = (
            "wheelhouse/ lacks a package for this Python or system: make it again on a machine of this kind."
        )
    elif offline:
        advice = (
            "The package index cannot be reached. Connect this machine to the network and type the same command "
            "again; or, on a machine of the same kind that has network, type 'python3 run.py wheelhouse' and copy "
            "the folder wheelhouse/ here: it is used without network."
        )
    else:
        advice = "Nothing was started. Mend what the installer says and type the same command again."
    told = [line for line in said.splitlines() if not line.startswith("WARNING")]
    last = "" if offline and not WHEELHOUSE.is_dir() else "\n".join(told[-6:]) + "\n"
    raise CannotGoOnError(f"The packages could not be installed.\n{last}{advice}")


def prepare(lock, folder=".venv", kernels=True):
    """Bring the environment to the state that a lock file names."""
    environment = Environment(folder)
    steps = Steps(3 if kernels else 2)
    version = platform.python_version()
    steps.run(f"environment {folder}/ (Python {version})", environment.create)
    count = sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())
    steps.run(f"packages of requirements/{lock.name} ({count})", lambda: environment.install(lock))
    if kernels:
        steps.run("numerical kernels, compiled once", environment.compile_kernels)
    return environment


def lock_file(name):
    """Find a lock file."""
    return ROOT / "requirements" / f"{name}.lock"


def demo(arguments):
    """Run the whole cycle and open it."""
    environment = prepare(lock_file("run"))
    return environment.call(["-m", "dienrong", "demo", *arguments])


def test(arguments):
    """Run the tests; install Chromium where the machine allows it."""
    return run_tests("not slow and not long", arguments)


def long(arguments):
    """Run what takes longer: every page in a browser, every misfortune of processes."""
    return run_tests("long and not slow", arguments)


def run_tests(marks, arguments):
    """Run the tests that bear marks, two side by side."""
    environment = prepare(lock_file("test"))
    Steps(1).run("Chromium for the browser tests", find_chromium)
    workers = [] if any(word.startswith(("-n", "--numprocesses")) for word in arguments) else ["-n", "2"]
    return environment.call(["-m", "pytest", "-q", *workers, "-m", marks, *arguments])


def find_chromium():
    """Look for Chromium; install Debian's where this account may."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return f"{name} is here"
    if not WINDOWS and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {
            "capture_output": True,
            "check": False,
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        }
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], **quiet)
        if shutil.which("chromium"):
            return "installed from the system's packages"
    return "not here: the browser tests are skipped (install the package 'chromium' to run them)"


def check(arguments):
    """Run the checks that developers keep green."""
    environment = prepare(lock_file("dev"), kernels=False)
    tools = [
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "ruff", "check", "."],
        ["-m", "mypy"],
        ["-c", "from importlinter.cli import lint_imports_command as lint; lint()"],
        ["-m", "pytest", "-q", "tests/house", *arguments],
    ]
    failed = [" ".join(tool[:3]) for tool in tools if environment.call(tool)]
    print(f"check: {len(tools) - len(failed)} of {len(tools)} green" + (f"; red: {failed}" if failed else ""))
    return 1 if failed else 0


def bare(arguments):
    """Test the statistics where Django is not installed."""
    environment = prepare(lock_file("bare"), folder=".venv-bare", kernels=False)
    if answers([str(environment.python), "-c", "import django"]):
        raise CannotGoOnError(
            "Django is in .venv-bare/, so this shows nothing. Delete .venv-bare/ and try again."
        )
    folders = ["tests/lsakit", "tests/properties"]
    return environment.call(
        [
            "-m",
            "pytest",
            "-q",
            "-n",
            "2",
            "-p",
            "no:django",
            "-m",
            "not slow and not web",
            *folders,
            *arguments,
        ]
    )


def wheelhouse(arguments):
    """Gather every package as a file, for a machine without network."""
    environment = Environment(".venv")
    steps = Steps(2)
    steps.run("environment .venv/", environment.create)
    pip = [str(environment.python), "-m", "pip"]
    if not answers([*pip, "--version"]):
        pip = [sys.executable, "-m", "pip"]
    target = ["download", "--quiet", "--dest", str(WHEELHOUSE)]
    hashes = ["--require-hashes", "-r", str(lock_file(arguments[0] if arguments else "test"))]

    def download():
        """Fetch the locked packages and pip itself."""
        WHEELHOUSE.mkdir(exist_ok=True)
        run_installer([[*pip, *target]], hashes)
        run_installer([[*pip, *target]], ["pip"])

    steps.run("packages into wheelhouse/", download)
    return 0


COMMANDS = {"demo": demo, "test": test, "long": long, "check": check, "bare": bare, "wheelhouse": wheelhouse}


def main(words):
    """Choose the command and carry it out."""
    if words and words[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    name = words[0] if words and not words[0].startswith("-") else "demo"
    if name not in COMMANDS:
        print(f"run.py knows no command '{name}'. It knows: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    arguments = words[1:] if words and words[0] == name else words
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return COMMANDS[name](arguments)
    except CannotGoOnError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
