"""The page's figures are there for every line, and CI notices when one falls to half."""

import pytest

from tests.bench.claims import PAGE, claims, fallen
from tests.bench.table import Line, Measured
from tests.bench.turns import Turns

ENGINES = ("SQLite", "PostgreSQL")
LINES = {
    "loop",
    "seeks",
    "half-hourly",
    "history",
    "policies",
    "policies, scattered",
    "second run",
    "incidents",
    "import",
    "same file",
    "classify",
    "import, by day",
    "same file, by day",
    "dashboard",
    "job list",
    "open jobs",
    "report",
    "search",
    "jobs of a priority",
    "jobs with a word",
    "sites by jobs",
    "lab",
    "help",
    "run by command",
}
COSTS = Line("seeks", "ours", "the other", target=1.3)
IS_FASTER = Line("loop", "ours", "the other", target=200, faster=True)


def measured(line: Line, ours: float, other: float, broken: str = "") -> Measured:
    return Measured(line, "SQLite", Turns([ours], [other]), broken=broken)


def test_the_page_claims_a_figure_for_every_line_on_both_engines() -> None:
    said = claims(PAGE.read_text())

    assert {line for line, _ in said} == LINES
    assert all(said[line, engine] > 0 for line in LINES for engine in ENGINES)


@pytest.mark.parametrize(
    ("line", "claim", "ours", "other", "falls"),
    [
        pytest.param(COSTS, 1.0, 1.9, 1.0, False, id="not quite twice the cost"),
        pytest.param(COSTS, 1.0, 2.1, 1.0, True, id="more than twice the cost"),
        pytest.param(IS_FASTER, 100.0, 1.0, 60.0, False, id="more than half as fast"),
        pytest.param(IS_FASTER, 100.0, 1.0, 40.0, True, id="less than half as fast"),
    ],
)
def test_a_figure_falls_when_it_is_half_as_good_as_claimed(
    line: Line, claim: float, ours: float, other: float, falls: bool
) -> None:
    fell = list(fallen({(line.name, "SQLite"): claim}, [measured(line, ours, other)]))

    assert bool(fell) is falls


def test_a_line_of_which_the_page_says_nothing_falls() -> None:
    assert list(fallen({}, [measured(COSTS, 1.0, 1.0)]))


def test_a_line_that_is_broken_falls_whatever_its_ratio() -> None:
    said = {("seeks", "SQLite"): 1.0}

    assert list(fallen(said, [measured(COSTS, 1.0, 1.0, broken="more than 150 MB")]))
