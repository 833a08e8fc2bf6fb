"""`StringTensor`: strings that batches are cut from as they are from numbers; torch itself has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import show
from .tree import flatten, map_tree

STRING = "string"
Words = np.ndarray[Any, np.dtype[np.object_]]
# What gives some of the strings, or the same in another place or shape; nothing else means anything for strings.
_REARRANGING = frozenset(
    "__getitem__ clone contiguous cpu cuda data detach expand expand_as flatten flip gather index_select "
    "movedim narrow permute pin_memory ravel repeat repeat_interleave reshape roll select split squeeze stack swapaxes "
    "t take tensor_split tile to transpose unbind unflatten unsqueeze view as_tensor T mT chunk moveaxis "
    "broadcast_to".split()
)


class StringType:
    """The type of strings, as `tf.string` is."""

    name = STRING
    is_floating = is_integer = is_bool = False

    def __repr__(self) -> str:
        return "tf.string"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StringType) or other == STRING

    def __hash__(self) -> int:
        return hash(STRING)


def is_string_type(dtype: Any) -> bool:
    """Tell whether a type, or the name of one, is that of strings."""
    return isinstance(dtype, StringType) or (isinstance(dtype, str) and dtype == STRING)


def holds_strings(array: np.ndarray[Any, Any]) -> bool:
    """Tell whether an array holds strings and nothing else."""
    if array.dtype.kind in "US":
        return True
    return array.dtype.kind == "O" and array.size > 0 and all(isinstance(v, (str, bytes)) for v in array.flat)


class StringTensor(Tensor):
    """Strings as a tensor: numbers of the different ones among them, which are kept beside it as bytes.

    It can be cut, gathered, reshaped and moved to a device as any tensor; calculating with it is an error.

    Example:
        >>> batch = StringTensor.of(['a b', 'c'])
        >>> batch.shape, batch.numpy()[1], batch[0].numpy()
        (torch.Size([2]), b'c', b'a b')
    """

    _words: Words

    @classmethod
    def of(cls, strings: Any) -> StringTensor:
        """Return strings or bytes as one.

        Args:
            strings: An array or list of them, or one.

        Raises:
            TypeError: Something among them is neither.
        """
        if isinstance(strings, StringTensor):
            return strings
        array = np.asarray(strings, dtype=object)
        places: dict[bytes, int] = {}
        codes = np.empty(array.shape, dtype=np.int64)
        for i, string in enumerate(array.flat):
            codes.flat[i] = places.setdefault(_as_bytes(string), len(places))
        return cls._with(torch.from_numpy(codes), _objects(list(places)))

    @classmethod
    def _with(cls, codes: Tensor, words: Words) -> StringTensor:
        strings = codes.as_subclass(cls)
        strings._words = words
        return strings

    @property
    def dtype(self) -> Any:  # type: ignore[override]
        """`tf.string`; that of the numbers which stand for the strings is the type of `codes`."""
        return StringType()

    @property
    def codes(self) -> Tensor:
        """The numbers of the strings among the different ones."""
        with torch._C.DisableTorchFunctionSubclass():
            return self.as_subclass(Tensor)

    def numpy(self, *, force: bool = False) -> Any:
        """Return a numpy array of bytes; the bytes themselves of one string.

        Args:
            force: Accepted: the array is one of its own in any case.
        """
        return self._words[self.codes.cpu().numpy()]

    def tolist(self) -> Any:
        """Return the strings, as bytes, in lists."""
        strings = self.numpy()
        return strings.tolist() if isinstance(strings, np.ndarray) else strings

    def item(self) -> Any:
        """Return the one string."""
        return self._words[int(self.codes)]

    def mapped(self, function: Callable[[bytes], Any]) -> StringTensor:
        """Return what a function makes of each string, which is called once for each different one.

        Args:
            function: Returns bytes or a string.
        """
        words, codes = self.different()
        results = StringTensor.of(_objects([function(word) for word in words]))
        return StringTensor._with(results.codes.to(self.device)[codes], results._words)

    def different(self) -> tuple[Words, Tensor]:
        """Return the different strings here, and the numbers of all among them; a slice knows more than it holds."""
        used, codes = torch.unique(self.codes, return_inverse=True)
        return self._words[used.cpu().numpy()], codes

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.numpy(), dtype=object if dtype is None else dtype)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: Any) -> Any:
        if isinstance(other, (str, bytes, StringTensor, np.ndarray, list, tuple)):
            return torch.eq(self, StringTensor.of(other))
        return NotImplemented

    def __ne__(self, other: Any) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else ~equal

    __hash__ = Tensor.__hash__

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"StringTensor({self.tolist()!r})"

    def __deepcopy__(self, memo: Any) -> Any:
        return self.clone()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return StringTensor.of, (self.numpy(),)

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        args, kwargs, types = map_tree(_plain, [*args]), map_tree(_plain, {**(kwargs or {})}), (cls,)
        if name in _MEETING:
            return _MEETING[name](func, *args, **kwargs)
        attribute = getattr(getattr(func, "__self__", None), "__name__", "")  # of what `x.T` calls
        rearranges = name in _REARRANGING or attribute in _REARRANGING
        failure = None
        try:
            result = super().__torch_function__(func, types, args, kwargs)  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            if rearranges:
                raise
            result, failure = None, error
        strings = next((a for a in flatten(args) if isinstance(a, StringTensor)), None)
        if strings is None or (failure is None and not _holds_tensors(result)):
            return result
        if not rearranges or any(_of_numbers(part) != torch.int64 for part in flatten(result)):
            raise TypeError(
                f"{name}: it takes numbers; got {show(strings)}. StringLookup, TextVectorization and Hashing make "
                "numbers of strings."
            ) from failure
        return map_tree(lambda part: _told(part, strings._words), result)


def _of_numbers(tensor: Tensor) -> torch.dtype:
    """Return the type of the numbers in a tensor, also where they stand for strings."""
    with torch._C.DisableTorchFunctionSubclass():
        return tensor.as_subclass(Tensor).dtype


def _as_bytes(string: Any) -> bytes:
    if isinstance(string, str):
        return string.encode()
    if not isinstance(string, bytes):
        raise TypeError(f"got {show(string)} among strings.")
    return bytes(string)


def _holds_tensors(result: Any) -> bool:
    return isinstance(result, Tensor) or (isinstance(result, (tuple, list)) and any(map(_holds_tensors, result)))


def _plain(value: Any) -> Any:
    """Return tensors of other classes, such as what user code is handed, as torch's own."""
    if not isinstance(value, Tensor) or type(value) in (Tensor, StringTensor):
        return value
    with torch._C.DisableTorchFunctionSubclass():
        return value.as_subclass(Tensor)


def _objects(values: Sequence[Any]) -> Words:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _told(part: Any, words: Words) -> Any:
    if isinstance(part, StringTensor):
        part._words = words
    return part


def _coded_alike(tensors: Sequence[Any]) -> tuple[list[Tensor], Words]:
    """Return the numbers of strings in several tensors by one list of different strings, and that list."""
    parts = [StringTensor.of(tensor) for tensor in tensors]
    different = [part.different() for part in parts]
    whole = StringTensor.of(np.concatenate([words for words, _ in different]))
    places = torch.split(whole.codes, [len(words) for words, _ in different])
    codes = [place.to(codes.device)[codes] for place, (_, codes) in zip(places, different, strict=True)]
    return codes, whole._words


def _joined(function: Callable[..., Any], tensors: Sequence[Any], *args: Any, **kwargs: Any) -> StringTensor:
    codes, words = _coded_alike(tensors)
    return StringTensor._with(function(codes, *args, **kwargs), words)


def _chosen(function: Callable[..., Any], condition: Tensor, *tensors: Any) -> StringTensor:
    codes, words = _coded_alike(tensors)
    return StringTensor._with(function(condition, *codes), words)


def _compared(function: Callable[..., Any], *tensors: Any) -> Tensor:
    equal: Tensor = function(*_coded_alike(tensors)[0])
    return equal


# What strings of several tensors meet in → how that is done by their numbers.
_MEETING: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), _joined),
    **dict.fromkeys(("eq", "ne"), _compared),
    "where": _chosen,
}
