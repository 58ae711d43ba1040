"""What runs found is counted by group and source; a count that does not hold any more is not used."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobauto.audit.service import Author
from jobauto.demo import service as demo
from jobauto.detection import holds, run_counts, run_sites
from jobauto.extensions import db
from jobauto.models import Regrouping, Run, RunCount, Site
from jobauto.report.checked_days import checked_days
from jobauto.report.scope import Scope, Span
from jobauto.report.site_days import site_days
from jobauto.settings import service as settings
from jobauto.sites import service
from jobauto.sites.service import SiteChange
from jobauto.storage import regroupings
from jobauto.storage.connections import write, write_on
from tests.databases import POSTGRESQL
from tests.detection.running import run_at
from tests.fleets import NOON, add_one_fault_of_each_rule, add_readings, add_site, daily, days_before
from tests.imports import undoing
from tests.imports.importing import import_sites

ADA = Author("ada", NOON)
FLEET = Scope()
SPAN = Span(NOON.date(), NOON.date(), ZoneInfo("Europe/London"), NOON + timedelta(hours=1))


def by_group(scope: Scope = FLEET) -> dict[str, dict[str, int]]:
    """The site-days of the day by group."""
    return by_part("group", scope)


def by_part(part: str, scope: Scope = FLEET) -> dict[str, dict[str, int]]:
    """The site-days of the day by group or source."""
    db.session.rollback()
    found = site_days(db.session(), SPAN, scope, settings.current().policies)
    return {name: dict(+states) for name, states in found.by_part[part].items() if states.total()}


def are_counted() -> bool:
    """Whether the day is told by counts."""
    db.session.rollback()
    (day,) = checked_days(db.session(), SPAN)
    return day.counted_run is not None


def edited() -> None:
    """By somebody on the site's page."""
    service.edit("silent", SiteChange("Silent House", None, True, "South"), author=ADA)


def changed_with_others() -> None:
    """By somebody in the list of sites."""
    service.change_several(["silent"], {"group": "South"}, author=ADA, unless=lambda _: None)


def imported() -> None:
    """By a file."""
    import_sites("site_id,site_name,group", "silent,Silent House,South")


@pytest.mark.parametrize("regroup", [edited, changed_with_others, imported])
def test_a_site_that_is_regrouped_counts_for_the_group_that_it_has_now(
    app: Flask, regroup: Callable[[], None]
) -> None:
    add_one_fault_of_each_rule()
    assert run_counts.count_waiting(NOON) == 1
    assert are_counted()
    assert by_group() == {"": {"silent": 1, "standing_still": 1}}

    regroup()
    anew = {"": {"standing_still": 1}, "South": {"silent": 1}}
    assert not are_counted()
    assert by_group() == anew

    assert run_counts.count_waiting(NOON) == 1
    assert are_counted()
    assert by_group() == anew
    assert by_group(Scope(group="South")) == {"South": {"silent": 1}}
    assert run_counts.count_waiting(NOON) == 0


def test_a_site_counts_for_the_source_that_an_import_gave_it_until_that_is_undone(app: Flask) -> None:
    add_one_fault_of_each_rule()
    run_counts.count_waiting(NOON)
    import_id = undoing.send([f"silent,{days_before(8).isoformat()},101,"], source="gw-A")
    assert not are_counted()
    assert by_part("source") == {"": {"standing_still": 1}, "gw-A": {"silent": 1}}

    run_counts.count_waiting(NOON)
    assert are_counted()
    undoing.take_back(import_id)
    assert not are_counted()
    assert by_part("source") == {"": {"silent": 1, "standing_still": 1}}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda: import_sites("site_id,site_name,group", "silent,New name,"), id="a name"),
        pytest.param(lambda: import_sites("site_id,site_name,group", "new,New,South"), id="a new site"),
        pytest.param(
            lambda: service.edit("silent", SiteChange("Other", None, False, ""), author=ADA), id="activity"
        ),
    ],
)
def test_another_change_leaves_the_counts_as_they_are(app: Flask, change: Callable[[], Any]) -> None:
    add_one_fault_of_each_rule()
    run_counts.count_waiting(NOON)
    change()
    assert are_counted()


def test_sites_that_a_release_judges_anew_are_counted_anew(app: Flask) -> None:
    keys = [add_site(f"S{number}", {days_before(4): 7}) for number in range(30)]
    run_id = run_at().run_id
    assert run_id
    run_counts.count_waiting(NOON)
    assert by_group() == {"": {"silent": 30}}
    for key in keys[:10]:
        add_readings(key, {NOON: 8})
    holds.release(run_id, Author("oscar", NOON + timedelta(hours=3)))
    assert by_group() == {"": {"silent": 20, "not_assessable": 10}}


def test_the_demo_goes_with_its_counts_and_what_counted_its_sites_holds_no_more(app: Flask) -> None:
    with write() as session:
        session.add(Site(site_id="demo", site_name="Demo", is_demo=True, group="Demo"))
    run_at(NOON - timedelta(days=1), is_demo=True)
    add_site("own", daily([1, 2, 3, 4, 5]))
    run_at(NOON)
    assert run_counts.count_waiting(NOON) == 2
    demo.remove()
    assert not are_counted()
    assert by_group() == {"": {"ok": 1}}


def test_counts_go_with_the_sites_that_runs_kept(app: Flask) -> None:
    add_one_fault_of_each_rule()
    run_counts.count_waiting(NOON)
    run_sites.expire(NOON + timedelta(days=401))
    assert db.session.scalar(select(func.count()).select_from(RunCount)) == 0
    assert run_counts.count_waiting(NOON + timedelta(days=401)) == 0


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
def test_a_site_that_is_regrouped_while_it_is_counted(app: Flask) -> None:
    """The count saw the former group, and ends last."""
    add_one_fault_of_each_rule()
    run_id = db.session.scalars(select(Run.id)).one()
    db.session.rollback()
    with db.engine.connect() as connection, write_on(connection):
        run_counts.count(connection, run_id)
        edited()
    assert not are_counted()
    assert by_group() == {"": {"standing_still": 1}, "South": {"silent": 1}}


def test_many_changes_become_one_row_that_says_the_same(app: Flask) -> None:
    add_one_fault_of_each_rule()
    with write() as session:
        session.add_all(Regrouping(times=1) for _ in range(regroupings.FEW + 1))
    run_counts.count_waiting(NOON)
    assert db.session.scalars(select(Regrouping.times)).all() == [regroupings.FEW + 1]
    assert are_counted()
