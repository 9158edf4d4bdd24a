"""Every setting of the institution in one table: name, type, default, meaning, since when, secret or not.

The table feeds the reading of the environment, ``dienrong options``, the page ``docs/options.md``, the file
``.env.example`` and Django's system checks. A name or a value that the table does not know is refused before
anything starts, with the way out. Policies of an assessment are data of the cycle, never settings.
"""

# ruff: noqa: RUF009 - option() makes a dataclass field, as dataclasses.field() does

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dienrong.option_values import (
    LANGUAGES,
    LOG_LEVELS,
    one_of,
    parse_database_url,
    parse_flag,
    parse_issuer,
    parse_list,
    parse_mail_url,
    parse_path,
    parse_site_url,
    parse_text,
    parse_time_zone,
    parse_vault_key,
    whole_number,
)

PREFIX = "DIENRONG_"


class OptionsError(ValueError):
    """One or more options are unknown or malformed; each sentence names the option and the way out."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        self.sentences = sentences
        super().__init__("\n".join(sentences))


def option(
    default: Any,
    parse: Callable[[str], Any],
    kind: str,
    *,
    en: str,
    vi: str,
    secret: bool = False,
    since: str = "0.1",
) -> Any:
    """Describe one option as a field of the table."""
    meta = {"parse": parse, "kind": kind, "en": en, "vi": vi, "secret": secret, "since": since}
    return dataclasses.field(default=default, metadata=meta)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of one installation, read once when it starts."""

    data_dir: Path = option(
        Path("var"),
        parse_path,
        "folder",
        en="Folder that holds everything this installation writes.",
        vi="Thư mục chứa mọi thứ mà hệ thống ghi ra.",
    )
    database_url: str = option(
        "",
        parse_database_url,
        "address",
        en="Database. Empty: the SQLite file dienrong.sqlite3 in the data folder. "
        "PostgreSQL: postgresql://user:password@host:5432/name.",
        vi="Cơ sở dữ liệu. Để trống: tệp SQLite dienrong.sqlite3 trong thư mục dữ liệu. "
        "PostgreSQL: postgresql://user:password@host:5432/name.",
        secret=True,
    )
    database_pool: int = option(
        0,
        whole_number(0, 100),
        "whole number",
        en="PostgreSQL connections kept open per process; 0 opens one per request thread.",
        vi="Số kết nối PostgreSQL giữ sẵn cho mỗi tiến trình; 0 là mỗi luồng tự mở.",
    )
    store: Path | None = option(
        None,
        parse_path,
        "folder",
        en="Folder of the artefact store. Empty: the folder store in the data folder.",
        vi="Thư mục kho kết quả. Để trống: thư mục store trong thư mục dữ liệu.",
    )
    secret_key: str = option(
        "",
        parse_text,
        "text",
        en="Key that signs sessions. Empty: made once and kept in the data folder, readable by its owner alone.",
        vi="Khóa ký phiên làm việc. Để trống: tạo một lần và giữ trong thư mục dữ liệu, chỉ chủ đọc được.",
        secret=True,
    )
    vault_key: str = option(
        "",
        parse_vault_key,
        "64 hexadecimal digits",
        en="Key that seals personal identifiers and second factors. Empty: made once and kept in the data folder "
        "as vault_key. Keep a copy apart from the database: without it nothing sealed can be opened.",
        vi="Khóa niêm phong định danh cá nhân và mã xác thực. Để trống: tạo một lần, giữ trong thư mục dữ liệu "
        "(tệp vault_key). Cần lưu một bản riêng, tách khỏi cơ sở dữ liệu: mất khóa là không mở lại được.",
        secret=True,
    )
    allowed_hosts: tuple[str, ...] = option(
        ("localhost", "127.0.0.1", "[::1]"),
        parse_list,
        "list",
        en="Names under which browsers may ask for this site, separated by commas.",
        vi="Các tên miền được phép truy cập, cách nhau bằng dấu phẩy.",
    )
    host: str = option(
        "127.0.0.1",
        parse_text,
        "text",
        en="Address the server listens on; 0.0.0.0 listens to the whole network.",
        vi="Địa chỉ máy chủ lắng nghe; 0.0.0.0 là toàn mạng.",
    )
    port: int = option(
        8000,
        whole_number(1, 65535),
        "whole number",
        en="Port the server listens on.",
        vi="Cổng máy chủ lắng nghe.",
    )
    https: bool = option(
        False,
        parse_flag,
        "yes or no",
        en="The site is reached over HTTPS through a proxy that sets X-Forwarded-Proto: "
        "cookies are sent over HTTPS alone.",
        vi="Trang được truy cập qua HTTPS sau máy chủ trung gian có đặt X-Forwarded-Proto: "
        "cookie chỉ gửi qua HTTPS.",
    )
    proxies: int = option(
        0,
        whole_number(0, 5),
        "whole number",
        en="Proxies of ours in front of the site; so many addresses at the end of X-Forwarded-For are believed.",
        vi="Số máy chủ trung gian của đơn vị đứng trước trang; "
        "chỉ tin bấy nhiêu địa chỉ cuối của X-Forwarded-For.",
    )
    language: str = option(
        "vi",
        one_of(*LANGUAGES),
        "vi or en",
        en="Language of pages until a person chooses another.",
        vi="Ngôn ngữ của trang khi người dùng chưa chọn.",
    )
    time_zone: str = option(
        "Asia/Ho_Chi_Minh",
        parse_time_zone,
        "time zone",
        en="Time zone of dates and times on pages.",
        vi="Múi giờ hiển thị trên trang.",
    )
    demo: bool = option(
        False,
        parse_flag,
        "yes or no",
        en="Demonstration: synthetic nation, demo accounts shown on the login page. Never with real data.",
        vi="Chế độ trình diễn: dữ liệu giả lập, tài khoản mẫu hiện ở trang đăng nhập. "
        "Không dùng với dữ liệu thật.",
    )
    debug: bool = option(
        False,
        parse_flag,
        "yes or no",
        en="Show details of failures in the browser. For developers alone.",
        vi="Hiện chi tiết lỗi trên trình duyệt. Chỉ dành cho người phát triển.",
    )
    workers: int = option(
        1,
        whole_number(0, 32),
        "whole number",
        en="Background workers that serve starts and watches over; 0 leaves them to another machine.",
        vi="Số tiến trình nền do lệnh serve khởi động và trông coi; 0 là để máy khác chạy.",
    )
    web_processes: int = option(
        1,
        whole_number(1, 32),
        "whole number",
        en="Web server processes.",
        vi="Số tiến trình phục vụ trang.",
    )
    job_heartbeat_seconds: int = option(
        60,
        whole_number(2, 3600),
        "whole number",
        en="A running job that gave no sign of life for so many seconds is taken for dead and run again.",
        vi="Công việc nền im lặng quá số giây này được coi là đã chết và được chạy lại.",
    )
    nightly_hour: int = option(
        2,
        whole_number(0, 23),
        "whole number",
        en="Hour of the day, in the time zone of the installation, from which the work of the night is done: "
        "the data check of the whole country, and deleting what is past its time.",
        vi="Giờ trong ngày, theo múi giờ của hệ thống, bắt đầu công việc ban đêm: "
        "kiểm tra dữ liệu toàn quốc và xóa những gì đã hết thời hạn lưu giữ.",
    )
    job_attempts: int = option(
        3,
        whole_number(1, 20),
        "whole number",
        en="Times a job is started in all, when its worker died, before it is given up.",
        vi="Tổng số lần chạy một công việc khi tiến trình bị chết, trước khi bỏ cuộc.",
    )
    upload_megabytes: int = option(
        50,
        whole_number(1, 500),
        "whole number",
        en="Largest file of data that may be sent in, in megabytes.",
        vi="Dung lượng lớn nhất của một tệp dữ liệu tải lên, tính bằng megabyte.",
    )
    upload_days: int = option(
        30,
        whole_number(1, 3650),
        "whole number",
        en="Days after which a file of data, its preview and its undoing are deleted.",
        vi="Số ngày giữ tệp dữ liệu, bản xem trước và khả năng hoàn tác; sau đó bị xóa.",
    )
    session_hours: int = option(
        10,
        whole_number(1, 336),
        "whole number",
        en="Hours after which a person signs in anew.",
        vi="Số giờ sau đó phải đăng nhập lại.",
    )
    lockout_failures: int = option(
        5,
        whole_number(1, 100),
        "whole number",
        en="Wrong passwords for one account that lock it for a while.",
        vi="Số lần sai mật khẩu khiến một tài khoản bị tạm khóa.",
    )
    lockout_address_failures: int = option(
        20,
        whole_number(1, 10000),
        "whole number",
        en="Wrong passwords from one network address that lock it for a while; an office shares one address.",
        vi="Số lần sai mật khẩu từ một địa chỉ mạng khiến địa chỉ đó bị tạm khóa; "
        "cả cơ quan thường chung một địa chỉ.",
    )
    lockout_minutes: int = option(
        15,
        whole_number(1, 1440),
        "whole number",
        en="Minutes that such a lock lasts.",
        vi="Số phút của một lần tạm khóa.",
    )
    api_rate: int = option(
        120,
        whole_number(1, 100_000),
        "whole number",
        en="Requests per minute that one API token may make.",
        vi="Số yêu cầu mỗi phút mà một khóa API được gửi.",
    )
    invitation_days: int = option(
        7,
        whole_number(1, 60),
        "whole number",
        en="Days that a one-time link of an invitation or of a new password is valid.",
        vi="Số ngày hiệu lực của đường dẫn dùng một lần (mời vào hệ thống, đặt lại mật khẩu).",
    )
    require_totp: bool = option(
        True,
        parse_flag,
        "yes or no",
        en="Officers of the ministry and of provinces sign in with a code from their phone (TOTP) as well; "
        "demonstration accounts are exempt.",
        vi="Chuyên gia của Bộ và chuyên viên Sở phải nhập thêm mã xác thực trên điện thoại (TOTP); "
        "tài khoản trình diễn được miễn.",
    )
    oidc_issuer: str = option(
        "",
        parse_issuer,
        "address",
        en="Provider of OpenID Connect, such as VNeID. Empty: local accounts alone.",
        vi="Địa chỉ nhà cung cấp OpenID Connect, ví dụ VNeID. Để trống: chỉ dùng tài khoản của hệ thống.",
    )
    oidc_client_id: str = option(
        "",
        parse_text,
        "text",
        en="Name under which that provider knows this site.",
        vi="Mã của hệ thống này tại nhà cung cấp đó.",
    )
    oidc_client_secret: str = option(
        "",
        parse_text,
        "text",
        en="Secret that this site shows to that provider.",
        vi="Khóa bí mật của hệ thống này tại nhà cung cấp đó.",
        secret=True,
    )
    oidc_name: str = option(
        "VNeID",
        parse_text,
        "text",
        en="Name of that provider on the sign-in button.",
        vi="Tên nhà cung cấp trên nút đăng nhập.",
    )
    oidc_subject_claim: str = option(
        "sub",
        parse_text,
        "text",
        en="Claim of the provider's answer that names the person for ever.",
        vi="Trường trong câu trả lời của nhà cung cấp dùng làm định danh lâu dài của người dùng.",
    )
    site_url: str = option(
        "",
        parse_site_url,
        "address",
        en="Address under which people open this installation, for links in mails; empty leaves the links out.",
        vi="Địa chỉ mà mọi người dùng để mở hệ thống, để ghi vào thư nhắc; để trống thì thư không có liên kết.",
    )
    mail_url: str = option(
        "",
        parse_mail_url,
        "address",
        en="Mail server for reminders, such as smtp+starttls://user:password@host:587; empty sends nothing.",
        vi="Máy chủ thư để gửi thư nhắc, ví dụ smtp+starttls://user:password@host:587; để trống thì không gửi.",
        secret=True,
    )
    mail_from: str = option(
        "",
        parse_text,
        "text",
        en="Address that stands as the sender of reminders; empty means the user of the mail server.",
        vi="Địa chỉ người gửi của thư nhắc; để trống thì lấy tên người dùng của máy chủ thư.",
    )
    log_level: str = option(
        "info",
        one_of(*LOG_LEVELS),
        "word",
        en="Least level of log lines: debug, info, warning or error.",
        vi="Mức nhật ký kỹ thuật nhỏ nhất: debug, info, warning hoặc error.",
    )
    log_format: str = option(
        "console",
        one_of("console", "json"),
        "word",
        en="Form of log lines: console for people, json for machines.",
        vi="Dạng nhật ký kỹ thuật: console cho người, json cho máy.",
    )
    rules_dir: Path | None = option(
        None,
        parse_path,
        "folder",
        en="Folder of this installation's own rules of data quality (*.toml). Empty: the folder rules in the data "
        "folder.",
        vi="Thư mục quy tắc chất lượng dữ liệu riêng của đơn vị (*.toml). Để trống: thư mục rules trong thư mục "
        "dữ liệu.",
        since="0.2",
    )
    shared: Path | None = option(
        None,
        parse_path,
        "folder",
        en="Tests alone: folder of reference data. Empty: shared beside the checkout.",
        vi="Chỉ cho kiểm thử: thư mục dữ liệu tham chiếu. Để trống: shared cạnh mã nguồn.",
    )
    test_postgres_url: str = option(
        "",
        parse_database_url,
        "address",
        en="Tests alone: a PostgreSQL server whose user may create databases.",
        vi="Chỉ cho kiểm thử: máy chủ PostgreSQL mà người dùng được tạo cơ sở dữ liệu.",
        secret=True,
    )

    @property
    def has_oidc(self) -> bool:
        """Whether people may sign in through a provider of OpenID Connect."""
        return bool(self.oidc_issuer and self.oidc_client_id)

    @property
    def oidc_origin(self) -> str:
        """Scheme, host and port of that provider, as a content policy names them; empty where there is none."""
        parts = urlsplit(self.oidc_issuer)
        return f"{parts.scheme}://{parts.netloc}" if self.has_oidc else ""

    @property
    def store_path(self) -> Path:
        """Folder of the artefact store."""
        return self.store if self.store is not None else self.data_dir / "store"

    @property
    def rules_path(self) -> Path:
        """Folder of the installation's own rules of data quality."""
        return self.rules_dir if self.rules_dir is not None else self.data_dir / "rules"


def fields() -> tuple[dataclasses.Field[Any], ...]:
    """Give the rows of the table in their order."""
    return dataclasses.fields(Options)


def environment_name(field: dataclasses.Field[Any]) -> str:
    """Give the name of an option in the environment."""
    return PREFIX + field.name.upper()


def known_names() -> dict[str, str]:
    """Map each accepted name of the environment to its field; secrets also come from a file."""
    names: dict[str, str] = {}
    for field in fields():
        names[environment_name(field)] = field.name
        if field.metadata["secret"]:
            names[environment_name(field) + "_FILE"] = field.name
    return names


def load(environment: Mapping[str, str]) -> Options:
    """Read the options from an environment.

    Parameters
    ----------
    environment : mapping of str to str
        All variables of the process; names without the prefix ``DIENRONG_`` are none of our business.

    Returns
    -------
    Options
        The options, defaults where a variable is absent.

    Raises
    ------
    OptionsError
        If a name with the prefix is unknown, a value is malformed, an option stands both plain and as a file,
        or its file cannot be read. All such faults are named at once.
    """
    names = known_names()
    ours = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    faults = [_unknown(name, names) for name in sorted(ours) if name not in names]
    values: dict[str, Any] = {}
    for field in fields():
        try:
            text = _text_of(environment_name(field), ours)
        except ValueError as fault:
            faults.append(str(fault))
            continue
        if text is None or (not text.strip() and field.default in (None, "")):
            continue
        try:
            values[field.name] = field.metadata["parse"](text)
        except ValueError as expected:
            got = "a secret value" if field.metadata["secret"] else repr(text)
            name = environment_name(field)
            faults.append(f"{name} must be {expected}. Got {got}. Correct it or leave {name} out.")
    if faults:
        raise OptionsError(tuple(faults))
    return Options(**values)


def _unknown(name: str, names: Mapping[str, str]) -> str:
    """Say that a name is unknown, with the nearest that is known."""
    tails = [known.removeprefix(PREFIX) for known in names]
    near = difflib.get_close_matches(name.removeprefix(PREFIX).upper(), tails, n=1, cutoff=0.6)
    hint = f"Did you mean {PREFIX}{near[0]}?" if near else "Remove it."
    return f"{name} is not an option of Diện Rộng. {hint} `dienrong options` lists all of them."


def _text_of(name: str, ours: Mapping[str, str]) -> str | None:
    """Give the text of one option from the environment or from the file that it names."""
    file_name = ours.get(name + "_FILE")
    if file_name is None:
        return ours.get(name)
    if name in ours:
        raise ValueError(f"{name} and {name}_FILE are both set. Keep one of them.")
    try:
        return Path(file_name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{name}_FILE names a file that cannot be read ({error}). Correct the name."
        ) from error


def default_text(field: dataclasses.Field[Any]) -> str:
    """Give the default of an option as a person would write it in the environment."""
    value = field.default
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def markdown_page() -> str:
    """Write the documentation page of the table."""
    lines = [
        "# Options",
        "",
        "Generated by `dienrong options --format markdown` from `src/dienrong/options.py`; a test keeps both "
        "equal. Options are environment variables. A secret may also come from a file: add `_FILE` to its name "
        "and give the file's name as the value. An unknown name or a malformed value stops the start.",
        "",
        "| name | type | default | meaning | ý nghĩa | since |",
        "|---|---|---|---|---|---|",
    ]
    for field in fields():
        meta = field.metadata
        kind = meta["kind"] + (" (secret)" if meta["secret"] else "")
        default = f"`{default_text(field)}`" if default_text(field) else "(empty)"
        lines.append(
            f"| `{environment_name(field)}` | {kind} | {default} | {meta['en']} | {meta['vi']} | {meta['since']} |"
        )
    return "\n".join(lines) + "\n"


def environment_example() -> str:
    """Write the example of an environment file: every option, commented out, with its default."""
    lines = [
        "# Options of Diện Rộng; generated by `dienrong options --format env`.",
        "# Remove the # before a name to set it.",
    ]
    for field in fields():
        lines += ["", f"# {field.metadata['vi']}", f"# {field.metadata['en']}"]
        lines.append(f"#{environment_name(field)}={default_text(field)}")
    return "\n".join(lines) + "\n"


def plain_table() -> str:
    """Write the table for a terminal."""
    parts = []
    for field in fields():
        default = default_text(field) or "(empty)"
        parts.append(
            f"{environment_name(field)}  [{field.metadata['kind']}; default {default}]\n"
            f"    {field.metadata['vi']}\n    {field.metadata['en']}"
        )
    return "\n".join(parts) + "\n"
