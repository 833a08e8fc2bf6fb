"""`Layer`, and the rooms of what it is made of."""

from .layer import IN_PLACE, ActivatedLayer, Layer, as_told, own_arguments

__all__ = ["IN_PLACE", "ActivatedLayer", "Layer", "as_told", "own_arguments"]
