"""Configurations that Keras 2.15 and 3.15 wrote, and what their models compute."""
