"""Compiled models whose curves are compared: here by `fit`, and in a process without this package by the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import torchkeras_compat as tk
from torchkeras_compat.layers import (
    GRU,
    LSTM,
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    LayerNormalization,
    LeakyReLU,
    Masking,
    MaxPooling2D,
    MultiHeadAttention,
    PReLU,
    SeparableConv2D,
    SimpleRNN,
    TimeDistributed,
    add,
    concatenate,
)
from torchkeras_compat.models import Model, Sequential
from torchkeras_compat.optimizers import schedules

SAMPLES, BATCH, EPOCHS = 50, 10, 6  # thirty steps


@dataclass(frozen=True)
class Curve:
    """One model, as it is compiled.

    Attributes:
        name: What the test calls it.
        model: Makes the model.
        compile: Makes the arguments of `compile`.
        targets: For each output what the targets are.
        dialect: The dialect of both.
    """

    name: str
    model: Callable[[], Any]
    compile: Callable[[], dict[str, Any]]
    targets: tuple[str, ...]
    dialect: str = "keras-2.15"


def perceptron(last: str | None = "softmax", units: int = 3, **options: Any) -> Callable[[], Any]:
    return lambda: Sequential([Dense(8, activation="tanh", input_shape=(5,), **options), Dense(units, activation=last)])


def pictures() -> Any:
    return Sequential(
        [
            Conv2D(4, 3, padding="same", input_shape=(8, 8, 2)),
            BatchNormalization(),
            Activation("relu"),
            MaxPooling2D(),
            SeparableConv2D(5, 3, activation="elu"),
            AveragePooling2D(padding="same"),
            Flatten(),
            Dense(3, activation="softmax"),
        ]
    )


def cells(last: str) -> Callable[[], Any]:
    return lambda: Sequential([Conv2D(4, 3, padding="same", input_shape=(5, 5, 2)), Conv2D(3, 1, activation=last)])


def slopes() -> Any:
    return Sequential(
        [Conv2D(2, 3, input_shape=(4, 4, 1)), PReLU("ones", "l2", shared_axes=[1, 2]), Flatten(), Dense(1)]
    )


def words(layer: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: Sequential([Embedding(9, 4, input_length=6), layer(), Dense(1, activation="sigmoid")])


def padded_words() -> Any:
    return Sequential(
        [Embedding(9, 4, mask_zero=True, input_length=6), GRU(5), LayerNormalization(), Dense(3, activation="softmax")]
    )


def steps() -> Any:
    return Sequential(
        [
            Conv1D(4, 3, padding="causal", activation="swish", input_shape=(6, 3)),
            Bidirectional(LSTM(3, return_sequences=True)),
            TimeDistributed(Dense(2)),
        ]
    )


def masked_steps() -> Any:
    return Sequential([Masking(input_shape=(6, 3)), SimpleRNN(4), PReLU(), Dense(1)])


def two_inputs() -> Any:
    left, right = tk.Input((5,), name="left"), tk.Input((6, 3), name="right")
    a, b = Dense(4, activation="relu")(left), GlobalMaxPooling1D()(Conv1D(4, 2)(right))
    joined = concatenate([add([a, b]), LeakyReLU()(b)])
    return Model([left, right], [Dense(3, activation="softmax", name="kind")(joined), Dense(2, name="size")(joined)])


def attentive() -> Any:
    x = tk.Input((6, 4))
    h = LayerNormalization()(add([x, MultiHeadAttention(2, 3)(x, x)]))
    return Model(x, Dense(3, activation="softmax")(GlobalAveragePooling1D()(h)))


def told(optimizer: Any, loss: Any, **more: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"optimizer": optimizer() if callable(optimizer) else optimizer, "loss": loss, **more}


OP, CLASSES, INDICES, BITS, NUMBERS = tk.optimizers, ("classes",), ("indices",), ("bits",), ("numbers",)
CCE, SCCE, BCE = "categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"
TWO = {"kind": CCE, "size": "mse"}

CURVES = [
    # optimizers
    Curve("sgd", perceptron(), told(lambda: OP.SGD(0.1), CCE), CLASSES),
    Curve("momentum", perceptron(), told(lambda: OP.SGD(0.1, momentum=0.9), SCCE), INDICES),
    Curve("nesterov", perceptron(), told(lambda: OP.SGD(0.1, momentum=0.9, nesterov=True), SCCE), INDICES),
    Curve("adam", perceptron(), told(lambda: OP.Adam(0.01), CCE), CLASSES),
    Curve("adam_large_epsilon", perceptron(), told(lambda: OP.Adam(0.02, epsilon=0.01), CCE), CLASSES),
    Curve("amsgrad", perceptron(), told(lambda: OP.Adam(0.02, beta_1=0.8, amsgrad=True), CCE), CLASSES),
    Curve("adamw", perceptron(), told(lambda: OP.AdamW(0.02, weight_decay=0.1), CCE), CLASSES),
    Curve("adamax", perceptron(), told(lambda: OP.Adamax(0.02), CCE), CLASSES),
    Curve("nadam", perceptron(), told(lambda: OP.Nadam(0.02), CCE), CLASSES),
    Curve("rmsprop", perceptron(), told(lambda: OP.RMSprop(0.01), CCE), CLASSES),
    Curve(
        "rmsprop_all", perceptron(), told(lambda: OP.RMSprop(0.01, rho=0.8, momentum=0.5, centered=True), CCE), CLASSES
    ),
    Curve("adagrad", perceptron(), told(lambda: OP.Adagrad(0.1), CCE), CLASSES),
    Curve("adadelta", perceptron(), told(lambda: OP.Adadelta(1.0), CCE), CLASSES),
    Curve("lion", perceptron(), told(lambda: OP.Lion(0.005), CCE), CLASSES),
    Curve("ftrl", perceptron(), told(lambda: OP.Ftrl(0.1, l1_regularization_strength=0.001, beta=0.1), CCE), CLASSES),
    Curve("sgd_that_decays_weights", perceptron(), told(lambda: OP.SGD(0.1, 0.9, weight_decay=0.1), CCE), CLASSES),
    Curve("classic_sgd", perceptron(), told(lambda: OP.SGD(0.1, momentum=0.9, decay=0.05), CCE), CLASSES, "keras-2.3"),
    Curve("classic_adam", perceptron(), told(lambda: OP.Adam(0.02, decay=0.05), CCE), CLASSES, "keras-2.2"),
    Curve("classic_rmsprop", perceptron(), told("rmsprop", CCE), CLASSES, "keras-1"),
    Curve("classic_adagrad", perceptron(), told("adagrad", CCE), CLASSES, "keras-2.3"),
    Curve("classic_adadelta", perceptron(), told("adadelta", CCE), CLASSES, "keras-2.3"),
    Curve("classic_nadam", perceptron(), told("nadam", CCE), CLASSES, "keras-2.3"),
    Curve("clipped_values", perceptron(), told(lambda: OP.SGD(0.5, clipvalue=0.01), CCE), CLASSES),
    Curve("clipped_norms", perceptron(), told(lambda: OP.SGD(0.5, clipnorm=0.05), CCE), CLASSES),
    Curve("clipped_together", perceptron(), told(lambda: OP.SGD(0.5, global_clipnorm=0.05), CCE), CLASSES),
    Curve("classic_clipnorm", perceptron(), told(lambda: OP.SGD(0.5, clipnorm=0.05), CCE), CLASSES, "keras-2.3"),
    # schedules
    Curve(
        "exponential", perceptron(), told(lambda: OP.SGD(schedules.ExponentialDecay(0.3, 5, 0.7), 0.9), CCE), CLASSES
    ),
    Curve(
        "staircase", perceptron(), told(lambda: OP.Adam(schedules.ExponentialDecay(0.1, 5, 0.7, True)), CCE), CLASSES
    ),
    Curve("inverse", perceptron(), told(lambda: OP.Adam(schedules.InverseTimeDecay(0.1, 5, 0.7)), CCE), CLASSES),
    Curve(
        "piecewise",
        perceptron(),
        told(lambda: OP.Adam(schedules.PiecewiseConstantDecay([4, 9], [0.1, 0.05, 0.01])), CCE),
        CLASSES,
    ),
    Curve(
        "polynomial", perceptron(), told(lambda: OP.Adam(schedules.PolynomialDecay(0.1, 9, power=2.0)), CCE), CLASSES
    ),
    Curve(
        "cosine",
        perceptron(),
        told(lambda: OP.Adam(schedules.CosineDecay(0.01, 9, 0.1, warmup_target=0.1, warmup_steps=5)), CCE),
        CLASSES,
    ),
    # losses
    *[
        Curve(loss, perceptron(None, 2), told(lambda: OP.SGD(0.05), loss), NUMBERS)
        for loss in ("mse", "mae", "huber", "log_cosh", "cosine_similarity")
    ],
    Curve("mape", perceptron(None, 2), told(lambda: OP.SGD(0.0001), "mape"), ("positive",)),
    *[
        Curve(f"{loss}_of_positives", perceptron("softplus", 2), told(lambda: OP.SGD(0.05), loss), ("positive",))
        for loss in ("msle", "poisson")
    ],
    *[
        Curve(loss, perceptron("tanh", 2), told(lambda: OP.SGD(0.05), loss), BITS)
        for loss in ("hinge", "squared_hinge")
    ],
    *[Curve(loss, perceptron(), told(lambda: OP.SGD(0.05), loss), CLASSES) for loss in ("categorical_hinge", "kld")],
    Curve("binary", perceptron("sigmoid", 2), told(lambda: OP.SGD(0.1), BCE), BITS),
    Curve("binary_after_softmax", perceptron("softmax", 2), told(lambda: OP.SGD(0.1), BCE), BITS),
    Curve("unfused", perceptron(), told(lambda: OP.SGD(0.1), CCE), CLASSES, "keras-2.2"),
    Curve("unfused_indices", perceptron(), told(lambda: OP.SGD(0.1), SCCE), INDICES, "keras-2.2"),
    Curve("unfused_binary", perceptron("sigmoid", 2), told(lambda: OP.SGD(0.1), BCE), BITS, "keras-2.2"),
    Curve("binary_of_probabilities", perceptron("hard_sigmoid", 2), told(lambda: OP.SGD(0.1), BCE), BITS),
    Curve(
        "from_logits",
        perceptron(None),
        lambda: {"optimizer": OP.SGD(0.1), "loss": tk.losses.CategoricalCrossentropy(True, label_smoothing=0.1)},
        CLASSES,
    ),
    Curve(
        "huber_of_another_size",
        perceptron(None, 2),
        lambda: {"optimizer": OP.SGD(0.1), "loss": tk.losses.Huber(0.3)},
        NUMBERS,
    ),
    Curve(
        "summed",
        perceptron(None, 2),
        lambda: {"optimizer": OP.SGD(0.01), "loss": tk.losses.MeanSquaredError(reduction="sum")},
        NUMBERS,
    ),
    # penalties and constraints
    Curve(
        "penalties",
        perceptron(kernel_regularizer=tk.regularizers.l1_l2(0.01, 0.02), bias_regularizer="l2"),
        told(lambda: OP.SGD(0.1), CCE),
        CLASSES,
    ),
    Curve("penalties_of_slopes", slopes, told(lambda: OP.SGD(0.1), "mse"), NUMBERS),
    Curve(
        "constraints",
        perceptron(kernel_constraint=tk.constraints.MaxNorm(0.5), bias_constraint="non_neg"),
        told(lambda: OP.SGD(0.3), CCE),
        CLASSES,
    ),
    # models
    Curve("pictures", pictures, told(lambda: OP.Adam(0.01), SCCE), INDICES),
    Curve("kinds_of_cells", cells("softmax"), told(lambda: OP.SGD(0.1), CCE), CLASSES),
    Curve("bits_of_cells", cells("sigmoid"), told(lambda: OP.SGD(0.1), BCE), BITS),
    Curve("lstm", words(lambda: LSTM(5)), told(lambda: OP.Adam(0.02), BCE), BITS),
    Curve("gru", words(lambda: GRU(5)), told(lambda: OP.RMSprop(0.01), BCE), BITS),
    Curve("classic_lstm", words(lambda: LSTM(5)), told(lambda: OP.Adam(0.02), BCE), BITS, "keras-2.2"),
    Curve("classic_gru", words(lambda: GRU(5)), told(lambda: OP.Adam(0.02), BCE), BITS, "keras-2.3"),
    Curve("padded_words", padded_words, told(lambda: OP.Adam(0.02), SCCE), INDICES),
    Curve("steps", steps, told(lambda: OP.Adam(0.02), "mse"), NUMBERS),
    Curve("masked_steps", masked_steps, told(lambda: OP.SGD(0.05), "mae"), NUMBERS),
    Curve("two_inputs", two_inputs, told(lambda: OP.SGD(0.05), TWO, loss_weights=[1.0, 0.3]), ("classes", "numbers")),
    Curve("attentive", attentive, told(lambda: OP.Adam(0.01), SCCE), INDICES),
]


def inputs_for(model: Any) -> list[np.ndarray]:
    """Return inputs for a model; every fourth step of a sequence is zero, as where it is padded."""
    random, arrays = np.random.RandomState(11), []
    for tensor in model.inputs:
        shape = (SAMPLES, *tensor.shape[1:])
        if model._takes_integers:
            arrays.append(random.randint(1, 9, shape) * (random.rand(*shape) > 0.25))
        else:
            arrays.append(random.standard_normal(shape).astype("float32"))
            if len(shape) == 3:
                arrays[-1][:, 1::4] = 0
    return arrays


def targets_for(model: Any, kinds: tuple[str, ...]) -> list[np.ndarray]:
    """Return targets for a model's outputs."""
    random, arrays = np.random.RandomState(12), []
    for tensor, kind in zip(model.outputs, kinds):
        shape = (SAMPLES, *tensor.shape[1:])
        indices = random.randint(0, shape[-1], shape[:-1])
        arrays.append(
            {
                "indices": indices,
                "classes": np.eye(shape[-1], dtype="float32")[indices],
                "bits": random.randint(0, 2, shape).astype("float32"),
                "numbers": random.standard_normal(shape).astype("float32"),
                "positive": random.uniform(0.5, 1.5, shape).astype("float32"),
            }[kind]
        )
    return arrays
