"""The list of sites: what it finds, in which order, as a file, and what is done with several at once."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from jobauto.audit import queries as audit
from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.imports import rows, sites
from jobauto.models import Review, Site
from jobauto.models.types import from_watt_hours
from jobauto.storage.connections import write
from tests.databases import POSTGRESQL, SQLITE, opened
from tests.fleets import add_readings, add_site, daily, days_before
from tests.pages.reading import form_of, words
from tests.people import Person, add_cast

TOMORROW = (utcnow() + timedelta(days=1)).date().isoformat()


def site_in_each_state() -> None:
    """As of a run of now; ``later`` came after it."""
    now = utcnow() - timedelta(hours=1)
    add_site("flat", daily([7] * 5, now), source="gw-B", site_name="A flat one")
    add_site("inactive", {}, active=False)
    add_site("new", {}, monitored_from=now.date())
    add_site("never", {}, group="North")
    add_site("quiet", {days_before(9, now): 100}, group="North", source="gw-A", site_name="Z quiet one")
    add_site("quieter", {days_before(19, now): 100}, group="South", source="gw-A")
    add_site("sleeps", daily([1, 2, 3, 4], now), snoozed_until=now + timedelta(days=9), snooze_reason="Works")
    doubted = add_site("well", daily([1, 2, 3, 4], now))
    run(RunParameters("manual", "oscar"), utcnow)
    add_site("later", daily([1, 2], now))
    nothing = from_watt_hours(0)
    with write() as session:
        review = Review(site_key=doubted, is_unsteady=False, kind="fall", started_at=now, ended_at=now)
        review.readings, review.first, review.last = 1, nothing, nothing
        review.capacity_too_small, review.state = False, "open"
        session.add(review)


@pytest.fixture
def fleet(app: Flask) -> None:
    """A site in each state."""
    site_in_each_state()


@pytest.fixture(scope="module", params=[SQLITE, POSTGRESQL])
def reader(request: pytest.FixtureRequest) -> Iterator[Person]:
    """Vera at such a fleet, for tests that leave it as it is."""
    with request.getfixturevalue(request.param).fresh() as uri, opened(uri) as app:
        add_cast()
        site_in_each_state()
        yield Person(app, "vera")


def listed(person: Person, asked: str) -> list[str]:
    """The ids of the sites of a list, in its order."""
    page = person.get(f"/sites/?{asked}")
    assert page.status_code == 200
    table = page.text.partition("<tbody")[2].partition("</tbody>")[0]
    return re.findall(r'class="cell-main"><a href="/sites/([^"]+)"', table)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("state=no_coms", ["never", "quiet", "quieter"]),
        ("state=zero_reads", ["flat"]),
        ("state=not_assessable", ["never", "new", "quiet", "quieter"]),
        ("state=not_assessable:new site", ["new"]),
        ("state=not_assessable:too few readings", ["never", "new", "quiet", "quieter"]),
        ("state=not_assessable:readings in doubt", []),
        ("state=in_doubt", ["well"]),
        ("state=snoozed", ["sleeps"]),
        ("state=inactive", ["inactive"]),
        ("state=never", ["inactive", "never", "new"]),
        ("state=unheard-of&group=North", ["never", "quiet"]),
        ("source=gw-A", ["quiet", "quieter"]),
        ("source=gw-A&group=South&state=no_coms&q=site", ["quieter"]),
        ("q=one&sort=name", ["flat", "quiet"]),
        (
            "sort=silence&q=e",
            ["never", "quieter", "quiet", "flat", "inactive", "later", "new", "sleeps", "well"],
        ),
        ("sort=jobs&state=not_assessable", ["never", "quiet", "quieter", "new"]),
        ("sort=source&state=no_coms", ["never", "quiet", "quieter"]),
        ("sort=group&state=no_coms", ["never", "quiet", "quieter"]),
    ],
)
def test_sites_are_found_by_state_group_source_and_words_in_the_order_asked_for(
    reader: Person, asked: str, found: list[str]
) -> None:
    assert listed(reader, asked) == found


def test_each_site_says_what_each_rule_said_of_it_in_the_last_run(reader: Person) -> None:
    text = words(reader.get("/sites/"))
    for said in (
        "flat No Coms OK Zero Reads Standing still",
        "inactive Inactive No Coms Inactive Zero Reads Inactive",
        "later No Coms Not checked yet Zero Reads Not checked yet",
        "new No Coms New site Zero Reads Too few readings",
        "quiet No Coms Silent Zero Reads Too few readings",
        "sleeps Snoozed No Coms Snoozed Zero Reads Snoozed Snoozed until",
        "What the rules said is of run 1 , as of",
    ):
        assert said in text, said


@pytest.mark.usefixtures("fleet")
def test_a_site_that_has_reported_since_the_last_run_is_not_one_that_never_did(vera: Person) -> None:
    key = db.session.scalar(db.select(Site.key).where(Site.site_id == "never"))
    add_readings(key, {utcnow(): 5})
    assert listed(vera, "state=never") == ["inactive", "new"]


@pytest.mark.usefixtures("fleet")
def test_the_list_is_a_file_too_whose_inventory_can_be_imported_as_it_is(vera: Person) -> None:
    answer = vera.get("/sites.csv?state=no_coms&sort=silence")
    found = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["site_id"] for row in found] == ["never", "quieter", "quiet"]
    quiet = found[2]
    assert (quiet["no_coms"], quiet["zero_reads"], quiet["zero_reads_reason"], quiet["open_jobs"]) == (
        "flagged",
        "not_assessable",
        "too few readings",
        "1",
    )
    everything = vera.get("/sites.csv").text.encode()
    again = sites.import_sites(rows.from_csv(io.BytesIO(everything), sites.REQUIRED, sites.OPTIONAL))
    assert (again.new, again.updated, again.unchanged, again.rejected) == (0, 0, 9, 0)


@pytest.mark.parametrize("asked", ["state=unheard-of", "sort=unheard-of", "colour=red", f"q={'x' * 201}"])
def test_a_file_of_sites_that_cannot_be_meant_is_refused(reader: Person, asked: str) -> None:
    assert reader.get(f"/sites.csv?{asked}").status_code == 400


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("action", "chosen", "told", "changed"),
    [
        (
            {"action": "group", "group": "North"},
            ["flat", "quiet", "never"],
            "1 site changed. 2 were not changed. quiet, never: It is in North already.",
            {"flat": {("group", "", "North")}},
        ),
        (
            {"action": "group", "group": "-"},
            ["quieter", "flat"],
            "1 site changed. 1 was not changed. flat: It is in no group.",
            {"quieter": {("group", "South", "")}},
        ),
        (
            {"action": "source", "source": "gw-A"},
            ["quiet", "flat"],
            "1 site changed. 1 was not changed. quiet: Its source is gw-A already.",
            {"flat": {("source", "gw-B", "gw-A")}},
        ),
        (
            {"action": "deactivate"},
            ["flat", "inactive", "nobody"],
            "1 site changed. 2 were not changed. "
            "inactive: It is inactive already. nobody: There is no such site.",
            {"flat": {("active", "true", "false")}},
        ),
        ({"action": "activate"}, ["flat"], "Nothing was changed. flat: It is active already.", {}),
        (
            {"action": "snooze", "last_day": TOMORROW, "reason": "Grid works"},
            ["inactive", "sleeps"],
            "Nothing was changed. inactive: It is inactive, so no run judges it. sleeps: It is snoozed until",
            {},
        ),
        ({"action": "group", "group": " "}, ["flat"], "Nothing was changed: type the group first", {}),
        ({"action": "group", "group": "x\0"}, ["flat"], "Nothing was changed: group:", {}),
        ({"action": "snooze", "last_day": TOMORROW}, ["flat"], "say until when to snooze the sites", {}),
        (
            {"action": "snooze", "last_day": "2020-01-01", "reason": "Works"},
            ["flat"],
            "Nothing was changed: last_day: Must be today or later, and within a year.",
            {},
        ),
        ({"action": "explode"}, ["flat"], "Nothing was changed: tick some sites first", {}),
        ({"action": "deactivate"}, [], "Nothing was changed: tick some sites first", {}),
    ],
)
def test_several_sites_are_changed_at_once_but_only_those_to_which_it_applies(
    oscar: Person,
    action: dict[str, str],
    chosen: list[str],
    told: str,
    changed: dict[str, set[tuple[str, str, str]]],
) -> None:
    form = form_of(oscar.get("/sites/"))
    answer = oscar.client.post("/sites/?sort=name", data=form | {"site": chosen} | action)
    assert answer.location == "/sites/?sort=name"
    assert told in words(oscar.get("/sites/?sort=name"))
    for site_id in ("flat", "inactive", "never", "quiet", "quieter", "sleeps"):
        events = db.session.scalars(audit.events_for("site", site_id)).all()
        assert {(one.field, one.before, one.after) for one in events} == changed.get(site_id, set()), site_id
        assert all(one.who == "oscar" for one in events)


@pytest.mark.usefixtures("fleet")
def test_several_sites_are_snoozed_for_one_reason(oscar: Person) -> None:
    form = form_of(oscar.get("/sites/")) | {"site": ["flat", "well"]}
    oscar.client.post(
        "/sites/", data=form | {"action": "snooze", "last_day": TOMORROW, "reason": "Grid works"}
    )
    text = words(oscar.get("/sites/?state=snoozed"))
    assert text.count(": Grid works") == 2
    assert "3 sites" in text


@pytest.mark.usefixtures("fleet")
def test_what_somebody_else_has_changed_since_the_list_was_shown_is_left_alone(
    ada: Person, oscar: Person
) -> None:
    form = form_of(oscar.get("/sites/")) | {"site": ["flat", "quiet"], "action": "group", "group": "East"}
    ada.post("/sites/", site="flat", action="group", group="West")
    oscar.client.post("/sites/", data=form)
    told = "1 site changed. 1 was not changed. flat: Somebody else has changed it since the list was shown."
    assert told in words(oscar.get("/sites/"))
    assert listed(oscar, "group=West") == ["flat"]


@pytest.mark.usefixtures("fleet")
def test_a_viewer_finds_nothing_to_tick(vera: Person) -> None:
    assert 'name="site"' not in vera.get("/sites/").text
    assert vera.post("/sites/", site="flat", action="deactivate").status_code == 403
