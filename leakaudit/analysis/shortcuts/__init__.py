"""What gives the class away without being what the model is to learn."""
