"""What machines that watch this one are told."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import SettingsVersion
from jobauto.work.scheduler import run_slot
from tests.people import Person
from tests.runs.fleet import make_todays_slot_due


def health(stranger: Person) -> tuple[int, Any]:
    answer = stranger.client.open("/healthz")
    assert answer.mimetype == "application/json"
    return answer.status_code, answer.json


def test_it_is_well_without_any_run_owed(app: Flask, stranger: Person) -> None:
    assert health(stranger) == (200, {"status": "ok"})


def test_it_is_not_while_a_daily_run_is_overdue_by_more_than_an_hour(app: Flask, stranger: Person) -> None:
    make_todays_slot_due(utcnow())  # some twelve hours ago
    status, told = health(stranger)
    assert (status, told["status"]) == (503, "error")
    assert "overdue" in told["error"]

    run_slot(utcnow().date(), utcnow)
    assert health(stranger) == (200, {"status": "ok"})


@pytest.mark.parametrize(("minutes", "status"), [(50, 200), (70, 503)])
def test_an_hour_is_granted(app: Flask, stranger: Person, minutes: int, status: int) -> None:
    now = utcnow()
    make_todays_slot_due(now)
    stored = db.session.get_one(SettingsVersion, 1)
    schedule = stored.document["SCHEDULE"]
    due = now.astimezone(ZoneInfo(schedule["timezone"])) - timedelta(minutes=minutes)
    document = {"SCHEDULE": schedule | {"run_time": f"{due:%H:%M}"}}
    db.session.execute(update(SettingsVersion).values(document=document))
    db.session.commit()
    assert health(stranger)[0] == status
