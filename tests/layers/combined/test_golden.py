"""Merging layers, TimeDistributed and Bidirectional against Keras 2.15: outputs, masks, gradients and training."""

from __future__ import annotations

import functools
import json
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import compat
from torchkeras_compat._core import registry

from . import cases

TOLERANCE = 1e-4  # float32, as the project promises it
STEPS = 3
# One of each kind trains by a captured graph, too.
CAPTURED = (
    *("Add_ranks", "Maximum_both_masked", "Concatenate_1_both_masked", "Dot_(1, 2)_True", "td_dense", "td_cnn"),
    "td_model_with_statistics",
    *("td_lstm_masked", "td_user_fixed_batch", "td_words", "bi_LSTM_concat_sequences", "bi_GRU_states_masked"),
    *("bi_SimpleRNN_begun", "bi_encoder", "bi_own_backward"),
)


@functools.cache
def golden() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts and the arrays."""
    with np.load(Path(__file__).with_name("keras_2_15.npz")) as archive:
        arrays = {key: archive[key] for key in archive.files if key != "facts"}
        return json.loads(str(archive["facts"])), arrays


def namespace() -> types.SimpleNamespace:
    compat.install()
    from tensorflow import keras

    keras.backend.clear_session()
    return types.SimpleNamespace(
        K=keras.backend,
        layers=keras.layers,
        Input=keras.Input,
        Model=keras.Model,
        Sequential=keras.Sequential,
        optimizers=keras.optimizers,
    )


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def close(got: Any, expected: Any, what: str) -> None:
    found = got.detach().cpu().numpy() if isinstance(got, torch.Tensor) else np.asarray(got)
    assert found.shape == np.shape(expected), what
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE, err_msg=what)


class Built:
    """A case as this package makes it, with the weights of the golden run."""

    def __init__(self, name: str) -> None:
        self.name, self.k = name, namespace()
        self.facts, arrays = golden()[0][name], golden()[1]
        self.arrays = {key.rpartition("/")[2]: a for key, a in arrays.items() if key.rpartition("/")[0] == name}
        self.x, self.outputs, self.layer = cases.CASES[name](self.k)
        self.model = self.k.Model(self.x, self.outputs)
        self.model.set_weights(cases.fill(self.model.get_weights(), self.facts["names"]))
        self.batch = cases.data(tuple(self.x.shape[1:]), name in ("td_words", "td_embedding"))
        random = np.random.RandomState(5)
        shapes = [shape[1:] for shape in self.facts["shapes"]]
        self.directions = [random.randn(cases.SAMPLES, *shape).astype("float32") for shape in shapes]


@pytest.fixture(params=cases.CASES, scope="module")
def built(request: pytest.FixtureRequest) -> Built:
    return Built(request.param)


def test_shapes_and_names(built: Built) -> None:
    assert [tuple(y.shape) for y in listed(built.outputs)] == [tuple(shape) for shape in built.facts["shapes"]]
    assert [w.name for w in built.model.weights] == built.facts["names"]


def test_outputs_and_gradients(built: Built) -> None:
    batch = torch.tensor(built.batch, requires_grad=True)
    outputs = listed(built.model(batch))
    assert len(outputs) == len(built.directions)
    for i, y in enumerate(outputs):
        close(y, built.arrays[f"y{i}"], f"output {i}")
    before = built.model.get_weights()
    sum((y * torch.tensor(d)).sum() for y, d in zip(outputs, built.directions)).backward()
    expected = built.arrays["gradient0"]
    close(torch.zeros_like(batch) if batch.grad is None else batch.grad, expected, "gradient of the input")
    with torch.no_grad():
        for parameter in built.model.parameters():
            parameter -= 0 if parameter.grad is None else parameter.grad.to_dense()
    learned = [w.trainable for w in built.model._weight_table()]
    found = [b - a for b, a, learns in zip(before, built.model.get_weights(), learned) if learns]
    built.model.set_weights(before)
    for i, gradient in enumerate(found):
        close(gradient, built.arrays[f"gradient{i + 1}"], f"gradient of weight {i}")


def test_masks(built: Built) -> None:
    _, masks = built.model._run(torch.tensor(built.batch), None, False)
    found = masks if isinstance(masks, list) else [masks]
    found = found if masks is not None else [None] * len(built.facts["masks"])
    assert [m is not None for m in found] == built.facts["masks"]
    for i, mask in enumerate(found):
        if mask is not None:
            np.testing.assert_array_equal(mask.numpy().astype(int), built.arrays[f"mask{i}"], err_msg=f"mask {i}")


def trained(built: Built, jit: bool) -> None:
    """Hold three epochs, and what comes after them, to the golden run."""
    model = cases.with_head(built.k, built.x, built.outputs)
    model.set_weights(cases.fill(model.get_weights(), [w.name for w in model.weights]))
    model.compile(built.k.optimizers.SGD(0.05), "mse", jit_compile=jit)
    size = cases.SAMPLES if built.x.shape[0] else 5
    targets = cases.targets()
    history = model.fit(built.batch, targets, batch_size=size, epochs=STEPS, shuffle=False, verbose=0).history
    close(history["loss"], built.arrays["loss"], "losses")
    close(model.evaluate(built.batch, targets, batch_size=size, verbose=0), built.arrays["evaluation"], "evaluation")
    close(model.predict(built.batch, batch_size=size, verbose=0), built.arrays["prediction"], "predictions")


@pytest.mark.parametrize("name", cases.CASES)
def test_training(name: str) -> None:
    trained(Built(name), False)


@pytest.mark.filterwarnings("ignore:.*its steps run one by one in Python")
@pytest.mark.parametrize("name", CAPTURED)
def test_training_by_a_graph(name: str, uncompiled: None) -> None:
    trained(Built(name), True)


@pytest.mark.parametrize("name", cases.STATEFUL)
def test_states(name: str) -> None:
    model = cases.STATEFUL[name](namespace())
    model.set_weights(cases.fill(model.get_weights(), golden()[0][name]["names"]))
    close(cases.predictions(model), golden()[1][f"{name}/states"], "three batches, and the first again")


def config_of(value: Any) -> Any:
    """Return a configuration as JSON has it, with numbers as far as float32 has them."""
    if isinstance(value, dict):
        return {k: config_of(v) for k, v in value.items()}
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return [config_of(v) for v in value] if isinstance(value, (list, tuple)) else value


def test_configuration(built: Built) -> None:
    config = config_of(built.layer.get_config())
    inner = getattr(built.layer, "layer", None)
    with registry.custom_object_scope({"Scale": type(inner)} if built.facts["config"] is None else {}):
        again = type(built.layer).from_config(built.layer.get_config())
    assert config_of(again.get_config()) == config
    expected = config_of(built.facts["config"])
    if hasattr(inner, "layers") or type(inner).__name__ == "BatchNormalization":  # theirs are tested elsewhere
        del config["layer"], expected["layer"]
    if expected is not None:
        assert config == expected
