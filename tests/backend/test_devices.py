"""What the backend makes is on the device of new models, and what it converts goes where the tensors are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
import torchkeras_compat.backend as K
from torchkeras_compat import activations, constraints, initializers, regularizers
from torchkeras_compat._core import settings
from torchkeras_compat.layers import Dense
from torchkeras_compat.models import Sequential


def test_made_on_the_device(device: torch.device) -> None:
    made = [K.variable([1.0]), K.constant(1), K.zeros((2,)), K.eye(2), K.arange(3)]
    made += [K.random_normal((2,)), K.random_uniform((2,)), K.truncated_normal((2,)), K.random_bernoulli((2,), 0.5)]
    assert {t.device.type for t in made} == {device.type}


def test_what_is_made_follows_the_device_of_new_models() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    keras.set_device("meta")
    made = [K.variable([1.0]), K.variable(torch.ones(2)), K.constant(1), K.zeros((2,)), K.ones((2,)), K.eye(2)]
    made += [K.variable(initializers.Ones()((2,))), K.variable(sparse.coo_matrix(np.eye(2))), K.arange(3)]
    for draw in (K.random_normal, K.random_uniform, K.truncated_normal, K.random_bernoulli):
        made += [draw((2,)), draw((2,), seed=3)]
        with settings.running(True):
            made.append(draw((2,)))
    made += [K.random_uniform((2,), 0, 9, "int32"), K.random_uniform_variable((2,), 0, 1)]
    made += [K.random_normal_variable((2,), 0, 1), K.one_hot([1], 3), K.cast([1], "float32"), K.zeros_like([1.0])]
    assert [t.device.type for t in made] == ["meta"] * len(made)


def test_converted_to_the_device(device: torch.device) -> None:
    x = torch.ones(2, 3, device=device)
    v = K.variable(np.ones((3, 2)))
    K.set_value(v, np.full((3, 2), 2.0))
    results = [
        K.dot(x, v),
        K.maximum(x, 0.5),
        K.concatenate([x, np.zeros((2, 3))]),
        K.dropout(x, 0.5),
        K.one_hot(K.argmax(x), 3),
        K.categorical_crossentropy(np.eye(3)[:2], x),
        K.ctc_batch_cost([[0]], torch.full((1, 1, 2), 0.5, device=device), [[1]], [[1]]),
        K.ctc_decode(torch.full((1, 2, 2), 0.5, device=device), [2])[0][0],
        K.rnn(lambda a, s: (a, s), x[None], [], mask=np.ones((1, 2)))[1],
        activations.selu(x),
        constraints.RadialConstraint()(torch.ones(3, 3, 1, 1, device=device)),
        regularizers.OrthogonalRegularizer()(x),
    ]
    assert {t.device.type for t in results} == {device.type}
    assert K.get_value(results[0]).tolist() == [[6, 6], [6, 6]]


def test_function_runs_where_the_model_is(device: torch.device) -> None:
    model = Sequential([Dense(2, input_shape=(3,))])
    x = np.ones((1, 3))
    loss = K.sum(model.output)
    output, gradient = K.function([model.input], [model.output, K.gradients(loss, model.input)[0]])([x])
    kernel = model.get_weights()[0]
    np.testing.assert_allclose(output, x @ kernel, rtol=1e-5)
    np.testing.assert_allclose(gradient, kernel.sum(1)[None], rtol=1e-5)
