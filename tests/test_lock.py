"""The lock: exact versions with hashes, of no registry, as pyproject.toml asks and as installed."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
BUILD = (ROOT / "requirements-build.lock").read_text()
ENTRIES = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
PINS = [Requirement(entry.splitlines()[0].rstrip("\\ ")) for entry in ENTRIES]
LOCKED = {
    canonicalize_name(pin.name): next(iter(pin.specifier)).version
    for pin in PINS
    if pin.marker is None or pin.marker.evaluate()
}
"""What of it is for this Python on this machine."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"].values()
ASKED = [Requirement(text) for texts in (PROJECT["dependencies"], *EXTRAS) for text in texts]


def test_each_version_has_its_hashes() -> None:
    assert len(PINS) >= len(LOCKED) > len(ASKED)
    assert all(str(pin.specifier).startswith("==") for pin in PINS)
    for entry in [*ENTRIES, *re.split(r"^(?=[A-Za-z0-9])", BUILD, flags=re.MULTILINE)[1:]]:
        assert "==" in entry.splitlines()[0], entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


def test_it_names_no_place_to_fetch_from() -> None:
    for word in ("://", "index", "find-links", "trusted-host", "@ ", "file:"):
        assert word not in LOCK + BUILD, word
    assert not re.search(r"\b[\w-]+\.(com|org|net|io|dev)\b", LOCK + BUILD)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_it_holds_what_is_asked_for(asked: Requirement) -> None:
    locked = LOCKED.get(canonicalize_name(asked.name))
    assert locked, "not in the lock; make it anew with: make lock"
    assert asked.specifier.contains(locked)


def test_the_wheel_is_built_with_what_is_locked_and_nothing_else() -> None:
    (asked,) = map(
        Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    )
    locked = re.search(rf"^{asked.name}==(\S+)", BUILD, re.MULTILINE)
    assert locked
    assert asked.specifier.contains(locked[1])
    for file in ("deploy/Dockerfile", ".ci/run"):
        text = (ROOT / file).read_text()
        assert "--require-hashes -r requirements-build.lock" in text, file
        assert re.findall(r"pip\"? wheel .*--no-build-isolation", text), file
        assert not re.search(r"-m build|pip\"? install .*--no-deps \.$", text, re.MULTILINE), file


def test_what_is_installed_is_what_is_locked() -> None:
    installed = {name: version(name) for name in LOCKED}
    assert installed == LOCKED, "install anew with: make clean test"
