"""Copies of rows: equal in a layer of identity, nearly equal; and what chance would give."""
