"""Weights in the forms of Keras 0.3, 1, 2.0, Theano and cuDNN: what Keras 2.15 makes of them, or a definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat.saving.hdf5 import FileError

from .builders import fill
from .classic_models import CASES, REFUSED, Case

L = tk.layers
GOLDEN = Path(__file__).resolve().parent / "data" / "classic_weights.npz"


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN) as data:
        return dict(data)


def of(golden: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    return [golden[f"{name}/{i}"] for i in range(len([key for key in golden if key.startswith(f"{name}/")]))]


def loaded(case: Case, path: Path, **options: Any) -> tk.Model:
    tk.set_dialect("tf.keras")
    with h5py.File(path, "w") as root:
        case.write(root)
    net: tk.Model = case.model(tk)
    net.load_weights(path, **options)
    return net


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_weights_are_what_keras_makes_of_them(
    name: str, by_name: bool, golden: dict[str, np.ndarray], path: Path
) -> None:
    weights, expected = loaded(CASES[name], path, by_name=by_name).get_weights(), of(golden, name)
    assert len(weights) == len(expected) > 0
    for weight, value in zip(weights, expected):
        np.testing.assert_allclose(weight, value, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gru_without_reset_into_gru", "write reset_after=False"),
        ("cudnn_gru_into_gru_without_reset", "write reset_after=True"),
        ("gru_without_reset_into_cudnn_gru", "another function"),
    ],
)
def test_another_function_is_refused(name: str, message: str, path: Path) -> None:
    with pytest.raises(FileError, match=message):
        loaded(REFUSED[name], path)
    with pytest.raises(FileError, match=message):
        loaded(REFUSED[name], path, reshape=True)


@pytest.mark.parametrize(("cudnn", "plain"), [("CuDNNLSTM", "LSTM"), ("CuDNNGRU", "GRU")])
@pytest.mark.parametrize("both_ways", [False, True])
def test_cudnn_and_plain_layers_predict_the_same(cudnn: str, plain: str, both_ways: bool, path: Path) -> None:
    tk.set_dialect("tf.keras")
    nets = []
    for name in (cudnn, plain):
        layer = getattr(L, name)(4, return_sequences=True)
        nets.append(tk.Sequential([tk.Input((5, 3)), L.Bidirectional(layer) if both_ways else layer, L.Dense(2)]))
    x = np.random.RandomState(0).uniform(-1, 1, (2, 5, 3)).astype("float32")
    for source, target in (nets, nets[::-1]):
        random = np.random.RandomState(1)
        source.set_weights([random.uniform(-0.5, 0.5, w.shape) for w in source.get_weights()])
        source.save_weights(path)
        target.load_weights(path)
        np.testing.assert_allclose(target.predict(x, verbose=0), source.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


# --- what Keras 2 cannot load: definitions ---------------------------------------------------------------------------


def gates(random: Any, name: str, inputs: int, units: int, order: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return arrays of one recurrent layer of Keras 1 by name, and by weight and gate."""
    shapes = {"W": (inputs, units), "U": (units, units), "b": (units,)}
    arrays = {w + g: random.uniform(-1, 1, shape).astype("float32") for g in order for w, shape in shapes.items()}
    return {f"{name}_{key[0]}_{key[1]}": value for key, value in arrays.items()}, arrays


def joined(arrays: dict[str, Any], order: str) -> list[np.ndarray]:
    return [np.concatenate([arrays[w + g] for g in order], -1) for w in "WUb"]


def test_gates_apart_in_a_model_in_a_model(path: Path) -> None:
    # Keras 2 counts three arrays for an LSTM in a model in the model, and cannot load the twelve.
    tk.set_dialect("tf.keras")
    random = np.random.RandomState(2)
    norm = {f"n_{name}": random.uniform(0.1, 1, 3).astype("f4") for name in ("gamma", "beta", "mean", "std")}
    stored, arrays = gates(random, "r", 3, 4, "icfo")
    reset, more = gates(random, "g", 4, 2, "zrh")
    learning, fixed = list(norm.items())[:2], list(norm.items())[2:]
    with h5py.File(path, "w") as file:
        fill(file, {"m": dict([*learning, *stored.items(), *reset.items(), *fixed])})
        del file.attrs["keras_version"]
    layers = [L.BatchNormalization(), L.LSTM(4, return_sequences=True), L.GRU(2, reset_after=False)]
    inner = tk.Sequential([tk.Input((5, 3)), *layers], name="m")
    net = tk.Sequential([tk.Input((5, 3)), inner])
    net.load_weights(path)
    expected = [*norm.values(), *joined(arrays, "ifco"), *joined(more, "zrh")]
    by_layer = [w for layer in layers for w in layer.get_weights()]
    for weight, value in zip(by_layer, expected, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_deconvolution_at_every_step(golden: dict[str, np.ndarray], path: Path) -> None:
    # Keras 2 turns the kernel of a layer in TimeDistributed twice.
    case = CASES["deconvolution"]
    with h5py.File(path, "w") as root:
        case.write(root)
    net = tk.Sequential([tk.Input((3, 8, 9, 2)), L.TimeDistributed(L.Conv2DTranspose(4, (3, 2)))])
    net.load_weights(path)
    np.testing.assert_array_equal(net.get_weights()[0], of(golden, "deconvolution")[0])


def test_layers_that_were_merged_in_keras_1_stand_in_a_row(path: Path) -> None:
    left, right = (
        tk.Sequential([tk.Input((3,)), L.Dense(2, name=f"{side}_1"), L.Dense(2, name=f"{side}_2")])
        for side in ("left", "right")
    )
    a, b = tk.Input((3,)), tk.Input((3,))
    net = tk.Model([a, b], L.Dense(1, name="out")(L.Add()([left(a), right(b)])))
    random = np.random.RandomState(0)
    shapes = {"left_1": (3, 2), "left_2": (2, 2), "right_1": (3, 2), "right_2": (2, 2), "out": (2, 1)}
    arrays = {n: (random.rand(*s).astype("f4"), random.rand(s[1]).astype("f4")) for n, s in shapes.items()}
    with h5py.File(path, "w") as file:
        fill(file, {name: {f"{name}_W": w, f"{name}_b": b} for name, (w, b) in arrays.items()})
    net.load_weights(path)
    for layer in (*left.layers, *right.layers, net.get_layer("out")):
        for weight, value in zip(layer.get_weights(), arrays[layer.name], strict=True):
            np.testing.assert_array_equal(weight, value)


def test_convolutional_gates_of_theano(path: Path) -> None:
    # (out, in, height, width) for each gate; Keras 2 joins the gates before it turns them, which fits nothing.
    random = np.random.RandomState(0)
    shapes = {"W": (4, 2, 3, 2), "U": (4, 4, 3, 2), "b": (4,)}
    arrays = {w + g: random.rand(*shape).astype("f4") for g in "icfo" for w, shape in shapes.items()}
    with h5py.File(path, "w") as file:
        fill(file, {"r": {f"r_{key[0]}_{key[1]}": value for key, value in arrays.items()}})
        del file.attrs["keras_version"]
    layer = L.ConvLSTM2D(4, (3, 2), data_format="channels_first")
    net = tk.Sequential([tk.Input((3, 2, 8, 9)), layer])
    net.load_weights(path)
    kernels = [np.concatenate([arrays[w + g].transpose(2, 3, 1, 0) for g in "ifco"], -1) for w in "WU"]
    expected = [*kernels, np.concatenate([arrays["b" + g] for g in "ifco"])]
    for weight, value in zip(net.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_both_kernels_of_theano_are_flipped(path: Path) -> None:
    # As Keras 2.3 does it; the one in TensorFlow forgot about Theano.
    shapes = {"kernel": (3, 2, 2, 16), "recurrent_kernel": (3, 2, 4, 16), "bias": (16,)}
    arrays = {f"r/{n}:0": np.random.RandomState(0).rand(*shape).astype("f4") for n, shape in shapes.items()}
    with h5py.File(path, "w") as file:
        fill(file, {"r": arrays}, backend="theano")
    net = tk.Sequential([tk.Input((3, 8, 9, 2)), L.ConvLSTM2D(4, (3, 2))])
    net.load_weights(path)
    kernel, recurrent, bias = arrays.values()
    for weight, value in zip(net.get_weights(), [kernel[::-1, ::-1], recurrent[::-1, ::-1], bias], strict=True):
        np.testing.assert_array_equal(weight, value)


def numbered(root: Any, layers: list[list[np.ndarray]]) -> None:
    """Write a file as Keras before 1.0 does: every layer counts, also those without weights."""
    root.attrs["nb_layers"] = len(layers)
    for k, arrays in enumerate(layers):
        place = root.create_group(f"layer_{k}")
        place.attrs["nb_params"] = len(arrays)
        for i, value in enumerate(arrays):
            place.create_dataset(f"param_{i}", data=value)


def test_numbered_layers_of_keras_before_1(path: Path) -> None:
    random = np.random.RandomState(0)
    mean, deviation = random.rand(2, 3).astype("f4")
    dense, norm = [random.rand(4, 3).astype("f4"), np.zeros(3, "f4")], [np.ones(3, "f4"), np.zeros(3, "f4")]
    with h5py.File(path, "w") as file:
        numbered(file, [dense, [], [*norm, mean, deviation]])
    tk.set_dialect("keras-1")
    net = tk.Sequential([L.Dense(3, input_dim=4), L.Activation("relu"), L.BatchNormalization()])
    net.load_weights(path)
    for weight, value in zip(net.get_weights(), [*dense, *norm, mean, deviation**2], strict=True):
        np.testing.assert_array_equal(weight, value)
    with pytest.raises(FileError, match="numbers its layers; write by_name=False"):
        net.load_weights(path, by_name=True)


@pytest.mark.parametrize("count", [-1, 2**40, 1.5, "2", [2]])
@pytest.mark.parametrize("attribute", ["nb_layers", "nb_params"])
def test_a_count_that_is_none(attribute: str, count: Any, path: Path) -> None:
    with h5py.File(path, "w") as file:
        numbered(file, [[np.zeros((4, 3), "f4"), np.zeros(3, "f4")]])
        place = file if attribute == "nb_layers" else file["layer_0"]
        del place.attrs[attribute]
        place.attrs[attribute] = count
    with pytest.raises(FileError, match="corrupt"):
        tk.Sequential([L.Dense(3, input_dim=4)]).load_weights(path)


def test_a_hostile_shape_makes_nothing(path: Path) -> None:
    # The gates are joined on torch's meta device, which has shapes and no memory.
    with h5py.File(path, "w") as file:
        fill(file, {"r": dict.fromkeys([f"r_{w}_{g}" for g in "icfo" for w in "WUb"])})
        for name in file["r"].attrs["weight_names"]:
            file["r"].create_dataset(name, (10**9, 10**6), "f4", chunks=(1, 1))
    with pytest.raises(FileError, match="it has 3 weights"):
        tk.Sequential([L.LSTM(4, input_shape=(5, 3))]).load_weights(path)
