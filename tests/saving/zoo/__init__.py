"""Models of every kind in files: what both Keras wrote, loaded here, and what is written here, loaded by both Keras."""
