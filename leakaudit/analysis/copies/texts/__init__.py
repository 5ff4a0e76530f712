"""Copies of texts: equal, near, contained; without what many documents share."""
