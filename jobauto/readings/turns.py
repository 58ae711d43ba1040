"""Of all who change readings of the same sites, or their qualities, at once: one does, and then the next.

Taking a turn locks the sites until the transaction ends, on either database. It is counted: whoever took the
last one as well knows that nobody else has been there since.
"""

import json
from collections.abc import Collection

from sqlalchemy import BigInteger, Connection, String, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

STRIPES = 64
"""Sites share turns: a turn is a few rows, however many sites it is for."""
NEIGHBOURS = 32
"""So many whose keys follow one another share one: a file in the order of sites takes few at a time."""

# In one order always, so that two who want the same wait for each other and do not dead-lock. The stripes are
# one parameter: a statement with a list of rows is written anew each time, and an import takes many turns.
_TAKE = """
    INSERT INTO reading_turn (stripe, turn) SELECT wanted.value, 1 FROM {} WHERE true ORDER BY 1
    ON CONFLICT (stripe) DO UPDATE SET turn = reading_turn.turn + 1 RETURNING stripe, turn"""
_TAKES = {
    "sqlite": text(_TAKE.format("json_each(:stripes) AS wanted")).bindparams(
        bindparam("stripes", type_=String)
    ),
    "postgresql": text(_TAKE.format("unnest(:stripes) AS wanted (value)")).bindparams(
        bindparam("stripes", type_=ARRAY(BigInteger))
    ),
}


def stripe_of(site_key: int) -> int:
    """Which turns a site shares: a number from 1 on, as every key is that a backup may hold."""
    return 1 + site_key // NEIGHBOURS % STRIPES


def take_turns(connection: Connection, site_keys: Collection[int]) -> dict[int, int]:
    """Be the only one to change readings of these sites; the numbers of the turns by their stripes."""
    stripes = sorted({1 + neighbours % STRIPES for neighbours in {key // NEIGHBOURS for key in site_keys}})
    if not stripes:
        return {}
    engine = connection.dialect.name
    given = stripes if engine == "postgresql" else json.dumps(stripes)
    taken = connection.execute(_TAKES[engine], {"stripes": given})
    return {stripe: turn for stripe, turn in taken}  # noqa: C416 (rows are no pairs to mypy)


class OthersSince:
    """Whether others have taken turns since one began to look at readings, between one's own turns.

    Who does not ``know_former`` turns takes all of them for turns of others since.
    """

    def __init__(self, connection: Connection, *, know_former: bool = True) -> None:
        self._turns = _newest(connection) if know_former else {}

    def took(self, turns: dict[int, int]) -> None:
        """One took these turns oneself, and the transaction has come to its end."""
        between = self.were_before(turns)
        self._turns |= {stripe: turn for stripe, turn in turns.items() if stripe not in between}

    def were_before(self, turns: dict[int, int]) -> set[int]:
        """The stripes, of turns that one has just taken, that others have had meanwhile."""
        return {stripe for stripe, turn in turns.items() if self._turns.get(stripe, 0) != turn - 1}

    def have_come(self, connection: Connection) -> bool:
        """Whether others have had any turn meanwhile, as it is now."""
        return self._turns != _newest(connection)


def _newest(connection: Connection) -> dict[int, int]:
    found = connection.execute(text("SELECT stripe, turn FROM reading_turn"))
    return {stripe: turn for stripe, turn in found}  # noqa: C416 (rows are no pairs to mypy)
