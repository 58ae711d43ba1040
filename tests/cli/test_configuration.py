"""The environment is read strictly: a value that cannot be meant is refused by name, at the start."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from click.testing import Result
from flask import Flask

from jobauto import config, create_app
from jobauto.cli import init_app
from jobauto.config import ConfigError, load, mail_server
from jobauto.core import create_core
from jobauto.extensions import db
from jobauto.models import user
from tests.cli.conftest import Shell
from tests.databases import SQLITE, Postgresql, Sqlite
from tests.processes import PATIENCE

PREFIX = "JOBAUTO_"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SCHEDULER_ENABLED", "False"),
        ("SCHEDULER_ENABLED", "no"),
        ("SCHEDULER_ENABLED", "0"),
        ("SCHEDULER_ENABLED", ""),
        ("SESSION_COOKIE_SECURE", "True"),
        ("PROXY_HOPS", "one"),
        ("PROXY_HOPS", "1.5"),
        ("PROXY_HOPS", "true"),
        ("PROXY_HOPS", "-1"),
        ("PROXY_HOPS", "101"),
        ("MAX_CONTENT_LENGTH", "-1"),
        ("API_REQUESTS_PER_MINUTE", "0"),
        ("SESSION_MINUTES", "0"),
        ("SESSION_MINUTES", "10000000000"),
        ("SESSION_IDLE_MINUTES", "-5"),
        ("KEEP_READINGS_MONTHS", "-1"),
        ("KEEP_READINGS_MONTHS", "1"),
        ("KEEP_READINGS_MONTHS", "1000000"),
        ("TICK_SECONDS", "0"),
        ("TICK_SECONDS", "31"),
        ("MAX_CONTENT_LENGTH", "10MB"),
        ("CELERY_BROKER_URL", "nonsense"),
        ("CELERY_BROKER_URL", "localhost:6379"),
        ("CELERY_BROKER_URL", "nosuch://localhost/0"),
        ("PUBLIC_URL", "jobs.example"),
        ("PUBLIC_URL", "ftp://jobs.example"),
        ("PUBLIC_URL", "https://user:password@jobs.example"),
        ("PUBLIC_URL", "https://jobs.example/?next=x"),
        ("SQLALCHEMY_DATABASE_URI", "nonsense"),
        ("SQLALCHEMY_DATABASE_URI", "mysql://localhost/jobauto"),
        ("SQLALCHEMY_DATABASE_URI", "oracle://localhost/jobauto"),
        ("SQLALCHEMY_DATABASE_URI", "nosuch://localhost/jobauto"),
        ("SQLALCHEMY_DATABASE_URI", "sqlite://"),
        ("SQLALCHEMY_DATABASE_URI", "sqlite:///:memory:"),
        ("SQLALCHEMY_DATABASE_URI", "postgresql+asyncpg://localhost/jobauto"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(PREFIX + variable, value)
    with pytest.raises(ConfigError, match=PREFIX + variable):
        create_app()


MAIL = "from=jobauto@example.org"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (f"smtps://u:p@mail.example?{MAIL}", ("mail.example", 465, "tls", "u", "p")),
        (f"smtps://u%40x:p%2F%3A@[::1]:4650/?{MAIL}", ("::1", 4650, "tls", "u@x", "p/:")),
        (f"smtp://u@x:p@10.1.2.3/?{MAIL}", ("10.1.2.3", 587, "starttls", "u@x", "p")),
        (f"smtp://mail/?{MAIL}&tls=none", ("mail", 25, "none", "", "")),
    ],
)
def test_a_mail_server_is_read_from_its_address(given: str, taken: tuple[str, int, str, str, str]) -> None:
    read = mail_server(given)
    assert (read.host, read.port, read.security, read.user, read.password) == taken
    assert read.sender == "jobauto@example.org"
    assert "p/:" not in repr(read)


@pytest.mark.parametrize(
    "given",
    [
        "s3cr3t",
        "mail.example",
        f"mailto://u:s3cr3t@mail.example?{MAIL}",
        f"smtps://u:s3cr3t@mail.example\n?{MAIL}",
        f"smtps://u:s3cr3t@mail.example:0?{MAIL}",
        f"smtps://u:s3cr3t@mail.example:99999?{MAIL}",
        f"smtps://u:s3cr3t@[::1?{MAIL}",
        f"smtps://u:s3cr3t@?{MAIL}",
        f"smtps://u:s3cr3t@mail_!.example?{MAIL}",
        f"smtps://u:s3/cr3t@mail.example?{MAIL}",
        f"smtps://u:s3cr3t@mail.example/inbox?{MAIL}",
        f"smtps://u:s3cr3t@mail.example?{MAIL}&verify=no",
        f"smtps://u:s3cr3t@mail.example?{MAIL}&tls=none",
        f"smtp://u:s3cr3t@mail.example?{MAIL}&tls=none",
        f"smtp://u:s3cr3t@mail.example?{MAIL}&tls=off",
        f"smtps://u@mail.example?{MAIL}",
        f"smtps://:s3cr3t@mail.example?{MAIL}",
        "smtps://u:s3cr3t@mail.example",
        "smtps://u:s3cr3t@mail.example?from=jobauto",
        "smtps://u:s3cr3t@mail.example?from=a@example.org,b@example.org",
        "smtps://u:s3cr3t@mail.example?from=a@example.org%0D%0ABcc:b@example.org",
    ],
)
def test_a_mail_server_that_cannot_be_used_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("JOBAUTO_PUBLIC_URL", "https://jobs.example")
    monkeypatch.setenv("JOBAUTO_MAIL_URL", given)
    with pytest.raises(ConfigError, match="JOBAUTO_MAIL_URL ") as refused:
        create_app()
    assert "s3" not in str(refused.value)


def test_a_mail_server_needs_the_address_of_the_links_in_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBAUTO_MAIL_URL", f"smtps://u:p@mail.example?{MAIL}")
    with pytest.raises(ConfigError, match="needs JOBAUTO_PUBLIC_URL"):
        create_app()


SINGLE_SIGN_ON = {
    "OIDC_ISSUER": "https://login.example/realms/staff",
    "OIDC_CLIENT_ID": "jobauto",
    "OIDC_CLIENT_SECRET": "secret",
    "OIDC_ROLES": "staff=viewer",
    "PUBLIC_URL": "https://jobs.example",
}


def test_single_sign_on_is_configured_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SINGLE_SIGN_ON.items():
        monkeypatch.setenv(PREFIX + name, value)
    assert create_app().config["OIDC_ROLES"] == {"staff": "viewer"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *((name, "") for name in SINGLE_SIGN_ON if name != "OIDC_ISSUER"),
        ("OIDC_ISSUER", "login.example"),
        ("OIDC_ISSUER", "http://login.example"),
        ("OIDC_ISSUER", "http://localhost.evil.example"),
        ("OIDC_ISSUER", "http://127.0.0.1:80@evil.example"),
        ("OIDC_ISSUER", "https://login.example/?tenant=x"),
        ("OIDC_CLIENT_SECRET_FILE", "/nowhere"),
        ("OIDC_SCOPES", "profile email"),
        ("OIDC_ROLES", "staff"),
        ("OIDC_ROLES", "staff=boss"),
        ("OIDC_ROLES", "=viewer"),
        ("OIDC_ROLES", '{"staff": 5}'),
        ("OIDC_ROLES", '{"staff"}'),
        ("SECOND_FACTOR_ROLES", "boss"),
        ("SECOND_FACTOR_ROLES", "true"),
    ],
)
def test_single_sign_on_that_cannot_be_meant_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    for name, given in (SINGLE_SIGN_ON | {variable: value}).items():
        monkeypatch.setenv(PREFIX + name, given)
    with pytest.raises(ConfigError, match=PREFIX + variable):
        create_app()


@pytest.mark.parametrize("variable", ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "BREAK_GLASS_ADMIN"])
def test_what_needs_an_issuer_is_refused_without_one(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(PREFIX + variable, "ada")
    with pytest.raises(ConfigError, match=f"{PREFIX}{variable} is set, but {PREFIX}OIDC_ISSUER is not"):
        create_app()


def test_the_secret_of_the_issuer_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("kept apart\n")
    given = SINGLE_SIGN_ON | {
        "OIDC_CLIENT_SECRET": "",
        "OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
        "OIDC_ROLES": '{"cn=ops,dc=example": "operator"}',
        "BREAK_GLASS_ADMIN": " Ada ",
        "SECOND_FACTOR_ROLES": "admin, operator",
    }
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name, value)
    loaded = create_app().config
    assert loaded["OIDC_CLIENT_SECRET"] == "kept apart"
    assert loaded["OIDC_ROLES"] == {"cn=ops,dc=example": "operator"}
    assert loaded["BREAK_GLASS_ADMIN"] == "ada"
    assert loaded["SECOND_FACTOR_ROLES"] == ["admin", "operator"]


def test_the_roles_of_configuration_are_those_of_users() -> None:
    assert config.ROLES == user.ROLES


@pytest.mark.parametrize(
    ("variable", "value", "meant"),
    [
        ("SCHEDULER_ENABLED", "false", False),
        ("SCHEDULER_ENABLED", "true", True),
        ("SESSION_COOKIE_SECURE", "true", True),
        ("PROXY_HOPS", "2", 2),
        ("PUBLIC_URL", "https://jobs.example:8443/app/", "https://jobs.example:8443/app/"),
        ("TICK_SECONDS", "30", 30),
        ("SECRET_KEY", "123456", "123456"),
        ("SECRET_KEY", "true", "true"),
        ("MAX_CONTENT_LENGTH", "1000", 1000),
    ],
)
def test_what_can_be_meant_is_taken(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, meant: object
) -> None:
    monkeypatch.setenv(PREFIX + variable, value)
    assert create_app().config[variable] == meant


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_address_of_a_postgresql_may_be_spelled_in_three_ways(scheme: str) -> None:
    app = create_app({"SQLALCHEMY_DATABASE_URI": f"{scheme}://ada:p%40ss@db.example/jobauto"})
    assert app.config["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://ada:p%40ss@db.example/jobauto"


def test_without_an_address_it_is_sqlite_in_the_instance_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path / "new" / "folder"))
    app = create_app()
    assert app.config["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{tmp_path}/new/folder/jobauto.sqlite3"


@pytest.mark.parametrize("folder", ["file", "file/below", "/proc/jobauto"])
def test_an_instance_folder_that_cannot_be_made_is_told_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path / folder))
    with pytest.raises(ConfigError, match=r"JOBAUTO_INSTANCE_PATH=.* cannot be made \(.+\)"):
        create_app()


def test_a_secret_key_that_cannot_be_read_or_is_empty_is_told_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path))
    kept = tmp_path / "secret-key"
    kept.mkdir()
    with pytest.raises(ConfigError, match=r"JOBAUTO_SECRET_KEY is not set, and .* cannot be used"):
        create_app()
    kept.rmdir()
    kept.touch()
    with pytest.raises(ConfigError, match=r"JOBAUTO_SECRET_KEY is not set, and .* is empty"):
        create_app()


def test_a_secret_key_is_made_once_by_all_who_start_at_once_and_kept_for_its_owner_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    line = Barrier(8)

    def start(folder: Path) -> str:
        app = Flask("jobauto", instance_path=str(folder))
        line.wait(PATIENCE)
        load(app, None)
        return str(app.config["SECRET_KEY"])

    with ThreadPoolExecutor(8) as pool:
        for number in range(50):  # of those who start at once, few come between two steps of another
            folder = tmp_path / str(number)
            monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(folder))
            (key,) = set(pool.map(start, [folder] * 8))
            assert len(key) >= 32
            (kept,) = folder.iterdir()
            assert kept.read_text().strip() == key
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    monkeypatch.setenv("JOBAUTO_SECRET_KEY", "given")
    assert create_app().config["SECRET_KEY"] == "given"


SHORT, LONG = "x" * 31, "x" * 32


@pytest.mark.parametrize(("key", "told"), [(SHORT, True), (LONG, False)])
def test_a_short_secret_key_is_told_at_each_start_with_the_way_out(
    caplog: pytest.LogCaptureFixture, key: str, told: bool
) -> None:
    create_core({"SECRET_KEY": key})
    assert ("secret-key-short" in caplog.text) is told
    assert ("JOBAUTO_SECRET_KEY_FALLBACKS" in caplog.text) is told


def test_a_new_database_is_not_made_under_a_short_secret_key(engine: Sqlite | Postgresql) -> None:
    def upgrade(key: str) -> Result:
        app = create_core({"SQLALCHEMY_DATABASE_URI": uri, "SECRET_KEY": key})
        init_app(app)
        with app.app_context():
            done = app.test_cli_runner().invoke(args=["db", "upgrade"])
            db.engine.dispose()
        return done

    uri = engine.empty()
    refused = upgrade(SHORT)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "Error: JOBAUTO_SECRET_KEY has fewer than 32 characters. Set a longer one" in refused.stderr
    assert upgrade(LONG).exit_code == 0
    assert upgrade(SHORT).exit_code == 0, "what is there goes on"


@pytest.mark.process
@pytest.mark.parametrize("engine", [SQLITE], indirect=True)
def test_a_command_ends_with_2_and_a_sentence(engine: Sqlite, shell: Shell) -> None:
    done = shell("list-users", JOBAUTO_SCHEDULER_ENABLED="False")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: JOBAUTO_SCHEDULER_ENABLED='False' is not true or false (in small letters)\n"


@pytest.mark.process
def test_a_folder_that_cannot_be_made_is_a_sentence_too(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = shell("list-users", JOBAUTO_INSTANCE_PATH=str(tmp_path / "file"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Error: JOBAUTO_INSTANCE_PATH={tmp_path}/file: the folder cannot be made (File exists)\n"
    )


@pytest.mark.parametrize("beside", ["", "-wal", "-shm"])
def test_folder_and_database_are_for_their_owner_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, beside: str
) -> None:
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path / "new"))
    old_mask = os.umask(0o022)
    try:
        app = create_app()
        with app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (x)")
            file = tmp_path / "new" / f"jobauto.sqlite3{beside}"
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with app.app_context():
            db.engine.dispose()
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
