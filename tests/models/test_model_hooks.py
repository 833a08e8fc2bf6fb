"""torch's hooks on the model itself: called wherever the model runs, for every batch as it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.modules import module as torch_module

from torchkeras_compat import layers as L
from torchkeras_compat.models import Sequential

X = np.random.RandomState(0).rand(10, 3).astype("float32")
Y = np.eye(2, dtype="float32")[np.arange(10) % 2]

SHAPES: dict[str, Callable[[], Any]] = {
    "plain": lambda: [L.Dense(2, activation="softmax", input_dim=3)],
    "deep": lambda: [L.Dense(4, activation="relu", input_dim=3), L.Dropout(0.0), L.Dense(2), L.Activation("softmax")],
    "nested": lambda: [L.Dense(3, input_dim=3), Sequential([L.Dense(2, activation="softmax", input_dim=3)])],
}
CALLS: dict[str, tuple[Callable[[Any], Any], list[int]]] = {
    "fit": (lambda m: m.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False), [4, 4, 2] * 2),
    "evaluate": (lambda m: m.evaluate(X, Y, batch_size=4, verbose=0), [4, 4, 2]),
    "predict": (lambda m: m.predict(X, batch_size=4, verbose=0), [4, 4, 2]),
    "predict few": (lambda m: m.predict(X, verbose=0), [10]),
    "predict_on_batch": (lambda m: m.predict_on_batch(X), [10]),
    "train_on_batch": (lambda m: m.train_on_batch(X, Y), [10]),
    "test_on_batch": (lambda m: m.test_on_batch(X, Y), [10]),
    "model(x)": (lambda m: m(X), [10]),
}


def made(name: str = "plain") -> Any:
    model = Sequential(SHAPES[name]())
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("early", [True, False])
def test_forward_hooks_see_every_batch(name: str, call: str, early: bool) -> None:
    model = made(name)
    run, sizes = CALLS[call]
    if not early:
        run(model)  # steps are made without hooks, and made again
    seen: list[Any] = []
    handles = [
        model.register_forward_pre_hook(lambda m, args: seen.append(("pre", len(args[0])))),
        model.register_forward_hook(lambda m, args, out: seen.append(("post", len(args[0]), tuple(out.shape)))),
    ]
    run(model)
    assert seen == [item for n in sizes for item in (("pre", n), ("post", n, (n, 2)))]
    for handle in handles:
        handle.remove()
    seen.clear()
    run(model)
    assert seen == []
    run(model)
    assert model.make_step("train").heads[0].from_logits


@pytest.mark.parametrize("name", SHAPES)
def test_hooks_that_only_look_change_no_number(name: str) -> None:
    results = []
    for hooked in (False, True):
        model = made(name)
        weights = [np.random.RandomState(i).rand(*w.shape) for i, w in enumerate(model.get_weights())]
        model.set_weights(weights)
        if hooked:
            model.register_forward_hook(lambda m, args, out: None)
        history = model.fit(X, Y, batch_size=4, epochs=3, verbose=0, shuffle=False).history
        results.append([*history["loss"], *history["accuracy"], *model.evaluate(X, Y, verbose=0, batch_size=4)])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5)


def test_hooks_replace_input_and_output_everywhere() -> None:
    model = Sequential([L.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    model.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
    model.register_forward_hook(lambda m, args, out: out + 1)
    kernel, bias = model.get_weights()
    expected = 2 * X @ kernel + bias + 1
    target = np.ones((10, 1), "float32")
    mse = float(np.square(expected - target).mean())
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X, batch_size=3, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model(X).detach(), expected, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(X, target, verbose=0), mse, rtol=1e-5)
    np.testing.assert_allclose(model.test_on_batch(X, target), mse, rtol=1e-5)
    gradient = 2 * (2 * X).T @ (expected - target) / 10
    np.testing.assert_allclose(model.train_on_batch(X, target), mse, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[0], kernel - 0.01 * gradient, rtol=1e-4)


def test_variants_of_registering() -> None:
    model, order, phases = made(), [], []
    model.register_forward_hook(lambda m, args, out: order.append("first"))
    model.register_forward_hook(lambda m, args, out: order.append("before it"), prepend=True)
    model.register_forward_hook(
        lambda m, args, kwargs, out: phases.append(kwargs["training"]), with_kwargs=True, always_call=True
    )
    model.register_forward_pre_hook(lambda m, args, kwargs: (args, {**kwargs, "training": False}), with_kwargs=True)
    model.fit(X, Y, verbose=0, batch_size=10)
    assert order == ["before it", "first"]
    assert phases == [False]


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")  # torch's own, for inputs without a gradient
def test_backward_hooks() -> None:
    model, seen = made("deep"), []
    model.register_full_backward_hook(lambda m, into, out: seen.append(tuple(out[0].shape)))
    model.layers[2].register_full_backward_hook(lambda m, into, out: seen.append("inner"))
    model.fit(X, Y, batch_size=4, verbose=0, shuffle=False)
    assert seen == [(4, 2), "inner"] * 2 + [(2, 2), "inner"]
    model = made()
    seen.clear()
    model.layers[-1].register_full_backward_hook(lambda m, into, out: seen.append(1))
    model.fit(X, Y, batch_size=4, verbose=0)
    assert seen == [1, 1, 1]


@pytest.mark.parametrize("part", [lambda m: m.layers[1], lambda m: m.layers[1].layers[0], lambda m: m.layers[0]])
def test_on_nested_models_and_modules_inside(part: Callable[[Any], Any]) -> None:
    model, seen = made("nested"), []
    part(model).register_forward_hook(lambda m, args, out: seen.append(len(args[0])))
    model.fit(X, Y, batch_size=4, verbose=0)
    model.evaluate(X, Y, batch_size=4, verbose=0)
    model.predict(X, batch_size=4, verbose=0)
    assert seen == [4, 4, 2] * 3


def test_on_a_stateful_model() -> None:
    model = Sequential([L.LSTM(2, stateful=True, batch_input_shape=(2, 3, 1))])
    model.compile("sgd", "mse")
    seen: list[int] = []
    x = np.random.rand(6, 3, 1)
    expected = model.predict(x, batch_size=2, verbose=0)
    model.reset_states()
    model.register_forward_hook(lambda m, args, out: seen.append(len(args[0])))
    np.testing.assert_allclose(model.predict(x, batch_size=2, verbose=0), expected, rtol=1e-5)
    assert seen == [2, 2, 2]


@pytest.fixture
def counted() -> Iterator[list[str]]:
    seen: list[str] = []
    handle = torch_module.register_module_forward_hook(lambda m, args, out: seen.append(type(m).__name__))
    yield seen
    handle.remove()


def test_global_hooks(counted: list[str]) -> None:
    model = made()
    counted.clear()
    model.fit(X, Y, batch_size=5, verbose=0)
    assert [name for name in counted if name != "Linear"] == ["Dense", "Sequential"] * 2
    counted.clear()
    model.predict_on_batch(X)
    assert [name for name in counted if name != "Linear"] == ["Dense", "Sequential"]


def test_no_hooks_no_detour() -> None:
    model = made()
    model.fit(X, Y, verbose=0)
    assert model.make_step("train").chain is not None
    assert model._samples_at_once(True) > 0
    step = model.make_step("train")
    assert model.make_step("train") is step
    model.register_forward_hook(lambda *_: None)
    assert model._samples_at_once(True) == 0
    assert model.make_step("train") is not step
    model.fit(X, Y, verbose=0)
    assert model.make_step("train").chain is None


def test_the_optimizer_goes_on_when_a_hook_comes() -> None:
    model = made()
    model.compile("adam", "categorical_crossentropy")
    model.fit(X, Y, verbose=0, epochs=3, batch_size=10)
    handle = model.register_forward_hook(lambda *_: None)
    model.fit(X, Y, verbose=0, batch_size=10)
    handle.remove()
    model.fit(X, Y, verbose=0, batch_size=10)
    assert int(model.optimizer.iterations) == 5
    assert torch.isfinite(next(model.parameters())).all()
