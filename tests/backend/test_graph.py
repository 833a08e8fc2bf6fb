"""Symbolic tensors, `K.function`, `K.gradients`, variables and the learning phase."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat.backend as K
from torchkeras_compat import optimizers
from torchkeras_compat._core import settings
from torchkeras_compat.layers import LSTM, AveragePooling2D, BatchNormalization, Dense, Dropout, Input, Lambda
from torchkeras_compat.models import Model, Sequential


def _model() -> Sequential:
    return Sequential([Dense(4, activation="tanh", input_shape=(3,)), Dropout(0.5), Dense(2)])


X = np.arange(6, dtype="float32").reshape(2, 3) / 6


def test_function_gives_a_layers_output() -> None:
    model = _model()
    kernel, bias = model.layers[0].get_weights()
    (hidden,) = K.function([model.input], [model.layers[0].output])([X])
    np.testing.assert_allclose(hidden, np.tanh(X @ kernel + bias), rtol=1e-5)


def test_function_takes_the_learning_phase_as_an_input() -> None:
    model = _model()
    run = K.function([model.input, K.learning_phase()], [model.layers[1].output, model.layers[0].output])
    dropped, kept = run([X, 0])
    np.testing.assert_array_equal(dropped, kept)
    dropped, kept = run([np.ones((64, 3)), 1])
    assert 0 < (dropped == 0).mean() < 1
    np.testing.assert_allclose(dropped[dropped != 0], 2 * kept[dropped != 0], rtol=1e-6)


def test_function_without_updates_changes_nothing() -> None:
    """As on TensorFlow 1, where nobody ran the updates of layers: Keras 2.15 does so when it is not eager."""
    batch = np.random.RandomState(0).normal(3, 2, (8, 3))
    model = Sequential([BatchNormalization(input_shape=(3,))])
    (normed,) = K.function([model.input, K.learning_phase()], [model.output])([batch, 1])
    np.testing.assert_allclose(normed.mean(0), 0, atol=1e-5)
    assert [values.tolist() for values in model.get_weights()] == [[1] * 3, [0] * 3, [0] * 3, [1] * 3]
    counter = K.variable(0.0)
    K.function([model.input, K.learning_phase()], [model.output], updates=[(counter, counter + 1)])([batch, 1])
    assert model.get_weights()[2].min() > 0  # a step of training moves them

    model = Sequential([LSTM(2, stateful=True, batch_input_shape=(1, 2, 1))])
    run, steps = K.function([model.input], [model.output]), np.ones((1, 2, 1))
    first = model.predict(steps, verbose=0)
    after = run([steps])[0]
    assert not np.allclose(first, after)
    np.testing.assert_array_equal(run([steps])[0], after)


def test_function_of_one_output_gives_one_array() -> None:
    x = K.placeholder((None, 2))
    assert K.function([x], x + 1)([[[1.0, 2.0]]]).tolist() == [[2, 3]]
    with pytest.raises(ValueError, match="1 inputs are needed; got 2"):
        K.function([x], x + 1)([X, X])
    with pytest.raises(ValueError, match="needs 2 axes"):
        K.function([x], x + 1)([[1.0, 2.0]])
    with pytest.raises(ValueError, match="input without a value"):
        K.function([K.placeholder((1,))], [x])([[1.0]])
    with pytest.raises(TypeError, match="no TensorFlow session"):
        K.function([x], [x], options=None)
    with pytest.raises(TypeError, match="symbolic tensors"):
        K.function([torch.zeros(2)], [x])


def test_function_applies_updates_after_the_outputs() -> None:
    x, total = K.placeholder((2,)), K.variable([0.0, 0.0])
    run = K.function([x], [total * 1], updates=[(total, x + 1), K.update_add(K.variable([1.0, 1.0]), x)])
    assert run([[1.0, 2.0]])[0].tolist() == [0, 0]
    assert K.get_value(total).tolist() == [2, 3]


def test_gradients_of_an_input_as_a_saliency_map_has_them() -> None:
    model = _model()
    score = K.sum(model.output[:, 1])
    grads = K.gradients(score, model.input)[0]
    assert K.int_shape(grads) == (None, 3)
    scaled = grads / (K.sqrt(K.mean(K.square(grads))) + K.epsilon())
    got, norm = K.function([model.input], [grads, scaled])([X])
    x = torch.tensor(X, requires_grad=True)
    model(x)[:, 1].sum().backward()
    np.testing.assert_allclose(got, x.grad, rtol=1e-5)
    np.testing.assert_allclose(norm, x.grad / x.grad.square().mean().sqrt(), rtol=1e-4)


def test_gradients_of_a_hidden_layer_and_of_weights() -> None:
    model = _model()
    hidden, loss = model.layers[0].output, K.sum(K.square(model.output))
    by_hidden, by_kernel = K.gradients(loss, [hidden, model.layers[2].kernel])
    a, b = K.function([model.input], [by_hidden, by_kernel])([X])
    h, kernel = torch.tanh(torch.tensor(X) @ model.layers[0].kernel).detach(), model.layers[2].kernel.detach()
    np.testing.assert_allclose(a, 2 * (h @ kernel) @ kernel.T, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(b, h.T @ (2 * (h @ kernel)), rtol=1e-4, atol=1e-6)


def test_gradients_of_real_tensors_can_be_differentiated_again() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (first,) = K.gradients((x**3).sum(), x)
    (second,) = K.gradients(first, [x])
    assert second.tolist() == [6, 12]
    assert K.gradients(x.sum(), [torch.ones(2, requires_grad=True)]) == [None]
    v = K.variable([3.0])
    assert K.gradients(K.sum(K.square(v)), [v])[0].tolist() == [6]


def test_gradients_of_what_a_loss_does_not_use() -> None:
    x, y = K.placeholder((2,)), K.placeholder((2,))
    assert K.gradients(K.sum(x), y) == [None]
    with pytest.raises(ValueError, match="does not depend on"):
        K.function([x], K.gradients(K.sum(K.stop_gradient(x)), x))([[1.0, 2.0]])


def test_a_variable_meets_a_symbolic_tensor() -> None:
    x, loss = K.placeholder((None, 2)), K.variable(1.0)
    loss += 2 * K.sum(K.square(x))
    assert K.function([x], [loss])([[[1.0, 2.0]]])[0] == 11


def test_symbolic_shapes_keep_what_is_unknown() -> None:
    x = K.placeholder((None, 4, 2))
    assert K.is_keras_tensor(x)
    assert K.is_placeholder(x)
    assert not K.is_placeholder(K.exp(x))
    assert K.int_shape(K.mean(x, axis=1)) == (None, 2)
    assert K.int_shape(K.concatenate([x, x], axis=1)) == (None, 8, 2)
    assert K.int_shape(K.dot(x, np.ones((2, 5), "float32"))) == (None, 4, 5)
    assert K.dtype(K.cast(x, "int32")) == "int32"
    assert K.int_shape(K.placeholder(ndim=2)) == (None, None)
    with pytest.raises(ValueError, match="sparse"):
        K.placeholder((2,), sparse=True)


def test_what_follows_from_shapes_has_a_value_before_the_run() -> None:
    x = K.placeholder((None, 4, 2))
    rows, features = K.shape(x)[0], K.shape(x)[2]
    assert (K.int_shape(K.shape(x)), K.dtype(K.shape(x))) == ((3,), "int32")
    flat = K.reshape(x, (rows, 4 * features))
    noise = K.random_normal(shape=(rows, K.int_shape(x)[1]), stddev=0.0)
    pairs = K.reshape(x, K.concatenate([K.shape(x)[:1] * 2, K.constant([4], dtype="int32")], axis=0))
    made = [flat, noise, K.zeros((rows, 3)), K.ones((rows,)), K.arange(rows), pairs, K.tile(x, [1, features, 1])]
    assert [K.int_shape(y) for y in made] == [
        (None, 8),
        (None, 4),
        (None, 3),
        (None,),
        (None,),
        (None, 4),
        (None, 8, 2),
    ]
    values = K.function([x], [*made, x / K.cast(features, "float32")])([np.ones((5, 4, 2))])
    assert [v.shape for v in values[:-1]] == [(5, 8), (5, 4), (5, 3), (5,), (5,), (10, 4), (5, 8, 2)]
    assert values[4].tolist() == [0, 1, 2, 3, 4]
    assert not values[1].any()
    assert (values[-1] == 0.5).all()
    assert Model(x, flat).predict(np.ones((3, 4, 2)), verbose=0).shape == (3, 8)


def test_constants_of_a_fixed_number_of_rows_beside_unknown_ones() -> None:
    x = K.placeholder((None, 3))
    rows = x + K.constant(np.ones((5, 1)))
    assert K.int_shape(rows) == (5, 3)
    assert K.function([x], [rows])([np.ones((5, 3))])[0].tolist() == [[2] * 3] * 5
    assert K.int_shape(K.gather(x, [7, 0])) == (2, 3)
    with pytest.raises(RuntimeError, match=r"size of tensor|broadcast"):
        x + K.constant(np.ones((5, 4)))
    batch_size = 20

    def sampling(args: Any) -> Any:
        mean, deviation = args
        return mean + deviation * K.random_normal(shape=(batch_size, 3), stddev=0.0)

    z = Lambda(sampling)([x, x])
    assert K.int_shape(z) == (20, 3)
    assert Model(x, z).predict(np.ones((40, 3)), batch_size=20, verbose=0).shape == (40, 3)


def test_a_loop_over_a_symbolic_tensor() -> None:
    x, w = K.placeholder((None, None, 2)), K.placeholder((2,))
    last, outputs, states = K.rnn(lambda a, s: (a + s[0] + s[1], [a + s[0]]), x, [K.zeros_like(x[:, 0])], constants=[w])
    assert [K.int_shape(t) for t in (last, outputs, states[0])] == [(None, 2), (None, None, 2), (None, 2)]
    values = K.function([x, w], [last, outputs, *states])([np.ones((1, 4, 2)), [10.0, 20.0]])
    assert values[0].tolist() == [[14, 24]]
    assert values[1].shape == (1, 4, 2)
    assert values[2].tolist() == [[4, 4]]
    grads = K.gradients(K.sum(last), [x, w])
    assert [g.tolist() for g in K.function([x, w], grads)([np.ones((1, 2, 2)), [1.0, 2.0]])] == [[[[1, 1]] * 2], [1, 1]]
    with pytest.raises(ValueError, match="constants"):
        K.rnn(lambda a, s: (a * w, s), x, [K.zeros_like(x[:, 0])])
    with pytest.raises(ValueError, match="elems"):
        K.map_fn(lambda row: row * w, x)


def test_the_mode_of_a_model_that_a_function_stands_in() -> None:
    x = Input((2,))
    model = Model(x, K.in_train_phase(x * 2, x))
    assert model(np.ones((1, 2)), training=True).tolist() == [[2, 2]]
    assert model.predict(np.ones((1, 2)), verbose=0).tolist() == [[1, 1]]


def test_types_of_inputs_are_kept() -> None:
    for kind in ("int32", "float64", "float16", "bool"):
        x = Input((2,), dtype=kind)
        y = K.abs(x) if kind != "bool" else K.any(x, axis=-1)
        assert K.dtype(y) == kind
        assert Model(x, y)(torch.ones(1, 2, dtype=getattr(torch, kind))).dtype == getattr(torch, kind)


def test_get_and_set_value() -> None:
    v = K.variable(np.ones((2, 2)), name="v")
    assert (v.name, K.dtype(v), K.is_variable(v)) == ("v:0", "float32", True)
    K.set_value(v, np.eye(2))
    assert K.eval(v * 2).tolist() == [[2, 0], [0, 2]]
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        K.set_value(v, [1.0])
    plain = torch.zeros(2)
    K.set_value(plain, [1, 2])
    assert plain.tolist() == [1, 2]
    with pytest.raises(TypeError, match="must be a variable"):
        K.set_value(0.1, 0.2)
    assert K.get_value(3.5) == 3.5
    assert K.get_value(torch.ones(1, dtype=torch.bfloat16)).dtype == np.float32
    assert isinstance(K.get_value(K.variable(2.0)), np.float32)
    assert K.batch_get_value([v, plain])[1].tolist() == [1, 2]


def test_a_copied_variable_is_another() -> None:
    v = K.variable([1.0])
    other = copy.deepcopy(v)
    K.set_value(v, [2.0])
    assert K.get_value(other).tolist() == [1]


def test_the_learning_rate_of_an_optimizer() -> None:
    optimizer = optimizers.SGD(0.5)
    K.set_value(optimizer.lr, 0.25)
    assert K.get_value(optimizer.lr) == 0.25
    assert isinstance(K.get_value(optimizer.lr), float)
    assert float(K.eval(optimizer.lr)) == 0.25
    K.set_value(optimizer.lr, K.get_value(optimizer.lr) * 0.5)
    assert optimizer.lr == 0.125


def test_sparse_matrices() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    v = K.variable(sparse.coo_matrix(np.eye(2)))
    assert K.is_sparse(v)
    assert K.to_dense(v).tolist() == [[1, 0], [0, 1]]
    assert K.eval(v).tolist() == [[1, 0], [0, 1]]


def test_a_sparse_matrix_says_nothing_of_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    sparse, make = pytest.importorskip("scipy.sparse"), torch.sparse_coo_tensor

    def warns(*args: Any, **kwargs: Any) -> torch.Tensor:
        warnings.warn("Sparse invariant checks are implicitly disabled. Memory errors (e.g. SEGFAULT) will occur")
        return make(*args, **kwargs)

    monkeypatch.setattr(torch, "sparse_coo_tensor", warns)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert K.is_sparse(K.variable(sparse.coo_matrix(np.eye(2))))


def test_the_learning_phase() -> None:
    assert not K.learning_phase()
    assert K.learning_phase() == 0
    with K.learning_phase_scope(1):
        assert K.learning_phase() == 1
        assert K.in_train_phase(1, 2) == 1
    assert K.in_train_phase(1, 2) == 2
    assert K.in_test_phase(1, 2) == 1
    with settings.running(True):
        assert K.in_train_phase(lambda: torch.ones(1), lambda: torch.zeros(1)).item() == 1
        K.set_learning_phase(0)
        assert K.learning_phase() == 0
    K.set_learning_phase(None)
    with pytest.raises(ValueError, match="0 or 1"):
        K.set_learning_phase(2)


def test_the_learning_phase_in_a_graph() -> None:
    x = K.placeholder((None,))
    run = K.function([x, K.symbolic_learning_phase()], [K.in_train_phase(x * 2, x)])
    assert run([[1.0], 1])[0].tolist() == [2]
    assert run([[1.0], 0])[0].tolist() == [1]


def test_switch() -> None:
    rows = K.switch(np.array([True, False]), torch.ones(2, 3), torch.zeros(2, 3))
    assert rows.tolist() == [[1, 1, 1], [0, 0, 0]]
    called: list[int] = []

    def expensive() -> Any:
        called.append(1)
        return torch.zeros(1)

    assert K.switch(torch.tensor(1), lambda: torch.ones(1), expensive).item() == 1
    assert not called
    x = K.placeholder((None, 2))
    assert K.function([x], [K.switch(x > 1, x, x * 0)])([[[1.0, 2.0]]])[0].tolist() == [[0, 2]]
    with pytest.raises(ValueError, match="axes"):
        K.switch(torch.ones(2, 2), torch.ones(2), torch.ones(2))


def test_arrays_and_numbers_go_where_the_tensors_are() -> None:
    x = torch.ones(2, device="meta")
    assert K.maximum(x, 0.0).device.type == "meta"
    assert K.dot(torch.ones(1, 2, device="meta"), np.ones((2, 3))).dtype == torch.float32
    assert K.mean([1.0, 2.0]).item() == 1.5
    K.set_floatx("float64")
    assert K.mean(np.ones(2)).dtype == torch.float64


def test_backend_functions_compile() -> None:
    graphs = []

    def capture(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    @torch.compile(backend=capture, fullgraph=True)
    def loss(y: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
        return K.mean(K.square(K.clip(p, K.epsilon(), 1.0) - y), axis=-1) + K.sum(K.relu(p))

    y, p = torch.rand(2, 3), torch.rand(2, 3)
    torch.testing.assert_close(loss(y, p), ((p - y) ** 2).mean(-1) + p.sum())
    assert len(graphs) == 1


def test_a_model_of_values_that_are_there() -> None:
    """Keras 1's doodles: `Input(tensor=variable)`; a later value of the variable counts."""
    masks = K.variable(np.arange(16.0).reshape(1, 4, 4, 1))
    pooled = AveragePooling2D()(Input(tensor=masks, shape=(None, None, 1), name="mask_input"))
    expected = np.arange(16.0).reshape(2, 2, 2, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(K.eval(pooled)[0, :, :, 0], expected)
    image = K.placeholder((1, 2, 2, 1))
    loss = K.sum(pooled * image)
    run = K.function([image], [loss, *K.gradients(loss, [image])])
    K.set_value(masks, 2 * K.get_value(masks))
    value, gradient = run([np.ones((1, 2, 2, 1))])
    np.testing.assert_allclose(value, 2 * expected.sum())
    np.testing.assert_allclose(gradient[0, :, :, 0], 2 * expected)


def test_a_number_and_a_vector_have_a_transpose() -> None:
    assert K.eval(K.transpose(K.constant(3.0))) == 3.0
    np.testing.assert_array_equal(K.eval(K.transpose(K.constant([1.0, 2.0]))), [1.0, 2.0])
