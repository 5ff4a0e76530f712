"""Which samples are the same: candidates, verification, groups."""
