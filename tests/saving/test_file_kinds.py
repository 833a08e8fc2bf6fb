"""A file is named for what it is, whatever it is called."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import socket
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat.saving import file_kinds
from torchkeras_compat.saving.file_kinds import FileError, expect, kind_of

from .builders import same, small

ARRAYS = {"w": np.arange(6.0), "name": ["a", "b"]}


def zipped(**members: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return sink.getvalue()


def written(write: Callable[[Any], object]) -> bytes:
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def hdf5_file(**options: Any) -> bytes:
    def write(sink: Any) -> None:
        with h5py.File(sink, "w", **options) as root:
            root["x"] = np.arange(3)

    return written(write)


def tarred(sink: Any) -> None:
    with tarfile.open(fileobj=sink, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.h5"))


def safetensors() -> bytes:
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


def message(*fields: tuple[int, int | bytes]) -> bytes:
    """Return fields as protocol buffers have them: numbers and pieces of bytes."""
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts.append(bytes([number << 3, value]))
        else:
            length = len(value)
            size = bytes([length & 127 | 128, length >> 7]) if length > 127 else bytes([length])
            parts.append(bytes([number << 3 | 2]) + size + value)
    return b"".join(parts)


NODE = message((1, b"input/x"), (2, b"Placeholder"))
ONNX_BY_TORCH = message((1, 8), (2, b"pytorch"), (3, b"2.1.0"), (7, b"graph"))
ONNX_BY_NOBODY = message((1, 7), (7, message((1, NODE))))
SAVED_MODEL = message((1, 1), (2, message((1, message((4, b"serve")), ), (2, message((1, NODE))))))  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"  # no kind that is known here

HTML = b"\n <!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 102967424\n"
DENIED = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>'

FILES: dict[str, tuple[str, bytes]] = {
    "hdf5": ("hdf5", hdf5_file()),
    "hdf5, new": ("hdf5", hdf5_file(libver="latest")),
    "hdf5, behind a block": ("hdf5", hdf5_file(userblock_size=1024)),
    "hdf5, cut short": ("hdf5", hdf5_file()[:900]),
    "keras": ("keras", zipped(metadata_dot_json=b"{}", config_dot_json=b"{}", model_dot_weights_dot_h5=hdf5_file())),
    "safetensors": ("safetensors", safetensors()),
    "empty": ("empty", b""),
    "zeros": ("zeros", bytes(10_000)),
    "lfs": ("git-lfs", LFS),
    "html": ("html", HTML),
    "html with a mark": ("html", b"\xef\xbb\xbf<HTML>"),
    "html behind a comment": ("html", b"<!-- saved -->\n<html lang='en'>"),
    "html, utf-16": ("html", "<!doctype html>".encode("utf-16")),
    "xhtml": ("html", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">'),
    "xml": ("xml", DENIED),
    "json of a model": ("json", b'{"class_name": "Sequential", "config": []}'),
    "json": ("json-text", b'{"error": "not here"}'),
    "notebook": ("notebook", b'{"cells": [], "nbformat": 4}'),
    "yaml": ("yaml", b"backend: tensorflow\nclass_name: Sequential\nconfig:\n- class_name: Dense\n"),
    "text": ("text", b"404: Not Found"),
    "script": ("text", b"import keras\nmodel = keras.models.Sequential()\n"),
    "text that begins as a pickle": ("text", b"I do not think so.\n"),
    "text, cut in a letter": ("text", ("é" * 3000).encode()[:-1]),
    **{f"pickle {n}": ("pickle", pickle.dumps(ARRAYS, n)) for n in range(6)},
    **{f"pickle {n} of a list": ("pickle", pickle.dumps(["a", 1.5, {2: 3}], n)) for n in (0, 1)},
    **{f"long pickle {n}": ("pickle", pickle.dumps([str(i) for i in range(3000)], n)) for n in (0, 1, 4)},
    "torch": ("torch", written(lambda sink: torch.save(ARRAYS["w"], sink))),
    "torch, older": ("torch", written(lambda s: torch.save(torch.ones(2), s, _use_new_zipfile_serialization=False))),
    "torch.jit": ("torch", zipped(m__data_dot_pkl=b"", m__constants_dot_pkl=b"", m__version=b"3")),
    "npz": ("npz", written(lambda sink: np.savez(sink, a=np.ones(2)))),
    "npy": ("npy", written(lambda sink: np.save(sink, np.ones(2)))),
    "docx": ("office", zipped(**{"[Content_Types]_dot_xml": b"", "word__document_dot_xml": b""})),
    "zip": ("zip", zipped(model_dot_h5=b"")),
    "zip, empty": ("zip", zipped()),
    "zip, cut short": ("zip", zipped(config_dot_json=b"{}" * 99)[:150]),
    "sharded": ("sharded", b'{"metadata": {}, "weight_map": {"a": "model_00000.weights.h5"}}'),
    "saved_model.pb": ("saved-model", SAVED_MODEL),
    "index": ("checkpoint", bytes(range(99)) + bytes.fromhex("57fb808b247547db")),
    "frozen graph": ("graph", message((1, NODE), (1, NODE))),
    "onnx": ("onnx", ONNX_BY_TORCH),
    "onnx of nobody": ("onnx", ONNX_BY_NOBODY),
    "tflite": ("tflite", b"\x1c\0\0\0TFL3" + bytes(range(40))),
    "gzip": ("gzip", gzip.compress(b"x" * 99, mtime=0)),
    "bzip2": ("packed", bz2.compress(b"x" * 99)),
    "xz": ("packed", lzma.compress(b"x" * 99)),
    "tar": ("packed", written(tarred)),
    "a mark of utf-16 alone": ("text", b"\xfe\xff"),
    "utf-16, cut in a letter": ("text", "\N{GRINNING FACE}".encode("utf-16")[:-1]),
    "png": ("unknown", PNG),
    "noise": ("unknown", b"\x91\xfe\x03\x88" * 50),
}


@pytest.mark.parametrize(("kind", "content"), FILES.values(), ids=FILES)
@pytest.mark.parametrize("name", ["model.h5", "weights", "x.keras"])
def test_the_content_decides(tmp_path: Path, kind: str, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert kind_of(tmp_path / name).name == kind


def test_the_first_bytes_of_any_file_are_called_something(tmp_path: Path) -> None:
    path = tmp_path / "x"
    starts = {content[:length] for _, content in FILES.values() for length in (1, 2, 3, 5, 9, 17, 40)}
    for start in sorted(starts | {bytes([i]) for i in range(256)}):
        path.write_bytes(start)
        assert kind_of(path).name


@pytest.mark.parametrize(("kind", "content"), [f for f in FILES.values() if f[0] != "hdf5"], ids=lambda f: None)
def test_other_files_are_named_and_nothing_is_loaded(tmp_path: Path, kind: str, content: bytes) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(content)
    model = small()
    before = model.get_weights()
    named = next(k for k in vars(file_kinds).values() if isinstance(k, file_kinds.Kind) and k.name == kind)
    with pytest.raises(FileError) as caught:
        expect(path, "load_weights", file_kinds.HDF5)
    assert f"the file is {named.what}" in str(caught.value)
    assert "{" not in str(caught.value).replace("b'{", "")
    assert path.read_bytes() == content
    assert same(model.get_weights(), before)


def test_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    class Planted:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "planted"),)

    for protocol in range(6):
        (tmp_path / "model.h5").write_bytes(pickle.dumps(Planted(), protocol))
        with pytest.raises(FileError, match="a Python pickle, which runs code when it is loaded"):
            small().load_weights(tmp_path / "model.h5")
    assert not (tmp_path / "planted").exists()


def folder(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"x")
    path.mkdir(exist_ok=True)
    return path


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("saved_model.pb", "variables/variables.index", "keras_metadata.pb"), "saved-model"),
        (("checkpoint", "cp-1.index", "cp-1.data-00000-of-00001"), "checkpoint"),
        (("config.json", "metadata.json", "model.weights.h5"), "keras-folder"),
        (("model.h5",), "folder"),
        ((), "folder"),
    ],
)
def test_folders(tmp_path: Path, names: tuple[str, ...], kind: str) -> None:
    path = folder(tmp_path / "model", *names)
    assert kind_of(path).name == kind
    with pytest.raises(FileError, match=r"it is |the file is "):
        small().load_weights(path)


def test_a_saved_model_is_refused_with_the_two_lines_to_run(tmp_path: Path) -> None:
    path = folder(tmp_path / "model", "saved_model.pb")
    with pytest.raises(FileError) as caught:
        small().load_weights(path)
    assert f"tf.keras.models.load_model({str(path)!r})" in str(caught.value)
    assert "model.save('model.h5')" in str(caught.value)
    (path / "saved_model.pb").write_bytes(SAVED_MODEL)
    with pytest.raises(FileError) as caught:
        small().load_weights(path / "saved_model.pb")
    assert f"load_model({str(path)!r})" in str(caught.value)


@pytest.mark.parametrize("asked", ["cp", "cp.index", "cp.data-00000-of-00001"])
def test_a_checkpoint_is_told_by_any_of_its_names(tmp_path: Path, asked: str) -> None:
    (tmp_path / "cp.index").write_bytes(FILES["index"][1])
    (tmp_path / "cp.data-00000-of-00001").write_bytes(np.random.default_rng(0).bytes(500))
    with pytest.raises(FileError) as caught:
        small().load_weights(tmp_path / asked)
    assert f"model.load_weights({str(tmp_path / 'cp')!r})" in str(caught.value)


def test_pipes_and_sockets_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")  # opening it would wait for a writer for ever
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    for name in ("pipe.h5", "s"):
        with pytest.raises(FileError, match="a pipe or a device"):
            small().load_weights(tmp_path / name)
    server.close()


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        tk.Sequential([tk.layers.Dense(1, input_dim=1)]).load_weights("nowhere.h5")


def test_an_archive_with_a_hostile_list_of_members_is_still_named(tmp_path: Path) -> None:
    content = zipped(model_dot_h5=b"x" * 50)
    for at in range(len(content) - 80, len(content)):
        damaged = bytearray(content)
        damaged[at] ^= 0xFF
        (tmp_path / "x.h5").write_bytes(damaged)
        with pytest.raises(FileError, match=r"the file is "):
            expect(tmp_path / "x.h5", "test", file_kinds.HDF5)
