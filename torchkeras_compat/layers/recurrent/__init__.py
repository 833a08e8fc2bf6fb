"""Recurrent layers: their cells, and the kernels that walk over time."""
