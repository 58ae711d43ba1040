"""The page that makes a profile from a file: it asks, shows the rows as they would be stored, and imports."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from jobauto.extensions import db
from jobauto.imports.decisions import expire_undecided
from jobauto.imports.profiles import service as profiles
from jobauto.models import Import, Reading, Site
from tests.fleets import add_site
from tests.pages.reading import error_beside, form_of, words
from tests.pages.test_importing import wait
from tests.people import Person, add_cast
from tests.profiles.test_given_files import FILES, expected

FIT = "28_fit_reads.xlsx"


@pytest.fixture
def oscar(app: Flask) -> Person:
    add_cast()
    return Person(app, "oscar")


def bring(person: Person, content: bytes, name: str) -> TestResponse:
    """Send a file; the page that proposes."""
    answer = person.post("/profiles/new/file", file=(BytesIO(content), name))
    return person.get(answer.location)


def given(name: str) -> bytes:
    return (FILES / name).read_bytes()


def sent(page: TestResponse, **changes: str) -> dict[str, str]:
    """What the page's form sends when somebody has made changes to it."""
    return form_of(page) | changes


def status() -> str:
    db.session.rollback()
    return db.session.get_one(Import, 1).status


def stored() -> list[tuple[str, datetime, Decimal]]:
    db.session.rollback()
    rows = db.session.execute(
        select(Site.site_id, Reading.reading_date, Reading.reading_value)
        .join(Site, Site.key == Reading.site_key)
        .order_by(Site.site_id, Reading.reading_date)
    )
    return [(site, at, value) for site, at, value in rows]


def test_questions_are_asked_and_answered_then_the_rows_are_shown_saved_and_imported(oscar: Person) -> None:
    for site in ("MILL-01", "MILL-02", "WEIR-07"):
        add_site(site)

    page = bring(oscar, given(FIT), FIT)
    assert "05/11/2026: 5 November 2026 or 11 May 2026?" in words(page)
    assert "Save and import" not in words(page)
    assert "First rows as they would be stored" not in words(page)

    answers = sent(page, formats="%d/%m/%Y", date_only="00:00")
    page = oscar.post("/profiles/new/1/look", **answers)
    assert (
        "MILL-02 | Abbey Road Hall | EML2100000102 | 05/11/2026 | 1,771.0 | Jo "
        "MILL-02 2026-11-05 00:00:00+00:00 Europe/London 2026-11-05 00:00:00 UTC 1,771.00"
    ) in words(page)
    assert stored() == []

    answer = oscar.post(
        "/profiles/new/1", **sent(page, name="fit", then="import", formats="%d/%m/%Y", date_only="00:00")
    )
    assert answer.location == "/import/1"
    wait()
    assert [(site, f"{at:%Y-%m-%dT%H:%M:%SZ}", str(kwh)) for site, at, kwh in stored()] == sorted(
        expected(FIT)
    )
    assert profiles.get("fit").document["time"]["formats"] == ["%d/%m/%Y"]
    assert db.session.get_one(Import, 1).profile == "fit"
    assert oscar.get("/profiles/new/1").location == "/import/1"


@pytest.mark.any_engine
def test_a_question_that_follows_from_an_answer_is_marked_as_new_below_those_that_are_answered(
    oscar: Person,
) -> None:
    add_site("A")
    content = b"site,when,a,b\n" + b"".join(b"A,0%d/11/2026 06:00,1.204,2.5\n" % day for day in (5, 6))
    page = bring(oscar, content, "a.csv")
    assert ">New<" not in page.text
    answers = {"formats": "%d/%m/%Y %H:%M", "value_columns": "a"}

    page = oscar.post("/profiles/new/1/look", **sent(page, **answers))

    told = words(page)
    order = ["5 November 2026 or 11 May", "Which is what the site", "New 1.204: 1.204 or 1204?"]
    assert sorted(order, key=told.index) == order
    assert page.text.index('id="here"') < page.text.index("1.204: 1.204 or 1204?")
    page = oscar.post("/profiles/new/1/look", **sent(page, **answers, numbers=".", measure="register"))
    assert page.text.index('id="here"') < page.text.index("First rows as they would be stored")


@pytest.mark.any_engine
def test_the_reasons_stand_beside_what_is_proposed_and_a_change_is_followed(oscar: Person) -> None:
    add_site("S1")
    page = bring(oscar, b"site,date,kWh\nS1,2026-11-01T06:00Z,5000\nS1,2026-11-02T06:00Z,5010\n", "a.csv")
    assert "Nothing in the file names another unit" not in words(page)
    assert "It changes little beside its size, and never falls: 5000, then 5010." in words(page)
    assert "5,000.00" in words(page)

    page = oscar.post("/profiles/new/1/look", **sent(page, unit="Wh"))
    assert "You said so. Proposed was: kWh." in words(page)
    assert "5.00" in words(page)


@pytest.mark.any_engine
def test_where_the_first_rows_hold_nothing_the_first_that_hold_more_are_shown_too(oscar: Person) -> None:
    add_site("S1")
    kwh = ["0"] * 40 + ["1.5", "0", "2.5"]
    rows = (f"S1,2026-11-01T{at // 4:02}:{at % 4 * 15:02}Z,{value}\n" for at, value in enumerate(kwh))
    page = bring(oscar, f"site,end,Interval (kWh)\n{''.join(rows)}".encode(), "a.csv")

    text = words(page)

    assert "The first rows that hold more: The first rows of the file that hold more than 0" in text
    assert text.count("S1,2026-11-01T10") == 2


@pytest.mark.any_engine
def test_of_registers_that_are_added_up_it_is_told(oscar: Person) -> None:
    assert "are added up to one value" in words(bring(oscar, given("07_d0010.uff"), "07_d0010.uff"))


@pytest.mark.any_engine
def test_clocks_are_offered_by_their_places_and_as_fixed_offsets_not_by_former_names(oscar: Person) -> None:
    page = bring(oscar, NAMED, "a.csv").text

    clocks = page.partition('name="zone"')[2].partition("</select>")[0]
    offered = ["Europe/Amsterdam", "UTC", "UTC+1 all year, without summer time"]
    assert all(f">{clock}</option>" in clocks for clock in offered)
    assert clocks.lstrip().index("Europe/London, as in the settings") < clocks.index("Africa/Abidjan")
    assert "GB-Eire" not in clocks


def test_the_change_is_told_since_the_sites_last_reading_wherever_that_is(oscar: Person) -> None:
    add_site("S1", {datetime(2026, 10, 31, 6, tzinfo=UTC): "990.5"})

    page = bring(oscar, b"site,date,kWh\nS1,2026-11-01T06:00Z,1000\nS1,2026-11-02T06:00Z,1003\n", "a.csv")

    assert "1,000.00 +9.50 since" in words(page)
    assert "1,003.00 +3.00 since" in words(page)


UNKNOWN = b"""site,date,meter reading
S1,2026-11-01T06:00Z,100
NEW,2026-11-01T06:00Z,100
Casa Uno,2026-11-01T06:00Z,100
"""


NAMED = b"""Company Name,Site ref,Site,Status,Date,Reading (kWh)
Solar Ltd,M1,Mill Lane,ok,2026-11-03T06:00Z,100
Solar Ltd,M2,Abbey Road,ok,2026-11-02T00:30+01:00,100
Solar Ltd,M1,Mill Lane,ok,2026-11-02T06:00Z,90
"""


def test_a_site_is_made_with_its_name_and_first_day_and_both_histories_tell_of_it(oscar: Person) -> None:
    page = bring(oscar, NAMED, "a.csv")
    by_reference = {"site": "column:Site ref"}
    page = oscar.post("/profiles/new/1/look", **sent(page, **by_reference))
    assert "The names are those of the column Site." in words(page)

    made = sent(page, **by_reference, **{"make.all": "yes", "called.1": "Abbey Road Hall"})
    x = oscar.post("/profiles/new/1", **made | {"name": "feed", "then": "import"})
    assert x.status_code == 302, words(x)
    wait()

    db.session.rollback()
    sites = select(Site.site_id, Site.site_name, Site.monitored_from).order_by(Site.site_id)
    assert [tuple(row) for row in db.session.execute(sites)] == [
        ("M1", "Mill Lane", date(2026, 11, 2)),
        ("M2", "Abbey Road Hall", date(2026, 11, 1)),
    ]
    assert "Made for import 1" in words(oscar.get("/sites/M1"))
    assert "Sites that were made for it Mill Lane M1 Abbey Road Hall M2" in words(oscar.get("/import/1"))
    oscar.post("/import/1/undo")
    wait()
    assert "The 2 sites that were made for it stay." in words(oscar.get("/import/1"))
    assert "Import 1 Made the site M1" in words(Person(oscar.client.application, "ada").get("/audit/"))


def test_unknown_sites_are_made_or_mapped_as_somebody_says(oscar: Person) -> None:
    for site in ("S1", "PLANT-A"):
        add_site(site)
    page = bring(oscar, UNKNOWN, "a.csv")
    assert "Sites that the fleet does not know" in words(page)
    said = {"make.0": "yes", "alias.1": "PLANT-A"}

    page = oscar.post("/profiles/new/1/look", **sent(page, **said))
    assert "PLANT-A 2026-11-01" in words(page)
    assert "NEW not in the fleet" in words(page)

    oscar.post("/profiles/new/1", **sent(page, name="feed", then="import"))
    wait()
    assert [site for site, *_ in stored()] == ["NEW", "PLANT-A", "S1"]
    assert profiles.get("feed").document["site"]["aliases"] == {"Casa Uno": "PLANT-A"}


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"name": ""}, "name", "Give it a name."),
        ({"name": "a b"}, "name", "A name is 1 to 50"),
        ({"name": "Taken"}, "name", "There is a profile Taken already."),
        ({"name": "f", "alias.0": "NOWHERE"}, "alias-0", "There is no site NOWHERE."),
    ],
)
def test_what_cannot_be_saved_is_told_beside_its_field_and_nothing_is_stored(
    oscar: Person, changes: dict[str, str], field: str, why: str
) -> None:
    add_site("S1")
    oscar.post(
        "/profiles/new",
        name="taken",
        document='{"file": {"kind": "d0010"}, "site": {}, "time": {}, "value": {}}',
    )
    page = bring(oscar, UNKNOWN, "a.csv")

    answer = oscar.post("/profiles/new/1", **sent(page, then="import", **changes))

    assert answer.status_code == 422
    assert why in error_beside(answer, field)
    assert profiles.find("f") is None
    assert status() == "needs_profile"


FORMER = """
{"file": {"kind": "delimited"}, "header": {"find": ["site"]}, "source": "gw-A", "expected_hours": 24,
 "site": {"column": "site", "aliases": {"Casa Uno": "PLANT-A"}},
 "time": {"columns": ["date"], "formats": ["%m/%d/%Y"]}, "value": {"columns": ["kWh"]}}
"""


def test_a_profile_is_made_anew_from_a_file_as_its_next_version(oscar: Person) -> None:
    """Its source, hours and other names of sites stay."""
    add_site("S1")
    oscar.post("/profiles/new", name="Portal", document=FORMER)

    asks_first = b"site,date,meter reading\nS1,05/11/2026 06:00,100\n"
    answer = oscar.post("/profiles/new/file", file=(BytesIO(asks_first), "a.csv"), profile="Portal")
    answers = {"formats": "%d/%m/%Y %H:%M"}
    page = oscar.post("/profiles/new/1/look", **sent(oscar.get(answer.location), **answers))
    assert "Save it as version 2 of Portal" in words(page)
    oscar.post("/profiles/new/1", **sent(page, **answers, then="save"))

    saved = profiles.get("portal")
    assert (saved.name, saved.version) == ("Portal", 2)
    assert saved.document["time"]["formats"] == ["%d/%m/%Y %H:%M"]
    assert saved.document["site"]["aliases"] == {"Casa Uno": "PLANT-A"}
    assert (saved.document["source"], saved.document["expected_hours"]) == ("gw-A", 24)


def test_what_the_former_version_says_is_not_given_stays_so(oscar: Person) -> None:
    add_site("S1")
    document = FORMER.replace('"gw-A"', "null").replace('"expected_hours": 24', '"expected_hours": null')
    oscar.post("/profiles/new", name="Portal", document=document)

    file = BytesIO(b"site,date,kWh\nS1,11/25/2026,100\n")
    page = oscar.get(oscar.post("/profiles/new/file", file=(file, "a.csv"), profile="Portal").location)
    oscar.post("/profiles/new/1", **sent(page, then="save"))

    saved = profiles.get("portal")
    assert saved.version == 2
    assert not {"source", "expected_hours"} & saved.document.keys()


def test_where_a_name_is_taken_saving_it_as_the_next_version_is_offered(oscar: Person) -> None:
    add_site("S1")
    oscar.post("/profiles/new", name="Portal", document=FORMER)
    page = bring(oscar, UNKNOWN, "a.csv")
    refused = oscar.post("/profiles/new/1", **sent(page, name="portal", then="save"))
    assert "Save it as version 2 of Portal" in words(refused)

    oscar.post("/profiles/new/1", **sent(refused, then="save", replaces="Portal"))

    saved = profiles.get("portal")
    assert (saved.name, saved.version, saved.document["source"]) == ("Portal", 2, "gw-A")


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("field", "said", "why"),
    [
        ("formats", "dd/mm/yyyy hh:mm", "it has no day, month and year, such as %d/%m/%Y"),
        ("formats", "%d/%m/%Y\n%Q", "%Q is no directive that is known here"),
        ("encoding", "utf-9", "Not an encoding of text"),
        ("encoding", "base64", "Not an encoding of text"),
        ("encoding", "idna", "Not an encoding of text"),
    ],
)
def test_an_answer_that_cannot_be_one_is_told_beside_its_field(
    oscar: Person, field: str, said: str, why: str
) -> None:
    add_site("S1")
    page = bring(oscar, UNKNOWN, "a.csv")

    looked = oscar.post("/profiles/new/1/look", **sent(page, **{field: said}))
    saved = oscar.post("/profiles/new/1", **sent(page, name="f", then="save", **{field: said}))

    assert (looked.status_code, saved.status_code) == (200, 422)
    assert why in error_beside(looked, f"p-{field}")
    assert said.splitlines()[0] in looked.text
    assert profiles.find("f") is None


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("rows", "warning"),
    [
        (["1.204", "1.227", "1.253"], "S1: every value has exactly three decimals"),
        (["10", "9", "8", "7"], "S1: at least half of the steps fall"),
        (["5000000", "5000001"], "S1: a value is 1,000 times the newest one before"),
    ],
)
def test_what_may_be_meant_otherwise_is_told_before_anything_is_stored(
    oscar: Person, rows: list[str], warning: str
) -> None:
    add_site("S1", {datetime(2026, 10, 1, tzinfo=UTC): "5000"})
    lines = "".join(f"S1,2026-11-{day:02}T06:00Z,{value}\n" for day, value in enumerate(rows, start=1))
    page = bring(oscar, f"site,date,meter reading\n{lines}".encode(), "a.csv")

    page = oscar.post("/profiles/new/1/look", **sent(page, numbers=".", measure="register"))

    assert warning in words(page)


@pytest.mark.any_engine
def test_rows_of_one_time_are_told_of(oscar: Person) -> None:
    add_site("S1")
    line = "S1,2026-11-01T06:00Z,{}\n"
    content = "site,date,meter reading\n" + line.format(5000) * 2 + line.format(5001)

    assert "S1: rows of one time have different values" in words(bring(oscar, content.encode(), "a.csv"))


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04 broken", "The zip archive is damaged"),
        (b"no,table\n", "No row of its first part has a date and a number beside it"),
    ],
)
def test_a_file_of_which_nothing_can_be_said_leads_back_with_the_reason(
    oscar: Person, content: bytes, why: str
) -> None:
    answer = oscar.post("/profiles/new/file", file=(BytesIO(content), "a.csv"))

    page = oscar.get(answer.location)
    page = oscar.get(page.location) if page.location else page
    assert why in words(page, "body")
    assert "notice-bad" in page.text


def test_a_file_that_waits_for_its_profile_is_in_the_history_and_goes_when_nobody_wants_it(
    oscar: Person,
) -> None:
    bring(oscar, given("23_greenchoice.csv"), "23_greenchoice.csv")
    assert "Needs profile" in words(oscar.get("/import/"))
    assert "Nobody has said yet how this file is read" in words(oscar.get("/import/1"))
    oscar.post("/import/1", decision="import")
    assert status() == "needs_profile"

    oscar.post("/import/1", decision="discard")

    assert status() == "discarded"


def test_the_same_file_sent_again_waits_once(oscar: Person) -> None:
    bring(oscar, given("23_greenchoice.csv"), "23_greenchoice.csv")

    again, other = (
        oscar.post("/profiles/new/file", file=(BytesIO(given(name)), "23_greenchoice.csv"))
        for name in ("23_greenchoice.csv", "22_liander.csv")
    )

    assert (again.location, other.location) == ("/profiles/new/1", "/profiles/new/2")


def test_a_file_of_which_only_the_profile_was_saved_does_not_wait_any_more(oscar: Person) -> None:
    add_site("S1")
    page = bring(oscar, UNKNOWN, "a.csv")
    assert "Cancel" in words(page)

    oscar.post("/profiles/new/1", **sent(page, name="feed", then="save"))

    assert status() == "discarded"


def test_an_import_names_its_profile_and_nobody_as_who_decided_where_nothing_was_to_be(
    oscar: Person,
) -> None:
    add_site("S1")
    page = bring(oscar, UNKNOWN, "a.csv")
    oscar.post("/profiles/new/1", **sent(page, name="feed", then="import"))
    wait()

    page = oscar.get("/import/1")

    assert 'href="/profiles/feed/"' in page.text
    assert "Read by the profile feed version 1" in words(page)
    assert "Decided by" not in words(page)


def test_after_some_days_it_is_not_imported_any_more(oscar: Person) -> None:
    bring(oscar, given("23_greenchoice.csv"), "23_greenchoice.csv")

    expire_undecided(datetime.now(UTC) + timedelta(days=15))

    assert status() == "discarded"


def test_a_profile_called_new_can_be_changed(oscar: Person) -> None:
    document = '{"file": {"kind": "d0010"}, "site": {}, "time": {}, "value": {}}'

    saved = oscar.post("/profiles/new", name="new", document=document)

    assert saved.location == "/profiles/new/edit"
    assert "d0010" in oscar.get(saved.location).text
    changed = oscar.post(saved.location, document=document.replace("d0010", "nem12"))
    assert changed.location == "/profiles/new/edit"
    assert profiles.get("new").document["file"]["kind"] == "nem12"
    oscar.post("/profiles/new/delete")
    assert oscar.get(saved.location).status_code == 404


@pytest.mark.any_engine
def test_a_name_from_a_file_is_shown_as_text(oscar: Person) -> None:
    evil = "<script>alert(1)</script>"
    content = f"site,date,kWh\n{evil},2026-11-01T06:00Z,100\n{evil},2026-11-02T06:00Z,101\n"

    page = bring(oscar, content.encode(), f"{evil}.csv")

    assert evil not in page.text
    assert evil in words(page).replace("&lt;", "<") or "alert(1)" in page.text
