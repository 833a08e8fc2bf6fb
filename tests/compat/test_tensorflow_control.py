"""Choices, loops, scopes, checks and what is printed: `tensorflow` in user layers, losses and models."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk

from .tensorflow_cases import A, B

X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def test_a_cell_written_with_an_array_and_a_loop() -> None:
    import tensorflow as tf

    class Powers(tf.keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            steps = tf.TensorArray(tf.float32, size=0, dynamic_size=True)

            def body(i: Any, value: Any, written: Any) -> Any:
                return i + 1, value * inputs, written.write(i, value)

            _, _, steps = tf.while_loop(lambda i, value, written: i < 4, body, (0, tf.ones_like(inputs), steps))
            return tf.transpose(steps.stack(), [1, 0, 2])

    model = tf.keras.Sequential([tf.keras.Input((3,)), Powers()])
    assert model.output_shape == (None, 4, 3)
    np.testing.assert_allclose(model.predict(X, verbose=0), np.stack([X**i for i in range(4)], 1), rtol=1e-5)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_choices_between_layers(sign: float) -> None:
    import tensorflow as tf

    x = tf.keras.Input((3,))
    chosen = tf.cond(tf.reduce_sum(x) > 0, lambda: (x, x * 2), lambda: (-x, x * 3))
    several = tf.case([(tf.reduce_sum(x) > 1e9, lambda: x), (tf.reduce_sum(x) > 0, lambda: x + 1)], lambda: x + 2)
    numbered = tf.switch_case(tf.cast(tf.reduce_sum(x) > 0, tf.int32), [lambda: x * 5, lambda: x * 7])
    value = sign * (X + 2)
    got = tf.keras.Model(x, [*chosen, several, numbered]).predict(value, verbose=0)
    factors = (value, value * 2, value + 1, value * 7) if sign > 0 else (-value, value * 3, value + 2, value * 5)
    for array, expected in zip(got, factors):
        np.testing.assert_allclose(array, expected, rtol=1e-6)


def test_gradients() -> None:
    import tensorflow as tf

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.tensor([3.0, 4.0], requires_grad=True)
    first, second, third = tf.gradients([x * y, x], [x, y, torch.zeros(2, requires_grad=True)])
    assert first.tolist() == [4, 5]
    assert second.tolist() == [1, 2]
    assert third is None
    assert tf.gradients(x * y, x, grad_ys=[[1.0, 10.0]])[0].tolist() == [3, 40]
    zero = tf.gradients(x, [y], unconnected_gradients="zero")[0]
    assert zero.tolist() == [0, 0]
    inputs = tf.keras.Input((3,))
    (symbolic,) = tf.gradients(tf.square(inputs), inputs)
    np.testing.assert_allclose(tk.backend.function([inputs], [symbolic])([X])[0], 2 * X)
    with pytest.raises(ValueError, match=r"write tf\.stop_gradient"):
        tf.gradients(x, y, stop_gradients=[x])


def test_a_layer_that_turns_gradients_round() -> None:
    import tensorflow as tf

    @tf.custom_gradient
    def reverse(x: Any) -> Any:
        return tf.identity(x), lambda dy: -dy

    class Reverse(tf.keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return reverse(inputs)

    kernels = []
    for layers in ([], [Reverse()]):
        tk.utils.set_random_seed(1)
        dense = tf.keras.layers.Dense(2, input_dim=3)
        model = tf.keras.Sequential([dense, *layers])
        model.compile("sgd", "mse")
        before = dense.get_weights()[0]
        model.fit(X, X[:, :2], epochs=1, verbose=0)
        kernels.append(dense.get_weights()[0] - before)
    np.testing.assert_allclose(kernels[0], -kernels[1], rtol=1e-4, atol=1e-7)
    weight = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match="hand it over among its arguments"):
        tf.custom_gradient(lambda x: (x * weight, lambda dy: dy))(tf.constant([1.0, 2.0, 3.0]))


def test_initializers_of_tensorflow() -> None:
    import tensorflow as tf

    drawn = [tf.random_normal_initializer(), tf.compat.v1.random_normal_initializer(), tf.random_uniform_initializer()]
    deviations = [float(initializer((2000,)).std()) for initializer in drawn]
    np.testing.assert_allclose(deviations, [0.05, 1.0, 0.1 / 12**0.5], rtol=0.1)
    layer = tf.keras.layers.Dense(2, kernel_initializer=tf.ones_initializer(), input_dim=3)
    assert tf.keras.Sequential([layer]).get_weights()[0].tolist() == [[1, 1]] * 3


def test_scopes_and_assignments() -> None:
    import tensorflow as tf

    with tf.name_scope("a") as name, tf.compat.v1.variable_scope("b", reuse=tf.compat.v1.AUTO_REUSE):
        assert name == "a/"
        variable = tf.Variable([1.0, 2.0])
    with tf.control_dependencies([tf.compat.v1.assign(variable, [3.0, 4.0])]):
        assert variable.numpy().tolist() == [3, 4]
    tf.compat.v1.assign_add(variable, [1.0, 1.0])
    assert tf.compat.v1.assign_sub(variable, [0.5, 0.5]).tolist() == [3.5, 4.5]
    assert tf.group(variable) is tf.no_op() is None


def test_functions_of_python_in_models() -> None:
    import tensorflow as tf

    x = tf.keras.Input((3,))
    ordered = tf.numpy_function(lambda array: np.sort(array, 1)[:, ::-1].copy(), [x], tf.float32)
    doubled, count = tf.py_function(lambda t: (t * 2, t.numpy().size), [x], [tf.float32, tf.int32])
    model = tf.keras.Model(x, [ordered, doubled])
    results = model.predict(X, verbose=0)
    np.testing.assert_array_equal(results[0], np.sort(X, 1)[:, ::-1])
    np.testing.assert_array_equal(results[1], 2 * X)
    assert count.dtype == "int32"
    with pytest.raises(ValueError, match="a function that returns 2 values"):
        tf.py_function(lambda t: t, [A], [tf.float32, tf.float32])


def test_losses_with_loops_and_batches_of_indices_train() -> None:
    import tensorflow as tf

    def loss(y_true: Any, y_pred: Any) -> Any:
        errors = tf.map_fn(
            lambda pair: tf.reduce_mean(tf.square(pair[0] - pair[1])), (y_true, y_pred), dtype=tf.float32
        )
        tf.debugging.assert_non_negative(errors)
        return tf.debugging.check_numerics(errors, "loss")

    histories = []
    for chosen in (loss, "mse"):
        tk.utils.set_random_seed(1)
        model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_dim=3)])
        model.compile("sgd", chosen)
        histories.append(model.fit(X, X[:, :2], epochs=3, verbose=0, shuffle=False).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)


def test_printed_as_tensorflow_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """What TensorFlow 2.15 writes for the same calls."""
    import tensorflow as tf

    thirds = np.arange(20, dtype="float32").reshape(5, 4) / 3
    tf.print("x =", tf.constant(thirds[:2]), output_stream=sys.stdout)
    values = {"k": tf.constant([1.5, 2.0])}
    tf.print(tf.constant(1.0), 3.5, [tf.constant(2), "a"], values, sep=", ", end="!\n", output_stream=sys.stdout)
    tf.print(tf.constant("text"), tf.constant(["a", "b"]), tf.constant([True, False]), output_stream=sys.stdout)
    tf.print(tf.constant(thirds), summarize=1, output_stream=sys.stdout)
    tf.print(tf.constant(0.1), tf.constant(1e-7), tf.constant(1 / 3), tf.constant(1 / 3, tf.float64))
    tf.print(tf.keras.Input((3,)))
    assert tf.compat.v1.Print(7, [tf.constant([1, 2]), tf.constant(0.5)], "seen: ") == 7
    out, err = capsys.readouterr()
    assert out == (
        "x = [[0 0.333333343 0.666666687 1]\n [1.33333337 1.66666663 2 2.33333325]]\n"
        "1, 3.5, [2, 'a'], {'k': [1.5 2]}!\n"
        '"text" ["a" "b"] [1 0]\n'
        "[[0 ... 1]\n ...\n [5.33333349 ... 6.33333349]]\n"
    )
    assert err == "0.1 1e-07 0.333333343 0.33333333333333331\nseen: [[1 2]][0.5]\n"
    with pytest.raises(ValueError, match="output_stream"):
        tf.print(1, output_stream="file:///x")


Raised = tuple[Callable[[Any], Any], type[Exception], str]
WRONG: dict[str, Raised] = {
    "equal": (lambda tf: tf.debugging.assert_equal(A, B, message="as told"), ValueError, "assert_equal: .* as told"),
    "assert_equal": (lambda tf: tf.assert_equal([1], [2]), ValueError, r"assert_equal: \[1\] == \[2\]"),
    "near": (lambda tf: tf.debugging.assert_near(A, A + 1e-3), ValueError, "assert_near"),
    "sign": (lambda tf: tf.debugging.assert_positive(A), ValueError, "assert_positive"),
    "rank": (lambda tf: tf.debugging.assert_rank(A, 3), ValueError, "3 axes are needed"),
    "rank of a symbolic tensor": (
        lambda tf: tf.debugging.assert_rank(tf.keras.Input((2,)), 3),
        ValueError,
        "3 axes are needed",
    ),
    "shapes": (lambda tf: tf.debugging.assert_shapes([(A, ("n", "n"))]), ValueError, r"\('n', 'n'\) is needed"),
    "type": (lambda tf: tf.debugging.assert_type(A, tf.int32), TypeError, r"torch\.int32 is needed"),
    "numerics": (
        lambda tf: tf.debugging.check_numerics([1.0, np.nan], "here"),
        ValueError,
        "here : .* has NaN",
    ),
    "Assert": (lambda tf: tf.Assert(tf.reduce_sum(A) > 1e9, ["sum"]), ValueError, "sum"),
    "case": (lambda tf: tf.case([(False, lambda: 1)]), ValueError, "a function where no value is true"),
    "exclusive": (lambda tf: tf.case([(True, int), (True, int)], exclusive=True), ValueError, "true at most once"),
    "cond": (lambda tf: tf.cond(True, lambda: 1), TypeError, "two functions"),
    "loop": (
        lambda tf: tf.while_loop(lambda x: x < 1, lambda x: x, [tf.keras.Input((2,))]),
        TypeError,
        "call it in a layer",
    ),
    "array": (lambda tf: tf.TensorArray(tf.float32, 2).write(2, 1.0), IndexError, "from 0 to 1"),
    "unstacked": (lambda tf: tf.TensorArray(tf.float32, 2).unstack(A), ValueError, "at most 2 tensors"),
    "unwritten": (lambda tf: tf.TensorArray(tf.float32, 2).stack(), ValueError, "element_shape"),
    "unique": (lambda tf: tf.unique(A), ValueError, "of one axis"),
    "unique of symbolic tensors": (
        lambda tf: tf.unique(tf.reshape(tf.keras.Input((3,)), [-1])),
        RuntimeError,
        "follows from values",
    ),
    "scatter": (lambda tf: tf.tensor_scatter_nd_update(A, [[3]], B[:1]), ValueError, "from 0 to 2 in axis 0"),
    "confusion": (lambda tf: tf.math.confusion_matrix([0, 5], [0, 1], 2), ValueError, "from 0 to 1"),
    "slice": (lambda tf: tf.slice(A, [0, 1], [2, 9]), ValueError, "within"),
    "shape": (lambda tf: tf.ensure_shape(A, [None, 5]), ValueError, "of shape"),
    "nest": (lambda tf: tf.nest.map_structure(lambda a, b: a, [1], [1, 2]), ValueError, "the structures differ"),
    "packed": (lambda tf: tf.nest.pack_sequence_as([0, 0], [1]), ValueError, "2 values"),
    "padding value": (lambda tf: tf.linalg.diag(A, padding_value=7), ValueError, "padding_value must be 0"),
    "error of tensorflow": (lambda tf: tf.debugging.assert_less(A, A), ValueError, "assert_less"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(case: str) -> None:
    import tensorflow as tf

    call, error, text = WRONG[case]
    with pytest.raises(error, match=text):
        call(tf)


def test_checks_say_nothing_of_symbolic_tensors_and_raise_errors_of_tensorflow() -> None:
    import tensorflow as tf

    x = tf.keras.Input((3,))
    assert tf.debugging.assert_equal(tf.shape(x)[1], 7) is None
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.debugging.assert_equal(1, 2)


def test_classes_are_drawn_by_their_logits() -> None:
    import tensorflow as tf

    drawn = tf.random.categorical(np.log([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]), 4000, seed=3)
    parts = [np.bincount(row, minlength=3) / 4000 for row in np.asarray(drawn)]
    np.testing.assert_allclose(parts, [[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], atol=0.04)
    assert drawn.dtype == torch.int64


def test_functions_of_numpy_get_one_string_as_bytes(tmp_path: Any) -> None:  # as in TensorFlow 2.15.1
    import tensorflow as tf

    np.save(tmp_path / "a.npy", np.arange(3, dtype="float32"))
    kinds: list[Any] = []

    def load(name: Any, number: Any) -> Any:
        kinds.append((type(name), type(number)))
        return np.load(name.decode("utf-8") + ".npy"), number

    data = tf.data.Dataset.from_tensor_slices(([str(tmp_path / "a")] * 2, [1, 2]))
    data = data.map(lambda name, n: tf.numpy_function(load, [name, n], [tf.float32, tf.int32])).batch(2)
    values, numbers = next(iter(data))
    assert (values.shape.as_list(), numbers.numpy().tolist()) == ([2, 3], [1, 2])
    assert set(kinds) == {(bytes, np.int32)}
