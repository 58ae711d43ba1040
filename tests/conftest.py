"""Fixtures for all tests. Each test has a database of its own, once on SQLite and once on PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from jobauto import create_app
from jobauto.extensions import db
from tests.databases import Changed, Postgresql, Sqlite, partition_readings
from tests.fleets import add_one_fault_of_each_rule
from tests.people import CAST, Browser, Person, add_cast


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Sqlite:
    return Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    server = Postgresql()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def partitioned(postgresql: Postgresql) -> Changed:
    """A PostgreSQL whose readings are in a partition a month."""
    return postgresql.changed("partitioned", partition_readings)


@pytest.fixture(scope="session", autouse=True)
def _no_configuration_of_the_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the host has configured does not reach the tests, and their instance folder is their own."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in [name for name in os.environ if name.startswith("JOBAUTO_")]:
            patch.delenv(variable)
        patch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path_factory.mktemp("instance")))
        yield


@pytest.fixture(params=["sqlite", "postgresql"])
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
def app(database_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application on a fresh database, with an app context pushed."""
    monkeypatch.setenv("JOBAUTO_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("JOBAUTO_SEND_TO", "127.0.0.0/8")
    app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": database_uri, "SECRET_KEY": "tests"})
    app.test_client_class = Browser
    with app.app_context():
        yield app
        db.session.remove()
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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def standing(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application on a database for a whole file of tests that leave it as it is: the cast, two jobs."""
    with request.getfixturevalue(request.param).fresh() as uri:
        app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": uri, "SECRET_KEY": "tests"})
        with app.app_context():
            add_cast()
            add_one_fault_of_each_rule()
            yield app
            db.session.remove()
            db.engine.dispose()


@pytest.fixture(scope="module")
def people(standing: Flask) -> dict[str | None, Person]:
    """The cast, and a stranger."""
    return {name: Person(standing, name) for name in (*CAST, None)}
