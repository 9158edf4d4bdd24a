"""Build the demonstration in a folder of its own and serve it; for the browser tests and for ``make shots``.

``python tests/browser/demo_site.py PORT tiny|small|national``; the folder is ``DIENRONG_DATA_DIR``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def main() -> None:
    port, size = sys.argv[1:3]
    os.environ.update(DIENRONG_DEMO="1", DIENRONG_PORT=port, DIENRONG_LOG_LEVEL="warning")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dienrong.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from dienrong import demo

    if size == "tiny":
        sys.path.insert(0, str(TESTS))
        import small_cycle
        from dienrong.analysis import numeric

        numeric._options = small_cycle.tiny_options
    demo.run_demo(size="small" if size == "tiny" else size)
    call_command("runserver", f"127.0.0.1:{port}", use_reloader=False, skip_checks=True)


if __name__ == "__main__":
    main()
