"""The printed record: one page, whatever it has to say, with a place for every witness."""

from __future__ import annotations

import io

import pypdf
import pytest
from django.utils import translation

from dienrong.sampling import kept, outputs
from dienrong.sampling.models import Draw
from dienrong.sampling.numeric import draws
from dienrong.sampling.numeric.record_pdf import record_pdf
from sampling_moments import NUMBER

pytestmark = pytest.mark.django_db


def words_of(content: bytes) -> tuple[int, str]:
    document = pypdf.PdfReader(io.BytesIO(content))
    return len(document.pages), " ".join(" ".join(page.extract_text().split()) for page in document.pages)


@pytest.mark.parametrize(
    ("language", "title"), [("vi", "Biên bản rút mẫu công khai"), ("en", "Record of the public draw")]
)
def test_the_record_stands_on_one_page_in_both_languages(drawn, language, title) -> None:
    with translation.override(language):
        n_pages, words = words_of(outputs.output(drawn, "record.pdf").content)
    assert n_pages == 1
    for part in (
        title,
        drawn.draw.seed,
        NUMBER,
        drawn.draw.commitment,
        drawn.draw.result_hash,
        "Lê Thị Ánh",
        "Hà Nội",
    ):
        assert part in words, part


def test_many_strata_and_witnesses_still_fit_one_page(drawn) -> None:
    Draw.objects.filter(pk=drawn.draw.pk).update(
        witnesses=[f"Ông Nguyễn Văn {number}, đại diện" for number in range(9)]
    )
    drawn.draw.refresh_from_db()
    record = draws.read_record(kept.record_bytes(drawn.draw).decode())
    for n_strata in (outputs.MOST_STRATA_PRINTED, 63):
        many = {
            **record,
            "strata": [{**record["strata"][0], "stratum": f"Tỉnh {number}"} for number in range(n_strata)],
        }
        n_pages, words = words_of(record_pdf(outputs.printed(drawn, many)))
        assert n_pages == 1, n_strata
        assert "Ông Nguyễn Văn 8" in words
        assert ("Tỉnh 15" in words) == (n_strata == outputs.MOST_STRATA_PRINTED)


def test_the_same_record_gives_the_same_bytes(drawn) -> None:
    assert outputs.output(drawn, "record.pdf").content == outputs.output(drawn, "record.pdf").content
