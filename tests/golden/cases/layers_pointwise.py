"""Layers that keep the shape: activations, dropout and noise in inference, penalties; and wrappers around one layer."""

from __future__ import annotations

from typing import Any

from .common import Case, make
from .layers_core import single, stacked
from .layers_options import L2, options

_INFERENCE = {"steps": 0}  # what they do in training is chance: tests/layers/test_noise.py
_SPECTRAL = {"train_forward": True, "eagerly": True}  # in a graph, Keras 2.15 stumbles over a tensor as a condition
_WRAPPED = {"units": 4, "activation": "tanh", "activity_regularizer": L2, **options("kernel", "bias")}


def layer(cls: str, **kwargs: Any) -> dict[str, Any]:
    """Stand for a layer that another one is made with."""
    return make(f"layers.{cls}", **kwargs)


_ACTIVATIONS: list[Case] = [
    single("elu", "ELU", [6]),
    single("elu_alpha", "ELU", [3, 4], alpha=0.4),
    single("relu", "ReLU", [6]),
    single("relu_all", "ReLU", [9], max_value=0.8, negative_slope=0.1, threshold=0.2),
    single("relu_slope", "ReLU", [3, 4], negative_slope=0.3),
    single("relu_threshold", "ReLU", [9], threshold=0.5),
    single("relu_max", "ReLU", [9], max_value=0.5),
    single("thresholded_relu", "ThresholdedReLU", [9]),
    single("thresholded_relu_theta", "ThresholdedReLU", [3, 5], theta=0.2),
    single("softmax", "Softmax", [6]),
    single("softmax_axis", "Softmax", [3, 4], axis=1),
    single("softmax_axes", "Softmax", [3, 4, 2], axis=[1, 3]),
    single("prelu", "PReLU", [4, 3]),
    single("prelu_shared", "PReLU", [3, 4, 2], shared_axes=[1, 2]),
    stacked("leaky_relu_masked", [["Masking", {}], ["LeakyReLU", {"alpha": 0.2}]], [6, 3], draw="padded:left"),
]

_NOISE: list[Case] = [
    single("dropout_all", "Dropout", [3, 4], extra=_INFERENCE, rate=0.4, noise_shape=[4, 1, 4], seed=3),
    single("gaussian_noise_seed", "GaussianNoise", [3, 4], extra=_INFERENCE, stddev=0.2, seed=3),
    single("gaussian_dropout", "GaussianDropout", [6], extra=_INFERENCE, rate=0.5),
    single("gaussian_dropout_seed", "GaussianDropout", [3, 4], extra=_INFERENCE, rate=0.2, seed=3),
    single("alpha_dropout", "AlphaDropout", [6], extra=_INFERENCE, rate=0.5),
    single("alpha_dropout_all", "AlphaDropout", [3, 4], extra=_INFERENCE, rate=0.2, noise_shape=[4, 1, 4], seed=3),
    single("spatial_dropout_1d", "SpatialDropout1D", [3, 4], extra=_INFERENCE, rate=0.5),
    single("spatial_dropout_1d_rate", "SpatialDropout1D", [5, 2], extra=_INFERENCE, rate=0.1),
    *[
        single(f"spatial_dropout_{rank}d_{name}", f"SpatialDropout{rank}D", shape, extra=_INFERENCE, **kwargs)
        for rank, shape in ((2, [3, 4, 2]), (3, [2, 3, 2, 2]))
        for name, kwargs in (("default", {"rate": 0.5}), ("first", {"rate": 0.2, "data_format": "channels_first"}))
    ],
    stacked(
        "spatial_dropout_masked",
        [["Masking", {}], ["SpatialDropout1D", {"rate": 0.3}]],
        [6, 3],
        draw="padded:left",
        **_INFERENCE,
    ),
    # with a rate of nothing training draws nothing, so that its steps are Keras's
    *[
        single(f"{cls.lower()}_zero", cls, [3, 4], **{argument: 0.0})
        for cls, argument in (
            ("Dropout", "rate"),
            ("GaussianDropout", "rate"),
            ("AlphaDropout", "rate"),
            ("SpatialDropout1D", "rate"),
            ("GaussianNoise", "stddev"),
        )
    ],
    single("activity_regularization", "ActivityRegularization", [5]),
    single("activity_regularization_both", "ActivityRegularization", [3, 4], l1=0.02, l2=0.03),
    stacked(
        "activity_regularization_masked",
        [["Dense", {"units": 3}], ["ActivityRegularization", {"l1": 0.02}], ["Activation", {"activation": "tanh"}]],
        [4],
    ),
    single("activation_masked", "Activation", [6], activation="elu"),
    single("repeat_vector_one", "RepeatVector", [5], n=1),
]

_WRAPPERS: list[Case] = [
    single("time_distributed_dense", "TimeDistributed", [3, 4], layer=layer("Dense", units=2)),
    single(
        "time_distributed_dense_options",
        "TimeDistributed",
        [3, 4],
        extra={"initial": True},
        layer=layer("Dense", **_WRAPPED),
    ),
    single("time_distributed_conv", "TimeDistributed", [2, 4, 3, 2], layer=layer("Conv2D", filters=2, kernel_size=2)),
    stacked(
        "time_distributed_masked",
        [["Masking", {}], ["TimeDistributed", {"layer": layer("Dense", units=2)}]],
        [6, 3],
        draw="padded:left",
    ),
    single("spectral", "SpectralNormalization", [5], extra=_SPECTRAL, layer=layer("Dense", units=3)),
    single(
        "spectral_conv",
        "SpectralNormalization",
        [4, 3, 2],
        extra=_SPECTRAL,
        layer=layer("Conv2D", filters=3, kernel_size=2, padding="same", activation="relu"),
        power_iterations=3,
    ),
    *[
        stacked(
            f"bidirectional_{cls.lower()}_{mode}_{side}",
            [
                ["Masking", {}],
                ["Bidirectional", {"layer": layer(cls, units=2, return_sequences=True), "merge_mode": mode}],
            ],
            [5, 3],
            draw=f"padded:{side}",
        )
        for cls, mode, side in (
            ("LSTM", "concat", "left"),
            ("LSTM", "mul", "middle"),
            ("GRU", "sum", "left"),
            ("GRU", "ave", "right"),
            ("SimpleRNN", "mul", "left"),
            ("SimpleRNN", "concat", "right"),
        )
    ],
    single("bidirectional_gru_last", "Bidirectional", [5, 3], layer=layer("GRU", units=2)),
    single(
        "bidirectional_backward",
        "Bidirectional",
        [5, 3],
        extra={"initial": True},
        layer=layer("LSTM", units=2, **options("kernel", "recurrent", "bias")),
        merge_mode="sum",
        backward_layer=layer(
            "GRU", units=2, go_backwards=True, activation="relu", **options("bias", "kernel", "recurrent")
        ),
    ),
]

POINTWISE: list[Case] = [*_ACTIVATIONS, *_NOISE, *_WRAPPERS]
