"""What models tell of themselves: masks of symbolic tensors, paths of weights, how they were compiled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L


@pytest.fixture(autouse=True)
def _newer_keras() -> Iterator[None]:
    """Names, types and configurations are compared with those that Keras 2.15 gives."""
    keras.set_dialect("keras-2.15")
    keras.backend.reset_uids()
    yield
    keras.set_dialect("keras-2.3")


class Scaled(L.Layer):
    """A layer that holds weights and layers in several ways."""

    def build(self, input_shape: Any) -> None:
        self.k = self.add_weight(name="kk", shape=(3,))
        self.d = {"a": L.Dense(2)}
        self.d["a"].build(input_shape)
        self.extra = [self.add_weight(name="z", shape=(1,))]

    def call(self, x: Any) -> Any:
        return x * self.k


class Blocks(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.d = L.Dense(3)
        self.blocks = [L.Dense(2)]

    def call(self, x: Any) -> Any:
        return self.blocks[0](self.d(x))


def gru(name: str) -> list[str]:
    return [f"{name}.cell.{weight}" for weight in ("kernel", "recurrent_kernel", "bias")]


def test_weight_paths_are_those_of_keras() -> None:
    model = keras.Sequential(
        [
            L.Input((4, 3)),
            L.Bidirectional(L.GRU(2, return_sequences=True)),
            L.TimeDistributed(L.Dense(2)),
            L.BatchNormalization(),
            L.RNN([L.LSTMCell(2), L.GRUCell(2)]),
        ]
    )
    cells = [f"rnn.cell.cells.{i}.{name}" for i in (0, 1) for name in ("kernel", "recurrent_kernel", "bias")]
    assert list(model.get_weight_paths()) == [
        *gru("bidirectional.forward_layer"),
        *gru("bidirectional.backward_layer"),
        "time_distributed.layer.kernel",
        "time_distributed.layer.bias",
        *(f"batch_normalization.{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")),
        *cells,
    ]
    paths = model.get_weight_paths()
    assert paths["rnn.cell.cells.1.kernel"].shape == (2, 6)
    paths["time_distributed.layer.bias"].assign(np.ones(2))
    assert model.layers[1].get_weights()[1].tolist() == [1, 1]


def test_weight_paths_through_attributes() -> None:
    blocks = Blocks()
    blocks(np.ones((1, 2)))
    assert list(blocks.get_weight_paths()) == ["d.kernel", "d.bias", "blocks.0.kernel", "blocks.0.bias"]
    scaled = keras.Sequential([Scaled(input_shape=(3,), name="w")])
    assert set(scaled.get_weight_paths()) == {"w.kk", "w.z", "w.d.a.kernel", "w.d.a.bias"}


def test_save_spec() -> None:
    model = keras.Sequential([L.Embedding(5, 3, input_length=4)])
    (spec,), named = model.save_spec()
    assert (tuple(spec.shape), spec.name, named) == ((None, 4), "embedding_input", {})
    a, b = L.Input((3,), batch_size=7, name="a"), L.Input((2,), dtype="int32", name="b")
    two = keras.Model([a, b], L.Dense(1)(a))
    ((first, second),), _ = two.save_spec(dynamic_batch=False)
    assert [tuple(first.shape), first.dtype] == [(7, 3), "float32"]
    assert [tuple(second.shape), second.dtype] == [(None, 2), "int32"]
    assert Blocks().save_spec() is None


def test_export_says_what_to_write() -> None:
    with pytest.raises(NotImplementedError, match=r"torch\.export\.export\(model"):
        keras.Sequential([L.Dense(1, input_dim=2)]).export("folder")


# --- masks -------------------------------------------------------------------------------------------------------


def test_masks_of_symbolic_tensors() -> None:
    model = keras.Sequential(
        [L.Embedding(5, 3, mask_zero=True, input_length=4), L.LSTM(3, return_sequences=True), L.Dense(2), L.Flatten()]
    )
    embedding, lstm, dense, flatten = model.layers
    assert embedding.input_mask is None
    for mask in (embedding.output_mask, lstm.input_mask, dense.output_mask, lstm.get_output_mask_at(0)):
        assert (tuple(mask.shape), mask.dtype) == ((None, 4), "bool")
    read = keras.backend.function([model.input], [dense.output_mask])
    assert read([np.array([[1, 2, 0, 0]])])[0].tolist() == [[True, True, False, False]]
    assert model.input_mask is None
    assert flatten.get_input_mask_at(0) is not None


def test_masks_of_several_tensors_and_of_users_layers() -> None:
    class Ends(L.Layer):
        def compute_mask(self, inputs: Any, mask: Any = None) -> None:
            return None

        def call(self, inputs: Any, mask: Any = None) -> Any:
            return inputs

    class FirstTwo(L.Layer):
        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return None if mask is None else mask[:, :2]

        def call(self, inputs: Any) -> Any:
            return inputs[:, :2]

    x = L.Input((None, 3))
    masked, other = L.Masking()(x), L.Lambda(lambda t: t * 2)(x)
    joined = L.Add()
    joined([masked, other])
    first, second = joined.input_mask
    assert tuple(first.shape) == (None, None)
    assert second is None
    cut, ends = FirstTwo(), Ends()
    model = keras.Model(x, ends(cut(masked)))
    assert tuple(cut.output_mask.shape) == (None, 2)
    assert ends.output_mask is None
    read = keras.backend.function([model.input], [cut.output_mask])
    assert read([np.array([[[1.0] * 3, [0] * 3, [1] * 3]])])[0].tolist() == [[True, False]]


def test_masks_by_the_number_of_a_call() -> None:
    dense = L.Dense(2)
    with pytest.raises(AttributeError, match="no input or output yet"):
        _ = dense.output_mask
    dense(L.Input((3,)))
    dense(L.Masking()(L.Input((5, 3))))
    assert dense.get_output_mask_at(0) is None
    assert tuple(dense.get_output_mask_at(1).shape) == (None, 5)
    with pytest.raises(AttributeError, match=r"called 2 times; write get_output_mask_at"):
        _ = dense.output_mask
    with pytest.raises(ValueError, match=r"get_input_mask_at\(5\)"):
        dense.get_input_mask_at(5)


# --- compile -----------------------------------------------------------------------------------------------------


NOTHING = {
    "metrics": None,
    "loss_weights": None,
    "weighted_metrics": None,
    "run_eagerly": None,
    "steps_per_execution": None,
    "jit_compile": None,
}


def a_model(**compiled: Any) -> Any:
    model = keras.Sequential([L.Dense(2, input_shape=(3,))])
    model.compile(**compiled)
    return model


def test_what_compile_was_told_as_keras_writes_it() -> None:
    assert keras.Sequential([L.Dense(2)]).get_compile_config() is None
    auc = keras.metrics.AUC(name="a")
    model = a_model(optimizer="adam", loss="mse", metrics=["mae", auc], loss_weights=2.0, weighted_metrics=["acc"])
    config = model.get_compile_config()
    assert list(config) == ["optimizer", "loss", *NOTHING]
    assert {**config, "metrics": None} == {
        **NOTHING,
        "optimizer": "adam",
        "loss": "mse",
        "loss_weights": 2.0,
        "weighted_metrics": ["acc"],
    }
    name, told = config["metrics"]
    assert name == "mae"
    assert (told["module"], told["class_name"], told["registered_name"]) == ("keras.metrics", "AUC", None)
    assert told["config"] == auc.get_config()


def test_a_legacy_optimizer_stays_one() -> None:
    legacy = keras.optimizers.legacy.SGD(0.1, momentum=0.5)
    config = a_model(optimizer=legacy, loss=keras.losses.Huber(2.0), steps_per_execution=3).get_compile_config()
    assert config["optimizer"] == {
        "module": "keras.optimizers.legacy",
        "class_name": "SGD",
        "config": {"name": "SGD", "learning_rate": 0.1, "decay": 0.0, "momentum": 0.5, "nesterov": False},
        "registered_name": None,
    }
    other = keras.Sequential([L.Dense(2, input_shape=(3,))])
    other.compile_from_config(config)
    assert other.optimizer.get_config() == legacy.get_config()
    assert other.loss.delta == 2.0
    assert other.steps_per_execution == 3


def test_a_model_compiled_from_a_configuration_trains_alike() -> None:
    x, y = np.random.random((16, 3)), np.random.random((16, 2))
    model = a_model(optimizer=keras.optimizers.Adam(0.1), loss=keras.losses.mean_squared_error, metrics=["mae"])
    other = keras.Sequential([L.Dense(2, input_shape=(3,))])
    other.compile_from_config(model.get_compile_config())
    other.set_weights(model.get_weights())
    assert len(other.optimizer.variables) == 5  # iterations, and two slots for each of two weights
    assert other.fit(x, y, verbose=0, shuffle=False).history == model.fit(x, y, verbose=0, shuffle=False).history


def test_losses_and_metrics_by_output_and_users_own() -> None:
    def own(y_true: Any, y_pred: Any) -> Any:
        return keras.backend.mean(keras.backend.square(y_true - y_pred), axis=-1)

    x = L.Input((3,))
    a, b = L.Dense(2, name="a")(x), L.Dense(1, name="b")(x)
    model = keras.Model(x, [a, b])
    model.compile("sgd", {"a": "mse", "b": own}, metrics={"a": ["mse"], "b": "acc"}, loss_weights=[1.0, 0.5])
    config = model.get_compile_config()
    assert config["loss"]["a"] == "mse"
    assert config["loss"]["b"] == {
        "module": "builtins",
        "class_name": "function",
        "config": "own",
        "registered_name": "function",
    }
    assert config["metrics"] == {"a": ["mse"], "b": "acc"}
    other = keras.Model(x, [a, b])
    with pytest.raises(ValueError, match="custom_objects"):
        other.compile_from_config(config)
    with keras.utils.custom_object_scope({"own": own}):
        other.compile_from_config(config)
    assert other.loss["b"] is own


def test_how_steps_run() -> None:
    model = a_model(optimizer="sgd", loss="mse")
    assert (model.steps_per_execution, model.autotune_steps_per_execution) == (1, False)
    assert (model.distribute_strategy, model.distribute_reduction_method) == (None, "auto")
    model.steps_per_execution = 4
    assert model.steps_per_execution == 4
    model.autotune_steps_per_execution = False
    with pytest.raises(ValueError, match="steps run one at a time"):
        model.autotune_steps_per_execution = True
