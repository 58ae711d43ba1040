"""What page tests share."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.databases import POSTGRESQL, SQLITE, opened
from tests.pages import scenes
from tests.people import CAST, Person, add_cast


@pytest.fixture
def run_id(app: Flask) -> int:
    """The run that has checked a fleet with one fault of each kind."""
    return scenes.checked_fleet()


@pytest.fixture(scope="module", params=[SQLITE, POSTGRESQL])
def readers(request: pytest.FixtureRequest) -> Iterator[dict[str, Person]]:
    """The cast at such a fleet, for a whole file of tests that leave it as it is."""
    with request.getfixturevalue(request.param).fresh() as uri, opened(uri) as app:
        add_cast()
        scenes.checked_fleet()
        yield {name: Person(app, name) for name in CAST}
