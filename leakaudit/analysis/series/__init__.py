"""Time: which columns say when, how splits lie in it, windows of a series."""
