"""Several jobs at once: each on its own, never twice, and undone only where it still stands."""

from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from jobauto.audit import queries as audit
from jobauto.clock import utcnow
from jobauto.errors import InvalidInput
from jobauto.extensions import db
from jobauto.jobs import bulk_actions
from jobauto.jobs.bulk_actions import KEPT_FOR, STALE_AFTER, UNDO_FOR, Wanted
from jobauto.jobs.queries import JobFilter, jobs_matching
from jobauto.jobs.service import JobChange, change
from jobauto.models import BulkAction, BulkJob, Event
from jobauto.storage.connections import write
from tests.detection.running import jobs, later, run_at
from tests.fleets import NOON, add_site
from tests.pages.reading import words
from tests.people import Person

TO_OSCAR = Wanted("assign", {"assignee": "oscar"})
CLOSED = Wanted("close", {"status": "closed", "resolution": "fixed", "note": "Storm."})


@pytest.fixture(autouse=True)
def _three_jobs(app: Flask, ada: Person, oscar: Person) -> None:
    for name in ("A", "B", "C"):
        add_site(name)
    run_at()


def do(wanted: Wanted, *job_ids: int) -> int:
    """Oscar does it, at jobs that the list showed as nobody's."""
    bulk_id = bulk_actions.begin(dict.fromkeys(job_ids or (1, 2, 3), ""), wanted, by="oscar", now=NOON)
    bulk_actions.go_on(bulk_id, lambda: NOON)
    return bulk_id


def undo(bulk_id: int) -> int:
    undo_id = bulk_actions.begin_undoing(bulk_id, by="oscar", now=later(1))
    bulk_actions.go_on(undo_id, lambda: later(1))
    return undo_id


def left_alone(bulk_id: int) -> dict[int, str | None]:
    return {job_id: why for job_id, why in db.session.execute(bulk_actions.refused(bulk_id))}  # noqa: C416


def by_ada(job_id: int, **values: str) -> None:
    change(job_id, JobChange(**values), by="ada", now=later(0.5))


def states() -> list[tuple[str, str | None, str | None, str]]:
    db.session.rollback()
    return [(job.status, job.resolution, job.assignee, job.priority) for job in jobs()]


@pytest.mark.parametrize(
    ("wanted", "becomes"),
    [
        (TO_OSCAR, ("open", None, "oscar", "medium")),
        (CLOSED, ("closed", "fixed", None, "medium")),
        (Wanted("status", {"status": "on_hold"}), ("on_hold", None, None, "medium")),
        (Wanted("priority", {"priority": "high"}), ("open", None, None, "high")),
    ],
    ids=lambda value: value.action if isinstance(value, Wanted) else "",
)
def test_what_was_done_is_undone_and_both_stand_in_the_history(
    wanted: Wanted, becomes: tuple[str, str | None, str | None, str]
) -> None:
    bulk_id = do(wanted)
    assert states() == [becomes] * 3
    undo_id = undo(bulk_id)
    assert states() == [("open", None, None, "medium")] * 3
    history = db.session.scalars(audit.events_for("job", 1)).all()
    assert {event.bulk_id for event in history} == {bulk_id, undo_id}
    assert {(event.who, event.at) for event in history} == {("oscar", NOON), ("oscar", later(1))}


def test_a_queue_is_set_and_given_back() -> None:
    bulk_id = do(Wanted("queue", {"queue": " Roofs "}))
    assert {job.queue for job in jobs()} == {"Roofs"}
    undo(bulk_id)
    db.session.rollback()
    assert {job.queue for job in jobs()} == {""}


@pytest.mark.parametrize(
    "meanwhile",
    [[{"assignee": "ada"}], [{"assignee": "ada"}, {"assignee": "oscar"}], [{"assignee": ""}]],
    ids=["given away", "given away and back", "taken"],
)
def test_what_somebody_has_changed_since_is_not_undone(meanwhile: list[dict[str, str]]) -> None:
    bulk_id = do(TO_OSCAR)
    for values in meanwhile:
        by_ada(2, **values)
    before = states()[1]
    undo_id = undo(bulk_id)
    assert states() == [("open", None, None, "medium"), before, ("open", None, None, "medium")]
    assert left_alone(undo_id) == {2: "ada has changed it since."}


def test_what_somebody_has_changed_besides_stays_when_the_rest_is_undone() -> None:
    bulk_id = do(TO_OSCAR)
    by_ada(2, priority="high", note="Rang them.")
    assert left_alone(undo(bulk_id)) == {}
    assert states()[1] == ("open", None, None, "high")


def test_only_what_was_changed_is_undone_and_only_once() -> None:
    by_ada(1, assignee="oscar")
    bulk_id = do(TO_OSCAR)
    assert left_alone(bulk_id) == {1: "oscar has it already."}
    undo_id = undo(bulk_id)
    assert states()[0][2] == "oscar"
    do(TO_OSCAR)
    assert undo(bulk_id) == undo_id
    assert [assignee for _, _, assignee, _ in states()] == ["oscar"] * 3


def test_neither_what_is_under_way_nor_an_undoing_is_undone_nor_what_changed_nothing() -> None:
    under_way = bulk_actions.begin({1: ""}, TO_OSCAR, by="oscar", now=NOON)
    undoing = undo(do(CLOSED, 2))
    by_ada(3, assignee="oscar")
    for bulk_id in (under_way, undoing, do(TO_OSCAR, 3)):
        with pytest.raises(InvalidInput, match="Nothing was undone"):
            undo(bulk_id)


def test_what_cannot_be_undone_any_more_is_forgotten_and_nothing_else(oscar: Person) -> None:
    """Within fourteen days it can; a day later its jobs are known from their own history alone."""
    old = do(TO_OSCAR)
    begun_later = bulk_actions.begin({1: "oscar"}, CLOSED, by="oscar", now=NOON)
    at_last, too_late = NOON + UNDO_FOR - timedelta(seconds=1), NOON + UNDO_FOR
    assert [bulk_actions.may_undo(old, at) for at in (at_last, too_late)] == [True, False]
    with pytest.raises(InvalidInput, match="Nothing was undone"):
        bulk_actions.begin_undoing(old, by="oscar", now=too_late)

    for at, kept in ((too_late, {old, begun_later}), (NOON + KEPT_FOR, {begun_later})):
        bulk_actions.expire(at)
        assert set(db.session.scalars(select(BulkJob.bulk_id))) == kept
    with write() as session:
        long_ago = utcnow() - KEPT_FOR
        session.execute(update(BulkAction).where(BulkAction.id == old).values(finished_at=long_ago))
    page = words(oscar.get(f"/jobs/bulk/{old}"))
    assert "their own history alone" in page
    assert "0 jobs" not in page
    assert {event.bulk_id for event in db.session.scalars(audit.events_for("job", 1))} == {old}


def test_closing_is_not_undone_beside_a_job_that_a_run_has_opened_since() -> None:
    bulk_id = do(CLOSED, 1)
    run_at(later(1))
    assert left_alone(undo(bulk_id)) == {
        1: "This site has another open job of this type. Work that one, or close it first."
    }
    assert states()[0][:2] == ("closed", "fixed")


def test_a_step_of_the_work_reopens_no_closed_job() -> None:
    by_ada(1, status="closed")
    bulk_id = do(Wanted("status", {"status": "in_progress"}))
    assert [status for status, *_ in states()] == ["closed", "in_progress", "in_progress"]
    assert left_alone(bulk_id) == {1: "It is closed, so it has no such step: reopen it first."}


def test_all_that_match_are_those_of_the_moment_and_whom_they_had_then() -> None:
    by_ada(1, assignee="ada")
    query = jobs_matching(JobFilter(status="unclosed"), NOON)
    bulk_id = bulk_actions.begin_matching(query, TO_OSCAR, by="oscar", now=NOON)
    add_site("D")
    run_at(later(1))
    by_ada(2, assignee="ada")
    bulk_actions.go_on(bulk_id, lambda: NOON)
    assert [assignee for _, _, assignee, _ in states()] == ["oscar", "ada", "oscar", None]
    assert left_alone(bulk_id) == {2: "ada has it."}


def test_whoever_has_many_actions_left_to_do_begins_no_other() -> None:
    query = jobs_matching(JobFilter(), NOON)
    begun = [
        bulk_actions.begin_matching(query, TO_OSCAR, by="oscar", now=NOON)
        for _ in range(bulk_actions.MOST_UNFINISHED)
    ]
    for begin in (partial(bulk_actions.begin_matching, query), partial(bulk_actions.begin, {1: ""})):
        with pytest.raises(InvalidInput, match="10 actions of yours are not finished"):
            begin(TO_OSCAR, by="oscar", now=NOON)

    bulk_actions.begin_matching(query, TO_OSCAR, by="ada", now=NOON)
    bulk_actions.go_on(begun[0], lambda: NOON)
    bulk_actions.begin_matching(query, TO_OSCAR, by="oscar", now=NOON)


def test_an_action_whose_process_died_is_gone_on_with_and_nothing_is_done_twice() -> None:
    bulk_id = do(CLOSED, 1)
    begun = db.session.get_one(BulkAction, bulk_id)
    begun.finished_at = None  # as if it had died before it said so, with a job left
    db.session.add(BulkJob(bulk_id=bulk_id, job_id=2, seen_assignee=""))
    db.session.commit()

    bulk_actions.process_pending(lambda: NOON + STALE_AFTER - timedelta(seconds=1))
    assert states()[1][0] == "open"  # its process may live
    bulk_actions.process_pending(lambda: NOON + STALE_AFTER + timedelta(seconds=1))
    assert [status for status, *_ in states()] == ["closed", "closed", "open"]
    notes = select(func.count()).where(Event.field == "note", Event.subject == "job")
    assert db.session.scalar(notes) == 2
    assert db.session.get_one(BulkAction, bulk_id, populate_existing=True).finished_at is not None
