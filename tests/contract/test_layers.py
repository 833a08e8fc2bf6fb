"""What holds for every layer, over every line of the table."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import torchkeras_compat as keras
from torchkeras_compat._core import dialects, randomness, registry
from torchkeras_compat._core.tree import flatten, flatten_shapes, is_shape, map_shapes, map_tree, shapes_of
from torchkeras_compat.layers.base import Layer, own_arguments

from .specs import ELSEWHERE, LAYERS, LayerSpec

BATCH = 3


@pytest.fixture(params=LAYERS, ids=str)
def spec(request: pytest.FixtureRequest) -> LayerSpec:
    line: LayerSpec = request.param
    reason = line.skip.get(request.node.originalname)
    if reason:
        pytest.skip(reason)
    return line


def draw(spec: LayerSpec, batch: int = BATCH, dtype: torch.dtype = torch.float32) -> Any:
    """Return a tensor for a line, or a list of them."""
    generator = torch.Generator().manual_seed(5)

    def one(shape: tuple[int, ...]) -> Tensor:
        if spec.indices is not None:
            return torch.randint(spec.indices, shape, generator=generator)
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    return map_shapes(one, spec.batch_shape(batch))


def built(spec: LayerSpec, **more: Any) -> Any:
    layer = spec.make(**more)
    layer._build_from(spec.batch_shape(None))
    return layer


def run(layer: Any, x: Any, training: bool = False) -> Any:
    return layer(x, training=training)


def equal(one: Any, other: Any) -> bool:
    return all(map(torch.equal, flatten(one), flatten(other)))


# --- the table -------------------------------------------------------------------------------------------------------


def test_every_layer_has_a_line() -> None:
    assert set(registry.names("layer")) == {line.cls for line in LAYERS} | set(ELSEWHERE)
    exported = {getattr(keras.layers, name) for name in keras.layers.__all__}
    classes = {cls.__name__ for cls in exported if inspect.isclass(cls) and issubclass(cls, Layer)}
    assert classes - set(registry.names("layer")) == {"Layer", "Wrapper", "AbstractRNNCell"}  # bases


def test_a_layer_without_a_line_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.names("layer")
    monkeypatch.setattr(registry, "names", lambda kind: [*known, "Unheard"])
    with pytest.raises(AssertionError, match="Unheard"):
        test_every_layer_has_a_line()


@pytest.mark.parametrize("name", sorted({line.cls for line in LAYERS}))
def test_some_line_leaves_the_default(name: str) -> None:
    lines = [line for line in LAYERS if line.cls == name]
    if any("test_some_line_leaves_the_default" in line.skip for line in lines):
        pytest.skip("one argument has a single value, or is tested with the layer")
    cls = registry.lookup("layer", name)
    parameters = inspect.signature(cls).parameters
    defaults = {name: parameters[name].default for name in own_arguments(cls) if name in parameters}
    left = [a for a, default in defaults.items() if all(line.arguments.get(a, default) == default for line in lines)]
    assert left == []


# --- shapes ----------------------------------------------------------------------------------------------------------


def ways(spec: LayerSpec) -> dict[str, dict[str, Any]]:
    """Return the ways in which the shape of the input can be told to a first layer."""
    if not spec.takes_one:
        return {}
    cls = registry.lookup("layer", spec.cls)
    found: dict[str, dict[str, Any]] = {
        "input_shape": {"input_shape": spec.shape},
        "batch_input_shape": {"batch_input_shape": (None, *spec.shape)},
    }
    takes_dim = "input_dim" not in inspect.signature(cls).parameters
    if takes_dim and len(spec.shape) == 1 and not cls._sequence_input:
        found["input_dim"] = {"input_dim": spec.shape[0]}
    if takes_dim and len(spec.shape) == 2:
        found["input_length"] = {"input_length": spec.shape[0], "input_dim": spec.shape[1]}
    return found


def test_every_way_to_give_the_shape(spec: LayerSpec) -> None:
    layers = {way: spec.make(**arguments) for way, arguments in ways(spec).items()}
    alone = spec.takes_one and is_shape(spec.output)  # in a Sequential
    models = {way: keras.Sequential([layer]) for way, layer in layers.items()} if alone else {}
    layers = {way: layers[way] for way in models}
    layers["Input"] = spec.make()
    kind = None if spec.indices is None else "int32"
    inputs = map_shapes(lambda shape: keras.layers.Input(shape, dtype=kind), spec.shape)
    models["Input"] = keras.models.Model(inputs, layers["Input"](inputs))
    if alone:
        layers["Input in a list"] = spec.make()
        models["Input in a list"] = keras.Sequential(
            [keras.layers.Input(spec.shape, dtype=kind), layers["Input in a list"]]
        )
    layers["first batch"] = spec.make()
    run(layers["first batch"], draw(spec))
    expected = spec.batch_output(None)
    assert {way: model.output_shape for way, model in models.items()} == dict.fromkeys(models, expected)
    shapes = {way: [w.shape for w in layer.get_weights()] for way, layer in layers.items()}
    assert all(found == shapes["Input"] for found in shapes.values()), shapes


def test_output_shape(spec: LayerSpec) -> None:
    layer = built(spec)
    assert shapes_of(run(layer, draw(spec))) == spec.batch_output(BATCH)
    for size in (None, BATCH):
        assert layer.compute_output_shape(spec.batch_shape(size)) == spec.batch_output(size)
    assert layer.output_shape == spec.batch_output(None)
    assert shapes_of(run(layer, draw(spec, 1))) == spec.batch_output(1)


def test_output_shape_keeps_none(spec: LayerSpec) -> None:
    layer = built(spec)
    shapes = flatten_shapes(spec.batch_shape(None))
    for i, axis in [(i, axis) for i, shape in enumerate(shapes) for axis in range(1, len(shape))]:
        opened = [(*s[:axis], None, *s[axis + 1 :]) if i == j else s for j, s in enumerate(shapes)]
        found = flatten_shapes(layer.compute_output_shape(opened[0] if spec.takes_one else opened))
        for one, real in zip(found, flatten_shapes(spec.batch_output(None))):
            assert len(one) == len(real)
            assert all(n is None or n == m for n, m in zip(one[1:], real[1:])), (opened, found)


# --- configuration ---------------------------------------------------------------------------------------------------


def test_config_round_trip(spec: LayerSpec) -> None:
    shape = spec.batch_shape(7) if spec.takes_one else (7, None)
    layer = spec.make(name="given", trainable=False, dtype="float64", batch_input_shape=shape)
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert config["name"] == again.name == "given"
    assert again.trainable is False
    assert again.dtype == "float64"
    assert again.batch_input_shape == shape
    assert again.get_config() == config
    for argument, value in spec.arguments.items():
        assert argument in config, argument
        if isinstance(value, (bool, int, float, str)) and not isinstance(config[argument], (tuple, dict)):
            assert config[argument] == value


def test_config_is_json(spec: LayerSpec) -> None:
    layer = spec.make()
    written = json.dumps(keras.layers.serialize(layer))
    again = keras.layers.deserialize(json.loads(written))
    assert type(again) is type(layer)
    assert json.dumps(keras.layers.serialize(again)) == written


# --- weights ---------------------------------------------------------------------------------------------------------


def test_weights_round_trip(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec)
    rng = np.random.RandomState(3)
    values = [rng.uniform(0.1, 0.9, w.shape).astype("float32") for w in layer.get_weights()]
    layer.set_weights(values)
    for value, found, variable in zip(values, layer.get_weights(), layer.weights):
        np.testing.assert_array_equal(found, value)
        assert tuple(variable.shape) == value.shape
        assert variable.name.startswith(f"{layer.name}/")
    again = type(layer).from_config({**layer.get_config(), "name": "again"})
    again._build_from(spec.batch_shape(None))
    again.set_weights(values)
    torch.testing.assert_close(run(again, x), run(layer, x), rtol=0, atol=0)
    assert layer.count_params() == sum(v.size for v in values)


def test_wrong_weights_change_nothing(spec: LayerSpec) -> None:
    layer = built(spec)
    before = layer.get_weights()
    with pytest.raises(ValueError, match="set_weights needs"):
        layer.set_weights([*before, np.zeros(3)])
    if before:
        with pytest.raises(ValueError, match="the weight has shape"):
            layer.set_weights([*before[:-1], np.zeros((1, 1, 1, 1, 1, 7))])
    for old, new in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_initial_weights(spec: LayerSpec) -> None:
    values = [np.full(w.shape, 0.25, "float32") for w in built(spec).get_weights()]
    layer = built(spec, weights=values)
    for value, found in zip(values, layer.get_weights()):
        np.testing.assert_array_equal(found, value)


def test_gradient_flows(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec)
    map_tree(lambda leaf: leaf.requires_grad_(spec.indices is None), x)
    generator = torch.Generator().manual_seed(1)
    sum((y * torch.randn(y.shape, generator=generator)).sum() for y in flatten(run(layer, x))).backward()
    found = {w.path: p.grad for w in layer._trained_table() for p in w.parameters if p.requires_grad}
    if spec.indices is None:
        found.update((f"input {i}", leaf.grad) for i, leaf in enumerate(flatten(x)))
    for name, gradient in found.items():
        assert gradient is not None, name
        assert torch.isfinite(gradient).all(), name
        assert gradient.abs().sum() > 0, name


def test_frozen_layer_trains_nothing(spec: LayerSpec) -> None:
    layer = built(spec, trainable=False)
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == len(layer.weights)


# --- types and modes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-5), ("bfloat16", 0.05)])
def test_dtypes(spec: LayerSpec, dtype: str, tolerance: float) -> None:
    reference, other = built(spec), built(spec, dtype=dtype)
    other.set_weights(reference.get_weights())
    kind = getattr(torch, dtype)
    found, expected = flatten(run(other, draw(spec, dtype=kind))), flatten(run(reference, draw(spec)))
    for y, wanted in zip(found, expected):
        assert y.dtype == kind
        torch.testing.assert_close(y.double(), wanted.double(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("policy", "tolerance"), [("mixed_bfloat16", 0.05), ("mixed_float16", 0.01)])
def test_mixed_policies(spec: LayerSpec, policy: str, tolerance: float) -> None:
    """It computes in the short type with weights of float32, which its copy by configuration does too."""
    keras.mixed_precision.set_global_policy(policy)
    other = built(spec)
    copied = type(other).from_config(other.get_config())
    keras.mixed_precision.set_global_policy("float32")
    reference = built(spec)
    other.set_weights(reference.get_weights())
    assert other.dtype_policy.name == copied.dtype_policy.name == policy
    assert {w.dtype for w in other.weights if w.is_floating_point()} <= {torch.float32}
    kind = getattr(torch, other.compute_dtype)
    found, expected = flatten(run(other, draw(spec))), flatten(run(reference, draw(spec)))
    for y, wanted in zip(found, expected):
        assert y.dtype == kind
        torch.testing.assert_close(y.double(), wanted.double(), rtol=tolerance, atol=tolerance)
    assert {p.dtype for p in nn.Module.parameters(other)} <= {torch.float32}


def test_numpy_input(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec)
    arrays = map_tree(lambda leaf: leaf.numpy(), x)
    torch.testing.assert_close(run(layer, arrays), run(layer, x), rtol=0, atol=0)
    if spec.indices is None:
        doubles = map_tree(lambda leaf: leaf.double().numpy(), x)
        torch.testing.assert_close(run(layer, doubles), run(layer, x), rtol=0, atol=0)


def test_modes(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec)
    inference = run(layer, x)
    torch.testing.assert_close(layer(x), inference, rtol=0, atol=0)  # inference is what nobody asked for
    torch.testing.assert_close(run(layer, x), inference, rtol=0, atol=0)
    trained = run(layer, x, training=True)
    assert shapes_of(trained) == shapes_of(inference)
    assert equal(trained, inference) is not (spec.random or spec.batch_statistics)
    keras.backend.set_learning_phase(1)
    assert equal(layer(x), inference) is not (spec.random or spec.batch_statistics)


@pytest.mark.filterwarnings("ignore:var_mean")  # of what torch makes of no samples
def test_no_samples_make_no_outputs(spec: LayerSpec) -> None:
    """A filter of a user's may leave nothing of a batch."""
    layer, x = built(spec), map_tree(lambda leaf: leaf[:0], draw(spec))
    for training in (False, not spec.batch_statistics):  # nothing has no mean; Keras's are not numbers from then on
        assert shapes_of(run(layer, x, training=training)) == spec.batch_output(0)


def test_seed_repeats_a_run(spec: LayerSpec) -> None:
    results = []
    for _ in range(2):
        np.random.seed(11)
        layer = built(spec)
        randomness.draw_seed()  # as each `fit` does
        results.append([run(layer, draw(spec), training=True), *map(torch.as_tensor, layer.get_weights())])
    for first, second in zip(*results):
        torch.testing.assert_close(first, second, rtol=0, atol=0)


# --- masks -----------------------------------------------------------------------------------------------------------


def valid_steps(shape: tuple[int, ...]) -> Tensor:
    """Return a mask of the steps of an input, or of the samples where it has no steps."""
    mask = torch.ones(shape[: 1 + (len(shape) > 2)], dtype=torch.bool)
    if mask.dim() > 1:
        mask[0, 1:] = False
    else:
        mask[0] = False
    return mask


def test_mask(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec)
    mask = map_shapes(valid_steps, spec.batch_shape(BATCH))
    if spec.mask == "makes":
        _, made = layer._run(x, None, False)
        assert made.dtype == torch.bool
        assert made.shape == x.shape[: made.dim()]
        return
    if spec.mask == "refuses":
        with pytest.raises(TypeError, match="does not support masks"):
            layer._run(x, mask, False)
        with dialects.using("tf.keras"):
            later = built(spec)
        assert later._run(x, mask, False)[1] is None
        return
    y, left = layer._run(x, mask, False)
    assert shapes_of(y) == spec.batch_output(BATCH)
    if spec.mask in ("keeps", "joins"):
        assert left.shape == y.shape[: left.dim()]
        assert not left.all()
        assert spec.mask == "joins" or torch.equal(left, mask)
    else:
        assert all(m is None for m in flatten(left))


# --- copies ----------------------------------------------------------------------------------------------------------


def pickled(layer: Any) -> Any:
    return pickle.loads(pickle.dumps(layer))


@pytest.mark.parametrize("way", [copy.deepcopy, pickled])
def test_copies(spec: LayerSpec, way: Any) -> None:
    layer, x = built(spec), draw(spec)
    run(layer, x, training=True)
    expected = run(layer, x)
    other = way(layer)
    torch.testing.assert_close(run(other, x), expected, rtol=0, atol=0)
    for weight, source in zip(other._weight_table(), layer._weight_table()):
        assert all(a.stride() == b.stride() for a, b in zip(weight.parameters, source.parameters))
        weight.assign(np.full(weight.shape, 0.5))
    torch.testing.assert_close(run(layer, x), expected, rtol=0, atol=0)
    assert other.get_config() == layer.get_config()


# --- errors ----------------------------------------------------------------------------------------------------------


BAD = [(line, *bad) for line in LAYERS for bad in line.bad]
BAD_NAMES = [f"{line.cls}-{arguments}" for line, arguments, _ in BAD]


@pytest.mark.parametrize(("line", "arguments", "message"), BAD, ids=BAD_NAMES)
def test_bad_arguments(line: LayerSpec, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError)) as error:
        line.make(**arguments)
    assert message in str(error.value)
    named = "unknown" in str(error.value) or str(error.value).startswith(f"{line.cls}({next(iter(arguments))}=")
    assert named, str(error.value)


def test_wrong_number_of_axes(spec: LayerSpec) -> None:
    layer = spec.make()
    if layer._input_rank is None:
        pytest.skip("it takes any number of axes")
    assert spec.takes_one
    too_many = [] if layer._more_batch_axes else [(None,) * (len(spec.shape) + 2)]
    for shape in (*too_many, (None,) * len(spec.shape)):
        with pytest.raises(ValueError, match=f"{layer.name}'.*the input must have"):
            layer._build_from(shape)
    assert not layer.built


def test_unknown_argument(spec: LayerSpec) -> None:
    with pytest.raises(TypeError, match=rf"{spec.cls}\(nmae='x'\): unknown argument; did you mean 'name'"):
        spec.make(nmae="x")


def test_it_is_a_torch_module(spec: LayerSpec) -> None:
    layer, x = built(spec), draw(spec)
    assert isinstance(layer, (Layer, torch.nn.Module))
    seen: list[Any] = []
    layer.register_forward_hook(lambda module, inputs, output: seen.append(shapes_of(output)))
    run(layer, x)
    assert seen == [spec.batch_output(BATCH)]
    state = layer.state_dict()
    layer.load_state_dict({name: torch.zeros_like(value) for name, value in state.items()})
    assert all(not w.any() for w in layer.get_weights())


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # of a kernel of torch's, which runs sample by sample
def test_torch_func_differentiates_it(spec: LayerSpec) -> None:
    """`torch.func.grad` and a map over samples give autograd's gradients, whatever kernel the layer has."""
    layer, x = built(spec), draw(spec)
    layer.trainable = True
    weights = {name: w for name, w in layer.named_parameters() if w.requires_grad}

    def total(weights: dict[str, Tensor], x: Any) -> Tensor:
        y = torch.func.functional_call(layer, weights, (x,), {"training": False})
        return sum(part.square().sum() for part in flatten(y) if part.is_floating_point())  # type: ignore[return-value]

    leaves = [*weights.values(), *(t.requires_grad_() for t in flatten(x) if t.is_floating_point())]
    value = total(weights, x)
    if not (isinstance(value, Tensor) and value.requires_grad):
        pytest.skip("a layer without a gradient")
    expected = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
    wanted = (0,) if spec.indices is not None else (0, 1)
    detached = {name: w.detach() for name, w in weights.items()}, map_tree(torch.detach, x)
    whole = torch.func.grad(total, wanted)(*detached)
    alone = map_tree(lambda t: t.unsqueeze(1), detached[1])
    each = torch.func.vmap(torch.func.grad(total, wanted), (None, 0))(detached[0], alone)
    gradients = [*each[0].values(), *flatten(each[1:])]
    summed = [g.sum(0) if i < len(weights) else g.squeeze(1) for i, g in enumerate(gradients)]
    torch.testing.assert_close([*whole[0].values(), *flatten(whole[1:])], list(expected), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(summed, list(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_its_gradient_has_a_gradient(spec: LayerSpec, training: bool) -> None:
    """As Keras's has: penalties on gradients train whatever kernel a layer has, to the numbers of doubles."""
    second: list[Any] = []
    weights: list[Any] = []
    for dtype in (torch.float64, torch.float32):
        layer = built(spec, dtype=str(dtype)[6:])
        layer.trainable = True
        weights = weights or layer.get_weights()
        layer.set_weights(weights)
        x = draw(spec, dtype=dtype)
        leaves = [w for w in layer.parameters() if w.requires_grad]
        leaves += [t.requires_grad_() for t in flatten(x) if t.is_floating_point()]
        y = [part for part in flatten(run(layer, x, training)) if part.is_floating_point() and part.requires_grad]
        if not y or (training and spec.random):
            pytest.skip("a layer without a gradient, or one that draws at random")
        first = torch.autograd.grad(
            sum(part.sin().sum() for part in y), leaves, create_graph=True, allow_unused=True, materialize_grads=True
        )
        length = sum(gradient.square().sum() for gradient in first)
        assert isinstance(length, Tensor)
        second.append(torch.autograd.grad(length, leaves, allow_unused=True, materialize_grads=True))
    for doubled, full in zip(*second):
        scale = max(float(doubled.abs().max()), 1.0)
        torch.testing.assert_close(full / scale, (doubled / scale).float(), rtol=1e-3, atol=5e-4)  # sums that cancel
