"""From a sample to an array: digests, hashes, thumbnails, canonical rows. Each file is read once."""
