"""Users name the attributes of their layers as they like; a name that cannot be is refused when it is assigned."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers

X, Y = np.linspace(-1, 1, 12).reshape(4, 3), np.ones((4, 1))

# What Keras's Layer has, 1 to 2.15, and torch's Module.
KERAS = set(
    "activity_regularizer add_loss add_metric add_update add_weight build built call compute_mask compute_output_shape "
    "compute_output_signature count_params dtype dynamic from_config get_config get_input_at get_input_mask_at "
    "get_input_shape_at get_output_at get_output_mask_at get_output_shape_at get_weights input input_mask input_shape "
    "input_spec losses metrics name non_trainable_variables non_trainable_weights output output_mask output_shape "
    "set_weights stateful supports_masking trainable trainable_variables trainable_weights updates variables weights "
    "inbound_nodes outbound_nodes batch_input_shape get_output_shape_for uses_learning_phase "
    "compute_dtype dtype_policy variable_dtype add_variable build_from_config finalize_state get_build_config "
    "load_own_variables name_scope save_own_variables submodules with_name_scope".split()
)
TORCH = sorted(name for name in dir(nn.Module) if not name.startswith("_"))
# What the package called its own methods and traits once, and what tutorials use.
OTHERS = (
    "mode table weight run row_wise to_input sublayers kernel bias units heads scale alpha size shape rank W b gamma "
    "conv dense lstm layer layers model module activation dropout norm state states cell cells mask ratio rate step"
).split()


def test_the_package_adds_no_public_names() -> None:
    public = {name for name in dir(layers.Layer) if not name.startswith("_")}
    assert public - KERAS - set(dir(nn.Module)) == set()


def user_layer(name: str, value: Any) -> Any:
    class Mine(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = layers.Dense(3)
            setattr(self, name, value)

        def call(self, x: Any) -> Any:
            held = getattr(self, name)
            assert type(held) is type(value)
            y = self.inner(x)
            if isinstance(value, layers.Layer):
                y = y + held(x)
            return y * held if isinstance(value, torch.Tensor) else y

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    return Mine(input_shape=(3,))


def use(layer: Any, weights: int, path: Path) -> None:
    model = keras.Sequential([layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    assert len(before) == weights
    model.fit(X, Y, verbose=0)
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    model.evaluate(X, Y, verbose=0)
    predictions = model.predict(X, verbose=0)
    model(X)
    assert model.train().training
    assert not model.eval().training
    model.to("cpu").zero_grad()
    assert len(list(model.parameters())) == len(model.state_dict()) == weights
    model.load_state_dict(model.state_dict())
    assert [module for module in model.modules() if module is layer] == [layer]
    model.save_weights(path / "w.h5")
    model.load_weights(path / "w.h5")
    model.summary(print_fn=lambda line: None)
    repr(model)
    assert np.array_equal(copy.deepcopy(model).predict(X, verbose=0), predictions)


VALUES = {
    "sublayer": (lambda: layers.Dense(3), 6),
    "variable": (lambda: K.variable(np.ones(3)), 5),
    "text": (lambda: "sum", 4),
    "list": (lambda: [1, 2], 4),
    "flag": (lambda: False, 4),
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("name", [*TORCH, *OTHERS])
def test_a_name_works_or_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    make, weights = VALUES[kind]
    if name == "training":
        return  # torch's own flag, which a user may set
    try:
        layer = user_layer(name, make())
    except AttributeError as refused:
        message = str(refused)
    else:
        use(layer, weights, tmp_path)
        return
    assert re.search(rf"Mine '\w+': self\.{name} cannot be assigned, since .*; choose another name", message)
    assert name not in OTHERS


@pytest.mark.parametrize(
    "name", "mode table forward parameters modules type weight train eval float to buffers".split()
)
@pytest.mark.parametrize("kind", VALUES)
def test_names_that_tutorials_use_work(name: str, kind: str) -> None:
    user_layer(name, VALUES[kind][0]())


@pytest.mark.parametrize("name", "input output weights losses variables get_config count_params add_weight".split())
def test_names_of_keras_are_refused(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"self\.{name} cannot be assigned, since .*self\.my_{name}"):
        user_layer(name, 3)
    if name in ("input", "output"):
        with pytest.raises(AttributeError, match="property"):
            user_layer(name, layers.Dense(3))


def test_a_users_own_train_method_is_called_or_passed_over() -> None:
    class Frozen(layers.Layer):
        def train(self, mode: bool = True) -> Any:
            return super().train(False)

    class Trains(layers.Layer):
        def train(self, x: Any, y: Any) -> str:
            return "mine"

    model = keras.Sequential([Frozen(input_shape=(3,)), Trains(), layers.Dense(1)])
    model.train()
    assert [layer.training for layer in model.layers] == [False, True, True]
    assert model.layers[1].train(1, 2) == "mine"
