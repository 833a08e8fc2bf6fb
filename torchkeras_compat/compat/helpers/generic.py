"""The helpers of `keras.utils.generic_utils`.

Source: `keras/utils/generic_utils.py`, Keras 1.2.2, 2.0.8, 2.2.4 and 2.3.1.
"""

from __future__ import annotations

import base64
import builtins
import inspect
import marshal
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..._core.errors import choice, show

_PASSED_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_dumped: set[str] = set()  # the byte code that this process has written, which is all that it runs


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Tell whether a function can be given an argument by its name.

    Args:
        fn: The function.
        name: The name.
        accept_all: Whether `**kwargs` counts.

    Example:
        >>> has_arg(lambda inputs, training=None: inputs, 'training')
        True
    """
    parameters = inspect.signature(fn).parameters
    if name in parameters:
        return parameters[name].kind in _PASSED_BY_NAME
    return accept_all and any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def getargspec(fn: Callable[..., Any]) -> inspect.FullArgSpec:
    """Return the arguments of a function.

    Args:
        fn: The function.

    Example:
        >>> getargspec(lambda x, units=3: x).args
        ['x', 'units']
    """
    return inspect.getfullargspec(fn)


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """Return a list as it is, anything else as a list of one.

    Args:
        x: Anything.
        allow_tuple: Whether a tuple becomes a list of its items.

    Example:
        >>> to_list((1, 2)), to_list((1, 2), allow_tuple=True)
        ([(1, 2)], [1, 2])
    """
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def unpack_singleton(x: Sequence[Any]) -> Any:
    """Return the item of a list of one, any other list as it is.

    Args:
        x: A list or tuple.

    Example:
        >>> unpack_singleton([3]), unpack_singleton([3, 4])
        (3, [3, 4])
    """
    return x[0] if len(x) == 1 else x


def object_list_uid(object_list: Any) -> str:
    """Return a text that differs between lists of different objects.

    Args:
        object_list: An object, or a list of them.

    Example:
        >>> object_list_uid([None, None]).count(',')
        1
    """
    return ", ".join(str(id(item)) for item in to_list(object_list))


def is_all_none(iterable_or_element: Any) -> bool:
    """Tell whether a value is `None`, or a list or tuple of nothing but `None`.

    Args:
        iterable_or_element: Anything.

    Example:
        >>> is_all_none(None), is_all_none([None, 1])
        (True, False)
    """
    return all(item is None for item in to_list(iterable_or_element, allow_tuple=True))


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """Return some samples of an array, or of each array of a list.

    Args:
        arrays: An array, or a list of arrays and `None`.
        start: The first sample, or a list or array of indices.
        stop: The sample behind the last one.

    Raises:
        ValueError: `stop` is given beside indices.

    Example:
        >>> import numpy as np
        >>> slice_arrays([np.arange(4), None], 1, 3)
        [array([1, 2]), None]
    """
    if arrays is None:
        return [None]
    by_index = hasattr(start, "__len__")
    if by_index and stop is not None:
        raise ValueError(f"slice_arrays(start={show(start)}, stop={stop}): indices need no stop; leave it out.")
    # a data set of h5py takes indices as a list alone
    wanted = start.tolist() if hasattr(start, "tolist") and by_index else start if by_index else slice(start, stop)
    if isinstance(arrays, list):
        return [None if array is None else array[wanted] for array in arrays]
    return arrays[wanted]


def transpose_shape(shape: Any, target_format: str, spatial_axes: Sequence[int]) -> Any:
    """Return a shape of Keras's order with its channels where `target_format` has them.

    Args:
        shape: A list or tuple, channels last.
        target_format: `'channels_last'` or `'channels_first'`.
        spatial_axes: The axes of space.

    Raises:
        ValueError: Another `target_format`.

    Example:
        >>> transpose_shape((16, 128, 64, 3), 'channels_first', spatial_axes=(1, 2))
        (16, 3, 128, 64)
    """
    choice("transpose_shape", "target_format", target_format, ("channels_last", "channels_first"))
    if target_format == "channels_last":
        return shape
    return type(shape)([*shape[: spatial_axes[0]], shape[-1], *(shape[axis] for axis in spatial_axes)])


def check_for_unexpected_keys(name: str, input_dict: Mapping[str, Any], expected_values: Collection[str]) -> None:
    """Raise where a dictionary has other keys than those of a list.

    Args:
        name: What the dictionary is, for the error.
        input_dict: The dictionary.
        expected_values: The keys that it may have.

    Raises:
        ValueError: It has others.

    Example:
        >>> check_for_unexpected_keys('loss', {'a': 1}, ['a', 'b'])
    """
    unknown = sorted(set(input_dict) - set(expected_values))
    if unknown:
        raise ValueError(f"{name}: its keys must be among {list(expected_values)}; got {unknown}.")


def func_dump(func: types.FunctionType) -> tuple[str, tuple[Any, ...] | None, tuple[Any, ...] | None]:
    """Return the byte code, the defaults and the closure of a function.

    Args:
        func: A function of Python's.

    Example:
        >>> code, defaults, closure = func_dump(lambda x, by=2: x * by)
        >>> func_load(code, defaults, closure)(4)
        8
    """
    code = base64.encodebytes(marshal.dumps(func.__code__)).decode("ascii")
    _dumped.add(code)
    closure = func.__closure__ and tuple(cell.cell_contents for cell in func.__closure__)
    return code, func.__defaults__, closure


def func_load(
    code: Any, defaults: Any = None, closure: Sequence[Any] | None = None, globs: dict[str, Any] | None = None
) -> types.FunctionType:
    """Return the function that `func_dump` has written in this process.

    Args:
        code: The byte code, or all three of what `func_dump` returned.
        defaults: The defaults.
        closure: The values of the closure.
        globs: The names around the function; Python's own and `np` where they are left out.

    Raises:
        ValueError: The byte code is from elsewhere, such as a file: it is not run.

    Example:
        >>> func_load(func_dump(lambda x: x + 1))(1)
        2
    """
    if isinstance(code, (tuple, list)):
        code, defaults, closure = code
    if code not in _dumped:
        raise ValueError(
            "func_load: the byte code was not written in this process, and code from files is not run; import the "
            "function, and name it in custom_objects={'name': function}."
        )
    cells = None if closure is None else tuple(map(_as_cell, closure))
    names = {"__builtins__": builtins, "np": np} if globs is None else globs
    loaded = marshal.loads(base64.decodebytes(code.encode("ascii")))
    return types.FunctionType(loaded, names, loaded.co_name, None if defaults is None else tuple(defaults), cells)


def _as_cell(value: Any) -> types.CellType:
    return value if isinstance(value, types.CellType) else types.CellType(value)


def make_tuple(*args: Any) -> tuple[Any, ...]:
    """Return the arguments as a tuple.

    Args:
        args: Anything.

    Example:
        >>> make_tuple(1, 2)
        (1, 2)
    """
    return args


def get_from_module(
    identifier: Any,
    module_params: Mapping[str, Any],
    module_name: str,
    instantiate: bool = False,
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return what a dictionary of names, such as `globals()`, has under a name.

    Args:
        identifier: A name, or a dictionary with a name and arguments; anything else is returned as it is.
        module_params: Name → function or class.
        module_name: What is looked for, for the error.
        instantiate: Whether a class is called.
        kwargs: The arguments of that call.

    Raises:
        ValueError: Nothing has the name.

    Example:
        >>> get_from_module('half', {'half': lambda x: x / 2}, 'function')(4)
        2.0
    """
    if isinstance(identifier, dict):
        arguments = dict(identifier)
        identifier, instantiate, kwargs = arguments.pop("name"), True, arguments
    if not isinstance(identifier, str):
        return identifier
    if module_params.get(identifier) is None:
        raise ValueError(f"get_from_module({identifier!r}): unknown {module_name}; known are {sorted(module_params)}.")
    entry = module_params[identifier]
    return entry(**(kwargs or {})) if instantiate else entry
