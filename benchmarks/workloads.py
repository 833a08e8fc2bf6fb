"""The workloads of the Sequential guide, written once for every implementation of the Keras interface.

Each builder takes the implementation's `models`, `layers` and `optimizers` modules and returns a compiled model;
each data function returns numpy arrays.  `epochs` is what one timed `fit` runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Workload:
    name: str
    data: Callable[..., Any]  # rng -> (x, y)
    build: Callable[..., Any]  # (models, layers, optimizers) -> compiled model
    batch_size: int
    epochs: int
    shuffle: bool = True


def one_hot(rng, n, classes):
    return np.eye(classes, dtype="float32")[rng.integers(0, classes, n)]


# --- guide: binary classification, 100 features -------------------------------------------------
def dense100_data(rng):
    return rng.random((1000, 100), dtype="float32"), rng.integers(0, 2, (1000, 1)).astype("float32")


def dense100(models, L, optimizers):
    m = models.Sequential([L.Dense(32, activation="relu", input_shape=(100,)), L.Dense(1, activation="sigmoid")])
    m.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    return m


# --- guide: MLP for multi-class softmax ----------------------------------------------------------
def mlp_softmax_data(rng):
    return rng.random((1000, 20), dtype="float32"), one_hot(rng, 1000, 10)


def mlp_softmax(models, L, optimizers):
    m = models.Sequential(
        [
            L.Dense(64, activation="relu", input_shape=(20,)),
            L.Dropout(0.5),
            L.Dense(64, activation="relu"),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )
    m.compile(
        loss="categorical_crossentropy",
        optimizer=optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=True),
        metrics=["accuracy"],
    )
    return m


# --- guide: MLP for binary classification --------------------------------------------------------
def mlp_binary_data(rng):
    return rng.random((1000, 20), dtype="float32"), rng.integers(0, 2, (1000, 1)).astype("float32")


def mlp_binary(models, L, optimizers):
    m = models.Sequential(
        [
            L.Dense(64, activation="relu", input_shape=(20,)),
            L.Dropout(0.5),
            L.Dense(64, activation="relu"),
            L.Dropout(0.5),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    m.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return m


# --- guide: VGG-like convnet -----------------------------------------------------------------------
def vgg_data(rng):
    return rng.random((100, 100, 100, 3), dtype="float32"), one_hot(rng, 100, 10)


def vgg(models, L, optimizers):
    m = models.Sequential(
        [
            L.Conv2D(32, (3, 3), activation="relu", input_shape=(100, 100, 3)),
            L.Conv2D(32, (3, 3), activation="relu"),
            L.MaxPooling2D(pool_size=(2, 2)),
            L.Dropout(0.25),
            L.Conv2D(64, (3, 3), activation="relu"),
            L.Conv2D(64, (3, 3), activation="relu"),
            L.MaxPooling2D(pool_size=(2, 2)),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(256, activation="relu"),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )
    m.compile(
        loss="categorical_crossentropy", optimizer=optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=True)
    )
    return m


# --- guide: sequence classification with an LSTM (sizes of the IMDB example) -----------------------
def imdb_lstm_data(rng):
    return rng.integers(0, 20000, (320, 80)).astype("int32"), rng.integers(0, 2, (320, 1)).astype("float32")


def imdb_lstm(models, L, optimizers):
    m = models.Sequential(
        [L.Embedding(20000, output_dim=256), L.LSTM(128), L.Dropout(0.5), L.Dense(1, activation="sigmoid")]
    )
    m.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return m


# --- guide: sequence classification with 1D convolutions -------------------------------------------
def conv1d_data(rng):
    return rng.random((320, 64, 100), dtype="float32"), rng.integers(0, 2, (320, 1)).astype("float32")


def conv1d(models, L, optimizers):
    m = models.Sequential(
        [
            L.Conv1D(64, 3, activation="relu", input_shape=(64, 100)),
            L.Conv1D(64, 3, activation="relu"),
            L.MaxPooling1D(3),
            L.Conv1D(128, 3, activation="relu"),
            L.Conv1D(128, 3, activation="relu"),
            L.GlobalAveragePooling1D(),
            L.Dropout(0.5),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    m.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return m


# --- guide: stacked LSTM -----------------------------------------------------------------------------
def stacked_lstm_data(rng):
    return rng.random((1000, 8, 16), dtype="float32"), rng.random((1000, 10), dtype="float32")


def stacked_lstm(models, L, optimizers):
    m = models.Sequential(
        [
            L.LSTM(32, return_sequences=True, input_shape=(8, 16)),
            L.LSTM(32, return_sequences=True),
            L.LSTM(32),
            L.Dense(10, activation="softmax"),
        ]
    )
    m.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return m


# --- guide: the same, stateful ------------------------------------------------------------------------
def stateful_lstm_data(rng):
    return rng.random((320, 8, 16), dtype="float32"), rng.random((320, 10), dtype="float32")


def stateful_lstm(models, L, optimizers):
    # Keras 3 spells `batch_input_shape` as an Input layer with a batch size.
    try:
        first = [L.LSTM(32, return_sequences=True, stateful=True, batch_input_shape=(32, 8, 16))]
    except (TypeError, ValueError):
        first = [L.Input(batch_shape=(32, 8, 16)), L.LSTM(32, return_sequences=True, stateful=True)]
    m = models.Sequential(
        first
        + [
            L.LSTM(32, return_sequences=True, stateful=True),
            L.LSTM(32, stateful=True),
            L.Dense(10, activation="softmax"),
        ]
    )
    m.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return m


# --- the examples folder: MNIST MLP and CNN shapes -----------------------------------------------------
def mnist_mlp_data(rng):
    return rng.random((5120, 784), dtype="float32"), one_hot(rng, 5120, 10)


def mnist_mlp(models, L, optimizers):
    m = models.Sequential(
        [
            L.Dense(512, activation="relu", input_shape=(784,)),
            L.Dropout(0.2),
            L.Dense(512, activation="relu"),
            L.Dropout(0.2),
            L.Dense(10, activation="softmax"),
        ]
    )
    m.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    return m


def mnist_cnn_data(rng):
    return rng.random((1280, 28, 28, 1), dtype="float32"), one_hot(rng, 1280, 10)


def mnist_cnn(models, L, optimizers):
    m = models.Sequential(
        [
            L.Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=(28, 28, 1)),
            L.Conv2D(64, (3, 3), activation="relu"),
            L.MaxPooling2D(pool_size=(2, 2)),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(128, activation="relu"),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )
    m.compile(loss="categorical_crossentropy", optimizer="adadelta", metrics=["accuracy"])
    return m


WORKLOADS = {
    w.name: w
    for w in [
        Workload("dense100", dense100_data, dense100, 32, 20),
        Workload("mlp_softmax", mlp_softmax_data, mlp_softmax, 128, 40),
        Workload("mlp_binary", mlp_binary_data, mlp_binary, 128, 40),
        Workload("vgg", vgg_data, vgg, 32, 1),
        Workload("imdb_lstm", imdb_lstm_data, imdb_lstm, 16, 1),
        Workload("conv1d", conv1d_data, conv1d, 16, 4),
        Workload("stacked_lstm", stacked_lstm_data, stacked_lstm, 64, 5),
        Workload("stateful_lstm", stateful_lstm_data, stateful_lstm, 32, 5, shuffle=False),
        Workload("mnist_mlp", mnist_mlp_data, mnist_mlp, 128, 2),
        Workload("mnist_cnn", mnist_cnn_data, mnist_cnn, 128, 1),
    ]
}
