"""SECURITY.md leaves out no requirement of levels 1 and 2, and names no test that is not there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

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


@cache
def named_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
