"""What pages offer to do about reviews, and doing it."""

from collections.abc import Sequence

from flask import flash

from ..models.quality import ReviewDecision
from ..readings.decisions import UnknownReview, count_the_other_way, decide
from ..wording import pluralize
from .access import current_author
from .paging import MOST

DECISIONS = {
    "new_meter": "New meter",
    "wrong": "Readings are wrong",
    "right": "Readings are right",
    "other_way": "Site counts the other way",
    "undo": "Undo the decision",
}
"""What can be done with reviews, and the labels of the buttons."""


def decide_and_tell(ticked: Sequence[int], decision: str | None, *, site_key: int | None = None) -> None:
    """Do what somebody pressed with the reviews that they ticked, all or none of them, and say what became.

    They are as many as a page shows at most, and with ``site_key`` all of that site.
    """
    chosen = ticked[:MOST]
    if not chosen or decision not in DECISIONS:
        flash("Nothing was decided: tick some reviews first, then choose what to do with them.", "warning")
        return
    author = current_author()
    try:
        if decision == "other_way":
            count = count_the_other_way(chosen, author=author, site_key=site_key)
            told = f"{pluralize(count, 'site')}: counts the other way from now on."
        else:
            wanted = None if decision == "undo" else ReviewDecision(decision)
            count = decide(chosen, wanted, author=author, site_key=site_key)
            told = f"{pluralize(count, 'review')}: {DECISIONS[decision]}."
    except UnknownReview:
        flash("Nothing was decided: some of these readings are in doubt no longer. Look again.", "warning")
        return
    if count:
        flash(told, "success")
    elif decision == "other_way":
        flash("Nothing was changed: none of these registers runs backwards.", "info")
    else:
        flash("Nothing was changed: that is what was decided already.", "info")
