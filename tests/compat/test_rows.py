"""Every row of the reference on old spellings, in each dialect, and that the tables have no row that is not tried."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat._core import registry
from torchkeras_compat._core.border import TABLES, KerasSpellingWarning
from torchkeras_compat._core.planned import Planned
from torchkeras_compat.compat.names import ALIASES

from . import reference_rows as rows
from .reference_rows import CLASSIC, EVERY, Row


@pytest.fixture(params=EVERY)
def dialect(request: pytest.FixtureRequest) -> str:
    """Make the test's objects under each dialect."""
    tk.set_dialect(request.param)
    return str(request.param)


def translated(quiet: bool) -> Any:
    """Return the block in which an old spelling is used: it must warn, unless it was the usual one until 2.3."""
    return contextlib.nullcontext() if quiet else pytest.warns(KerasSpellingWarning)


def config_of(made: Any) -> dict[str, Any]:
    config: dict[str, Any] = {**made.get_config(), "class": registry.class_name(made)}
    config.pop("name", None)
    return config


def keras() -> Any:
    import keras

    return keras


# What is an argument today as well: it goes without a warning.
OF_TODAY = {"input_dim", "input_length"}


# --- section 4 ---


@pytest.mark.parametrize(("old", "new"), rows.CLASSES.items(), ids=list(rows.CLASSES))
def test_classes(old: str, new: str, dialect: str) -> None:
    assert getattr(keras().layers, old) is getattr(keras().layers, new)
    assert registry.KINDS["layer"].find(old) is getattr(tk.layers, new)
    from tensorflow.keras import layers

    assert getattr(layers, old) is getattr(layers, new)


@pytest.mark.parametrize("name", rows.LAYERS_OF_THEIR_OWN)
def test_classes_of_their_own(name: str) -> None:
    kind = getattr(keras().layers, name)
    assert isinstance(kind, Planned) or kind.__name__ == name


@pytest.mark.parametrize("row", rows.ARGUMENTS, ids=str)
def test_arguments_of_layers(row: Row, dialect: str) -> None:
    quiet = row.quiet or not set(row.old) - set(row.new) - OF_TODAY
    with translated(quiet):
        old = getattr(keras().layers, row.name)(**row.old)
    new = getattr(keras().layers, row.canonical)(**row.new)
    assert config_of(old) == config_of(new)
    assert old.batch_input_shape == new.batch_input_shape


@pytest.mark.parametrize("case", rows.OTHER_ARGUMENTS, ids=lambda case: f"{case[1]}-{'-'.join(case[2])}")
def test_other_arguments(case: Any, dialect: str) -> None:
    part, name, old, new, quiet = case
    make = getattr(getattr(keras(), part), name)
    with translated(quiet):
        made, expected = make(**old), None
    expected = make(**new)
    for argument in new:
        got = getattr(made, argument)
        assert float(got) == pytest.approx(float(getattr(expected, argument)))
    with pytest.raises(TypeError, match="one argument"):
        make(**old, **new)


def spelled() -> set[tuple[str, str]]:
    """Return (class, old argument) of every row of the package's tables that belongs to a class of layers."""
    layers = registry.KINDS["layer"].entries
    found = {(owner, old) for owner, table in TABLES.spellings.items() if owner in layers for old in table}
    found |= {
        (owner, old) for owner, groups in TABLES.gathered.items() if owner in layers for g in groups for old in g.old
    }
    return found


def test_the_tables_have_no_row_that_is_not_tried() -> None:
    tried = {(row.canonical, old) for row in rows.ARGUMENTS for old in row.old}
    assert sorted(spelled() - tried - ELSEWHERE) == []


_1D = ("filter_length", "subsample_length")
_DEPTHWISE = "bias init b_regularizer b_constraint subsample border_mode atrous_rate dim_ordering"
# Rows that are there for a class that Keras 1 had not, or that share the table of a family: those of Keras 1's own
# classes are tried above, and by the same piece of data.
ELSEWHERE = {
    *(
        (name, old)
        for name in (
            "Conv2D",
            "Conv3D",
            "Conv2DTranspose",
            "Conv3DTranspose",
            "SeparableConv2D",
            "LocallyConnected2D",
            "ConvLSTM2D",
        )
        for old in _1D
    ),
    *((name, "atrous_rate") for name in ("LocallyConnected1D", "LocallyConnected2D", "ConvLSTM2D")),
    *(
        (name, old)
        for name in ("Conv1DTranspose", "SeparableConv1D", "DepthwiseConv1D", "DepthwiseConv2D")
        for old in (*_DEPTHWISE.split(), *_1D, "nb_filter", "W_regularizer", "W_constraint", "output_shape")
    ),
    ("SeparableConv2D", "W_regularizer"),
    ("SeparableConv2D", "W_constraint"),
    ("MaxPooling2D", "ignore_border"),  # test_keras_0
    *((f"Conv{n}DTranspose", "output_shape") for n in (2, 3)),  # test_convolution_spellings
    *(
        (f"{name}{n}D", "border_mode")
        for name in (
            "UpSampling",
            "ZeroPadding",
            "Cropping",
            "GlobalMaxPooling",
            "GlobalAveragePooling",
            "SpatialDropout",
        )
        for n in (2, 3)
    ),
    ("Flatten", "border_mode"),
    *(("Model", old) for old in ("input", "output")),  # test_models_by_their_old_arguments
    *(("SimpleRNN", old) for old in ("inner_activation", "forget_bias_init")),
    ("GRU", "forget_bias_init"),
}


def test_no_exception_outlives_its_row() -> None:
    unused = {pair for pair in ELSEWHERE - spelled() if pair[0] in registry.KINDS["layer"].entries}
    assert {old for _, old in unused} <= {
        "output_shape",
        "nb_filter",
        "W_regularizer",
        "W_constraint",
        *_1D,
        *_DEPTHWISE.split(),
    }


OLD_WORDS = sorted({old for table in rows.ARGUMENTS for old in table.old} - {"padding", "units", "filters"})
TODAY = ("Dense", "Conv2D", "MaxPooling2D", "LSTM", "Dropout", "Embedding", "BatchNormalization", "Activation")


@pytest.mark.parametrize("name", TODAY)
def test_old_words_apply_where_the_row_says(name: str, dialect: str) -> None:
    """An old argument of another class is refused, as an unknown one."""
    base = {
        "Dense": {"units": 2},
        "Conv2D": {"filters": 2, "kernel_size": 2},
        "LSTM": {"units": 2},
        "Dropout": {"rate": 0.2},
        "Embedding": {"input_dim": 4, "output_dim": 2},
        "Activation": {"activation": "relu"},
    }.get(name, {})
    cls = getattr(keras().layers, name)
    table = {*TABLES.spellings.get(name, ()), *(old for g in TABLES.gathered.get(name, ()) for old in g.old)}
    known = {argument for kind in cls.__mro__ for argument in inspect.signature(kind.__init__).parameters}
    others = [old for old in OLD_WORDS if old not in table | known]
    assert len(others) > 20
    for old in others:
        with pytest.raises(TypeError, match=rf"^{name}\({old}=1\): unknown argument; "):
            cls(**base, **{old: 1})


POSITIONAL = [
    ("Convolution2D", (8, 3, 5), {"kernel_size": (3, 5)}),
    ("Conv2D", (8, 3, 5), {"kernel_size": (3, 5)}),
    ("AtrousConvolution2D", (8, 3, 5), {"kernel_size": (3, 5)}),
    ("SeparableConvolution2D", (8, 3, 5), {"kernel_size": (3, 5)}),
    ("Convolution3D", (8, 2, 3, 4), {"kernel_size": (2, 3, 4)}),
    ("Deconvolution2D", (8, 3, 5, (None, 6, 9, 8)), {"kernel_size": (3, 5), "output_size": (6, 9)}),
]


@pytest.mark.parametrize(("name", "given", "expected"), POSITIONAL, ids=[case[0] for case in POSITIONAL])
def test_sizes_by_place(name: str, given: Any, expected: dict[str, Any], dialect: str) -> None:
    """Classic dialects read integers behind the filters as the kernel; tf.keras and 2.15 read the next arguments."""
    cls = getattr(keras().layers, name)
    if dialect in CLASSIC:
        with pytest.warns(KerasSpellingWarning):
            made = cls(*given)
        assert {argument: getattr(made, argument) for argument in expected} == expected
        assert set(made.strides) == {1}
        with pytest.raises(TypeError, match="kernel_size"):
            cls(*given[: 1 + len(expected["kernel_size"])], strides=2)
    elif len(given) == 3:
        made = cls(*given)
        assert (made.kernel_size, made.strides) == ((3, 3), (5, 5))
    else:
        with pytest.raises((ValueError, TypeError)):
            cls(*given)


def test_weights_are_set_once_the_layer_is_built(dialect: str) -> None:
    layers = keras().layers
    kernel, bias = np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0])
    table = np.arange(8.0).reshape(4, 2)
    model = tk.Sequential([layers.Dense(2, weights=[kernel, bias], input_dim=3)])
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    behind = tk.Sequential([layers.Embedding(4, 2, weights=[table], input_length=3), layers.LSTM(2)])
    np.testing.assert_array_equal(behind.get_weights()[0], table)
    late = layers.Dense(2, weights=[kernel, bias])
    tk.Sequential([layers.InputLayer((3,)), late])
    np.testing.assert_array_equal(late.get_weights()[1], bias)
    for name, shapes in (
        ("Conv1D", [(2, 3, 2), (2,)]),
        ("BatchNormalization", [(3,)] * 4),
        ("LSTM", [(3, 8), (2, 8), (8,)]),
    ):
        arrays = [np.full(shape, i + 1.0) for i, shape in enumerate(shapes)]
        args = {"Conv1D": (2, 2), "LSTM": (2,)}.get(name, ())
        made = tk.Sequential([getattr(layers, name)(*args, weights=arrays, input_shape=(5, 3))])
        for got, expected in zip(made.get_weights(), arrays, strict=True):
            np.testing.assert_array_equal(got, expected)
    with pytest.raises(ValueError, match="weights"):
        tk.Sequential([layers.Dense(2, weights=[kernel], input_dim=3)])


def test_models_by_their_old_arguments(dialect: str) -> None:
    x = keras().layers.Input((3,))
    with pytest.warns(KerasSpellingWarning):
        model = keras().models.Model(input=x, output=keras().layers.Dense(2)(x))
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))


def test_first_layers_say_their_shape_in_every_way(dialect: str) -> None:
    layers = keras().layers
    for make, shape in (
        (lambda: layers.Dense(2, input_dim=3), (None, 3)),
        (lambda: layers.Dense(2, input_shape=(4, 3)), (None, 4, 3)),
        (lambda: layers.Dense(2, batch_input_shape=(5, 3)), (5, 3)),
        (lambda: layers.Dense(2, input_shape=(3,), batch_size=5), (5, 3)),
        (lambda: layers.LSTM(2, input_dim=3, input_length=7), (None, 7, 3)),
        (lambda: layers.LSTM(2, input_dim=3), (None, None, 3)),
        (lambda: layers.Embedding(9, 2, input_length=7), (None, 7)),
        (lambda: layers.Dense(2, input_dim=3, input_dtype="float32"), (None, 3)),
    ):
        assert tk.Sequential([make()]).input_shape == shape


def test_how_a_recurrent_layer_is_computed_changes_nothing(dialect: str) -> None:
    x = np.random.RandomState(1).standard_normal((2, 5, 3)).astype("float32")
    weights, results = None, []
    for options in ({}, {"consume_less": "cpu"}, {"consume_less": "gpu"}, {"implementation": 1}, {"unroll": True}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", KerasSpellingWarning)
            layer = keras().layers.GRU(4, **options)
        layer.build((None, 5, 3))
        weights = layer.get_weights() if weights is None else weights
        layer.set_weights(weights)
        results.append(np.asarray(layer(x).detach()))
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-5, atol=1e-6)


# --- section 5: names ---


@pytest.mark.parametrize("name", rows.OPTIMIZERS)
def test_optimizers_by_name(name: str, dialect: str) -> None:
    cls = getattr(keras().optimizers, name)
    for spelling in (name, name.lower(), name.upper()):
        assert type(keras().optimizers.get(spelling)).__name__ == cls.__name__
    assert isinstance(getattr(keras().optimizers, name.lower())(), cls)
    made = getattr(keras().optimizers, name.lower())(lr=0.25)
    assert float(made.learning_rate) == 0.25


@pytest.mark.parametrize(("old", "new"), rows.LOSSES.items(), ids=list(rows.LOSSES))
def test_losses_by_name(old: str, new: str, dialect: str) -> None:
    random = np.random.RandomState(2)
    y, p = random.uniform(0.1, 0.9, (2, 4, 3)).astype("float32")
    for place in (keras().losses, keras().objectives, keras().metrics):
        got, expected = getattr(place, old)(y, p), getattr(place, new)(y, p)
        np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=1e-6)
    for spelling in (old, old.upper()) if old in ("mse", "mae", "mape", "msle", "kld") else (old,):
        model = tk.Sequential([tk.layers.Activation("linear", input_shape=(3,))])
        model.compile("sgd", spelling)
        other = tk.Sequential([tk.layers.Activation("linear", input_shape=(3,))])
        other.compile("sgd", new)
        assert model.evaluate(p, y, verbose=0) == pytest.approx(other.evaluate(p, y, verbose=0))


@pytest.mark.parametrize("name", rows.METRICS)
def test_metrics_by_name(name: str, dialect: str) -> None:
    assert callable(getattr(keras().metrics, name))
    model = tk.Sequential([tk.layers.Activation("linear", input_shape=(6,))])
    model.compile("sgd", "mse", metrics=[name])
    y = np.eye(6, dtype="float32")[[0, 1, 2, 3]]
    assert model.evaluate(y, y, verbose=0)[1] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("old", "canonical"), rows.INITIALIZERS.items(), ids=list(rows.INITIALIZERS))
def test_initializers_by_name(old: str, canonical: tuple[str, dict[str, Any]], dialect: str) -> None:
    name, settings = canonical
    for made in (keras().initializers.get(old), keras().initializers.get(old.upper())):
        assert type(made).__name__ == name
        assert settings.items() <= made.get_config().items()


@pytest.mark.parametrize(("old", "factors", "config"), rows.REGULARIZERS, ids=[row[0] for row in rows.REGULARIZERS])
def test_regularizers_by_name(old: str, factors: Any, config: dict[str, float], dialect: str) -> None:
    made = getattr(keras().regularizers, old)(*factors)
    assert made.get_config() == pytest.approx(config)
    w = np.array([[1.0, -2.0]], "float32")
    expected = config.get("l1", 0) * np.abs(w).sum() + config.get("l2", 0) * (w**2).sum()
    assert float(made(w)) == pytest.approx(expected)


@pytest.mark.parametrize(("old", "canonical"), rows.CONSTRAINTS.items(), ids=list(rows.CONSTRAINTS))
def test_constraints_by_name(old: str, canonical: str, dialect: str) -> None:
    assert type(getattr(keras().constraints, old)()).__name__ == canonical
    assert type(keras().constraints.get(old)).__name__ == canonical


def test_the_tables_of_names_have_no_row_that_is_not_tried() -> None:
    tried = {
        "layer": {*rows.CLASSES, *(f"Deconv{n}D" for n in (2, 3)), *(f"Convolution{n}DTranspose" for n in (1, 2, 3))}
        | {f"SeparableConvolution{n}D" for n in (1, 2)}
        | {"SyncBatchNormalization"},  # test_experimental_modules.py
        "initializer": set(rows.INITIALIZERS),
        "regularizer": {row[0] for row in rows.REGULARIZERS} | {"L1L2Regularizer"},
        "constraint": set(rows.CONSTRAINTS),
        "optimizer": {"LossScaleOptimizerV1", "LossScaleOptimizerV3"},  # tests/mixed_precision
    }
    assert {kind: sorted(set(names) - tried[kind]) for kind, names in ALIASES.items()} == {kind: [] for kind in ALIASES}


def test_helpers_by_their_old_names(dialect: str) -> None:
    K = keras().backend
    K.set_image_dim_ordering("th")
    assert (K.image_dim_ordering(), K.image_data_format()) == ("th", "channels_first")
    K.set_image_data_format("channels_last")
    assert K.image_dim_ordering() == "tf"
    assert keras().utils.visualize_util.plot is keras().utils.plot_model
    assert keras().utils.visualize_util.to_graph is keras().utils.model_to_dot
    for name in ("plot_model", "model_to_dot"):
        assert getattr(keras().utils.vis_utils, name) is getattr(keras().utils, name)
    model = tk.Sequential([tk.layers.Dense(1, input_dim=1)])
    with pytest.raises(RuntimeError, match="to_json"):
        model.to_yaml()
    with pytest.raises(RuntimeError, match="model_from_json"):
        keras().models.model_from_yaml("")


# --- section 6 ---


@pytest.mark.parametrize("name", rows.OPTIMIZERS)
def test_defaults_of_optimizers(name: str, dialect: str) -> None:
    made = getattr(keras().optimizers, name)()
    rate = {"SGD": 0.01}.get(name, 0.001)
    expected = rows.RATES.get(name, rate) if dialect in CLASSIC else rate
    assert float(made.learning_rate) == pytest.approx(expected)
    if name != "SGD":
        assert float(made.epsilon) == pytest.approx(rows.EPSILONS[dialect])
    if name == "Adagrad":
        assert made.initial_accumulator_value == pytest.approx(rows.ACCUMULATORS[dialect])


def test_defaults_of_layers(dialect: str) -> None:
    layers = keras().layers
    for name in ("LSTM", "GRU"):
        assert getattr(layers, name)(2).recurrent_activation.__name__ == rows.GATES[dialect]
    assert layers.GRU(2).reset_after is rows.RESET_AFTER[dialect]
    assert type(layers.Embedding(3, 2).embeddings_initializer).__name__ == "RandomUniform"
    for name in ("Dense", "LSTM"):
        assert type(getattr(layers, name)(2).kernel_initializer).__name__ == "GlorotUniform"
    assert keras().initializers.Orthogonal().gain == rows.ORTHOGONAL_GAINS[dialect]
    assert keras().backend.image_data_format() == "channels_last"


# --- section 5: training ---


class Batches:
    """A generator of batches of two samples that counts what was drawn."""

    def __init__(self) -> None:
        self.drawn = 0

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> Any:
        self.drawn += 1
        return np.ones((2, 1)), np.zeros(2)


@pytest.fixture
def model(dialect: str) -> Any:
    """A compiled model."""
    made = tk.Sequential([tk.layers.Dense(1, input_dim=1)])
    made.compile("sgd", "mse")
    return made


def test_epochs_in_old_words(model: Any) -> None:
    with pytest.warns(KerasSpellingWarning, match="epochs=3"):
        assert model.fit(np.ones((4, 1)), np.ones(4), nb_epoch=3, verbose=0).epoch == [0, 1, 2]


def test_generators_in_old_words(model: Any) -> None:
    """Lengths are samples: six of them are three batches of two."""
    train, valid = Batches(), Batches()
    steps: list[int] = []
    count = tk.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: steps.append(batch))
    with pytest.warns(KerasSpellingWarning) as warned:
        history = model.fit_generator(
            train,
            samples_per_epoch=6,
            nb_epoch=2,
            validation_data=valid,
            nb_val_samples=4,
            nb_worker=1,
            pickle_safe=False,
            max_q_size=3,
            verbose=0,
            callbacks=[count],
        )
    told = " ".join(str(one.message) for one in warned)
    for old in rows.GENERATOR_WORDS:
        assert f"fit_generator({old}=…)" in told, old
    assert history.epoch == [0, 1]
    assert steps == [0, 1, 2, 0, 1, 2]
    assert valid.drawn >= 4  # two batches an epoch


@pytest.mark.parametrize("call", ["evaluate_generator", "predict_generator"])
def test_lengths_of_other_generators(call: str, model: Any) -> None:
    with pytest.warns(KerasSpellingWarning) as warned:
        result = getattr(model, call)(Batches(), val_samples=6, max_q_size=2, nb_worker=1, pickle_safe=False)
    told = " ".join(str(one.message) for one in warned)
    assert f"{call}(val_samples=…): is now steps=6 samples" in told
    assert all(f"{call}({old}=…)" in told for old in ("max_q_size", "nb_worker", "pickle_safe"))
    if call == "predict_generator":
        assert len(result) == 6


@pytest.mark.parametrize("extra", [{}, {"nb_epoch": 1}])
def test_a_length_by_place(extra: dict[str, int], model: Any, dialect: str) -> None:
    """Samples in keras-1, and wherever another word of Keras 1 stands beside it; batches else."""
    steps: list[int] = []
    count = tk.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: steps.append(batch))
    by_samples = dialect == "keras-1" or bool(extra)
    with translated(not by_samples):
        model.fit_generator(Batches(), 6, verbose=0, callbacks=[count], **extra)
    assert len(steps) == (3 if by_samples else 6)


def test_compile_in_old_words(dialect: str) -> None:
    made = tk.Sequential([tk.layers.Dense(1, input_dim=1, activation="sigmoid")])
    with pytest.warns(KerasSpellingWarning) as warned:
        made.compile("sgd", "binary_crossentropy", class_mode="binary", show_accuracy=True)
    told = [str(one.message) for one in warned]
    assert any("class_mode" in text and "no effect" in text for text in told)
    assert any("show_accuracy" in text and "metrics=['accuracy']" in text for text in told)
    assert len(made.evaluate(np.ones((4, 1)), np.ones(4), verbose=0)) == 2


def binary(metrics: Any = None) -> Any:
    """Return a compiled model, the same at each call."""
    made = tk.Sequential([tk.layers.Dense(1, input_dim=2, activation="sigmoid")])
    made.set_weights([np.array([[0.5], [-1.0]]), np.zeros(1)])
    made.compile(tk.optimizers.Adam(0.1), "binary_crossentropy", metrics=metrics)
    return made


SHOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "fit": ("show_accuracy", {"verbose": 0, "shuffle": False, "epochs": 2, "validation_split": 0.5}),
    "evaluate": ("show_accuracy", {"verbose": 0}),
    "train_on_batch": ("accuracy", {}),
    "test_on_batch": ("accuracy", {}),
}


@pytest.mark.parametrize("call", SHOWN)
@pytest.mark.parametrize("metrics", [None, ["mae"], ["accuracy"]])
def test_accuracy_that_a_call_asks_for(call: str, metrics: Any, dialect: str) -> None:
    """Keras 0.x: the numbers of a model compiled with the metric, in this call alone; training goes on as without."""
    old, options = SHOWN[call]
    x, y = np.random.RandomState(0).standard_normal((8, 2)), np.array([0, 1] * 4)
    asked, quiet = binary(metrics), binary(metrics)
    compiled = binary([*(metrics or []), "accuracy"] if metrics != ["accuracy"] else metrics)
    told = rf"{call}\({old}=…\): counts in this call; write compile\(…, metrics="
    with pytest.warns(KerasSpellingWarning, match=told):
        seen = getattr(asked, call)(x, y, **{old: True}, **options)
    expected = getattr(compiled, call)(x, y, **options)
    if call == "fit":
        seen, expected = seen.history, expected.history
        assert any(key in expected for key in ("acc", "accuracy"))
    assert seen == expected
    getattr(quiet, call)(x, y, **options)
    assert asked.metrics_names == quiet.metrics_names
    assert [asked.train_on_batch(x, y) for _ in range(3)] == [quiet.train_on_batch(x, y) for _ in range(3)]
    for one, other in zip(asked.get_weights(), quiet.get_weights()):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore::torchkeras_compat._core.border.KerasSpellingWarning")
def test_accuracy_that_is_not_asked_for_and_calls_that_fail() -> None:
    x, y = np.ones((4, 2)), np.ones(4)
    made = binary()
    assert list(made.fit(x, y, verbose=0, show_accuracy=False).history) == ["loss"]
    with pytest.raises(TypeError, match="epochz"):
        made.fit(x, y, show_accuracy=True, epochz=1)
    with pytest.raises(ValueError, match=r"rows|samples|length"):
        made.fit(x, np.ones(3), verbose=0, show_accuracy=True)
    assert made.metrics_names == ["loss"]
    with pytest.raises(RuntimeError, match="fit: the model is not compiled"):
        tk.Sequential([tk.layers.Dense(1, input_dim=2)]).fit(x, y, show_accuracy=True)


def test_what_is_kept(dialect: str) -> None:
    made = tk.Sequential([tk.layers.LSTM(3, return_sequences=True, stateful=True, batch_input_shape=(2, 4, 1))])
    made.add(tk.layers.Dense(2, activation="softmax"))
    made.compile("sgd", "categorical_crossentropy", sample_weight_mode="temporal", metrics=["mae"])
    x, y = np.ones((2, 4, 1)), np.eye(2)[np.zeros((2, 4), int)]
    weights = np.array([[1, 0, 0, 0], [0, 0, 0, 0]], "float32")
    made.fit(x, y, sample_weight=weights, batch_size=2, verbose=0)
    made.reset_states()
    proba = made.predict_proba(x, batch_size=2, verbose=0)
    made.reset_states()
    assert np.array_equal(made.predict_classes(x, batch_size=2, verbose=0), proba.argmax(-1))
    assert made.model is made
    assert made.metrics_names[0] == "loss"
    assert len(made.metrics_names) == 2
    saved = tk.callbacks.ModelCheckpoint("weights.h5", save_weights_only=True, period=5)
    assert saved.period == 5


COMPILE_WORDS = ("experimental_run_tf_function", "experimental_steps_per_execution", "pss_evaluation_shards")


@pytest.mark.filterwarnings("ignore::torchkeras_compat._core.border.KerasSpellingWarning")
def test_words_of_compile_in_tensorflow(model: Any, dialect: str) -> None:
    model.compile("sgd", "mse", experimental_run_tf_function=False, pss_evaluation_shards=0)
    model.compile("sgd", "mse", experimental_steps_per_execution=3)
    assert model.steps_per_execution == 3
    with pytest.raises(ValueError, match="no parameter servers here; leave it out"):
        model.compile("sgd", "mse", pss_evaluation_shards=2)


def test_calls_of_the_tables_are_tried() -> None:
    tried = {
        "Trainer.compile": {"class_mode", "show_accuracy", *COMPILE_WORDS},
        "Trainer.fit": {"nb_epoch", "samples_per_epoch", "nb_val_samples", "show_accuracy"},
        "Trainer.evaluate": {"val_samples", "show_accuracy"},
        "Trainer.predict": {"val_samples"},
        "BatchCalls.train_on_batch": {"accuracy"},
        "BatchCalls.test_on_batch": {"accuracy"},
        "ClassicCalls.fit_generator": {*rows.GENERATOR_WORDS, "show_accuracy"},
        "ClassicCalls.evaluate_generator": {"val_samples", "nb_worker", "pickle_safe", "max_q_size", "show_accuracy"},
        "ClassicCalls.predict_generator": {"val_samples", "nb_worker", "pickle_safe", "max_q_size"},
    }
    assert {owner: set(TABLES.spellings[owner]) for owner in tried} == tried


@pytest.mark.parametrize("call", ["fit", "evaluate", "predict"])
def test_lengths_where_the_call_takes_generators_too(call: str, model: Any) -> None:
    batches = Batches()
    old = {"fit": {"samples_per_epoch": 6}}.get(call, {"val_samples": 6})
    source = batches if call != "predict" else (x for x, _ in batches)
    with pytest.warns(KerasSpellingWarning, match="6 samples"):
        result = getattr(model, call)(source, verbose=0, **old)
    if call == "predict":
        assert len(result) == 6
    assert batches.drawn in (3, 4)


# --- keras.backend of Keras 1 ---


def image(*shape: int) -> Any:
    return np.random.RandomState(6).standard_normal(shape).astype("float32")


IMAGES, VOLUMES, KERNEL = image(2, 4, 6, 3), image(2, 3, 4, 6, 3), image(2, 2, 3, 4)
FIRST, STEPS = IMAGES.transpose(0, 3, 1, 2), (IMAGES[:, 0], KERNEL[0])
# Function, (arguments in old words, by place and by name), the same in today's.
Call = tuple[tuple[Any, ...], dict[str, Any]]
OF_BACKEND: list[tuple[str, Call, Call]] = [
    (
        "conv1d",
        ((*STEPS, 2), {"border_mode": "same"}),
        ((*STEPS, 2), {"padding": "same"}),
    ),
    ("conv1d", (STEPS, {"stride": 2}), (STEPS, {"strides": 2})),
    (
        "conv2d",
        ((IMAGES, KERNEL), {"border_mode": "same", "dim_ordering": "tf"}),
        ((IMAGES, KERNEL), {"padding": "same"}),
    ),
    (
        "conv2d",
        ((IMAGES, KERNEL, (1, 1), "valid", "tf"), {"image_shape": (2, 4, 6, 3), "filter_shape": None}),
        ((IMAGES, KERNEL), {}),
    ),
    (
        "conv2d_transpose",
        ((IMAGES, KERNEL.transpose(0, 1, 3, 2), (2, 5, 7, 4)), {"border_mode": "valid", "dim_ordering": "tf"}),
        ((IMAGES, KERNEL.transpose(0, 1, 3, 2), (2, 5, 7, 4)), {}),
    ),
    ("expand_dims", ((IMAGES,), {"dim": 1}), ((IMAGES, 1), {})),
    ("one_hot", (([1, 0],), {"nb_classes": 3}), (([1, 0], 3), {})),
    ("batch_get_value", ((), {"xs": [IMAGES]}), (([IMAGES],), {})),
    ("size", ((IMAGES,), {"name": "n"}), ((IMAGES,), {})),
    ("conv2d", ((IMAGES, KERNEL), {"filter_dilation": (2, 2)}), ((IMAGES, KERNEL), {"dilation_rate": (2, 2)})),
    (
        "conv3d",
        ((VOLUMES, KERNEL[None]), {"border_mode": "same", "dim_ordering": "default", "volume_shape": None}),
        ((VOLUMES, KERNEL[None]), {"padding": "same"}),
    ),
    (
        "separable_conv2d",
        ((IMAGES, KERNEL, image(1, 1, 12, 5), (1, 1), "same", "tf"), {}),
        ((IMAGES, KERNEL, image(1, 1, 12, 5)), {"padding": "same"}),
    ),
    (
        "pool2d",
        ((IMAGES, (2, 2), (1, 1), "same", "tf", "avg"), {}),
        ((IMAGES, (2, 2)), {"padding": "same", "pool_mode": "avg"}),
    ),
    (
        "pool3d",
        ((VOLUMES, (1, 2, 2)), {"border_mode": "same", "dim_ordering": "tf"}),
        ((VOLUMES, (1, 2, 2)), {"padding": "same"}),
    ),
    ("resize_images", ((IMAGES, 2, 3, "tf"), {}), ((IMAGES, 2, 3, "channels_last"), {})),
    ("resize_images", ((IMAGES, 2, 3), {"dim_ordering": "th"}), ((IMAGES, 2, 3, "channels_first"), {})),
    ("resize_volumes", ((VOLUMES, 2, 1, 2, "tf"), {}), ((VOLUMES, 2, 1, 2, "channels_last"), {})),
    ("spatial_2d_padding", ((IMAGES, (1, 2), "tf"), {}), ((IMAGES, ((1, 1), (2, 2))), {})),
    (
        "spatial_2d_padding",
        ((IMAGES,), {"padding": (1, 2), "dim_ordering": "th"}),
        ((IMAGES, ((1, 1), (2, 2)), "channels_first"), {}),
    ),
    ("spatial_3d_padding", ((VOLUMES, (1, 2, 3)), {"dim_ordering": "tf"}), ((VOLUMES, ((1, 1), (2, 2), (3, 3))), {})),
    ("bias_add", ((IMAGES, image(3), "default"), {}), ((IMAGES, image(3)), {})),
]


@pytest.mark.filterwarnings("ignore::torchkeras_compat._core.border.KerasSpellingWarning")
@pytest.mark.parametrize(("name", "old", "new"), OF_BACKEND, ids=[f"{row[0]}-{i}" for i, row in enumerate(OF_BACKEND)])
def test_functions_of_the_backend(name: str, old: Call, new: Call, dialect: str) -> None:
    for backend in (keras().backend, tk.backend):
        function = getattr(backend, name)
        np.testing.assert_array_equal(function(*old[0], **old[1]), function(*new[0], **new[1]))


def test_draws_of_the_backend(dialect: str) -> None:
    K = tk.backend
    with pytest.warns(KerasSpellingWarning, match=r"^random_normal\(std=…\): is now stddev=2.0"):
        assert np.asarray(K.random_normal((40000,), mean=1.0, std=2.0)).std() == pytest.approx(2.0, rel=0.02)
    with pytest.warns(KerasSpellingWarning) as warned:
        drawn = np.asarray(K.random_uniform((40000,), low=-3.0, high=5.0))
    assert len(warned) == 2
    assert (drawn.min(), drawn.max()) == pytest.approx((-3.0, 5.0), abs=0.01)


def test_the_tables_of_the_backend_are_tried() -> None:
    elsewhere = "random_normal random_uniform set_epsilon set_floatx ctc_decode moving_average_update"  # tests/backend
    tried = {name for name, _, _ in OF_BACKEND} | set(elsewhere.split())
    assert {owner.partition(".")[2] for owner in TABLES.spellings if owner.startswith("K.")} == tried


@pytest.mark.parametrize("name", ["conv2d", "conv3d", "separable_conv2d", "conv2d_transpose"])
def test_theanos_order_of_kernels_is_refused(name: str, dialect: str) -> None:
    """In Keras 1 it went for the kernels, too, which are in one order today."""
    more = {"separable_conv2d": (KERNEL,), "conv2d_transpose": ((2, 5, 7, 4),)}.get(name, ())
    with pytest.raises(ValueError, match=r"K\.permute_dimensions\(kernel, \(2, 3, 1, 0\)\)"):
        getattr(tk.backend, name)(FIRST, KERNEL, *more, dim_ordering="th")
    with pytest.raises(ValueError, match=r"K\.permute_dimensions\(kernel, \(2, 3, 1, 0\)\)"):
        getattr(tk.backend, name)(FIRST, KERNEL, *more, (1, 1), "valid", "th")


@pytest.mark.parametrize("name", ["categorical_crossentropy", "binary_crossentropy", "sparse_categorical_crossentropy"])
def test_the_order_of_a_crossentropy(name: str, dialect: str) -> None:
    """Keras 1 has the output first, by place (`keras/backend/tensorflow_backend.py`, 1.2.2); 2.0 the target."""
    K = tk.backend
    output = np.array([[0.2, 0.8], [0.6, 0.4]], "float32")
    target = np.array([[0.0, 1.0], [1.0, 0.0]], "float32")
    logs = -np.log(output)
    expected = {
        "categorical_crossentropy": (target * logs).sum(-1),
        "binary_crossentropy": -target * np.log(output) - (1 - target) * np.log(1 - output),
        "sparse_categorical_crossentropy": (target * logs).sum(-1),
    }[name]
    target = target.argmax(-1) if name.startswith("sparse") else target
    given = (output, target) if dialect == "keras-1" else (target, output)
    function = getattr(K, name)
    np.testing.assert_allclose(np.asarray(function(*given)).reshape(expected.shape), expected, rtol=1e-4)
    by_name = function(target=target, output=output)
    np.testing.assert_allclose(np.asarray(by_name).reshape(expected.shape), expected, rtol=1e-4)


def test_a_loss_that_calls_a_crossentropy(dialect: str) -> None:
    """The model's own losses know nothing of the order by place."""
    made = tk.Sequential([tk.layers.Activation("linear", input_shape=(2,))])
    x, y = np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    made.compile("sgd", "categorical_crossentropy", metrics=["categorical_crossentropy"])
    expected = -(np.log(0.8) + np.log(0.6)) / 2
    assert made.evaluate(x, y, verbose=0) == pytest.approx([expected, expected], rel=1e-4)
