"""The steps of the work: who may do what from where, and what is kept of it."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from jobauto.audit import queries as audit
from jobauto.errors import InvalidInput
from jobauto.extensions import db
from jobauto.jobs import bulk_actions
from jobauto.jobs.bulk_actions import Wanted
from jobauto.jobs.export import as_csv
from jobauto.jobs.queries import JobFilter, jobs_matching, next_in_view
from jobauto.jobs.service import NOTE_LENGTH, SEARCHED_NOTES, JobChange, change
from jobauto.jobs.sorting import SORTS
from jobauto.models import Job
from jobauto.spreadsheets import harmless
from tests.databases import POSTGRESQL, SQLITE, opened
from tests.detection.running import jobs, later, run_at, save, work
from tests.fleets import NOON, add_site, daily, days_before
from tests.people import Person

LONDON = ZoneInfo("Europe/London")


def two_faults() -> None:
    """One silent site, one that stands still, in two groups, each with an open job."""
    add_site("QUIET-1", daily([1, 2], days_before(9)), site_name="Mill Lane", group="north")
    add_site("STUCK-1", daily([5] * 6), site_name="100% Orchard_Close", group="south")
    save(zero_reads={"priority": "high", "queue": "Meters"})
    run_at()


@pytest.fixture
def fleet(app: Flask) -> None:
    """These."""
    two_faults()


@pytest.fixture(scope="module", params=[SQLITE, POSTGRESQL])
def lasting_fleet(request: pytest.FixtureRequest) -> Iterator[None]:
    """These, for tests that leave them as they are."""
    with request.getfixturevalue(request.param).fresh() as uri, opened(uri):
        two_faults()
        yield


def found(**wanted: object) -> list[str]:
    """The sites of the jobs that a filter finds at a day after noon."""
    query = jobs_matching(JobFilter(**wanted), later(24))  # type: ignore[arg-type]
    return [job.site.site_id for job in db.session.scalars(query)]


@pytest.mark.parametrize(
    ("wanted", "sites"),
    [
        ({}, ["STUCK-1", "QUIET-1"]),
        ({"sort": "oldest"}, ["QUIET-1", "STUCK-1"]),
        ({"sort": "longest"}, ["QUIET-1", "STUCK-1"]),
        ({"sort": "priority"}, ["STUCK-1", "QUIET-1"]),
        ({"sort": "site"}, ["QUIET-1", "STUCK-1"]),
        ({"rule": "no_coms"}, ["QUIET-1"]),
        ({"status": "unclosed"}, ["STUCK-1", "QUIET-1"]),
        ({"status": "closed"}, []),
        ({"group": "north"}, ["QUIET-1"]),
        ({"priority": "high"}, ["STUCK-1"]),
        ({"queue": "Meters"}, ["STUCK-1"]),
        ({"assignee": "-"}, ["STUCK-1", "QUIET-1"]),
        ({"assignee": "oscar"}, []),
        ({"recovered": "no"}, ["STUCK-1", "QUIET-1"]),
        ({"recovered": "yes"}, []),
        ({"min_age": 1}, ["STUCK-1", "QUIET-1"]),
        ({"min_age": 2}, []),
        ({"site_id": "STUCK-1"}, ["STUCK-1"]),
        ({"search": "mill"}, ["QUIET-1"]),
        ({"search": "stuck-"}, ["STUCK-1"]),
        ({"search": "100%"}, ["STUCK-1"]),
        ({"search": "d_C"}, ["STUCK-1"]),
        ({"search": "_"}, ["STUCK-1"]),
        ({"search": "1"}, ["STUCK-1", "QUIET-1"]),
        ({"search": "#1"}, ["QUIET-1"]),
        ({"search": "#2 close"}, ["STUCK-1"]),
        ({"search": "#3"}, []),
        ({"search": "generation"}, ["STUCK-1"]),
        ({"search": "reading:"}, ["QUIET-1"]),
        ({"search": "03"}, []),
    ],
    ids=str,
)
def test_the_list_is_narrowed_and_sorted(
    lasting_fleet: None, wanted: dict[str, object], sites: list[str]
) -> None:
    assert found(**wanted) == sites


def test_the_longest_fault_is_the_one_that_began_first_and_one_without_a_beginning_is_longer(
    app: Flask,
) -> None:
    ages = {"ten": 10, "twenty": 20, "five": 5}
    add_site("four", daily([7] * 5))
    for name, age in ages.items():
        add_site(name, {days_before(age): 1})
    add_site("never")
    run_at()
    add_site("another never")
    run_at(later(1))
    assert found(sort="longest") == ["never", "another never", "twenty", "ten", "five", "four"]


def test_every_sort_order_runs(app: Flask, fleet: None) -> None:
    assert {name: len(found(sort=name)) for name in SORTS} == dict.fromkeys(SORTS, 2)


def test_a_note_is_written_beside_no_more_than_the_newest_of_many(app: Flask, fleet: None) -> None:
    for note in ("firstly", *["x" * NOTE_LENGTH] * (SEARCHED_NOTES // NOTE_LENGTH), "lastly"):
        change(1, JobChange(note=note), by="oscar", now=NOON)

    assert len(db.session.get_one(Job, 1).search_notes) == SEARCHED_NOTES
    assert (found(search="firstly"), found(search="lastly")) == ([], ["QUIET-1"])


def test_several_jobs_change_at_once_and_what_is_refused_is_named(
    app: Flask, fleet: None, oscar: Person
) -> None:
    quiet, stuck = (job.id for job in jobs())

    def at_once(*job_ids: int, action: str, **values: str) -> set[int]:
        begun = bulk_actions.begin(dict.fromkeys(job_ids, ""), Wanted(action, values), by="oscar", now=NOON)
        bulk_actions.go_on(begun, lambda: NOON)
        return {job_id for job_id, _ in db.session.execute(bulk_actions.refused(begun))}

    at_once(quiet, stuck, action="close", status="closed", resolution="fixed")
    run_at(later(1))  # both faults hold: two new jobs

    assert at_once(quiet, stuck, 999, action="reopen", status="open") == {quiet, stuck, 999}
    assert [job.status for job in jobs()] == ["closed", "closed", "open", "open"]


@pytest.mark.parametrize("sort", SORTS)
def test_the_next_job_and_the_one_before_are_those_of_the_list(app: Flask, sort: str) -> None:
    for number, age in enumerate((10, 20, 5, 10)):
        add_site(f"S{number}", {days_before(age): 1})
    add_site("never")
    run_at()
    add_site("another never")
    run_at(later(1))
    change(2, JobChange(priority="high"), by="oscar", now=NOON)
    change(5, JobChange(priority="low"), by="oscar", now=NOON)
    wanted = JobFilter(status="unclosed", sort=sort)
    listed = db.session.scalars(jobs_matching(wanted, NOON)).all()

    def neighbours(back: bool) -> list[int | None]:
        return [db.session.scalar(next_in_view(job, wanted, NOON, back=back)) for job in listed]

    ids = [job.id for job in listed]
    assert len(ids) == 6
    assert neighbours(back=False) == [*ids[1:], None]
    assert neighbours(back=True) == [None, *ids[:-1]]


def test_the_next_job_of_one_that_has_left_the_view_is_that_of_its_place(app: Flask, fleet: None) -> None:
    wanted = JobFilter(status="unclosed")
    change(2, JobChange(status="closed"), by="oscar", now=NOON)
    assert db.session.scalar(next_in_view(db.session.get_one(Job, 2), wanted, NOON)) == 1


def test_closing_reopening_and_notes_are_kept_with_who_and_when(
    app: Flask, fleet: None, oscar: Person
) -> None:
    job_id = jobs()[0].id
    change(job_id, JobChange(status="closed"), by="oscar", now=later(1))
    change(job_id, JobChange(status="open", assignee="oscar", note="Not yet."), by="ada", now=later(2))

    job = db.session.get_one(Job, job_id)
    assert (job.status, job.resolution, job.closed_at, job.closed_by, job.touched) == (
        "open",
        None,
        None,
        None,
        True,
    )
    events = db.session.scalars(audit.events_for("job", job_id)).all()
    assert [(e.at, e.who, e.field, e.before, e.after) for e in events] == [
        (later(1), "oscar", "status", "open", "closed"),
        (later(1), "oscar", "resolution", None, "other"),
        (later(2), "ada", "status", "closed", "open"),
        (later(2), "ada", "resolution", "other", None),
        (later(2), "ada", "assignee", None, "oscar"),
        (later(2), "ada", "note", None, "Not yet."),
    ]


def test_a_change_that_is_refused_leaves_nothing_behind(app: Flask, fleet: None) -> None:
    job_id = jobs()[0].id

    with pytest.raises(InvalidInput) as refused:
        change(job_id, JobChange(status="closed", priority="urgent", assignee="nobody"), by="oscar", now=NOON)

    assert set(refused.value.fields) == {"priority", "assignee"}
    assert db.session.get_one(Job, job_id).status == "open"
    assert db.session.scalars(audit.events_for("job", job_id)).all() == []


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_calculate_is_made_harmless(start: str) -> None:
    assert harmless(start) == f"'{start}"


def test_jobs_come_out_as_csv_with_hostile_names_harmless(app: Flask, fleet: None) -> None:
    add_site("=cmd", site_name='=HYPERLINK("x"),"y"')
    run_at(later(1))

    lines = "".join(as_csv(jobs_matching(JobFilter(site_id="=cmd"), NOON), LONDON, NOON)).splitlines()

    assert len(lines) == 2
    assert '"\'=cmd",' in lines[1]
    assert '"\'=HYPERLINK(""x""),""y"""' in lines[1]


def test_the_csv_is_what_a_spreadsheet_takes(app: Flask) -> None:
    add_site("L1", {days_before(44): 1}, site_name="línea; =1+1")
    run_at()
    work(jobs()[0], "closed")

    text = "".join(as_csv(jobs_matching(JobFilter(), NOON), LONDON, NOON))

    assert text.startswith('\ufeff"id","site_id","site_name",'), (
        "a byte-order mark: Excel shows lÃ­nea without"
    )
    heading, row = (line.split(",") for line in text.removeprefix("\ufeff").splitlines())
    assert all(cell[0] == cell[-1] == '"' for cell in (*heading, *row)), "every cell is quoted"
    told = dict(zip(heading, row, strict=True))
    assert heading[-4:] == ['"created_local"', '"closed_local"', '"recovered_local"', '"faulty_days"']
    assert told['"created_at"'] == told['"closed_at"'] == '"2026-03-31 12:00:00"'
    assert told['"created_local"'] == told['"closed_local"'] == '"2026-03-31 13:00:00"'
    assert told['"recovered_at"'] == told['"recovered_local"'] == '""'
    assert told['"faulty_days"'] == '"44"'
