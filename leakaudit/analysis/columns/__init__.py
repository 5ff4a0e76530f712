"""Columns: what each holds and is for, what its labels are, and a sample of its rows."""
