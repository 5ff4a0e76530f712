"""What belongs together without being the same: keys in names and columns, against chance."""
