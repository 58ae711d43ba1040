"""Here every database is a PostgreSQL in the shape of a distributed one."""

from collections.abc import Iterator

import pytest

from tests.databases import Changed
from tests.distributing import Sent, sending


@pytest.fixture
def engine(distributed: Changed) -> Changed:
    """PostgreSQL only, in that shape."""
    return distributed


@pytest.fixture
def sent(app: object) -> Iterator[Sent]:
    """What the test sends."""
    with sending() as statements:
        yield statements
