"""The options table: read strictly, documented completely."""

from __future__ import annotations

from pathlib import Path

import pytest

from dienrong import options


def refusal_of(environment: dict[str, str]) -> str:
    with pytest.raises(options.OptionsError) as caught:
        options.load(environment)
    return str(caught.value)


def test_defaults_stand_where_nothing_is_set() -> None:
    read = options.load({"PATH": "/bin", "HOME": "/"})
    assert read.port == 8000
    assert read.language == "vi"
    assert read.time_zone == "Asia/Ho_Chi_Minh"
    assert read.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert read.store_path == Path("var/store")
    assert read.demo is False


def test_values_are_read_in_their_types() -> None:
    read = options.load(
        {
            "DIENRONG_PORT": "9001",
            "DIENRONG_DEMO": "Yes",
            "DIENRONG_ALLOWED_HOSTS": "a.vn, b.vn,",
            "DIENRONG_STORE": "/data/store",
            "DIENRONG_LANGUAGE": "EN",
            "DIENRONG_DATABASE_URL": "postgresql://u:p@h/n",
        }
    )
    assert (read.port, read.demo, read.allowed_hosts) == (9001, True, ("a.vn", "b.vn"))
    assert (read.store_path, read.language) == (Path("/data/store"), "en")
    assert read.database_url == "postgresql://u:p@h/n"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    sentence = refusal_of({"DIENRONG_PROT": "1"})
    assert "DIENRONG_PROT is not an option" in sentence
    assert "Did you mean DIENRONG_PORT?" in sentence


def test_an_unknown_name_like_no_other_is_refused_too() -> None:
    assert "DIENRONG_ZZZZZZ is not an option of Diện Rộng. Remove it." in refusal_of({"DIENRONG_ZZZZZZ": ""})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DIENRONG_PORT", "99999", "must be a whole number from 1 to 65535. Got '99999'"),
        ("DIENRONG_PORT", "http", "must be a whole number from 1 to 65535. Got 'http'"),
        ("DIENRONG_PORT", "", "must be a whole number from 1 to 65535. Got ''"),
        ("DIENRONG_DEMO", "maybe", "must be one of 1, 0, true, false"),
        ("DIENRONG_LANGUAGE", "fr", "must be one of vi, en. Got 'fr'"),
        ("DIENRONG_TIME_ZONE", "Hanoi", "must be a time zone of the IANA list"),
        ("DIENRONG_TIME_ZONE", "../../etc/passwd", "must be a time zone of the IANA list"),
        ("DIENRONG_DATABASE_URL", "mysql://root:hunter2@h/n", "must be sqlite:///"),
        ("DIENRONG_LOG_LEVEL", "loud", "must be one of debug, info, warning, error"),
    ],
)
def test_a_malformed_value_is_refused_by_name(name: str, value: str, expected: str) -> None:
    sentence = refusal_of({name: value})
    assert sentence.startswith(name)
    assert expected in sentence


def test_a_secret_value_is_never_repeated() -> None:
    assert "hunter2" not in refusal_of({"DIENRONG_DATABASE_URL": "mysql://root:hunter2@h/n"})


def test_all_faults_are_named_at_once() -> None:
    sentence = refusal_of({"DIENRONG_PORT": "x", "DIENRONG_DEMO": "x", "DIENRONG_NOPE": "x"})
    assert len(sentence.splitlines()) == 3


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("  s3cret\n", encoding="utf-8")
    assert options.load({"DIENRONG_SECRET_KEY_FILE": str(file)}).secret_key == "s3cret"


def test_only_secrets_come_from_files(tmp_path: Path) -> None:
    assert "DIENRONG_PORT_FILE is not an option" in refusal_of({"DIENRONG_PORT_FILE": str(tmp_path)})


def test_a_missing_secret_file_and_a_double_secret_are_refused(tmp_path: Path) -> None:
    missing = refusal_of({"DIENRONG_SECRET_KEY_FILE": str(tmp_path / "none")})
    assert "DIENRONG_SECRET_KEY_FILE names a file that cannot be read" in missing
    both = refusal_of({"DIENRONG_SECRET_KEY": "a", "DIENRONG_SECRET_KEY_FILE": str(tmp_path)})
    assert "are both set. Keep one of them." in both


def test_every_option_has_both_languages_and_its_release() -> None:
    for field in options.fields():
        assert field.metadata["en"].endswith("."), field.name
        assert field.metadata["vi"].endswith("."), field.name
        assert field.metadata["since"], field.name


def test_defaults_survive_their_own_reading() -> None:
    for field in options.fields():
        text = options.default_text(field)
        if text:
            read = options.load({options.environment_name(field): text})
            assert getattr(read, field.name) == field.default, field.name


def test_the_documentation_page_is_the_table(repository: Path) -> None:
    page = (repository / "docs" / "options.md").read_text(encoding="utf-8")
    assert page == options.markdown_page(), "run: dienrong options --format markdown > docs/options.md"


def test_the_example_file_is_the_table(repository: Path) -> None:
    example = (repository / ".env.example").read_text(encoding="utf-8")
    assert example == options.environment_example(), "run: dienrong options --format env > .env.example"


def test_the_terminal_table_names_every_option() -> None:
    table = options.plain_table()
    assert all(options.environment_name(field) in table for field in options.fields())
