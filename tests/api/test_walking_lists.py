"""A script that walks a list while it changes misses nothing and repeats nothing; and the lists' filters."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from jobauto.jobs.service import JobChange, change
from jobauto.models import Job
from jobauto.storage.connections import write
from tests.api.fleet import JOB, PAGE, has_shape
from tests.detection.running import jobs, later, run_at, save
from tests.fleets import NOON, add_readings, add_site, daily, days_before
from tests.pages.scenes import add_import
from tests.people import Person


def walk(person: Person, address: str, first: dict[str, object]) -> list[int]:
    """The ids of a list that is newest first, taken by the last id of each part."""
    ids: list[int] = []
    part = first
    while part["items"]:
        ids += [item["id"] for item in part["items"]]  # type: ignore[attr-defined]
        part = person.api("GET", f"{address}&before_id={ids[-1]}").json
    return ids


def test_jobs_that_come_and_go_meanwhile_shift_nothing(app: Flask, vera: Person) -> None:
    for number in range(5):
        add_site(f"S{number}")
    run_at()
    address = "/api/jobs/?status=open&per_page=2"
    first = vera.api("GET", address).json
    add_site("new")
    run_at(later(1))
    change(jobs()[-2].id, JobChange(status="closed"), by="ada", now=NOON)
    assert walk(vera, address, first) == [5, 4, 3, 2, 1]


def test_runs_and_imports_are_walked_in_the_same_way(app: Flask, vera: Person) -> None:
    for hours in range(3):
        run_at(later(hours))
        add_import(status="finished")
    add_import(status="finished", dry_run=True)
    for address in ("/api/job-automation/runs/?per_page=2", "/api/imports/?per_page=2"):
        assert walk(vera, address, vera.api("GET", address).json) == [3, 2, 1], address


def test_sites_are_walked_by_the_last_id(app: Flask, vera: Person) -> None:
    for number in range(5):
        add_site(f"S{number}")
    found = []
    last = ""
    while items := vera.api("GET", f"/api/sites/?per_page=2&after={last}").json["items"]:
        found += [site["site_id"] for site in items]
        last = found[-1]
        add_site(f"A{len(found)}")
    assert found == ["S0", "S1", "S2", "S3", "S4"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("assignee=oscar", ["silent"]),
        ("assignee=-", ["flat"]),
        ("assignee=nobody", []),
        ("group=North", ["flat"]),
        ("priority=high", ["flat"]),
        ("queue=Meters", ["flat"]),
        ("recovered=true", ["flat"]),
        ("recovered=false", ["silent"]),
        ("search=house", ["silent"]),
    ],
)
def test_the_filters_of_jobs(app: Flask, vera: Person, asked: str, found: list[str]) -> None:
    add_site("silent", {days_before(9): 100}, site_name="Silent House")
    key = add_site("flat", daily([7, 7, 7, 7]), group="North")
    save(zero_reads={"priority": "high", "queue": "Meters"})
    run_at()
    add_readings(key, {later(1): 9})
    run_at(later(2))
    with write() as session:
        session.execute(update(Job).where(Job.rule == "no_coms").values(assignee="oscar"))
    answer = vera.api("GET", f"/api/jobs/?{asked}").json
    assert [job["site_id"] for job in answer["items"]] == found
    assert all(has_shape(job, JOB) for job in answer["items"])
    exported = vera.api("GET", f"/api/jobs/export.csv?{asked}").text
    assert len(exported.splitlines()) == len(found) + 1


def test_readings_of_a_site_newest_first_between_two_instants_both_included(app: Flask, vera: Person) -> None:
    add_site("S/1", {NOON - timedelta(hours=hours): f"{100 - hours}.5" for hours in range(6)})
    address = "/api/sites/S%2F1/readings/"
    answer = vera.api("GET", f"{address}?per_page=1000").json
    assert has_shape(answer, PAGE)
    assert answer["total"] == 6
    assert answer["items"][0] == {
        "reading_date": "2026-03-31T12:00:00Z",
        "reading_value": "100.50",
        "quality": "good",
    }
    # noon in UTC is 13:00 in London
    asked = "from=2026-03-31T11:00&to=2026-03-31T11:00Z"
    between = vera.api("GET", f"{address}?{asked}").json["items"]
    assert [reading["reading_value"] for reading in between] == ["99.50", "98.50"]
    assert vera.api("GET", f"{address.rstrip('/')}?to=2999-01-01T00:00").json["total"] == 6
    assert vera.api("GET", "/api/sites/nobody/readings/").status_code == 404


def test_an_import_is_told_with_what_can_be_undone_so_far(app: Flask, vera: Person) -> None:
    add_import(status="finished", new=3)
    (entry,) = vera.api("GET", "/api/imports/").json["items"]
    assert list(entry) == [
        *("id", "kind", "profile", "filename", "status", "requested_by", "requested_at", "finished_at"),
        *("new", "updated", "unchanged", "rejected", "undone_at", "undo_until"),
    ]
    assert (entry["kind"], entry["filename"], entry["new"]) == ("readings", "march.csv", 3)
    assert entry["profile"] is entry["undone_at"] is entry["undo_until"] is None
