"""The lab's answer on its page and by the API, and what both say while it is worked out."""

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from jobauto.audit.service import Author
from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.extensions import db
from jobauto.lab.service import Question, claim, work_out
from jobauto.models import LabResult
from jobauto.sites.service import SiteChange, edit
from jobauto.web import asking_lab
from jobauto.web.pages import lab
from tests.fleets import add_site, daily, days_before
from tests.pages.reading import words
from tests.people import Person

LAB = "/api/job-automation/lab/"


@pytest.fixture(autouse=True)
def _fleet(vera: Person) -> None:
    """A site that was silent for eleven days, and has reported daily before and since."""
    now = utcnow().replace(hour=0)  # before the hour of the daily check, on summer time and on the other
    add_site("S1", daily(range(100, 140), last=days_before(41, now)) | daily(range(200, 231), last=now))


def test_while_it_is_worked_out_one_is_told_how_far_it_is(vera: Person) -> None:
    claimed = claim(Question("no_coms", 90), utcnow())
    assert claimed
    working = vera.api("GET", LAB, query_string={"rule": "no_coms"})
    assert (working.status_code, working.json) == (202, {"progress": 0.0})
    assert "0 % is done" in words(vera.get("/lab/?rule=no_coms"))

    work_out(claimed, utcnow)
    answer = vera.api("GET", LAB, query_string={"rule": "no_coms"})
    assert answer.status_code == 200
    assert {name: answer.json[name] for name in ("rule", "days", "current")} == {
        "rule": "no_coms",
        "days": 90,
        "current": 3,
    }
    assert [row["value"] for row in answer.json["thresholds"]] == [*range(1, 31)]
    assert [row["value"] for row in answer.json["thresholds"] if row["jobs"]] == [*range(1, 11)]


def test_while_a_process_is_at_one_question_the_next_waits(vera: Person) -> None:
    with asking_lab.at_a_walk:
        assert "Another question is being worked out. This one waits." in words(
            vera.get("/lab/?rule=no_coms")
        )
        working = vera.api("GET", LAB, query_string={"rule": "no_coms"})
        assert (working.status_code, working.json) == (202, {"progress": 0.0})
    assert vera.api("GET", LAB, query_string={"rule": "no_coms"}).status_code == 200


def test_who_asks_works_it_out(vera: Person) -> None:
    assert re.search(r" 3 In force 1 1 0 0 11\.\d –", words(vera.get("/lab/?rule=no_coms&days=90")))
    assert vera.api("GET", LAB, query_string={"rule": "zero_reads", "days": 365}).status_code == 200


def test_page_and_api_say_how_far_the_daily_runs_agree(vera: Person) -> None:
    without = {"rule": "no_coms", "days": 365}
    assert vera.api("GET", LAB, query_string=without).json["agreement"] == {"runs": 0, "equal": 0}
    assert "No daily run to compare with" in words(vera.get("/lab/?rule=no_coms&days=365"))

    add_site("S2", {}, site_name="Silent roof")
    now = utcnow()
    run(RunParameters("schedule", slot=(now - timedelta(days=1)).date()), lambda: now)
    edit("S2", SiteChange("Silent roof", now.date(), active=True, group=""), author=Author("ada", utcnow()))
    for rule, equal in (("no_coms", 0), ("zero_reads", 1)):
        answer = vera.api("GET", LAB, query_string={"rule": rule}).json
        assert answer["agreement"] == {"runs": 1, "equal": equal}
    page = words(vera.get("/lab/?rule=no_coms"))
    assert "In 0 of 1 scheduled run the rule flagged the same sites" in page
    assert re.search("Run 1 .* Silent roof .* Flagged by the run alone The site was changed since", page)


def test_of_many_differences_the_newest_are_listed_and_their_number(
    vera: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "FEW", 2)
    now = utcnow()
    for number in (1, 2, 3):
        add_site(f"R{number}", {}, site_name=f"Roof {number}")
    run(RunParameters("schedule", slot=(now - timedelta(days=1)).date()), lambda: now)
    for number in (1, 2, 3):
        edit(
            f"R{number}",
            SiteChange(f"Roof {number}", now.date(), active=True, group=""),
            author=Author("ada", now),
        )
    page = vera.get("/lab/?rule=no_coms")
    assert words(page).count("Flagged by the run alone") == 2
    assert "The newest 2 of 3 differences are listed. List all" in words(page)
    everything = re.search(r'href="([^"]*list=all[^"]*)"', page.text)
    assert everything
    assert words(vera.get(unescape(everything[1]))).count("Flagged by the run alone") == 3


@pytest.mark.parametrize(
    ("threshold", "said"),
    [(10, "The same sites"), (11, "No job; with 3 it has one")],
)
def test_the_page_names_the_sites_that_another_threshold_makes_a_difference_to(
    vera: Person, threshold: int, said: str
) -> None:
    assert said in words(vera.get(f"/lab/sites?rule=no_coms&days=90&threshold={threshold}"))


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("rule=none", id="no such rule"),
        pytest.param("days=91", id="another span"),
        pytest.param("depth=3", id="an unknown parameter"),
        pytest.param("group=Nowhere", id="a group that no site has"),
    ],
)
def test_what_the_lab_does_not_know_is_refused_and_leaves_nothing(vera: Person, asked: str) -> None:
    assert vera.api("GET", f"{LAB}?{asked}").status_code == 400
    assert not db.session.scalars(select(LabResult)).all()


def test_a_page_of_no_such_question_is_refused(vera: Person) -> None:
    assert vera.get("/lab/?rule=none").status_code == 400
    assert vera.get("/lab/?rule=no_coms&group=Nowhere").status_code == 400
    assert vera.get("/lab/sites?rule=no_coms&threshold=31").status_code == 400


@pytest.mark.parametrize("page", ["/lab/", "/lab/sites?threshold=2"])
def test_thresholds_lead_to_their_setting(vera: Person, page: str) -> None:
    assert 'href="/settings/#NO_COMS.days_threshold"' in vera.get(page).text
    assert 'id="NO_COMS.days_threshold"' in vera.get("/settings/").text
