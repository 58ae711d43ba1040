"""Runs over fleets that fall silent in all kinds of ways do what section 13 comes to, reckoned by hand.

A fleet is many small worlds, a pair of sources each: incidents are told apart by source, so that each run
tries them all at once.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from jobauto.errors import InvalidInput
from jobauto.extensions import db
from jobauto.jobs.service import JobChange, change
from jobauto.models import Cover, Incident, Job, Reading, Site
from jobauto.rules.no_coms import NO_COMS
from jobauto.storage.connections import write
from tests.detection.reckoning import House, Reckoning, Work
from tests.detection.running import run_at, save
from tests.fleets import NOON

WORLDS, DAYS, PAST = 20, 16, 9


def at_noon(day: int) -> datetime:
    return NOON + timedelta(days=day)


def houses(chance: random.Random) -> Iterator[House]:
    """Small worlds: two sources whose sites fall silent together, staggered or one by one, and come back."""
    for world in range(WORLDS):
        outages = {half: outage(chance) for half in "ab"}
        for place in range(chance.randint(8, 20)):
            half = chance.choice("aab")
            silent = outage(chance) if chance.random() < 0.15 else range(0)
            if chance.random() < chance.choice((0.5, 1)):
                late = chance.choice((0, 0, 0, 1, 2))
                early = chance.choice((0, 0, 0, 1, 3))
                silent = range(outages[half].start + late, outages[half].stop - early)
            days = [day for day in range(-PAST, DAYS) if day not in silent]
            if chance.random() < 0.05:
                days = [] if chance.random() < 0.5 else [-PAST]
            source = "" if chance.random() < 0.05 else f"w{world:02}-{half}"
            hours = chance.choice((1, 2, 5))
            yield House(
                f"w{world:02}-{chance.choice('aBéZ_')}{place:02}",
                source,
                [at_noon(day) - timedelta(hours=hours) for day in days],
            )


def outage(chance: random.Random) -> range:
    start = chance.randint(-6, 6)
    return range(start, start + chance.randint(1, 20))


def store(fleet: list[House]) -> None:
    with write() as session:
        sites = [Site(site_id=house.site_id, site_name=house.site_id, source=house.source) for house in fleet]
        session.add_all(sites)
        session.flush()
        session.add_all(
            Reading(site_key=site.key, reading_date=at, reading_value=7)
            for site, house in zip(sites, fleet, strict=True)
            for at in house.readings
        )


def set_site(house: House, **values: Any) -> None:
    with write() as session:
        session.execute(update(Site).where(Site.site_id == house.site_id).values(values))


Told = tuple[list[tuple[Any, ...]], list[tuple[str, str]]]
"""Of each job: site, others covered, when it was opened, whether it is open and has recovered; and who is
covered by the incident of which site."""


def as_stored() -> Told:
    db.session.rollback()
    own = aliased(Site)
    columns = (Site.site_id, Job.covers, Job.created_at, Job.status, Job.recovered_at)
    jobs = db.session.execute(select(*columns).join(Site, Site.key == Job.site_key))
    covers = db.session.execute(
        select(Site.site_id, own.site_id)
        .select_from(Cover)
        .join(Site, Site.key == Cover.site_key)
        .join(Incident, Incident.job_id == Cover.job_id)
        .join(own, own.key == Incident.site_key)
        .where(Cover.ended_at.is_(None))
    )
    return (
        sorted(
            (site, -1 if number is None else number, at, status != "closed", recovered is not None)
            for site, number, at, status, recovered in jobs
        ),
        sorted((site, of) for site, of in covers),
    )


def as_reckoned(reckoning: Reckoning) -> Told:
    return (
        sorted(
            (
                job.house.site_id,
                -1 if job.covers is None else job.covers,
                job.created_at,
                job.is_open,
                job.recovered,
            )
            for job in reckoning.work
        ),
        sorted(
            (house.site_id, job.house.site_id)
            for job in reckoning.work
            for house, part in job.parts.items()
            if part.covered
        ),
    )


def take_step(job: Work, status: str, now: datetime) -> bool:
    """A person closes or reopens a job; whether that is possible."""
    found = (
        select(Job.id)
        .join(Site, Site.key == Job.site_key)
        .where(Site.site_id == job.house.site_id, Job.created_at == job.created_at)
        .where(Job.covers.is_not(None) if job.parts else Job.covers.is_(None))
    )
    db.session.rollback()
    try:
        change(db.session.scalars(found).one(), JobChange(status=status), by="oscar", now=now)
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize(
    ("seed", "least", "share", "wait", "auto_close"),
    [(1, 3, 50, 0, False), (2, 2, 30, 3, True), (3, 4, 60, 2, False)],
)
def test_runs_do_what_is_reckoned(
    app: Flask, seed: int, least: int, share: int, wait: int, auto_close: bool
) -> None:
    chance = random.Random(seed)  # noqa: S311 (no secret)
    fleet = list(houses(chance))
    store(fleet)
    guard = {"guard_enabled": False, "incident_min_sites": least, "incident_share": share}
    save(guard=guard, no_coms={"reopen_after_days": wait, "auto_close_recovered": auto_close})
    reckoning = Reckoning(fleet, least, share, timedelta(days=wait), auto_close)
    for day in range(DAYS):
        now, back = at_noon(day), timedelta(days=chance.choice((0, 0, 0, 0, 2)))
        result = run_at(now, as_of=now - back, rules=(NO_COMS,)).rules["no_coms"]
        told = (result.flagged, result.created, result.skipped, result.covered)
        assert told == reckoning.run(now - back, now, of_now=not back), day
        assert as_stored() == as_reckoned(reckoning), day
        meddle(chance, reckoning, now)
        assert as_stored() == as_reckoned(reckoning), day
    assert sum(bool(job.parts) for job in reckoning.work) > 10


def meddle(chance: random.Random, reckoning: Reckoning, now: datetime) -> None:
    """What people do between two runs: they close and reopen jobs, and change sites."""
    for hours, job in enumerate(chance.sample(reckoning.work, len(reckoning.work) // 12)):
        at = now + timedelta(minutes=1 + hours)
        if job.is_open:
            assert take_step(job, "closed", at)
            reckoning.close(job, at)
        elif chance.random() < 0.7:
            assert take_step(job, "open", at) == reckoning.reopen(job), (job.house, job.covers)
    for house in chance.sample(reckoning.houses, len(reckoning.houses) // 40):
        if chance.random() < 0.6:
            house.active = not house.active
            set_site(house, active=house.active)
        else:
            house.source = f"{house.site_id[:3]}-{chance.choice('ab')}"
            set_site(house, source=house.source)
