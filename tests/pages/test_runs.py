"""The history of runs, and a run's page."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from jobauto.clock import utcnow
from jobauto.detection.service import RunParameters, run
from jobauto.models import RunRule
from jobauto.settings import service as settings
from tests.pages.reading import words
from tests.pages.scenes import add_run, faulty_fleet
from tests.people import Person


def test_what_each_rule_did_is_told_in_words(ada: Person, run_id: int) -> None:
    text = words(ada.get(f"/runs/{run_id}"))
    assert "No Coms: checked 4 sites, 1 flagged, 1 could not be assessed; opened 1 new job." in text
    assert "Zero Reads: checked 4 sites, 1 flagged, 2 could not be assessed; opened 1 new job." in text


def test_the_jobs_that_a_run_opened_are_listed(ada: Person, run_id: int) -> None:
    text = words(ada.get(f"/runs/{run_id}"))
    assert "#1 Silent roof" in text
    assert "#2 Flat roof" in text


def test_a_run_that_found_only_known_faults_says_so(ada: Person, run_id: int) -> None:
    second = run(RunParameters(trigger="manual", requested_by="oscar"), utcnow).run_id
    text = words(ada.get(f"/runs/{second}"))
    assert "1 flagged, 1 could not be assessed; opened 0 new jobs, 1 already had one." in text
    assert "This run opened no jobs Every flagged site had an open job already." in text


def test_where_a_job_that_was_closed_lately_spares_a_new_one_a_run_says_so(
    oscar: Person, run_id: int
) -> None:
    days = {"NO_COMS": {"reopen_after_days": 5}}
    settings.save(lambda before: before.changed(days), by="ada", now=utcnow())
    oscar.post("/jobs/", action="close", resolution="fixed", job=["1"])
    second = run(RunParameters(trigger="manual", requested_by="oscar"), utcnow).run_id
    text = words(oscar.get(f"/runs/{second}"))
    assert "No Coms: checked 4 sites, 1 flagged, 1 could not be assessed; opened 0 new jobs, " in text
    assert "1 already had one, or one that was closed lately." in text
    assert "1 already had one. " in text, "of the other rule"
    assert "Every flagged site had a job already, open or closed lately." in text


def test_a_run_keeps_the_settings_that_it_used(ada: Person, run_id: int) -> None:
    change = {"NO_COMS": {"days_threshold": 17, "enabled": False}}
    settings.save(lambda before: before.changed(change), by="ada", now=utcnow())
    later = run(RunParameters(trigger="manual", requested_by="oscar"), utcnow).run_id
    assert "No Coms Enabled On Days without a reading 3" in words(ada.get(f"/runs/{run_id}"))
    text = words(ada.get(f"/runs/{later}"))
    assert "No Coms Enabled Off Days without a reading 17" in text
    assert "No Coms: switched off in the settings, so it was skipped." in text


def test_who_asked_for_a_run_is_told(ada: Person, run_id: int) -> None:
    assert "Requested by By hand, oscar" in words(ada.get(f"/runs/{run_id}"))
    assert "By hand, oscar Succeeded" in words(ada.get("/runs/"))


def test_a_failed_rule_shows_its_error(ada: Person) -> None:
    failed = RunRule(rule="no_coms", position=0, status="failed", duration_ms=1234, error="disk full")
    text = words(ada.get(f"/runs/{add_run('failed', failed)}"))
    assert "A rule failed" in text
    assert "No Coms: failed after 1.2 s and opened no jobs: disk full" in text


def test_a_run_that_is_under_way_says_so_and_its_page_looks_again(ada: Person, run_id: int) -> None:
    page = ada.get(f"/runs/{add_run('running')}")
    assert "This run is still under way" in words(page)
    assert "No rule has finished yet" in words(page)
    assert '<meta http-equiv="refresh" content="2">' in page.text
    assert "http-equiv" not in ada.get(f"/runs/{run_id}").text


def test_a_run_that_crashed_says_what_counts(ada: Person) -> None:
    assert "This run crashed Its process stopped before it was done." in words(
        ada.get(f"/runs/{add_run('crashed')}")
    )


def test_before_the_first_run_the_list_says_how_to_start_one(ada: Person) -> None:
    assert "No runs yet The fleet has not been checked so far. Run the check on the dashboard" in words(
        ada.get("/runs/")
    )


def test_a_run_that_is_not_there_is_not_found(ada: Person) -> None:
    assert ada.get("/runs/999").status_code == 404


def test_a_run_as_of_another_time_is_told_with_it_wherever_it_is_told(ada: Person) -> None:
    faulty_fleet()
    as_of = utcnow() - timedelta(days=2)
    run(RunParameters(trigger="cli", as_of=as_of), utcnow)
    when = f"as of {as_of.astimezone(ZoneInfo('Europe/London')):%Y-%m-%d %H:%M}"
    for address in ("/", "/runs/", "/runs/1", "/jobs/1"):
        assert when in words(ada.get(address)).lower(), address


def test_a_run_as_of_its_start_is_not_told_with_it_in_lists(ada: Person, run_id: int) -> None:
    for address in ("/", "/runs/", "/jobs/1"):
        assert "as of" not in words(ada.get(address)).lower(), address
