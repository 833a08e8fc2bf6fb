"""Training with a scaled loss: steps that are skipped without a look at the device, eager and in a graph."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L
from torchkeras_compat import mixed_precision as mp

RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, 6)).astype("float32")
Y = RNG.integers(0, 3, 40)
# Ways of running a step, as arguments of compile, and the fixtures that let the CPU run what CUDA does.
WAYS: dict[str, dict[str, Any]] = {"eager": {}, "captured": {"jit_compile": True}, "replayed": {"jit_compile": True}}
FIXTURES = {"captured": "uncompiled", "replayed": "replayed"}
MNIST = Path(__file__).resolve().parents[2] / "examples" / "data" / "mnist.npz"


def trained(optimizer: Any, way: str, bad: tuple[int, ...] = (), **dense: Any) -> tuple[Any, list[Any]]:
    """Return a model after ten steps, of which some had a row of infinities, and its weights after each."""
    mp.set_global_policy("mixed_float16")
    model = keras.Sequential([L.Dense(8, activation="tanh", input_shape=(6,), **dense), L.Dense(3, dtype="float32")])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, **WAYS[way])
    model.set_weights([RNG_WEIGHTS.normal(size=w.shape) * 0.5 for w in model.get_weights()])
    after = [model.get_weights()]
    for step in range(10):
        x = X.copy()
        if step in bad:
            x[3] = np.inf
        model.train_on_batch(x, Y)
        after.append(model.get_weights())
    return model, after


@pytest.fixture(autouse=True)
def same_weights() -> None:
    global RNG_WEIGHTS
    RNG_WEIGHTS = np.random.default_rng(11)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Run the test in each way of running a step."""
    name: str = request.param
    if name in FIXTURES:
        request.getfixturevalue(FIXTURES[name])
    return name


RNG_WEIGHTS = np.random.default_rng(11)


def equal(one: list[Any], other: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other))


def test_a_step_with_infinities_changes_nothing(way: str, device: torch.device) -> None:
    inner = keras.optimizers.Adam(0.01)
    model, after = trained(mp.LossScaleOptimizer(inner, initial_scale=64, dynamic_growth_steps=3), way, (0, 4, 5))
    assert [equal(a, b) for a, b in itertools.pairwise(after)] == [step in (0, 4, 5) for step in range(10)]
    assert model.optimizer.loss_scale.device.type == device.type
    assert (float(model.optimizer.loss_scale), int(model.optimizer.dynamic_counter)) == (64 / 8 * 2 * 2, 1)
    assert model.optimizer.iterations == 10
    assert all(np.isfinite(w).all() for w in [*after[-1], *inner.get_weights()])


@pytest.mark.parametrize("name", ["sgd", "momentum", "rmsprop", "ema", "clipped", "nadam", "adafactor"])
def test_skipped_steps_leave_no_trace_but_the_count(name: str, way: str) -> None:
    """Where no formula depends on the number of the step, those that count are as if the others had not been."""
    keras.set_dialect("keras-2.15")
    O = keras.optimizers  # noqa: E741
    make = {
        "sgd": lambda: O.SGD(0.1),
        "momentum": lambda: O.SGD(0.1, momentum=0.9, nesterov=True),
        "rmsprop": lambda: O.RMSprop(0.01, centered=True),
        "ema": lambda: O.SGD(0.1, use_ema=True, ema_momentum=0.5),
        "clipped": lambda: O.SGD(0.5, clipnorm=0.1, weight_decay=0.01),
        "nadam": lambda: O.Nadam(0.01),
        "adafactor": lambda: O.Adafactor(0.01),
    }[name]
    _, after = trained(mp.LossScaleOptimizer(make(), initial_scale=16), way, (2, 3, 4))
    assert [equal(a, b) for a, b in itertools.pairwise(after)] == [step in (2, 3, 4) for step in range(10)]
    if name in ("nadam", "adafactor"):  # which depend on it, as in Keras
        return
    global RNG_WEIGHTS
    RNG_WEIGHTS = np.random.default_rng(11)
    _, without = trained(mp.LossScaleOptimizer(make(), initial_scale=2), way)
    for one, other in zip(after[-1], without[7]):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)  # scales differ, and so roundings of float16


def test_constraints_wait_for_a_step_too(way: str) -> None:
    optimizer = mp.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8)
    limit = keras.constraints.MaxNorm(0.2)
    _, after = trained(optimizer, way, (0, 1), kernel_constraint=limit)
    assert equal(after[0], after[1])
    assert equal(after[1], after[2])
    assert np.linalg.norm(after[2][0], axis=0).max() > 0.2
    assert np.linalg.norm(after[3][0], axis=0).max() <= 0.2001


def test_a_graph_computes_what_the_eager_step_does(way: str) -> None:
    curves = []
    for each in ("eager", way):
        global RNG_WEIGHTS
        RNG_WEIGHTS = np.random.default_rng(11)
        optimizer = mp.LossScaleOptimizer(keras.optimizers.Adam(0.01), initial_scale=64, dynamic_growth_steps=2)
        model, after = trained(optimizer, each, (1, 6))
        curves.append(after)
    step = model.make_step("train")
    assert (step.compiled is None) == (way == "eager")
    assert step.compiled is None or any(step.compiled._graphs.values()), "no graph was made"
    for one, other in zip(*curves):
        for a, b in zip(one, other):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


class _Reads(TorchDispatchMode):
    """Counts how often a number is read from a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.is_nonzero.default)
        return func(*args, **(kwargs or {}))


def test_a_step_reads_nothing_from_the_device() -> None:
    model, _ = trained("adam", "eager")
    step = model.make_step("train")
    seen: list[int] = []
    body = step.body  # forward, loss, gradients and update; the averages read the CPU behind it

    def counted(*arguments: Any) -> Any:
        with _Reads() as reads:
            result = body(*arguments)
        seen.append(reads.count)
        return result

    step.body = counted
    model.fit(X, Y, batch_size=8, verbose=0)
    assert seen == [0] * 5
    with _Reads() as reads:
        float(model.optimizer._scale.value)
    assert reads.count == 1, "a read is not noticed"


def test_compile_scales_the_loss(way: str) -> None:
    """Gradients below float16's smallest number, 6e-8, arrive all the same."""
    mp.set_global_policy("mixed_float16")
    model = keras.Sequential([L.Dense(1, use_bias=False, kernel_initializer="zeros", input_shape=(1,))])

    def tiny(y: Any, p: Any) -> Any:
        return K.mean(p * 1e-9, -1)

    model.compile(keras.optimizers.SGD(1.0), tiny, **WAYS[way])
    model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    assert isinstance(model.optimizer, mp.LossScaleOptimizer)
    assert model.get_weights()[0].item() == pytest.approx(-1e-9, rel=1e-2)


def test_a_scale_that_float32_does_not_need_changes_no_number() -> None:
    def weights(optimizer: Any) -> list[Any]:
        model = keras.Sequential([L.Embedding(40000, 4, input_length=6), L.Flatten(), L.Dense(1)])
        model.build((None, 6))
        model.set_weights([np.random.default_rng(1).normal(size=w.shape) * 0.1 for w in model.get_weights()])
        model.compile(optimizer, "mse")
        model.fit(np.abs(X * 100).astype(int), Y, epochs=3, batch_size=10, shuffle=False, verbose=0)
        return model.get_weights()  # type: ignore[no-any-return]

    for make in (lambda: keras.optimizers.Adam(0.01), lambda: keras.optimizers.SGD(0.1)):
        for one, other in zip(weights(make()), weights(mp.LossScaleOptimizer(make()))):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_gradients_written_out_are_for_float32_alone() -> None:
    def chain(policy: str, optimizer: Any) -> Any:
        mp.set_global_policy(policy)
        model = keras.Sequential([L.Dense(4, activation="relu", input_shape=(6,)), L.Dense(1)])
        model.compile(optimizer, "mse")
        model.train_on_batch(X, Y)
        return model.make_step("train").chain

    assert chain("float32", "adam") is not None
    assert chain("mixed_bfloat16", "adam") is None
    assert chain("float32", mp.LossScaleOptimizer(keras.optimizers.Adam())) is None


def test_the_learning_rate_of_the_optimizer_inside() -> None:
    """Callbacks and `K.set_value` meet the optimizer that makes the steps."""
    model, _ = trained(keras.optimizers.SGD(0.1, momentum=0.5), "eager")
    outer, inner = model.optimizer, model.optimizer.inner_optimizer
    K.set_value(outer.lr, 0.25)
    outer.momentum = 0.75
    assert (inner.learning_rate, inner.momentum, outer.momentum) == (0.25, 0.75, 0.75)
    outer.clipnorm = 1.0
    assert inner.clipping.limits
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[halve])
    assert inner.learning_rate == 0.0625
    outer.iterations = 3
    assert inner.iterations == 3


def test_a_step_by_hand() -> None:
    class Own(keras.Sequential):  # type: ignore[misc]
        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            loss = self.compiled_loss(y, self(x, training=True))
            scaled = self.optimizer.get_scaled_loss(loss)
            grads = torch.autograd.grad(scaled, list(self.parameters()))
            grads = self.optimizer.get_unscaled_gradients(grads)
            self.optimizer.apply_gradients(zip(grads, self.parameters()))
            return {"loss": loss}

    mp.set_global_policy("mixed_float16")
    model = Own([L.Dense(2, input_shape=(6,))])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    target = X[:, :2]
    losses = model.fit(X, target, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    assert model.optimizer.iterations == 40


def test_minimize_scales_by_itself() -> None:
    v = K.variable([1.0, 2.0])
    scaled: list[float] = []
    optimizer = mp.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8)

    class Noted(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(context: Any, *grads: Any) -> Any:
            scaled.append(float(grads[0]))
            return grads[0]

    def loss() -> Any:
        return Noted.apply(K.sum(v * v))

    assert optimizer.minimize(loss, [v]) == 1
    np.testing.assert_allclose(v.numpy(), [0.8, 1.6], rtol=1e-6)
    (grad, _), *_ = optimizer.compute_gradients(loss, [v])
    np.testing.assert_allclose(grad.numpy(), [1.6, 3.2], rtol=1e-6)
    assert scaled == [8.0, 8.0]


def test_copies_and_state() -> None:
    model, _ = trained("adam", "eager", (2,))
    other = copy.deepcopy(model)
    assert float(other.optimizer.loss_scale) == 2**14
    assert other.optimizer._scale is not model.optimizer._scale
    state = model.optimizer.state_dict()
    fresh = mp.LossScaleOptimizer(keras.optimizers.Adam())
    fresh.bind(model.named_parameters())
    fresh.load_state_dict(state)
    assert (float(fresh.loss_scale), int(fresh.dynamic_counter), fresh.iterations) == (2**14, 7, 10)
    model.train_on_batch(X, Y)
    other.train_on_batch(X, Y)
    assert equal(model.get_weights(), other.get_weights())


def test_optimizers_whose_loss_is_not_scaled_are_named() -> None:
    mp.set_global_policy("mixed_float16")
    model = keras.Sequential([L.Dense(2, input_shape=(6,))])
    with pytest.warns(UserWarning, match="with SGD small gradients become 0"):
        model.compile(torch.optim.SGD(model.parameters(), 0.1), "mse")
    assert type(model.optimizer) is torch.optim.SGD


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_families_of_layers_train(policy: str, way: str, device: torch.device) -> None:
    mp.set_global_policy(policy)
    images = RNG.normal(size=(16, 8, 8, 2)).astype("float32")
    x = keras.Input((8, 8, 2))
    h = L.MaxPooling2D()(L.BatchNormalization()(L.Conv2D(4, 3, padding="same", activation="relu")(x)))
    h = L.add([h, L.Conv2D(4, 1)(h)])
    h = L.Dropout(0.1)(L.Bidirectional(L.LSTM(3, return_sequences=True))(L.Reshape((4, 16))(h)))
    model = keras.Model(x, L.Dense(3, activation="softmax", dtype="float32")(L.GRU(4)(h)))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"], **WAYS[way])
    losses = model.fit(images, Y[:16], epochs=12, verbose=0).history["loss"]
    assert losses[-1] < losses[0] - 0.1
    assert {(w.dtype, w.device.type) for w in model.weights} == {(torch.float32, device.type)}


@pytest.mark.slow
def test_digits_are_read_as_well_as_in_float32() -> None:
    """Within .5 points over three nets each: one net of 1,000 test digits is off by half a point by its seed alone."""
    with np.load(MNIST) as data:
        x, y, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    x, x_test = x[..., None] / 255, x_test[..., None] / 255
    scores: dict[str, list[float]] = {"float32": [], "mixed_bfloat16": []}
    for policy, reached in scores.items():
        for seed in range(3):
            np.random.seed(seed)
            mp.set_global_policy(policy)
            body = [L.Conv2D(16, 3, activation="relu", input_shape=(28, 28, 1)), L.MaxPooling2D(3), L.Flatten()]
            model = keras.Sequential([*body, L.Dense(64, activation="relu"), L.Dense(10, "softmax", dtype="float32")])
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            model.fit(x, y, epochs=8, batch_size=64, verbose=0)
            reached.append(model.evaluate(x_test, y_test, verbose=0)[1])
    means = {policy: float(np.mean(reached)) for policy, reached in scores.items()}
    assert means["float32"] > 0.92
    assert means["mixed_bfloat16"] > means["float32"] - 0.005, scores
