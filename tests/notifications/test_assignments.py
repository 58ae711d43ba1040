"""People are told of the jobs that others assign to them: as soon as they say, in one message, and truly."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.jobs import bulk_actions
from jobauto.jobs.bulk_actions import Wanted
from jobauto.jobs.service import JobChange, change
from jobauto.models import Assignment, Job, OutboxMessage
from jobauto.notifications import assignments
from jobauto.notifications.sending import Claimed, claim, mark_sent
from jobauto.users import mail_addresses, service
from tests.detection.running import run_at, save
from tests.fleets import NOON, add_site
from tests.notifications.telling import ADA
from tests.people import Person
from tests.processes import PATIENCE
from tests.racing import both_before_either_commits
from tests.users.mailing import PUBLIC_URL, give, set_up_mail, verified

SOON = NOON + timedelta(seconds=61)
NEXT_HOUR = datetime.fromisoformat("2026-04-01T05:00:00+00:00")
"""06:00 in London, when the daily run is due."""
TO_OSCAR = Wanted("assign", {"assignee": "oscar"})


@pytest.fixture(autouse=True)
def _three_jobs(app: Flask, cast: None) -> None:
    set_up_mail(app)
    for name in ("A", "B", "C"):
        add_site(name)
    run_at()


@pytest.fixture
def _oscar_at_once() -> None:
    verified("oscar", "oscar@example.org")
    settle()


def settle() -> None:
    """Let nothing wait any more, such as the link."""
    db.session.execute(update(OutboxMessage).values(status="sent", settled_at=NOON))
    db.session.commit()


def assign(*job_ids: int, to: str = "oscar", by: str = "ada", at: datetime = NOON) -> None:
    for job_id in job_ids:
        change(job_id, JobChange(assignee=to), by=by, now=at)


def noted() -> int:
    """How many jobs are still to be told, or were told by a message that is kept."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Assignment)) or 0


def told(at: datetime = SOON) -> list[Claimed]:
    """The messages that would be sent now; each is taken as sent."""
    assignments.tell(lambda: at)
    found = []
    while (claimed := claim(at)) is not None:
        mark_sent(claimed, at)
        found.append(claimed)
    return found


@pytest.mark.usefixtures("_oscar_at_once")
def test_all_that_is_assigned_within_a_minute_is_one_message_with_links() -> None:
    assign(1, 2)
    assign(3, at=NOON + timedelta(seconds=59))
    assert told(NOON + timedelta(seconds=60)) == []
    (message,) = told()
    assert message.display_name == "oscar@example.org"
    assert message.title == "jobauto: 3 jobs were assigned to you"
    assert [line for line in message.body.splitlines() if line.startswith("Job")] == [
        f"Job {number}, No Coms: Site {name} ({name}) {PUBLIC_URL}/jobs/{number}"
        for number, name in ((1, "A"), (2, "B"), (3, "C"))
    ]
    assert f"{PUBLIC_URL}/account" in message.body
    assert told(NEXT_HOUR) == [], "it is told once"


@pytest.mark.usefixtures("_oscar_at_once")
def test_what_somebody_takes_for_themselves_is_not_told() -> None:
    assign(1, by="oscar")
    assert told() == []


@pytest.mark.usefixtures("_oscar_at_once")
def test_what_is_closed_or_somebody_elses_by_then_is_left_out_at_each_try() -> None:
    assign(1, 2, 3)
    assignments.tell(lambda: SOON)
    change(1, JobChange(status="closed"), by="ada", now=SOON)
    first = claim(SOON)
    assert first is not None
    assert first.title == "jobauto: 2 jobs were assigned to you"
    db.session.execute(update(OutboxMessage).values(leased_until=None))
    db.session.commit()
    assign(2, to="", at=SOON)
    again = claim(SOON)
    assert again is not None
    assert again.title == "jobauto: job 3 was assigned to you"
    assert db.session.get_one(OutboxMessage, again.id).title == again.title, "it is kept what was said"


@pytest.mark.usefixtures("_oscar_at_once")
def test_where_nothing_is_left_to_tell_nothing_is_sent_and_others_are() -> None:
    verified("ada", "ada@example.org")
    settle()
    assign(1)
    assign(2, to="ada", by="oscar")
    assignments.tell(lambda: SOON)
    assign(1, to="", at=SOON)
    assert [message.display_name for message in told()] == ["ada@example.org"]
    assert db.session.scalar(select(func.count()).where(OutboxMessage.kind == "assigned")) == 1
    assert db.session.scalar(select(func.count()).where(Assignment.job_id == 1)) == 0


def test_once_a_day_is_told_at_the_hour_of_the_daily_run_whether_or_not_there_is_one() -> None:
    save(schedule={"schedule_enabled": False})
    verified("oscar", "oscar@example.org", "daily")
    settle()
    assign(1)
    assert told(NEXT_HOUR - timedelta(seconds=1)) == []
    assign(2, at=NEXT_HOUR - timedelta(minutes=1))
    (message,) = told(NEXT_HOUR)
    assert message.title == "jobauto: 2 jobs were assigned to you"
    assign(3, at=NEXT_HOUR)
    assert told(NEXT_HOUR + timedelta(hours=23)) == []
    assert len(told(NEXT_HOUR + timedelta(hours=24))) == 1


@pytest.mark.parametrize("why", ["no address", "not verified", "never", "deactivated", "replaced"])
def test_who_does_not_want_it_or_cannot_is_not_told(why: str) -> None:
    if why == "not verified":
        give("oscar", "oscar@example.org")
    elif why != "no address":
        verified("oscar", "oscar@example.org", "never" if why == "never" else "at_once")
    settle()
    if why == "replaced":
        give("oscar", "new@example.org")
        settle()
    assign(1)
    assert noted() == (1 if why == "deactivated" else 0)
    if why == "deactivated":
        service.set_active("oscar", False, author=ADA)
    assert told() == []


@pytest.mark.usefixtures("_oscar_at_once")
@pytest.mark.parametrize("is_put", [False, True])
def test_who_wants_it_no_more_does_not_get_what_waited(is_put: bool) -> None:
    assign(1)
    if is_put:
        assignments.tell(lambda: SOON)
    mail_addresses.choose("oscar", "never", author=Author("oscar", SOON))
    assert told() == []
    mail_addresses.choose("oscar", "at_once", author=Author("oscar", SOON))
    assert told(NEXT_HOUR) == []


@pytest.mark.usefixtures("_oscar_at_once")
def test_an_action_on_several_jobs_is_told_when_it_has_ended() -> None:
    bulk_id = bulk_actions.begin(dict.fromkeys((1, 2, 3), ""), TO_OSCAR, by="ada", now=NOON)
    instants = iter([NOON] * 3)  # its process dies before it can say that it has ended
    with pytest.raises(StopIteration):
        bulk_actions.go_on(bulk_id, lambda: next(instants))
    assert told() == []
    bulk_actions.go_on(bulk_id, lambda: SOON)
    (message,) = told()
    assert message.title == "jobauto: 3 jobs were assigned to you"


@pytest.mark.usefixtures("_oscar_at_once")
def test_whoever_gets_a_job_back_because_an_action_is_undone_is_told_nothing() -> None:
    assign(1)
    assert len(told()) == 1
    bulk_id = bulk_actions.begin({1: "oscar"}, Wanted("assign", {"assignee": "ada"}), by="vera", now=SOON)
    bulk_actions.go_on(bulk_id, lambda: SOON)
    undo_id = bulk_actions.begin_undoing(bulk_id, by="vera", now=SOON)
    bulk_actions.go_on(undo_id, lambda: SOON)

    assert db.session.get_one(Job, 1).assignee == "oscar"
    assert told(NEXT_HOUR) == []


@pytest.mark.usefixtures("_oscar_at_once")
def test_jobs_that_are_handed_over_are_told() -> None:
    assign(1, 2, to="ada", by="oscar")
    service.hand_over("ada", "oscar", author=Author("vera", NOON))
    (message,) = told()
    assert message.title == "jobauto: 2 jobs were assigned to you"


@pytest.mark.usefixtures("_oscar_at_once")
def test_whoever_assigns_by_the_api_tells_as_well(ada: Person) -> None:
    assert ada.api("PATCH", "/api/jobs/1/", json={"assignee": "oscar"}).status_code == 200
    assert db.session.scalars(select(Assignment.job_id)).all() == [1]


@pytest.mark.usefixtures("_oscar_at_once")
def test_of_two_processes_that_tell_at_once_one_does(app: Flask) -> None:
    assign(1, 2)

    def tell(_: int) -> int:
        with app.app_context():
            try:
                return assignments.tell(lambda: SOON)
            finally:
                db.session.remove()

    with both_before_either_commits("assignment"), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(tell, range(2), timeout=PATIENCE)) == [0, 1]
    (message,) = told()
    assert message.title == "jobauto: 2 jobs were assigned to you"


@pytest.mark.usefixtures("_oscar_at_once")
def test_many_jobs_are_counted_and_the_first_are_named() -> None:
    for number in range(30):
        add_site(f"N{number}")
    run_at()
    assign(*range(4, 34))
    (message,) = told()
    assert message.title == "jobauto: 30 jobs were assigned to you"
    assert "... and 10 more." in message.body


@pytest.mark.usefixtures("_oscar_at_once")
def test_what_cannot_be_told_is_forgotten_after_a_week() -> None:
    assign(1)
    give("oscar", "new@example.org")
    settle()
    told(NOON + timedelta(days=6))
    assert noted() == 1
    told(NOON + timedelta(days=8))
    assert noted() == 0
