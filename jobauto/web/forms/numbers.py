"""Fields for numbers."""

from wtforms import IntegerField

from ..numbers import LONGEST


class WholeNumberField(IntegerField):
    """A whole number that can be compared: one of 309 digits, WTForms' own range check cannot."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed."""
        if valuelist and len(valuelist[0].strip()) > LONGEST:
            self.data = None
            raise ValueError(self.gettext("Not a valid integer value."))
        super().process_formdata(valuelist)
