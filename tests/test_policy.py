"""Policies of docs/architecture.md that a machine can hold us to."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import jobauto

PACKAGE = Path(jobauto.__file__).parent
ROOT = "jobauto"
EDGES = ("app", "web", "cli", "worker", "wsgi", "__main__")
"""What stands at the edge and meets a request or a command line: nothing below may import it."""


def name_of(file: Path) -> str:
    parts = (ROOT, *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py")) if "migrations" not in file.parts}


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of ours that a module names in its imports."""
    return frozenset(found for found in _named(module) if found != module)


def _named(module: str) -> Iterator[str]:
    file = FILES[module]
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        source = ".".join([*base, *([node.module] if node.module else [])])
        if source.split(".")[0] == ROOT:
            submodules = [f"{source}.{alias.name}" for alias in node.names]
            yield from (name if name in FILES else source for name in submodules)


def folder_of(module: str) -> str:
    """The folder of the package in which a module lies; a module at the top is its own."""
    return module.split(".")[1] if module != ROOT else ROOT


def is_edge(module: str) -> bool:
    return folder_of(module) in EDGES


def test_no_import_goes_round_in_a_circle() -> None:
    # A package's own file is imported with each of its parts and must not import back what imports it.
    TopologicalSorter({module: imports(module) for module in FILES}).prepare()


def test_no_import_of_folders_goes_round_in_a_circle() -> None:
    """Data goes one way through the rooms of the house, too. The factory knows them all."""
    arrows: dict[str, set[str]] = {folder_of(module): set() for module in FILES if module != ROOT}
    for module in FILES:
        if module != ROOT:
            found = {folder_of(target) for target in imports(module) if target != ROOT}
            arrows[folder_of(module)] |= found - {folder_of(module)}
    TopologicalSorter(arrows).prepare()


def test_no_folder_imports_one_that_stands_above_it_in_the_page_on_architecture() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text()
    table = page[page.index("| in `jobauto/` | holds |") :].split("\n\n")[0]
    rows = [re.findall(r"`([\w.]+?)(?:\.py|/)`", line.split("|")[1]) for line in table.splitlines()[2:]]
    place = {name: number for number, names in enumerate(rows) for name in names}
    assert {folder_of(module) for module in FILES} - {ROOT} == set(place) - {"__init__"}
    for module in FILES:
        for target in imports(module) - {ROOT}:
            if module != ROOT:
                assert place[folder_of(module)] <= place[folder_of(target)], (module, target)


@pytest.mark.parametrize("module", ["extensions", "clock", "wording", "errors", "config"])
def test_a_module_that_imports_nothing_of_ours_is_at_the_bottom(module: str) -> None:
    assert imports(f"{ROOT}.{module}") == frozenset()


@pytest.mark.parametrize(
    ("layer", "below"),
    [
        ("models", {"models", "extensions"}),
        ("settings.schedule", {"settings"}),
        ("rules", {"rules", "models", "wording"}),
        ("storage", {"storage", "models", "extensions", "config", "logs"}),
    ],
)
def test_a_layer_imports_only_what_lies_below(layer: str, below: set[str]) -> None:
    members = [module for module in FILES if f"{module}.".startswith(f"{ROOT}.{layer}.")]
    assert members
    for module in members:
        assert {folder_of(found) for found in imports(module)} <= below, module


def test_only_edges_import_an_edge() -> None:
    for module in FILES:
        edges = {found for found in imports(module) if is_edge(found)}
        assert module == ROOT or is_edge(module) or not edges, (module, edges)


def all_below(module: str) -> set[str]:
    """What a module loads, by whatever way."""
    found, new = set[str](), {module}
    while new:
        found |= new
        new = {target for each in new for target in imports(each)} - found - {ROOT}
    return found


def test_a_slot_is_run_without_what_only_a_tick_needs() -> None:
    """So that the command for cron loads neither APScheduler nor what imports files and sends messages."""
    below = all_below(f"{ROOT}.work.slots")
    assert not below & {
        f"{ROOT}.work.scheduler",
        f"{ROOT}.notifications.sending",
        f"{ROOT}.notifications.courier",
    }
    assert "imports" not in {folder_of(module) for module in below}
    assert not [module for module in below if any(_names_from(module, "apscheduler"))]


@pytest.mark.parametrize("kind", ["pages", "api", "forms"])
def test_no_page_imports_another_page(kind: str) -> None:
    beside = {
        "api": {"bodies", "importing", "requests", "responses", "spec"},
        "forms": {"choices", "controls", "errors", "users"},
    }
    for module in FILES:
        if module.startswith(f"{ROOT}.web.{kind}."):
            others = {found.split(".")[-1] for found in imports(module) if f".web.{kind}." in found}
            assert others <= beside.get(kind, set()), module


REQUEST_SIDE = {
    "Blueprint", "abort", "flash", "g", "has_request_context", "jsonify", "make_response", "redirect",
    "render_template", "request", "send_file", "session", "stream_with_context", "url_for",
}  # fmt: skip


def _names_from(module: str, *libraries: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if (
            isinstance(node, ast.ImportFrom)
            and not node.level
            and (node.module or "").split(".")[0] in libraries
        ):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in libraries)


def test_behind_the_edges_nobody_knows_of_requests() -> None:
    for module in FILES:
        if module == ROOT or is_edge(module) or module == f"{ROOT}.extensions":
            continue
        assert not set(_names_from(module, "flask")) & REQUEST_SIDE, module
        assert not set(_names_from(module, "flask_wtf", "wtforms", "spectree", "werkzeug.exceptions")), module
        assert set(_names_from(module, "flask_login")) <= {"UserMixin"}, module
        text = FILES[module].read_text()
        if folder_of(module) not in ("work", "storage"):
            assert "current_app" not in text, module
            assert "app_context(" not in text, module


def test_rules_and_queries_do_not_write() -> None:
    for module in FILES:
        if module.startswith("jobauto.rules") or module.endswith(".queries"):
            text = FILES[module].read_text()
            for word in ("commit(", "write()", "write_on(", "utcnow", ".add("):
                assert word not in text, (module, word)


def test_only_the_edges_read_the_clock() -> None:
    """And what is done in the background, and the proofs of life, which are about real processes."""
    readers = {module for module in FILES if "utcnow()" in FILES[module].read_text()}
    imports = {"jobauto.imports.background", "jobauto.imports.attempt"}
    allowed = {"jobauto.clock", "jobauto.runs.lifecycle", *imports}
    beyond = {module for module in readers if not is_edge(module) and folder_of(module) != "work"}
    assert beyond <= allowed


def _calls(module: str, of: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[0] == of:
            yield node


def test_every_pattern_is_written_down() -> None:
    """None is built from what people type."""
    patterns = [call.args[0] for module in FILES for call in _calls(module, "re")]
    assert len(patterns) > 5
    assert [ast.unparse(pattern) for pattern in patterns if not isinstance(pattern, ast.Constant)] == []


def test_the_log_goes_to_standard_error_only() -> None:
    handlers = [ast.unparse(call) for module in FILES for call in _calls(module, "logging")]
    assert [call for call in handlers if "Handler" in call] == ["logging.StreamHandler(sys.stderr)"]
