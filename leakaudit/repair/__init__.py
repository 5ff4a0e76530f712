"""Splits that keep together what belongs together.

Data flow one way::

    Dataset -> copies and groups -> units -> strata -> assign -> proof by the checks -> files

`units` says which samples must stay together, `strata` what a split must have its share of, `assign` which unit goes
where, `proof` asks the checks themselves about the result, and `write` makes the files.
"""
