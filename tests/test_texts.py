"""Both databases refuse the same texts."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, update
from sqlalchemy.exc import DataError

from jobauto.extensions import db
from jobauto.models import Event, Site
from jobauto.storage.connections import write
from tests.fleets import NOON, add_site

NUL = "a\0b"


def event(**values: Any) -> dict[str, Any]:
    return {"at": NOON, "who": "ada", "subject": "site", "subject_id": "1", "field": "group", **values}


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(insert(Event).values(event(after=NUL)), id="a text"),
        pytest.param(insert(Event).values([event(), event(who=NUL)]), id="one of several"),
        pytest.param(insert(Event).values(event(who="a" * 101)), id="one that is too long"),
        pytest.param(update(Site).values(site_name=NUL), id="a change"),
        pytest.param(update(Site).values(site_name="a" * 10_000), id="a change that is too long"),
    ],
)
def test_a_text_that_cannot_be_held_is_refused(app: Flask, statement: Any) -> None:
    add_site("S1")
    with pytest.raises(DataError), write() as session:
        session.execute(statement)


@pytest.mark.parametrize("wrong", [event(after=NUL), event(who="a" * 101)], ids=["NUL", "too long"])
def test_none_of_many_rows_is_kept_if_one_cannot_be_held(app: Flask, wrong: dict[str, Any]) -> None:
    rows = [{"after": "", **row} for row in [event()] * 2000 + [wrong]]
    with pytest.raises(DataError), write() as session:
        session.execute(insert(Event), rows)
    assert db.session.query(Event).count() == 0


def test_what_fits_is_kept(app: Flask) -> None:
    long = event(who="é" * 100, after="\N{OWL}" * 20_000, before=None)
    with write() as session:
        session.execute(insert(Event).values(long))
    kept = db.session.query(Event).one()
    assert (kept.who, kept.after, kept.before) == (long["who"], long["after"], None)


def test_what_cannot_be_held_may_be_looked_for(app: Flask) -> None:
    add_site("S1")
    assert db.session.query(Site).where(Site.site_id == "a" * 10_000).count() == 0
