"""What a batch has shown of its kind makes the next ones ready; numbers and errors are those of the first."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers
from torchkeras_compat.training.data.recurring import RecurringBatch
from torchkeras_compat.training.data.streams import StreamData

R = np.random.RandomState(0)
X, Y, W = R.rand(48, 4).astype("float32"), R.randint(0, 3, 48), R.rand(48).astype("float32")
SIZE = 8


def classifier(**options: Any) -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential([layers.Dense(3, "softmax", input_shape=(4,))])
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def two_inputs() -> Any:
    keras.utils.set_random_seed(3)
    a, b = layers.Input((4,), name="a"), layers.Input((2,), name="b")
    joined = layers.concatenate([a, b])
    model = keras.Model([a, b], [layers.Dense(3, "softmax", name="p")(joined), layers.Dense(1, name="q")(joined)])
    model.compile("sgd", {"p": "sparse_categorical_crossentropy", "q": "mse"})
    return model


def batches(*arrays: Any) -> Iterator[Any]:
    for start in range(0, 48, SIZE):
        yield tuple(array[start : start + SIZE] for array in arrays)


def trained(model: Any, source: Any, steps: int = 6) -> Any:
    history = model.fit(source, steps_per_epoch=steps, verbose=0).history
    return history, model.get_weights()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which batches were looked at, and which were made ready by what was learned."""
    kinds: list[str] = []
    ready, new = RecurringBatch.ready, StreamData._new_kind

    def noted(self: Any, *arguments: Any) -> Any:
        batch = ready(self, *arguments)
        if batch is not None:
            kinds.append("known")
        return batch

    def noted_new(self: Any, *arguments: Any) -> Any:
        kinds.append("new")
        return new(self, *arguments)

    monkeypatch.setattr(RecurringBatch, "ready", noted)
    monkeypatch.setattr(StreamData, "_new_kind", noted_new)
    return kinds


FORMS: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "numpy": lambda x, y: (x, y),
    "float64": lambda x, y: (x.astype("float64"), y.astype("int32")),
    "columns": lambda x, y: (x, y[:, None]),
    "float classes": lambda x, y: (x, y.astype("float32")),
    "torch": lambda x, y: (torch.from_numpy(x), torch.from_numpy(y)),
    "gradients": lambda x, y: (torch.from_numpy(x).requires_grad_(), torch.from_numpy(y)),
    "lists": lambda x, y: (x.tolist(), y.tolist()),
    "read-only": lambda x, y: (np.broadcast_to(x, x.shape), y),
    "backwards": lambda x, y: (np.ascontiguousarray(x[:, ::-1])[:, ::-1], y),
    "Fortran": lambda x, y: (np.asfortranarray(x), y),
    "other bytes": lambda x, y: (x.astype(">f4"), y.astype(">i4")),
    "uint16": lambda x, y: (x, y.astype("uint16")),
    "a list of one": lambda x, y: ([x], [y]),
    "a dictionary": lambda x, y: ({"x": x}, y),
}
LEARNED = {"numpy", "float64", "columns", "float classes", "torch", "gradients"}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_trains_as_arrays_do(form: str, counted: list[str]) -> None:
    expected = classifier()
    expected.fit(X, Y, SIZE, shuffle=False, verbose=0)
    model = classifier()
    trained(model, (FORMS[form](x, y) for x, y in batches(X, Y)))
    for a, b in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert counted == (["new", *["known"] * 5] if form in LEARNED else ["new"] * 6)


def test_forms_that_change_from_batch_to_batch() -> None:
    forms = list(FORMS.values())
    expected = classifier()
    expected.fit(X, Y, SIZE, shuffle=False, verbose=0, epochs=5)
    model = classifier()
    items = (forms[i * 5 % len(forms)](x, y) for i, (x, y) in enumerate(b for _ in range(5) for b in batches(X, Y)))
    model.fit(items, steps_per_epoch=6, epochs=5, verbose=0)
    for a, b in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_sizes_that_change(counted: list[str]) -> None:
    cuts = [0, 8, 16, 20, 28, 36, 48]
    parts = [(X[a:b], Y[a:b]) for a, b in itertools.pairwise(cuts)]
    expected = classifier()
    for x, y in parts:
        expected.train_on_batch(x, y)
    model = classifier()
    trained(model, iter(parts))
    for a, b in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert counted == ["new", "known", "new", "new", "known", "new"]


def test_weights_of_samples_that_come_and_go() -> None:
    expected, model = classifier(), classifier()
    parts = list(batches(X, Y, W))
    items = [part if i % 3 else part[:2] for i, part in enumerate(parts)]
    for item in items:
        expected.train_on_batch(*item)
    trained(model, iter(items))
    for a, b in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("form", ["list", "tuple", "dictionary", "more keys"])
def test_several_inputs_and_outputs(form: str, counted: list[str]) -> None:
    b, q = R.rand(48, 2).astype("float32"), R.rand(48, 1).astype("float32")
    make: dict[str, Callable[..., Any]] = {
        "list": lambda x, b, y, q: ([x, b], [y, q]),
        "tuple": lambda x, b, y, q: ((x, b), (y, q)),
        "dictionary": lambda x, b, y, q: ({"b": b, "a": x}, {"q": q, "p": y}),
        "more keys": lambda x, b, y, q: ({"b": b, "c": b, "a": x}, {"q": q, "p": y}),
    }
    expected, model = two_inputs(), two_inputs()
    expected.fit([X, b], [Y, q], SIZE, shuffle=False, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the key that is no input
        trained(model, (make[form](*parts) for parts in batches(X, b, Y, q)))
    for a, c in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_array_equal(a, c)
    assert counted == ["new", *["known"] * 5]


def test_a_wrong_class_behind_good_ones_is_named() -> None:
    y = Y.copy()
    y[20] = 7
    with pytest.raises(ValueError, match=r"class index 7 \(target 4\) is out of range; with 3 classes"):
        trained(classifier(), batches(X, y))


def test_fractions_behind_whole_numbers_are_told() -> None:
    y = Y.astype("float32")
    y[20] = 0.5
    with pytest.warns(UserWarning, match="no whole numbers"):
        trained(classifier(), batches(X, y))


def test_targets_beyond_probabilities_behind_good_ones_are_told() -> None:
    keras.utils.set_random_seed(3)
    model = keras.Sequential([layers.Dense(1, "sigmoid", input_shape=(4,))])
    model.compile("sgd", "binary_crossentropy")
    y = (Y > 1).astype("float32")
    y[20] = 3
    with pytest.warns(UserWarning, match="between 0 and 1; they reach from 0.0 to 3.0"):
        trained(model, batches(X, y))


@pytest.mark.parametrize(("rows", "message"), [(7, "as many rows"), (0, "empty")])
def test_other_numbers_of_rows_are_refused(rows: int, message: str) -> None:
    items = [(X[:8], Y[:8]), (X[:8], Y[:rows])]
    with pytest.raises(ValueError, match=message):
        trained(classifier(), iter(items), 2)


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="must have shape"):
        trained(classifier(), iter([(X[:8], Y[:8]), (X[:8, :3], Y[:8])]), 2)


def test_targets_that_are_missing_later_are_asked_for() -> None:
    with pytest.raises(ValueError, match="y is missing"):
        trained(classifier(), iter([(X[:8], Y[:8]), (X[:8],)]), 2)


def test_a_buffer_that_is_filled_again() -> None:
    x, y = np.empty((SIZE, 4), "float32"), np.empty(SIZE, "int64")

    def filled() -> Iterator[Any]:
        for start in range(0, 48, SIZE):
            x[:], y[:] = X[start : start + SIZE], Y[start : start + SIZE]
            yield x, y

    expected, model = classifier(), classifier()
    first = expected.fit(X, Y, SIZE, shuffle=False, verbose=0).history
    history, _ = trained(model, filled())
    assert history == first


def test_a_loss_compiled_between_two_batches() -> None:
    class Recompile(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 2:
                self.model.compile("sgd", "categorical_crossentropy")

    with pytest.raises(ValueError, match="one-hot"):
        classifier().fit(batches(X, Y), steps_per_epoch=6, verbose=0, callbacks=[Recompile()])


def test_class_weights_are_taken_of_each_batch() -> None:
    weights = {0: 1.0, 1: 3.0, 2: 0.2}
    expected, model = classifier(), classifier()
    expected.fit(X, Y, SIZE, shuffle=False, verbose=0, class_weight=weights)
    model.fit(batches(X, Y), steps_per_epoch=6, verbose=0, class_weight=weights)
    for a, b in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_predictions_and_evaluations(counted: list[str]) -> None:
    model = classifier()
    np.testing.assert_array_equal(model.predict((x for (x,) in batches(X)), steps=6, verbose=0), model.predict(X, 8))
    assert counted == ["new", *["known"] * 5]
    a, b = model.evaluate(batches(X, Y), steps=6, verbose=0), model.evaluate(X, Y, SIZE, verbose=0)
    np.testing.assert_allclose(a, b, rtol=1e-6)  # joined batches are summed in another order
