"""What the pages of sites and jobs say of readings that were set aside, and of meters."""

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.models import MeterChange, Site
from jobauto.settings import service as settings
from jobauto.sites.thinning import midnight as start_of_day
from tests.fleets import NOON, add_readings, add_site, daily, days_before
from tests.pages.reading import words
from tests.pages.test_charts import charts
from tests.people import Person
from tests.readings.doubts import classify_again, meters, qualities, review_id
from tests.sites.readings import LONDON


def add_doubted(site_id: str, values: list[float], **site: object) -> int:
    """A site with one reading a day up to an hour ago, classified; returns its key."""
    key = add_site(site_id, daily(values, utcnow() - timedelta(hours=1)), **site)
    classify_again(key)
    return key


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param(
            [98, 99, 100, 101, 0, 102],
            "3 good readings since DAY, up 2.00 kWh. 1 of 4 readings was set aside: 1 wrong, as the readings "
            "around them show. The register fell from 101.00 to 0.00 kWh, and then stood at 102.00 kWh.",
            id="a zero between",
        ),
        pytest.param(
            [98, 99, 100, 101, 0, 0],
            "2 good readings since DAY, none in the last 2 days, up 1.00 kWh. 2 of 4 readings were set "
            "aside: 2 in doubt. The register fell from 101.00 to 0.00 kWh. Nothing decides yet whether that "
            "is right.",
            id="in doubt",
        ),
        pytest.param(
            [98, 99, 100, 101, 0, 1, 2],
            "3 good readings since DAY, up 2.00 kWh. 1 of 4 readings was set aside: "
            "1 of the meter before the newest one.",
            id="a new meter",
        ),
    ],
)
def test_a_site_says_in_words_which_readings_were_set_aside_and_why(
    vera: Person, values: list[float], sentence: str
) -> None:
    add_doubted("S1", values)
    text = words(vera.get("/sites/S1"))
    before, after = sentence.split("DAY")
    assert before in text
    assert after in text


def test_estimates_are_set_aside_by_both_rules(vera: Person) -> None:
    now = utcnow()
    key = add_site("S1", daily([1, 2], days_before(2, now)))
    add_readings(key, {days_before(1, now): 3}, quality=4)
    assert words(vera.get("/sites/S1")).count("readings was set aside: 1 estimated by the sender.") == 2


def test_readings_that_are_set_aside_are_signs_beside_the_line_and_struck_in_the_table(vera: Person) -> None:
    add_doubted("S1", [*range(84, 102), 0, 102, 999_999, 103])
    page = vera.get("/sites/S1")
    drawn = charts(page)["register"]
    assert [kwh for _, kwh in drawn["series"][0]["points"]][-5:] == [101, None, 102, None, 103]
    assert [(kwh, quality) for _, kwh, quality in drawn["aside"]] == [(0, "wrong"), (999_999, "wrong")]
    assert "<s>999,999.00</s>" in page.text
    assert "Wrong: the readings around it show it" in words(page)


def test_an_operator_decides_on_the_site_s_page_and_takes_it_back(oscar: Person, vera: Person) -> None:
    key = add_doubted("S1", [98, 99, 100, 101, 0, 0])
    assert 'value="decide"' in oscar.get("/sites/S1").text
    assert 'value="decide"' not in vera.get("/sites/S1").text

    oscar.post("/sites/S1", action="decide", review=review_id(key), decision="wrong")
    text = words(oscar.get("/sites/S1"))
    assert qualities(key) == "ggggii"
    assert "2 ignored, as oscar said." in text
    assert "Nothing waits for a decision." in text

    oscar.post("/sites/S1", action="decide", review=review_id(key), decision="undo")
    assert qualities(key) == "ggggdd"


def test_a_site_s_page_decides_about_its_own_readings_only(oscar: Person) -> None:
    own, others = (add_doubted(site_id, [98, 99, 100, 101, 0, 0]) for site_id in ("S1", "S2"))
    ticked = [review_id(own), review_id(others)]

    oscar.post("/sites/S1", action="decide", review=ticked, decision="wrong")
    oscar.post("/sites/S1", action="decide", review=review_id(others), decision="wrong")

    assert [qualities(own), qualities(others)] == ["ggggdd"] * 2


@pytest.mark.parametrize("address", ["/reviews/", "/sites/S1"])
def test_a_register_that_runs_backwards_may_count_down(oscar: Person, app: Flask, address: str) -> None:
    key = add_doubted("S1", [500, 400, 300, 200])

    oscar.post(address, action="decide", review=review_id(key), decision="other_way")

    assert qualities(key) == "gggg"
    assert db.session.get_one(Site, key).counts == "down"
    page = oscar.get("/sites/S1")
    text = words(page)
    assert "Counts: up to down" in text.replace("→ ", "")
    assert "4 readings since" in text
    assert "down" in text
    assert [kwh for _, _, kwh, _ in charts(oscar.get("/sites/S1"))["daily_yield"]["series"][0]["days"]] == [
        100
    ] * 3


def test_no_other_review_turns_a_site_round(oscar: Person) -> None:
    key = add_doubted("S1", [100, 101, 0, 0])
    oscar.post("/reviews/", review=review_id(key), decision="other_way")
    assert db.session.get_one(Site, key).counts == "up"


def local(instant: datetime) -> str:
    return f"{instant.astimezone(LONDON):%Y-%m-%dT%H:%M}"


def test_a_meter_change_is_recorded_on_the_page_counts_in_the_yield_and_is_taken_away(
    oscar: Person, vera: Person
) -> None:
    key = add_doubted("S1", [45209, 45210.33, 0, 3.10])
    at = utcnow() - timedelta(days=1.5)
    fields = {"action": "meter_change", "closing": "45212.50", "opening": "0.00", "serial": "E-1"}

    oscar.post("/sites/S1", changed_at=local(at), **fields)

    assert meters(key) == [0, 0, 1, 1]
    page = oscar.get("/sites/S1")
    text = words(page)
    assert "45,212.50" in text
    assert "Meter change" in text[text.index("History") :]
    days = charts(page)["daily_yield"]["series"][0]["days"]
    assert [kwh for _, _, kwh, _ in days] == [1.33, 2.17, 3.1]
    assert [mark["kind"] for mark in charts(page)["register"]["marks"]] == ["meter"]
    assert "Record a meter change" not in words(vera.get("/sites/S1"))

    change = db.session.scalars(select(MeterChange.id)).one()
    oscar.post("/sites/S1", action="delete_meter_change", change=change)
    assert meters(key) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("changed_at", "", "Say when."),
        ("changed_at", "yesterday", "It is not a date and time like 2026-03-31T06:00."),
        ("changed_at", "2199-01-01T00:00", "It is more than 24 hours in the future."),
        ("closing", "1,5", "It is not a number like 1234.56."),
        ("opening", "many", "It is not a number like 1234.56."),
        ("serial", "x" * 51, "It has more than 50 characters."),
    ],
)
def test_what_cannot_be_recorded_is_said_beside_the_field_and_what_was_typed_stays(
    oscar: Person, field: str, typed: str, why: str
) -> None:
    add_doubted("S1", [1, 2])
    given = {"changed_at": "2026-03-31T10:30", "serial": "E-1"} | {field: typed}
    answer = oscar.post("/sites/S1", action="meter_change", **given)
    assert (answer.status_code, why in words(answer)) == (422, True)
    assert 'value="E-1"' in answer.text or field == "serial"


@pytest.mark.parametrize(
    ("typed", "chosen", "stored"),
    [
        pytest.param("2025-10-26T00:59", "", "2025-10-25T23:59Z", id="before the clocks go back"),
        pytest.param("2025-10-26T01:30", "", None, id="twice, and nobody said which"),
        pytest.param("2025-10-26T01:30", "2025-10-26T00:30:00Z", "2025-10-26T00:30Z", id="the first"),
        pytest.param("2025-10-26T01:30", "2025-10-26T01:30:00Z", "2025-10-26T01:30Z", id="the second"),
        pytest.param("2025-10-26T01:30", "2025-10-26T02:30:00Z", None, id="neither of the two"),
        pytest.param("2025-10-26T02:00", "2025-10-26T00:30:00Z", "2025-10-26T02:00Z", id="moved since"),
        pytest.param("2026-03-29T01:30", "", None, id="never was"),
        pytest.param("2026-03-29T01:30", "2026-03-29T01:30:00Z", None, id="never was, whatever is chosen"),
        pytest.param("2026-03-29T02:00", "", "2026-03-29T01:00Z", id="after the clocks went forward"),
    ],
)
def test_of_an_hour_that_comes_twice_the_person_says_which_and_one_that_never_was_is_refused(
    oscar: Person, typed: str, chosen: str, stored: str | None
) -> None:
    add_doubted("S1", [1, 2])
    answer = oscar.post("/sites/S1", action="meter_change", changed_at=typed, instant=chosen, serial="E-1")

    found = [f"{at:%Y-%m-%dT%H:%MZ}" for at in db.session.scalars(select(MeterChange.changed_at))]
    assert found == ([stored] if stored else [])
    asks = "Which of the two" in answer.text
    assert asks == (stored is None and typed.startswith("2025-10-26"))
    assert ("It does not exist: the clocks skip it" in answer.text) == (not asks and stored is None)
    if asks:
        assert 'value="E-1"' in answer.text
        assert re.findall('value="(2025-10-26T[^"]*Z)">([^<]*)<', answer.text) == [
            ("2025-10-26T00:30:00Z", "The first, before the clocks go back (UTC+01:00)"),
            ("2025-10-26T01:30:00Z", "The second, after they went back (UTC+00:00)"),
        ]


def test_a_job_shows_the_readings_that_were_set_aside_then_and_since_struck_through(vera: Person) -> None:
    now = utcnow()
    key = add_site("S1", daily([*[1234] * 15, 0, 1234, 1234], days_before(3, now)))
    classify_again(key)
    run(RunParameters("manual"), lambda: days_before(2.9, now))
    add_readings(key, daily([9999, 1234], days_before(1, now)))
    classify_again(key)

    page = vera.get("/jobs/1")
    text = words(page)

    assert "Of the readings that the job was opened on, these were set aside: 0.00 kWh of" in text
    assert "Of the readings since then, these were set aside: 9,999.00 kWh of" in text
    assert page.text.count("<s>0.00</s>") >= 2
    assert "The register has not moved 1 reading since the job was opened" in text
    assert "1 reading was set aside." in text


def test_a_job_that_is_no_longer_recovered_says_why(vera: Person) -> None:
    now = utcnow()
    key = add_site("S1", daily([1234] * 5, days_before(4, now)))
    run(RunParameters("manual"), lambda: days_before(3.9, now))
    add_readings(key, {days_before(3.5, now): 5000})
    classify_again(key)
    run(RunParameters("manual"), lambda: days_before(3.4, now))
    assert "Recovered Run 2 saw at" in words(vera.get("/jobs/1"))

    add_readings(key, daily([1234] * 3, now - timedelta(hours=1)))
    classify_again(key)

    text = words(vera.get("/jobs/1"))
    assert "No longer recovered The reading of" in text
    assert "No longer recovered: the reading of" in text[text.index("History") :]


def test_pages_say_how_far_a_classification_anew_is(vera: Person, app: Flask) -> None:
    for number in range(4):
        add_site(f"S{number}", daily([1]))
    assert "classified anew" not in vera.get("/reviews/").text

    settings.save(lambda now: now.changed({"READINGS": {"fall_tolerance": 2}}), by="ada", now=NOON)

    assert "All readings are classified anew:</strong> about 0 % of the sites" in vera.get("/reviews/").text
    assert "The readings of this site are still to be classified anew" in words(vera.get("/sites/S1"))


def test_the_yield_of_a_site_that_sends_intervals_is_what_they_add_up_to(vera: Person) -> None:
    midnight = start_of_day(utcnow().astimezone(LONDON).date(), LONDON)
    hours = {midnight - timedelta(hours=number): "0.125" for number in range(48)}
    add_site("S1", hours, measure="interval")
    page = vera.get("/sites/S1")
    drawn = charts(page)
    days = drawn["daily_yield"]["series"][0]["days"]
    assert [(kind, kwh) for _, kind, kwh, _ in days] == [("known", 3)] * 2
    assert drawn["register"]["series"][0]["title"] == "Energy of intervals, kWh"
    assert "kWh in all." in words(page)
    assert "0.125" in words(page)
    assert "The site sends intervals, and no register." in words(page)


def test_a_job_of_a_site_that_sends_intervals_speaks_of_no_register(oscar: Person) -> None:
    now = utcnow()
    add_site("S1", {now - timedelta(days=days): 0 for days in range(4)}, measure="interval")
    run(RunParameters("manual"), lambda: now)
    for page in ("/jobs/1", "/sites/S1"):
        text = words(oscar.get(page))
        assert ("show no generation: 3 days." in text, "register has stood" in text) == (True, False)


def test_a_job_says_which_of_its_readings_are_known_to_be_wrong_by_now(oscar: Person) -> None:
    now = utcnow()
    key = add_site("S1", daily([1234] * 15 + [0] * 4, days_before(0.1, now)))
    classify_again(key)
    run(RunParameters("manual"), lambda: now)
    assert "known to be wrong by now" not in words(oscar.get("/jobs/1"))

    oscar.post("/reviews/", review=review_id(key), decision="wrong")

    assert "4 readings that the job was opened on are known to be wrong by now." in words(
        oscar.get("/jobs/1")
    )
