"""Formats of files: how one is recognised and read."""
