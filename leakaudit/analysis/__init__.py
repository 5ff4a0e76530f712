"""What is true of the samples, told from fingerprints: no thresholds of verdicts, no words for people."""
