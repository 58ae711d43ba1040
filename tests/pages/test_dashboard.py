"""The dashboard: what there is to do, and whether the check is well."""

import json
import re
from datetime import UTC, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.jobs.service import JobChange, change
from jobauto.models import Job, Site
from jobauto.settings import service as settings
from jobauto.storage.connections import write
from tests.fleets import add_site, daily
from tests.pages.reading import words
from tests.pages.scenes import SILENT, add_run, faulty_fleet
from tests.people import Person
from tests.runs.fleet import owe_slots_since


def test_the_cards_count_open_jobs_by_rule_and_created_ones_by_day(ada: Person, run_id: int) -> None:
    change(1, JobChange(status="closed"), by="ada", now=utcnow())
    text = words(ada.get("/"))
    assert "Open No Coms 0 jobs not closed" in text
    assert "Open Zero Reads 1 jobs not closed" in text
    assert "Created today 2 since midnight" in text
    assert "Created this week 2" in text


def test_a_card_leads_to_the_jobs_that_it_counts(ada: Person, run_id: int) -> None:
    assert 'href="/jobs/?status=unclosed&amp;rule=no_coms"' in ada.get("/").text


def test_created_jobs_lead_to_just_those(ada: Person, run_id: int) -> None:
    """Of the schedule's days, as they are counted."""
    today = utcnow().astimezone(ZoneInfo("Pacific/Kiritimati"))
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    _schedule(timezone="Pacific/Kiritimati")
    with write() as session:
        at = midnight - timedelta(microseconds=1)
        session.execute(update(Job).where(Job.id == 1).values(created_at=at))
    page = ada.get("/")
    for label, behind in (("today", {2}), ("this week", {1, 2})):
        assert f"Created {label} {len(behind)}" in words(page)
        address = re.search(rf'href="([^"]+)">Created {label}<', page.text)
        assert address
        rows = ada.get(unescape(address[1])).text
        assert {int(number) for number in re.findall(r'href="/jobs/(\d+)"', rows)} == behind


def test_what_could_not_be_assessed_is_led_to(ada: Person, run_id: int) -> None:
    page = ada.get("/")
    assert "1 site could not be assessed." in words(page)
    assert 'href="/sites/?state=unassessable">not assessed</a>' in page.text
    assert "1 site" in words(ada.get("/sites/?state=unassessable"))


def test_the_chart_and_its_table_have_the_same_numbers(ada: Person, run_id: int) -> None:
    page = ada.get("/")
    source = re.search(r'<script type="application/json" id="daily-data">(.*?)</script>', page.text)
    assert source
    chart = json.loads(source[1])
    assert len(chart["labels"]) == 7
    assert {series["title"]: series["values"][-1] for series in chart["series"]} == {
        "No Coms": 1,
        "Zero Reads": 1,
    }
    rows = re.findall(r'<th scope="row"><a [^>]+>(\d\d/\d\d).*?</th>(.*?)</tr>', page.text, re.DOTALL)
    counts = [[int(number) for number in re.findall(r">(\d+)</td>", cells)] for _, cells in rows]
    assert [label for label, _ in rows] == chart["labels"]
    assert counts == [
        list(day) for day in zip(*(series["values"] for series in chart["series"]), strict=True)
    ]


def test_the_table_is_open_until_a_script_has_drawn_the_chart(ada: Person) -> None:
    page = ada.get("/").text
    assert '<details class="chart-numbers" open>' in page
    assert '<div class="chart-frame" hidden>' in page


def test_recent_jobs_are_listed_newest_first(ada: Person, run_id: int) -> None:
    text = words(ada.get("/"))
    assert text.index("#2 Flat roof") < text.index("#1 Silent roof")


def test_the_last_run_is_told_in_words(ada: Person, run_id: int) -> None:
    text = words(ada.get("/"))
    assert "Run 1 Succeeded" in text
    assert "No Coms: checked 4 sites, 1 flagged, 1 could not be assessed; opened 1 new job." in text


def test_sites_with_open_jobs_are_told_among_all_that_are_active(ada: Person, run_id: int) -> None:
    assert "2 of 4 active sites have an open job whose fault holds" in words(ada.get("/"))


def test_an_inactive_site_counts_neither_as_active_nor_as_faulty(ada: Person, run_id: int) -> None:
    with write() as session:
        session.execute(update(Site).where(Site.site_id == SILENT).values(active=False))
    assert "1 of 3 active sites has an open job whose fault holds" in words(ada.get("/"))


def test_a_fleet_without_faults_is_called_so(ada: Person) -> None:
    for number in range(3):
        add_site(f"S{number}", daily(range(5), utcnow()))
    run(RunParameters(trigger="cli"), utcnow)
    assert "No open faults All 3 active sites have been checked." in words(ada.get("/"))


def test_without_sites_it_says_how_to_import_some(ada: Person) -> None:
    assert "No sites yet Import some here, or with jobauto import-sites FILE" in words(ada.get("/"))


def test_without_readings_it_says_how_to_import_some(ada: Person) -> None:
    add_site()
    assert "No readings yet Import some here, or with jobauto import-readings FILE" in words(ada.get("/"))


def test_before_the_first_run_it_does_not_call_the_fleet_fine(ada: Person) -> None:
    faulty_fleet()
    text = words(ada.get("/"))
    assert "The fleet has not been checked yet" in text
    assert "No jobs yet" in text
    assert "Never: the fleet has not been checked yet." in text


@pytest.mark.parametrize(
    ("status", "headline"),
    [
        ("failed", "The last run failed"),
        ("partial", "One rule failed in the last run"),
        ("crashed", "The last run crashed"),
    ],
)
def test_a_last_run_that_went_wrong_matters_more_than_its_figures(
    ada: Person, run_id: int, status: str, headline: str
) -> None:
    add_run(status)
    text = words(ada.get("/"))
    assert headline in text
    assert "have an open job" not in text


def test_a_run_under_way_is_told_with_the_way_to_it(ada: Person) -> None:
    under_way = add_run("running")
    page = ada.get("/")
    assert "A run is under way" in words(page)
    assert f'href="/runs/{under_way}"' in page.text


def test_the_next_run_is_told_on_the_schedules_clocks(ada: Person) -> None:
    soon = (utcnow() + timedelta(hours=1)).astimezone(ZoneInfo("Asia/Kolkata"))
    _schedule(run_time=f"{soon:%H:%M}", timezone="Asia/Kolkata")
    assert f"Next run Schedule {soon:%Y-%m-%d %H:%M}" in words(ada.get("/"))


@pytest.mark.parametrize(
    ("statuses", "days_ahead"),
    [
        pytest.param([], 0, id="today's is to come"),
        pytest.param(["succeeded"], 1, id="today's is done"),
        pytest.param(["crashed"] * 2, 0, id="today's crashed, and is tried again"),
        pytest.param(["crashed"] * 3, 0, id="today's has crashed often, and is tried again later"),
    ],
)
def test_no_run_is_promised_of_a_date_that_gets_none(
    ada: Person, statuses: list[str], days_ahead: int
) -> None:
    _schedule(timezone="Asia/Kolkata", run_time="00:00")
    now = utcnow().astimezone(ZoneInfo("Asia/Kolkata"))
    owe_slots_since(now - timedelta(days=2))
    for status in statuses:
        add_run(status, slot=now.date())
    assert _promised(ada) == f"{now.date() + timedelta(days=days_ahead)} 00:00"


def test_no_run_is_promised_of_a_date_that_was_done_further_east(ada: Person) -> None:
    zone = ZoneInfo("America/Los_Angeles")
    today = utcnow().astimezone(zone).date()
    for ahead in (0, 1):
        add_run("succeeded", slot=today + timedelta(days=ahead))
    _schedule(timezone=zone.key, run_time="06:00")
    assert _promised(ada) == f"{today + timedelta(days=2)} 06:00"


def _promised(person: Person) -> str:
    found = re.search(r"Next run Schedule (?:Due since )?([0-9-]+ [0-9:]+)", words(person.get("/")))
    assert found
    return found[1]


def test_a_schedule_that_is_off_is_told(ada: Person) -> None:
    _schedule(schedule_enabled=False)
    assert "None: the daily schedule is switched off." in words(ada.get("/"))


def test_run_now_leads_to_the_page_of_the_run(app: Flask, oscar: Person) -> None:
    faulty_fleet()
    answer = oscar.post("/run-now")
    assert answer.location == "/runs/1"
    assert "opened 1 new job" in words(oscar.get("/runs/1"))
    assert oscar.get("/runs/requests/1").status_code == 404, "without a broker there is nothing to wait for"


def test_run_now_beside_another_run_is_told_on_the_page(oscar: Person) -> None:
    add_run("running")
    assert oscar.post("/run-now").location == "/"
    assert "A run is already under way. Wait until it has finished." in words(oscar.get("/"))


def test_only_those_who_may_run_see_the_button(oscar: Person, vera: Person) -> None:
    assert "Run now" in oscar.get("/").text
    assert "Run now" not in vera.get("/").text
    assert vera.post("/run-now").status_code == 403


def test_a_second_run_that_opens_nothing_is_the_last_run_all_the_same(ada: Person, run_id: int) -> None:
    run(RunParameters(trigger="manual", requested_by="oscar"), utcnow)
    assert "Run 2 Succeeded" in words(ada.get("/"))


def _schedule(**values: object) -> None:
    settings.save(lambda before: before.changed({"SCHEDULE": values}), by="ada", now=utcnow())
