"""What every threshold of a rule would flag now: the rule's own statement, asked with each in turn."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from ..detection.combinations import question
from ..models import Site
from ..readings.classifying import all_classified
from ..rules import RULES
from ..rules.moment import Moment
from ..rules.rule import FLAGGED
from ..settings.policies import Effective, Policies
from .walk import BENCHES


def flagged_now(
    connection: Connection, rule: str, policies: Policies, now: datetime, progress: Callable[[float], object]
) -> list[dict[str, Any]]:
    """``{"value", "flagged", "checked"}`` of each threshold, policies in force; none of a rule that is off.

    A value that a policy contradicts, and so cannot be saved, is left out. Where ``readings_to_compare`` is
    greater than the threshold, it counts as that, as it does in the lab.
    """
    bench, found = BENCHES[rule], list[dict[str, Any]]()
    for place, (value, others) in enumerate(_each(rule, policies)):
        with all_classified(connection, now):
            counts = _counts(connection, rule, others, others.settings.moment(now))
        if counts is None:
            return []
        found.append({"value": value, **counts})
        progress((place + 1) / len(bench.thresholds))
    return found


def _counts(connection: Connection, name: str, policies: Policies, moment: Moment) -> dict[str, int] | None:
    """As in a run; None of a rule that is off for all."""
    rule = next(rule for rule in RULES if rule.name == name)
    asked = question(connection, rule, policies)
    if asked is None:
        return None
    about = asked.about(moment)
    said = rule.verdicts(asked.asked, about).subquery("said")
    flagged = select(func.count()).select_from(said).where(said.c.verdict == FLAGGED)
    checked = select(func.count()).select_from(Site).where(about.sites_to_check())
    return {"flagged": connection.scalar(flagged) or 0, "checked": connection.scalar(checked) or 0}


def _each(rule: str, policies: Policies) -> Iterator[tuple[int, Policies]]:
    bench, settings = BENCHES[rule], policies.settings
    for value in bench.thresholds:
        section = settings.rule(rule).model_copy(update={bench.field: value}).reconciled()
        others = replace(policies, settings=settings.model_copy(update={rule: section}))
        if not any(Effective(others.settings, policy).errors() for policy in others.all):
            yield value, others
