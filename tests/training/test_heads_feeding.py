"""Trees of arrays however they are spelt: the same training; what does not fit is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

RNG = np.random.RandomState(3)
ROWS, BATCH = 20, 8
A, B = RNG.randn(ROWS, 5).astype("float32"), RNG.randn(ROWS, 3).astype("float32")
PRICE, KIND = RNG.randn(ROWS, 1).astype("float32"), np.eye(3, dtype="float32")[RNG.randint(0, 3, ROWS)]
W, V = RNG.rand(ROWS).astype("float32"), RNG.rand(ROWS).astype("float32")


def model(**told: Any) -> Any:
    """Build the inputs a and b, the outputs price and kind, and always the same weights."""
    keras.backend.clear_session()
    a, b = keras.Input((5,), name="a"), keras.Input((3,), name="b")
    h = layers.Dense(4, activation="tanh")(layers.concatenate([a, b]))
    outputs = [layers.Dense(1, name="price")(h), layers.Dense(3, activation="softmax", name="kind")(h)]
    built = keras.Model([a, b], outputs)
    rng = np.random.RandomState(5)
    built.set_weights([rng.randn(*w.shape).astype("float32") * 0.3 for w in built.get_weights()])
    loss = {"price": "mse", "kind": "categorical_crossentropy"}
    built.compile(**{"optimizer": "sgd", "loss": loss, "metrics": {"kind": ["accuracy"]}, **told})
    return built


def cut(tree: Any, batch: int) -> Any:
    """Cut a batch out of every array of a tree."""
    if isinstance(tree, dict):
        return {key: cut(branch, batch) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(cut(branch, batch) for branch in tree)
    return tree[batch * BATCH : (batch + 1) * BATCH]


def endless(*trees: Any) -> Iterator[Any]:
    while True:
        for batch in range(3):
            yield tuple(cut(tree, batch) for tree in trees)


class Batches(keras.utils.Sequence):
    def __init__(self, *trees: Any) -> None:
        self.trees = trees

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        return tuple(cut(tree, index) for tree in self.trees)


X, Y, SW = [A, B], [PRICE, KIND], [W, V]
NAMED_X, NAMED_Y, NAMED_SW = {"b": B, "a": A}, {"kind": KIND, "price": PRICE}, {"kind": V, "price": W}
SPELLINGS: dict[str, Callable[[Any], Any]] = {
    "tuples": lambda m: m.fit((A, B), (PRICE, KIND), sample_weight=(W, V), batch_size=BATCH),
    "dictionaries": lambda m: m.fit(NAMED_X, NAMED_Y, sample_weight=NAMED_SW, batch_size=BATCH),
    "a list and dictionaries": lambda m: m.fit(X, NAMED_Y, sample_weight=SW, batch_size=BATCH),
    "a dictionary and lists": lambda m: m.fit(NAMED_X, Y, sample_weight=NAMED_SW, batch_size=BATCH),
    "tensors": lambda m: m.fit(
        [torch.tensor(A), torch.tensor(B)],
        [torch.tensor(PRICE), torch.tensor(KIND)],
        sample_weight=[torch.tensor(W), torch.tensor(V)],
        batch_size=BATCH,
    ),
    "a generator": lambda m: m.fit(endless(X, Y, SW), steps_per_epoch=3),
    "a generator of tuples": lambda m: m.fit(endless(tuple(X), tuple(Y), tuple(SW)), steps_per_epoch=3),
    "a generator of dictionaries": lambda m: m.fit(endless(NAMED_X, NAMED_Y, NAMED_SW), steps_per_epoch=3),
    "a Sequence": lambda m: m.fit(Batches(X, NAMED_Y, NAMED_SW)),
    "fit_generator": lambda m: m.fit_generator(endless(X, NAMED_Y, SW), steps_per_epoch=3),
}
QUIET = {"verbose": 0, "shuffle": False, "epochs": 2}


def trained(spelling: Callable[[Any], Any]) -> tuple[list[np.ndarray], dict[str, list[float]]]:
    built = model()
    fit = built.fit
    built.fit = lambda *args, **kwargs: fit(*args, **{**QUIET, **kwargs})
    history = spelling(built)
    return built.get_weights(), history.history


@pytest.fixture(scope="module")
def reference() -> tuple[list[np.ndarray], dict[str, list[float]]]:
    return trained(lambda m: m.fit(X, Y, sample_weight=SW, batch_size=BATCH))


@pytest.mark.filterwarnings("ignore:.*fit_generator")
@pytest.mark.parametrize("spelling", [s for s in SPELLINGS if s != "fit_generator"])
def test_every_spelling_trains_alike(spelling: str, reference: Any) -> None:
    weights, history = trained(SPELLINGS[spelling])
    assert list(history) == list(reference[1])
    for key, values in reference[1].items():
        np.testing.assert_allclose(history[key], values, rtol=1e-5, err_msg=key)
    for weight, wanted in zip(weights, reference[0]):
        np.testing.assert_allclose(weight, wanted, rtol=1e-5, atol=1e-6)


def test_weights_by_output_do_not_change_places(reference: Any) -> None:
    exchanged, _ = trained(lambda m: m.fit(X, Y, sample_weight=[V, W], batch_size=BATCH))
    assert any(np.abs(one - other).max() > 1e-4 for one, other in zip(exchanged, reference[0]))


@pytest.mark.parametrize("validation", [(X, Y), (NAMED_X, NAMED_Y), (X, NAMED_Y, SW), ((A, B), Y, NAMED_SW)])
def test_validation_data_is_what_evaluate_says(validation: Any) -> None:
    built = model()
    history = built.fit(X, Y, validation_data=validation, batch_size=BATCH, **{**QUIET, "epochs": 1}).history
    weights = validation[2] if len(validation) > 2 else None
    told = built.evaluate(X, Y, sample_weight=weights, batch_size=BATCH, verbose=0, return_dict=True)
    for name, value in told.items():
        np.testing.assert_allclose(history[f"val_{name}"], value, rtol=1e-5, err_msg=name)


def test_a_split_holds_out_the_last_rows_of_every_array() -> None:
    built, other = model(), model()
    arguments = {"batch_size": BATCH, **QUIET}
    split = built.fit(NAMED_X, Y, sample_weight=SW, validation_split=0.25, **arguments).history
    first, last = slice(0, 15), slice(15, None)
    held_out = ([A[last], B[last]], [PRICE[last], KIND[last]], [W[last], V[last]])
    told = other.fit([A[first], B[first]], [PRICE[first], KIND[first]], sample_weight=[W[first], V[first]],
                     validation_data=held_out, **arguments).history  # fmt: skip
    assert list(split) == list(told)
    for name, values in told.items():
        np.testing.assert_allclose(split[name], values, rtol=1e-5, err_msg=name)


def test_a_shuffle_keeps_the_arrays_together() -> None:
    """Targets that are functions of both inputs are learnt only if rows stay rows."""
    keras.backend.clear_session()
    a, b = keras.Input((5,)), keras.Input((3,))
    built = keras.Model([a, b], layers.Dense(1)(layers.concatenate([a, b])))
    built.compile(keras.optimizers.SGD(0.05), "mse")
    y = A.sum(1, keepdims=True) - B.sum(1, keepdims=True)
    history = built.fit([A, B], y, batch_size=4, epochs=150, shuffle=True, verbose=0).history["loss"]
    assert history[-1] < 1e-3 * history[0]


def test_evaluate_and_predict_of_a_generator() -> None:
    built = model()
    told = built.evaluate(NAMED_X, NAMED_Y, batch_size=BATCH, verbose=0)
    np.testing.assert_allclose(built.evaluate(endless(X, Y), steps=3, verbose=0), told, rtol=1e-5)
    np.testing.assert_allclose(built.evaluate(Batches(NAMED_X, NAMED_Y), verbose=0), told, rtol=1e-5)
    price, kind = built.predict([A, B], verbose=0)
    for one, other in zip(built.predict(endless((A, B)), steps=3, verbose=0), (price, kind)):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    for one, other in zip(built.predict({"a": A, "b": B}, batch_size=3, verbose=0), (price, kind)):
        np.testing.assert_allclose(one, other, rtol=1e-5)


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "an input too many": (lambda m: m.fit([A, B, A], Y, **QUIET), r"2|a.*b"),
    "one input for two": (lambda m: m.fit(A, Y, **QUIET), r"2|a.*b"),
    "an unknown input": (lambda m: m.fit({"a": A, "c": B}, Y, **QUIET), "'?[bc]'?"),
    "an unknown target": (lambda m: m.fit(X, {"price": PRICE, "sort": KIND}, **QUIET), "sort|kind"),
    "a target too few": (lambda m: m.fit(X, [PRICE], **QUIET), "2|kind"),
    "a target too many": (lambda m: m.fit(X, [PRICE, KIND, KIND], **QUIET), "3|2"),
    "inputs of other lengths": (lambda m: m.fit([A, B[:7]], Y, **QUIET), "7"),
    "targets of other lengths": (lambda m: m.fit(X, [PRICE, KIND[:7]], **QUIET), "7"),
    "weights of other lengths": (lambda m: m.fit(X, Y, sample_weight=[W, V[:7]], **QUIET), "7"),
    "weights for an unknown output": (lambda m: m.fit(X, Y, sample_weight={"sort": W}, **QUIET), "sort"),
    "inputs in the wrong order": (lambda m: m.predict([B, A], verbose=0), "5|3"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_and_changes_nothing(case: str) -> None:
    attempt, words = REFUSED[case]
    built = model()
    before = built.get_weights()
    with pytest.raises((ValueError, TypeError), match=words):
        attempt(built)
    assert all(np.array_equal(one, other) for one, other in zip(before, built.get_weights()))


UNKNOWN = {
    "loss": {"price": "mse", "sort": "mse"},
    "metrics": {"sort": ["mae"]},
    "loss_weights": {"sort": 2.0},
    "weighted_metrics": {"sort": ["mae"]},
}


@pytest.mark.parametrize("argument", UNKNOWN)
def test_an_unknown_output_is_named(argument: str) -> None:
    with pytest.raises(ValueError, match="sort"):
        model(**{argument: UNKNOWN[argument]}).fit(X, Y, **QUIET)


LENGTHS = {"loss": ["mse"] * 3, "loss_weights": [1.0, 2.0, 3.0], "metrics": [["mae"]] * 3}


@pytest.mark.parametrize("argument", LENGTHS)
def test_a_list_of_another_length_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match=r"3|2"):
        model(**{argument: LENGTHS[argument]}).fit(X, Y, **QUIET)


@pytest.mark.parametrize("call", ["fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"])
@pytest.mark.parametrize("kind", ["Sequential", "Model"])
def test_two_arrays_for_one_input_are_refused(kind: str, call: str) -> None:
    x = keras.Input((5,), name="only")
    dense = layers.Dense(1)
    built = keras.Model(x, dense(x)) if kind == "Model" else keras.Sequential([x, dense])
    built.compile("sgd", "mse")
    arguments = ([A, A],) if call.startswith("predict") else ([A, A], PRICE)
    silent = {} if call.endswith("_on_batch") else {"verbose": 0}
    with pytest.raises((ValueError, TypeError), match=r"2|two"):
        getattr(built, call)(*arguments, **silent)


def test_a_list_of_one_loss_by_output() -> None:
    # Keras 2.15.0: {'loss': 2.99618, 'a_loss': 2.33477, 'b_loss': .66141} either way.
    x = np.random.RandomState(0).randn(8, 3).astype("float32")
    results = []
    for loss in ({"a": "mse", "b": "mae"}, {"a": ["mse"], "b": ["mae"]}):
        inputs = layers.Input((3,))
        ends = [layers.Dense(1, kernel_initializer="ones", name=name)(inputs) for name in "ab"]
        model = keras.Model(inputs, ends)
        model.compile("sgd", loss)
        results.append(model.evaluate(x, [x[:, :1], x[:, 1:2]], verbose=0))
    assert results[0] == results[1]
    one = keras.Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer="ones", name="out")])
    one.compile("sgd", {"out": ["mse"]})
    assert one.evaluate(x, x[:, :1], verbose=0) == pytest.approx(results[0][1], rel=1e-6)
