"""SECURITY.md leaves out no requirement of levels 1 and 2, and names no test that is not there.

Nor a number that is not the program's.
"""

import ast
import re
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from jobauto import config
from jobauto.auth import oidc, passwords, second_factor, service, sessions, steps, throttling, tokens
from jobauto.detection import run_sites
from jobauto.imports import uploads
from jobauto.notifications import courier, delivery
from jobauto.storage import drafts
from jobauto.users import mail_addresses
from jobauto.web import body_limits, devices, exports
from jobauto.web.api import importing

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "SECURITY.md").read_text()
COUNTS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4
5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2
8.1:2 8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3
11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5
14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2
"""
"""Of ASVS 5.0.0: how many requirements of a section are of level 1 or 2: they come first."""
REQUIRED = {section: int(count) for section, count in (each.split(":") for each in COUNTS.split())}
NAMED = sorted(set(re.findall(r"([\w/]+\.py)::(test_\w+)", PAGE)))
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| \d+\.\d+\.\d+", line)]


@pytest.mark.parametrize("section", REQUIRED)
def test_every_requirement_is_answered_or_said_not_to_apply(section: str) -> None:
    answered = re.findall(r"\d+\.\d+\.\d+", " ".join(row.split("|")[1] for row in ROWS))
    left_out = " ".join(line for line in PAGE.splitlines() if re.match(r"Do(es)? not apply", line))
    said = re.findall(r"\d+\.\d+(?:\.\d+)?", left_out)
    for number in range(1, REQUIRED[section] + 1):
        ways = (f"{section}.{number}" in answered, f"{section}.{number}" in said, section in said)
        assert ways.count(True) == 1, f"{section}.{number}"


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    assert name in named_in(file)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_a_row_has_its_evidence_or_says_that_it_is_not_met(row: str) -> None:
    _, _, how, evidence, _ = row.split("|")
    assert how.strip()
    assert evidence.strip() or "*Not met*" in how


WORDS = {2: "two", 3: "three", 5: "five", 6: "six", 10: "ten"}


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _minutes(span: timedelta) -> int:
    return _seconds(span) // 60


def _hours(span: timedelta) -> int:
    return _minutes(span) // 60


LINKS = [most for _, _, most in mail_addresses.LINKS]
VARIABLES = {variable.name: variable.default for variable in config.VARIABLES}
NUMBERS = (
    f"opens the next step alone, for {_minutes(steps.LASTS)} minutes",
    f"{second_factor.DIGITS} digits, {second_factor.STEP_SECONDS} seconds",
    f"A count has {throttling.FREE_FAILURES} free failures in a row",
    f"from {_seconds(throttling.wait_after(throttling.FREE_FAILURES + 1))} seconds to "
    f"{_minutes(throttling.LONGEST_WAIT)} minutes",
    f"it goes on to {_hours(throttling.LONGEST_WAIT_OF_PAIR)} hours",
    f"{throttling.ADDRESS_FAILURES} failures and refused tries in "
    f"{_minutes(throttling.ADDRESS_WINDOW)} minutes",
    f"signed, {devices.LIFETIME.days} days, opens nothing",
    f"unless they gave it within {_minutes(sessions.RECENT)} minutes",
    f"with {oidc.SILENT_SECONDS} seconds of silence and {oidc.REPLY_SECONDS} for a reply at most, "
    f"{oidc.LONGEST_REPLY // 1024} kB at most",
    f"by {WORDS[oidc.AT_ONCE]} requests of a process at once, while {WORDS[oidc.IN_LINE]} more wait",
    f"is left alone for {oidc.LEFT_ALONE_SECONDS} seconds",
    f"{tokens.DAYS} days unless its maker said otherwise, {tokens.MOST_DAYS:,} at most",
    f"a user has at most {tokens.MOST_OF_A_USER} at once",
    f"ends after {mail_addresses.LINK_HOURS} hours",
    f"At most {WORDS[LINKS[0]]} links an hour and {WORDS[LINKS[1]]} a day",
    f"{passwords.SHORTEST} to {passwords.LONGEST} characters of any kind",
    f"lapses after {service.SET_BY_ANOTHER_LASTS.days} days",
    f"unused for {VARIABLES['SESSION_IDLE_MINUTES'] // 60} hours",
    f"{VARIABLES['SESSION_MINUTES'] // 60} hours old",
    f"at most {drafts.MOST_OF_A_USER} forms of a person",
    f"up to {sessions.MOST_OF_A_USER:,} sessions at once",
    f"A key has {config.SHORTEST_KEY} characters at least",
    f"reads {courier.LONGEST_REPLY // 1024} kB of a reply at most and lasts "
    f"{delivery.SECONDS:.0f} seconds at most",
    f"and {WORDS[exports.AT_ONCE]} of a process at once; one more is refused",
    f"a process works out {WORDS[passwords.AT_ONCE]} at once",
    f"Of those, {WORDS[passwords.IN_LINE]} more wait",
    f"a process has {WORDS[importing.AT_ONCE]} bodies in hand at once, {WORDS[importing.IN_LINE]} wait",
    f"A stranger has {body_limits.PAGE // 1000} kB",
    f"{VARIABLES['API_REQUESTS_PER_MINUTE']:,} requests a minute for a token",
    f"otherwise after {uploads.KEPT_FOR.days} days",
    f"The folder holds at most {uploads.KEPT_BYTES // 10**9} GB",
    f"of single sites {run_sites.KEPT_FOR.days} days",
)


@pytest.mark.parametrize("words", NUMBERS)
def test_a_number_of_the_page_is_the_programs(words: str) -> None:
    assert words in " ".join(PAGE.split())


@cache
def named_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
