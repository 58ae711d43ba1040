"""A Python shell with the program loaded, from Flask."""

from flask.cli import shell_command as shell

__all__ = ["shell"]
