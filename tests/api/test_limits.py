"""One caller may ask the API so often a minute and no more; others are not held up by it."""

from contextlib import ExitStack

import pytest
from flask import Flask
from sqlalchemy import insert, select

from jobauto.clock import utcnow
from jobauto.imports.profiles.packed import SIGNATURE
from jobauto.models import Cover, Event, Incident, Job, Site
from jobauto.storage.connections import write
from jobauto.turns import Turns
from jobauto.web import exports, rate_limit
from jobauto.web.api import importing, jobs
from jobauto.web.pages import report
from tests.fleets import NOON, add_one_fault_of_each_rule
from tests.memory import at_most
from tests.people import Answer, Person
from tests.profiles.test_documents import PLAIN

JOBS = "/api/jobs/"


@pytest.fixture
def _three_a_minute(app: Flask) -> None:
    app.config["API_REQUESTS_PER_MINUTE"] = 3


@pytest.mark.usefixtures("_three_a_minute")
@pytest.mark.parametrize("way", ["token", "cookie"])
def test_one_request_too_many_is_429_with_the_time(vera: Person, way: str) -> None:
    def ask() -> int:
        return (vera.api("GET", JOBS) if way == "token" else vera.client.get(JOBS)).status_code

    assert [ask() for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = vera.api("GET", JOBS) if way == "token" else vera.client.open(JOBS)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json["error"].startswith("More than 3 requests in a minute. Try again in ")
    assert refused.json["fields"] == {}


@pytest.mark.usefixtures("_three_a_minute")
def test_each_token_and_each_user_is_counted_alone(vera: Person, oscar: Person) -> None:
    for _ in range(4):
        vera.api("GET", JOBS)
    assert vera.api("GET", JOBS).status_code == 429
    assert vera.client.get(JOBS).status_code == 200
    assert oscar.api("GET", JOBS).status_code == 200


@pytest.mark.usefixtures("_three_a_minute")
def test_pages_have_a_count_of_their_own(vera: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "PAGES", 4)
    assert [vera.get("/jobs/").status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    refused = vera.get("/")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "More than 4 pages in a minute" in refused.text
    assert vera.api("GET", JOBS).status_code == 200


@pytest.mark.parametrize(("most", "statuses"), [(5, [200, 200, 429]), (1, [200, 429, 429])])
def test_an_export_costs_as_much_as_it_has_jobs(
    vera: Person, oscar: Person, monkeypatch: pytest.MonkeyPatch, most: int, statuses: list[int]
) -> None:
    """One that is longer than all that is allowed is still had, once."""
    add_one_fault_of_each_rule()
    monkeypatch.setattr(rate_limit, "EXPORTED", most)
    doors = ("/jobs/export.csv", f"{JOBS}export.csv", "/jobs/export.csv")
    assert [vera.client.get(door).status_code for door in doors] == statuses
    assert vera.get("/jobs/").status_code == 200
    assert oscar.api("GET", f"{JOBS}export.csv").status_code == 200


@pytest.mark.parametrize(
    "door", ["/jobs/export.csv", f"{JOBS}export.csv", "/sites.csv", "/report/report.csv"]
)
def test_few_files_are_made_at_once_because_each_holds_a_thread(vera: Person, door: str) -> None:
    add_one_fault_of_each_rule()
    with ExitStack() as others:
        for _ in range(exports.AT_ONCE):
            others.enter_context(exports.FILES.turn())
        refused = vera.client.get(door)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert "Other files are being made." in refused.text
    assert {vera.client.get(door).status_code for _ in range(exports.AT_ONCE + 1)} == {200}


@pytest.mark.parametrize("door", ["/report/", "/report/report.csv", "/report/sites"])
def test_one_report_is_made_after_the_other(vera: Person, door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a group of its own for each of many sites, each takes hundreds of megabytes."""
    monkeypatch.setattr(report, "REPORTS", reports := Turns(1))
    with reports.turn():
        refused = vera.client.get(door)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert "Other reports are being made." in refused.text
    assert {vera.client.get(door).status_code for _ in range(2)} == {200}


def test_few_searches_of_the_api_go_on_at_once_because_each_looks_into_all_jobs(
    vera: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SEARCHES", searches := Turns(jobs.SEARCHES_AT_ONCE))
    with ExitStack() as others:
        for _ in range(jobs.SEARCHES_AT_ONCE):
            others.enter_context(searches.turn())
        refused = vera.client.get("/api/jobs/?search=pump")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
        assert "Other searches" in refused.text
        assert vera.client.get("/api/jobs/").status_code == 200
    assert vera.client.get("/api/jobs/?search=pump").status_code == 200


def test_a_list_of_sites_asks_what_became_of_its_own_alone(vera: Person) -> None:
    """Where an import had changed 100,000, lists that were asked for at once took a process 900 MB."""
    vera.client.get("/report/sites")
    change = {"subject": "site", "field": "active", "before": "false", "after": "true", "at": utcnow()}
    with write() as session:
        session.execute(insert(Event), [change | {"subject_id": f"S{number}"} for number in range(30_000)])
    with at_most(10):
        assert vera.client.get("/report/sites").status_code == 200


def test_the_jobs_of_a_run_are_sent_like_a_file_and_never_all_in_memory(vera: Person) -> None:
    add_one_fault_of_each_rule()
    with write() as session:
        job = dict(session.execute(select(Job.__table__).limit(1)).mappings().one())
        closed = {"status": "closed", "resolution": "other", "closed_at": job["created_at"]}
        session.execute(insert(Job), [job | closed | {"id": number} for number in range(1_000, 6_000)])
    door = f"/api/job-automation/runs/{job['run_id']}/"
    vera.api("GET", door)

    with at_most(20):
        assert len(vera.api("GET", door).text.split('"site_id"')) > 5_000
    with exports.FILES.turn(), exports.FILES.turn(), exports.FILES.turn():
        assert vera.api("GET", door).status_code == 429


def test_the_history_of_a_job_is_sent_as_it_is_read(vera: Person) -> None:
    """With 10,000 long notes, which a token may write, one answer took 320 MB."""
    add_one_fault_of_each_rule()
    note = {"subject": "job", "subject_id": "1", "field": "note", "after": "n" * 2_000, "at": NOON}
    with write() as session:
        session.execute(insert(Event), [note] * 5_000)
    vera.client.get("/api/jobs/2/")
    with at_most(15):  # of which the client has 10 MB
        answer = vera.client.get("/api/jobs/1/")
        assert sum(map(len, answer.iter_encoded())) > 10_000_000


def test_the_sites_of_an_incident_are_sent_like_a_file_and_never_all_in_memory(
    vera: Person, oscar: Person
) -> None:
    """With 60,000 of them, answers that were asked for at once took a process 340 MB."""
    add_one_fault_of_each_rule()
    common = {"capacity_kwp": 10, "first_seen_at": NOON, "site_name": "n" * 100}
    with write() as session:
        session.execute(insert(Site), [{"site_id": f"C{number}", **common} for number in range(10_000)])
        keys = session.scalars(select(Site.key).where(Site.site_id.startswith("C")))
        session.execute(insert(Cover), [{"site_key": key, "job_id": 1, "run_id": 1} for key in keys])
        job = session.get_one(Job, 1)
        job.covers = 10_000
        session.add(
            Incident(job_id=1, site_key=job.site_key, source="", job_type=job.job_type, state="covering")
        )
    vera.api("GET", "/api/jobs/2/")
    with at_most(8):  # of which the client has 2 MB
        assert vera.api("GET", "/api/jobs/1/").text.count('"site_id":"C') == 10_000
    with exports.FILES.turn(), exports.FILES.turn(), exports.FILES.turn():
        assert vera.api("GET", "/api/jobs/1/").status_code == 429
        assert vera.api("GET", "/api/jobs/2/").status_code == 200
        assert oscar.api("PATCH", "/api/jobs/1/", json={"status": "in_progress"}).status_code == 429
    assert vera.api("GET", "/api/jobs/1/").json["status"] == "open", "what is refused has changed nothing"
    assert oscar.api("PATCH", "/api/jobs/1/", json={"status": "in_progress"}).json["status"] == "in_progress"
    assert vera.api("GET", "/api/jobs/1/").status_code == 200


@pytest.mark.parametrize("door", ["/api/readings/", "/api/sites/", "/api/readings/?profile=feed"])
def test_few_large_bodies_are_in_hand_at_once_because_each_takes_memory(
    oscar: Person, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(length: int) -> Answer:
        return oscar.api("POST", door, data=b"[]".ljust(length), content_type="application/json")

    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN)
    with ExitStack() as others:
        monkeypatch.setattr(importing, "LARGE_BODIES", bodies := Turns(1))
        others.enter_context(bodies.turn())
        refused = send(256_001)
        assert send(256_000).status_code != 429
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert "so this one was not taken" in refused.json["error"]
    assert 429 not in {send(256_001).status_code for _ in range(importing.AT_ONCE + importing.IN_LINE + 1)}


def test_a_small_archive_is_in_hand_as_a_large_body_for_it_is_unpacked_in_memory(
    oscar: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    oscar.api("PUT", "/api/profiles/feed/", json=PLAIN)
    monkeypatch.setattr(importing, "LARGE_BODIES", bodies := Turns(1))
    with bodies.turn():
        statuses = [
            oscar.api("POST", "/api/readings/?profile=feed", data=body).status_code
            for body in (SIGNATURE, b"x")
        ]
    assert statuses == [429, 422]


def test_thousands_a_minute_are_allowed_by_default(app: Flask) -> None:
    assert app.config["API_REQUESTS_PER_MINUTE"] >= 6000
