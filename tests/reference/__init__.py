"""Numpy definitions of what classic Keras did where Keras 2.15 does something else, and the tests against them."""
