"""An answer as a file: an Excel workbook with its origin, and a plain CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from lsakit.tables.explorer.answers import Answer
from lsakit.tables.explorer.wording import Words

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def estimate_table(answer: Answer, words: Words) -> tuple[list[str], list[list[Any]]]:
    """Lay out the estimates of an answer: headings, and one line per group and statistic.

    Parameters
    ----------
    answer : Answer
        The answer.
    words : Words
        Language and names.

    Returns
    -------
    headings : list of str
        Break-downs, statistic, counts, estimate, error, interval, mark, reason.
    lines : list of list
        Values, unrounded; None where a number is not shown.
    """
    question, say = answer.question, words.texts.say
    by = [words.variable(name, question.population) for name in question.by]
    columns = ("n", "n_schools", "estimate", "standard_error")
    headings = [
        *(by or [say("explorer.sheet.group")]),
        say("explorer.sheet.statistic"),
        *(say(f"column.{name}") for name in columns),
        *(say(f"explorer.sheet.{name}") for name in ("low", "high", "flag", "reason")),
    ]
    lines = []
    for row in answer.rows:
        named = [words.value(name, value) for name, value in zip(question.by, row["group"], strict=False)]
        named = named or [words.group((), ())]
        named += [""] * (len(by) - len(named))
        numbers = [row[name] for name in (*columns, "ci_low", "ci_high")]
        lines.append([*named, words.row(row, question), *numbers, row["flag"], words.reason(row)])
    return headings, lines


def comparison_table(answer: Answer, words: Words) -> tuple[list[str], list[list[Any]]]:
    """Lay out the comparisons of an answer.

    Parameters
    ----------
    answer : Answer
        The answer.
    words : Words
        Language and names.

    Returns
    -------
    headings : list of str
        Group, what it is compared with, within which groups, statistic, difference, error, interval, p, verdict.
    lines : list of list
        Values, unrounded.
    """
    question, say = answer.question, words.texts.say
    keys = ("group", "reference", "within", "statistic", "difference")
    headings = [say(f"explorer.sheet.{key}") for key in keys]
    headings += [say("column.standard_error")]
    headings += [say(f"explorer.sheet.{key}") for key in ("low", "high", "p_value", "significant")]
    others = [name for name in question.by if name != question.compare_by]
    lines = []
    for row in answer.comparisons:
        lines.append(
            [
                words.value(question.compare_by, row["group"]),
                words.group((), ())
                if row["reference"] == "all"
                else words.value(question.compare_by, row["reference"]),
                words.group(others, row["within"]) if others else "",
                words.row(row, question),
                row["estimate"],
                row["standard_error"],
                row["ci_low"],
                row["ci_high"],
                row["p_value"],
                say("explorer.sheet.yes" if row["is_significant"] else "explorer.sheet.no"),
            ]
        )
    return headings, lines


def answer_xlsx(answer: Answer, words: Words, about: Sequence[tuple[str, str]], title: str) -> bytes:
    """Write an answer as an Excel workbook; the same answer gives the same bytes.

    Parameters
    ----------
    answer : Answer
        The answer.
    words : Words
        Language and names.
    about : Sequence of (str, str)
        What is known of its origin, as pairs of label and value.
    title : str
        What it is about.

    Returns
    -------
    bytes
        The workbook: estimates, comparisons where there are any, origin.
    """
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "constant_memory": False})
    book.set_properties({"title": title, "created": EPOCH.replace(tzinfo=None)})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    sheets = [(words.texts.say("explorer.sheet.estimates"), *estimate_table(answer, words))]
    if answer.comparisons:
        sheets.append((words.texts.say("explorer.sheet.comparisons"), *comparison_table(answer, words)))
    for name, headings, lines in sheets:
        sheet = book.add_worksheet(name)
        sheet.write_string(0, 0, title, book.add_format({"bold": True}))
        for column, heading in enumerate(headings):
            sheet.write_string(2, column, heading, bold)
        for place, line in enumerate(lines, start=3):
            for column, value in enumerate(line):
                if isinstance(value, str):
                    sheet.write_string(place, column, value)
                elif value is not None:
                    sheet.write_number(place, column, value)
        sheet.set_column(0, max(len(headings) - 8, 1), 26)
        sheet.freeze_panes(3, 0)
    sheet = book.add_worksheet(words.texts.say("explorer.sheet.about"))
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 90)
    for place, (label, value) in enumerate(about):
        sheet.write_string(place, 0, label, bold)
        sheet.write_string(place, 1, value)
    book.close()
    return target.getvalue()


def answer_csv(answer: Answer, words: Words, about: Sequence[tuple[str, str]]) -> bytes:
    """Write an answer as CSV in UTF-8, with a mark that Excel reads, decimal points and codes of hidden rows.

    Parameters
    ----------
    answer : Answer
        The answer.
    words : Words
        Language and names.
    about : Sequence of (str, str)
        What is known of its origin; stands below the numbers.

    Returns
    -------
    bytes
        The file. A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    headings, lines = estimate_table(answer, words)
    writer.writerow(map(_plain, headings))
    writer.writerows([_plain(value) for value in line] for line in lines)
    if answer.comparisons:
        writer.writerow([])
        headings, lines = comparison_table(answer, words)
        writer.writerow(map(_plain, headings))
        writer.writerows([_plain(value) for value in line] for line in lines)
    writer.writerow([])
    writer.writerows([_plain(label), _plain(value)] for label, value in about)
    return b"\xef\xbb\xbf" + target.getvalue().encode("utf-8")


def _plain(value: Any) -> str:
    """Write a value; numbers with all their digits."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    return repr(value)
