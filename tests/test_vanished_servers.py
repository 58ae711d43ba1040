"""A PostgreSQL that vanishes from the network is waited for a while, not for hours."""

import pytest
from flask import Flask

from jobauto import create_app
from jobauto.extensions import db
from jobauto.storage.connections import SILENT_SERVER
from tests.databases import POSTGRESQL

pytestmark = pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)


def parameters(app: Flask) -> dict[str, str]:
    """What a connection was made with."""
    with app.app_context():
        with db.engine.connect() as connection:
            made = connection.connection.driver_connection
            assert made
            parameters: dict[str, str] = made.info.get_parameters()
        db.engine.dispose()
    return parameters


def test_each_connection_has_our_limits(app: Flask) -> None:
    made = parameters(app)
    assert {name: made[name] for name in SILENT_SERVER} == {
        name: str(value) for name, value in SILENT_SERVER.items()
    }


def test_what_the_address_says_goes_first(database_uri: str) -> None:
    uri = f"{database_uri}&connect_timeout=3"
    made = parameters(create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": uri, "SECRET_KEY": "tests"}))
    assert made["connect_timeout"] == "3"
    assert made["keepalives_idle"] == str(SILENT_SERVER["keepalives_idle"])
