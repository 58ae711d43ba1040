"""The detectors. A new rule is a new file and a word in ``RULES``; see CONTRIBUTING, "A new rule"."""

from .no_coms import NO_COMS
from .rule import Rule
from .zero_reads import ZERO_READS

RULES = (NO_COMS, ZERO_READS)


def rule_named(name: str) -> Rule | None:
    """The rule of that name; None for one that is no more, of which old jobs may still tell."""
    return next((rule for rule in RULES if rule.name == name), None)


__all__ = ["NO_COMS", "RULES", "ZERO_READS", "Rule", "rule_named"]
