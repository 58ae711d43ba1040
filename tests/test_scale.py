"""Colours, sizes of text and distances stand once, at the top of the style sheet."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parent.parent / "static"
SHEET = (STATIC / "app.css").read_text()
SCALE, REST = SHEET.split("/* ---- Bootstrap's variables", 1)
COLOUR = r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|lab)\("
SPACED = r"(?:row-|column-)?gap|(?:margin|padding)(?:-\w+)*|border-radius"
DISTANCE = rf"(?<![\w-])(?:{SPACED}): [^;{{}}]*?[\d.]+(?:rem|em)"


@pytest.mark.parametrize(
    ("what", "literal"),
    [
        ("a colour", COLOUR),
        ("a size of text", r"font-size: [\d.]+|font: [^;]*\d"),
        ("a distance", DISTANCE),
    ],
)
def test_no_rule_has_a_value_of_its_own(what: str, literal: str) -> None:
    assert re.search(literal, "color: #fff; font-size: 1rem; padding: 1rem;"), f"this would find {what}"
    assert re.findall(rf".*(?:{literal}).*", REST) == []


def test_charts_take_their_colours_from_the_scale() -> None:
    script = (STATIC / "charts.js").read_text()
    assert re.findall(rf".*(?:{COLOUR}).*", script) == []
    assert set(re.findall(r'"(--[\w-]+)"', script)) <= names(SCALE)


def test_every_name_of_the_scale_is_used_and_every_name_that_is_used_is_one() -> None:
    scripts_and_pages = [file.read_text() for folder in ("static", "templates") for file in files(folder)]
    used = set(re.findall(r"var\((--[\w-]+)|\"(--[\w-]+)\"", "".join([SHEET, *scripts_and_pages])))
    used = {one or other for one, other in used}
    made = {f"--palette-{colour}" for colour in ("blue", "orange", "violet", "teal")}
    assert names(SCALE) - used - made == set()
    assert {name for name in used if not name.startswith("--bs-")} - names(SHEET) == set()


def names(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])(--[\w-]+):", text))


def files(folder: str) -> list[Path]:
    return [file for file in (STATIC.parent / folder).rglob("*") if file.suffix in {".js", ".html"}]
