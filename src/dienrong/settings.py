"""Django's settings, derived from the options table; nothing here reads the environment by itself."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from django.core.exceptions import ImproperlyConfigured

from dienrong import options

try:
    OPTIONS = options.load(os.environ)
except options.OptionsError as refusal:
    raise ImproperlyConfigured(str(refusal)) from refusal

SOURCE = Path(__file__).resolve().parent
DATA_DIR = OPTIONS.data_dir.resolve()
STORE = OPTIONS.store_path.resolve()
STATIC_ROOT = DATA_DIR / "static"


def _prepare_folders() -> None:
    """Make the folders of the installation, or refuse where the place cannot be written."""
    try:
        STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {DATA_DIR} cannot be written ({error.strerror}). "
            "Set DIENRONG_DATA_DIR to a folder of yours."
        ) from error


def _secret_key() -> str:
    """Give the configured key, or the one kept in the data folder; it is made at the first start."""
    if OPTIONS.secret_key:
        return OPTIONS.secret_key
    kept = DATA_DIR / "secret_key"
    if not kept.exists():
        _keep_new_key(kept)
    key = kept.read_text(encoding="ascii").strip()
    if len(key) < 50:
        raise ImproperlyConfigured(f"{kept} holds no usable key. Delete it; a new one is made.")
    return key


def _keep_new_key(kept: Path) -> None:
    """Put a new key in its place, whole at once: of several processes that start together one wins."""
    descriptor, draft = tempfile.mkstemp(
        dir=kept.parent, prefix=".secret_key."
    )  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, kept)
    finally:
        os.unlink(draft)


def _database() -> dict[str, object]:
    """Translate the address of the database into Django's form."""
    parts = urlsplit(OPTIONS.database_url or "sqlite:///")
    if parts.scheme == "sqlite":
        name = unquote(parts.path[1:]) or str(DATA_DIR / "dienrong.sqlite3")
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": name,
            "OPTIONS": {
                # One writer at a time: whoever saves while a large list is accepted waits for its end.
                "timeout": 90,
                "transaction_mode": "IMMEDIATE",
                # 64 MiB of pages at most: large imports would write each page of an index many times over.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
                "PRAGMA cache_size=-65536;",
            },
        }
    details: dict[str, object] = {}
    if OPTIONS.database_pool:
        details["pool"] = {"min_size": 1, "max_size": OPTIONS.database_pool, "timeout": 20}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]) or "dienrong",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0 if OPTIONS.database_pool else 60,
        "CONN_HEALTH_CHECKS": not OPTIONS.database_pool,
        "OPTIONS": details,
    }


_prepare_folders()
SECRET_KEY = _secret_key()
DEBUG = OPTIONS.debug
ALLOWED_HOSTS = list(OPTIONS.allowed_hosts)
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "whitenoise.runserver_nostatic",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "dienrong.core",
    "dienrong.accounts",
    "dienrong.audit",
    "dienrong.jobs",
    "dienrong.registry",
    "dienrong.rosters",
    "dienrong.imports",
    "dienrong.scorecard",
    "dienrong.cycles",
    "dienrong.followup",
    "dienrong.support",
    "dienrong.capacity",
    "dienrong.readiness",
    "dienrong.sampling",
    "dienrong.fieldwork",
    "dienrong.analysis",
    "dienrong.scaling",
    "dienrong.standards",
    "dienrong.reporting",
    "dienrong.explorer",
    "dienrong.datasets",
    "dienrong.plans",
    "dienrong.api",
]

MIDDLEWARE = [
    "dienrong.core.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dienrong.core.middleware.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "dienrong.core.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dienrong.accounts.middleware.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dienrong.core.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "dienrong.urls"
WSGI_APPLICATION = "dienrong.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dienrong.core.shell.shell",
            ],
            "builtins": ["dienrong.core.templatetags.core_format"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["dienrong.accounts.backends.LockingBackend"]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "full_name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

SESSION_COOKIE_NAME = "dienrong_session"
SESSION_COOKIE_AGE = OPTIONS.session_hours * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = OPTIONS.https
CSRF_COOKIE_NAME = "dienrong_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = OPTIONS.https
CSRF_FAILURE_VIEW = "dienrong.core.views.form_expired"
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if host != "*"] if OPTIONS.https else []
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if OPTIONS.https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if OPTIONS.https else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

_MAIL = urlsplit(OPTIONS.mail_url)
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if OPTIONS.mail_url
    else "django.core.mail.backends.dummy.EmailBackend"
)
EMAIL_HOST, EMAIL_PORT = _MAIL.hostname or "", _MAIL.port or (465 if _MAIL.scheme == "smtps" else 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_MAIL.username or ""), unquote(_MAIL.password or "")
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.scheme == "smtp+starttls", _MAIL.scheme == "smtps"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = OPTIONS.mail_from or EMAIL_HOST_USER or "dienrong@localhost"

LANGUAGE_CODE = OPTIONS.language
LANGUAGES = [("vi", "Tiếng Việt"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "dienrong_language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = OPTIONS.https
USE_I18N = True
USE_TZ = True
TIME_ZONE = OPTIONS.time_zone

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "dienrong.core.static_files.HashedWhenCollected"},
}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}
JOB_HEARTBEAT_SECONDS = OPTIONS.job_heartbeat_seconds
JOB_ATTEMPTS = OPTIONS.job_attempts

_RENDERER: structlog.typing.Processor = (
    structlog.processors.JSONRenderer(ensure_ascii=False)
    if OPTIONS.log_format == "json"
    else structlog.dev.ConsoleRenderer(colors=False)
)
_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
structlog.configure(
    processors=[*_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _RENDERER,
            ],
            "foreign_pre_chain": _PROCESSORS,
        }
    },
    "handlers": {"terminal": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["terminal"], "level": OPTIONS.log_level.upper()},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "django_tasks": {"handlers": [], "level": "WARNING", "propagate": True},
        "django_tasks_db": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
