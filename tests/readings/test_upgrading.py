"""A fleet that comes from the former version is classified once, piece by piece, while the pages go on."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Site, ToClassify
from jobauto.readings import classifying
from jobauto.readings.classifying import classify_waiting
from jobauto.work.scheduler import classify_readings
from tests.databases import Changed, Postgresql, Sqlite, opened
from tests.detection.running import jobs, run_at
from tests.fleets import add_readings, add_site, daily, days_before
from tests.migrating import downgrade, upgrade
from tests.people import Browser, Person, add_cast
from tests.readings.doubts import meters, qualities, reviews

FORMER = "0023"
FALSE_ZERO = [1234, 1235, 0, 1236, 1237]
NEW_METER = [5087, 5090, 0, 1, 2]


@pytest.fixture
def upgraded(engine: Sqlite | Postgresql | Changed) -> Iterator[Flask]:
    """A fleet that the former version filled, and ``jobauto db upgrade`` has brought up."""
    with engine.fresh() as uri, opened(uri) as app:
        app.test_client_class = Browser
        add_cast()
        for number in range(3):
            add_site(f"zero {number}", daily(FALSE_ZERO))
            add_site(f"meter {number}", daily(NEW_METER))
        for site_id in ("open", "closed"):
            _with_a_false_recovery(site_id)
        downgrade(FORMER)
        upgrade()
        yield app


def _with_a_false_recovery(site_id: str) -> None:
    """A register that stands still, and a job that one spike recovered, as the former version saw it."""
    key = add_site(site_id, daily([1234] * 5, days_before(4)))
    run_at(days_before(4))
    add_readings(key, {days_before(3): 5000})
    run_at(days_before(3))
    job = jobs()[-1]
    assert job.recovered_at
    if site_id == "closed":
        change(job.id, JobChange(status="closed"), by="oscar", now=days_before(3))
    add_readings(key, daily([1234] * 3))


def keys() -> dict[str, int]:
    """The key of each site."""
    db.session.rollback()
    found = db.session.execute(select(Site.site_id, Site.key))
    return {site_id: key for site_id, key in found}  # noqa: C416 (a row is a tuple, which mypy does not know)


def waiting() -> list[tuple[int, bool]]:
    """The sites that are to be classified, and whether they are urgent."""
    db.session.rollback()
    return [(one.site_key, one.urgent) for one in db.session.scalars(select(ToClassify))]


def test_it_is_classified_once_from_where_it_was_interrupted_while_pages_show_it_as_it_was(
    upgraded: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = keys()
    assert sorted(waiting()) == [(key, False) for key in sorted(of.values())]
    monkeypatch.setattr(classifying, "SMALLEST", 2)
    monkeypatch.setattr(classifying, "LARGEST", 2)

    def interrupt(_done: int) -> None:
        raise InterruptedError

    with db.engine.connect() as connection, pytest.raises(InterruptedError):
        classify_waiting(connection, utcnow(), interrupt)
    assert [qualities(of[f"zero {number}"]) for number in range(3)] == ["ggwgg", "ggggg", "ggggg"]
    vera = Person(upgraded, "vera")
    for page in ("/", "/sites/zero%202/", "/jobs/", "/reviews/"):
        assert vera.get(page).status_code == 200, page
    assert len(waiting()) == len(of) - 2

    with db.engine.connect() as connection:
        assert classify_waiting(connection, utcnow()) == len(of) - 2
    assert waiting() == []
    assert {qualities(of[f"zero {number}"]) for number in range(3)} == {"ggwgg"}
    for number in range(3):
        assert meters(of[f"meter {number}"]) == [0, 0, 1, 1, 1]
        assert reviews(of[f"meter {number}"]) == [("new_level", "open", None, None)]
    assert {site.known_measure for site in db.session.scalars(select(Site))} == {"register"}


def test_only_open_jobs_are_looked_at_again(upgraded: Flask) -> None:
    classify_readings()

    run_at()

    found = [(job.site.site_id, job.status, job.recovered_at) for job in jobs() if job.rule == "zero_reads"]
    assert found == [
        ("open", "open", None),
        ("closed", "closed", days_before(3)),
        ("closed", "open", None),
    ]
