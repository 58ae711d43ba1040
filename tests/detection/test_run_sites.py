"""A run keeps the sites that were not ok, and what became of them."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.detection import holds, run_sites
from jobauto.extensions import db
from jobauto.models import RunSite, Site
from jobauto.rules import NO_COMS
from tests.detection.running import jobs, later, run_at, save, work
from tests.fleets import NOON, add_readings, add_site, daily, days_before

Kept = dict[str, tuple[str, str | None, str | None]]


def kept(run_id: int | None, rule: str = "no_coms") -> Kept:
    """Verdict, reason and outcome of the sites that a run keeps, by site."""
    db.session.rollback()
    rows = select(Site.site_id, RunSite.verdict, RunSite.reason, RunSite.outcome).join(
        RunSite, RunSite.site_key == Site.key
    )
    found = db.session.execute(rows.where(RunSite.run_id == run_id, RunSite.rule == rule))
    return {site_id: (verdict, reason, outcome) for site_id, verdict, reason, outcome in found}


def test_each_site_that_is_not_ok_is_kept_with_verdict_reason_and_outcome(app: Flask) -> None:
    add_site("silent", {days_before(9): 1})
    add_site("known", {days_before(9): 1})
    add_site("new", monitored_from=NOON.date())
    add_site("well", daily([1, 2, 3, 4, 5]))
    add_site("retired", active=False)
    add_site("snoozed", snoozed_until=later(1), snooze_reason="Works")
    run_at(rules=(NO_COMS,))
    work(next(job for job in jobs() if job.site.site_id == "silent"), "closed")

    run = run_at(later(0.5))

    not_judged = {
        "retired": ("not_judged", "inactive", None),
        "snoozed": ("not_judged", "snoozed", None),
    }
    assert kept(run.run_id) == not_judged | {
        "silent": ("flagged", None, "created"),
        "known": ("flagged", None, "skipped"),
        "new": ("not_assessable", "new site", None),
    }
    too_few = ("not_assessable", "too few readings", None)
    assert kept(run.run_id, "zero_reads") == not_judged | dict.fromkeys(("silent", "known", "new"), too_few)


def test_a_site_that_must_wait_for_a_new_job_is_skipped(app: Flask) -> None:
    save(no_coms={"reopen_after_days": 5})
    add_site("silent", {days_before(9): 1})
    run_at()
    work(jobs()[0], "closed")
    assert kept(run_at(later(1)).run_id) == {"silent": ("flagged", None, "skipped")}


def test_a_held_run_keeps_which_sites_it_holds_until_they_are_released(app: Flask) -> None:
    save(guard={"guard_min_sites": 2})
    add_site("known", {days_before(40): 1})
    run_at(days_before(20))
    back = add_site("back", {days_before(4): 1})
    add_site("silent", {days_before(4): 1})
    run_id = run_at().run_id
    assert run_id
    held = {"back": ("flagged", None, "held"), "silent": ("flagged", None, "held")}
    known = {"known": ("flagged", None, "skipped")}
    assert kept(run_id) == held | known

    add_readings(back, {later(0.5): 2})
    holds.release(run_id, Author("oscar", later(1)))
    assert kept(run_id) == known | {"silent": ("flagged", None, "created")}


def test_held_sites_stay_held_when_they_are_discarded(app: Flask) -> None:
    save(guard={"guard_min_sites": 1})
    add_site("silent", {days_before(4): 1})
    run_id = run_at().run_id
    assert run_id
    holds.discard(run_id, Author("oscar", later(1)))
    assert kept(run_id) == {"silent": ("flagged", None, "held")}


def test_a_site_that_could_not_be_assessed_is_not_one_that_a_release_spares(app: Flask) -> None:
    save(guard={"guard_min_sites": 1})
    add_site("silent", {days_before(4): 1})
    new = add_site("new", monitored_from=NOON.date())
    run_id = run_at().run_id
    assert run_id
    add_readings(new, {later(0.5): 2})
    assert holds.release(run_id, Author("oscar", later(1))) == 1
    assert kept(run_id)["new"] == ("not_assessable", "new site", None)


def test_a_rule_that_is_off_keeps_nothing(app: Flask) -> None:
    add_site("silent", {days_before(9): 1})
    save(no_coms={"enabled": False})
    assert kept(run_at().run_id) == {}


def test_who_was_not_judged_is_kept_of_the_newest_runs_only(app: Flask) -> None:
    add_site("retired", active=False)
    runs = [run_at(later(hours)).run_id for hours in range(4)]
    assert [len(kept(run_id)) for run_id in runs] == [0, 0, 1, 1]


def test_after_400_days_the_sites_of_a_run_are_forgotten(app: Flask) -> None:
    add_site("silent", {days_before(9): 1})
    first, second = (run_at(later(hours)).run_id for hours in (0, 24))
    for age, expected in ((400, [1, 1]), (400.5, [0, 1]), (402, [0, 0])):
        run_sites.expire(NOON + timedelta(days=age))
        assert [len(kept(run_id)) for run_id in (first, second)] == expected
