"""Chains around every layer of Keras 2.15, small: the name of the model → the shape of its input, and its layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.golden.models.case import Array, Case, real, tokens

Layers = Callable[[Any], list[Any]]

IMAGE, SEQUENCE, VOLUME, FEATURES = (6, 6, 3), (7, 4), (4, 5, 4, 2), (5,)
REGULAR = {"kernel_regularizer": "l2", "bias_constraint": "max_norm", "activity_regularizer": "l1"}


def _gates(**more: Any) -> dict[str, Any]:
    return {"units": 3, "return_sequences": True, **more}


CHAINS: dict[str, tuple[Any, Layers]] = {
    # core
    "dense": (FEATURES, lambda L: [L.Dense(4, activation="tanh"), L.Dense(3, use_bias=False)]),
    "dense_options": (FEATURES, lambda L: [L.Dense(4, kernel_initializer="he_normal", **REGULAR)]),
    "activation": (FEATURES, lambda L: [L.Dense(4), L.Activation("swish"), L.Activation("softsign")]),
    "dropouts": (SEQUENCE, lambda L: [L.Dropout(0.3), L.SpatialDropout1D(0.2), L.GaussianNoise(0.1)]),
    "alpha_dropout": (SEQUENCE, lambda L: [L.Dense(3, "selu"), L.AlphaDropout(0.1)]),
    "gaussian_dropout": (FEATURES, lambda L: [L.Dense(4), L.GaussianDropout(0.2)]),
    "reshaping": (SEQUENCE, lambda L: [L.Permute((2, 1)), L.Reshape((14, 2)), L.Flatten(), L.RepeatVector(2)]),
    "masking": (SEQUENCE, lambda L: [L.Masking(0.5), L.LSTM(3)]),
    "embedding": (tokens(6, 9), lambda L: [L.Embedding(9, 4, mask_zero=True), L.GRU(3)]),
    "embedding_flat": (tokens(6, 9), lambda L: [L.Embedding(9, 4), L.Flatten()]),
    "activity": (FEATURES, lambda L: [L.Dense(4), L.ActivityRegularization(0.01, 0.02)]),
    "einsum_dense": (SEQUENCE, lambda L: [L.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d")]),
    # advanced activations
    "prelu": (IMAGE, lambda L: [L.Conv2D(2, 3), L.PReLU(shared_axes=[1, 2])]),
    "leaky_relu": (FEATURES, lambda L: [L.Dense(4), L.LeakyReLU()]),
    "elu": (FEATURES, lambda L: [L.Dense(4), L.ELU(0.7)]),
    "relu": (FEATURES, lambda L: [L.Dense(4), L.ReLU(2.0, 0.1, 0.2)]),
    "softmax": (FEATURES, lambda L: [L.Dense(4), L.Softmax()]),
    # convolutions
    "conv1d": (SEQUENCE, lambda L: [L.Conv1D(3, 3, strides=2, padding="same"), L.Conv1D(2, 2, padding="causal")]),
    "conv2d": (IMAGE, lambda L: [L.Conv2D(4, 3, padding="same", activation="relu"), L.Conv2D(2, (3, 2), strides=2)]),
    "conv2d_dilated": (IMAGE, lambda L: [L.Conv2D(3, 2, dilation_rate=2), L.Conv2D(3, 1, groups=3)]),
    "conv3d": (VOLUME, lambda L: [L.Conv3D(3, 2, padding="same"), L.Conv3D(2, (2, 3, 1))]),
    "conv1d_transpose": (SEQUENCE, lambda L: [L.Conv1DTranspose(3, 3, strides=2, padding="same")]),
    "conv2d_transpose": (
        IMAGE,
        lambda L: [L.Conv2DTranspose(3, 3, strides=2), L.Conv2DTranspose(2, 2, padding="same")],
    ),
    "conv3d_transpose": (VOLUME, lambda L: [L.Conv3DTranspose(2, 2, strides=2)]),
    "depthwise": (IMAGE, lambda L: [L.DepthwiseConv2D(3, depth_multiplier=2, padding="same")]),
    "depthwise1d": (SEQUENCE, lambda L: [L.DepthwiseConv1D(3, strides=2)]),
    "separable": (IMAGE, lambda L: [L.SeparableConv2D(4, 3, depth_multiplier=2)]),
    "separable1d": (SEQUENCE, lambda L: [L.SeparableConv1D(4, 3, padding="same")]),
    "locally_connected1d": (SEQUENCE, lambda L: [L.LocallyConnected1D(3, 2)]),
    "locally_connected2d": (IMAGE, lambda L: [L.LocallyConnected2D(3, 2)]),
    # pooling and the space around
    "pooling1d": (
        SEQUENCE,
        lambda L: [L.MaxPooling1D(2), L.AveragePooling1D(2, padding="same"), L.GlobalMaxPooling1D()],
    ),
    "pooling2d": (IMAGE, lambda L: [L.MaxPooling2D(2), L.AveragePooling2D(2, 1), L.GlobalAveragePooling2D()]),
    "pooling3d": (VOLUME, lambda L: [L.MaxPooling3D(2, 1), L.AveragePooling3D(2, 1), L.GlobalAveragePooling3D()]),
    "global_max": (IMAGE, lambda L: [L.Conv2D(3, 2), L.GlobalMaxPooling2D(keepdims=True)]),
    "padding": (IMAGE, lambda L: [L.ZeroPadding2D(((1, 2), (0, 1))), L.Cropping2D(1), L.UpSampling2D(2)]),
    "padding1d": (SEQUENCE, lambda L: [L.ZeroPadding1D((1, 2)), L.Cropping1D(1), L.UpSampling1D(2)]),
    "padding3d": (VOLUME, lambda L: [L.ZeroPadding3D(1), L.Cropping3D(1), L.UpSampling3D(2)]),
    "upsampling": (IMAGE, lambda L: [L.UpSampling2D((2, 3), interpolation="bilinear"), L.Conv2D(2, 3)]),
    # normalisation
    "batch_norm": (
        IMAGE,
        lambda L: [L.Conv2D(3, 2), L.BatchNormalization(momentum=0.9), L.BatchNormalization(scale=False)],
    ),
    "batch_norm_axis": (IMAGE, lambda L: [L.BatchNormalization(axis=1, epsilon=0.01, center=False)]),
    "layer_norm": (SEQUENCE, lambda L: [L.LayerNormalization(), L.LayerNormalization(axis=[1, 2])]),
    "group_norm": ((6, 6, 4), lambda L: [L.GroupNormalization(2)]),
    "unit_norm": (FEATURES, lambda L: [L.Dense(4), L.UnitNormalization()]),
    "spectral_norm": (FEATURES, lambda L: [L.SpectralNormalization(L.Dense(4))]),
    # recurrent
    "simple_rnn": (SEQUENCE, lambda L: [L.SimpleRNN(**_gates()), L.SimpleRNN(2, activation="relu")]),
    "lstm": (SEQUENCE, lambda L: [L.LSTM(**_gates()), L.LSTM(2, go_backwards=True)]),
    "lstm_options": (
        SEQUENCE,
        lambda L: [L.LSTM(3, unit_forget_bias=False, recurrent_regularizer="l2", use_bias=False)],
    ),
    "lstm_dropout": (SEQUENCE, lambda L: [L.LSTM(3, dropout=0.2, recurrent_dropout=0.1)]),
    "lstm_hard": (SEQUENCE, lambda L: [L.LSTM(3, recurrent_activation="hard_sigmoid")]),
    "gru": (SEQUENCE, lambda L: [L.GRU(**_gates()), L.GRU(2)]),
    "gru_before": (SEQUENCE, lambda L: [L.GRU(3, reset_after=False)]),
    "cells": (SEQUENCE, lambda L: [L.RNN([L.LSTMCell(3), L.GRUCell(2)]), L.Dense(2)]),
    "cell": (SEQUENCE, lambda L: [L.RNN(L.SimpleRNNCell(3), return_sequences=True)]),
    "bidirectional": (
        SEQUENCE,
        lambda L: [L.Bidirectional(L.LSTM(**_gates())), L.Bidirectional(L.GRU(2), merge_mode="sum")],
    ),
    "bidirectional_backward": (
        SEQUENCE,
        lambda L: [L.Bidirectional(L.LSTM(2), backward_layer=L.GRU(2, go_backwards=True))],
    ),
    "time_distributed": (
        SEQUENCE,
        lambda L: [L.TimeDistributed(L.Dense(3)), L.TimeDistributed(L.BatchNormalization())],
    ),
    "conv_lstm": ((3, 5, 5, 2), lambda L: [L.ConvLSTM2D(2, 3, return_sequences=True), L.ConvLSTM2D(2, 2)]),
    "conv_lstm1d": ((3, 6, 2), lambda L: [L.ConvLSTM1D(2, 3)]),
    "stateful": (SEQUENCE, lambda L: [L.LSTM(3, stateful=True)]),
    # data
    "rescaling": (IMAGE, lambda L: [L.Rescaling(0.5, 0.1), L.CenterCrop(4, 4), L.Resizing(3, 3), L.Conv2D(2, 2)]),
    "normalization": (
        FEATURES,
        lambda L: [L.Normalization(mean=[1.0, 2, 3, 4, 5], variance=[1.0, 2, 1, 2, 1]), L.Dense(2)],
    ),
    "category_encoding": (tokens(1, 5), lambda L: [L.CategoryEncoding(5, "one_hot"), L.Dense(2)]),
    "discretization": (FEATURES, lambda L: [L.Discretization([-1.0, 0.0, 1.0]), L.Embedding(4, 2), L.Flatten()]),
    "random_flip": (IMAGE, lambda L: [L.RandomFlip(), L.RandomRotation(0.1), L.Conv2D(2, 3)]),
    "identity": (FEATURES, lambda L: [L.Dense(3), L.Identity()]),
}
STATEFUL = {"stateful"}
ROWS = 4


def case(name: str) -> Case:
    """Return a chain as a case: with a head of two linear units behind what is not flat."""
    source, layers = CHAINS[name]

    def build(keras: Any) -> Any:
        shape = source.shape if isinstance(source, Array) else source
        batch = {"batch_size": ROWS} if name in STATEFUL else {}
        model = keras.Sequential([keras.Input(shape, **batch), *layers(keras.layers)], name=name)
        if len(model.output_shape) > 2:
            model.add(keras.layers.Flatten())
        model.add(keras.layers.Dense(2, name="head"))
        return model

    x = source if isinstance(source, Array) else real(*source)
    return Case(name, build, x, real(2), {"loss": "mse", "metrics": ["mae"]}, rows=3 * ROWS, batch=ROWS)
