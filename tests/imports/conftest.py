"""Imports are tried on partitioned readings too."""

import pytest

from tests.databases import PARTITIONED, POSTGRESQL, SQLITE, Changed, Postgresql, Sqlite


@pytest.fixture(params=[SQLITE, POSTGRESQL, PARTITIONED])
def engine(request: pytest.FixtureRequest) -> Sqlite | Postgresql | Changed:
    """Each kind of database in turn."""
    kind: Sqlite | Postgresql | Changed = request.getfixturevalue(request.param)
    return kind
