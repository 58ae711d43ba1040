"""What is done with several sites of a list, which may be old by then: only what it applies to.

Each condition is asked of the site as it is locked for the change, and says why it is left alone.
"""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from ..models import Site
from ..models.types import format_minute

Refusal = Callable[[Site], str | None]
"""Why a site is not to be changed, in a sentence; None where it is."""


def not_in_group(group: str) -> Refusal:
    """Of moving sites to a group, or out of theirs."""
    return lambda site: _already(
        site.group == group, f"It is in {group} already." if group else "It is in no group."
    )


def not_from_source(source: str) -> Refusal:
    """Of saying what the readings come through."""
    text = f"Its source is {source} already." if source else "It has no source."
    return lambda site: _already(site.source == source, text)


def not_active(active: bool) -> Refusal:
    """Of switching sites on, or off."""
    text = f"It is {'active' if active else 'inactive'} already."
    return lambda site: _already(site.active == active, text)


def judged_until(until: datetime, now: datetime, zone: ZoneInfo) -> Refusal:
    """Of snoozing: nobody's longer snooze is cut short, and no run judges an inactive site anyway."""

    def refusal(site: Site) -> str | None:
        if not site.active:
            return "It is inactive, so no run judges it."
        if site.is_snoozed(now) and site.snoozed_until is not None and site.snoozed_until >= until:
            return f"It is snoozed until {format_minute(site.snoozed_until, zone)} already."
        return None

    return refusal


def _already(is_so: bool, text: str) -> str | None:
    return text if is_so else None
