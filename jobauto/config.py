"""Configuration: defaults, and the environment with the prefix ``JOBAUTO_``, read strictly."""

import json
import os
import re
import secrets
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from flask import Flask
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "JOBAUTO_"
HOST = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?")
PUBLIC_URL = re.compile(r"https?://[^\s?#@/]+(/[^\s?#]*)?")
ISSUER = re.compile(r"https://[^\s?#@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^\s?#]*)?")
"""Only this machine may be asked without TLS."""
MAIL_ADDRESS = re.compile(
    r"(?=[^@]{1,64}@)(?=.{3,254}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
"""One plain address: no name beside it, no comma, no space, and so nothing that a mail's head could obey."""
MAIL_PORTS = {"tls": 465, "starttls": 587, "none": 25}
LONGEST_TICK = 30
"""Seconds within which every process sees a changed schedule."""
LEAST_MONTHS = 2
SHORTEST_KEY = 32
"""Characters that no secret key should have fewer than: who has seen a cookie can try short ones at home."""
ENGINE_OPTIONS = {
    "pool_pre_ping": True,
    # What was bound to a statement may be the hash of a password: no error that is logged tells it.
    "hide_parameters": True,
    # An import needs several connections. Were they limited, some would wait for each other's, and pages for
    # them all. It is the threads that are limited.
    "max_overflow": -1,
}
DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg")


class ConfigError(Exception):
    """A configured value cannot be meant. Names the variable."""


@dataclass(frozen=True)
class Variable:
    """A configuration value of ours: its default, whose type is the only one accepted, and its meaning."""

    name: str
    default: Any
    meaning: str


@dataclass(frozen=True)
class MailServer:
    """The server that mail is left to; ``security``: ``tls`` from the beginning, ``starttls`` or ``none``."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    sender: str


VARIABLES = (
    Variable(
        "SECRET_KEY", "", "Signs sessions. Empty: a random one, kept in the instance folder (mode 0600)."
    ),
    Variable(
        "SECRET_KEY_FALLBACKS",
        "",
        "Former secret keys, with commas or as a JSON list: what they signed or encrypted stays readable.",
    ),
    Variable("SQLALCHEMY_DATABASE_URI", "", "The database. Empty: SQLite in the instance folder."),
    Variable("INSTANCE_PATH", "", "The folder for the SQLite file and the secret key."),
    Variable("SCHEDULER_ENABLED", True, "Whether web processes look for due slots of the schedule."),
    Variable("CELERY_BROKER_URL", "", "Where work is queued for Celery workers. Empty: there are none."),
    Variable("TICK_SECONDS", 20, "How often, in seconds, each process looks for due work: 1 to 30."),
    Variable("SESSION_COOKIE_SECURE", False, "Send the session cookie over HTTPS only."),
    Variable(
        "SESSION_COOKIE_PATH",
        "",
        "The path that the session cookie is for, such as /jobauto. Empty: all.",
    ),
    Variable(
        "HSTS_INCLUDE_SUBDOMAINS",
        False,
        "Have browsers use HTTPS only for all hosts below this one, too.",
    ),
    Variable("LOG_FORMAT", "text", "How log lines are written: text (key=value pairs) or json."),
    Variable(
        "PUBLIC_URL",
        "",
        "Where people reach the program, such as https://jobs.example; for links in messages.",
    ),
    Variable("SESSION_IDLE_MINUTES", 120, "How long a session lasts that is not used."),
    Variable("SESSION_MINUTES", 720, "How long a session lasts at all."),
    Variable("API_REQUESTS_PER_MINUTE", 6000, "How often one token may ask the API, in each web process."),
    Variable("TRUSTED_HOSTS", "", "Host names, with commas, that requests may name. Empty: any."),
    Variable(
        "KEEP_READINGS_MONTHS",
        0,
        "So many months of readings before this one are kept where they are in partitions. 0: all, for ever.",
    ),
    Variable(
        "INBOX_PATH",
        "",
        "The watched folder: files in the folder of a profile are imported by themselves. Empty: none.",
    ),
    Variable(
        "SEND_TO",
        "",
        "Hosts and networks in private ranges, with commas, that messages may go to. Empty: none.",
    ),
    Variable(
        "MAIL_URL",
        "",
        "The mail server: smtps://user:password@host/?from=jobauto@example.org. Empty: there is none.",
    ),
    Variable(
        "OIDC_ISSUER", "", "Single sign-on: the address of the OpenID Connect issuer. Empty: there is none."
    ),
    Variable("OIDC_CLIENT_ID", "", "The name by which the issuer knows this program."),
    Variable("OIDC_CLIENT_SECRET", "", "The secret that the issuer gave for it."),
    Variable("OIDC_CLIENT_SECRET_FILE", "", "A file that holds that secret, instead of the secret itself."),
    Variable("OIDC_SCOPES", "openid profile email", "What the issuer is asked for, with spaces."),
    Variable("OIDC_USERNAME_CLAIM", "preferred_username", "The claim that names a new user, such as email."),
    Variable(
        "OIDC_ROLE_CLAIM", "roles", "The claim that a role follows from; with dots, one within another."
    ),
    Variable(
        "OIDC_ROLES",
        "",
        "Which value of that claim gives which role, with commas or as a JSON object; * is anybody.",
    ),
    Variable(
        "SECOND_FACTOR_ROLES", "", "Roles, with commas, whose logins need a second factor. Empty: none."
    ),
    Variable(
        "BREAK_GLASS_ADMIN",
        "",
        "With single sign-on: the only user who may log in with a password. Empty: everybody may.",
    ),
    Variable("PROXY_HOPS", 0, "How many proxies in front of the program set the X-Forwarded headers."),
)

ROLES = ("viewer", "operator", "admin")
"""As :mod:`jobauto.models.user` has them; nothing of ours is imported here."""

SESSION_COOKIE = "jobauto_session"
DEVICE_COOKIE = "jobauto_device"
RANGES = {
    "SESSION_IDLE_MINUTES": (1, 10_000_000),
    "SESSION_MINUTES": (1, 10_000_000),
    "API_REQUESTS_PER_MINUTE": (1, 10_000_000),
    "MAX_CONTENT_LENGTH": (1, 10_000_000_000),
    "KEEP_READINGS_MONTHS": (0, 1_200),
    "PROXY_HOPS": (0, 100),
    "TICK_SECONDS": (1, LONGEST_TICK),
}
"""The numbers that can be meant: time cannot be reckoned with any."""
FIXED = {
    "BOOTSTRAP_SERVE_LOCAL": True,
    "MAX_CONTENT_LENGTH": 256_000,  # of a page; jobauto.web.body_limits has what is more
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SESSION_COOKIE_NAME": SESSION_COOKIE,
    "DEVICE_COOKIE_NAME": DEVICE_COOKIE,
    "WTF_CSRF_CHECK_DEFAULT": False,  # jobauto.web.access checks, except where a token proves the caller
    "WTF_CSRF_TIME_LIMIT": None,  # valid as long as its session
}


def instance_path() -> str | None:
    """The instance folder from the environment, which Flask wants to know before anything else."""
    given = os.environ.get(f"{PREFIX}INSTANCE_PATH")
    return str(Path(given).resolve()) if given else None


def load(app: Flask, overrides: dict[str, Any] | None) -> None:
    """Fill ``app.config`` from defaults, environment and overrides. Raises ConfigError."""
    app.config.from_mapping({variable.name: variable.default for variable in VARIABLES} | FIXED)
    types = {name: type(value) for name, value in app.config.items() if value is not None}
    app.config.from_prefixed_env(PREFIX.rstrip("_"))
    _check_environment(app, types)
    app.config.update(overrides or {})
    _check_numbers(app)
    app.config["TRUSTED_HOSTS"] = _names((app.config["TRUSTED_HOSTS"] or "").lower())
    app.config["SECRET_KEY_FALLBACKS"] = _former_keys(app.config["SECRET_KEY_FALLBACKS"])
    app.config["SEND_TO"] = _send_to(app.config["SEND_TO"])
    for cookie in ("SESSION_COOKIE_NAME", "DEVICE_COOKIE_NAME"):
        app.config[cookie] = _cookie_name(app, app.config[cookie])
    _check_months(app.config["KEEP_READINGS_MONTHS"])
    _make_folder(Path(app.instance_path), ours=instance_path() is None)
    _check_public_url(app.config["PUBLIC_URL"])
    _check_mail(app)
    app.config["SECOND_FACTOR_ROLES"] = _roles(app.config["SECOND_FACTOR_ROLES"])
    _check_single_sign_on(app)
    app.config["SQLALCHEMY_DATABASE_URI"] = _database_uri(app)
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", {})
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = ENGINE_OPTIONS | app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or _kept_secret(
        Path(app.instance_path) / "secret-key"
    )


def is_key_short(app: Flask) -> bool:
    """Whether the secret key has too few characters to be trusted."""
    return len(app.config["SECRET_KEY"]) < SHORTEST_KEY


def mail_server(url: str) -> MailServer:
    """What JOBAUTO_MAIL_URL says. Raises ConfigError, which repeats nothing of it: it holds a password."""
    if not url.isprintable() or " " in url:
        raise _wrong_mail("is not one line without spaces")
    try:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        host, port = parts.hostname or "", parts.port
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        security = {"smtps": "tls", "smtp": "starttls"}[parts.scheme]
    except (ValueError, KeyError):
        raise _wrong_mail(
            "is not an address such as smtps://user:password@host/?from=jobauto@example.org"
        ) from None
    sender = given.pop("from", "")
    if security == "starttls" and given.get("tls") == "none":
        security = given.pop("tls")
    if given or parts.path not in ("", "/") or parts.fragment:
        raise _wrong_mail(
            "has more in it than user, password, host, port, from and tls (write / ? # @ as %2F %3F %23 %40)"
        )
    if not _is_host(host) or port == 0:
        raise _wrong_mail("names no host")
    if not MAIL_ADDRESS.fullmatch(sender):
        raise _wrong_mail("names no sender: end it with ?from= and the address that mails come from")
    if bool(user) != bool(password):
        raise _wrong_mail("has a user without a password, or a password without a user")
    if password and security == "none":
        raise _wrong_mail("has tls=none and a password, which would travel in the open")
    return MailServer(host, port or MAIL_PORTS[security], security, user, password, sender)


def _wrong_mail(why: str) -> ConfigError:
    return ConfigError(f"{PREFIX}MAIL_URL {why}")


def _is_host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return HOST.fullmatch(host) is not None
    return True


def _check_mail(app: Flask) -> None:
    if not app.config["MAIL_URL"]:
        return
    mail_server(app.config["MAIL_URL"])
    if not app.config["PUBLIC_URL"]:
        raise ConfigError(f"{PREFIX}MAIL_URL is set, and needs {PREFIX}PUBLIC_URL for the links in mails")


def _check_environment(app: Flask, types: dict[str, type]) -> None:
    for variable, raw in os.environ.items():
        name = variable.removeprefix(PREFIX)
        if not variable.startswith(PREFIX) or name not in types:
            continue
        expected = types[name]
        if expected is str:
            app.config[name] = raw  # from_prefixed_env reads JSON: a secret of digits would be a number
        elif type(app.config[name]) is not expected:
            raise ConfigError(f"{variable}={raw!r} is not {_describe_type(expected)}")


def _check_numbers(app: Flask) -> None:
    for name, (least, most) in RANGES.items():
        if not least <= app.config[name] <= most:
            raise ConfigError(f"{PREFIX}{name}={app.config[name]} is not a number from {least:,} to {most:,}")


def _make_folder(path: Path, *, ours: bool) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if ours and path.stat().st_uid == os.geteuid():
            path.chmod(
                0o700
            )  # as a checkout or an older version left it; a folder that was named is not ours
    except OSError as error:
        raise ConfigError(
            f"{PREFIX}INSTANCE_PATH={path}: the folder cannot be made ({error.strerror})"
        ) from error


def _names(given: str | None) -> list[str] | None:
    return [name.strip() for name in (given or "").split(",") if name.strip()] or None


def _former_keys(given: str) -> list[str]:
    if not given.lstrip().startswith("["):
        return _names(given) or []
    try:
        keys = json.loads(given)
    except ValueError:
        keys = None
    if not isinstance(keys, list) or not all(isinstance(key, str) and key for key in keys):
        raise ConfigError(f"{PREFIX}SECRET_KEY_FALLBACKS is not a list of texts in JSON")
    return keys


def _send_to(given: str) -> list[str]:
    entries = _names(given) or []
    for entry in entries:
        try:
            ip_network(entry)
        except ValueError:
            if not HOST.fullmatch(entry):
                raise ConfigError(
                    f"{PREFIX}SEND_TO: {entry} is neither a host, such as mail.internal, "
                    "nor a network, such as 10.1.0.0/16"
                ) from None
    return entries


def _cookie_name(app: Flask, name: str) -> str:
    """With the prefix by which a browser holds us to Secure, and to this host where the path allows it."""
    if not app.config["SESSION_COOKIE_SECURE"] or name not in (SESSION_COOKIE, DEVICE_COOKIE):
        return name
    path = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
    whole_host = path == "/" and not app.config["SESSION_COOKIE_DOMAIN"]
    return f"__Host-{name}" if whole_host else f"__Secure-{name}"


def _check_months(months: int) -> None:
    # The rules look back 30 days at most: February and the month under way can be fewer.
    if months != 0 and months < LEAST_MONTHS:
        raise ConfigError(
            f"{PREFIX}KEEP_READINGS_MONTHS={months} is neither 0 (keep everything) nor {LEAST_MONTHS} or more"
        )


def _describe_type(expected: type) -> str:
    return {bool: "true or false (in small letters)", int: "a whole number"}.get(expected, expected.__name__)


def _check_public_url(url: str) -> None:
    if url and not PUBLIC_URL.fullmatch(url):
        raise ConfigError(f"{PREFIX}PUBLIC_URL is not an address such as https://jobs.example")


def _roles(given: str) -> list[str]:
    roles = _names(given) or []
    if unknown := [role for role in roles if role not in ROLES]:
        raise ConfigError(f"{PREFIX}SECOND_FACTOR_ROLES: {unknown[0]} is none of {', '.join(ROLES)}")
    return roles


def _check_single_sign_on(app: Flask) -> None:
    config = app.config
    config["BREAK_GLASS_ADMIN"] = config["BREAK_GLASS_ADMIN"].strip().lower()
    if not config["OIDC_ISSUER"]:
        for name in ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_CLIENT_SECRET_FILE", "BREAK_GLASS_ADMIN"):
            if config[name]:
                raise ConfigError(f"{PREFIX}{name} is set, but {PREFIX}OIDC_ISSUER is not")
        return
    if not ISSUER.fullmatch(config["OIDC_ISSUER"]):
        raise ConfigError(f"{PREFIX}OIDC_ISSUER is not an address such as https://login.example/realms/staff")
    if config["OIDC_CLIENT_SECRET_FILE"]:
        config["OIDC_CLIENT_SECRET"] = _read_secret(config["OIDC_CLIENT_SECRET_FILE"])
    for name in ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ROLES", "PUBLIC_URL"):
        if not config[name]:
            raise ConfigError(f"{PREFIX}OIDC_ISSUER is set, and needs {PREFIX}{name}")
    if "openid" not in config["OIDC_SCOPES"].split():
        raise ConfigError(f"{PREFIX}OIDC_SCOPES has no openid")
    config["OIDC_ROLES"] = _roles_of_values(config["OIDC_ROLES"])


def _read_secret(file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{PREFIX}OIDC_CLIENT_SECRET_FILE={file} cannot be read") from error


def _roles_of_values(given: str) -> dict[str, str]:
    if given.lstrip().startswith("{"):
        try:
            found: dict[str, str] = json.loads(given)
        except ValueError as error:
            raise ConfigError(f"{PREFIX}OIDC_ROLES is not JSON") from error
    else:
        parts = [entry.rpartition("=") for entry in _names(given) or []]
        found = {value.strip(): role.strip() for value, _, role in parts}
    for value, role in found.items():
        if not value or role not in ROLES:
            raise ConfigError(f"{PREFIX}OIDC_ROLES: {value}={role} does not end in one of {', '.join(ROLES)}")
    return found


def _database_uri(app: Flask) -> str:
    given = (
        app.config["SQLALCHEMY_DATABASE_URI"] or f"sqlite:///{Path(app.instance_path) / 'jobauto.sqlite3'}"
    )
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise ConfigError(f"{PREFIX}SQLALCHEMY_DATABASE_URI is not a database address") from error
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    in_memory = url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
    if url.drivername not in DRIVERS or in_memory:  # there each connection would see another one
        raise ConfigError(
            f"{PREFIX}SQLALCHEMY_DATABASE_URI: jobauto runs on SQLite and PostgreSQL only, "
            "with addresses like sqlite:///file and postgresql://user@host/database"
        )
    return url.render_as_string(hide_password=False)


def _kept_secret(file: Path) -> str:
    try:
        if not file.exists():
            _make_secret(file)
        kept = file.read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"{PREFIX}SECRET_KEY is not set, and {file} cannot be used ({error.strerror})"
        ) from error
    if not kept:
        raise ConfigError(f"{PREFIX}SECRET_KEY is not set, and {file} is empty")
    return kept


def _make_secret(file: Path) -> None:
    # Several workers may start at once: the first to link its file wins, and all read that one.
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_hex(32))
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
