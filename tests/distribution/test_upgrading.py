"""A fleet of the former version in the shape of a distributed database is brought up as any other.

The tests are those of the other databases; ``engine`` is this folder's.
"""

# ruff: noqa: F403 (tests are found by their names, whatever these are)

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from jobauto.extensions import db
from jobauto.storage import reading_key
from jobauto.storage.citus import DISTRIBUTED
from tests.readings.test_upgrading import *
from tests.readings.test_upgrading import upgraded  # noqa: F401 (a fixture)

pytestmark = pytest.mark.postgresql


def test_reviews_lie_where_their_site_does(upgraded: Flask) -> None:  # noqa: F811
    with db.engine.connect() as connection:
        asked = connection.scalars(text("SELECT name FROM asked_to_distribute")).all()
    assert (asked.count("review"), {*asked}) == (2, {*DISTRIBUTED})
    assert inspect(db.engine).get_pk_constraint("review")["constrained_columns"] == ["site_key", "id"]
    assert "ix_review_id" in {index["name"] for index in inspect(db.engine).get_indexes("review")}


def test_the_key_of_readings_is_made_anew(upgraded: Flask) -> None:  # noqa: F811
    assert (reading_key.renew(), reading_key.renew()) == (True, False)
