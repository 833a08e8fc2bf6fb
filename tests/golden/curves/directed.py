"""Models written by hand, for what random ones had shown to go wrong; in the form of those."""

from __future__ import annotations

from typing import Any

from .describe import STEPS, Description
from .draws import Options

ROWS, BATCH = 20, 5


def _node(number: int, layer: str, options: Options, inputs: Any = None, **call: Any) -> Options:
    before = f"n{number - 1}" if number else "in0"
    return {"name": f"n{number}", "layer": layer, "options": options, "inputs": inputs or before, "call": call}


def _model(
    dialect: str, optimizer: Options, source: Options, nodes: list[Options], target: Options, loss: Any, **feed: Any
) -> Description:
    told = {"how": "fit", "rows": ROWS, "batch": BATCH, "epochs": STEPS * BATCH // ROWS, "hook": True}
    return {
        "seed": 7,
        "dialect": dialect,
        "kind": "functional",
        "batch_size": None,
        "inputs": [{"name": "in0", **source}],
        "nodes": nodes,
        "outputs": [nodes[-1]["name"]],
        "targets": [target],
        "compile": {"optimizer": optimizer, "loss": loss},
        "feed": {**told, "source": "arrays", **feed},
    }


WORDS: Options = {"kind": "tokens", "words": 6, "shape": [5], "dtype": "int32", "holes": False}
SERIES: Options = {"kind": "real", "shape": [5, 3]}


def _words(dialect: str, optimizer: Options, **embedding: Any) -> Description:
    nodes = [
        _node(0, "Embedding", {"input_dim": 6, "output_dim": 3, **embedding}),
        _node(1, "Flatten", {}),
        _node(2, "Dense", {"units": 2}),
    ]
    return _model(dialect, optimizer, WORDS, nodes, {"kind": "real", "shape": [2]}, "mse")


def _series(dialect: str, optimizer: Options, layer: str, **options: Any) -> Description:
    nodes = [_node(0, layer, {"units": 4, **options}), _node(1, "Dense", {"units": 2})]
    return _model(dialect, optimizer, SERIES, nodes, {"kind": "real", "shape": [2]}, "mse")


def _attention(optimizer: Options) -> Description:
    nodes = [
        _node(0, "MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, value="@in0"),
        _node(1, "Dense", {"units": 2}),
    ]
    return _model("keras-2.15", optimizer, SERIES, nodes, {"kind": "real", "shape": [5, 2]}, "mse")


def _volume() -> Description:
    nodes = [
        _node(0, "Dense", {"units": 2}),
        _node(1, "AveragePooling3D", {"pool_size": [3, 2, 3], "strides": [1, 2, 2], "padding": "same"}),
        _node(2, "Flatten", {}),
        _node(3, "Dense", {"units": 2}),
    ]
    source: Options = {"kind": "real", "shape": [2, 4, 2, 2]}
    return _model("tf.keras", SGD, source, nodes, {"kind": "real", "shape": [2]}, "mse")


def _classes(source: Options, target: Options, loss: str, activation: str, units: int, **feed: Any) -> Description:
    nodes = [_node(0, "Dense", {"units": 4, "activation": "tanh"})]
    nodes.append(_node(1, "Dense", {"units": units, "activation": activation}))
    weights = {str(c): 0.4 + 0.7 * c for c in range(max(units, 2))}
    return _model("tf.keras", SGD, source, nodes, target, loss, class_weight=weights, **feed)


SGD: Options = {"$": "optimizers.SGD", "learning_rate": 0.1}
ADAM: Options = {"$": "optimizers.Adam", "learning_rate": 0.01, "epsilon": 1e-3}


def _flat(optimizer: Options, source: list[int], layers: list[tuple[str, Options]], **more: Any) -> Description:
    """Return a model of these layers in a row, whose outputs are flattened for a last Dense."""
    nodes = [_node(i, *layer) for i, layer in enumerate([*layers, ("Flatten", {}), ("Dense", {"units": 2})])]
    inputs: Options = {"kind": "real", "shape": source}
    return _model("tf.keras", optimizer, inputs, nodes, {"kind": "real", "shape": [2]}, "mse", **more)


def _ignored(label: int, **feed: Any) -> Description:
    loss = {"$": "losses.SparseCategoricalCrossentropy", "ignore_class": label}
    nodes = [
        _node(0, "Dense", {"units": 4, "activation": "tanh"}),
        _node(1, "Dense", {"units": 3, "activation": "softmax"}),
    ]
    target = {"kind": "classes", "classes": 3, "shape": [3]}
    made = _model("tf.keras", SGD, {"kind": "real", "shape": [4]}, nodes, target, loss, **feed)
    return made | {"batch_size": BATCH}  # a batch of one sample that is ignored is none


IMAGE: Options = {"kind": "real", "shape": [3, 4, 2]}
BITS: Options = {"kind": "bits", "shape": [5, 1]}
COLUMN: Options = {"kind": "classes", "classes": 3, "shape": [3, 4, 3], "column": True}


def _clipped(name: str, limit: float, optimizer: str = "SGD", **told: Any) -> Options:
    return {"$": f"optimizers.{optimizer}", "learning_rate": 0.1, name: limit, **told}


WINDOW: Options = {"filters": 2, "kernel_size": 2}
MOVIE = [3, 4, 4, 1]
NEWER: dict[str, Description] = {
    "local_1d": _flat(ADAM, [6, 2], [("LocallyConnected1D", {**WINDOW, "activation": "tanh"})]),
    "local_2d": _flat(
        SGD, [4, 5, 2], [("LocallyConnected2D", {**WINDOW, "strides": [1, 2], "kernel_regularizer": "l2"})]
    ),
    "local_2d_pairs": _flat(
        ADAM, [4, 4, 1], [("LocallyConnected2D", {**WINDOW, "padding": "same", "implementation": 2})]
    ),
    "local_1d_row": _flat(SGD, [5, 2], [("LocallyConnected1D", {**WINDOW, "implementation": 3, "use_bias": False})]),
    "einsum": _flat(
        ADAM,
        [3, 4],
        [
            ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "de"}),
            ("EinsumDense", {"equation": "abde,def->abf", "output_shape": [None, 3], "activation": "tanh"}),
            ("Identity", {}),
        ],
    ),
    "conv_lstm_1d": _flat(SGD, [4, 5, 2], [("ConvLSTM1D", {**WINDOW, "padding": "same", "return_sequences": True})]),
    "conv_lstm_2d": _flat(ADAM, MOVIE, [("ConvLSTM2D", WINDOW)]),
    "conv_lstm_2d_two": _flat(
        ADAM,
        MOVIE,
        [
            ("ConvLSTM2D", {**WINDOW, "return_sequences": True, "recurrent_activation": "sigmoid"}),
            ("LayerNormalization", {}),
            ("ConvLSTM2D", {**WINDOW, "go_backwards": True, "strides": 2, "kernel_constraint": "max_norm"}),
        ],
    ),
    "conv_lstm_3d": _flat(SGD, [2, 3, 3, 2, 1], [("ConvLSTM3D", {"filters": 2, "kernel_size": [2, 1, 2]})]),
    "up_sampling_bicubic": _flat(SGD, [3, 2, 2], [("UpSampling2D", {"interpolation": "bicubic"})]),
    "weighted_steps": _flat(ADAM, MOVIE, [("ConvLSTM2D", WINDOW)], sample_weight=[{"kind": "weight", "shape": []}]),
}
NORM = {"$": "constraints.MaxNorm", "max_value": 0.7, "axis": 1}
DIRECTED: dict[str, Description] = {
    **NEWER,
    # Clipping sees a gradient for each index that a batch looked up.
    "embedding_clipnorm": _words("keras-2.15", _clipped("clipnorm", 0.1)),
    "embedding_clipvalue": _words("keras-2.15", _clipped("clipvalue", 0.01, "Adam", epsilon=1e-3)),
    "embedding_global_clipnorm": _words("keras-2.15", _clipped("global_clipnorm", 0.3, momentum=0.9)),
    "embedding_global_clipnorm_legacy": _words("tf.keras", _clipped("global_clipnorm", 0.3, momentum=0.9)),
    "embedding_constraint_clipnorm": _words(
        "keras-2.15", _clipped("clipnorm", 0.1, weight_decay=0.01), embeddings_constraint=NORM
    ),
    "embedding_average_clipnorm": _words(
        "keras-2.15", _clipped("clipnorm", 0.1, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7)
    ),
    "embedding_regularizer_clipnorm": _words("keras-2.15", _clipped("clipnorm", 0.1), embeddings_regularizer="l2"),
    # A weight has one norm, be it kept in two tensors or in one.
    "gru_clipnorm": _series("tf.keras", _clipped("clipnorm", 0.05), "GRU"),
    "gru_clipnorm_newer": _series("keras-2.15", _clipped("clipnorm", 0.05, "Adam", epsilon=1e-3), "GRU"),
    "gru_backwards_clipnorm": _series(
        "tf.keras", _clipped("clipnorm", 0.05), "GRU", activation="relu", go_backwards=True
    ),
    "lstm_clipnorm": _series("tf.keras", _clipped("clipnorm", 0.05), "LSTM"),
    "gru_adafactor": _series("keras-2.15", {"$": "optimizers.Adafactor", "learning_rate": 0.05}, "GRU"),
    "attention_adafactor": _attention({"$": "optimizers.Adafactor", "learning_rate": 0.05}),
    # `class_weight` counts for the classes of steps and of points too.
    "steps_class_weight": _classes(SERIES, BITS, "binary_crossentropy", "sigmoid", 1),
    "steps_class_weight_one_hot": _classes(
        SERIES, {"kind": "onehot", "classes": 3, "shape": [5, 3]}, "categorical_crossentropy", "softmax", 3
    ),
    "steps_class_and_sample_weight": _classes(
        SERIES, BITS, "binary_crossentropy", "sigmoid", 1, sample_weight=[{"kind": "weight", "shape": []}]
    ),
    "steps_class_and_step_weight": _classes(
        SERIES,
        BITS,
        "mse",
        "sigmoid",
        1,
        sample_weight=[{"kind": "weight", "shape": [5]}],
        how="train_on_batch",
        reset_metrics=True,
        return_dict=False,
    ),
    # The mean over the samples that count is that of each batch.
    "class_ignored": _ignored(2),
    "first_class_ignored": _ignored(0),
    "class_that_is_none_ignored": _ignored(-1),
    "class_ignored_in_validation": _ignored(0, validation="data", hook=False),
    "points_class_weight": _classes(IMAGE, COLUMN, "sparse_categorical_crossentropy", "softmax", 3),
    "window_longer_than_volume": _volume(),
}
