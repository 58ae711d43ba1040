"""The detectors. A new rule is a new file with a ``RULE``, and its name in ``NAMES``; see CONTRIBUTING.

The names alone load no rule: the list of commands is made of them.
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .rule import Rule

    RULES: tuple[Rule, ...]

NAMES = ("no_coms", "zero_reads")
"""In the order in which a run asks them: each is a module here, and the rule's name everywhere."""


def command_of(name: str) -> str:
    """The command that runs a rule alone."""
    return f"create-{name.replace('_', '-')}-jobs"


def rule_named(name: str) -> "Rule | None":
    """The rule of that name; None for one that is no more, of which old jobs may still tell."""
    return next((rule for rule in _rules() if rule.name == name), None)


@cache
def _rules() -> "tuple[Rule, ...]":
    return tuple(import_module(f".{name}", __name__).RULE for name in NAMES)


def __getattr__(name: str) -> Any:
    if name == "RULES":
        return _rules()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
