"""QR codes, drawn here: no other service sees what is in them."""

from importlib import import_module
from typing import Any

LIBRARY = "segno"
"""Loaded where a picture is drawn; most processes never do."""


def as_picture(text: str) -> str:
    """An address for ``<img src>`` that holds the whole picture: black on white in any colour scheme."""
    made: Any = import_module(LIBRARY).make(text, error="m", micro=False)
    address: str = made.svg_data_uri(scale=5, border=4, light="#fff", dark="#000")
    return address
