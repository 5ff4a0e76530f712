"""Copies of pictures: equal, near, turned; and what this set's unrelated pictures look like."""
