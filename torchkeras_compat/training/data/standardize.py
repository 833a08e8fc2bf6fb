"""What users give for x, y and sample_weight (arrays, lists, dictionaries by name, nested ones) in one form.

One input (or output) has an array, several have a list with one array for each, in the model's order; where the model
does not know its inputs by name, the tree stays as it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from torch import Tensor

from ..._core.border import user_stacklevel
from ..._core.errors import and_list, closest, did_you_mean, show
from ..._core.shapes import Shape, compatible
from ..._core.tree import Tree, flatten, is_branch, map_tree
from .convert import as_array
from .signature import FedModel, ModelInput, ModelOutput, Signature, by_key_or_name
from .sparse import is_sparse

Slot = ModelInput | ModelOutput


class Arrays(NamedTuple):
    """x, y and sample weights as arrays: one, a list with one (or `None`) for each input or output, or a tree."""

    x: Tree
    y: Tree = None
    weight: Tree = None

    @property
    def rows(self) -> int:
        """How many samples there are."""
        return rows_of(self.x)


def rows_of(x: Tree) -> int:
    """Return how many samples a tree of arrays has."""
    return int((flatten(x)[0] if is_branch(x) else x).shape[0])


# --- x, y and sample_weight --------------------------------------------------------------------------------------


def input_arrays(x: Any, signature: Signature, rows: int | None = None) -> Tree:
    """Return inputs as arrays.

    Args:
        x: What the user gave.
        signature: The model's inputs.
        rows: How many samples there are, where that is known.

    Raises:
        TypeError: No numbers.
        ValueError: Another number of arrays than the model has inputs, an input left out, or none of equal rows.
    """
    inputs, model = signature.inputs, signature.model
    if inputs is None:
        return _nested(x, "x", lambda: model._takes_strings)
    if len(inputs) == 1:
        if not isinstance(x, (np.ndarray, Tensor)):
            x = one_array(x, "x", inputs[0], model, inputs[0].shape, rows)
        return as_array(x, "x", lambda: inputs[0].takes_strings)
    if is_mapping(x):
        return [_array_at(x.get(slot.name), f"x[{slot.name!r}]", slot, model, slot.shape, x) for slot in inputs]
    if not isinstance(x, (list, tuple)) or len(x) != len(inputs):
        raise _wrong_number("x", inputs, model, x)
    return [_array_at(item, f"x[{i}]", slot, model, slot.shape, x) for i, (item, slot) in enumerate(zip(x, inputs))]


def target_arrays(y: Any, outputs: Sequence[ModelOutput] | None, model: FedModel, rows: int | None = None) -> Tree:
    """Return targets as arrays; those of outputs that neither a loss nor a metric looks at are left out.

    Args:
        y: What the user gave: for several outputs a list in their order (outputs without a loss may be left out), a
            dictionary by name, or one array that is the target of each.
        outputs: The outputs, `None` where they are not known.
        model: The model.
        rows: How many samples there are.

    Raises:
        TypeError: No numbers.
        ValueError: Another number of targets, an unknown name, or an output with a loss that has no target.
    """
    if y is None:
        return None
    if outputs is None:
        return _nested(y, "y")
    if len(outputs) == 1:
        if not isinstance(y, (np.ndarray, Tensor)):
            y = one_array(y, "y", outputs[0], model, None, rows)
        return as_array(y, "y")
    needed = [output for output in outputs if output.loss is not None]
    arrays: list[Any] = []
    for output, (place, item) in zip(outputs, items_by_output(y, "y", outputs, needed, model)):
        wanted = output.uses_targets and (item is not None or output.loss is not None)
        arrays.append(_array_at(item, place, output, model, None, y, rows) if wanted else None)
    return arrays if any(array is not None for array in arrays) else None


def weight_arrays(weight: Any, outputs: Sequence[ModelOutput] | None, model: FedModel) -> Tree:
    """Return sample weights as arrays.

    Args:
        weight: What the user gave: for several outputs a list in their order (`None` for an output without weights), a
            dictionary by name, or one array that counts for each.
        outputs: The outputs, `None` where they are not known.
        model: The model.

    Raises:
        TypeError: No numbers.
        ValueError: Another number of arrays, or an unknown name.
    """
    if weight is None:
        return None
    if outputs is None:
        return _nested(weight, "sample_weight")
    if len(outputs) == 1:
        if not isinstance(weight, (np.ndarray, Tensor)):
            weight = one_array(weight, "sample_weight", outputs[0], model, None, None)
        return as_array(weight, "sample_weight")
    weighted = [output for output in outputs if output.uses_targets]
    arrays: list[Any] = []
    for output, (place, item) in zip(outputs, items_by_output(weight, "sample_weight", outputs, weighted, model)):
        wanted = output.uses_targets and item is not None
        arrays.append(_array_at(item, place, output, model, None, weight) if wanted else None)
    return arrays if any(array is not None for array in arrays) else None


def expect_equal_rows(arrays: Arrays, signature: Signature, outputs: Sequence[ModelOutput] | None) -> None:
    """Raise where the arrays differ in their number of samples, naming those that do."""
    x, y, weight = arrays
    if weight is None and not is_branch(x) and not is_branch(y) and (y is None or y.shape[0] == x.shape[0]):
        return
    parts = (("x", x, signature.inputs), ("y", y, outputs), ("sample_weight", weight, outputs))
    lengths = [
        (place, leaf.shape[0]) for argument, tree, slots in parts for place, leaf in leaves(tree, argument, slots)
    ]
    others = [(place, length) for place, length in lengths if length != lengths[0][1]]
    if others:
        places, counts = zip(lengths[0], *others)
        raise ValueError(f"{and_list(places)} must have as many rows; got {and_list(counts)}.")


def cut_to_first(inputs: Tree, signature: Signature) -> Tree:
    """Return inputs that have as many samples as the first, where some have more, with a warning.

    So `predict` of classic Keras reads them; where one has fewer, they are returned as they are.

    Args:
        inputs: The arrays.
        signature: What the model tells of its inputs.

    Source:
        `predict_loop` and `check_num_samples` of Keras 2.3.1.
    """
    lengths = {place: leaf.shape[0] for place, leaf in leaves(inputs, "x", signature.inputs)}
    (first, samples), *_ = lengths.items()
    longer = [place for place, length in lengths.items() if length > samples]
    if not longer or min(lengths.values()) < samples:
        return inputs
    warnings.warn(
        f"predict: {first} has {samples} samples and {and_list(longer)} more, of which only the first {samples} are "
        f"read, as in Keras up to 2.3; cut them to say so.",
        stacklevel=user_stacklevel(),
    )
    return map_tree(lambda leaf: leaf[:samples], inputs)


def warn_of_extra_keys(x: Any, signature: Signature) -> None:
    """Warn of arrays whose names are no inputs: Keras leaves them out."""
    if signature.inputs is None or not is_mapping(x) or len(x) == 1:
        return
    known = [slot.name for slot in signature.inputs]
    extra = [key for key in x if key not in known]
    if extra:
        warnings.warn(
            f"x: {signature.model} has no input {and_list(map(repr, extra))}; it is left out. Its inputs are "
            f"{and_list(map(repr, known))}.",
            stacklevel=user_stacklevel(),
        )


def inputs_in_order(x: Tree, inputs: Sequence[ModelInput], model: FedModel) -> Tree:
    """Return the item for the one input, or a list of those for several.

    Args:
        x: A tree of arrays or tensors.
        inputs: The inputs.
        model: The model.

    Raises:
        ValueError: Another number of items.
    """
    if len(inputs) == 1:
        return one_array(x, "x", inputs[0], model, inputs[0].shape, None)
    if is_mapping(x) and all(slot.name in x for slot in inputs):
        return [x[slot.name] for slot in inputs]
    if not _is_list(x) or len(x) != len(inputs):
        raise _wrong_number("x", inputs, model, x)
    return list(x)


# --- one array ---------------------------------------------------------------------------------------------------


def _array_at(
    item: Any, place: str, slot: Slot, model: FedModel, shape: Shape | None, whole: Any, rows: int | None = None
) -> Any:
    """Return the array of one of several inputs or outputs."""
    if item is None:
        raise ValueError(_nothing_for(slot, place, model, whole))
    if not isinstance(item, (np.ndarray, Tensor)):
        item = one_array(item, place, slot, model, shape, rows)
    return as_array(item, place, lambda: isinstance(slot, ModelInput) and slot.takes_strings)


def one_array(value: Any, place: str, slot: Slot, model: FedModel, shape: Shape | None, rows: int | None) -> Any:
    """Return the array inside a list or a dictionary of one array, and anything else that is one array as it is.

    Args:
        value: What the user gave: a list of arrays is the samples of one array, where that is what they look like.
        place: Where it stands.
        slot: The input or output that it is for.
        model: The model.
        shape: The shape of an input.
        rows: How many samples there are, where that is known.

    Raises:
        ValueError: The arrays of several inputs or outputs.
    """
    if is_mapping(value):
        if slot.name in value or len(value) == 1:
            return value[slot.name] if slot.name in value else next(iter(value.values()))
        raise ValueError(f"{place}: {_has_one(slot, place, model)}; got {_described(value)}.")
    if _is_list(value) and value and _has_axes(value[0]):
        if len(value) == 1:
            return value[0]
        unknown = shape is None and isinstance(slot, ModelInput)  # several arrays are several inputs, as in Keras
        if unknown or not _are_samples(value, shape, rows):
            raise ValueError(f"{place}: {_has_one(slot, place, model)}; got {_described(value)}.")
    return value


def _are_samples(arrays: Sequence[Any], shape: Shape | None, rows: int | None) -> bool:
    """Tell whether a list of arrays holds the samples of one array, and not one array for each of several inputs."""
    shapes = {tuple(np.shape(array)) for array in arrays}
    if len(shapes) > 1:
        return False
    (one,) = shapes
    whole = shape is not None and compatible((None, *shape[1:]), one)
    return not whole and (rows in (None, len(arrays)) or not one or one[0] != rows)


def _nested(value: Any, place: str, takes_strings: Callable[[], bool] = lambda: False) -> Tree:
    """Return a tree of arrays as the user nested it; lists of numbers alone are one array, as in Keras."""
    if value is None:
        return None
    if is_mapping(value):
        return {key: _nested(item, f"{place}[{key!r}]", takes_strings) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and _holds_arrays(value):
        items = [_nested(item, f"{place}[{i}]", takes_strings) for i, item in enumerate(value)]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return as_array(value, place, takes_strings)


def _holds_arrays(value: Any) -> bool:
    if not _is_list(value):
        return value is None or is_mapping(value) or is_sparse(value) or _has_axes(value)
    return bool(value) and (
        _holds_arrays(value[0]) or any(not _is_list(item) and _holds_arrays(item) for item in value)
    )


def _has_axes(value: Any) -> bool:
    return bool(getattr(value, "ndim", 0))


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Tell whether a value has arrays by name; one of scipy's sparse matrices is a dictionary too."""
    return not isinstance(value, (np.ndarray, Tensor)) and isinstance(value, Mapping) and not is_sparse(value)


# --- by output ---------------------------------------------------------------------------------------------------


def items_by_output(
    value: Any, argument: str, outputs: Sequence[ModelOutput], fewer: Sequence[ModelOutput], model: FedModel
) -> list[tuple[str, Any]]:
    """Return place and value for each output; `None` for one that has none.

    Args:
        value: What the user gave.
        argument: `'y'` or `'sample_weight'`.
        outputs: The outputs.
        fewer: Those that a shorter list is for.
        model: The model.

    Raises:
        ValueError: Another number of items, or an unknown name.
    """
    if is_mapping(value):
        expect_outputs(value, argument, outputs, model)
        items = by_key_or_name(value, *names_and_keys(outputs))
        return [(f"{argument}[{output.name!r}]", item) for output, item in zip(outputs, items)]
    if not _is_list(value) or _are_numbers(value):
        return [(argument, value)] * len(outputs)
    if len(value) == len(outputs):
        return [(f"{argument}[{i}]", item) for i, item in enumerate(value)]
    if len(value) != len(fewer):
        raise _wrong_number(argument, outputs, model, value)
    places = {output.name: (f"{argument}[{i}]", item) for i, (output, item) in enumerate(zip(fewer, value))}
    return [places.get(output.name, (argument, None)) for output in outputs]


def _are_numbers(values: Sequence[Any]) -> bool:
    return bool(values) and all(np.isscalar(v) or getattr(v, "ndim", None) == 0 for v in values)


def expect_outputs(value: Mapping[Any, Any], argument: str, outputs: Sequence[ModelOutput], model: FedModel) -> None:
    """Raise where a dictionary by output has a key that is no output's name."""
    names, keys = names_and_keys(outputs)
    for key in value:
        if key not in names and key not in keys:
            raise ValueError(f"{argument}: {model} has no output {key!r}; {did_you_mean(str(key), keys)}")


def names_and_keys(outputs: Sequence[ModelOutput]) -> tuple[list[str], list[str]]:
    """Return the names of outputs, and the keys under which the model gives them."""
    names = [output.name for output in outputs]
    return names, [output.key or output.name for output in outputs]


# --- messages ----------------------------------------------------------------------------------------------------


def _noun(slot: Slot) -> str:
    return "input" if isinstance(slot, ModelInput) else "output"


def _named(slot: Slot) -> str:
    return repr(slot.name) if slot.shape is None else f"{slot.name!r} of shape {slot.shape}"


def _has_one(slot: Slot, place: str, model: FedModel) -> str:
    noun = _noun(slot)
    if "[" in place:
        return f"the {noun} {_named(slot)} takes one array"
    return f"{model} has one {noun}, {_named(slot)}"


def _wrong_number(argument: str, slots: Sequence[Slot], model: FedModel, value: Any) -> ValueError:
    noun, names = _noun(slots[0]), and_list(map(_named, slots))
    return ValueError(f"{argument}: {model} has {len(slots)} {noun}s, {names}; got {_described(value)}.")


def _nothing_for(slot: Slot, place: str, model: FedModel, whole: Any) -> str:
    kind = "no array" if isinstance(slot, ModelInput) else "a loss and no target"
    argument = place.partition("[")[0]
    close = closest(slot.name, map(str, whole)) if is_mapping(whole) else []
    hint = f" Write {slot.name!r} for {close[0]!r}?" if close else ""
    verb = "gets" if isinstance(slot, ModelInput) else "has"
    return f"{argument}: the {_noun(slot)} {_named(slot)} of {model} {verb} {kind}; got {_described(whole)}.{hint}"


def _described(value: Any) -> str:
    """Return what a message calls arrays that a user gave."""
    if is_mapping(value):
        return f"the keys {list(value)}"
    if not _is_list(value):
        return f"one array of shape {tuple(value.shape)}" if hasattr(value, "shape") else show(value)
    kind = type(value).__name__
    if not all(hasattr(item, "shape") for item in value):
        return f"a {kind} of {len(value)} items"
    return f"a {kind} of {len(value)} arrays of shapes {[tuple(item.shape) for item in value[:3]]}"


def leaves(tree: Tree, place: str, slots: Sequence[Slot] | None) -> Iterator[tuple[str, Any]]:
    """Yield place and array of each leaf; those of several inputs or outputs by their names."""
    if tree is None:
        return
    if not is_branch(tree):
        yield place, tree
    elif isinstance(tree, dict):
        for key, item in tree.items():
            yield from leaves(item, f"{place}[{key!r}]", None)
    else:
        keys = range(len(tree)) if slots is None else [slot.name for slot in slots]
        for key, item in zip(keys, tree):
            yield from leaves(item, f"{place}[{key!r}]", None)
