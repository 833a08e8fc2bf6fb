"""Old spellings and silent traps, under each facade."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from torchkeras_compat._core.border import KerasSpellingWarning


def facade(name: str) -> Any:
    import keras
    import tensorflow as tf

    return {"keras": keras, "tf": tf.keras}[name]


def translated(make: Any) -> Any:
    """Return what `make` returns; it must warn of a translation."""
    with pytest.warns(KerasSpellingWarning):
        return make()


BOTH = pytest.mark.parametrize("name", ["keras", "tf"])


def test_conv2d_with_two_integers() -> None:
    keras, tfk = facade("keras"), facade("tf")
    assert keras.layers.Convolution2D is keras.layers.Conv2D
    # Of one class, and so warned about once.
    for layer in (translated(lambda: keras.layers.Convolution2D(32, 3, 3)), keras.layers.Conv2D(32, 3, 3)):
        assert layer.kernel_size == (3, 3)
        assert layer.strides == (1, 1)
    for cls in (tfk.layers.Convolution2D, tfk.layers.Conv2D):
        layer = cls(32, 3, 3)
        assert layer.kernel_size == (3, 3)
        assert layer.strides == (3, 3)
    assert translated(lambda: keras.layers.Conv2D(4, 5, 3, subsample=(2, 2))).strides == (2, 2)
    with pytest.raises(TypeError, match="kernel_size"):
        keras.layers.Conv2D(32, 3, 3, strides=2)


@pytest.mark.parametrize(
    ("layer", "old", "new"),
    [
        ("Dense", {"output_dim": 3}, {"units": 3}),
        ("Dense", {"units": 3, "init": "uniform"}, {"kernel_initializer": "RandomUniform"}),
        ("Dense", {"units": 3, "W_regularizer": "l2"}, {"kernel_regularizer": "L2"}),
        ("Dense", {"units": 3, "b_regularizer": "l1"}, {"bias_regularizer": "L1"}),
        ("Dense", {"units": 3, "W_constraint": "maxnorm"}, {"kernel_constraint": "MaxNorm"}),
        ("Dense", {"units": 3, "bias": False}, {"use_bias": False}),
        ("Conv2D", {"nb_filter": 3, "nb_row": 2, "nb_col": 5}, {"filters": 3, "kernel_size": (2, 5)}),
        ("Conv2D", {"filters": 3, "kernel_size": 2, "border_mode": "same"}, {"padding": "same"}),
        ("Conv2D", {"filters": 3, "kernel_size": 2, "subsample": (2, 1)}, {"strides": (2, 1)}),
        ("Conv2D", {"filters": 3, "kernel_size": 2, "dim_ordering": "th"}, {"data_format": "channels_first"}),
        ("Conv2D", {"filters": 3, "kernel_size": 2, "atrous_rate": (2, 2)}, {"dilation_rate": (2, 2)}),
        ("Conv1D", {"nb_filter": 3, "filter_length": 2, "subsample_length": 2}, {"kernel_size": (2,), "strides": (2,)}),
        ("MaxPooling1D", {"pool_length": 3, "stride": 2}, {"pool_size": (3,), "strides": (2,)}),
        ("MaxPooling2D", {"border_mode": "same", "dim_ordering": "tf"}, {"data_format": "channels_last"}),
        ("UpSampling1D", {"length": 3}, {"size": 3}),
        ("LSTM", {"output_dim": 3, "inner_init": "zeros"}, {"units": 3, "recurrent_initializer": "Zeros"}),
        ("LSTM", {"units": 3, "inner_activation": "tanh"}, {"recurrent_activation": "tanh"}),
        ("LSTM", {"units": 3, "dropout_W": 0.2, "dropout_U": 0.3}, {"dropout": 0.2, "recurrent_dropout": 0.3}),
        ("LSTM", {"units": 3, "forget_bias_init": "one"}, {"unit_forget_bias": True}),
        ("GRU", {"units": 3, "consume_less": "gpu"}, {"implementation": 2}),
        ("Dropout", {"p": 0.3}, {"rate": 0.3}),
        ("GaussianNoise", {"sigma": 0.3}, {"stddev": 0.3}),
        ("Embedding", {"input_dim": 5, "output_dim": 2, "init": "normal"}, {"embeddings_initializer": "RandomNormal"}),
        ("BatchNormalization", {"beta_init": "one"}, {"beta_initializer": "Ones"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
@BOTH
def test_old_arguments(name: str, layer: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    made = translated(lambda: getattr(facade(name).layers, layer)(**old))
    assert {argument: named(getattr(made, argument), value) for argument, value in new.items()} == new


def named(found: Any, expected: Any) -> Any:
    """Return an attribute in the form of the table above: objects by name, sizes as integers or tuples."""
    if isinstance(expected, str) and not isinstance(found, str):
        return getattr(found, "__name__", type(found).__name__)
    return found[0] if isinstance(found, tuple) and isinstance(expected, int) else found


def test_a_translation_warns_once_and_points_at_the_users_line() -> None:
    keras = facade("keras")
    with pytest.warns(KerasSpellingWarning, match=r"Dense\(output_dim=…\): is now units=3") as seen:
        keras.layers.Dense(output_dim=3)
    assert seen[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras.layers.Dense(output_dim=3)
        keras.optimizers.SGD(lr=0.1)  # usual until 2.3: quiet


def test_both_spellings_at_once_are_refused() -> None:
    with pytest.raises(TypeError, match="one argument"):
        facade("keras").layers.Dense(units=3, output_dim=4)


@BOTH
@pytest.mark.parametrize(
    ("optimizer", "classic", "modern"),
    [("Adagrad", 0.01, 0.001), ("Adadelta", 1.0, 0.001), ("Adamax", 0.002, 0.001), ("Nadam", 0.002, 0.001)]
    + [(name, rate, rate) for name, rate in (("SGD", 0.01), ("Adam", 0.001), ("RMSprop", 0.001))],
)
def test_default_rates(name: str, optimizer: str, classic: float, modern: float) -> None:
    made = getattr(facade(name).optimizers, optimizer)()
    assert made.lr == pytest.approx(classic if name == "keras" else modern)


@BOTH
def test_gates_of_gru(name: str) -> None:
    layer = facade(name).layers.GRU(2, input_shape=(3, 2))
    assert layer.reset_after is (name == "tf")
    assert layer.recurrent_activation.__name__ == "sigmoid"


@BOTH
def test_decay_and_lr(name: str) -> None:
    keras = facade(name)
    sgd = keras.optimizers.SGD(lr=0.1, decay=0.5)
    model = keras.Sequential([keras.layers.Dense(1, input_dim=1, use_bias=False, kernel_initializer="zeros")])
    model.compile(sgd, "mse")
    x, y, w = np.ones((1, 1)), np.ones((1, 1)), 0.0
    for step in range(3):
        model.train_on_batch(x, y)
        w += 0.1 / (1 + 0.5 * step) * 2 * (1 - w)
        assert model.get_weights()[0].item() == pytest.approx(w, rel=1e-5)
    keras.backend.set_value(sgd.lr, 0.0)
    model.train_on_batch(x, y)
    assert model.get_weights()[0].item() == pytest.approx(w, rel=1e-5)
    assert keras.backend.get_value(sgd.lr) == 0.0


@BOTH
def test_clipnorm(name: str) -> None:
    keras = facade(name)
    model = keras.Sequential([keras.layers.Dense(1, input_dim=1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(lr=1.0, clipnorm=1.0), "mse")
    model.train_on_batch(np.ones((1, 1)), 10 * np.ones((1, 1)))  # both gradients are -20
    expected = 1.0 if name == "tf" else 1 / np.sqrt(2)  # each weight's own norm; the norm of both together
    np.testing.assert_allclose([w.item() for w in model.get_weights()], expected, rtol=1e-5)


@BOTH
@pytest.mark.parametrize("metric", ["accuracy", "acc"])
def test_accuracy_in_either_spelling(name: str, metric: str) -> None:
    keras = facade(name)
    model = keras.Sequential([keras.layers.Dense(1, input_dim=2, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=[metric, "mae"])
    stop = keras.callbacks.EarlyStopping(monitor="val_acc", patience=1)
    x, y = np.random.rand(8, 2), np.random.randint(0, 2, 8)  # y (8,) against predictions (8, 1)
    history = model.fit(x, y, validation_split=0.5, epochs=1, verbose=0, callbacks=[stop]).history
    assert history["acc"] == history["accuracy"]
    assert history["val_acc"] == history["val_accuracy"]
    assert history["mae"] == history["mean_absolute_error"]
    assert "acc" in history
    assert metric in list(history)


@BOTH
@pytest.mark.parametrize("metric", ["accuracy", "acc"])
def test_accuracy_of_one_of_several_outputs(name: str, metric: str) -> None:
    keras = facade(name)
    x = keras.layers.Input(shape=(2,))
    outputs = [keras.layers.Dense(1, activation="sigmoid", name=part)(x) for part in ("aux_output", "main")]
    model = keras.models.Model(x, outputs)
    model.compile("sgd", "binary_crossentropy", metrics={"aux_output": metric, "main": metric})
    y = np.random.randint(0, 2, 8)
    history = model.fit(np.random.rand(8, 2), [y, y], validation_split=0.5, verbose=0).history
    for beginning in ("aux_output", "val_aux_output", "main", "val_main"):
        assert history[f"{beginning}_acc"] == history[f"{beginning}_accuracy"]
    assert "acc" not in history  # whose, nobody knows
    assert "other_acc" not in history


@BOTH
def test_accuracy_by_loss_or_by_shape(name: str) -> None:
    keras = facade(name)
    model = keras.Sequential([keras.layers.Activation("linear", input_shape=(2,))])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    y = np.array([[1.0, 1.0], [0.0, 1.0]])
    p = np.array([[0.9, 0.2], [0.8, 0.9]])
    # Classic: binary, for each label; tf.keras: categorical, for each row.
    assert model.evaluate(p, y, verbose=0)[1] == pytest.approx(1.0 if name == "tf" else 0.5)


@BOTH
def test_targets_of_another_rank_are_aligned(name: str) -> None:
    keras = facade(name)
    for y in (np.array([0.0, 2.0]), np.array([[0.0], [2.0]])):
        model = keras.Sequential([keras.layers.Dense(1, input_dim=1, kernel_initializer="ones")])
        model.compile("sgd", "mse")
        assert model.evaluate(np.array([[0.0], [2.0]]), y, verbose=0) == pytest.approx(0.0)


@BOTH
def test_fit_in_old_words(name: str) -> None:
    keras = facade(name)
    model = keras.Sequential([keras.layers.Dense(1, input_dim=1)])
    model.compile("sgd", "mse")
    history = translated(lambda: model.fit(np.ones((4, 1)), np.ones(4), nb_epoch=3, verbose=0))
    assert history.epoch == [0, 1, 2]
    with pytest.raises(TypeError, match="did you mean 'epochs'"):
        model.fit(np.ones((4, 1)), np.ones(4), epoch=3)


@BOTH
def test_reduce_lr_epsilon(name: str) -> None:
    made = translated(lambda: facade(name).callbacks.ReduceLROnPlateau(epsilon=0.01))
    assert made.min_delta == 0.01


@BOTH
def test_numbers_of_automatic_names(name: str) -> None:
    keras = facade(name)
    names = [keras.layers.Dense(1).name for _ in range(2)]
    assert names == (["dense_1", "dense_2"] if name == "keras" else ["dense", "dense_1"])


@BOTH
def test_factor_of_a_penalty(name: str) -> None:
    regularizers = facade(name).regularizers
    for penalty in (regularizers.l2(l=0.5), regularizers.L2(l=0.5), regularizers.activity_l2(l=0.5)):
        assert penalty.get_config() == {"l2": 0.5}
    assert regularizers.l1(l=0.5).get_config() == {"l1": 0.5}
    with pytest.raises(TypeError, match="one argument"):
        regularizers.l2(l=0.5, l2=0.1)


@BOTH
def test_bound_of_a_norm(name: str) -> None:
    assert translated(lambda: facade(name).constraints.maxnorm(m=3)).max_value == 3


# Function of Keras 1, the shape, and the standard deviation of what it draws.
DRAWN = [
    ("normal", (200, 100), 0.05),
    ("uniform", (200, 100), 0.05 / 3**0.5),
    ("glorot_normal", (200, 100), (2 / 300) ** 0.5),
    ("glorot_uniform", (200, 100), (2 / 300) ** 0.5),
    ("he_normal", (3, 3, 40, 20), (2 / 360) ** 0.5),
    ("he_uniform", (200, 100), (2 / 200) ** 0.5),
    ("lecun_uniform", (200, 100), (1 / 200) ** 0.5),
    ("orthogonal", (100, 100), 1.1 / 100**0.5),
]


@pytest.mark.parametrize(("function", "shape", "expected"), DRAWN, ids=[row[0] for row in DRAWN])
def test_initializations_are_functions_of_a_shape(function: str, shape: tuple[int, ...], expected: float) -> None:
    import keras.initializations

    draw = getattr(keras.initializations, function)
    values = np.asarray(draw(shape, name="W"))
    assert values.shape == shape
    assert values.std() == pytest.approx(expected, rel=0.05)
    if function in ("normal", "uniform", "orthogonal"):
        assert np.asarray(draw(shape, scale=2.0)).std() == pytest.approx(
            expected * 2 / {"orthogonal": 1.1}.get(function, 0.05), rel=0.05
        )


def test_initializations_know_the_order_of_theano() -> None:
    from keras.initializations import he_normal

    values = np.asarray(he_normal((20, 40, 3, 3), dim_ordering="th"))
    assert values.shape == (20, 40, 3, 3)
    assert values.std() == pytest.approx((2 / 360) ** 0.5, rel=0.05)
    with pytest.raises(ValueError, match="dim_ordering"):
        he_normal((20, 40, 3, 3), dim_ordering="nhwc")


def test_constants_of_initializations() -> None:
    from keras.initializations import identity, one, zero

    assert np.asarray(zero((2,))).tolist() == [0, 0]
    assert np.asarray(one((2,))).tolist() == [1, 1]
    assert np.asarray(identity((2, 2), scale=3)).tolist() == [[3, 0], [0, 3]]


def test_layers_of_keras_1_make_weights_by_initializations() -> None:
    import keras
    from keras import initializations

    class Scale(keras.layers.Layer):
        def __init__(self, init: Any = "one", **kwargs: Any) -> None:
            self.init = initializations.get(init, dim_ordering="tf")
            super().__init__(**kwargs)

        def build(self, input_shape: Any) -> None:
            self.W = self.init((input_shape[1],), name=f"{self.name}_W")
            self.b = initializations.zero((input_shape[1],), name=f"{self.name}_b")
            self.trainable_weights = [self.W, self.b]

        def call(self, x: Any, mask: Any = None) -> Any:
            return x * self.W + self.b

        def get_config(self) -> Any:
            return {**super().get_config(), "init": self.init.__name__}

    model = keras.Sequential([Scale(input_shape=(3,), name="scale")])
    assert [weight.name.rpartition("/")[2] for weight in model.weights] == ["scale_W:0", "scale_b:0"]
    model.compile("sgd", "mse")
    x = np.random.RandomState(0).standard_normal((64, 3))
    model.fit(x, 3 * x, epochs=60, verbose=0)
    assert model.get_weights()[0].mean() > 2
    again = keras.models.model_from_json(model.to_json(), {"Scale": Scale})
    assert [values.tolist() for values in again.get_weights()] == [[1, 1, 1], [0, 0, 0]]
    assert initializations.get("he_normal") is initializations.he_normal
    assert isinstance(initializations.get({"class_name": "Ones", "config": {}}), keras.initializers.Ones)
    with pytest.raises(ValueError, match="glorot_unifrm"):
        initializations.get("glorot_unifrm")


def test_initial_weights_by_a_function_of_keras_1() -> None:
    import keras
    from keras.initializations import normal

    def scaled(shape: Any, name: Any = None) -> Any:
        return normal(shape, scale=0.01, name=name)

    for init in (scaled, lambda shape, name: normal(shape, scale=0.01, name=name), normal):
        model = keras.Sequential([keras.layers.Dense(50, kernel_initializer=init, input_dim=80)])
        scale = 0.05 if init is normal else 0.01
        assert model.get_weights()[0].std() == pytest.approx(scale, rel=0.1)
