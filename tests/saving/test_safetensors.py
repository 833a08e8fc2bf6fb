"""Files of safetensors: those of the package `safetensors`, ours, and one bad file for each way a file is refused."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat.saving import safetensors_file
from torchkeras_compat.saving.hdf5 import FileError

from . import weight_models
from .make_weight_files import DATA, built, predictions

Dense = tk.layers.Dense


def golden(name: str) -> bytes:
    with zipfile.ZipFile(DATA / "safetensors.zip") as archive:
        return archive.read(f"{name}.safetensors")


def contents(data: bytes) -> dict[str, torch.Tensor]:
    file = io.BytesIO(data)
    return {e.name: safetensors_file.read_tensor(file, e, "me") for e in safetensors_file.read_header(file, "me")}


def written(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> bytes:
    file = io.BytesIO()
    safetensors_file.write_tensors(file, tensors, metadata)
    return file.getvalue()


def file_of(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_every_type_of_the_package() -> None:
    tensors, random = contents(golden("types")), np.random.RandomState(0)
    kinds = "float64 float32 float16 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool".split()
    for kind in kinds:
        expected = random.uniform(0, 100, (2, 3)).astype(kind)
        assert str(tensors[kind].dtype) == f"torch.{kind}"
        np.testing.assert_array_equal(tensors[kind].numpy(), expected)
    assert tensors["scalar"].shape == ()
    assert float(tensors["scalar"]) == 7
    assert tensors["empty"].shape == (0, 4)


def test_our_bytes_are_those_of_the_package() -> None:
    # Not only what is in them: order, padding and all.
    assert written(contents(golden("dense")), {"format": "pt"}) == golden("dense")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.complex64])
def test_types_that_numpy_has_not(dtype: torch.dtype) -> None:
    value = torch.linspace(-2, 2, 6).reshape(2, 3).to(dtype)
    (back,) = contents(written({"x": value.t()}, {})).values()
    assert (back.dtype, back.shape) == (dtype, (3, 2))
    assert torch.equal(back.t().contiguous().view(torch.uint8), value.contiguous().view(torch.uint8))


def test_a_type_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'x', torch\.complex128"):
        written({"x": torch.zeros(2, dtype=torch.complex128)}, {})


# --- models ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(weight_models.MODELS))
def test_round_trip_of_a_model(name: str, tmp_path: Path) -> None:
    tk.set_dialect("tf.keras")
    (net, x), (other, _) = built(tk, name), built(tk, name)
    weight_models.fill(net)
    net.save_weights(tmp_path / "w.safetensors")
    fresh = clone_names(net, other)
    fresh.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(predictions(net, x), predictions(fresh, x))


def clone_names(net: Any, other: Any) -> Any:
    """Give a model the automatic names of another one: those of a graph's layers are part of torch's names."""
    if list(net.state_dict()) == list(other.state_dict()):
        return other
    return tk.models.clone_model(net)


def test_a_state_of_torch_loads_and_ours_is_one(tmp_path: Path) -> None:
    path = tmp_path / "dense.safetensors"
    path.write_bytes(golden("dense"))
    net = tk.Sequential([Dense(3, input_dim=4), Dense(2)])
    net.load_weights(path)
    state = contents(golden("dense"))
    assert all(torch.equal(net.state_dict()[name], value) for name, value in state.items())
    np.testing.assert_array_equal(net.layers[0].get_weights()[0], state["0.linear.weight"].numpy().T)
    net.save_weights(tmp_path / "ours.safetensors")
    assert (tmp_path / "ours.safetensors").read_bytes() == golden("dense")


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(golden("dense"))
    net = tk.Sequential([Dense(3, input_dim=4), Dense(2)])
    net.load_weights(path)
    assert torch.equal(net.state_dict()["0.linear.weight"], contents(golden("dense"))["0.linear.weight"])


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (lambda: [Dense(3, input_dim=4)], "'1.linear.weight' of the file is not in the model"),
        (lambda: [Dense(3, input_dim=4), Dense(2), Dense(2)], "'2.linear.weight' of the model is not in the file"),
        (lambda: [Dense(3, input_dim=4), Dense(5)], r"has shape \(5, 3\) and type torch\.float32.*shape \(2, 3\)"),
    ],
)
def test_what_does_not_fit(layers: Callable[[], Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(golden("dense"))
    net = tk.Sequential(layers())
    before = net.get_weights()
    with pytest.raises(FileError, match=message):
        net.load_weights(path)
    assert all(map(np.array_equal, before, net.get_weights()))
    with pytest.warns(UserWarning, match=message):
        net.load_weights(path, skip_mismatch=True)
    assert torch.equal(net.state_dict()["0.linear.weight"], contents(golden("dense"))["0.linear.weight"])


def test_nothing_in_common_is_an_error_by_name_too(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(written({"other": torch.zeros(2)}, {}))
    with pytest.raises(FileError, match="'other' of the file is not in the model"):
        tk.Sequential([Dense(3, input_dim=4)]).load_weights(path, by_name=True)


# --- bad files -------------------------------------------------------------------------------------------------------


def one(**changed: Any) -> dict[str, Any]:
    return {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changed}}


def pair(first: list[int], second: list[int]) -> dict[str, Any]:
    told = {"dtype": "U8", "shape": [4]}
    return {"a": {**told, "data_offsets": first}, "b": {**told, "data_offsets": second}}


NUMBERS = bytes(8)
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "cut short: it has 0 bytes"),
    "seven_bytes": (b"1234567", "cut short: it has 7 bytes"),
    "long_header": (struct.pack("<Q", 100_000_001) + b"{}", "would have 100000001 bytes"),
    "endless_header": (b"\xff" * 9, "would have 18446744073709551615 bytes"),
    "header_cut_short": (struct.pack("<Q", 50) + b"{}", "its header has 50 bytes, and 2 are there"),
    "no_brace": (file_of(b" {}"), "does not begin with '{'"),
    "no_json": (file_of(b"{nonsense"), "no JSON"),
    "no_utf_8": (file_of(b'{"\xff":1}'), "no JSON"),
    "deep": (file_of(b'{"x":' + b"[" * 100_000), "no JSON"),
    "many_lists": (file_of(b'{"x":[' + b"[]," * 1_000_001 + b"[]]}"), "more than the tensors"),
    "many_numbers": (file_of(b'{"x":[' + b"1," * 1_000_100 + b"1]}"), "more than the tensors"),
    "name_twice": (file_of(b'{"x":1,"x":2}'), "a name occurs twice"),
    "metadata": (file_of({"__metadata__": {"a": 1}}), "no texts by name"),
    "metadata_list": (file_of({"__metadata__": ["a"]}), "no texts by name"),
    "no_entry": (file_of({"x": 3}), "must have a dtype, a shape and data_offsets"),
    "more_in_an_entry": (file_of(one(path="/etc/passwd"), NUMBERS), "and nothing else"),
    "unknown_type": (file_of(one(dtype="F31"), NUMBERS), "of the type 'F31'"),
    "type_no_text": (file_of(one(dtype=["F32"]), NUMBERS), "of the type"),
    "negative_size": (file_of(one(shape=[-2]), NUMBERS), "has no shape"),
    "fraction": (file_of(one(shape=[2.0]), NUMBERS), "has no shape"),
    "truth": (file_of(one(shape=[2, True]), NUMBERS), "has no shape"),
    "shape_no_list": (file_of(one(shape="2"), NUMBERS), "has no shape"),
    "too_many_axes": (file_of(one(shape=[2] + [1] * 64), NUMBERS), "has no shape"),
    "three_offsets": (file_of(one(data_offsets=[0, 8, 8]), NUMBERS), "has no data_offsets"),
    "offset_no_number": (file_of(one(data_offsets=[0, "8"]), NUMBERS), "has no data_offsets"),
    "backwards": (file_of(one(data_offsets=[8, 0]), NUMBERS), "has -8 bytes"),
    "shape_and_bytes": (file_of(one(shape=[3]), NUMBERS), "has 8 bytes; its shape (3,) takes 12"),
    "overflow": (file_of(one(shape=[2**62, 4]), NUMBERS), "takes 73786976294838206464"),
    "overlap": (file_of(pair([0, 4], [2, 6]), bytes(6)), "overlap others"),
    "twice_the_same": (file_of(pair([0, 4], [0, 4]), bytes(4)), "overlap others"),
    "gap": (file_of(pair([0, 4], [5, 9]), bytes(9)), "leave a gap"),
    "does_not_begin_at_zero": (file_of(one(data_offsets=[1, 9]), bytes(9)), "leave a gap"),
    "data_cut_short": (file_of(one(), NUMBERS[:5]), "is cut short"),
    "trailing_data": (file_of(one(), NUMBERS + b"MZ"), "has more bytes behind its tensors"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused(name: str, tmp_path: Path) -> None:
    data, message = BAD[name]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    net = tk.Sequential([Dense(3, input_dim=4)])
    before = net.get_weights()
    with pytest.raises(FileError) as caught:
        net.load_weights(path)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 600
    assert all(map(np.array_equal, before, net.get_weights()))


def test_mutated_files_give_an_error_or_a_model(tmp_path: Path) -> None:
    honest, random = golden("dense"), np.random.RandomState(0)
    net = tk.Sequential([Dense(3, input_dim=4), Dense(2)])
    path, loaded = tmp_path / "m.safetensors", 0
    for _ in range(400):
        data = bytearray(honest)
        for place in random.randint(0, 300, random.randint(1, 4)):
            data[place] = random.randint(256)
        path.write_bytes(bytes(data[: random.randint(1, len(data))] if random.rand() < 0.2 else data))
        with contextlib.suppress(FileError):  # any other error fails the test
            net.load_weights(path)
            loaded += 1
    assert 0 < loaded < 200  # a change of a name or of a number in the data is none of the format
