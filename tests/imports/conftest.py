"""Imports are tried on partitioned readings too."""

import pytest

from tests.databases import Changed, Postgresql, Sqlite


@pytest.fixture(params=["sqlite", "postgresql", "partitioned"])
def engine(request: pytest.FixtureRequest) -> Sqlite | Postgresql | Changed:
    """Each kind of database in turn."""
    kind: Sqlite | Postgresql | Changed = request.getfixturevalue(request.param)
    return kind
