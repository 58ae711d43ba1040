"""Telling people and machines what they would otherwise have to watch for."""
