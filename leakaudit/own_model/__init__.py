"""Terms a, b and o of the attribution for a network that the user has trained: forward passes only, nothing changed."""
