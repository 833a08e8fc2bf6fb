"""`InputSpec`: accepted and refused as Keras 2.15 does, wherever a layer says it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from torchkeras_compat import layers
from torchkeras_compat.layers import InputSpec
from torchkeras_compat.models import Sequential

FITS: list[tuple[dict[str, Any], tuple[int, ...], bool]] = [  # what Keras 2.15 accepts
    ({"ndim": 2}, (4, 3), True),
    ({"ndim": 3}, (4, 3), False),
    ({"min_ndim": 2}, (4, 3, 2), True),
    ({"min_ndim": 3}, (4, 3), False),
    ({"max_ndim": 2}, (4, 3), True),
    ({"max_ndim": 2}, (4, 3, 2), False),
    ({"shape": (None, 3)}, (4, 3), True),
    ({"shape": (None, 3)}, (4, 2), False),
    ({"shape": (None, 3)}, (4, 3, 2), False),
    ({"shape": (9, 3)}, (4, 3), False),
    ({"axes": {-1: 3}}, (4, 5, 3), True),
    ({"axes": {-1: 2}}, (4, 3), False),
    ({"axes": {1: None}}, (4, 3), True),
    ({"min_ndim": 2, "axes": {1: 3}}, (4, 3, 9), True),
    ({"dtype": "float32"}, (4, 3), True),
    ({"dtype": "int32"}, (4, 3), False),
    ({"shape": (None, 3, 1), "allow_last_axis_squeeze": True}, (4, 3), True),
    ({"shape": (None, 3), "allow_last_axis_squeeze": True}, (4, 3, 1), True),
    ({"shape": (None, 3), "allow_last_axis_squeeze": True}, (4, 3, 2), False),
]


class Doubled(layers.Layer):
    def __init__(self, spec: Any = None, late: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if spec is not None:
            self.input_spec = spec
        self.late = late

    def build(self, input_shape: Any) -> None:
        if self.late is not None:
            self.input_spec = self.late(input_shape)

    def call(self, inputs: Any) -> Any:
        return inputs * 2

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@pytest.mark.parametrize(("said", "shape", "fits"), FITS)
@pytest.mark.parametrize("as_list", [False, True])
def test_called_by_hand(said: dict[str, Any], shape: tuple[int, ...], fits: bool, as_list: bool) -> None:
    spec = InputSpec(**said)
    layer = Doubled([spec] if as_list else spec)
    if fits:
        assert layer(np.ones(shape)).shape == shape
        return
    with pytest.raises(
        ValueError, match=r"^Doubled 'doubled_1': input_spec expects .*; got an input of shape \(None, "
    ):
        layer(np.ones(shape))


@pytest.mark.parametrize(
    ("said", "shape", "fits"), [case for case in FITS if "dtype" not in case[0] and case[1][0] == 4]
)
def test_in_a_model(said: dict[str, Any], shape: tuple[int, ...], fits: bool) -> None:
    if said.get("shape", (None,))[0] == 9:
        pytest.skip("the batch size of a model is open")
    parts = [layers.Input(shape[1:]), Doubled(InputSpec(**said))]
    if fits:
        assert Sequential(parts).predict(np.ones(shape), verbose=0).shape == shape
        return
    with pytest.raises(ValueError, match=r"Doubled 'doubled_1': input_spec expects"):
        Sequential(parts)


def test_set_in_build_it_holds_from_the_next_call_on() -> None:
    layer = Doubled(late=lambda shape: InputSpec(min_ndim=2, axes={-1: shape[-1]}))
    layer(np.ones((2, 3)))
    layer(np.ones((2, 5, 3)))
    with pytest.raises(ValueError, match=r"input_spec expects size 3 of axis -1; got an input of shape \(None, 4\)"):
        layer(np.ones((2, 4)))


def test_in_training_sizes_that_the_model_leaves_open_are_checked() -> None:
    model = Sequential([layers.Input((None, 2)), Doubled(InputSpec(axes={1: 5})), layers.GlobalMaxPooling1D()])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 5, 2)), np.ones((4, 2)), verbose=0)
    with pytest.raises(ValueError, match=r"input_spec expects size 5 of axis 1"):
        model.predict(np.ones((4, 6, 2)), verbose=0)


def test_as_an_attribute_of_the_class() -> None:
    class Flat(layers.Layer):
        input_spec = InputSpec(ndim=2)

    with pytest.raises(ValueError, match="input_spec expects ndim=2"):
        Flat()(np.ones((2, 3, 4)))
    assert Flat().input_spec.ndim == 2


def test_what_it_refuses() -> None:
    with pytest.raises(TypeError, match=r"InputSpec\(axes=3\): axes must be a dictionary"):
        InputSpec(axes=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"axes must be axes of an input with 2 axes"):
        InputSpec(ndim=2, axes={2: 5})
    with pytest.raises(TypeError, match=r"Dense\.input_spec must be an InputSpec, a list of them or None; got 3"):
        layers.Dense(1).input_spec = 3
    spec = InputSpec(ndim=3, axes={-1: 4})
    assert repr(spec) == "InputSpec(ndim=3, axes={-1: 4})"
    again = InputSpec.from_config(spec.get_config())
    assert (again.ndim, again.axes) == (3, {-1: 4})
    layer = Doubled(spec)
    layer.input_spec = None
    layer(np.ones((2, 3)))


def test_names_of_a_graph() -> None:
    model = Sequential([layers.Dense(2, input_dim=3), layers.Dropout(0.5), layers.Dense(1)])
    dense = model.layers[0]
    assert dense.get_input_at(0) is dense.input
    assert dense.get_output_at(0) is dense.output
    assert (dense.get_input_shape_at(0), dense.get_output_shape_at(-1)) == ((None, 3), (None, 2))
    assert (model.get_input_shape_at(0), model.get_output_shape_at(0)) == ((None, 3), (None, 1))
    assert [node.layer for node in dense.inbound_nodes] == [dense] == [n.outbound_layer for n in dense._inbound_nodes]
    assert dense.inbound_nodes[0].output_shapes == (None, 2)
    assert model.input_names == [f"{dense.name}_input"]
    assert model.output_names == [model.layers[-1].name]
    assert Sequential([layers.Input((3,), name="x"), layers.Dense(1, name="y")]).input_names == ["x"]
    assert (dense.updates, model.updates, model.state_updates) == ([], [], [])
    assert model.uses_learning_phase
    assert not Sequential([layers.Dense(1, input_dim=2)]).uses_learning_phase
    with pytest.raises(ValueError, match=r"get_output_at\(1\): the layer has been called 1 times on symbolic tensors"):
        dense.get_output_at(1)
    with pytest.raises(ValueError, match=r"get_input_at\(0\): the layer has not been called on symbolic tensors"):
        layers.Dense(1).get_input_at(0)
    dense.inbound_nodes = []
    assert dense._inbound_nodes == []
    with pytest.raises(ValueError, match=r"name must be a string, which logs call the metric; got None"):
        model.add_metric(1.0)


def test_names_of_graph_mode() -> None:
    model = Sequential([layers.Dense(1, input_dim=3)])
    for name in ("make_predict_function", "_make_train_function", "make_test_function", "_make_predict_function"):
        assert getattr(model, name)() is None
    assert (model.metrics_names, model.stateful_metric_names, model.run_eagerly) == ([], [], False)
    model.compile("sgd", "mse", metrics=["AUC"], jit_compile=True)
    model.run_eagerly = True
    assert (model.run_eagerly, model.jit_compile) == (True, False)
    model.evaluate(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    assert model.stateful_metric_names == model.metrics_names[1:]
    assert len(model.stateful_metrics) == 1
