"""Layers that prepare data as a part of the model: numbers, categories, text, and pictures."""
