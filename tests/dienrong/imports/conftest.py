"""The small registry, a clock that stands still, and the way of a file through its pages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dienrong.imports.models import Upload
from small_cycle import registry

__all__ = ["registry"]


@pytest.fixture(autouse=True)
def still_clock(noon) -> None:
    """Every test is on 22 November 2026."""


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path) -> Iterator[Path]:
    """Files of these tests lie in a folder of their own."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    yield settings.DATA_DIR
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


@pytest.fixture
def send() -> Callable[..., Any]:
    """Send a file through the form of a target; give the answer."""

    def go(client: Client, code: str, data: bytes, *, name: str = "ds.xlsx", **params: str) -> Any:
        fields = {
            "truong": {"on_date": "2026-11-22"},
            "diem-truong": {"on_date": "2026-11-22"},
            "quy-mo": {"school_year": "2025-2026", "counted_on": "2025-09-30"},
            "quy-mo-ngang": {"school_year": "2025-2026", "counted_on": "2025-09-30"},
            "hoc-sinh": {"school_year": "2026-2027"},
            "giao-vien": {"school_year": "2026-2027"},
            "sap-nhap": {
                "title": "Đợt 1",
                "decision_number": "12/QĐ-UBND",
                "decision_date": "2026-11-01",
                "effective_date": "2026-12-01",
                "province_code": "01",
            },
        }[code]
        return client.post(
            f"/nhap-du-lieu/{code}", {**fields, **params, "file": SimpleUploadedFile(name, data)}
        )

    return go


@pytest.fixture
def previewed(send) -> Callable[..., Upload]:
    """Send a file, take the columns as guessed, and give the upload with its preview."""

    def go(client: Client, code: str, data: bytes, **params: str) -> Upload:
        answer = send(client, code, data, **params)
        assert answer.status_code == 302, answer.content.decode()[:3000]
        upload = Upload.objects.get(id=answer["Location"].rsplit("/", 1)[-1])
        from dienrong.imports import queries

        seen = queries.inspected(upload)
        fields = {f"column-{match.place}": match.column for match in seen.matches}
        answer = client.post(f"/nhap-du-lieu/tep/{upload.id}/ghep-cot", fields)
        assert answer.status_code == 302, answer.content.decode()
        upload.refresh_from_db()
        return upload

    return go
