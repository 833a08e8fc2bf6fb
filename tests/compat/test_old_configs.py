"""Configurations of Keras 1.0 to 2.3 and of tf.keras: texts as their `get_config` methods write them.

Each is written down from the `get_config` of the release in the test's name; the layer made of it is held to the one
that a call with today's arguments makes.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk

L = tk.layers


@pytest.fixture(autouse=True)
def no_warning() -> Iterator[None]:
    """A file's own spellings are no reason to warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _of_layer(**config: Any) -> dict[str, Any]:
    """Return what every weighted layer of Keras 1.2.2 has, and these."""
    nothing = ("W_regularizer", "b_regularizer", "activity_regularizer", "W_constraint", "b_constraint")
    return {"trainable": True, **dict.fromkeys(nothing), "bias": True, "init": "glorot_uniform", **config}


def _first(shape: list[Any], **config: Any) -> dict[str, Any]:
    return _of_layer(batch_input_shape=shape, input_dtype="float32", **config)


def _entry(name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": name, "config": config}


def _json(layers: list[dict[str, Any]], version: str) -> str:
    return json.dumps({"class_name": "Sequential", "config": layers, "keras_version": version})


def _model(layers: list[dict[str, Any]], version: str = "1.2.2") -> Any:
    before = copy.deepcopy(layers)
    with_version = tk.models.model_from_json(_json(layers, version))
    without = tk.models.Sequential.from_config(layers)
    assert layers == before
    assert [w.shape for w in without.get_weights()] == [w.shape for w in with_version.get_weights()]
    return with_version


PENALTY = {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01}


def test_keras_1_2_2_convolutional_net() -> None:
    convolution = {"nb_filter": 4, "nb_row": 3, "nb_col": 2, "activation": "relu", "border_mode": "same"}
    pooling = {"name": "p", "trainable": True, "pool_size": [2, 2], "border_mode": "valid", "strides": [2, 2]}
    model = _model(
        [
            _entry(
                "Convolution2D",
                _first([None, 8, 8, 1], name="c", subsample=[1, 1], dim_ordering="tf", **convolution)
                | {"W_regularizer": PENALTY, "b_constraint": {"name": "MaxNorm", "m": 2, "axis": 0}},
            ),
            _entry("MaxPooling2D", {**pooling, "dim_ordering": "tf"}),
            _entry("Dropout", {"name": "d", "trainable": True, "p": 0.25}),
            _entry("Flatten", {"name": "f", "trainable": True}),
            _entry("Dense", _of_layer(name="o", output_dim=10, activation="softmax", input_dim=None)),
        ]
    )
    c, p, d, _, o = model.layers
    assert (c.filters, c.kernel_size, c.padding, c.data_format) == (4, (3, 2), "same", "channels_last")
    assert c.kernel_regularizer.l2 == pytest.approx(0.01)
    assert c.bias_constraint.max_value == 2
    assert (p.pool_size, d.rate, o.units) == ((2, 2), 0.25, 10)
    assert [weight.shape for weight in model.get_weights()] == [(3, 2, 1, 4), (4,), (64, 10), (10,)]


def test_keras_1_2_2_theano_ordering() -> None:
    config = _first([None, 1, 8, 8], name="c", nb_filter=2, nb_row=3, nb_col=3, activation="relu", dim_ordering="th")
    model = _model([_entry("Convolution2D", {**config, "border_mode": "valid", "subsample": [2, 2]})])
    assert model.layers[0].data_format == "channels_first"
    assert model.output_shape == (None, 2, 3, 3)


LSTM = {
    "name": "lstm",
    "trainable": True,
    "batch_input_shape": [None, 5, 3],
    "input_dtype": "float32",
    "return_sequences": True,
    "go_backwards": False,
    "stateful": False,
    "unroll": False,
    "consume_less": "gpu",
    "input_dim": 3,
    "input_length": 5,
    "output_dim": 4,
    "init": "glorot_uniform",
    "inner_init": "orthogonal",
    "forget_bias_init": "one",
    "activation": "tanh",
    "inner_activation": "hard_sigmoid",
    "W_regularizer": None,
    "U_regularizer": {"name": "L1L2Regularizer", "l1": 0.01, "l2": 0.0},
    "b_regularizer": None,
    "dropout_W": 0.2,
    "dropout_U": 0.1,
}


@pytest.mark.parametrize("current", ["keras-2.15", "keras-2.3", "keras-1"])
def test_keras_1_2_2_recurrent_layers_under_any_dialect(current: str) -> None:
    tk.set_dialect(current)
    gru = {key: value for key, value in LSTM.items() if key not in ("forget_bias_init", "batch_input_shape")}
    model = _model([_entry("LSTM", LSTM), _entry("GRU", {**gru, "name": "gru", "input_dim": 4, "input_length": None})])
    lstm, gru = model.layers
    assert (lstm.units, lstm.dropout, lstm.recurrent_dropout, lstm.unit_forget_bias) == (4, 0.2, 0.1, True)
    assert lstm.recurrent_activation.__name__ == "hard_sigmoid"
    assert lstm.recurrent_regularizer.l1 == pytest.approx(0.01)
    assert gru.reset_after is False, "Keras 1 knew nothing else"
    assert [weight.shape for weight in gru.get_weights()] == [(4, 12), (4, 12), (12,)]


def test_keras_1_0_layers_that_are_gone() -> None:
    model = _model(
        [
            _entry(
                "TimeDistributedDense", _first([None, 4, 3], name="t", output_dim=5, activation="relu", input_dim=3)
            ),
            _entry("Flatten", {"name": "f", "trainable": True}),
            _entry("MaxoutDense", _of_layer(name="m", output_dim=6, nb_feature=2, input_dim=20)),
            _entry("Highway", _of_layer(name="h", activation="linear", input_dim=6)),
            _entry("ParametricSoftplus", {"name": "p", "trainable": True, "alpha_init": 0.2, "beta_init": 5.0}),
        ],
        "1.0.8",
    )
    assert [type(layer).__name__ for layer in model.layers[2:]] == ["MaxoutDense", "Highway", "ParametricSoftplus"]
    assert model.output_shape == (None, 6)


def test_keras_1_2_2_embedding_and_normalization() -> None:
    embedding = {
        "input_dim": 9,
        "output_dim": 4,
        "init": "uniform",
        "input_length": 5,
        "mask_zero": True,
        "dropout": 0.0,
    }
    model = _model(
        [
            _entry("Embedding", {**embedding, "name": "e", "batch_input_shape": [None, 5], "input_dtype": "int32"}),
            _entry("BatchNormalization", {"name": "b", "epsilon": 1e-5, "mode": 0, "axis": -1, "momentum": 0.9}),
            _entry("GaussianNoise", {"name": "g", "sigma": 0.3}),
            _entry("LSTM", {**LSTM, "batch_input_shape": None, "input_dim": 4, "return_sequences": False}),
        ]
    )
    embedding, normalization = model.layers[:2]
    assert (embedding.mask_zero, embedding.output_dim) == (True, 4)
    assert (normalization.epsilon, normalization.momentum) == (1e-5, 0.9)


def test_keras_1_2_2_merge_of_two_branches() -> None:
    def branch(size: int, name: str) -> dict[str, Any]:
        layers = [_entry("Dense", _first([None, size], name=name, output_dim=2, activation="tanh", input_dim=size))]
        return _entry("Sequential", layers)  # type: ignore[arg-type]

    merge = {"name": "m", "mode": "concat", "mode_type": "raw", "concat_axis": -1, "dot_axes": -1, "arguments": {}}
    types = {"output_shape": None, "output_shape_type": "raw", "output_mask": None, "output_mask_type": "raw"}
    model = _model(
        [
            _entry("Merge", {**merge, **types, "layers": [branch(3, "a"), branch(4, "b")]}),
            _entry("Dense", _of_layer(name="o", output_dim=1, activation="linear", input_dim=4)),
        ]
    )
    assert model.predict([np.ones((2, 3)), np.ones((2, 4))], verbose=0).shape == (2, 1)


def test_keras_1_2_2_graph() -> None:
    dense = _of_layer(name="d", output_dim=4, activation="relu", input_dim=4)
    given = {"batch_input_shape": [None, 4], "input_dtype": "float32", "sparse": False, "name": "in"}
    merge = {"name": "m", "mode": "sum", "mode_type": "raw", "concat_axis": -1, "dot_axes": -1, "arguments": {}}
    types = {"output_shape": None, "output_shape_type": "raw", "output_mask": None, "output_mask_type": "raw"}
    config = {
        "name": "g",
        "layers": [
            {"class_name": "InputLayer", "name": "in", "config": given, "inbound_nodes": []},
            {
                "class_name": "Dense",
                "name": "d",
                "config": dense,
                "inbound_nodes": [[["in", 0, 0]], [["d", 0, 0]]],
            },
            {
                "class_name": "Merge",
                "name": "m",
                "config": {**merge, **types},
                "inbound_nodes": [[["d", 1, 0], ["in", 0, 0]]],
            },
        ],
        "input_layers": [["in", 0, 0]],
        "output_layers": [["m", 0, 0]],
    }
    model = tk.models.model_from_json(json.dumps({"class_name": "Model", "config": config, "keras_version": "1.2.2"}))
    kernel = np.eye(4)
    model.set_weights([2 * kernel, np.zeros(4)])
    np.testing.assert_allclose(model.predict(np.ones((1, 4)), verbose=0), np.full((1, 4), 5.0))


# --- Keras 2 -----------------------------------------------------------------------------------------------------

VARIANCE = {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg", "seed": None}}
NO_PENALTIES = dict.fromkeys(("kernel_regularizer", "bias_regularizer", "activity_regularizer", "bias_constraint"))


def _variance(distribution: str) -> dict[str, Any]:
    return {**VARIANCE, "config": {**VARIANCE["config"], "distribution": distribution}}


@pytest.mark.parametrize(("version", "listed"), [("2.0.8", True), ("2.2.4", False), ("2.3.1", False)])
def test_keras_2_sequential(version: str, listed: bool) -> None:
    dense = {
        "name": "d",
        "trainable": True,
        "units": 3,
        "activation": "relu",
        "use_bias": True,
        "kernel_constraint": None,
    }
    first = {"batch_input_shape": [None, 4], "dtype": "float32", "kernel_initializer": _variance("uniform")}
    layers = [
        _entry("Dense", {**dense, **NO_PENALTIES, **first, "bias_initializer": _entry("Zeros", {})}),
        _entry("LeakyReLU", {"name": "l", "trainable": True, "alpha": 0.1}),
    ]
    config: Any = layers if listed else {"name": "s", "layers": layers}
    model = tk.models.model_from_json(
        json.dumps({"class_name": "Sequential", "config": config, "keras_version": version, "backend": "theano"})
    )
    assert model.layers[0].kernel_initializer.distribution == "uniform"
    assert model.layers[1].alpha == pytest.approx(0.1)
    assert model._dialect == tk.Sequential()._dialect, "a model trains as the script's own"
    assert model.layers[0]._dialect == {"2.0.8": "keras-2.2", "2.2.4": "keras-2.2", "2.3.1": "keras-2.3"}[version]


@pytest.mark.parametrize("current", ["keras-2.15", "keras-2.3"])
@pytest.mark.parametrize("version", ["2.0.8", "2.2.4-tf", "2.1.6"])
def test_keras_2_gru_without_reset_after(version: str, current: str) -> None:
    tk.set_dialect(current)
    config = {"units": 2, "batch_input_shape": [None, 4, 3], "name": "g"}
    text = json.dumps({"class_name": "Sequential", "config": [_entry("GRU", config)], "keras_version": version})
    assert tk.models.model_from_json(text).layers[0].reset_after is False


def test_tf_keras_names_of_classes() -> None:
    policy = {"class_name": "Policy", "config": {"name": "float32"}}
    layers = [
        _entry("InputLayer", {"batch_input_shape": [None, 4, 3], "dtype": "float32", "ragged": False, "sparse": False}),
        _entry("BatchNormalizationV1", {"name": "b", "axis": [2], "dtype": policy, "fused": None, "renorm": False}),
        _entry("LSTMV2", {"name": "l", "units": 2, "return_sequences": True, "time_major": False, "dtype": policy}),
        _entry("UnifiedGRU", {"name": "g", "units": 2, "reset_after": True, "return_sequences": True}),
        _entry("Dense", {"name": "d", "units": 2, "kernel_initializer": _entry("GlorotUniformV2", {"seed": None})}),
    ]
    model = tk.models.model_from_config({"class_name": "Sequential", "config": {"name": "s", "layers": layers}})
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["BatchNormalization", "LSTM", "GRU", "Dense"]


def test_tf_operation_layers_are_refused_by_name() -> None:
    config = _entry("TensorFlowOpLayer", {"name": "tf_op_layer_add", "node_def": "…", "constants": {}})
    with pytest.raises(ValueError, match="TensorFlowOpLayer: it is an operation of TensorFlow's graph"):
        tk.models.model_from_config({"class_name": "Sequential", "config": {"name": "s", "layers": [config]}})


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("Dense", {"units": 2, "lora_rank": 4}, r"Dense 'x': Dense\(lora_rank=4\)"),
        ("Dense", {"units": 2, "dtype": _entry("QuantizedDTypePolicy", {"mode": "int8"})}, "QuantizedDTypePolicy"),
        ("LayerNormalization", {"rms_scaling": True}, r"rms_scaling=True"),
        ("MultiHeadAttention", {"num_heads": 1, "key_dim": 2, "use_gate": True}, "gated attention"),
        ("Resizing", {"height": 2, "width": 2, "pad_to_aspect_ratio": True}, "pad_to_aspect_ratio"),
        ("GroupQueryAttention", {}, "GroupQueryAttention: this layer of Keras 3 has no counterpart here"),
    ],
)
def test_arguments_that_only_files_have(name: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        L.deserialize({"class_name": name, "config": {"name": "x", **config}})


def test_hard_sigmoid_is_that_of_the_file() -> None:
    def output(version: str, **form: Any) -> Any:
        given = {**form, "dtype": "float32"}
        layers = [_entry("InputLayer", given), _entry("Activation", {"activation": "hard_sigmoid"})]
        config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}, "keras_version": version}
        return tk.models.model_from_json(json.dumps(config)).predict(np.array([[1.0, 2.0]]), verbose=0)

    np.testing.assert_allclose(output("2.15.0", batch_input_shape=[None, 2]), [[0.7, 0.9]], rtol=1e-6)
    np.testing.assert_allclose(output("3.3.0", batch_shape=[None, 2]), [[4 / 6, 5 / 6]], rtol=1e-6)
