"""jobauto: finds metered sites that went silent or stand still, and opens one job for each fault.

Importing the package loads nothing more: a command needs no pages, and ``jobauto --help`` needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """``create_app``, the factory of the web application, loaded when it is asked for."""
    if name in __all__:
        return getattr(import_module(".app", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
