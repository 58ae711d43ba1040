"""The JSON API: endpoints onto the same services that pages and commands use."""

from . import dashboard, jobs, readings, runs, settings, sites, spec

ENDPOINTS = (settings, runs, dashboard, jobs, sites, readings, spec)
"""The modules of endpoints; each has its blueprint ``bp``."""
