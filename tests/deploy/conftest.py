"""A site for a whole file of tests: by itself on PostgreSQL, under a sub-path on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobauto.extensions import db
from tests.backup.everything import application
from tests.databases import POSTGRESQL, SQLITE
from tests.deploy.site import Site, serving
from tests.fleets import add_one_fault_of_each_rule
from tests.people import add_cast


def populate(uri: str) -> None:
    """The cast, and two jobs."""
    app = application(uri)
    with app.app_context():
        add_cast()
        add_one_fault_of_each_rule()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module", params=[POSTGRESQL])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The program as the whole of a site."""
    with request.getfixturevalue(request.param).fresh() as uri:
        populate(uri)
        with serving(readable(tmp_path_factory), uri) as running:
            yield running


@pytest.fixture(scope="module", params=[SQLITE])
def part(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The program under a sub-path of a site."""
    with request.getfixturevalue(request.param).fresh() as uri:
        populate(uri)
        folder = readable(tmp_path_factory)
        with serving(folder, uri, prefix="/jobauto", JOBAUTO_SESSION_COOKIE_PATH="/jobauto") as running:
            yield running


def readable(factory: pytest.TempPathFactory) -> Path:
    """A folder of the test's own."""
    return factory.mktemp("site")
