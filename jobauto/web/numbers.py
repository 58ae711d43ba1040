"""Numbers that come in as text: in an address, in a form."""

from collections.abc import Iterable

from wtforms import IntegerField

LONGEST = 18
"""So many digits always fit into the database's own numbers."""


def whole_number(text: str) -> int | None:
    """The number that plain digits stand for, spaces round them apart; None of anything else."""
    digits = text.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= LONGEST:
        return int(digits)
    return None


def whole_numbers(texts: Iterable[str]) -> list[int]:
    """The numbers among some texts; what is none is left out."""
    return [number for text in texts if (number := whole_number(text)) is not None]


class WholeNumberField(IntegerField):
    """A whole number that can be compared: one of 309 digits, WTForms' own range check cannot."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed."""
        if valuelist and len(valuelist[0].strip()) > LONGEST:
            self.data = None
            raise ValueError(self.gettext("Not a valid integer value."))
        super().process_formdata(valuelist)
