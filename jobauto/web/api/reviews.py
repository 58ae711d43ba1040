"""``/api/readings/reviews/``: readings in doubt."""

from flask import Blueprint, abort

from ...clock import utcnow
from ...models import Review
from ...models.quality import ReviewDecision
from ...readings import queries
from ...readings.decisions import UnknownReview, decide
from ..access import current_author, needs
from ..lookup import get_or_404
from ..paging import page_of
from .bodies import body_of_request, check_body, query_of_request
from .requests import DecisionIn, ReviewsIn
from .responses import PageOut, ReviewOut
from .spec import responses, spec

bp = Blueprint("api_reviews", __name__, url_prefix="/api/readings/reviews")
bp.before_request(check_body)


@bp.get("/")
@spec.validate(query=ReviewsIn, resp=responses(PageOut[ReviewOut]))
def review_list() -> PageOut[ReviewOut]:
    """Readings in doubt, newest first."""
    query: ReviewsIn = query_of_request()
    queries.bring_up_to_date(utcnow())
    page = page_of(queries.reviews_matching(query.filter()), query.page, query.per_page)
    return PageOut(**vars(page) | {"items": [ReviewOut.of(review) for review in page.items]})


@bp.patch("/<int:review_id>/")
@needs("operator")
@spec.validate(json=DecisionIn, resp=responses(ReviewOut, 404, 413, 415, 422))
def review_decide(review_id: int) -> ReviewOut:
    """Decide about a review, or take the decision back with null."""
    wanted: DecisionIn = body_of_request()
    decision = ReviewDecision(wanted.decision) if wanted.decision else None
    try:
        decide([review_id], decision, author=current_author())
    except UnknownReview as error:
        abort(404, str(error))
    return ReviewOut.of(get_or_404(Review, review_id, "review"))
