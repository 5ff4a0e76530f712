"""Samples that are the same thing, whole or nearly."""
