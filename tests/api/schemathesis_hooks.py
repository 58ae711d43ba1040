"""What a client of the API would not send, though schemathesis does when it follows a link."""

from typing import Any

import schemathesis


@schemathesis.hook
def before_call(_context: Any, case: schemathesis.Case[Any], **_: Any) -> None:
    """A site's address has a site's id in it: an empty one is the address of the list of sites.

    The description says so (``minLength``), but an id that comes out of another request is not held to it.
    """
    if case.path_parameters.get("site_id") == "":
        case.path_parameters["site_id"] = "none"
