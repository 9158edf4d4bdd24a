"""The limit of a token holds across threads and processes, on both databases."""

from __future__ import annotations

import json

import pytest

COUNT = """
import datetime, json, threading, django
django.setup()
from django.db import connection
from dienrong.api import operations
from dienrong.core import clock

counts = []

def ask():
    try:
        for _ in range(25):
            counts.append(operations.count_request(key="token:7", limit=60).n_requests)
    finally:
        connection.close()

with clock.fixed(datetime.datetime(2026, 11, 22, 5, tzinfo=datetime.timezone.utc)):
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(json.dumps(counts))
"""


@pytest.mark.long
def test_two_processes_of_two_threads_never_share_a_count(installation) -> None:
    processes = [installation.start("-c", COUNT) for _ in range(2)]
    for process in processes:
        process.wait(60)
    counts = [
        number
        for file in sorted(installation.folder.glob("log-*.txt"))
        for number in json.loads(file.read_text().splitlines()[-1])
    ]
    assert sorted(counts) == list(range(1, 101)), installation.logs()
    assert installation.rows("SELECT n_requests FROM api_requestcount") == [(100,)]
