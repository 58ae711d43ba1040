"""The sites that a run found not to be well, on its page and page by page."""

import re

import pytest

from jobauto.extensions import db
from jobauto.models import RunSite
from jobauto.storage.connections import write
from jobauto.web.pages import runs
from tests.fleets import add_site
from tests.pages.reading import words
from tests.people import Person


def test_a_run_counts_the_sites_that_were_not_well_and_leads_to_them(vera: Person, run_id: int) -> None:
    page = vera.get(f"/runs/{run_id}")
    counted = words(page).partition("List of these sites")[2]
    assert counted.startswith(
        " No Coms Job opened 1 No Coms Not assessable: new site 1 "
        "Zero Reads Job opened 1 Zero Reads Not assessable: too few readings 2 Jobs opened"
    )
    for link in re.findall(rf'href="(/runs/{run_id}/sites[^"]*)"', page.text):
        assert vera.get(link.replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["SILENT", "NEW"]),
        ("rule=no_coms&kind=not_assessable", ["NEW"]),
        ("rule=zero_reads", ["FLAT", "SILENT", "NEW"]),
        ("rule=zero_reads&kind=created", ["FLAT"]),
        ("rule=zero_reads&reason=too+few+readings", ["SILENT", "NEW"]),
        ("rule=zero_reads&kind=held", []),
        ("rule=nonsense&kind=nonsense", ["SILENT", "NEW"]),
    ],
)
def test_they_are_listed_by_rule_kind_and_reason(
    vera: Person, run_id: int, asked: str, found: list[str]
) -> None:
    assert listed(vera.get(f"/runs/{run_id}/sites?{asked}").text) == found


@pytest.mark.parametrize(("kind", "words_"), [("held", "Held back"), ("covered", "Covered by an incident")])
def test_what_became_of_a_flagged_site_is_said(vera: Person, run_id: int, kind: str, words_: str) -> None:
    key = add_site("other", {})
    with write() as session:
        session.add(RunSite(run_id=run_id, rule="no_coms", site_key=key, verdict="flagged", outcome=kind))
    text = words(vera.get(f"/runs/{run_id}/sites?rule=no_coms&kind={kind}"))
    assert f"Site other other – {words_} 1 site on this page" in text
    assert f"No Coms {words_} 1" in words(vera.get(f"/runs/{run_id}"))


def test_page_by_page_each_site_comes_once(
    vera: Person, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "KEPT", 2)
    address: str | None = f"/runs/{run_id}/sites?rule=zero_reads"
    found = []
    while address:
        page = vera.get(address).text
        found.append(listed(page))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else None
    assert found == [["FLAT", "SILENT"], ["NEW"]]


def test_a_run_of_which_nothing_is_kept_says_so(vera: Person, run_id: int) -> None:
    with write() as session:
        session.execute(db.delete(RunSite))
    assert "This run kept no sites" in words(vera.get(f"/runs/{run_id}/sites"))
    assert "Sites that were not well" not in words(vera.get(f"/runs/{run_id}"))
    assert vera.get("/runs/999/sites").status_code == 404


def listed(html: str) -> list[str]:
    """The ids of the sites of a page, in its order."""
    table = html.partition("<tbody")[2].partition("</tbody>")[0]
    return re.findall(r'href="/sites/([^"]+)"', table)
