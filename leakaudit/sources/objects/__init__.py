"""Data in memory."""
