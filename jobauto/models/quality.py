"""What becomes of readings, and what people say of those in doubt: the words of the contract."""

from enum import IntEnum, StrEnum


class Quality(IntEnum):
    """How far a reading is to be believed, as it is stored; ``word`` is what the API calls it."""

    GOOD = 0
    DOUBTFUL = 1
    """Nothing decides yet."""
    WRONG = 2
    """Later readings showed it."""
    IGNORED = 3
    """A person said so."""
    ESTIMATED = 4
    """Its sender said so."""

    @property
    def word(self) -> str:
        """``good``, ``doubtful``, ``wrong``, ``ignored`` or ``estimated``."""
        return self.name.lower()


class ReviewKind(StrEnum):
    """What a review is about."""

    GLITCH = "glitch"
    NEW_LEVEL = "new_level"
    BACKWARDS = "backwards"
    FALL = "fall"
    LEAP = "leap"
    UNSTEADY = "unsteady"


class ReviewDecision(StrEnum):
    """What a person may say of the readings of a review."""

    NEW_METER = "new_meter"
    WRONG = "wrong"
    RIGHT = "right"
