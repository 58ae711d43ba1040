"""Rules are tried in transactions that are rolled back, on one database of each kind.

Here, partitioned readings are a kind of their own.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from jobauto.extensions import db
from tests.databases import PARTITIONED, POSTGRESQL, SQLITE, Changed, Postgresql, Sqlite, application
from tests.detection.ground import Ground

KINDS = [SQLITE, POSTGRESQL, PARTITIONED]


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest) -> Sqlite | Postgresql | Changed:
    """Each kind of database in turn."""
    kind: Sqlite | Postgresql | Changed = request.getfixturevalue(request.param)
    return kind


@pytest.fixture(scope="module", params=KINDS)
def fleet_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A migrated database of each kind in turn, in which nothing is ever committed."""
    with request.getfixturevalue(request.param).fresh() as uri:
        with application(uri).app_context():
            engine = db.engine
        yield engine
        engine.dispose()


@pytest.fixture
def ground(fleet_engine: Engine) -> Iterator[Ground]:
    """Empty ground for sites and readings."""
    with fleet_engine.connect() as connection, connection.begin() as transaction:
        yield Ground(connection)
        transaction.rollback()
