"""Of all who change readings of the same sites, or their qualities, at once: one does, and then the next.

Taking a turn locks the sites until the transaction ends, on either database. It is counted: whoever took the
last one as well knows that nobody else has been there since.
"""

from collections.abc import Collection

from sqlalchemy import Connection

from ..models import ReadingTurn
from ..storage.connections import insert

STRIPES = 64
"""Sites share turns by the remainder of their keys: a turn is a few rows, however many sites it is for."""


def stripe_of(site_key: int) -> int:
    """Which turns a site shares."""
    return site_key % STRIPES


def take_turns(connection: Connection, site_keys: Collection[int]) -> dict[int, int]:
    """Be the only one to change readings of these sites; the numbers of the turns by their stripes."""
    stripes = sorted(set(map(stripe_of, site_keys)))
    if not stripes:
        return {}
    # In one order always, so that two who want the same wait for each other and do not dead-lock.
    statement = insert(connection, ReadingTurn).values([{"stripe": stripe, "turn": 1} for stripe in stripes])
    taken = statement.on_conflict_do_update(
        index_elements=["stripe"], set_={"turn": ReadingTurn.turn + 1}
    ).returning(ReadingTurn.stripe, ReadingTurn.turn)
    return dict(tuple(row) for row in connection.execute(taken))
