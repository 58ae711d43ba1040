"""Editing and snoozing a site."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobauto.audit import queries as audit
from jobauto.audit.service import Author
from jobauto.errors import InvalidInput
from jobauto.extensions import db
from jobauto.imports.rows import Row
from jobauto.imports.sites import import_sites
from jobauto.models import Reading, Site
from jobauto.readings import turns
from jobauto.sites import queries, service
from jobauto.sites.listing import SiteFilter, sites_found
from tests.databases import POSTGRESQL
from tests.detection.running import jobs, later, run_at
from tests.fleets import NOON, add_site
from tests.processes import PATIENCE, await_until
from tests.racing import is_anybody_waiting, just_before

LONDON = ZoneInfo("Europe/London")
OSCAR = Author("oscar", NOON)
TODAY = date(2026, 3, 31)


def site() -> Site:
    """The site S1 as it is stored."""
    db.session.rollback()
    found: Site = db.session.scalars(queries.by_site_id("S1")).one()
    return found


def test_a_snooze_lasts_through_its_last_local_day_and_ends_by_itself(app: Flask) -> None:
    add_site("S1")
    service.snooze("S1", TODAY, "Roof work", LONDON, author=OSCAR)

    # The 31st ends in London at 23:00 in UTC: the clocks went forward two days before.
    assert run_at(later(10.9)).rules["no_coms"].checked == 0
    assert run_at(later(11)).rules["no_coms"].created == 1


def test_sites_that_sleep_are_listed_while_it_lasts(app: Flask) -> None:
    add_site("S1")
    service.snooze("S1", TODAY, "Roof work", LONDON, author=OSCAR)

    asleep = SiteFilter(state="snoozed")
    assert [s.site_id for s in db.session.scalars(sites_found(asleep, [], later(10)))] == ["S1"]
    assert list(db.session.scalars(sites_found(asleep, [], later(12)))) == []


def test_waking_ends_a_snooze_at_once_and_both_are_kept(app: Flask) -> None:
    add_site("S1")
    service.snooze("S1", TODAY, "Roof work", LONDON, author=OSCAR)
    service.wake("S1", author=OSCAR)

    assert (site().snoozed_until, site().snooze_reason) == (None, "")
    fields = [event.field for event in db.session.scalars(audit.events_for("site", "S1"))]
    assert fields == ["snoozed_until", "snooze_reason"] * 2


@pytest.mark.parametrize(
    ("last_day", "reason", "wrong"),
    [
        (TODAY - timedelta(days=1), "Roof work", {"last_day"}),
        (TODAY + timedelta(days=400), "Roof work", {"last_day"}),
        (TODAY, "  ", {"reason"}),
        (TODAY, "x" * 201, {"reason"}),
        (TODAY, "two\nlines", {"reason"}),
        (TODAY - timedelta(days=1), "", {"last_day", "reason"}),
    ],
    ids=["past", "over a year", "no reason", "long reason", "control character", "both"],
)
def test_a_snooze_needs_a_day_to_come_and_a_reason(
    app: Flask, last_day: date, reason: str, wrong: set[str]
) -> None:
    add_site("S1")

    with pytest.raises(InvalidInput) as refused:
        service.snooze("S1", last_day, reason, LONDON, author=OSCAR)

    assert set(refused.value.fields) == wrong
    assert site().snoozed_until is None


def test_an_edit_is_kept_field_by_field_and_an_edit_that_changes_nothing_is_not(app: Flask) -> None:
    add_site("S1", site_name="Old", group="north")
    wanted = service.SiteChange("New", date(2026, 1, 1), False, "north")
    service.edit("S1", wanted, author=OSCAR)
    service.edit("S1", wanted, author=OSCAR)

    events = db.session.scalars(audit.events_for("site", "S1")).all()
    assert [(e.field, e.before, e.after) for e in events] == [
        ("site_name", "Old", "New"),
        ("monitored_from", None, "2026-01-01"),
        ("active", "true", "false"),
    ]
    assert run_at().rules["no_coms"].checked == 0
    assert jobs() == []


def test_an_import_keeps_the_changes_of_known_sites_with_who_made_them(app: Flask) -> None:
    add_site("S1", site_name="Old", group="north")
    add_site("S2", site_name="Same")
    rows = [
        Row(2, ["S1", "New", "2026-01-01", "false", None, *[None] * 4]),
        Row(3, ["S2", "Same", *[None] * 7]),
        Row(4, ["S3", "Added", *[None] * 7]),
    ]
    import_sites(iter(rows), author=OSCAR)
    import_sites(iter(rows), author=OSCAR)

    events = db.session.scalars(audit.events_matching(subject="site")).all()
    assert {(e.at, e.who, e.subject_id, e.field, e.before, e.after) for e in events} == {
        (NOON, "oscar", "S1", "site_name", "Old", "New"),
        (NOON, "oscar", "S1", "monitored_from", None, "2026-01-01"),
        (NOON, "oscar", "S1", "active", "true", "false"),
    }
    assert len(events) == 3


def test_the_measure_of_a_site_that_has_readings_stays(app: Flask) -> None:
    add_site("S1", {NOON: 1}, measure="register")
    add_site("S2", measure="register")
    wanted = service.SiteChange("x", None, active=True, group="", measure="interval")
    with pytest.raises(InvalidInput) as refused:
        service.edit("S1", wanted, author=OSCAR)
    service.edit("S2", wanted, author=OSCAR)

    rows = [Row(1, ["S1", "x", None, None, None, None, None, "interval", None])]
    imported = import_sites(rows, author=OSCAR)

    assert set(refused.value.fields) == {"measure"}
    assert [row.reason for row in imported.errors] == [
        "measure can be changed only while a site has no readings"
    ]
    assert site().measure == "register"


def test_a_capacity_that_is_known_now_has_the_site_classified_anew(app: Flask) -> None:
    """30 kWh a day are too much for 1 kWp."""
    add_site("S1", {NOON - timedelta(days=1): 0, NOON: 30}, measure="register")
    wanted = service.SiteChange("x", None, active=True, group="", capacity_kwp=Decimal(1), measure="register")

    service.edit("S1", wanted, author=OSCAR)

    assert db.session.scalars(select(Reading.quality).order_by(Reading.reading_date)).all() == [0, 1]


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
def test_an_edit_and_an_import_that_gives_the_site_its_measure_do_not_wait_for_each_other(app: Flask) -> None:
    key = add_site("S1")
    wanted = service.SiteChange("New", None, active=True, group="", measure="register")

    def give_measure() -> None:
        with app.app_context(), db.engine.begin() as connection:
            turns.take_turns(connection, [key])
            connection.execute(update(Site).where(Site.key == key).values(measure="interval"))

    def begin_to_give() -> None:
        giving.append(pool.submit(give_measure))
        with db.engine.connect() as watching:
            await_until(lambda: giving[0].done() or is_anybody_waiting(watching), "it is given, or waits")

    giving: list[Future[None]] = []
    with ThreadPoolExecutor(1) as pool, just_before("INSERT INTO reading_turn", begin_to_give):
        service.edit("S1", wanted, author=OSCAR)
        giving[0].result(PATIENCE)
    assert (site().site_name, site().measure) == ("New", "register")


@pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)
def test_an_import_of_sites_and_a_change_at_that_moment_come_one_after_the_other(app: Flask) -> None:
    add_site("S1")
    changing: list[Future[dict[str, str]]] = []

    def change() -> dict[str, str]:
        with app.app_context():
            return service.change_several(
                ["S1"], {"site_name": "Theirs"}, author=Author("ada", NOON), unless=lambda _: None
            )

    def begin_to_change() -> None:
        changing.append(pool.submit(change))
        with db.engine.connect() as watching:
            await_until(lambda: changing[0].done() or is_anybody_waiting(watching), "it is done, or waits")

    with ThreadPoolExecutor(1) as pool, just_before("INSERT INTO site", begin_to_change):
        import_sites([Row(1, ["S1", "Imported", *[None] * 7])], author=OSCAR)
        assert changing[0].result(PATIENCE) == {}
    last = db.session.scalars(audit.last_change("site", "S1", "site_name")).one()
    assert (last.before, last.after) == ("Imported", site().site_name)
