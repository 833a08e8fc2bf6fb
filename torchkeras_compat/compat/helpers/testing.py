"""The helpers of `keras.utils.test_utils`.

Source: `keras/utils/test_utils.py`, Keras 1.2.2, 2.0.8 and 2.3.1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from ... import backend, layers, models
from ..._core import border
from .generic import has_arg

F = TypeVar("F", bound=Callable[..., Any])
Array = np.ndarray[Any, Any]
Part = tuple[Array, Array]


@border.translated("get_test_data")
def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: Sequence[int] = (10,),
    output_shape: Sequence[int] = (2,),
    classification: bool = True,
    num_classes: int = 2,
) -> tuple[Part, Part]:
    """Draw data to try a model on: normal around the class, or around a number of each sample, with deviation .7.

    Args:
        num_train: Samples to train on.
        num_test: Samples to test on.
        input_shape: The shape of a sample.
        output_shape: The shape of a target, with `classification=False`.
        classification: Whether targets are class indices.
        num_classes: How many classes there are.

    Example:
        >>> (x, y), (x_test, y_test) = get_test_data(20, 5, (3,), num_classes=4)
        >>> x.shape, y.shape, x_test.shape
        ((20, 3), (20,), (5, 3))
    """
    samples = num_train + num_test

    def around(centre: Array, shape: Sequence[int]) -> Array:
        return (_behind(centre, shape) + np.random.normal(scale=0.7, size=(samples, *shape))).astype("float32")

    centre = np.random.randint(0, num_classes, samples) if classification else np.random.random(samples)
    x, y = around(centre, input_shape), centre if classification else around(centre, output_shape)
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def _behind(centre: Array, shape: Sequence[int]) -> Array:
    return centre.reshape(-1, *(1 for _ in shape))


def layer_test(
    layer_cls: Any,
    kwargs: Mapping[str, Any] | None = None,
    input_shape: Sequence[int | None] | None = None,
    input_dtype: str | None = None,
    input_data: Any = None,
    expected_output: Any = None,
    expected_output_dtype: str | None = None,
    fixed_batch_size: bool = False,
) -> Array:
    """Try a layer of one input and one output: its shapes, weights, configuration and a step of training.

    Args:
        layer_cls: The class of the layer.
        kwargs: The arguments of its constructor.
        input_shape: The shape of a batch; `None` in it is drawn.
        input_dtype: The type of the input.
        input_data: A batch; drawn from [0, 10) where it is left out.
        expected_output: What the layer is to give.
        expected_output_dtype: Its type; that of the input where it is left out.
        fixed_batch_size: Whether the model is made for the batch size of `input_shape`.

    Returns:
        The output.

    Raises:
        AssertionError: The layer does something else.
        ValueError: Neither a shape nor a batch.

    Example:
        >>> import torchkeras_compat as keras
        >>> layer_test(keras.layers.Dense, {'units': 3}, input_shape=(None, 4)).shape[1]
        3
    """
    if input_data is None and input_shape is None:
        raise ValueError("layer_test: give input_shape=…, the shape of a batch, or input_data=….")
    if input_data is None:
        sizes = [np.random.randint(1, 4) if n is None else n for n in input_shape or ()]
        input_data = (10 * np.random.random(sizes)).astype(input_dtype or backend.floatx())
    shape = tuple(input_data.shape if input_shape is None else input_shape)
    dtype = input_dtype or str(input_data.dtype)
    layer = layer_cls(**(kwargs or {}))
    layer.set_weights(layer.get_weights())
    announced = layer.compute_output_shape(shape)
    x = layers.Input(batch_shape=shape, dtype=dtype) if fixed_batch_size else layers.Input(shape[1:], dtype=dtype)
    y = layer(x)
    _expect(backend.dtype(y) == (expected_output_dtype or dtype), f"{layer}: the output's type is {backend.dtype(y)}.")
    model = models.Model(x, y)
    output: Array = model.predict(input_data, verbose=0)
    fits = all(n is None or n == size for n, size in zip(announced, output.shape))
    _expect(fits, f"{layer}: announced is the shape {announced}; got {output.shape}.")
    if expected_output is not None:
        np.testing.assert_allclose(output, expected_output, rtol=1e-3)
    again = type(model).from_config(model.get_config(), custom_objects={layer_cls.__name__: layer_cls})
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(input_data, verbose=0), output, rtol=1e-3)
    if has_arg(layer.call, "training"):
        model.compile("rmsprop", "mse")
        model.train_on_batch(input_data, output)
    type(layer).from_config({**layer.get_config(), "batch_input_shape": shape})
    return output


def _expect(holds: bool, text: str) -> None:
    if not holds:
        raise AssertionError(text)


def keras_test(func: F) -> F:
    """Let a test forget names and models when it has run.

    Args:
        func: The test.

    Example:
        >>> keras_test(lambda: 3)()
        3
    """

    @functools.wraps(func)
    def test(*args: Any, **kwargs: Any) -> Any:
        result = func(*args, **kwargs)
        backend.clear_session()
        return result

    return test  # type: ignore[return-value]
