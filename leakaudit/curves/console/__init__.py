"""What a training run printed: lines as they stood on the screen, names and values in them, tables, epochs.

``screen`` → ``pairs``, ``grid`` → ``transcript`` → records → histories.
"""
