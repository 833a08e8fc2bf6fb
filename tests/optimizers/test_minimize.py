"""Steps by hand: `minimize`, `apply_gradients` and torch's own functions take the weights as Keras shows them.

Numbers marked so are of Keras 2.15.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat import optimizers
from torchkeras_compat.optimizers import SGD, Adam, experimental, legacy

RNG = np.random.default_rng(8)

# name → layers, input and target: every codec between Keras's layout and torch's
MODELS: dict[str, tuple[Callable[[], list[Any]], tuple[int, ...]]] = {
    "dense": (lambda: [L.Dense(4, activation="tanh", input_shape=(3,)), L.Dense(2)], (3,)),
    "conv2d": (lambda: [L.Conv2D(3, 2, input_shape=(4, 4, 2)), L.Flatten(), L.Dense(2)], (4, 4, 2)),
    "conv1d": (lambda: [L.Conv1D(3, 2, input_shape=(5, 2)), L.GlobalMaxPooling1D(), L.Dense(2)], (5, 2)),
    "lstm": (lambda: [L.LSTM(3, input_shape=(4, 2)), L.Dense(2)], (4, 2)),
    "gru": (lambda: [L.GRU(3, input_shape=(4, 2)), L.Dense(2)], (4, 2)),
    "gru_reset_after": (lambda: [L.GRU(3, input_shape=(4, 2), reset_after=True), L.Dense(2)], (4, 2)),
    "constrained": (
        lambda: [L.Dense(4, input_shape=(3,), kernel_constraint=keras.constraints.MaxNorm(0.7)), L.Dense(2)],
        (3,),
    ),
}
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: SGD(0.1),
    "momentum": lambda: SGD(0.1, momentum=0.9),
    "adam": lambda: Adam(0.05),
    "clipped": lambda: experimental.Adam(0.05, clipnorm=0.1),
}
STEPS = 4


def data(name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(5)
    shape = MODELS[name][1]
    return rng.normal(size=(6, *shape)).astype("float32"), rng.normal(size=(6, 2)).astype("float32")


def model_of(name: str) -> Any:
    np.random.seed(3)
    return keras.Sequential(MODELS[name][0]())


def loss_of(model: Any, name: str) -> torch.Tensor:
    x, y = data(name)
    loss: torch.Tensor = K.mean(K.square(model(x, training=True) - y))
    return loss


def by_backward(model: Any, optimizer: Any, name: str) -> None:
    for variable in model.trainable_variables:
        for parameter in variable._weight.parameters:
            parameter.grad = None
    loss_of(model, name).backward()  # type: ignore[no-untyped-call]
    optimizer.apply_gradients(zip([v.grad for v in model.trainable_variables], model.trainable_variables))


def by_autograd(model: Any, optimizer: Any, name: str) -> None:
    grads = torch.autograd.grad(loss_of(model, name), model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))


def by_numpy(model: Any, optimizer: Any, name: str) -> None:
    grads = torch.autograd.grad(loss_of(model, name), model.trainable_variables)
    arrays = [np.asarray(g.numpy(), "float64") for g in grads]
    optimizer.apply_gradients(zip(arrays, model.trainable_variables), experimental_aggregate_gradients=False)


def by_keras_gradients(model: Any, optimizer: Any, name: str) -> None:
    grads = K.gradients(loss_of(model, name), model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables), skip_gradients_aggregation=True)


def by_tensor(model: Any, optimizer: Any, name: str) -> None:
    optimizer.minimize(loss_of(model, name), model.trainable_variables)


def by_function(model: Any, optimizer: Any, name: str) -> None:
    optimizer.minimize(lambda: loss_of(model, name), lambda: model.trainable_variables)


def by_pairs(model: Any, optimizer: Any, name: str) -> None:
    optimizer.apply_gradients(optimizer.compute_gradients(loss_of(model, name), model.trainable_variables))


WAYS = [by_backward, by_autograd, by_numpy, by_keras_gradients, by_tensor, by_function, by_pairs]


def fitted(name: str, optimizer: Any) -> Any:
    model = model_of(name)
    model.compile(optimizer, "mse")
    x, y = data(name)
    model.fit(x, y, batch_size=len(x), epochs=STEPS, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", MODELS)
def test_steps_by_hand_are_those_of_fit(name: str, optimizer: str, way: Callable[..., None]) -> None:
    expected = fitted(name, OPTIMIZERS[optimizer]())
    model, mine = model_of(name), OPTIMIZERS[optimizer]()
    for _ in range(STEPS):
        way(model, mine, name)
    assert mine.iterations == STEPS
    for got, want in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-6)
    for got, want in zip(mine.get_weights(), expected.optimizer.get_weights()):  # the slots too, in Keras's layout
        np.testing.assert_allclose(got, want, rtol=2e-3, atol=2e-6)


@pytest.mark.parametrize("name", MODELS)
def test_hand_and_fit_take_turns(name: str) -> None:
    """A bound optimizer needs no list of weights, and steps them where `fit` has put them."""
    expected, model = fitted(name, Adam(0.05)), fitted(name, Adam(0.05))
    x, y = data(name)
    for _ in range(2):
        model.optimizer.minimize(loss_of(model, name))
        expected.fit(x, y, batch_size=len(x), verbose=0)
    update = model._steps["train"].update
    model.fit(x, y, batch_size=len(x), verbose=0)
    expected.fit(x, y, batch_size=len(x), verbose=0)
    assert model._steps["train"].update is update
    assert model.optimizer.iterations == expected.optimizer.iterations == STEPS + 3
    for got, want in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-6)


# --- the numbers of Keras 2.15.0: opt.minimize(lambda: …, [v]) with v = tf.Variable([1., 2.])


def start() -> Any:
    return K.variable([1.0, 2.0])


def test_the_gradient_of_a_sum_counts() -> None:
    v, optimizer = start(), SGD(0.1)
    assert optimizer.minimize(lambda: K.sum(v * v), [v]) == 1
    np.testing.assert_allclose(v.numpy(), [0.8, 1.6], rtol=1e-6)
    assert optimizer.minimize(lambda: v * v, [v]) == 2
    np.testing.assert_allclose(v.numpy(), [0.64, 1.28], rtol=1e-6)


def test_three_steps_of_adam() -> None:
    v, optimizer = start(), experimental.Adam(0.1)
    for _ in range(3):
        optimizer.minimize(lambda: K.sum(K.pow(v, 3)), [v])
    np.testing.assert_allclose(v.numpy(), [0.704156, 1.7014897], rtol=1e-5)  # Keras takes 1 − β₂ in float32


def test_the_loss_may_be_weighted() -> None:
    v, optimizer = start(), legacy.SGD(0.1, momentum=0.9)
    for _ in range(3):
        optimizer.minimize(lambda: K.pow(v, 3), [v], grad_loss=[1.0, 0.5])
    np.testing.assert_allclose(v.numpy(), [-0.11632669, -0.23265338], rtol=1e-5)


def test_clipping_applies_and_gradients_come_unclipped() -> None:
    v, optimizer = start(), experimental.SGD(0.1, clipvalue=0.5)
    optimizer.minimize(lambda: K.sum(v * v), [v])
    np.testing.assert_allclose(v.numpy(), [0.95, 1.95], rtol=1e-6)
    ((gradient, weight),) = optimizer.compute_gradients(lambda: v * v, [v])
    assert weight is v
    np.testing.assert_allclose(gradient.numpy(), [1.9, 3.9], rtol=1e-6)
    assert optimizer.iterations == 1


@pytest.mark.parametrize("kind", [legacy.SGD, experimental.SGD])
def test_constraints_apply_and_see_the_step_counted(kind: Any) -> None:
    seen: list[int] = []
    optimizer = kind(0.1)

    def at_most(x: Any) -> Any:
        seen.append(int(optimizer.iterations))
        return K.clip(x, 0.0, 1.5)

    v = K.variable([1.0, 2.0], constraint=at_most)
    assert optimizer.apply_gradients([(torch.tensor([-1.0, 1.0]), v)]) == 1
    np.testing.assert_allclose(v.numpy(), [1.1, 1.5], rtol=1e-6)
    assert seen == [1]


def test_no_pairs_are_no_step() -> None:
    optimizer = SGD(0.1)
    assert optimizer.apply_gradients([]) == optimizer.iterations == 0


# --- arguments and errors


def test_a_global_step_counts() -> None:
    v, step = start(), K.variable(5, dtype="int64")
    optimizer = SGD(0.1)
    optimizer.minimize(lambda: K.sum(v), [v], global_step=step, name="train")
    optimizer.apply_gradients([(np.ones(2), v)], global_step=step)
    assert (int(step.numpy()), optimizer.iterations) == (7, 2)


def test_a_tape_finds_the_gradients() -> None:
    class Tape:
        def gradient(self, loss: Any, variables: Any) -> Any:
            return [np.full(v.shape, float(loss.detach())) for v in variables]

    v, optimizer = start(), SGD(0.1)
    optimizer.minimize(K.sum(v * v), [v], tape=Tape())
    np.testing.assert_allclose(v.numpy(), [0.5, 1.5], rtol=1e-6)
    with pytest.raises(TypeError, match=r"SGD\.minimize.*tape must be an object with gradient\(loss, variables\)"):
        optimizer.minimize(K.sum(v * v), [v], torch.ones(2))


def test_plain_parameters_of_torch() -> None:
    model = torch.nn.Linear(2, 1)
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = SGD(1.0)
    optimizer.minimize(lambda: model(torch.tensor([[1.0, 2.0]])).sum(), model.parameters())
    found = [(b - p.detach()).flatten().tolist() for b, p in zip(before, model.parameters())]
    np.testing.assert_allclose(np.concatenate(found), [1, 2, 1], rtol=1e-5)
    optimizer.minimize(model(torch.zeros(1, 2)).sum())  # of all that are bound
    assert optimizer.iterations == 2


def test_only_what_the_loss_reaches_is_changed() -> None:
    used, idle, frozen = start(), start(), start()
    frozen.requires_grad_(False)
    optimizer = SGD(0.1)
    with pytest.warns(UserWarning, match=r"SGD\.minimize: 2 weights have no gradient"):
        optimizer.minimize(lambda: K.sum(used * frozen), [used, idle, frozen])
    np.testing.assert_allclose(used.numpy(), [0.9, 1.8], rtol=1e-6)
    assert idle.numpy().tolist() == frozen.numpy().tolist() == [1.0, 2.0]
    optimizer.minimize(lambda: K.sum(used))  # bound weights that it does not reach are no mistake
    assert optimizer.iterations == 2


def test_errors_name_what_to_write() -> None:
    v, other = start(), start()
    with pytest.raises(ValueError, match=r"serves no weights yet; name them, as in minimize\(loss, model\.trainable"):
        SGD().minimize(K.sum(v))
    with pytest.raises(ValueError, match=r"SGD\.minimize: no gradient was given for any weight"):
        SGD().minimize(K.sum(v), [other])
    with pytest.raises(ValueError, match="depends on no weight that trains"):
        SGD().minimize(torch.ones(()), [v])
    with pytest.raises(TypeError, match="loss must be a tensor, or a function without arguments"):
        SGD().minimize(3.0, [v])
    with pytest.raises(TypeError, match=r"var_list must be weights, as model\.trainable_variables"):
        SGD().minimize(K.sum(v), ["kernel"])
    with pytest.raises(ValueError, match=r"SGD\.apply_gradients: .*has shape \(2,\); got a gradient of \(1,\)"):
        SGD().apply_gradients([(torch.ones(1), v)])
    with pytest.raises(TypeError, match=r"pairs of a gradient \(a tensor or array\) and a weight"):
        SGD().apply_gradients([([1.0, 1.0], v)])


def test_a_sparse_gradient_is_taken() -> None:
    table = torch.nn.Embedding(4, 2, sparse=True)
    before = table.weight.detach().clone()
    table(torch.tensor([1, 1])).sum().backward()  # type: ignore[no-untyped-call]
    SGD(1.0).apply_gradients([(table.weight.grad, table.weight)])
    assert (before - table.weight.detach()).tolist() == [[0, 0], [pytest.approx(2)] * 2, [0, 0], [0, 0]]


def test_rows_whose_decay_is_pending_are_paid_before_a_step_by_hand() -> None:
    from torchkeras_compat.training.step import embedding_rows

    rows = embedding_rows.LAZY_ELEMENTS // 8

    def run(by_hand: bool) -> list[Any]:
        np.random.seed(2)
        model = keras.Sequential([L.Embedding(rows, 8, input_length=3), L.Flatten(), L.Dense(1)])
        model.compile("rmsprop", "mse")
        for i in range(3):
            x, y = np.full((4, 3), i + 1), np.ones((4, 1), "float32")
            if by_hand and i == 2:
                model.optimizer.minimize(K.mean(K.square(model(x, training=True) - y)))
            else:
                model.train_on_batch(x, y)
        return [*model.get_weights(), *model.optimizer.get_weights()]

    for got, want in zip(run(True), run(False)):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)


# --- torch's functions by weights


@pytest.mark.parametrize("name", MODELS)
def test_autograd_differentiates_by_weights(name: str) -> None:
    model = model_of(name)
    variables = model.trainable_variables
    grads = torch.autograd.grad(loss_of(model, name), variables)
    loss_of(model, name).backward()  # type: ignore[no-untyped-call]
    for grad, variable in zip(grads, variables):
        assert tuple(grad.shape) == tuple(variable.shape)
        np.testing.assert_allclose(grad.numpy(), variable.grad.numpy(), rtol=1e-5, atol=1e-7)
    by_name = dict(enumerate(variables))
    again = torch.autograd.grad(loss_of(model, name), by_name)
    np.testing.assert_allclose(again[0].numpy(), grads[0].numpy(), rtol=1e-5, atol=1e-7)


def test_backward_for_some_weights() -> None:
    for loss_kind in (torch.Tensor, None):
        model = model_of("gru_reset_after")
        *others, kernel, bias = model.trainable_variables
        loss = loss_of(model, "gru_reset_after")
        loss = loss.as_subclass(loss_kind) if loss_kind else loss
        loss.backward(inputs=[kernel, others[2]])  # type: ignore[no-untyped-call]
        assert kernel.grad is not None
        assert others[2].grad is not None
        assert bias.grad is None
        assert others[0].grad is None


def test_a_penalty_of_weights_is_differentiated_by_them() -> None:
    """What is computed from a weight outside a run is an expression; its gradient is found all the same."""
    v, other = start(), start()
    assert torch.autograd.grad(K.sum(v * v), v)[0].tolist() == [2.0, 4.0]
    first, second = torch.autograd.grad(K.sum(v * v), [v, other], allow_unused=True)
    assert (first.tolist(), second) == ([2.0, 4.0], None)
    with pytest.raises(RuntimeError, match="not have been used"):
        torch.autograd.grad(K.sum(v * v), [other])
    (K.sum(v * v) + 1).backward(inputs=v)
    assert v.grad.tolist() == [2.0, 4.0]
    (twice,) = torch.autograd.grad(K.sum(torch.autograd.grad(K.sum(v * v * v), v, create_graph=True)[0]), v)
    assert twice.tolist() == [6.0, 12.0]


def test_all_optimizers_minimise() -> None:
    for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Adamax", "Nadam", "Ftrl", "Lion"):
        v = start()
        optimizer = getattr(optimizers, name)(0.05)
        first = float(K.sum(v * v).numpy())
        for _ in range(5):
            optimizer.minimize(lambda v=v: K.sum(v * v), [v])
        assert float(K.sum(v * v).numpy()) < first, name
