"""Streams of batches: buffers that are filled again, lengths in samples, and sources that do not know their length."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset

import torchkeras_compat as keras
from torchkeras_compat import layers
from torchkeras_compat._core.border import KerasSpellingWarning
from torchkeras_compat.preprocessing.image import ImageDataGenerator
from torchkeras_compat.training.data.arrays import ArrayData
from torchkeras_compat.training.data.feeding import Feeder
from torchkeras_compat.training.data.streams import StreamData
from torchkeras_compat.utils.dataset import Dataset

X = np.random.RandomState(0).rand(12, 3).astype("float32")
Y = np.random.RandomState(1).rand(12, 1).astype("float32")
W = np.random.RandomState(2).rand(12).astype("float32")


def model_of(*more: Any, **options: Any) -> Any:
    np.random.seed(3)
    model = keras.Sequential([layers.Dense(1, input_shape=(3,)), *more])
    model.compile("sgd", "mse", **{"metrics": ["mae"], "weighted_metrics": ["mse"], **options})
    return model


# --- buffers that are filled again --------------------------------------------------------------------------------


def buffers(like: str) -> tuple[Any, Any, Any]:
    arrays = np.empty((4, 3), "float32"), np.empty((4, 1), "float32"), np.empty(4, "float32")
    if like == "tensors":
        return tuple(torch.from_numpy(a) for a in arrays)  # type: ignore[return-value]
    if like == "doubles":
        return tuple(a.astype("float64") for a in arrays)  # type: ignore[return-value]
    return arrays


def filled(like: str, weighted: bool) -> Iterator[Any]:
    bx, by, bw = buffers(like)
    for start in itertools.cycle((0, 4, 8)):
        for buffer, array in ((bx, X), (by, Y), (bw, W)):
            part = array[start : start + 4]
            buffer[:] = torch.from_numpy(part) if isinstance(buffer, torch.Tensor) else part
        yield (bx, by, bw) if weighted else (bx, by)


class Filled(keras.utils.Sequence):
    """A Sequence that fills one buffer again for each batch."""

    def __init__(self, like: str, weighted: bool) -> None:
        self.items = filled(like, weighted)

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        return next(self.items)


class Iterable:
    """Batches that come out of `iter()` alone."""

    def __init__(self, like: str, weighted: bool) -> None:
        self.like, self.weighted = like, weighted

    def __iter__(self) -> Iterator[Any]:
        return itertools.islice(filled(self.like, self.weighted), 3)


def as_loader(like: str, weighted: bool) -> Any:
    class Same(IterableDataset[Any]):
        def __iter__(self) -> Iterator[Any]:
            return itertools.islice(filled(like, weighted), 3)

    return DataLoader(Same(), batch_size=None)  # which hands on what the dataset yields


REUSED: dict[str, Callable[[str, bool], Any]] = {
    "generator": filled,
    "Sequence": Filled,
    "iterable": Iterable,
    "DataLoader": as_loader,
}


@pytest.mark.parametrize("like", ["arrays", "tensors", "doubles"])
@pytest.mark.parametrize("kind", REUSED)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_buffer_that_is_filled_again(kind: str, like: str, weighted: bool, device: torch.device) -> None:
    weight = W if weighted else None
    make = REUSED[kind]
    expected, fed = model_of(), model_of()
    np.testing.assert_allclose(
        fed.evaluate(make(like, weighted), steps=3, verbose=0),
        expected.evaluate(X, Y, sample_weight=weight, batch_size=4, verbose=0),
        rtol=1e-5,
    )
    np.testing.assert_allclose(fed.predict(make(like, weighted), steps=3), expected.predict(X), rtol=1e-5)
    a = expected.fit(X, Y, sample_weight=weight, batch_size=4, shuffle=False, epochs=2, verbose=0).history
    b = fed.fit(make(like, weighted), steps_per_epoch=3, epochs=2, shuffle=False, verbose=0).history
    for name, values in a.items():
        np.testing.assert_allclose(b[name], values, rtol=1e-5)


def test_predictions_that_are_the_input_itself() -> None:
    model = keras.Sequential([layers.Flatten(input_shape=(3,))])
    np.testing.assert_array_equal(model.predict((item[0] for item in filled("arrays", False)), steps=3), X)


def test_views_of_one_buffer_and_integers() -> None:
    whole = np.zeros((6, 3), "float32")

    def views() -> Iterator[Any]:
        for start in (0, 4, 8):
            whole[1:5] = X[start : start + 4]
            yield whole[1:5], whole[1:5, :1]

    expected = model_of().evaluate(X, X[:, :1], batch_size=4, verbose=0)
    np.testing.assert_allclose(model_of().evaluate(views(), verbose=0), expected, rtol=1e-5)

    indices = np.zeros((4, 2), "int64")

    def words() -> Iterator[Any]:
        for i in range(3):
            indices[:] = i
            yield indices

    embedding = keras.Sequential([layers.Embedding(3, 2, input_length=2)])
    table = embedding.get_weights()[0]
    np.testing.assert_array_equal(embedding.predict(words())[::4, 0], table)


def test_arrays_and_batches_of_a_loader_are_not_copied() -> None:
    model = model_of()
    data = Feeder(model).evaluation(X, Y, None, batch_size=4, steps=None)
    assert isinstance(data, ArrayData)
    assert next(data.epoch()).x.data_ptr() == X.ctypes.data
    loader = DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=4)
    stream = Feeder(model).evaluation(loader, None, None, batch_size=None, steps=None)
    item = next(iter(loader))
    assert isinstance(stream, StreamData)
    assert stream._batch(item).x.data_ptr() == item[0].data_ptr()


# --- lengths in samples --------------------------------------------------------------------------------------------


class Counted:
    """A generator that takes note of what was drawn."""

    def __init__(self, sizes: Any = (4,)) -> None:
        self.sizes, self.drawn = itertools.cycle(sizes), 0

    def __iter__(self) -> Counted:
        return self

    def __next__(self) -> Any:
        self.drawn += 1
        size = next(self.sizes)
        return np.full((size, 3), self.drawn, "float32"), np.zeros((size, 1), "float32")


class Watch(keras.callbacks.Callback):
    def on_train_begin(self, logs: Any = None) -> None:
        self.sizes: list[list[int]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.sizes.append([])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.sizes[-1].append(int(logs["size"]))


def spelled() -> Any:
    return pytest.warns(Warning, match=r"samples / batch size")


def test_samples_per_epoch() -> None:
    train, valid = Counted(), Counted()
    watch = Watch()
    with pytest.warns(KerasSpellingWarning) as caught:
        history = model_of().fit_generator(
            train,
            samples_per_epoch=8,
            nb_epoch=3,
            validation_data=valid,
            nb_val_samples=12,
            callbacks=[watch],
            verbose=0,
        )
    assert len([w for w in caught if "samples / batch size" in str(w.message)]) == 2
    assert history.epoch == [0, 1, 2]
    assert watch.sizes == [[4, 4]] * 3
    assert (train.drawn, valid.drawn) == (6, 9)  # none was looked at and lost
    assert "val_loss" in history.history
    assert history.params["samples"] == 8


def test_one_warning() -> None:
    model = model_of()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            model.fit_generator(Counted(), samples_per_epoch=8, verbose=0)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_samples_that_the_batch_size_does_not_divide() -> None:
    watch = Watch()
    with pytest.warns(Warning, match="samples") as caught:
        model_of().fit_generator(Counted(), samples_per_epoch=10, epochs=2, callbacks=[watch], verbose=0)
    assert watch.sizes == [[4, 4, 4]] * 2
    assert any("samples_per_epoch=10: batches come whole, and 12 samples were drawn" in str(w.message) for w in caught)


def test_batches_of_several_sizes_are_counted() -> None:
    watch = Watch()
    with spelled():
        model_of().fit_generator(Counted((3, 1)), samples_per_epoch=8, epochs=1, callbacks=[watch], verbose=0)
    assert watch.sizes == [[3, 1, 3, 1]]


def test_a_flow_goes_on_where_it_stood() -> None:
    images = np.random.rand(10, 4, 4, 1).astype("float32")
    model = keras.Sequential([layers.Flatten(input_shape=(4, 4, 1)), layers.Dense(1)])
    model.compile("sgd", "mse")
    flow = ImageDataGenerator().flow(images, np.arange(10.0), batch_size=4, shuffle=False)
    watch = Watch()
    with spelled():
        model.fit_generator(flow, samples_per_epoch=10, epochs=2, callbacks=[watch], verbose=0)
    assert watch.sizes == [[4, 4, 2]] * 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", KerasSpellingWarning)
        model.fit_generator(flow, samples_per_epoch=20, epochs=1, callbacks=[watch], verbose=0)  # two rounds of it
    assert watch.sizes == [[4, 4, 2, 4, 4, 2]]
    even = ImageDataGenerator().flow(images[:8], np.arange(8.0), batch_size=4)
    history = model.fit_generator(even, samples_per_epoch=16, verbose=0)
    assert history.params["steps"] == 4


def test_a_sequence_begins_again() -> None:
    class Two(keras.utils.Sequence):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Any:
            return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]

    watch = Watch()
    with spelled():
        model_of().fit_generator(Two(), samples_per_epoch=12, epochs=2, callbacks=[watch], verbose=0)
    assert watch.sizes == [[4, 4, 4]] * 2


def test_a_chain_that_ends() -> None:
    chain = itertools.chain([(X[:4], Y[:4])], [(X[4:8], Y[4:8])], [(X[8:], Y[8:])])
    watch = Watch()
    ended = pytest.warns(UserWarning, match="ended after 1 steps of epoch 2; .* samples_per_epoch \\* epochs samples")
    with spelled(), ended:
        history = model_of().fit_generator(chain, samples_per_epoch=8, epochs=3, callbacks=[watch], verbose=0)
    assert watch.sizes == [[4, 4], [4]]
    assert history.epoch == [0, 1]


def test_val_samples() -> None:
    model, source = model_of(), Counted()
    with spelled():
        predictions = model.predict_generator((x for x, _ in source), val_samples=8)
    assert predictions.shape == (8, 1)
    assert source.drawn == 2
    with spelled():
        model.evaluate_generator(source, val_samples=12)
    assert source.drawn == 5
    with pytest.warns(Warning, match="the data ended before 99 samples"):
        model.predict_generator(iter([X]), val_samples=99)


def test_places_of_keras_1() -> None:
    watch = Watch()
    with pytest.warns(KerasSpellingWarning) as caught:
        model_of().fit_generator(Counted(), 8, nb_epoch=1, callbacks=[watch], verbose=0)
    assert len(caught) == 2
    assert watch.sizes == [[4, 4]]
    model_of().fit_generator(Counted(), 3, 1, callbacks=[watch], verbose=0)  # as since 2.0
    assert watch.sizes == [[4, 4, 4]]
    keras.set_dialect("keras-1")
    old = keras.Sequential([layers.Dense(1, input_shape=(3,))])
    old.compile("sgd", "mse")
    old.fit_generator(Counted(), 8, 2, callbacks=[watch], verbose=0)
    assert watch.sizes == [[4, 4]] * 2
    with spelled():
        assert old.predict_generator((x for x, _ in Counted()), 8).shape == (8, 1)


def test_samples_of_arrays() -> None:
    model, watch = model_of(), Watch()
    with spelled():
        model.fit(X, Y, batch_size=4, samples_per_epoch=8, callbacks=[watch], verbose=0, nb_val_samples=4,
                  validation_data=(X, Y))  # fmt: skip
    assert watch.sizes == [[4, 4]]


@pytest.mark.parametrize("value", [0, -3, "8"])
def test_samples_that_are_none(value: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="samples_per_epoch must be a positive integer"), spelled():
        model_of().fit_generator(Counted(), samples_per_epoch=value)


def test_no_hint_in_another_unit() -> None:
    with pytest.raises(TypeError, match="did you mean 'samples_per_epoch'"):
        model_of().fit_generator(Counted(), samples_per_epochs=8)
    with pytest.raises(TypeError, match="one argument"):
        model_of().fit_generator(Counted(), samples_per_epoch=8, steps_per_epoch=2)


def test_the_bar_of_a_length_in_samples(capsys: pytest.CaptureFixture[str]) -> None:
    with spelled():
        model_of().fit_generator(Counted((3, 1)), samples_per_epoch=8, verbose=2)
    assert "4/4 - " in capsys.readouterr().out


# --- sources that do not know their length -------------------------------------------------------------------------


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return ((torch.ones(3), torch.ones(1)) for _ in range(8))


class Unsized:
    """Says that it has a length, and has none."""

    def __init__(self, error: type[Exception]) -> None:
        self.error = error

    def __len__(self) -> int:
        raise self.error("no length")

    def __iter__(self) -> Iterator[Any]:
        return iter([(X[:4], Y[:4]), (X[4:], Y[4:])])


@pytest.mark.parametrize(
    "make",
    [
        lambda: DataLoader(Endless(), 4),
        lambda: Endless(),
        lambda: Unsized(TypeError),
        lambda: Unsized(NotImplementedError),
    ],
)
def test_no_length(make: Callable[[], Any]) -> None:
    model = model_of()
    assert model.fit(make(), epochs=2, batch_size=4 if isinstance(make(), Endless) else None, verbose=0).epoch == [0, 1]
    assert len(model.evaluate(make(), verbose=0)) == 3
    assert model.predict(make()).ndim == 2
    model.fit(X, Y, validation_data=make(), verbose=0)


def test_next_alone() -> None:
    class Next:
        def __init__(self) -> None:
            self.drawn = 0

        def __next__(self) -> Any:
            self.drawn += 1
            return X[:4], Y[:4]

    source, model = Next(), model_of()
    model.fit(source, steps_per_epoch=2, epochs=2, verbose=0)
    with spelled():
        model.fit_generator(source, samples_per_epoch=8, verbose=0)
    assert source.drawn == 6


def test_a_length_that_fails_otherwise_is_told() -> None:
    class Broken(Unsized):
        pass

    with pytest.raises(ZeroDivisionError):
        model_of().fit(Broken(ZeroDivisionError), verbose=0)


class Numbered(keras.utils.Sequence):
    """Three batches of two samples, each of which holds the batch's number."""

    def __init__(self) -> None:
        self.drawn: list[int] = []
        self.rounds = 0

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        return np.full((2, 1), float(index)), np.zeros(2)

    def on_epoch_end(self) -> None:
        self.rounds += 1


def numbers_in(model: Any, **options: Any) -> list[int]:
    """Return which batches a training sees: an SGD of rate 0 leaves the loss their numbers' square."""
    told: list[int] = []
    note = keras.callbacks.LambdaCallback(
        on_batch_end=lambda batch, logs: told.append(round(float(logs["loss"]) ** 0.5))
    )
    model.fit_generator(callbacks=[note], verbose=0, shuffle=False, **options)
    return told


def one_weight() -> Any:
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", input_dim=1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model


@pytest.mark.parametrize("dialect", ["keras-2.3", "keras-2.2", "keras-1"])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_sequence_goes_round_in_classic_keras(dialect: str, workers: int) -> None:
    """Its queue of batches has no end (`OrderedEnqueuer`, Keras 2.3.1), whatever the steps of an epoch are."""
    keras.set_dialect(dialect)
    source = Numbered()
    model = one_weight()
    more = numbers_in(model, generator=source, steps_per_epoch=5, epochs=2, workers=workers)
    assert more == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    fewer = numbers_in(model, generator=Numbered(), steps_per_epoch=2, epochs=3, workers=workers)
    assert fewer == [0, 1, 2, 0, 1, 2]
    equal = numbers_in(model, generator=(whole := Numbered()), steps_per_epoch=3, epochs=2, workers=workers)
    assert equal == [0, 1, 2, 0, 1, 2]
    assert whole.rounds == 2
    predictions = model.predict_generator(Numbered(), steps=4, workers=workers)
    assert predictions.ravel().tolist() == [0, 0, 1, 1, 2, 2, 0, 0]
    assert model.evaluate_generator(Numbered(), steps=4, workers=workers) == pytest.approx((0 + 1 + 4 + 0) / 4)


def test_a_sequence_that_is_too_short_ends_a_training_of_tf_keras() -> None:
    keras.set_dialect("tf.keras")
    model = one_weight()
    with pytest.warns(UserWarning, match="the data ended after 3 of 5 steps"):
        model.fit(Numbered(), steps_per_epoch=5, epochs=2, verbose=0, shuffle=False)


def test_sources_without_batches_have_no_values() -> None:
    """Keras 2.15 raises in `evaluate`, and leaves an epoch without values of a validation that has no more batches."""
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.ones((4, 2)), np.ones(4)
    for options in ({}, {"steps": 2}):
        with pytest.raises(ValueError, match="evaluate: the data yielded no batches"):
            model.evaluate(iter(()), verbose=0, **options)
    with pytest.warns(UserWarning, match=r"validation data yielded no batches in epoch [23]"):
        history = model.fit(x, y, validation_data=iter([(x, y)]), validation_steps=1, epochs=3, verbose=0).history
    assert {name: len(values) for name, values in history.items()} == {
        "loss": 3, "mae": 3, "val_loss": 1, "val_mae": 1,
    }  # fmt: skip


def test_a_data_set_of_single_samples_says_to_make_batches() -> None:
    model = keras.Sequential([keras.layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"are single samples; write dataset\.batch\(32\)"):
        model.fit(Dataset.from_tensor_slices((np.ones((4, 3)), np.ones(4))), verbose=0)


@pytest.mark.parametrize(
    ("method", "argument"),
    [("fit_generator", "steps_per_epoch"), ("evaluate_generator", "steps"), ("predict_generator", "steps")],
)
def test_classic_keras_is_told_how_many_batches_a_generator_gives(method: str, argument: str) -> None:
    """As in `training_generator.py` of Keras 2.3.1; what never ended was read for ever. tf.keras reads to the end."""
    with pytest.raises(ValueError, match=f"{method}: {argument} is missing"):
        getattr(model_of(), method)(batch for batch in Counted())
    keras.set_dialect("tf.keras")
    assert getattr(model_of(), method)(batch for batch in [next(iter(Counted()))]) is not None
