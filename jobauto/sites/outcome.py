"""What came of a change of several sites, as people are told. Pure."""

from collections.abc import Iterator, Mapping

from ..wording import pluralize

NAMED = 5
"""So many of the sites that were left alone for one reason are named."""


def of_several(chosen: int, left: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Sentences and their categories: how many were changed, and why the others were left alone."""
    changed = chosen - len(left)
    if not changed:
        yield "Nothing was changed.", "warning"
    elif left:
        were = "was" if len(left) == 1 else "were"
        yield f"{pluralize(changed, 'site')} changed. {len(left):,} {were} not changed.", "success"
    else:
        yield f"{pluralize(changed, 'site')} changed.", "success"
    by_reason: dict[str, list[str]] = {}
    for site_id, why in left.items():
        by_reason.setdefault(why, []).append(site_id)
    for why, site_ids in by_reason.items():
        others = len(site_ids) - NAMED
        names = ", ".join(site_ids[:NAMED]) + (f" and {others:,} more" if others > 0 else "")
        yield f"{names}: {why}", "aside"
