"""Partitions are PostgreSQL's; here each test has a PostgreSQL of its own, partitioned or not yet."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.databases import Changed, Postgresql, opened
from tests.partitions.looking import partition


@pytest.fixture
def engine(postgresql: Postgresql) -> Postgresql:
    """PostgreSQL only: the table of readings is a plain one at first."""
    return postgresql


@pytest.fixture
def parts(app: Flask) -> Flask:
    """The application on partitions that were made at noon."""
    partition()
    return app


@pytest.fixture(scope="module")
def partitioned_app(partitioned: Changed) -> Iterator[Flask]:
    """An application on partitioned readings for a whole file of tests that leave it as it is."""
    with partitioned.fresh() as uri, opened(uri) as app:
        yield app
