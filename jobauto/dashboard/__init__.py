"""The dashboard: what there is to do, and whether the check is well."""
