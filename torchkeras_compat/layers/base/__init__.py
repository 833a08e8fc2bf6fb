"""`Layer`, and the rooms of what it is made of."""

from .activated import ActivatedLayer
from .layer import Layer
from .stored_config import own_arguments
from .symbolic_masks import MaskOf
from .traits import ROW_WISE, Traits
from .user_methods import as_told

__all__ = ["ROW_WISE", "ActivatedLayer", "Layer", "MaskOf", "Traits", "as_told", "own_arguments"]
