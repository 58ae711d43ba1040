"""The documents say what the program is: no name is missing or too many, and every link leads somewhere."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click import Choice, Command, Group, Option
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from jobauto import create_app
from jobauto.cli import COMMANDS
from jobauto.config import LEAST_MONTHS, PREFIX, RANGES, VARIABLES, Variable
from jobauto.logs import FORMATS
from jobauto.models.user import SCOPES as ALL_SCOPES
from jobauto.rules.settings import RuleSettings, Section
from jobauto.settings.labels import sections
from tests.auth.routes import EXPECTED, SCOPES
from tests.databases import Sqlite
from tests.markdown import Row, anchors, codes, links, prose, snippets, table
from tests.people import Person, add_cast

ROOT = Path(__file__).parent.parent
PAGES = {
    file.relative_to(ROOT).as_posix(): file.read_text()
    for file in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
}
README = PAGES["README.md"]
MOST_WORDS = 1400
FIRST_SCREEN = 25


def page(name: str) -> str:
    return PAGES[f"docs/{name}.md"]


def by_name(rows: list[Row]) -> dict[str, Row]:
    """Each row by the code in its first cell."""
    named = [(codes(next(iter(row.values())))[0], row) for row in rows]
    assert len(dict(named)) == len(named), "a name stands there twice"
    return dict(named)


@pytest.fixture(scope="module")
def program(sqlite: Sqlite) -> Iterator[Flask]:
    with sqlite.fresh() as uri:
        app = create_app({"TESTING": True, "SQLALCHEMY_DATABASE_URI": uri, "SECRET_KEY": "tests"})
        with app.app_context():
            add_cast()
            yield app


# -- the README, and links -----------------------------------------------------------------------------


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    assert len(README.split()) <= MOST_WORDS
    first_screen = "\n".join(README.splitlines()[:FIRST_SCREEN])
    assert "\nmake run " in first_screen
    assert "\nmake test " in first_screen


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_a_heading_of_it(name: str) -> None:
    assert [link for link in links(PAGES[name]) if not _leads_somewhere(name, link)] == []


def _leads_somewhere(name: str, link: str) -> bool:
    if link.startswith(("https://", "mailto:")):
        return True
    file, _, anchor = link.partition("#")
    target = _target(name, file)
    if target is None or not (ROOT / target).exists():
        return False
    return not anchor or anchor in anchors(PAGES.get(target, ""))


def _target(name: str, file: str) -> str | None:
    """Where a page's link leads, from the top folder; None where that is outside."""
    path = ((ROOT / name).parent / file).resolve() if file else ROOT / name
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else None


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[str] = set()
    to_read = {"README.md"}
    while to_read:
        name = to_read.pop()
        reached.add(name)
        targets = {_target(name, link.partition("#")[0]) for link in links(PAGES[name])}
        to_read |= {target for target in targets if target in PAGES and target not in reached}
    assert set(PAGES) - reached == set()


PLACES = (ROOT, ROOT / "jobauto")
"""From where a page names files and folders."""
PATH = re.compile(r"(?:jobauto|tests|docs|deploy|templates|static|\.ci)/[\w/.-]*|\w[\w/.-]*(?:/|\.py)")


@pytest.mark.parametrize("name", PAGES)
def test_no_page_names_a_file_that_is_no_more(name: str) -> None:
    named = {code for code in codes(prose(PAGES[name])) if PATH.fullmatch(code) and "NAME" not in code}
    assert [path for path in sorted(named) if not any((place / path).exists() for place in PLACES)] == []


# -- settings ------------------------------------------------------------------------------------------

DECLARED = dict(sections())
OF_RULES = [section for section in DECLARED.values() if issubclass(section, RuleSettings)]
SHARED = set(RuleSettings.model_fields)


def own_fields(section: type[Section]) -> set[str]:
    return set(section.model_fields) - (SHARED if issubclass(section, RuleSettings) else set())


def as_documented(values: list[Any]) -> str:
    """Default values as a page writes them."""
    words = [_in_code(value) for value in values]
    return ", ".join(dict.fromkeys(words))


def _in_code(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return (f"`{value}`" if value else "empty") if isinstance(value, str) else str(value)


def limits(field: dict[str, Any]) -> str | None:
    """What a field's JSON schema allows, as a page writes it; None where only a sentence can say it."""
    if field["type"] == "boolean":
        return "`true`, `false`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "maximum" in field:
        return f"{field['minimum']:,} to {field['maximum']:,}"
    if "maxLength" in field:
        least = f"{field['minLength']} to" if "minLength" in field else "up to"
        return f"{least} {field['maxLength']:,} characters"
    return None


@pytest.mark.parametrize(
    ("heading", "of", "names"),
    [
        ("Both rules", OF_RULES, SHARED),
        *((section.title, [section], own_fields(section)) for section in DECLARED.values()),
    ],
)
def test_the_settings_are_as_the_page_says(heading: str, of: list[type[Section]], names: set[str]) -> None:
    rows = by_name(table(page("settings"), heading, "setting"))

    assert set(rows) == names
    for name, row in rows.items():
        assert row["default"] == as_documented([section.model_fields[name].default for section in of]), name
        known = limits(of[0].model_json_schema()["properties"][name])
        assert row["allowed"] == known if known else row["allowed"], name
        assert row["meaning"], name


def test_the_page_names_every_section() -> None:
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", page("settings"))) == set(DECLARED)


def test_the_variables_of_descriptions_are_as_the_page_says() -> None:
    rows = table(page("settings"), "Variables of a description", "rule")

    assert {row["rule"]: codes(row["variables"]) for row in rows} == {
        section.title: [f"{{{name}}}" for name in section.variables]
        for section in OF_RULES
        if issubclass(section, RuleSettings)
    }


# -- configuration -------------------------------------------------------------------------------------

KNOWN = {PREFIX + variable.name: variable for variable in VARIABLES}


def allowed(variable: Variable) -> str:
    if variable.name in RANGES and variable.name != "KEEP_READINGS_MONTHS":
        least, most = RANGES[variable.name]
        return f"{least:,} to {most:,}"
    particular = {
        "KEEP_READINGS_MONTHS": f"0, or {LEAST_MONTHS} to {RANGES['KEEP_READINGS_MONTHS'][1]:,}",
        "LOG_FORMAT": ", ".join(f"`{name}`" for name in FORMATS),
    }
    by_type = {bool: "`true`, `false`", int: "a whole number", str: "text"}
    return particular.get(variable.name, by_type[type(variable.default)])


def test_the_environment_variables_are_as_the_page_says() -> None:
    rows = by_name(table(page("configuration"), "Configuration", "variable"))

    assert {name: (row["default"], row["allowed"]) for name, row in rows.items()} == {
        name: (as_documented([variable.default]), allowed(variable)) for name, variable in KNOWN.items()
    }


@pytest.mark.parametrize("name", PAGES)
def test_no_page_names_a_variable_that_is_no_more(name: str) -> None:
    assert set(re.findall(rf"\b{PREFIX}[A-Z][A-Z_]*", PAGES[name])) <= set(KNOWN)


# -- commands ------------------------------------------------------------------------------------------

MENTION = re.compile(r"(?:^|\$\(|/)jobauto ((?:db )?[a-z][a-z-]*)([^#)]*)")


@cache
def commands() -> dict[str, Command]:
    """The program's commands, by what follows ``jobauto``; of Flask-Migrate's only ``db upgrade``."""
    loaded = {command.name: command.load() for command in COMMANDS}
    of_database = loaded.pop("db")
    assert isinstance(of_database, Group)
    return loaded | {
        f"db {name}": command
        for name, command in of_database.commands.items()
        if name == "upgrade" or command.callback.__module__.startswith("jobauto.")
    }


def test_the_list_of_commands_says_what_each_says_itself() -> None:
    for command in COMMANDS:
        assert command.load().name == command.name
        assert command.load().get_short_help_str(), command.name


def synopsis(name: str, command: Command) -> str:
    """``jobauto create-user NAME --role viewer|operator|admin [--password-stdin]``."""
    shown = [] if name == "db upgrade" else command.params  # the others of Alembic's are seldom wanted
    return " ".join(["jobauto", name, *(_word(parameter) for parameter in shown)])


def _word(parameter: Any) -> str:
    if not isinstance(parameter, Option):
        return str(parameter.metavar or parameter.name).upper()
    flag = parameter.opts[0]
    if isinstance(parameter.type, Choice):
        flag += f" {'|'.join(parameter.type.choices)}"
    elif not parameter.is_flag:
        flag += " VALUE"
    return flag if parameter.required else f"[{flag}]"


def test_the_commands_are_as_the_page_says() -> None:
    said = by_name(table(page("commands"), "Commands", "command"))

    assert {re.sub(r"(--[a-z-]+) [A-Z]+", r"\1 VALUE", name) for name in said} == {
        synopsis(name, command) for name, command in commands().items()
    }


@pytest.mark.parametrize("name", PAGES)
def test_no_page_shows_a_command_or_an_option_that_is_no_more(name: str) -> None:
    known = commands()
    for snippet in snippets(PAGES[name]):
        for command, rest in MENTION.findall(snippet):
            assert command in known, snippet
            options = {option for each in known[command].params for option in each.opts}
            assert set(re.findall(r"--[a-z-]+", rest)) <= options, snippet


# -- the API -------------------------------------------------------------------------------------------


_PLACES = {"site_id": "SITE_ID", "name": "NAME"}


def template(path: str) -> str:
    """``/api/jobs/ID/`` for ``/api/jobs/<int:job_id>/`` and ``/api/jobs/{job_id}``."""
    named = re.sub(r"[<{](?:\w+:)?(\w+)[>}]", lambda at: _PLACES.get(at[1], "ID"), path)
    return named if named.endswith((".csv", ".json", "/")) else f"{named}/"


def test_the_endpoints_are_as_the_page_says(program: Flask) -> None:
    rows = by_name(table(page("api"), "Endpoints", "request"))
    described: dict[str, Any] = described_by_the_api(program)["paths"]
    queries = {
        f"{method.upper()} {template(path)}": {
            parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"
        }
        for path, operations in described.items()
        for method, operation in operations.items()
    }

    assert {name: (row["role"], set(codes(row["query"]))) for name, row in rows.items()} == {
        request: (EXPECTED[method, endpoint], queries.get(request, set()))
        for request, method, endpoint in endpoints(program)
    }


def test_what_a_scope_opens_is_as_the_page_says(program: Flask) -> None:
    rows = by_name(table(page("api"), "Who asks", "scope"))
    ingest = {request for request, *route in endpoints(program) if "ingest" in SCOPES[route[0], route[1]]}

    assert set(rows) == set(ALL_SCOPES)
    assert set(codes(rows["ingest"]["opens"])) == ingest
    assert all(("read" in scopes) == (method == "GET") for (method, _), scopes in SCOPES.items())


def endpoints(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(``GET /api/jobs/``, ``GET``, ``api_jobs.job_list``)."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield f"{method} {template(rule.rule)}", method, rule.endpoint


@pytest.mark.parametrize("name", PAGES)
def test_no_page_names_an_address_of_the_api_that_is_no_more(program: Flask, name: str) -> None:
    known = {template(rule.rule) for rule in program.url_map.iter_rules()}
    patterns = [re.sub("SITE_ID|ID", r"[^/]+", path) for path in known]
    named = {
        re.sub(r"^\$API", "/api", path)
        for snippet in snippets(PAGES[name])
        for path in re.findall(r"(?:\$API|(?<!\w)/api)/[\w/.-]*[\w/]", snippet)
    }
    assert [
        path for path in named if not any(re.fullmatch(pattern, path) for pattern in [*patterns, "/api/"])
    ] == []


def test_what_comes_out_of_the_api_is_as_the_page_says(program: Flask) -> None:
    schemas = described_by_the_api(program)["components"]["schemas"]
    fields = {name: set(schema.get("properties", ())) for name, schema in schemas.items()}
    rows = by_name(table(page("api"), "What comes out", "schema"))

    for name, row in rows.items():
        said = [fields.get(word, {word}) for word in codes(row["fields"])]
        assert set().union(*said) == fields[name], name


def described_by_the_api(app: Flask) -> dict[str, Any]:
    document: dict[str, Any] = Person(app, "vera").api("GET", "/api/openapi.json").get_json()
    return document


# -- what is watched -----------------------------------------------------------------------------------


def test_the_metrics_are_as_the_page_says(program: Flask) -> None:
    text = Person(program, "vera").api("GET", "/metrics").text
    families = text_string_to_metric_families(text)
    names = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}

    assert set(by_name(table(page("operating"), "Watching it", "metric"))) == names
