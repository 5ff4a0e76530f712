"""Callbacks that record, during a real run, what `leakaudit.attribute` needs. Each needs its own library only."""
