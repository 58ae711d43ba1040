"""Policies of CONTRIBUTING.md that a machine can hold us to."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import jobauto
from jobauto.config import PREFIX, VARIABLES
from jobauto.settings.labels import sections

PACKAGE = Path(jobauto.__file__).parent
README = PACKAGE.parent / "README.md"
ROOT = "jobauto"
DOORS = ("api", "cli", "scheduler", "tasks", "worker", "wsgi", "__main__", "pages")
"""What stands at the edge, beside every ``views``: nothing below may import it."""


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


def is_door(module: str) -> bool:
    parts = module.split(".")
    return parts[-1] == "views" or (len(parts) > 1 and parts[1] in DOORS)


def test_no_import_goes_round_in_a_circle() -> None:
    # A package's own file is imported with each of its parts and must not import back what imports it.
    TopologicalSorter({module: imports(module) for module in FILES}).prepare()


def test_a_module_that_imports_nothing_of_ours_is_at_the_bottom() -> None:
    assert imports("jobauto.extensions") == frozenset()


@pytest.mark.parametrize(
    ("layer", "below"),
    [
        ("jobauto.models", ("models", "extensions")),
        ("jobauto.detection.rules", ("detection", "models", "settings", "extensions")),
        ("jobauto.schedule", ("settings",)),
    ],
)
def test_a_layer_imports_only_what_lies_below(layer: str, below: tuple[str, ...]) -> None:
    members = [module for module in FILES if module == layer or module.startswith(f"{layer}.")]
    assert members
    for module in members:
        assert {found.split(".")[1] for found in imports(module)} <= set(below), module


def test_views_and_other_doors_are_imported_by_create_app_only() -> None:
    for module in FILES:
        doors = {found for found in imports(module) if is_door(found)}
        assert module == ROOT or is_door(module) or not doors, (module, doors)


def test_no_view_imports_another_features_views() -> None:
    for module in FILES:
        if module.endswith(".views"):
            assert not {found for found in imports(module) if found.endswith(".views")}, module


def test_rules_and_queries_do_not_write() -> None:
    for module in FILES:
        if module.startswith("jobauto.detection.rules") or module.endswith(".queries"):
            text = FILES[module].read_text()
            for word in ("commit(", "write()", "write_on(", "utcnow", ".add("):
                assert word not in text, (module, word)


def test_only_the_edges_read_the_clock() -> None:
    """And the proof of life, which is about the real time of a real process."""
    readers = {module for module in FILES if "utcnow()" in FILES[module].read_text()}
    allowed = {"jobauto.clock", "jobauto.runs.lifecycle", "jobauto.auth.access", "jobauto.health"}
    allowed |= {"jobauto.imports.background"}  # it proves that it is alive, as a run does
    assert {module for module in readers if not is_door(module)} <= allowed


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


def test_every_variable_stands_in_the_readme() -> None:
    text = README.read_text()
    assert [name for variable in VARIABLES if (name := PREFIX + variable.name) not in text] == []


def test_every_setting_stands_in_the_readme() -> None:
    text = README.read_text()
    names = {name for _, section in sections() for name in section.model_fields}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
