"""Executions of the rules: their life and their history."""
