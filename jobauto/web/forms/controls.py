"""What the controls of settings have in common, made from the settings' own declaration."""

from typing import Any

from pydantic.fields import FieldInfo

LONG_TEXT = 100
DESCRIPTION = 500
_HTML_LIMITS = {"ge": "min", "le": "max", "max_length": "maxlength"}


def rows_of(longest: int) -> int:
    """How many rows a text area has, by the longest text that it takes."""
    return 2 if longest <= DESCRIPTION else 6


def limits(info: FieldInfo) -> dict[str, Any]:
    """A setting's limits, as attributes of its control."""
    found = {html: _limit(info, name) for name, html in _HTML_LIMITS.items()}
    return {html: limit for html, limit in found.items() if limit is not None}


def _limit(info: FieldInfo, name: str) -> int | None:
    return next((getattr(limit, name) for limit in info.metadata if hasattr(limit, name)), None)


def one_newline(text: str | None) -> str | None:
    """A text area's text: a browser sends CR LF for each line end."""
    return text.replace("\r\n", "\n") if text else text


def two_decimals(value: Any) -> Any:
    """kWh as they are stored, for people; what was typed stays as it is."""
    return f"{value:.2f}" if isinstance(value, float) else value
