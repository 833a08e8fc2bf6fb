"""The helpers of `keras.engine.training` and `keras.engine.training_utils`, for training loops that users write.

Source: `keras/engine/training.py`, Keras 1.2.2 and 2.0.8; `keras/engine/training_utils.py`, Keras 2.2.4.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ... import backend as K
from ... import losses
from ..._core.errors import argument_error, positive_int, show
from ...utils import Sequence as Batches
from .generic import to_list

Array = np.ndarray[Any, Any]


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """Return where each batch begins and ends.

    Args:
        size: The number of samples.
        batch_size: Samples in a batch; the last one may be shorter.

    Example:
        >>> make_batches(5, 2)
        [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(size, start + batch_size)) for start in range(0, size, batch_size)]


def batch_shuffle(index_array: Any, batch_size: int) -> Array:
    """Shuffle whole batches of indices; what is left over stays at the end.

    Args:
        index_array: The indices.
        batch_size: How many of them stay together.

    Example:
        >>> sorted(batch_shuffle(np.arange(5), 2)[:4].reshape(2, 2).tolist()), int(batch_shuffle(np.arange(5), 2)[4])
        ([[0, 1], [2, 3]], 4)
    """
    index_array = np.asarray(index_array)
    whole = len(index_array) // batch_size * batch_size
    batches = index_array[:whole].reshape(-1, batch_size).copy()
    np.random.shuffle(batches)
    return np.append(batches.reshape(-1), index_array[whole:])


def iter_sequence_infinite(seq: Iterable[Any]) -> Iterator[Any]:
    """Yield the batches of a `Sequence` again and again.

    Args:
        seq: The batches.

    Example:
        >>> batches = iter_sequence_infinite([1, 2])
        >>> [next(batches) for _ in range(3)]
        [1, 2, 1]
    """
    while True:
        yield from seq


def standardize_input_data(
    data: Any,
    names: Sequence[str],
    shapes: Sequence[Any] | None = None,
    check_batch_axis: bool = True,
    exception_prefix: str = "",
) -> list[Any]:
    """Return arrays, a list or a dictionary of them as the list of arrays that the names stand for.

    Args:
        data: An array, a list of arrays, or a dictionary name → array.
        names: The names, in order.
        shapes: The shape that each is to have; `None` in it fits any size.
        check_batch_axis: Whether the first axis is looked at too.
        exception_prefix: What the arrays are, for the error.

    Raises:
        ValueError: Other names, another number of arrays or another shape.

    Example:
        >>> [a.shape for a in standardize_input_data({'b': np.ones(3), 'a': np.ones((3, 2))}, ['a', 'b'])]
        [(3, 2), (3, 1)]
    """
    owner = f"standardize_input_data: {exception_prefix or 'data'}"
    if not names:
        if data is not None and len(data):
            raise ValueError(f"{owner}: the model takes none; got {show(data)}.")
        return []
    if data is None:
        return [None] * len(names)
    if isinstance(data, Mapping):
        if missing := [name for name in names if name not in data]:
            raise ValueError(f"{owner}: nothing for {missing}; the keys are {list(data)}.")
        items = [data[name] for name in names]
    else:
        items = _items(data, len(names))
    if len(items) != len(names):
        raise ValueError(f"{owner}: expected {len(names)} arrays, for {list(names)}; got {len(items)}.")
    arrays = [_with_axis(item) for item in items]
    for name, array, shape in zip(names, arrays, shapes or ()):
        _expect_shape(f"{owner} {name!r}", array, shape, 0 if check_batch_axis else 1)
    return arrays


def _items(data: Any, count: int) -> list[Any]:
    if not isinstance(data, (list, tuple)):
        return [data]
    one = count == 1 and (len(data) != 1 or isinstance(data[0], (int, float)))
    return [np.asarray(data)] if one else list(data)


def _with_axis(item: Any) -> Any:
    if item is None or isinstance(item, Tensor):
        return item
    array = np.asarray(item)
    return array[:, None] if array.ndim == 1 else array


def _expect_shape(place: str, array: Any, shape: Any, first: int) -> None:
    if shape is None or array is None:
        return
    pairs = list(zip(array.shape, shape))[first:]
    if array.ndim != len(shape) or any(wanted is not None and size != wanted for size, wanted in pairs):
        raise ValueError(f"{place}: expected the shape {tuple(shape)}; got {tuple(array.shape)}.")


def standardize_sample_or_class_weights(x_weight: Any, output_names: Sequence[str], weight_type: str) -> list[Any]:
    """Return the weights of each output of a model.

    Args:
        x_weight: Those of the one output; else a list, or a dictionary name → weights.
        output_names: The names of the outputs.
        weight_type: The name of the argument, for the error.

    Raises:
        ValueError: A list of another length.
        TypeError: Neither a list nor a dictionary for several outputs.

    Example:
        >>> standardize_sample_or_class_weights({'b': 2}, ['a', 'b'], 'class_weight')
        [None, 2]
    """
    if x_weight is None or len(x_weight) == 0:
        return [None] * len(output_names)
    if len(output_names) == 1:
        if isinstance(x_weight, list) and len(x_weight) == 1:
            return x_weight
        return [x_weight[output_names[0]] if isinstance(x_weight, dict) and output_names[0] in x_weight else x_weight]
    if isinstance(x_weight, dict):
        return [x_weight.get(name) for name in output_names]
    if not isinstance(x_weight, list):
        raise argument_error("standardize_weights", weight_type, "a list or a dictionary", x_weight, TypeError)
    if len(x_weight) != len(output_names):
        raise argument_error("standardize_weights", weight_type, f"one item for each of {list(output_names)}", x_weight)
    return x_weight


def standardize_class_weights(class_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """Return the weights of the classes of each output.

    Args:
        class_weight: As `standardize_sample_or_class_weights` takes them.
        output_names: The names of the outputs.

    Example:
        >>> standardize_class_weights({0: 1., 1: 2.}, ['out'])
        [{0: 1.0, 1: 2.0}]
    """
    return standardize_sample_or_class_weights(class_weight, output_names, "class_weight")


def standardize_sample_weights(sample_weight: Any, output_names: Sequence[str]) -> list[Any]:
    """Return the weights of the samples of each output.

    Args:
        sample_weight: As `standardize_sample_or_class_weights` takes them.
        output_names: The names of the outputs.

    Example:
        >>> standardize_sample_weights(None, ['a', 'b'])
        [None, None]
    """
    return standardize_sample_or_class_weights(sample_weight, output_names, "sample_weight")


def standardize_weights(
    y: Any, sample_weight: Any = None, class_weight: Any = None, sample_weight_mode: str | None = None
) -> Array:
    """Return one weight for each sample, or for each step of each sample.

    Args:
        y: The targets.
        sample_weight: The weights of the samples, which win over those of the classes, with a warning.
        class_weight: A dictionary class → weight.
        sample_weight_mode: `'temporal'` for one weight a step.

    Raises:
        ValueError: Shapes that do not fit, or a class without a weight.

    Example:
        >>> standardize_weights(np.array([[0], [1]]), class_weight={0: 1., 1: 5.})
        array([1., 5.])
    """
    owner, y = "standardize_weights", np.asarray(y)
    if sample_weight_mode not in (None, "temporal"):
        raise argument_error(owner, "sample_weight_mode", "None or 'temporal'", sample_weight_mode)
    axes = 2 if sample_weight_mode else 1
    if sample_weight_mode and y.ndim < 3:
        raise argument_error(owner, "y", "targets of at least three axes for weights of steps", y.shape)
    if sample_weight is not None:
        weight = np.asarray(sample_weight)
        if weight.shape != y.shape[:axes]:
            raise argument_error(owner, "sample_weight", f"an array of shape {y.shape[:axes]}", weight.shape)
        if class_weight is not None:
            warnings.warn("standardize_weights: sample_weight is given too, so class_weight is ignored.", stacklevel=2)
        return weight
    if not isinstance(class_weight, dict):
        return np.ones(y.shape[:axes], K.floatx())
    if y.ndim > 2:
        raise argument_error(owner, "class_weight", "None for targets of more than two axes", class_weight)
    classes = y.argmax(1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y))
    if missing := sorted(set(classes.tolist()) - set(class_weight)):
        raise argument_error(
            owner, "class_weight", f"a weight for each class; there is none for {missing}", class_weight
        )
    return np.asarray([class_weight[label] for label in classes.tolist()])


def check_array_length_consistency(inputs: Any, targets: Any, weights: Any = None) -> None:
    """Raise where arrays have different numbers of samples.

    Args:
        inputs: A list of arrays.
        targets: A list of arrays.
        weights: A list of arrays and `None`.

    Raises:
        ValueError: The numbers differ.

    Example:
        >>> check_array_length_consistency([np.ones(3)], [np.ones(3)])
    """
    lengths = {
        name: {int(array.shape[0]) for array in arrays or () if array is not None}
        for name, arrays in (("inputs", inputs), ("targets", targets), ("weights", weights))
    }
    if len(set().union(*lengths.values())) > 1:
        text = ", ".join(f"{name}: {sorted(group)}" for name, group in lengths.items() if group)
        raise ValueError(f"all arrays must have one number of samples; got {text}.")


def check_loss_and_target_compatibility(targets: Sequence[Any], loss_fns: Sequence[Any], output_shapes: Any) -> None:
    """Raise where targets have another shape than their loss needs.

    Args:
        targets: An array for each output.
        loss_fns: A loss function for each output.
        output_shapes: The shape of each output.

    Raises:
        ValueError: The shapes differ, or class indices meet a loss for one-hot targets.

    Example:
        >>> check_loss_and_target_compatibility([np.ones((3, 2))], [losses.mean_squared_error], [(None, 2)])
    """
    same_shape = (losses.mean_squared_error, losses.binary_crossentropy, losses.categorical_crossentropy)
    for y, loss, shape in zip(targets, loss_fns, output_shapes):
        if y is None or loss not in same_shape:
            continue
        if loss is losses.categorical_crossentropy and y.shape[-1] == 1:
            raise ValueError(
                f"categorical_crossentropy needs one-hot targets; got the shape {y.shape}: write to_categorical(y), or "
                f"take sparse_categorical_crossentropy."
            )
        if any(wanted is not None and size != wanted for size, wanted in zip(y.shape[1:], shape[1:])):
            raise ValueError(f"{loss.__name__}: targets of shape {y.shape} do not fit an output of shape {shape}.")


def collect_metrics(metrics: Any, output_names: Sequence[str]) -> list[list[Any]]:
    """Return the metrics of each output.

    Args:
        metrics: A list for all outputs, or a dictionary name → metric or metrics.
        output_names: The names of the outputs.

    Raises:
        TypeError: Neither a list nor a dictionary.

    Example:
        >>> collect_metrics({'a': 'mae'}, ['a', 'b'])
        [['mae'], []]
    """
    if not metrics:
        return [[] for _ in output_names]
    if isinstance(metrics, list):
        return [list(metrics) for _ in output_names]
    if isinstance(metrics, dict):
        return [to_list(metrics.get(name, [])) for name in output_names]
    raise argument_error("collect_metrics", "metrics", "a list or a dictionary", metrics, TypeError)


def weighted_masked_objective(fn: Callable[[Any, Any], Any] | None) -> Callable[..., Any] | None:
    """Return a loss function of (targets, predictions, weights, mask) that gives one number.

    Args:
        fn: A loss function of (targets, predictions).

    Example:
        >>> loss = weighted_masked_objective(losses.mean_absolute_error)
        >>> float(loss(np.array([[1.], [4.]]), np.zeros((2, 1)), np.array([1., 0.])))
        1.0
    """
    if fn is None:
        return None

    def weighted(y_true: Any, y_pred: Any, weights: Any, mask: Any = None) -> Any:
        score = fn(y_true, y_pred)
        if mask is not None:
            mask = K.cast(mask, K.floatx())
            score = score * mask / K.mean(mask)
        if weights is not None:
            axes = list(range(K.ndim(weights), K.ndim(score)))
            weights = K.cast(weights, K.floatx())
            score = (K.mean(score, axis=axes) if axes else score) * weights
            score = score / K.mean(K.cast(K.not_equal(weights, 0), K.floatx()))
        return K.mean(score)

    return weighted


def check_num_samples(
    ins: Any, batch_size: int | None = None, steps: int | None = None, steps_name: str = "steps"
) -> int | None:
    """Return the number of samples; `None` where steps are counted.

    Args:
        ins: A list of arrays.
        batch_size: Samples in a batch.
        steps: The number of batches.
        steps_name: What `steps` is called, for the error.

    Raises:
        ValueError: Both `batch_size` and `steps`, or neither arrays nor steps.

    Example:
        >>> check_num_samples([np.ones((7, 2))], batch_size=3)
        7
    """
    if steps is not None and batch_size is not None:
        raise ValueError(f"check_num_samples: with {steps_name}={steps} batch_size must be None; got {batch_size}.")
    if steps is not None:
        return None
    if not ins:
        raise ValueError(f"check_num_samples: without arrays, give {steps_name}.")
    return int(ins[0].shape[0]) if hasattr(ins[0], "shape") else None


def is_sequence(seq: Any) -> bool:
    """Tell whether something is a `Sequence` of batches.

    Args:
        seq: Anything.

    Example:
        >>> is_sequence([1, 2])
        False
    """
    return isinstance(seq, Batches)


def is_generator_or_sequence(x: Any) -> bool:
    """Tell whether something is a generator, or a `Sequence` of batches.

    Args:
        x: Anything.

    Example:
        >>> is_generator_or_sequence(i for i in range(2))
        True
    """
    return inspect.isgenerator(x) or is_sequence(x)


def should_run_validation(validation_freq: int | Iterable[int], epoch: int) -> bool:
    """Tell whether an epoch is followed by validation.

    Args:
        validation_freq: Every how many epochs, or which ones, counted from 1.
        epoch: The epoch, counted from 0.

    Raises:
        ValueError: A number below 1.

    Example:
        >>> should_run_validation(2, 0), should_run_validation([1], 0)
        (False, True)
    """
    if isinstance(validation_freq, Iterable):
        return epoch + 1 in validation_freq
    return (epoch + 1) % positive_int("should_run_validation", "validation_freq", validation_freq) == 0
