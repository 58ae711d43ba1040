"""A page asks the database as often for many jobs and sites as for few."""

import pytest
from flask import Flask
from sqlalchemy import event

from jobauto.extensions import db
from tests.fleets import add_site, run_noon
from tests.people import Person

PAGES = (
    "/",
    "/jobs/",
    "/jobs/?status=unclosed&sort=site",
    "/sites/",
    "/sites/?state=no_coms&sort=silence",
    "/runs/",
    "/runs/1",
    "/runs/1/sites",
    "/jobs/1",
)


def statements(person: Person, address: str) -> list[str]:
    """What the database is asked for one page."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    answer = person.get(address)
    event.remove(db.engine, "before_cursor_execute", note)
    assert answer.status_code == 200
    return asked


@pytest.fixture
def few_then_many(app: Flask, oscar: Person) -> dict[str, tuple[list[str], list[str]]]:
    """What each page asks over one job, and over a dozen."""
    add_site("first")
    run_noon()
    few = {address: (oscar.get(address), statements(oscar, address))[1] for address in PAGES}
    for number in range(11):
        add_site(f"S{number}")
    run_noon()
    return {address: (few[address], statements(oscar, address)) for address in PAGES}


def test_no_page_asks_more_often_when_there_is_more(
    few_then_many: dict[str, tuple[list[str], list[str]]],
) -> None:
    assert {
        address: (len(few), len(many))
        for address, (few, many) in few_then_many.items()
        if len(few) != len(many)
    } == {}
