"""The JSON API: endpoints onto the same services that pages and commands use."""

from . import (
    dashboard,
    imports,
    jobs,
    meter_changes,
    profiles,
    readings,
    reviews,
    runs,
    settings,
    sites,
    spec,
)

ENDPOINTS = (
    settings,
    runs,
    dashboard,
    jobs,
    sites,
    meter_changes,
    readings,
    reviews,
    imports,
    profiles,
    spec,
)
"""The modules of endpoints; each has its blueprint ``bp``."""
