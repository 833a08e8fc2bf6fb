"""What holds for everything that has a name, checked over tables of specs."""
