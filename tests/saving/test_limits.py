"""What a file may ask for: nothing larger is allocated, and nothing deeper walked."""

from __future__ import annotations

import copy
import json
import resource
import time
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat._core.weight_limit import TooLarge, weight_limit
from torchkeras_compat.saving import limits
from torchkeras_compat.saving.file_kinds import FileError

Config = dict[str, Any]


def layer(class_name: str, **config: Any) -> Config:
    return {"class_name": class_name, "config": {"name": "bad", **config}}


def stack(*layers: Config, shape: tuple[Any, ...] = (None, 10)) -> Config:
    first = layer("InputLayer", name="input", batch_input_shape=list(shape))
    return {"class_name": "Sequential", "config": {"name": "stack", "layers": [first, *layers]}}


def wrapped(wrapper: str, inner: Config, times: int) -> Config:
    for i in range(times):
        inner = {"class_name": wrapper, "config": {"name": f"level_{i}", "layer": inner}}
    return inner


HUGE: dict[str, Config] = {
    "Dense": stack(layer("Dense", units=10**9)),
    "Dense, beyond 64 bits": stack(layer("Dense", units=10**30)),
    "Embedding": stack(layer("Embedding", input_dim=10**12, output_dim=8)),
    "LSTM": stack(layer("LSTM", units=10**6), shape=(None, 3, 4)),
    "GRU in wrappers": stack(wrapped("Bidirectional", layer("GRU", units=10**6), 1), shape=(None, 3, 4)),
    "cells": stack(layer("RNN", cell=[layer("LSTMCell", units=9), layer("LSTMCell", units=10**6)]), shape=(None, 3, 4)),
    "Conv2D": stack(layer("Conv2D", filters=8, kernel_size=[10**7, 10**7], padding="same"), shape=(None, 8, 8, 3)),
    "SeparableConv2D": stack(layer("SeparableConv2D", filters=10**10, kernel_size=3), shape=(None, 8, 8, 3)),
    "LocallyConnected1D": stack(layer("LocallyConnected1D", filters=10**9, kernel_size=2), shape=(None, 50, 3)),
    "BatchNormalization": stack(layer("BatchNormalization"), shape=(None, 10**11)),
    "PReLU": stack(layer("PReLU"), shape=(None, 10**6, 10**6)),
    "a huge input": stack(layer("Dense", units=1), shape=(None, 10**10)),
    "states of a huge batch": stack(layer("LSTM", units=4, stateful=True), shape=(10**12, 3, 4)),
    "in a wrapper": stack(wrapped("TimeDistributed", layer("Dense", units=10**9), 3), shape=(None, 2, 2, 2, 3)),
    "in a model": stack(stack(layer("Dense", units=10**9))),
    "functional": {
        "class_name": "Functional",
        "config": {
            "name": "graph",
            "layers": [
                {**layer("InputLayer", batch_input_shape=[None, 4]), "name": "bad", "inbound_nodes": []},
                {**layer("Dense", name="dense", units=10**9), "name": "dense", "inbound_nodes": [[["bad", 0, 0, {}]]]},
            ],
            "input_layers": [["bad", 0, 0]],
            "output_layers": [["dense", 0, 0]],
        },
    },
}


@pytest.mark.parametrize("config", HUGE.values(), ids=HUGE)
def test_a_small_text_does_not_get_a_huge_model(config: Config) -> None:
    text = json.dumps(config)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with pytest.raises(FileError) as caught:
        tk.models.model_from_json(text)
    assert time.monotonic() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    message = str(caught.value)
    assert message.startswith("model_from_json: '")  # names the layer
    assert " bytes, and 2,147,483,648 are allowed" in message or "more than any memory" in message
    assert "saving.limits.WEIGHT_BYTES" in message


def test_weights_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEIGHT_BYTES", 1_000_000)
    monkeypatch.setattr(limits, "WEIGHTS_BY_FILE", 1)
    layers = [layer("Dense", name=f"dense_{i}", units=200) for i in range(20)]
    with pytest.raises(FileError, match="'dense_6/kernel:0 with the weights before it' asks for 1,"):
        tk.models.model_from_json(json.dumps(stack(*layers, shape=(None, 200))))
    few = tk.models.model_from_json(json.dumps(stack(*layers[:3], shape=(None, 200))))
    assert few.count_params() == 3 * (200 * 200 + 200)


def test_the_limit_may_be_raised_and_grows_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(stack(layer("Dense", units=3000), shape=(None, 1000)))
    monkeypatch.setattr(limits, "WEIGHT_BYTES", 1_000_000)
    with pytest.raises(FileError, match="1,000,000 are allowed"):
        tk.models.model_from_json(text)
    assert tk.models.model_from_json(text + " " * 200_000).count_params() == 3_003_000
    monkeypatch.setattr(limits, "WEIGHT_BYTES", 13_000_000)
    assert tk.models.model_from_json(text).count_params() == 3_003_000


def test_only_what_comes_from_a_file_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEIGHT_BYTES", 100)
    model = tk.Sequential([tk.layers.Dense(100, input_dim=100)])
    assert tk.models.clone_model(model).count_params() == 10_100
    assert tk.Sequential.from_config(model.get_config()).count_params() == 10_100


def test_the_limit_sees_a_tensor_before_it_is_allocated() -> None:
    makers = [
        lambda: torch.empty(10**13),
        lambda: torch.zeros((10**7, 10**7)),
        lambda: torch.rand(10**13),
        lambda: torch.full((10**13,), 1.0),
        lambda: torch.arange(10**13),
        lambda: torch.eye(10**7),
        lambda: torch.nn.Linear(10**7, 10**7),
        lambda: torch.empty_like(torch.empty(10**13, device="meta"), device="cpu"),
        lambda: torch.randint(5, (10**13,)),
        lambda: torch.empty(2**62, 2**62),
    ]
    for make in makers:
        with pytest.raises(TooLarge), weight_limit(10**9):
            make()
    with weight_limit(10**9):
        assert torch.rand(5, generator=torch.Generator()).shape == (5,)
    assert torch.empty(10**13, device="meta").nbytes == 4 * 10**13  # nothing is limited any more


def test_seeds_give_the_same_weights_under_a_limit() -> None:
    text = tk.Sequential([tk.layers.Dense(3, input_shape=(5, 4)), tk.layers.LSTM(2)]).to_json()
    results = []
    for from_file in (True, False):
        np.random.seed(7)
        model = tk.models.model_from_json(text) if from_file else tk.models.model_from_config(json.loads(text))
        results.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


# --- configurations --------------------------------------------------------------------------------------------------


def nested(levels: int, kind: str) -> str:
    if kind == "lists":
        return "[" * levels + "]" * levels
    if kind == "dictionaries":
        return '{"a":' * levels + "1" + "}" * levels
    inside = '{"class_name": "Dense", "config": {"units": 2}}'
    before, after = {
        "models": ('{"class_name": "Sequential", "config": {"layers": [', "]}}"),
        "wrappers": ('{"class_name": "TimeDistributed", "config": {"layer": ', "}}"),
        "arguments": ('{"class_name": "Dense", "config": {"units": 2, "kernel_initializer": ', "}}"),
    }[kind]
    return before * levels + inside + after * levels


@pytest.mark.parametrize("kind", ["lists", "dictionaries", "models", "wrappers", "arguments"])
@pytest.mark.parametrize("levels", [450, 10_000, 200_000])
def test_deep_texts_are_refused(kind: str, levels: int) -> None:
    with pytest.raises(ValueError, match="inside each other"):
        tk.models.model_from_json(nested(levels, kind))


def test_a_configuration_that_needs_too_deep_a_recursion_is_refused() -> None:
    class Nested(tk.layers.Layer):
        @classmethod
        def from_config(cls, config: Config) -> Any:
            return tk.layers.deserialize({"class_name": "Nested", "config": config})

    with pytest.raises(ValueError, match="inside each other"):
        tk.models.model_from_json(json.dumps(layer("Nested")), {"Nested": Nested})


def test_a_long_text_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONFIG_BYTES", 1000)
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("it was parsed"))
    with pytest.raises(FileError, match=r"has 1,001 bytes, and 1,000 are allowed; .*limits.CONFIG_BYTES"):
        tk.models.model_from_json("x" * 1001)


def test_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONFIG_VALUES", 1000)
    text = json.dumps(stack(layer("Dense", units=1, x=list(range(1000)))))
    with pytest.raises(FileError, match=r"values and more, and 1,000 are allowed; .*limits.CONFIG_VALUES"):
        tk.models.model_from_json(text)


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "nonsense", '{"class_name": }', "\0", '{"a": 1} x', "1" * 5000])
def test_what_is_no_json_is_one_error(text: str) -> None:
    with pytest.raises(FileError, match="model_from_json: the configuration is no JSON: "):
        tk.models.model_from_json(text)


def test_honest_nesting_is_well_within_the_limits() -> None:
    model: Any = tk.layers.Dense(2)
    for _ in range(20):
        model = tk.Sequential([model])
    model.build((None, 3))
    assert tk.models.model_from_json(model.to_json()).to_json() == model.to_json()


def test_the_callers_configuration_is_unchanged() -> None:
    config = stack(layer("Dense", units=10**9))
    before = copy.deepcopy(config)
    with pytest.raises(TooLarge), weight_limit(10**6):
        tk.models.model_from_config(config)
    assert config == before
