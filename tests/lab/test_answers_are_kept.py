"""A question to the lab is worked out by one process, and its answer kept until something changes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.lab import service
from jobauto.lab.service import Claimed, Question, Standing, claim, standing, work_out
from jobauto.models import LabResult
from jobauto.sites import service as site_service
from jobauto.storage.leases import LeaseLost
from tests.detection.running import run_at, save
from tests.fleets import NOON, daily, days_before
from tests.imports.importing import import_readings, import_sites

QUESTION = Question("no_coms", 90)
SOON, LATER = NOON + timedelta(seconds=30), NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _fleet(app: Flask) -> None:
    """A site that was silent for eleven days, and has reported daily before and since."""
    import_sites("site_id,site_name", "S1,Site 1")
    readings = daily(range(100, 140), last=days_before(41)) | daily(range(200, 231))
    import_readings(f"S1,{at.isoformat()},{kwh}" for at, kwh in readings.items())


def answered(now: datetime = NOON) -> Standing:
    """Ask, work it out, and look."""
    claimed = claim(QUESTION, now)
    assert claimed
    work_out(claimed, lambda: now)
    return standing(QUESTION, now)


def test_every_threshold_has_its_jobs_with_how_soon_they_were_over() -> None:
    assert standing(QUESTION, NOON) == Standing()
    answer = answered().answer

    assert answer
    assert answer["current"] == 3
    assert {
        row["value"]: (row["jobs"], row["recovered_7d"], row["recovered_2d"]) for row in answer["thresholds"]
    } == {value: (value <= 10, 4 <= value <= 10, 9 <= value <= 10) for value in range(1, 31)}


def test_of_two_who_ask_at_once_one_works_it_out(app: Flask) -> None:
    start = threading.Barrier(2)

    def ask(_: int) -> Claimed | None:
        with app.app_context():
            standing(QUESTION, NOON)
            start.wait()
            return claim(QUESTION, NOON)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(claimed is None for claimed in pool.map(ask, range(2))) == [False, True]


def test_who_asks_meanwhile_is_told_how_far_it_is() -> None:
    claim(QUESTION, NOON)
    assert standing(QUESTION, SOON) == Standing(progress=0.0)


def test_a_process_that_died_is_replaced_and_writes_nothing_more() -> None:
    dead = claim(QUESTION, NOON)
    assert dead
    assert claim(QUESTION, SOON) is None
    assert answered(LATER).answer
    with pytest.raises(LeaseLost):
        work_out(dead, lambda: LATER)


def more_readings() -> None:
    import_readings(["S1,2026-03-31T13:00Z,231"])


def other_settings() -> None:
    save(no_coms={"days_threshold": 5})


def another_site() -> None:
    import_sites("site_id,site_name", "S2,Site 2")


def a_site_that_is_switched_off() -> None:
    wanted = site_service.SiteChange("Site 1", None, active=False, group="", measure="register")
    site_service.edit("S1", wanted, author=Author("ada", NOON))


def a_daily_run() -> None:
    run_at(slot=NOON.date())


@pytest.mark.parametrize(
    "change", [more_readings, other_settings, another_site, a_site_that_is_switched_off, a_daily_run]
)
def test_an_answer_holds_until_something_changes(change: Callable[[], None]) -> None:
    kept = answered()
    assert standing(QUESTION, LATER) == kept
    assert claim(QUESTION, LATER) is None

    change()
    assert standing(QUESTION, LATER) == Standing()
    assert answered(LATER).answer


def test_where_readings_come_all_the_time_there_is_an_answer_nevertheless() -> None:
    claimed = claim(QUESTION, NOON)
    assert claimed
    more_readings()
    assert standing(QUESTION, SOON) == Standing(progress=0.0)
    assert claim(QUESTION, SOON) is None
    work_out(claimed, lambda: SOON)

    assert standing(QUESTION, SOON + service.FRESH).answer
    assert standing(QUESTION, LATER) == Standing()


@pytest.mark.parametrize(("days", "is_kept"), [(6, True), (8, False)])
def test_an_answer_that_nobody_renews_for_a_week_is_forgotten(days: int, is_kept: bool) -> None:
    answered()
    service.expire(NOON + timedelta(days=days))
    db.session.rollback()
    assert bool(db.session.scalars(select(LabResult)).all()) == is_kept


def test_settings_that_change_meanwhile_begin_it_anew() -> None:
    claim(QUESTION, NOON)
    other_settings()
    assert standing(QUESTION, SOON) == Standing()
    assert claim(QUESTION, SOON)
