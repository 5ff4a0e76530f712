"""From the bytes of a picture to its record: digests, hashes, thumbnail. Each file is read once."""
