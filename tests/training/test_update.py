"""Finding gradients is one step and applying them another: reduce over devices, clip, groups, constraints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat import optimizers
from torchkeras_compat._core.graph_capture import as_capture
from torchkeras_compat.optimizers import experimental
from torchkeras_compat.optimizers.slots import Gradients, ListGroup
from torchkeras_compat.training.step import embedding_rows
from torchkeras_compat.training.step.choose_update import choose_update
from torchkeras_compat.training.step.embedding_rows import TouchedRows, join_lookups
from torchkeras_compat.training.step.parameter_groups import FlatGroup
from torchkeras_compat.training.step.update import ClosureUpdate, KerasUpdate, Update

RNG = np.random.default_rng(6)
X, Y = RNG.normal(size=(8, 4, 4, 2)).astype("float32"), RNG.normal(size=(8, 2)).astype("float32")
ROWS = embedding_rows.LAZY_ELEMENTS // 8
WORDS = RNG.integers(1, 40, (8, 5))
ALL, FIRST, SECOND = slice(None), slice(0, 4), slice(4, 8)


def images() -> Any:
    """Return a model with a constraint, and with a kernel that does not lie in memory as torch has it."""
    np.random.seed(4)
    layers = [L.Conv2D(3, 2, input_shape=(4, 4, 2), kernel_constraint=keras.constraints.MaxNorm(0.6)), L.Flatten()]
    return keras.Sequential([*layers, L.Dense(2)])


def words() -> Any:
    np.random.seed(4)
    return keras.Sequential([L.Embedding(ROWS, 8, input_length=5), L.Flatten(), L.Dense(2)])


def update_of(model: Any, optimizer: Any, flat_allowed: bool = True) -> Any:
    return choose_update(optimizer, [v._weight for v in model.trainable_variables], flat_allowed)


def loss_of(model: Any, part: slice) -> Tensor:
    x = WORDS if isinstance(model.layers[0], L.Embedding) else X
    loss: Tensor = K.mean(K.square(model(x[part], training=True) - torch.from_numpy(Y[part])))
    return loss.as_subclass(Tensor)


def gradients_of(update: Update, model: Any, part: slice = ALL) -> Gradients:
    with update.recording:
        loss = loss_of(model, part)
        return update.gradients(loss)


def copied(gradients: Gradients) -> Gradients:
    return [(group, [grad.clone() for grad in grads]) for group, grads in gradients]


def close(model: Any, expected: Any) -> None:
    for got, want in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


class Halving(optimizers.Optimizer):
    """An optimizer as classic Keras has them."""

    def get_updates(self, loss: Any, params: Any) -> Any:
        return [K.update_sub(p, 0.5 * g) for p, g in zip(params, self.get_gradients(loss, params))]


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "adam": lambda _: optimizers.Adam(0.05),
    "clipvalue": lambda _: optimizers.SGD(0.5, clipvalue=0.02),
    "clipnorm": lambda _: experimental.SGD(0.5, clipnorm=0.05),
    "norm over all": lambda _: optimizers.SGD(0.5, clipnorm=0.05),
    "average": lambda _: experimental.SGD(0.5, use_ema=True, ema_overwrite_frequency=2),
    "torch": lambda model: torch.optim.Adam(model.parameters(), 0.05),
    "get_updates": lambda _: Halving(clipvalue=0.02),
}
OURS = [name for name in OPTIMIZERS if name not in ("torch", "get_updates")]


# --- reduce


def averaged(theirs: Iterator[Gradients]) -> Callable[[Gradients], Gradients]:
    """Return a stand-in for a reduction over two devices: the mean of these gradients and those of the other."""

    def reduce(gradients: Gradients) -> Gradients:
        return [
            (group, [(a + b) / 2 for a, b in zip(mine, others)])
            for (group, mine), (_, others) in zip(gradients, next(theirs))
        ]

    return reduce


@pytest.mark.parametrize("flat_allowed", [True, False])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_two_halves_of_a_batch_give_the_step_of_the_whole(name: str, flat_allowed: bool) -> None:
    model, expected = images(), images()
    update = update_of(model, OPTIMIZERS[name](model), flat_allowed)
    whole = update_of(expected, OPTIMIZERS[name](expected), flat_allowed)
    update.reduce = averaged(copied(gradients_of(update, model, SECOND)) for _ in range(3))
    for _ in range(3):
        mine = copied(gradients_of(update, model, FIRST))
        update.apply(mine)
        whole(loss_of(expected, ALL))
    close(model, expected)
    before = images().get_weights()
    assert all(np.abs(got - was).max() > 1e-4 for got, was in zip(model.get_weights(), before))


def test_every_evaluation_of_a_closure_is_reduced() -> None:
    model, expected = words(), words()  # LBFGS takes no gradients of images that lie channels last
    update = update_of(model, torch.optim.LBFGS(model.parameters(), 0.1, max_iter=3))
    whole = update_of(expected, torch.optim.LBFGS(expected.parameters(), 0.1, max_iter=3))
    assert isinstance(update, ClosureUpdate)
    calls: list[int] = []

    def reduce(gradients: Gradients) -> Gradients:
        calls.append(1)
        return [(group, [2 * grad for grad in grads]) for group, grads in gradients]

    update.reduce = reduce
    update.step_by(lambda: loss_of(model, ALL) / 2)
    whole.step_by(lambda: loss_of(expected, ALL))
    assert len(calls) == 3
    np.testing.assert_allclose(model.get_weights()[-1], expected.get_weights()[-1], rtol=1e-4)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad"])
def test_rows_of_two_devices_are_joined(name: str) -> None:
    """Each device has looked up other rows: a reduction sees which, and gives one group with those of both."""
    model, expected = words(), words()
    update, whole = update_of(model, optimizers.get(name)), update_of(expected, optimizers.get(name))
    assert update.embeddings

    def split(gradients: Gradients) -> tuple[Gradients, list[Any]]:
        touched = [(group, grads[0]) for group, grads in gradients if isinstance(group, TouchedRows)]
        lookups = [(group.group, group.indices, values / 2) for group, values in touched]
        return [pair for pair in gradients if not isinstance(pair[0], TouchedRows)], lookups

    for _ in range(3):
        dense, lookups = split(copied(gradients_of(update, model, SECOND)))

        def reduce(gradients: Gradients, dense: Any = dense, lookups: Any = lookups) -> Gradients:
            own, own_lookups = split(gradients)
            return [*averaged(iter([dense]))(own), *join_lookups([*own_lookups, *lookups])]

        update.reduce = reduce
        update.apply(gradients_of(update, model, FIRST))
        whole.apply(gradients_of(whole, expected, ALL))
    close(model, expected)


# --- groups


@pytest.mark.parametrize("name", OURS)
def test_places_take_gradients_in_the_form_of_a_step(name: str) -> None:
    """As derivatives that are written out by hand fill them."""
    model, expected = images(), images()
    update, by_autograd = update_of(model, OPTIMIZERS[name](model)), update_of(expected, OPTIMIZERS[name](expected))
    places, gradients = update.dense.places()
    for _ in range(3):
        found = torch.autograd.grad(loss_of(model, ALL), update.params)
        for place, grad in zip(places, found):
            place.copy_(grad)
        update.apply(gradients)
        by_autograd(loss_of(expected, ALL))
    close(model, expected)
    assert update.optimizer.iterations == 3


def test_the_group_suits_the_optimizer() -> None:
    kinds = {name: type(update_of(m := images(), OPTIMIZERS[name](m)).dense) for name in OURS}
    assert kinds == {**dict.fromkeys(OURS, FlatGroup), "clipnorm": ListGroup}
    assert type(update_of(images(), optimizers.SGD(), False).dense) is ListGroup
    assert type(update_of(images(), optimizers.Adafactor()).dense) is ListGroup


@pytest.mark.parametrize("flat_allowed", [True, False])
@pytest.mark.parametrize("clip", [None, 0.01])
def test_what_a_loss_does_not_reach_stays(flat_allowed: bool, clip: float | None) -> None:
    model = images()
    update = update_of(model, optimizers.SGD(0.5, momentum=0.9, clipvalue=clip), flat_allowed)
    update(loss_of(model, ALL))
    before = model.get_weights()
    kernel = model.layers[-1].kernel
    gradients = update.gradients(K.sum(K.square(kernel)).current())
    assert [len(grads) for _, grads in gradients] == [1]
    update.apply(gradients)
    changed = [not np.allclose(a, b, rtol=1e-5) for a, b in zip(model.get_weights(), before)]
    assert changed == [False, False, True, False]
    assert update.optimizer.iterations == 2
    update(loss_of(model, ALL))  # the group that all are in still stands
    assert update.valid()
    update.apply([])
    assert update.optimizer.iterations == 4


@pytest.mark.parametrize("flat_allowed", [True, False])
@pytest.mark.parametrize("name", OURS)
def test_one_body_serves_a_graph(name: str, flat_allowed: bool) -> None:
    """There the numbers of a step are tensors, and who runs the graph counts."""
    model, expected = images(), images()
    update = update_of(model, OPTIMIZERS[name](model), flat_allowed)
    eager = update_of(expected, OPTIMIZERS[name](expected), flat_allowed)
    for step in range(3):
        scalars = {key: torch.tensor(value, dtype=torch.float64) for key, value in update.scalars().items()}
        loss = loss_of(model, ALL)
        with as_capture():
            assert update.captured(loss, scalars) == []
        assert update.optimizer.iterations == step
        update.after([], update.scalars())
        assert update.optimizer.iterations == step + 1
        eager(loss_of(expected, ALL))
    close(model, expected)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad"])
def test_rows_are_stepped_beside_a_graph(name: str) -> None:
    model, expected = words(), words()
    update, eager = update_of(model, optimizers.get(name)), update_of(expected, optimizers.get(name))
    for _ in range(3):
        numbers = update.scalars()
        with as_capture(), update.recording:
            scalars = {key: torch.tensor(value, dtype=torch.float64) for key, value in numbers.items()}
            outside = update.captured(loss_of(model, ALL), scalars)
        assert [tuple(t.shape) for t in outside] == [(WORDS.size,), (WORDS.size, 8)]
        update.after(outside, numbers)
        eager.apply(gradients_of(eager, expected))
    close(model, expected)
    assert update.optimizer.iterations == 3


def test_an_option_that_asks_for_other_formulas_outdates_an_update() -> None:
    model = images()
    update = update_of(model, optimizers.SGD(0.1))
    assert isinstance(update, KerasUpdate)
    frozen = update.frozen()
    update.optimizer.lr = 0.5
    assert not update.outdated
    update.optimizer.clipvalue = 0.5
    assert update.outdated
    assert not update.valid()
    assert update.frozen() != frozen
    update.optimizer.clipvalue = None
    assert update.frozen() == frozen


def test_an_update_without_weights_does_nothing() -> None:
    update = choose_update(optimizers.SGD(0.1), [])
    update(torch.zeros(()))
    update.apply(update.gradients(torch.zeros(())))
    assert update.optimizer.iterations == 0


def test_a_reduction_stays_where_a_step_chooses_a_new_update() -> None:
    model = images()
    model.compile("sgd", "mse")
    step = model.make_step("train")
    step.prepare()
    calls: list[int] = []

    def reduce(gradients: Gradients) -> Gradients:
        calls.append(1)
        return gradients

    step.update.reduce = reduce
    before = step.update
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()  # moved: what was bound to it is bound again
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert step.update is not before
    assert len(calls) == 2
