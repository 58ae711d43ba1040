"""Fixtures for all tests. Each test has a database of its own, on SQLite, and on PostgreSQL if asked."""

import gc
import hashlib
import os
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from sqlalchemy import Engine, event
from werkzeug import security
from werkzeug.routing import Rule

from jobauto.extensions import db
from jobauto.storage import soundness
from tests.databases import (
    POSTGRESQL,
    SQLITE,
    Changed,
    Postgresql,
    Sqlite,
    application,
    await_background,
    opened,
    partition_readings,
)
from tests.distributing import pretend
from tests.fleets import add_one_fault_of_each_rule
from tests.once import DIALECTS, Templates, builder_once, hash_of_its_kind, one_of_a_kind
from tests.people import CAST, Browser, Person, add_cast
from tests.starting import allowed, forbidden
from tests.typed import untyped_binds

ENGINES = ("sqlite", "postgresql")

hypothesis.settings.register_profile("untimed", deadline=None)  # on a busy machine a time says nothing
hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What is left out unless it is asked for."""
    parser.addoption(
        "--engine",
        choices=[*ENGINES, "both"],
        default="sqlite",
        help="the databases that tests work on: sqlite (the default), postgresql, or both",
    )
    parser.addoption("--processes", action="store_true", help="also tests that start processes of their own")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out what was not asked for, and what would claim the same twice."""
    chosen = config.getoption("engine")
    unwanted = set() if chosen == "both" else {*ENGINES} - {chosen}
    if not config.getoption("processes"):
        unwanted.add("process")
    marks = {item: {mark.name for mark in item.iter_markers()} for item in items}
    out = {item for item in items if unwanted & marks[item] or marks[item] >= {"any_engine", "postgresql"}}
    config.hook.pytest_deselected(items=[*out])
    items[:] = [item for item in items if item not in out]


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among what stays: modules, tests. It took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test without the marker starts no process."""
    with nullcontext() if item.get_closest_marker("process") else forbidden():
        return (yield)


FOLDERS = count(1)


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As pytest's own, which for the number of a folder looks through those of all tests before: 2 ms."""
    return tmp_path_factory.mktemp(f"test-{next(FOLDERS)}", numbered=False)


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Sqlite:
    return Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql(pytestconfig: pytest.Config) -> Iterator[Postgresql]:
    if pytestconfig.getoption("engine") == "sqlite":
        pytest.fail("A test that needs PostgreSQL has to say so: @pytest.mark.postgresql")
    with allowed():
        server = Postgresql(reuse=True)
    yield server
    with allowed():
        server.stop()


@pytest.fixture(scope="session")
def partitioned(postgresql: Postgresql) -> Changed:
    """A PostgreSQL whose readings are in a partition a month."""
    return postgresql.changed("partitioned", partition_readings)


@pytest.fixture(scope="session")
def distributed(postgresql: Postgresql) -> Changed:
    """A PostgreSQL in the shape of a distributed database."""
    return postgresql.changed("distributed", pretend)


@pytest.fixture(scope="session", autouse=True)
def _no_configuration_of_the_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the host has configured does not reach the tests, and their instance folder is their own."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in [name for name in os.environ if name.startswith("JOBAUTO_")]:
            patch.delenv(variable)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # or each process compiles all anew: a second
        patch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path_factory.mktemp("instance")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _once() -> Iterator[None]:
    """Templates, addresses and statements are compiled, and a password is hashed, once a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashlib, "scrypt", cache(hashlib.scrypt))
        patch.setattr(security, "gen_salt", cache(security.gen_salt))  # a password has one hash a process
        patch.setitem(Flask.jinja_options, "bytecode_cache", Templates())
        patch.setattr(Rule, "_compile_builder", builder_once(Rule._compile_builder))
        for dialect in DIALECTS:
            patch.setattr(dialect, "__eq__", one_of_a_kind)
            patch.setattr(dialect, "__hash__", hash_of_its_kind)
        yield


@pytest.fixture(scope="session")
def _untyped() -> Iterator[list[str]]:
    """What was bound without its type in any statement of the suite."""
    found: list[str] = []

    def look(
        _connection: object, _cursor: object, statement: str, _: object, context: Any, *rest: Any
    ) -> None:
        compiled = context.compiled if context else None
        found.extend(f"{name} in {statement}" for name in untyped_binds(compiled))

    event.listen(Engine, "before_cursor_execute", look)
    yield found
    event.remove(Engine, "before_cursor_execute", look)


@pytest.fixture(autouse=True)
def _each_bind_says_its_type(_untyped: list[str]) -> Iterator[None]:
    """An instant or kWh that is bound without its type lands on SQLite as text."""
    _untyped.clear()
    yield
    assert _untyped == []


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def engine(request: pytest.FixtureRequest) -> Sqlite | Postgresql:
    """Each kind of database in turn."""
    kind: Sqlite | Postgresql = request.getfixturevalue(request.param)
    return kind


@pytest.fixture
def database_uri(engine: Sqlite | Postgresql) -> Iterator[str]:
    """A fresh, migrated database."""
    with engine.fresh() as uri:
        yield uri


@pytest.fixture
def app(
    request: pytest.FixtureRequest, database_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """The application on a fresh database, with an app context pushed.

    Whatever it has written by the end of the test could be restored from a backup.
    """
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("JOBAUTO_SEND_TO", "127.0.0.0/8")
    app = application(database_uri)
    app.test_client_class = Browser
    with app.app_context():
        yield app
        await_background()
        db.session.remove()
        if db.engine.dialect.name == "sqlite" and not request.node.get_closest_marker("unsound"):
            with db.engine.connect() as connection:
                assert soundness.complaint(connection) is None
        db.engine.dispose()


@pytest.fixture
def cast(app: Flask) -> None:
    """Ada, Oscar and Vera have accounts."""
    add_cast()


@pytest.fixture
def ada(app: Flask, cast: None) -> Person:
    """An administrator, logged in."""
    return Person(app, "ada")


@pytest.fixture
def oscar(app: Flask, cast: None) -> Person:
    """An operator, logged in."""
    return Person(app, "oscar")


@pytest.fixture
def vera(app: Flask, cast: None) -> Person:
    """A viewer, logged in."""
    return Person(app, "vera")


@pytest.fixture
def stranger(app: Flask) -> Person:
    """Somebody without an account."""
    return Person(app, None)


@pytest.fixture(scope="module", params=[SQLITE, POSTGRESQL])
def standing(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application on a database for a whole file of tests that leave it as it is: the cast, two jobs."""
    with request.getfixturevalue(request.param).fresh() as uri, opened(uri) as app:
        add_cast()
        add_one_fault_of_each_rule()
        yield app


@pytest.fixture(scope="module")
def people(standing: Flask) -> dict[str | None, Person]:
    """The cast, and a stranger."""
    return {name: Person(standing, name) for name in (*CAST, None)}
