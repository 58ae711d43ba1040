"""What machines that watch this one are told."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import event, update

from jobauto import create_app
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import SettingsVersion
from jobauto.work.slots import run_slot
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


def test_that_the_process_answers_is_told_without_a_word_to_the_database(app: Flask, ada: Person) -> None:
    sent: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *told: sent.append(told[2]))
    for answer in (ada.get("/livez"), ada.api("GET", "/livez"), ada.client.open("/livez", method="HEAD")):
        assert answer.status_code == 200
    assert ada.get("/livez").json == {"status": "ok"}
    assert sent == []
    make_todays_slot_due(utcnow())
    assert (ada.get("/livez").status_code, ada.get("/healthz").status_code) == (200, 503)


def test_a_process_whose_database_is_away_lives(tmp_path: Path) -> None:
    gone = {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path}/no/such/folder/x", "SECRET_KEY": "tests"}
    client = create_app(gone).test_client()
    assert (client.get("/livez").status_code, client.get("/healthz").status_code) == (200, 503)
