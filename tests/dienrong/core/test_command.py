"""The command ``dienrong`` in this process: its words, its refusals, its exit status."""

from __future__ import annotations

import pytest

from dienrong import __main__ as command
from dienrong import options


@pytest.mark.parametrize(
    ("form", "writer"),
    [
        ("text", options.plain_table),
        ("markdown", options.markdown_page),
        ("env", options.environment_example),
    ],
)
def test_options_are_listed(capsys, form: str, writer) -> None:
    assert command.main(["options", "--format", form]) == 0
    assert capsys.readouterr().out == writer()


def test_help_names_every_command(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    for word in (*command.COMMANDS, "options"):
        assert word in said


@pytest.mark.parametrize("arguments", [[], ["fly"], ["serve", "--fast"], ["options", "--format", "yaml"]])
def test_what_the_command_does_not_know_is_refused(capsys, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2
    assert "usage: dienrong" in capsys.readouterr().err


def test_wrong_options_are_refused_before_anything_starts(capsys, monkeypatch) -> None:
    monkeypatch.setenv("DIENRONG_PORT", "zero")
    monkeypatch.setenv("DIENRONG_WROKERS", "2")
    assert command.main(["serve"]) == 2
    said = capsys.readouterr().err
    assert "DIENRONG_WROKERS is not an option of Diện Rộng. Did you mean DIENRONG_WORKERS?" in said
    assert "DIENRONG_PORT must be a whole number from 1 to 65535. Got 'zero'." in said


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("::1", "http://[::1]:8000/"),
        ("dienrong.moet.gov.vn", "http://dienrong.moet.gov.vn:8000/"),
    ],
)
def test_the_printed_address_opens_in_a_browser_of_this_machine(host: str, address: str) -> None:
    assert command._address(host, 8000) == address


@pytest.mark.django_db
def test_the_system_checks_find_dangerous_pairs(monkeypatch) -> None:
    from dienrong.core.checks import check_options

    monkeypatch.setenv("DIENRONG_HOST", "0.0.0.0")
    monkeypatch.setenv("DIENRONG_DEBUG", "1")
    monkeypatch.setenv("DIENRONG_DEMO", "1")
    assert {finding.id for finding in check_options()} == {"dienrong.E002", "dienrong.W001"}
    monkeypatch.setenv("DIENRONG_HOST", "127.0.0.1")
    assert check_options() == []
    monkeypatch.setenv("DIENRONG_PORT", "x")
    assert [finding.id for finding in check_options()] == ["dienrong.E001"]
