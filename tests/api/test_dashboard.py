"""The numbers of the dashboard: calendar days are those of the schedule's zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.dashboard.queries import dashboard
from jobauto.extensions import db
from jobauto.models import Job, Run
from jobauto.runs.lifecycle import Claim, finish, start
from jobauto.storage.connections import write
from tests.api.fleet import RECENT_JOB, has_shape
from tests.fleets import NOON, add_one_fault_of_each_rule, add_site
from tests.people import Person

DASHBOARD = "/api/job-automation/dashboard/"
LONDON = ZoneInfo("Europe/London")
AUCKLAND = ZoneInfo("Pacific/Auckland")


def add_jobs(*created: str, rule: str = "no_coms") -> None:
    """Jobs created at these instants."""
    site = add_site(f"site-{rule}")
    with write() as session:
        run = Run(
            trigger="cli",
            as_of=NOON,
            started_at=NOON,
            heartbeat_at=NOON,
            finished_at=NOON,
            status="succeeded",
            settings_version=1,
        )
        session.add(run)
        session.flush()
        session.add_all(
            Job(
                site_key=site,
                rule=rule,
                job_type=rule,
                status="open",
                priority="low",
                description="x",
                created_at=datetime.fromisoformat(at),
                run_id=run.id,
                duplicate_checked=False,
            )
            for at in created
        )


def counts(now: str, zone: ZoneInfo = LONDON) -> list[tuple[str, int]]:
    board = dashboard(db.session(), zone, datetime.fromisoformat(now))
    return [(day.label, day.by_rule["no_coms"]) for day in board.daily]


@pytest.mark.parametrize(
    ("created", "now", "zone", "last_two_days"),
    [
        pytest.param(
            "2026-01-15T00:00:00Z",
            "2026-01-15T12:00Z",
            LONDON,
            [("14/01", 0), ("15/01", 1)],
            id="at midnight",
        ),
        pytest.param(
            "2026-01-14T23:59:59.999999Z",
            "2026-01-15T12:00Z",
            LONDON,
            [("14/01", 1), ("15/01", 0)],
            id="a moment before midnight",
        ),
        pytest.param(
            "2026-07-14T23:00:00Z",
            "2026-07-15T12:00Z",
            LONDON,
            [("14/07", 0), ("15/07", 1)],
            id="midnight of summer time",
        ),
        pytest.param(
            "2026-07-14T22:59:59Z",
            "2026-07-14T23:30Z",
            LONDON,
            [("14/07", 1), ("15/07", 0)],
            id="today has just begun in London, not yet in UTC",
        ),
        pytest.param(
            "2026-03-29T23:30:00Z",
            "2026-03-29T23:45Z",
            LONDON,
            [("29/03", 0), ("30/03", 1)],
            id="after the day of 23 hours",
        ),
        pytest.param(
            "2026-03-28T23:30:00Z",
            "2026-03-29T12:00Z",
            LONDON,
            [("28/03", 1), ("29/03", 0)],
            id="before the day of 23 hours",
        ),
        pytest.param(
            "2026-10-25T23:30:00Z",
            "2026-10-25T23:45Z",
            LONDON,
            [("24/10", 0), ("25/10", 1)],
            id="the last hour of the day of 25",
        ),
        pytest.param(
            "2026-10-24T23:00:00Z",
            "2026-10-25T23:45Z",
            LONDON,
            [("24/10", 0), ("25/10", 1)],
            id="the first hour of the day of 25",
        ),
        pytest.param(
            "2026-01-14T11:00:00Z", "2026-01-14T11:30Z", AUCKLAND, [("14/01", 0), ("15/01", 1)], id="Auckland"
        ),
    ],
)
def test_which_day_a_job_counts_for(
    app: Flask, created: str, now: str, zone: ZoneInfo, last_two_days: list[tuple[str, int]]
) -> None:
    add_jobs(created)
    found = counts(now, zone)
    assert found[-2:] == last_two_days
    assert sum(count for _, count in found) == 1


def test_the_week_is_today_and_the_six_days_before(app: Flask) -> None:
    add_jobs(*(f"2026-06-{day:02}T12:00:00Z" for day in range(1, 12)))
    board = dashboard(db.session(), LONDON, datetime(2026, 6, 10, 20, tzinfo=UTC))
    assert [day.day for day in board.daily] == [date(2026, 6, day) for day in range(4, 11)]
    assert (board.created_today, board.created_week) == (1, 7)


def test_a_week_with_a_clock_change_has_seven_days(app: Flask) -> None:
    add_jobs(*(f"2026-03-{day}T23:30:00Z" for day in range(24, 31)))
    assert counts("2026-03-30T12:00:00Z") == [
        ("24/03", 1),
        ("25/03", 1),
        ("26/03", 1),
        ("27/03", 1),
        ("28/03", 1),
        ("29/03", 0),
        ("30/03", 1),
    ]


def test_the_door_answers_with_the_fields_of_the_contract(app: Flask, vera: Person) -> None:
    add_one_fault_of_each_rule()
    now = utcnow()
    db.session.execute(update(Job).values(created_at=now))
    db.session.commit()
    answer = vera.api("GET", DASHBOARD).json
    assert set(answer) == {"summary", "recent_jobs", "daily_stats"}
    assert answer["summary"] == {
        "total_no_coms": 1,
        "total_zero_reads": 1,
        "jobs_created_today": 2,
        "jobs_created_week": 2,
        "last_run": "2026-03-31T12:00:00+00:00",
    }
    assert [set(day) for day in answer["daily_stats"]] == [{"date", "no_coms", "zero_reads"}] * 7
    local = now.astimezone(LONDON).date()
    days = [(local - timedelta(days=back)).strftime("%d/%m") for back in range(6, -1, -1)]
    assert [day["date"] for day in answer["daily_stats"]] == days
    assert answer["daily_stats"][-1] == {"date": days[-1], "no_coms": 1, "zero_reads": 1}
    assert [job["site_id"] for job in answer["recent_jobs"]] == ["flat", "silent"]
    assert all(has_shape(job, RECENT_JOB) for job in answer["recent_jobs"])


def test_an_empty_database_has_zeros_and_no_last_run(app: Flask, vera: Person) -> None:
    answer = vera.api("GET", DASHBOARD).json
    assert answer["summary"] == {
        "total_no_coms": 0,
        "total_zero_reads": 0,
        "jobs_created_today": 0,
        "jobs_created_week": 0,
        "last_run": None,
    }
    assert answer["recent_jobs"] == []
    assert all(day["no_coms"] == day["zero_reads"] == 0 for day in answer["daily_stats"])


def test_a_run_under_way_is_not_the_last_run(app: Flask, vera: Person) -> None:
    def last_run() -> str | None:
        found: str | None = vera.api("GET", DASHBOARD).json["summary"]["last_run"]
        return found

    for before in (None, "2026-03-31T12:00:00+00:00"):
        with db.engine.connect() as connection:
            under_way = start(connection, Claim("cli", None, NOON, NOON, settings_version=1))
            assert last_run() == before
            finish(connection, under_way, "succeeded", NOON)


def test_totals_count_open_jobs_by_the_rule_that_opened_them(app: Flask, vera: Person) -> None:
    add_jobs("2026-01-01T00:00Z", "2026-01-02T00:00Z")
    add_jobs("2026-01-01T00:00Z", rule="zero_reads")
    with write() as session:
        session.execute(update(Job).values(job_type="renamed"))
        session.execute(
            update(Job).where(Job.id == 1).values(status="closed", resolution="fixed", closed_at=NOON)
        )
        session.execute(update(Job).where(Job.id == 2).values(status="on_hold"))
    summary = vera.api("GET", DASHBOARD).json["summary"]
    assert (summary["total_no_coms"], summary["total_zero_reads"]) == (1, 1)


def test_the_twenty_newest_jobs_are_listed_newest_first(app: Flask, vera: Person) -> None:
    add_jobs(*(f"2026-01-01T00:{minute:02}Z" for minute in range(25)))
    listed = [job["id"] for job in vera.api("GET", DASHBOARD).json["recent_jobs"]]
    assert listed == list(range(25, 5, -1))
