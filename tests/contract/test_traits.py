"""What layers declare beside their shapes holds: each trait is proved, by its meaning, for whatever layer declares it.

Models trust traits without a look at the layer: a false one changes the numbers of `predict` and `evaluate` unseen.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core import registry, settings
from torchkeras_compat._core.tree import flatten, map_tree
from torchkeras_compat.layers.base import ROW_WISE, Layer, Traits
from torchkeras_compat.layers.base.traits import Changes

from .specs import ELSEWHERE, LAYERS, Inner, LayerSpec
from .test_layers import draw

Run = Callable[[Any], Any]
Models = dict[str, Callable[[], Any]]

ROWS, SIZE = 6, 2  # of the data of models, and of their batches
PARTS = ((3, 2), (1, 4), (1, 1, 1, 1, 1))  # rows of batches that are joined
NOTHING = Traits()
RNG = np.random.default_rng(6)


@pytest.fixture(params=LAYERS, ids=str)
def spec(request: pytest.FixtureRequest) -> LayerSpec:
    line: LayerSpec = request.param
    return line


def built(spec: LayerSpec, size: int | None = None) -> Any:
    layer = spec.make()
    layer._build_from(spec.batch_shape(size))
    return layer


def mixed(x: Any) -> Any:
    """Return a batch without its mean: what no row can say by itself."""
    return x - x.mean(0)


# --- the checks ------------------------------------------------------------------------------------------------------


def rows(tree: Any, start: int, stop: int) -> Any:
    """Return some rows of each tensor."""
    return map_tree(lambda leaf: None if leaf is None else leaf[start:stop], tree)


def joined(*parts: Any) -> Any:
    """Return the tensors of several trees, one behind the other."""
    return map_tree(lambda *leaves: None if leaves[0] is None else torch.cat(leaves), *parts)


def assert_same(found: Any, expected: Any) -> None:
    """Fail where trees of tensors differ by more than kernels for other sizes of batches do."""
    assert len(flatten(found)) == len(flatten(expected))
    for one, other in zip(flatten(found), flatten(expected)):
        assert (one is None) is (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def check_row_wise(run: Run, x: Any) -> None:
    """Fail unless batches that are joined give what they give apart."""
    whole = run(x)
    for sizes in PARTS:
        ends = np.cumsum(sizes)
        apart = [run(rows(x, end - size, end)) for size, end in zip(sizes, ends)]
        assert_same(whole, joined(*apart))


def check_makes_no_mask(layer: Any, x: Any) -> None:
    """Fail where a mask begins in the layer."""
    assert all(m is None for m in flatten(layer._run(x, None, False)[1]))


def check_keeps_nothing(run: Run, x: Any, other: Any) -> None:
    """Fail where what a batch gives depends on the batch before."""
    first = run(x)
    run(other)
    assert_same(run(x), first)


def states_in(layer: Any) -> list[Any]:
    return [s.clone() for part in layer.modules() if isinstance(part, L.RNN) for s in part._held_states()]


def check_joins_batches(layer: Any, x: Any, size: int) -> None:
    """Fail unless batches that run as one give what they give one after the other, and leave the same states."""
    found = []
    for at_once in (True, False):
        layer.reset_states()
        with settings.joined_batches(size if at_once else 0):
            step = len(x) if at_once else size
            y = [layer._run(rows(x, i, i + step), None, False)[0] for i in range(0, len(x), step)]
        found.append([joined(*y), states_in(layer)])
    assert_same(*found)


def with_masks(layer: Any) -> Run:
    """Return a run of `(inputs, masks)` that gives outputs and masks."""
    return lambda both: tuple(layer._run(*both, False))


# --- the table -------------------------------------------------------------------------------------------------------


def of_lambda(function: Any) -> Any:
    return keras.Sequential([L.InputLayer((4,)), L.Dense(4), L.Lambda(function)])


def functional() -> Any:
    x = L.Input((4,))
    return keras.Model(x, L.Add()([x, L.Dense(4)(x)]))


def vectors(*widths: int) -> Any:
    x = [torch.randn(5, width, generator=torch.Generator().manual_seed(width)) for width in widths]
    return x[0] if len(x) == 1 else x


def cell_case(cell: Any, *widths: int) -> tuple[Any, Run, Any]:
    cell._build_from((None, 3))
    return cell, lambda x: cell(x[0], list(x[1:])), vectors(3, *widths)


def images_case(cell: Any) -> tuple[Any, Run, Any]:
    cell._build_from((None, 4, 3, 2))
    sizes = zip((2, cell.filters, cell.filters), ((4, 3), (3, 2), (3, 2)))
    x = [torch.randn(5, *space, n, generator=torch.Generator().manual_seed(n)) for n, space in sizes]
    return cell, lambda x: cell(x[0], list(x[1:])), x


def layer_case(layer: Any) -> tuple[Any, Run, Any]:
    if not layer.built:
        layer._build_from((None, 4))
    return layer, layer, vectors(4)


WORDS = ["red", "green", "blue", "grey", "pink"]
IDF = {"idf_weights": [0.1, 0.2, 0.3]}


def word_case(layer: Any, x: Any = None) -> tuple[Any, Run, Any]:
    return layer, layer, np.array(WORDS)[:, None] if x is None else x.view(5, 2)


def picture_case(layer: Any) -> tuple[Any, Run, Any]:
    return layer, lambda x: layer(x, training=False), vectors(12).view(5, 2, 3, 2)


# Registered layers without a line: each with the run of it and a batch.
OTHERS: dict[str, Callable[[], tuple[Any, Run, Any]]] = {
    "SimpleRNNCell": lambda: cell_case(L.SimpleRNNCell(4), 4),
    "LSTMCell": lambda: cell_case(L.LSTMCell(4), 4, 4),
    "GRUCell": lambda: cell_case(L.GRUCell(4), 4),
    "StackedRNNCells": lambda: cell_case(L.StackedRNNCells([L.GRUCell(4), L.SimpleRNNCell(2)]), 4, 2),
    "StringLookup": lambda: word_case(L.StringLookup(vocabulary=WORDS[:3])),
    "IntegerLookup": lambda: word_case(L.IntegerLookup(vocabulary=[1, 2], output_mode="count"), torch.arange(10) % 4),
    "TextVectorization": lambda: word_case(L.TextVectorization(vocabulary=WORDS[:3], output_mode="tf_idf", **IDF)),
    "Hashing": lambda: word_case(L.Hashing(7)),
    "HashedCrossing": lambda: (crossing := L.HashedCrossing(7), lambda x: crossing([x, x]), np.array(WORDS)),
    "RandomHeight": lambda: picture_case(L.RandomHeight(0.5)),
    "RandomWidth": lambda: picture_case(L.RandomWidth(0.5)),
    "ConvLSTM2DCell": lambda: images_case(L.ConvLSTM2DCell(3, 2)),
    "InputLayer": lambda: layer_case(L.InputLayer((4,))),
    "TorchModuleWrapper": lambda: layer_case(L.TorchModuleWrapper(torch.nn.Linear(4, 2))),
    "Model": lambda: layer_case(functional()),
    "Sequential": lambda: layer_case(keras.Sequential([L.InputLayer((4,)), L.Dense(3), L.Dense(2)])),
}


def test_every_layer_is_proved() -> None:
    assert set(OTHERS) == set(ELSEWHERE)
    assert set(registry.names("layer")) == {line.cls for line in LAYERS} | set(OTHERS)


def test_each_trait_is_proved() -> None:
    proved = "row_wise takes_integers makes_mask walks_over_time stateful joins_batches runs_user_code"
    assert [field.name for field in dataclasses.fields(Traits)] == proved.split()


# --- row_wise --------------------------------------------------------------------------------------------------------


def test_row_wise(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec, 5)
    if not layer._traits.row_wise:
        # all others declare it, or nothing here is proved
        assert spec.cls == "Lambda" or spec.arguments.get("statistics") == "batch"
        return
    check_row_wise(with_masks(layer), (x, None))


# A mask is handed to these; those whose masks are a matter of their own are in tests/layers.
MASKED = [
    s
    for s in LAYERS
    if s.mask in ("keeps", "joins", "ends") and s.cls != "Lambda" and not {"test_mask", "test_row_wise"} & set(s.skip)
]


@pytest.mark.parametrize("spec", MASKED, ids=str)
def test_row_wise_with_masks(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec, 5)
    assert layer._traits.row_wise

    def mask_of(leaf: torch.Tensor) -> torch.Tensor:
        shape = leaf.shape[: 1 + (leaf.dim() > 2)]
        return torch.rand(shape, generator=torch.Generator().manual_seed(2)) > 0.4

    check_row_wise(with_masks(layer), (x, map_tree(mask_of, x)))


@pytest.mark.parametrize("name", OTHERS)
def test_row_wise_of_others(name: str) -> None:
    layer, run, x = OTHERS[name]()
    assert layer._traits.row_wise is (name != "TorchModuleWrapper")
    check_row_wise(run, x)


def in_graph(layer: Any, count: int = 1) -> Any:
    x = L.Input((4,))
    return keras.Model(x, layer([x] * count if count > 1 else x))


MIXING: dict[str, tuple[Callable[[], Any], Any]] = {
    "Softmax(0)": (lambda: in_graph(L.Softmax(axis=0)), ()),
    "Softmax([0, 1])": (lambda: in_graph(L.Softmax(axis=[0, 1])), ()),
    "Softmax(-2)": (lambda: in_graph(L.Softmax(axis=-2)), ()),
    "Activation(Softmax(0))": (lambda: in_graph(L.Activation(L.Softmax(axis=0))), ()),
    "Dense(Softmax(0))": (lambda: in_graph(L.Dense(4, activation=L.Softmax(axis=0))), ()),
    "Dense(Softmax(-2))": (lambda: in_graph(L.Dense(4, activation=L.Softmax(axis=-2))), ()),
    "Concatenate(0)": (lambda: in_graph(L.Concatenate(axis=0), 2), ()),
    "Concatenate(-2)": (lambda: in_graph(L.Concatenate(axis=-2), 2), ()),
    "Merge(concat, 0)": (lambda: in_graph(L.Merge(mode="concat", concat_axis=0), 2), ()),
    "Merge(function)": (lambda: in_graph(L.Merge(mode=lambda x: mixed(x[0]), output_shape=(4,)), 2), ()),
}


@pytest.mark.parametrize("name", [pytest.param(n, marks=mark) for n, (_, mark) in MIXING.items()])
def test_arguments_that_mix_rows_take_the_promise_back(name: str) -> None:
    model = MIXING[name][0]()
    with pytest.raises(AssertionError):
        check_row_wise(model, vectors(4))
    assert not model._traits.row_wise
    x = RNG.normal(size=(ROWS, 4)).astype("float32")
    assert_predicts_by_batch(model, x)


# --- walks_over_time and joins_batches -------------------------------------------------------------------------------


def stateful_lines() -> Iterator[LayerSpec]:
    """Yield the lines of layers with states, set up to keep them from batch to batch."""
    for line in LAYERS:
        if "stateful" in inspect.signature(registry.lookup("layer", line.cls)).parameters:
            yield dataclasses.replace(line, arguments={**line.arguments, "stateful": True})
        inner = {k: v for k, v in line.arguments.items() if isinstance(v, Inner) and v.cls in ("LSTM", "GRU")}
        if inner or line.cls == "Bidirectional":
            parts = {k: v for k, v in line.arguments.items() if isinstance(v, Inner)}
            kept = {k: Inner(v.cls, {**v.arguments, "stateful": True}) for k, v in parts.items()}
            yield dataclasses.replace(line, arguments={**line.arguments, **kept})


STATEFUL = list(stateful_lines())


def test_what_walks_over_time(spec: LayerSpec) -> None:
    layer = built(spec)
    assert layer._traits.walks_over_time is any(isinstance(part, L.RNN) for part in layer.modules())


@pytest.mark.parametrize("spec", [s for s in STATEFUL if s.cls in ("SimpleRNN", "LSTM", "GRU", "RNN")], ids=str)
def test_a_walk_is_its_pieces_in_order(spec: LayerSpec) -> None:
    layer, x = built(spec, 3), draw(spec, 3)
    assert layer._traits.walks_over_time
    whole, kept = layer._run(x, None, False)[0], states_in(layer)
    layer.reset_states()
    pieces = [x[:, :1], x[:, 1:3], x[:, 3:]]
    walked = [layer._run(piece, None, False)[0] for piece in (pieces[::-1] if layer.go_backwards else pieces)]
    assert_same([whole, *kept], [torch.cat(walked, 1) if layer.return_sequences else walked[-1], *states_in(layer)])


def test_a_walk_runs_many_samples_at_once() -> None:
    """A sample so wide that the caches hold one leaves a walk with as many as share a reading of the weights."""
    wide = (1, 1 << 19)
    walking = keras.Sequential([L.InputLayer(wide), L.SimpleRNN(2)])
    resting = keras.Sequential([L.InputLayer(wide), L.Dense(2)])
    assert walking._samples_at_once(True) > resting._samples_at_once(True) > 0


@pytest.mark.parametrize("spec", STATEFUL, ids=str)
def test_joins_batches(spec: LayerSpec) -> None:
    size = 2
    layer, x = built(spec, size), draw(spec, 3 * size)
    alone = spec.cls == "TimeDistributed" or getattr(layer, "return_state", False)
    assert layer._traits.joins_batches is not alone
    if not alone:
        check_joins_batches(layer, x, size)


def test_states_that_are_returned_are_those_of_each_batch() -> None:
    assert not L.LSTM(2, stateful=True, return_state=True)._traits.joins_batches


# --- stateful --------------------------------------------------------------------------------------------------------


def test_what_declares_no_state_keeps_nothing(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec, 5)
    assert not layer._traits.stateful
    check_keeps_nothing(lambda batch: layer._run(batch, None, False)[0], rows(x, 0, 2), rows(x, 2, 5))


@pytest.mark.parametrize("spec", STATEFUL, ids=str)
def test_stateful(spec: LayerSpec) -> None:
    layer, x = built(spec, 2), draw(spec, 2)
    assert layer._traits.stateful

    def run(batch: Any) -> Any:
        return layer._run(batch, None, False)[0]

    first = run(x)
    with pytest.raises(AssertionError):
        check_keeps_nothing(run, x, x)
    layer.reset_states()
    assert_same(run(x), first)


# --- the others ------------------------------------------------------------------------------------------------------


def test_makes_mask(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec)
    assert layer._traits.makes_mask is (spec.mask == "makes")
    if spec.mask == "makes":
        assert layer._run(x, None, False)[1] is not None
    else:
        check_makes_no_mask(layer, x)


def test_takes_integers(spec: LayerSpec) -> None:
    layer = built(spec)
    assert layer._traits.takes_integers is (spec.indices is not None)
    if spec.takes_one:  # what takes several tensors leaves each in its type
        # Indices stay what they are, and what is only moved (tests/layers/test_integers.py); others are computed with.
        stays = spec.indices is not None or layer._keeps_integers
        assert layer._to_input(np.arange(3)).is_floating_point() is not stays
        assert not (layer._keeps_integers and layer._casts_integers)


def test_runs_user_code(spec: LayerSpec) -> None:
    given = [v for k, v in spec.arguments.items() if callable(v)]
    assert built(spec)._traits.runs_user_code is bool(given)


def lines_with_functions() -> Iterator[LayerSpec]:
    """Yield the lines with each activation, of the layer or of one inside it, replaced by a function of a user's."""
    for line in LAYERS:
        for argument in ("activation", "recurrent_activation"):
            if argument in line.arguments:
                yield dataclasses.replace(line, arguments={**line.arguments, argument: mixed})
            for name, inner in line.arguments.items():
                if isinstance(inner, Inner) and argument in inner.arguments:
                    with_function = Inner(inner.cls, {**inner.arguments, argument: mixed})
                    yield dataclasses.replace(line, arguments={**line.arguments, name: with_function})


@pytest.mark.parametrize("spec", list(lines_with_functions()), ids=str)
def test_a_users_activation_is_promised_nothing(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec, 5)
    assert layer._traits.runs_user_code
    assert not layer._traits.row_wise
    with pytest.raises(AssertionError):
        check_row_wise(with_masks(layer), (x, None))


# --- the checks can fail ---------------------------------------------------------------------------------------------


class FalseRows(L.Layer):
    """It mixes rows, and declares that it does not."""

    _class_traits = ROW_WISE

    def call(self, inputs: Any) -> Any:
        return mixed(inputs)


class FalseMask(L.Layer):
    """A mask that depends on the batch begins in it, and it declares neither."""

    _class_traits = ROW_WISE
    supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return inputs[..., 0] >= inputs[..., 0].mean()


class Counting(L.Layer):
    """It counts its calls, and does not declare that it keeps something."""

    calls = 0

    def call(self, inputs: Any) -> Any:
        self.calls += 1
        return inputs + self.calls


class FalseJoin(L.SimpleRNN):
    """Batches that run as one all begin with the states before the first of them."""

    def _joined_batches(self, rows: int) -> int:
        return 1

    def _kept_or(self, told: Any, batch: int) -> Any:
        kept = super()._kept_or(told, len(self._held_states()[0]))
        return [torch.cat([state] * (batch // len(state))) for state in kept]

    def _keep(self, states: Any) -> None:
        super()._keep([state[-len(self._held_states()[0]) :] for state in states])


def test_false_promises_are_caught() -> None:
    x = vectors(4)
    assert FalseRows()._traits.row_wise
    with pytest.raises(AssertionError):
        check_row_wise(with_masks(FalseRows()), (x, None))
    with pytest.raises(AssertionError):
        check_row_wise(with_masks(FalseMask()), (x, None))
    with pytest.raises(AssertionError):
        check_makes_no_mask(FalseMask(), x)
    with pytest.raises(AssertionError):
        check_keeps_nothing(Counting(), x, x)
    recurrent = FalseJoin(4, stateful=True)
    recurrent._build_from((2, 5, 3))
    with pytest.raises(AssertionError):
        check_joins_batches(recurrent, torch.ones(6, 5, 3), 2)
    one_batch = torch.ones(2, 5, 3)
    check_joins_batches(recurrent, one_batch, 2)  # it is the joining that is false


def test_a_false_promise_changes_predictions() -> None:
    model = keras.Sequential([L.InputLayer((4,)), FalseRows()])
    with pytest.raises(AssertionError):
        assert_predicts_by_batch(model, RNG.normal(size=(ROWS, 4)).astype("float32"))


# --- nothing is promised that nobody declared ------------------------------------------------------------------------


class Silent(L.Layer):
    """A user's layer that runs nothing of its own."""


class Calling(L.Layer):
    """A user's layer with a `call`."""

    def call(self, inputs: Any) -> Any:
        return inputs


class OwnDense(L.Dense):
    """A user's layer on one that declares much."""

    def call(self, inputs: Any) -> Any:
        return mixed(super().call(inputs))


class OwnPart(L.Dense):
    """A user's change to what another method computes."""

    def pre_activation(self, inputs: Any) -> Any:
        return super().pre_activation(mixed(inputs))


class OwnCell(L.GRUCell):
    """A user's cell."""

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        return super().call(mixed(inputs), states)


class OwnWrapper(L.Wrapper):
    """A user's wrapper."""

    def call(self, inputs: Any) -> Any:
        return self.layer(mixed(inputs))


class Holder(L.Layer):
    """A user's layer with others inside."""

    def __init__(self, *parts: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts = list(parts)

    def call(self, inputs: Any) -> Any:
        for part in self.parts:
            inputs = part(inputs)
        return inputs


class OwnModel(keras.Model):
    """A user's model."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = L.Dense(3)

    def call(self, inputs: Any) -> Any:
        return mixed(self.dense(inputs))


def test_who_declares_nothing_promises_nothing() -> None:
    assert L.Layer()._traits == NOTHING
    assert Silent()._traits == NOTHING
    assert Calling()._traits == Traits(runs_user_code=True)
    assert all(value is False for value in dataclasses.asdict(NOTHING).values())


@pytest.mark.parametrize("make", [lambda: OwnDense(3), lambda: OwnPart(3), lambda: OwnWrapper(L.Dense(3)), OwnModel])
def test_a_users_class_inherits_no_promise(make: Callable[[], Any]) -> None:
    layer = make()
    assert not layer._traits.row_wise
    x = RNG.normal(size=(ROWS, 4)).astype("float32")
    assert_predicts_by_batch(keras.Sequential([L.InputLayer((4,)), layer]), x)


# --- what is derived from layers inside ------------------------------------------------------------------------------


def by_batch(model: Any, x: Any) -> Any:
    """Return the predictions of batches that run one by one."""
    parts = [model.predict_on_batch(rows(x, i, i + SIZE)) for i in range(0, ROWS, SIZE)]
    return np.concatenate([np.asarray(part) for part in parts])


def assert_predicts_by_batch(model: Any, x: Any) -> None:
    """Fail unless `predict` gives what the batches give one by one."""
    if model.stateful:
        model.reset_states()
    expected = by_batch(model, x)
    if model.stateful:
        model.reset_states()
    found = model.predict(x, batch_size=SIZE, verbose=0)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def of_layers(*layers: Any) -> Any:
    return keras.Sequential([L.InputLayer((3, 4)), *layers])


def called_in_training() -> Any:
    x = L.Input((3, 4))
    inner = keras.Sequential([L.InputLayer((3, 4)), L.BatchNormalization()])
    return keras.Model(x, inner(x, training=True))


def of_function() -> Any:
    x = L.Input((3, 4))
    return keras.Model(x, keras.backend.mean(x, axis=0, keepdims=True) + x)


def of_model(inner: Any) -> Any:
    x = L.Input((3, 4))
    return keras.Model(x, L.Dense(2)(inner(x)))


MIXED: Models = {
    "lambda": lambda: of_layers(L.Lambda(mixed)),
    "time_distributed": lambda: of_layers(L.TimeDistributed(L.Lambda(mixed))),
    "time_distributed_model": lambda: of_layers(L.TimeDistributed(of_lambda(mixed))),
    "bidirectional": lambda: of_layers(L.Bidirectional(L.RNN(OwnCell(2)))),
    "rnn": lambda: of_layers(L.RNN([L.GRUCell(4), OwnCell(2)])),
    "users_layer": lambda: of_layers(Holder(L.Dense(4), L.Lambda(mixed))),
    "users_layer_in_wrapper": lambda: of_layers(L.TimeDistributed(Holder(L.Lambda(mixed)))),
    "sequential": lambda: of_layers(of_layers(of_layers(L.Lambda(mixed)))),
    "functional": lambda: of_model(of_layers(L.Lambda(mixed))),
    "functional_in_sequential": lambda: of_layers(of_model(of_layers(L.Lambda(mixed)))),
    "function": of_function,
    "training": called_in_training,
    "users_model": lambda: of_layers(OwnModel()),
}
APART: Models = {
    "time_distributed": lambda: of_layers(L.TimeDistributed(L.Dense(3))),
    "bidirectional": lambda: of_layers(L.Bidirectional(L.RNN([L.GRUCell(4), L.LSTMCell(2)]))),
    "sequential": lambda: of_layers(of_layers(L.Dense(3), L.BatchNormalization(), L.Flatten())),
    "functional": lambda: of_model(of_model(of_layers(L.LSTM(2)))),
}


@pytest.mark.parametrize("name", MIXED)
def test_what_mixes_rows_inside_mixes_them_outside(name: str) -> None:
    model = MIXED[name]()
    traits = model._traits
    assert not traits.row_wise
    assert traits.runs_user_code
    assert model._samples_at_once(True) == 0
    x = RNG.normal(size=(ROWS, 3, 4)).astype("float32")
    assert_predicts_by_batch(model, x)
    # That the batches matter is seen where they are all one.
    assert not np.allclose(model.predict(x, batch_size=ROWS, verbose=0), by_batch(model, x), atol=1e-4)


@pytest.mark.parametrize("name", MIXED)
def test_evaluate_goes_by_batch(name: str) -> None:
    model = MIXED[name]()
    model.compile("sgd", "mse")
    x = RNG.normal(size=(ROWS, 3, 4)).astype("float32")
    predicted = by_batch(model, x)
    y = RNG.normal(size=predicted.shape).astype("float32")
    loss = model.evaluate(x, y, batch_size=SIZE, verbose=0)
    np.testing.assert_allclose(loss, np.mean((predicted - y) ** 2), rtol=1e-4)


@pytest.mark.parametrize("name", APART)
def test_what_keeps_rows_apart_inside_is_joined(name: str) -> None:
    model = APART[name]()
    assert model._traits.row_wise
    assert not model._traits.runs_user_code
    assert model._samples_at_once(True) > SIZE
    assert_predicts_by_batch(model, RNG.normal(size=(ROWS, 3, 4)).astype("float32"))


def test_other_traits_come_from_inside() -> None:
    deep = of_layers(of_model(of_layers(L.LSTM(2))))
    assert deep._traits.walks_over_time
    assert Holder(L.Dense(2))._traits == Traits(runs_user_code=True)
    held = Holder(L.Embedding(5, 4, mask_zero=True), L.GRU(2, stateful=True))
    held(torch.zeros(2, 3, dtype=torch.int64))
    assert held._traits == Traits(makes_mask=True, walks_over_time=True, stateful=True, runs_user_code=True)
    wrapped = L.TimeDistributed(keras.Sequential([L.Embedding(5, 4, input_length=3), L.LSTM(2)]))
    assert wrapped._traits == Traits(row_wise=True, takes_integers=True, walks_over_time=True)
    around = L.Bidirectional(L.LSTM(2, stateful=True))
    assert around._traits == Traits(row_wise=True, walks_over_time=True, stateful=True, joins_batches=True)


def test_a_part_that_keeps_states_alone_keeps_batches_apart() -> None:
    first = L.InputLayer(batch_input_shape=(SIZE, 2, 3, 4))
    model = keras.Sequential([first, L.TimeDistributed(L.LSTM(2, stateful=True))])
    assert model._traits.stateful
    assert not model._traits.joins_batches
    assert_predicts_by_batch(model, RNG.normal(size=(ROWS, 2, 3, 4)).astype("float32"))


def test_mask_zero_decides() -> None:
    assert not L.Embedding(5, 2)._traits.makes_mask
    assert L.Embedding(5, 2, mask_zero=True)._traits.makes_mask


# --- what is known is found again ------------------------------------------------------------------------------------


def add_hook(model: Any) -> None:
    model.layers[0].cell.register_forward_hook(lambda *_: None)


def assign(name: str, value: Callable[[], Any]) -> Callable[[Any], None]:
    return lambda model: setattr(model.layers[0], name, value())


def in_cell(model: Any) -> None:
    model.layers[0].cell.recurrent_activation = mixed


# A model, what happens to it, and what is known before and after of one trait.
CHANGES: dict[str, tuple[Callable[[], Any], Callable[[Any], None], str, bool, bool]] = {
    "added": (lambda: of_layers(L.Dense(4)), lambda m: m.add(L.Lambda(mixed)), "row_wise", True, False),
    "popped": (lambda: of_layers(L.Dense(4), L.Lambda(mixed)), lambda m: m.pop(), "row_wise", False, True),
    "added_inside": (
        lambda: of_layers(of_layers(L.Dense(4))),
        lambda m: m.layers[0].add(L.Lambda(mixed)),
        "row_wise",
        True,
        False,
    ),
    "wrapped": (
        lambda: of_layers(L.TimeDistributed(L.Dense(4))),
        assign("layer", lambda: L.Lambda(mixed)),
        "row_wise",
        True,
        False,
    ),
    "one_direction": (
        lambda: of_layers(L.Bidirectional(L.GRU(2))),
        assign("backward_layer", lambda: L.RNN(OwnCell(2), go_backwards=True)),
        "row_wise",
        True,
        False,
    ),
    "sublayer": (
        lambda: of_layers(Holder(L.Dense(4))),
        assign("later", lambda: L.LSTM(2)),
        "walks_over_time",
        False,
        True,
    ),
    "activation": (lambda: of_layers(L.Dense(4)), assign("activation", lambda: mixed), "row_wise", True, False),
    "activation_of_recurrent": (
        lambda: of_layers(L.LSTM(2)),
        assign("activation", lambda: mixed),
        "row_wise",
        True,
        False,
    ),
    "activation_of_cell": (lambda: of_layers(L.LSTM(2)), in_cell, "runs_user_code", False, True),
    "axis": (lambda: of_layers(L.Softmax()), assign("axis", lambda: 0), "row_wise", True, False),
    "stateful": (
        lambda: of_layers(Holder(L.Dense(4))),
        lambda m: setattr(m.layers[0].parts[0], "stateful", True),
        "stateful",
        False,
        True,
    ),
    "mask_zero": (
        lambda: keras.Sequential([L.Embedding(5, 4, input_length=3)]),
        assign("mask_zero", lambda: True),
        "makes_mask",
        False,
        True,
    ),
    "hook": (lambda: of_layers(L.RNN(L.GRUCell(2))), add_hook, "row_wise", True, False),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_noticed(name: str) -> None:
    make, change, trait, before, after = CHANGES[name]
    model = make()
    around = keras.Sequential([L.InputLayer(model.input_shape[1:]), model])  # it knows something of its own
    assert [getattr(one._traits, trait) for one in (model, around)] == [before] * 2
    change(model)
    assert [getattr(one._traits, trait) for one in (model, around)] == [after] * 2


@pytest.mark.parametrize("name", ["added", "wrapped", "activation", "axis"])
def test_predictions_follow_a_change(name: str) -> None:
    make, change, *_ = CHANGES[name]
    model, x = make(), RNG.normal(size=(ROWS, 3, 4)).astype("float32")
    assert_predicts_by_batch(model, x)
    assert model._samples_at_once(True) > SIZE
    change(model)
    assert model._samples_at_once(True) == 0
    assert_predicts_by_batch(model, x)


def test_freezing_changes_no_trait() -> None:
    model = of_layers(L.BatchNormalization(), Holder(L.LSTM(2)))
    known = model._traits
    model.layers[0].trainable = model.layers[1].trainable = False
    model.trainable = False
    assert model._traits == known
    Changes.note()  # all is found anew
    assert model._traits == known == Layer._traits.fget(model)  # type: ignore[attr-defined]


def test_what_is_known_is_not_derived_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    model, count = of_layers(L.Dense(4)), 0
    derive = type(model)._own_traits

    def counted(self: Any) -> Any:
        nonlocal count
        count += 1
        return derive(self)

    monkeypatch.setattr(type(model), "_own_traits", counted)
    Changes.note()
    for _ in range(3):
        assert model._traits.row_wise
    assert count == 1
    model.layers[0].activation = mixed
    assert not model._traits.row_wise
    assert count == 2


# --- what has a fixed size, and what goes -----------------------------------------------------------------------------


def with_constant(layer: Any, **call: Any) -> Any:
    x = L.Input((3, 4))
    return keras.Model(x, layer(x, **call))


def with_first_states() -> Any:
    x, start = L.Input(batch_shape=(SIZE, 3, 4)), L.Input(batch_shape=(SIZE, 2))
    return keras.Model([x, start], L.GRU(2, stateful=True)(x, initial_state=[start]))


def with_added_constant() -> Any:
    x = L.Input((3, 4))
    return keras.Model(x, L.Add()([x, torch.arange(24.0).reshape(SIZE, 3, 4)]))


FIXED_SIZES: Models = {
    "time_major": lambda: of_layers(L.LSTM(2, time_major=True, return_sequences=True)),
    "constant_mask": lambda: with_constant(L.LSTM(2), mask=torch.tensor([[True, False, False], [True, True, False]])),
    "constant_states": lambda: with_constant(L.GRU(2), initial_state=[torch.ones(SIZE, 2)]),
    "constant_input": with_added_constant,
    "states_given_to_stateful": with_first_states,
}


@pytest.mark.parametrize("name", FIXED_SIZES)
def test_batches_of_a_fixed_size_stay_apart(name: str) -> None:
    model = FIXED_SIZES[name]()
    x: Any = RNG.normal(size=(ROWS, 3, 4)).astype("float32")
    if len(model.inputs) > 1:
        x = [x, RNG.normal(size=(ROWS, 2)).astype("float32")]
    assert_predicts_by_batch(model, x)


def test_a_deleted_sublayer_is_noticed() -> None:
    holder = Holder(L.Dense(4))
    holder.later = L.LSTM(2, stateful=True)
    model = keras.Sequential([L.InputLayer(batch_input_shape=(SIZE, 3, 4)), holder])
    assert model._traits.stateful
    del holder.later
    assert not holder._traits.stateful
    assert not model._traits.stateful


def test_a_sublayer_that_makes_room_for_none_is_noticed() -> None:
    holder = Holder(L.Dense(4))
    holder.later = L.LSTM(2, stateful=True)
    model = keras.Sequential([L.InputLayer(batch_input_shape=(SIZE, 3, 4)), holder])
    assert model._traits.stateful
    holder.later = None
    assert not model._traits.stateful
