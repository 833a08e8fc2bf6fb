"""What torch users do with a model: print it, index it, hand it to torch.optim, put torch modules first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.models import Sequential

X = torch.rand(12, 3)
Y = torch.rand(12, 1)


def made() -> Any:
    return Sequential(
        [L.Dense(4, activation="tanh", input_dim=3), Sequential([L.Dense(2, input_dim=4)]), nn.GELU(), L.Dense(1)]
    )


def test_print_shows_the_tree(capsys: pytest.CaptureFixture[str]) -> None:
    model = made()
    print(model)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Sequential("
    assert lines[1] == f"  name={model.name!r}"
    for line in (
        "  (0): Dense(",
        "    name='dense_1', kernel=(3, 4), bias=(4,)",
        "    (linear): Linear(in_features=3, out_features=4, bias=True)",
        "  (1): Sequential(",
        "    (0): Dense(",
        "      name='dense_2', kernel=(4, 2), bias=(2,)",
        "    (module): GELU(approximate='none')",
        "  (3): Dense(",
    ):
        assert line in lines
    assert str(model) == repr(model)
    print(Sequential([L.Dense(1)], name="lazy"))
    assert capsys.readouterr().out.splitlines() == ["Sequential(", "  name='lazy'", "  (0): Dense(name='dense_4')", ")"]
    with pytest.raises(ValueError, match=r"^Sequential 'lazy'\.get_layer\(name='x'\): no layer"):
        Sequential([L.Dense(1)], name="lazy").get_layer("x")  # messages stay short


def test_indices_slices_and_iteration() -> None:
    model = made()
    assert model[0] is model.layers[0]
    assert model[-1] is model.layers[-1]
    assert model[np.int64(1)] is model.layers[1]
    assert list(model) == model.layers
    assert len(model) == 4
    assert model.layers[2] in model
    head, tail = model[:2], model[2:]
    assert isinstance(head, Sequential)
    assert (head.output_shape, tail.input_shape, tail.output_shape) == ((None, 2), (None, 2), (None, 1))
    torch.testing.assert_close(tail(head(X)), model(X))
    assert head[0] is model[0]  # the weights are shared
    before = model.predict(X, verbose=0)
    inner = keras.backend.function([model.input], [model.layers[0].output])([X])[0]
    np.testing.assert_allclose(inner, head[:1](X).detach(), rtol=1e-6)
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    assert len(model[1:1]) == 0
    with pytest.raises(IndexError, match=r"Sequential '.*'\[4\]: the model has 4 layers\."):
        model[4]
    with pytest.raises(
        TypeError, match=r"\['dense_1'\]: an integer or a slice is expected; write get_layer\('dense_1'\)"
    ):
        model["dense_1"]
    lazy = Sequential([L.Dense(2), L.Dense(1)])
    assert not lazy[:1].built

    class Mine(Sequential):
        def __init__(self, units: int) -> None:
            super().__init__([L.Dense(units, input_dim=3), L.Dense(1)])

    assert Mine(5)[:1].output_shape == (None, 5)


def test_a_model_that_is_not_built_says_so() -> None:
    lazy = Sequential([L.Dense(1)], name="lazy")
    text = r"^Sequential 'lazy'\.parameters\(\): the model is not built.* model\.build\(\(None, …\)\), first\.$"
    for use in (lambda: torch.optim.SGD(lazy.parameters(), 0.1), lambda: list(lazy.parameters())):
        with pytest.raises(RuntimeError, match=text):
            use()
    partly = Sequential([nn.Linear(3, 4), L.Dense(1)])
    with pytest.raises(RuntimeError, match="the model is not built"):
        partly.parameters()
    with pytest.raises(RuntimeError, match="the model is not built"):
        Sequential([L.Activation("relu"), Sequential([L.Dense(1)])]).parameters()
    whole = Sequential([nn.Linear(3, 4), L.Activation("relu"), L.Dropout(0.5)])
    assert len(list(whole.parameters())) == 2
    source = Sequential([L.Dense(1, input_dim=3)])
    with pytest.raises(RuntimeError, match=r"^Sequential 'lazy'\.load_state_dict\(…\): the model is not built"):
        lazy.load_state_dict(source.state_dict())
    lazy.build((None, 3))
    lazy.load_state_dict(source.state_dict())
    torch.testing.assert_close(lazy(X), source(X))
    torch.optim.SGD(lazy.parameters(), 0.1)
    fresh = Sequential([L.Dense(1)])
    fresh.compile("sgd", "mse")
    fresh.fit(X, Y, verbose=0)
    assert len(list(fresh.parameters())) == 2
    assert fresh.predict(X, verbose=0).shape == (12, 1)


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
@pytest.mark.parametrize("batch_size", [12, 5])
def test_an_optimizer_that_asks_for_a_closure(line_search: str | None, batch_size: int) -> None:
    model = made()
    twin = made()
    twin.load_state_dict(model.state_dict())
    options: dict[str, Any] = {"lr": 0.1, "max_iter": 5, "line_search_fn": line_search}
    model.compile(torch.optim.LBFGS(model.parameters(), **options), "mse", metrics=["mae"])
    history = model.fit(X, Y, batch_size=batch_size, epochs=3, shuffle=False, verbose=0).history

    optimizer, expected = torch.optim.LBFGS(twin.parameters(), **options), []
    for _ in range(3):
        total = 0.0
        for x, y in zip(X.split(batch_size), Y.split(batch_size)):

            def closure(x: torch.Tensor = x, y: torch.Tensor = y) -> torch.Tensor:
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(twin(x, training=True), y)
                loss.backward()
                return loss

            total += optimizer.step(closure).item() * len(x)
        expected.append(total / len(X))
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-4)
    for ours, theirs in zip(model.parameters(), twin.parameters()):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)
    assert set(history) == {"loss", "mae"}


def test_a_closure_with_dropout_penalties_constraints_and_single_batches() -> None:
    class Twice(torch.optim.SGD):
        def step(self, closure: Any) -> Any:  # type: ignore[override]
            closure()
            loss = closure()
            super().step()
            return loss

    model = Sequential([L.Dense(4, input_dim=3, kernel_regularizer="l2", kernel_constraint="non_neg"), L.Dropout(0.5)])
    model.add(L.Dense(1))
    model.compile(Twice(model.parameters(), lr=0.1), "mse")
    model.train_on_batch(X, Y)
    model.fit(X, Y, verbose=0, validation_data=(X, Y))
    assert model.get_weights()[0].min() >= 0
    model.compile(Twice(model.parameters(), lr=0.1), "mse", jit_compile=True)
    with pytest.warns(UserWarning, match="a step of Twice evaluates the loss as often as it needs"):
        model.fit(X, Y, verbose=0)


class Holder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(10, 4)
        self.linear = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.table(x).mean(1))  # type: ignore[no-any-return]


FIRST = {
    "embedding": lambda: [nn.Embedding(10, 4), nn.Flatten(), L.Dense(1)],
    "bag": lambda: [nn.EmbeddingBag(10, 4), L.Dense(1)],
    "holder": lambda: [Holder(), L.Dense(1)],
    "torch sequential": lambda: [nn.Sequential(nn.Embedding(10, 4), nn.Flatten()), L.Dense(1)],
    "nested": lambda: [Sequential([nn.Embedding(10, 4), nn.Flatten()]), L.Dense(1)],
    "wrapped": lambda: [L.Input((3,)), L.TorchModuleWrapper(nn.Embedding(10, 4)), L.Flatten(), L.Dense(1)],
}


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("kind", [list, "int64", "int32", "uint8", "float32", torch.tensor])
def test_an_embedding_of_torch_first(name: str, kind: Any) -> None:
    rows = [[1, 2, 3], [4, 5, 9], [0, 0, 7]]
    x = rows if kind is list else torch.tensor(rows) if kind is torch.tensor else np.array(rows, kind)
    model = Sequential(FIRST[name]())
    model.compile("sgd", "mse")
    model.fit(x, np.ones((3, 1)), batch_size=2, epochs=2, verbose=0)
    predicted = model.predict(x, verbose=0)
    assert predicted.shape == (3, 1)
    np.testing.assert_allclose(model(x).detach(), predicted, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(np.array(rows)), predicted, rtol=1e-5)
    assert model.evaluate(x, np.ones((3, 1)), verbose=0) >= 0
