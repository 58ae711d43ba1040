"""The threshold lab: what each threshold of a rule would have done."""
