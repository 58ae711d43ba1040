"""Policies in a run: each site is judged by what holds for it, and its job is made of that."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from jobauto.audit.service import Author
from jobauto.detection import holds
from jobauto.detection.combinations import combinations
from jobauto.detection.service import RunParameters, RunResult, dry_run, run
from jobauto.extensions import db
from jobauto.models import Job, JobReading, RunSite, Site
from jobauto.rules import RULES
from jobauto.rules.no_coms import NO_COMS
from jobauto.settings import service
from jobauto.settings.policies import Policies, Policy
from jobauto.settings.schema import Settings
from jobauto.storage.connections import write
from tests.detection.running import later, run_at, save
from tests.fleets import NOON, add_readings, add_site, daily, days_before


def put(name: str, *, groups: tuple[str, ...] = (), sites: tuple[str, ...] = (), **values: Any) -> None:
    """Store a policy: ``put("Slow", groups=("Schools",), no_coms={"days_threshold": 7})``."""
    given = {section.upper(): of_section for section, of_section in values.items()}
    service.put_policy(Policy(name, given, groups, sites), author=Author("ada", NOON))


def check(**request: Any) -> RunResult:
    """A run as of noon."""
    return run(RunParameters("cli", **request), lambda: NOON)


def jobs() -> dict[str, Job]:
    """The jobs by their site, of No Coms."""
    query = select(Site.site_id, Job).join(Job, Job.site_key == Site.key).where(Job.rule == "no_coms")
    db.session.rollback()
    return dict(db.session.execute(query).all())


@pytest.fixture
def silent(app: Flask) -> None:
    """Four sites that are silent for five days, of which two are schools."""
    for name, group in (("S1", "Schools"), ("S2", "Schools"), ("S3", "Homes"), ("S4", "")):
        add_site(name, {days_before(5): 1, days_before(6): 1}, group=group)


@pytest.mark.usefixtures("silent")
def test_a_group_has_its_own_threshold_and_a_site_its_own() -> None:
    put("Slow", groups=("Schools",), no_coms={"days_threshold": 7})
    put("Quick", sites=("S2",), no_coms={"days_threshold": 4})
    result = check().rules["no_coms"]
    assert (result.checked, result.flagged, set(jobs())) == (4, 3, {"S2", "S3", "S4"})


@pytest.mark.usefixtures("silent")
def test_a_job_is_made_of_what_holds_for_its_site() -> None:
    text = "{site_name}: {days_threshold} days"
    put(
        "Slow",
        groups=("Schools",),
        no_coms={"days_threshold": 5, "priority": "high", "queue": "North", "description_template": text},
    )
    put("own", sites=("S2",), no_coms={"initial_status": "on_hold", "instructions": "Ring first."})
    check()
    found = {
        name: (job.description, job.priority, job.queue, job.status, job.instructions)
        for name, job in jobs().items()
    }
    of_fleet = "(last reading: 2026-03-26 12:00)"
    assert found == {
        "S1": ("Site S1: 5 days", "high", "North", "open", ""),
        "S2": ("Site S2: 5 days", "high", "North", "on_hold", "Ring first."),
        "S3": (f"No readings from Site S3 {of_fleet}", "medium", "", "open", ""),
        "S4": (f"No readings from Site S4 {of_fleet}", "medium", "", "open", ""),
    }


@pytest.mark.usefixtures("app")
def test_a_job_keeps_the_readings_of_its_own_window() -> None:
    hours = {NOON - timedelta(days=2, hours=hour): 1 for hour in range(400)}
    for name, group in (("S1", "Schools"), ("S3", "")):
        add_site(name, hours, group=group)
    save(no_coms={"days_threshold": 2})
    put("Slow", groups=("Schools",), no_coms={"days_threshold": 1, "enabled": True})
    put("Long", sites=("S1",), zero_reads={"days_to_check": 9})
    check()
    kept = (
        select(Site.site_id).join(Job, Job.site_key == Site.key).join(JobReading, JobReading.job_id == Job.id)
    )
    found = list(db.session.scalars(kept.where(Job.rule == "zero_reads")))
    assert (found.count("S1"), found.count("S3")) == (7 * 24, 2 * 24)


@pytest.mark.usefixtures("silent")
def test_a_rule_that_is_off_for_some_does_not_judge_them() -> None:
    check()
    put("Off", groups=("Schools",), no_coms={"enabled": False})
    for site_id in ("S1", "S3"):
        key = db.session.scalars(select(Site.key).where(Site.site_id == site_id)).one()
        add_readings(key, {NOON: 2})

    result = check().rules["no_coms"]

    assert (result.status, result.checked, result.flagged) == ("succeeded", 2, 1)
    recovered = {name: job.recovered_at is not None for name, job in jobs().items()}
    assert recovered == {"S1": False, "S2": False, "S3": True, "S4": False}
    kept = db.session.execute(
        select(Site.site_id, RunSite.verdict, RunSite.reason)
        .join(Site, Site.key == RunSite.site_key)
        .where(RunSite.run_id == 2, RunSite.rule == "no_coms", RunSite.verdict == "not_judged")
        .order_by(Site.site_id)
    ).all()
    assert [tuple(row) for row in kept] == [(name, "not_judged", "switched off") for name in ("S1", "S2")]


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("fleet", "policies", "status"),
    [
        (True, {}, "succeeded"),
        (False, {}, "skipped"),
        (False, {"Schools": True}, "succeeded"),
        (False, {"nobody": True}, "skipped"),
        (True, {"nobody": False}, "succeeded"),
        (True, {"Schools": False, "Homes": False}, "succeeded"),
        (True, {"Schools": False, "Homes": False, "S4": False}, "skipped"),
    ],
)
def test_a_rule_is_skipped_only_where_it_is_off_for_all(
    fleet: bool, policies: dict[str, bool], status: str
) -> None:
    save(no_coms={"enabled": fleet})
    for name, enabled in policies.items():
        where: dict[str, Any] = {"sites": (name,)} if name == "S4" else {"groups": (name,)}
        put(name, **where, no_coms={"enabled": enabled})
    assert dry_run(RunParameters("cli"), lambda: NOON).rules["no_coms"].status == status
    assert check().rules["no_coms"].status == status


@pytest.mark.usefixtures("silent")
def test_duplicates_and_days_until_a_new_job_are_those_of_the_site() -> None:
    put("Daily", groups=("Schools",), no_coms={"check_duplicate": False})
    put("Patient", sites=("S3",), no_coms={"reopen_after_days": 5})
    check()
    with write() as session:
        closed = {"status": "closed", "resolution": "fixed", "closed_at": NOON, "closed_by": "ada"}
        of_some = select(Site.key).where(Site.site_id.in_(["S3", "S4"]))
        session.execute(update(Job).where(Job.site_key.in_(of_some), Job.rule == "no_coms").values(closed))
    check()
    per_site = select(Site.site_id).join(Job, Job.site_key == Site.key).where(Job.rule == "no_coms")
    found = list(db.session.scalars(per_site))
    assert {name: found.count(name) for name in ("S1", "S2", "S3", "S4")} == {
        "S1": 2,
        "S2": 2,
        "S3": 1,
        "S4": 2,
    }


@pytest.mark.usefixtures("silent")
def test_recovered_jobs_are_closed_where_that_holds() -> None:
    put("Close", groups=("Schools",), no_coms={"auto_close_recovered": True})
    check()
    for key in db.session.scalars(select(Site.key)).all():
        add_readings(key, {NOON: 2})
    check()
    assert {name: job.status for name, job in jobs().items()} == {
        "S1": "closed",
        "S2": "closed",
        "S3": "open",
        "S4": "open",
    }


@pytest.mark.usefixtures("app")
def test_a_register_recovers_by_the_increase_that_counts_at_its_site() -> None:
    put("Creeping", groups=("Schools",), zero_reads={"min_increase": 0.5})
    risen = {
        "S1": ("Schools", "1234.40"),
        "S2": ("Schools", 1235),
        "S3": ("", "1234.40"),
        "S4": ("", "1234.02"),
    }
    keys = {name: add_site(name, daily([1234] * 5), group=group) for name, (group, _) in risen.items()}
    check()
    for name, (_, value) in risen.items():
        add_readings(keys[name], {later(3): value})
    run_at(later(4))
    found = db.session.execute(select(Site.site_id, Job.recovered_at).join(Job, Job.site_key == Site.key))
    assert {name: at is not None for name, at in found} == {"S1": False, "S2": True, "S3": True, "S4": False}


@pytest.mark.usefixtures("app")
def test_the_week_of_the_guard_follows_each_sites_threshold() -> None:
    """Sites with a threshold of ten days that fell silent twelve days ago are new when it is reached."""
    for number in range(30):
        add_site(f"S{number}", {days_before(10): 1}, group="Slow")
    for number in range(30):
        add_site(f"W{number}", {days_before(10): 1})
    put("Slow", groups=("Slow",), no_coms={"days_threshold": 10, "priority": "high"})
    result = check()
    assert result.rules["no_coms"].status == "held", "of the others, silent for ten days, none counts"
    assert result.run_id
    assert holds.release(result.run_id, Author("ada", NOON)) == 60
    assert {job.priority for job in jobs().values()} == {"medium", "high"}


GROUPS = ("", "North", "South", "East")
IDS = tuple(f"S{number}" for number in range(12))
part = st.fixed_dictionaries(
    {},
    optional={
        "NO_COMS": st.fixed_dictionaries(
            {}, optional={"days_threshold": st.integers(2, 4), "enabled": st.booleans()}
        ),
        "ZERO_READS": st.fixed_dictionaries({}, optional={"priority": st.sampled_from(["low", "high"])}),
    },
)
owners = st.lists(st.sampled_from(["", *"ABCD"]), min_size=16, max_size=16)


@hypothesis(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    groups=st.lists(st.sampled_from(GROUPS), min_size=12, max_size=12),
    owned=owners,
    values=st.lists(part, min_size=4, max_size=4),
)
def test_each_site_is_in_one_combination_whose_settings_are_those_in_force_at_it(
    app: Flask, groups: list[str], owned: list[str], values: list[Any]
) -> None:
    things = [*IDS, "North", "South", "East", "nobody"]
    policies = Policies(
        Settings(),
        tuple(
            Policy(
                name,
                said,
                tuple(
                    each
                    for each, owner in zip(things, owned, strict=True)
                    if owner == name and each not in IDS
                ),
                tuple(
                    each for each, owner in zip(things, owned, strict=True) if owner == name and each in IDS
                ),
            )
            for name, said in zip("ABCD", values, strict=True)
        ),
    )
    sites = [
        {"key": key, "site_id": name, "site_name": name, "group": group}
        for key, (name, group) in enumerate(zip(IDS, groups, strict=True), start=1)
    ]
    with db.engine.connect() as connection:  # never committed
        connection.execute(insert(Site), sites)
        for rule in RULES:
            found: dict[str, list[Any]] = {name: [] for name in IDS}
            for one in combinations(connection, rule, policies):
                query = select(Site.site_id) if one.sites is None else select(Site.site_id).where(one.sites)
                for name in connection.scalars(query):
                    found[name].append(one.settings)
            assert found == {
                name: [policies.effective(name, group).combined.rule(rule.name)]
                for name, group in zip(IDS, groups, strict=True)
            }


def test_policies_that_leave_the_rule_as_it_is_or_that_no_site_has_cost_it_nothing(app: Flask) -> None:
    add_site("S1", group="North")
    nothing = combinations_of(Policies(Settings()))
    policies = (
        Policy("other", {"ZERO_READS": {"priority": "low"}}, ("North",)),
        Policy("same", {"NO_COMS": {"days_threshold": 3}}, sites=("S1",)),
        Policy("nobody", {"NO_COMS": {"days_threshold": 9}}, ("South",)),
    )
    assert combinations_of(Policies(Settings(), policies)) == nothing


def combinations_of(policies: Policies) -> list[Any]:
    with db.engine.connect() as connection:
        return combinations(connection, NO_COMS, policies)
