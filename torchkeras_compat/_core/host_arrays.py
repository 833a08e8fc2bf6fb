"""Arrays of numpy on their way to torch, which does not read all of them."""

from __future__ import annotations

from typing import Any

import numpy as np


def readable(value: Any, as_it_lies: bool = False) -> np.ndarray[Any, Any]:
    """Return what is given as an array that torch can read, itself where it is one.

    Torch reads no array backwards (`x[::-1]`), none in the other order of bytes (what `np.fromfile(path, '>f4')` gives)
    and no number longer than a double, and warns of arrays that must not be written into; these are copied.

    Args:
        value: An array, or what numpy makes one of.
        as_it_lies: Whether what must not be written into is no reason to copy: it is in a file, say.

    Example:
        >>> import numpy as np
        >>> readable(np.array([1, 2], '>i4')[::-1]).dtype.isnative
        True
    """
    array = np.asarray(value)
    is_long = array.dtype.kind == "f" and array.dtype.itemsize > 8
    lies_well = array.flags.writeable or as_it_lies
    if lies_well and array.dtype.isnative and not is_long and all(stride >= 0 for stride in array.strides):
        return array
    return np.array(array, np.float64 if is_long else array.dtype.newbyteorder("="), order="C")
