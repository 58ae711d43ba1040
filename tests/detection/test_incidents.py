"""Sites of one source that fall silent together are one job: an incident."""

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from jobauto.audit.service import Author
from jobauto.detection import holds
from jobauto.detection.service import RunResult
from jobauto.errors import InvalidInput
from jobauto.extensions import db
from jobauto.models import Cover, Event, Incident, Job, Reading, RunRule, RunSite, Site
from jobauto.rules.no_coms import NO_COMS
from jobauto.settings import service as settings
from jobauto.settings.policies import Policy
from jobauto.storage.connections import write
from tests.detection.running import jobs, later, run_at, save, work
from tests.fleets import NOON, add_readings, add_site, daily, days_before

DAY = 24
ADA = Author("ada", NOON)
WELL = daily(range(1, 9))


def add_sites(source: str, silent: int = 0, well: int = 0, days: float = 4, **values: Any) -> dict[str, int]:
    """Sites of a source: the silent ones last reported so many days ago; their keys by id."""
    keys = {
        f"{source}-{place:02}": add_site(
            f"{source}-{place:02}", {days_before(days): 7}, source=source, **values
        )
        for place in range(silent)
    }
    return keys | {
        f"{source}-well-{place:02}": add_site(f"{source}-well-{place:02}", WELL, source=source, **values)
        for place in range(well)
    }


def run(hours: float = 0, **request: Any) -> RunResult:
    """No Coms so many hours after noon."""
    return run_at(later(hours), **{"rules": (NO_COMS,)} | request)


def counts(result: RunResult) -> tuple[int, int, int, int]:
    """Flagged, created, skipped, covered."""
    found = result.rules["no_coms"]
    return found.flagged, found.created, found.skipped, found.covered


def speak(keys: Iterable[int], hours: float) -> None:
    """The sites send a reading so many hours after noon."""
    for key in keys:
        add_readings(key, {later(hours): 8})


def outcomes(result: RunResult) -> dict[str, int]:
    """What the run keeps of its flagged sites."""
    db.session.rollback()
    kept = select(RunSite.outcome).where(RunSite.run_id == result.run_id, RunSite.outcome.is_not(None))
    return Counter(db.session.scalars(kept))


def opened() -> list[tuple[str, int | None, str]]:
    """(site, covers, status) of all jobs, oldest first."""
    return [(job.site.site_id, job.covers, job.status) for job in jobs()]


def covered() -> set[str]:
    """The sites that an incident covers."""
    db.session.rollback()
    query = select(Site.site_id).join(Cover, Cover.site_key == Site.key).where(Cover.ended_at.is_(None))
    return set(db.session.scalars(query))


def recovered() -> list[bool]:
    """Whether each job has recovered, oldest first."""
    return [job.recovered_at is not None for job in jobs()]


def test_sites_of_one_source_that_fall_silent_together_are_one_job(app: Flask) -> None:
    keys = add_sites("gw-A", silent=6, well=5)
    save(no_coms={"priority": "high", "queue": "Comms", "instructions": "Ring them."})
    result = run()
    assert counts(result) == (6, 1, 0, 5)
    (job,) = jobs()
    assert (job.site_key, job.covers, job.since, job.days) == (keys["gw-A-00"], 5, days_before(4), 4)
    assert job.description == "No readings from 6 sites behind gw-A"
    assert (job.priority, job.queue, job.instructions, job.status) == ("high", "Comms", "Ring them.", "open")
    assert covered() == {name for name in keys if "well" not in name}
    assert outcomes(result) == {"created": 1, "covered": 5}
    assert counts(run(1)) == (6, 0, 0, 6), "its own site is covered, too"


@pytest.mark.parametrize(
    ("sites", "settings", "expected"),
    [
        pytest.param({"silent": 5, "well": 4}, {}, (5, 1, 0, 4), id="just enough, and more than half"),
        pytest.param({"silent": 5, "well": 5}, {}, (5, 5, 0, 0), id="half is not more than half"),
        pytest.param({"silent": 4}, {}, (4, 4, 0, 0), id="all, but too few"),
        pytest.param({"silent": 1}, {}, (1, 1, 0, 0), id="the one site of a source"),
        pytest.param({"silent": 9, "days": 8}, {}, (9, 9, 0, 0), id="silent for over a week"),
        pytest.param({"silent": 9, "source": ""}, {}, (9, 9, 0, 0), id="a blank source is none"),
        pytest.param(
            {"silent": 3, "well": 7},
            {"guard": {"incident_min_sites": 3, "incident_share": 29}},
            (3, 1, 0, 2),
            id="a lower share",
        ),
        pytest.param(
            {"silent": 9}, {"guard": {"incident_share": 100}}, (9, 9, 0, 0), id="never more than 100 %"
        ),
        pytest.param({"silent": 9}, {"guard": {"incident_enabled": False}}, (9, 9, 0, 0), id="switched off"),
        pytest.param({"silent": 9}, {"no_coms": {"check_duplicate": False}}, (9, 9, 0, 0), id="no check"),
        pytest.param(
            {"silent": 9, "days": 10.5},
            {"no_coms": {"days_threshold": 10}},
            (9, 1, 0, 8),
            id="a long threshold",
        ),
    ],
)
def test_when_an_incident_is_opened(
    app: Flask, sites: dict[str, Any], settings: dict[str, Any], expected: tuple[int, ...]
) -> None:
    add_sites(**{"source": "gw-A"} | sites)
    save(**settings)
    assert counts(run()) == expected


def test_sites_of_two_sources_that_fail_together_are_two_jobs(app: Flask) -> None:
    add_sites("gw-A", silent=6)
    add_sites("gw-B", silent=7)
    add_sites("gw-C", silent=2, well=9)
    assert counts(run()) == (15, 4, 0, 11)
    assert opened() == [
        ("gw-A-00", 5, "open"),
        ("gw-B-00", 6, "open"),
        ("gw-C-00", None, "open"),
        ("gw-C-01", None, "open"),
    ]


def test_its_site_is_the_first_in_the_order_of_code_points(app: Flask) -> None:
    for site_id in ("é", "b", "B", "a", "ß", "_"):
        add_site(site_id, {days_before(4): 7}, source="gw-A")
    run()
    assert opened() == [("B", 5, "open")]


def test_silence_that_comes_staggered_joins_the_incident_however_few(app: Flask) -> None:
    add_sites("gw-A", silent=6)
    late = add_sites("gw-A-late", silent=2, days=2.5)
    with write() as session:
        session.execute(update(Site).where(Site.key.in_(late.values())).values(source="gw-A"))
    first, second = run(), run(DAY)
    assert [counts(first), counts(second)] == [(6, 1, 0, 5), (8, 0, 0, 8)]
    (job,) = jobs()
    assert (job.covers, job.description) == (7, "No readings from 8 sites behind gw-A")
    told = db.session.scalars(select(Event).where(Event.subject == "job")).one()
    assert (told.who, told.field, told.before, told.after) == (None, "covers", "5", "7")
    assert outcomes(second) == {"covered": 8}


def test_a_site_with_a_job_of_its_own_is_no_part_of_it(app: Flask) -> None:
    """It was silent for its own reasons before."""
    add_sites("gw-A", silent=5, days=2)
    add_sites("gw-A-before", silent=1, days=4)
    never = add_site("never", source="gw-A")
    with write() as session:
        session.execute(update(Site).values(source="gw-A"))
    assert counts(run()) == (2, 2, 0, 0)
    assert counts(run(DAY * 2)) == (7, 1, 2, 4)
    assert never not in {cover.site_key for cover in db.session.scalars(select(Cover))}


def test_a_site_that_changes_its_source_keeps_its_cover(app: Flask) -> None:
    keys = add_sites("gw-A", silent=6)
    run()
    add_sites("gw-B", silent=5, days=4)
    with write() as session:
        session.get_one(Site, keys["gw-A-05"]).source = "gw-B"
    assert counts(run(DAY)) == (11, 1, 0, 10)
    assert [covers for _, covers, _ in opened()] == [5, 4]
    speak(keys.values(), DAY + 1)
    run(DAY + 2)
    assert recovered() == [True, False]


def test_each_site_recovers_by_itself_and_joins_again(app: Flask) -> None:
    keys = add_sites("gw-A", silent=6)
    run()
    speak([keys["gw-A-03"]], 1)
    assert counts(run(2)) == (5, 0, 0, 5)
    assert recovered() == [False]
    assert "gw-A-03" not in covered()
    assert counts(run(1 + DAY * 3)) == (6, 0, 0, 6), "silent again, it is new"
    (job,) = jobs()
    assert (job.covers, "gw-A-03" in covered()) == (5, True)


def test_with_90_percent_and_its_own_site_it_recovers_and_the_rest_are_judged_anew(app: Flask) -> None:
    keys = add_sites("gw-A", silent=10)
    run()
    speak([key for name, key in keys.items() if name < "gw-A-08"], DAY * 9)
    run(DAY * 9)
    assert (recovered(), covered()) == ([False], {"gw-A-08", "gw-A-09"}), "80 %"
    speak([keys["gw-A-08"]], DAY * 9.1)
    assert counts(run(DAY * 9.1)) == (1, 0, 0, 1)
    assert (recovered(), covered()) == ([True], set())
    assert counts(run(DAY * 9.2)) == (1, 1, 0, 0), "a few get jobs of their own"
    assert opened() == [("gw-A-00", 9, "open"), ("gw-A-09", None, "open")]


def test_it_recovers_for_good_and_a_second_failure_is_another_incident(app: Flask) -> None:
    keys = add_sites("gw-A", silent=6)
    run()
    speak(keys.values(), 1)
    run(2)
    assert counts(run(1 + DAY * 3)) == (6, 1, 0, 5)
    assert opened() == [("gw-A-00", 5, "open"), ("gw-A-00", 5, "open")], "the first is still open"
    assert recovered() == [True, False]


def test_where_its_own_site_is_silent_longest_the_job_stays_for_that(app: Flask) -> None:
    save(guard={"guard_enabled": False})
    keys = add_sites("gw-A", silent=21)
    run()
    speak([key for name, key in keys.items() if "gw-A-00" < name < "gw-A-20"], DAY * 5)
    run(DAY * 5)
    assert (recovered(), covered()) == ([False], {"gw-A-00"}), "19 of 21, but not its own"
    assert counts(run(DAY * 5.1)) == (2, 1, 0, 1)
    assert opened() == [("gw-A-00", 20, "open"), ("gw-A-20", None, "open")]
    speak([keys["gw-A-00"]], DAY * 6)
    run(DAY * 6)
    assert recovered() == [True, False]


def test_where_its_own_site_is_back_first_it_waits_for_the_others(app: Flask) -> None:
    keys = add_sites("gw-A", silent=6)
    run()
    speak([keys["gw-A-00"]], 1)
    assert counts(run(2)) == (5, 0, 0, 5)
    assert (recovered(), len(covered())) == ([False], 5)
    speak([key for name, key in keys.items() if name != "gw-A-00"], DAY)
    run(DAY)
    assert recovered() == [True]


def test_sites_that_are_not_judged_any_more_are_left_out(app: Flask) -> None:
    keys = add_sites("gw-A", silent=10)
    run()
    speak([key for name, key in keys.items() if name < "gw-A-07"], 1)
    with write() as session:
        out = update(Site).where(Site.key.in_([keys["gw-A-08"], keys["gw-A-09"]]))
        session.execute(out.values(active=False))
    run(2)
    assert recovered() == [False], "7 of 8"
    with write() as session:
        session.get_one(Site, keys["gw-A-07"]).snoozed_until = later(DAY * 30)
    run(3)
    assert recovered() == [True]


def test_recovered_it_closes_itself_as_the_fleet_s_settings_say(app: Flask) -> None:
    save(no_coms={"auto_close_recovered": True})
    keys = add_sites("gw-A", silent=6)
    run()
    speak(keys.values(), 1)
    run(2)
    assert opened() == [("gw-A-00", 5, "closed")]


def test_closed_by_hand_it_covers_nobody_and_the_next_run_opens_another(app: Flask) -> None:
    add_sites("gw-A", silent=6)
    run()
    work(jobs()[0], "closed")
    assert covered() == set()
    assert counts(run(DAY * 8)) == (6, 1, 0, 5), "as having reported, which is more than a week ago"
    assert opened() == [("gw-A-00", 5, "closed"), ("gw-A-00", 5, "open")]


def test_closed_by_hand_reopen_after_days_holds_for_all_its_sites(app: Flask) -> None:
    save(no_coms={"reopen_after_days": 5})
    keys = add_sites("gw-A", silent=6)
    run()
    work(jobs()[0], "closed")
    assert counts(run(DAY)) == (6, 0, 6, 0)
    speak([keys["gw-A-05"]], DAY)
    run(DAY + 1)
    assert counts(run(DAY * 4)) == (6, 1, 5, 0), "but for the one that has recovered since"
    assert counts(run(DAY * 5 + 1)) == (6, 1, 1, 4)
    assert opened()[1:] == [("gw-A-05", None, "open"), ("gw-A-00", 4, "open")]


def test_with_the_check_off_and_on_again_open_jobs_stand_in_the_way(app: Flask) -> None:
    save(no_coms={"check_duplicate": False})
    add_sites("gw-A", silent=6)
    assert [counts(run()), counts(run(1))] == [(6, 6, 0, 0), (6, 6, 0, 0)]
    save(no_coms={"check_duplicate": True})
    assert counts(run(2)) == (6, 0, 6, 0)


def test_a_site_whose_policy_has_the_check_off_is_no_part_of_it(app: Flask) -> None:
    add_sites("gw-A", silent=6)
    settings.put_policy(
        Policy("Often", {"NO_COMS": {"check_duplicate": False}}, sites=("gw-A-00",)), author=ADA
    )
    assert [counts(run()), counts(run(1))] == [(6, 2, 0, 4), (6, 1, 0, 5)]
    assert opened()[0] == ("gw-A-01", 4, "open")


def test_the_guard_looks_first_and_a_release_opens_incidents(app: Flask) -> None:
    add_sites("gw-A", silent=12)
    add_sites("gw-B", silent=9)
    add_sites("gw-C", silent=1, well=2)
    result = run()
    assert (result.status, result.held_jobs, counts(result), jobs()) == ("held", 22, (22, 0, 0, 0), [])
    assert result.run_id
    assert holds.release(result.run_id, Author("oscar", later(3))) == 3
    assert [covers for _, covers, _ in opened()] == [11, 8, None]
    db.session.expire_all()
    kept = db.session.get_one(RunRule, (result.run_id, "no_coms"))
    assert (kept.flagged, kept.created, kept.skipped, kept.covered) == (22, 3, 0, 19)
    assert outcomes(result) == {"created": 3, "covered": 19}


def test_covered_sites_are_not_new_for_the_guard(app: Flask) -> None:
    add_sites("gw-A", silent=15)
    add_sites("gw-B", well=25)
    run()
    add_sites("gw-C", silent=12, days=4)
    assert counts(run(1)) == (27, 1, 0, 26), "with the others they would be 27 of 52"


def test_of_a_held_run_what_is_covered_is_not_held(app: Flask) -> None:
    add_sites("gw-A", silent=15)
    run()
    add_sites("gw-B", silent=40)
    result = run(1)
    assert (result.held_jobs, counts(result)) == (40, (55, 0, 0, 15))
    assert outcomes(result) == {"held": 40, "covered": 15}


def test_a_back_dated_run_opens_incidents_and_recovers_none(app: Flask) -> None:
    keys = add_sites("gw-A", silent=6)
    speak(keys.values(), 1)
    assert counts(run(2, as_of=NOON)) == (6, 1, 0, 5)
    run(3, as_of=later(2))
    assert (recovered(), len(covered())) == ([False], 6)
    run(4)
    assert (recovered(), covered()) == ([True], set())


def test_a_job_is_not_reopened_while_its_site_is_covered(app: Flask) -> None:
    keys = add_sites("gw-A", silent=1)
    run()
    (own,) = jobs()
    work(own, "closed")
    speak(keys.values(), 1)
    run(2)
    add_sites("gw-A-more", silent=6, days=0)
    with write() as session:
        session.execute(update(Site).values(source="gw-A"))
    run(1 + DAY * 3)
    assert [covers for _, covers, _ in opened()] == [None, 6]
    with pytest.raises(InvalidInput, match="covers this site") as refused:
        work(own, "open")
    assert refused.value.status == 409


def test_an_incident_is_not_reopened_while_one_of_its_source_is_open(app: Flask) -> None:
    add_sites("gw-A", silent=6)
    run()
    work(jobs()[0], "closed")
    run(1)
    first, second = jobs()
    with pytest.raises(InvalidInput, match="Another incident of this source is open") as refused:
        work(first, "open")
    assert refused.value.status == 409
    work(second, "closed")
    work(first, "open")
    assert len(covered()) == 6


def test_reopened_it_covers_no_site_that_has_got_a_job(app: Flask) -> None:
    keys = add_sites("gw-A", silent=6)
    run()
    (incident,) = jobs()
    work(incident, "closed")
    speak([key for name, key in keys.items() if name > "gw-A-01"], 1)
    assert counts(run(2)) == (2, 2, 0, 0)
    work(incident, "open")
    assert covered() == set()
    assert counts(run(3)) == (2, 0, 2, 0)


@pytest.mark.parametrize("second", ["job", "incident", "cover"])
def test_the_database_refuses_a_second(app: Flask, second: str) -> None:
    keys = add_sites("gw-A", silent=6)
    add_sites("gw-B", silent=1)
    run()
    own = jobs()[1]
    same = {"site_key": own.site_key, "rule": "no_coms", "job_type": "no_coms", "status": "open"}
    rows = {
        "job": Job(**same, priority="low", description="", created_at=NOON, run_id=1, duplicate_checked=True),
        "incident": Incident(
            job_id=99, site_key=own.site_key, source="gw-A", job_type="no_coms", state="covering"
        ),
        "cover": Cover(site_key=keys["gw-A-03"], job_id=99, run_id=1),
    }
    with pytest.raises(IntegrityError), write() as session:
        session.add(rows[second])


def test_jobs_are_as_many_as_causes_and_none_is_missed(app: Flask) -> None:
    """Three weeks of a fleet in which gateways fail on some days, and single sites on others."""
    chance = random.Random(13)  # noqa: S311 (no secret)
    save(guard={"guard_enabled": False})
    failing = {f"gw-{name}": chance.randint(1, 14) for name in "BDFGI"}
    silent_from: dict[str, int] = {}
    for source in (f"gw-{name}" for name in "ABCDEFGHIJ"):
        for place in range(chance.randint(8, 24)):
            day = failing.get(source, 99)
            silent_from[f"{source}-{place:02}"] = day + (chance.random() < 0.2)
    lone = chance.sample([name for name, day in silent_from.items() if day > 20], 9)
    silent_from.update({name: chance.randint(1, 14) for name in lone})
    with write() as session:
        for name, day in silent_from.items():
            session.add(site := Site(site_id=name, site_name=name, source=name[:4]))
            session.flush()
            session.add_all(
                Reading(site_key=site.key, reading_date=later(DAY * back), reading_value=7)
                for back in range(-7, min(day, 21))
            )
    for day in range(21):
        run(DAY * day)
    found = opened()
    assert sorted(name for name, covers, _ in found if covers is None) == sorted(lone)
    assert len(found) == len(failing) + len(lone)
    assert covered() == {name for name, day in silent_from.items() if day < 21} - set(lone)
