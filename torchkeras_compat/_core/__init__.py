"""Level 0: what every other room stands on, and which knows none of them."""
