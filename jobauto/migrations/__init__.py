"""The schema's history, installed with the package."""
