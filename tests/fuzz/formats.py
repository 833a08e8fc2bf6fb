"""What is fuzzed: for each format its honest files, how they are mutated, and the calls that read the result."""

from __future__ import annotations

import io
import pickle
import random
import shutil
import tarfile
import traceback
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import numpy as np

import torchkeras_compat as tk
from torchkeras_compat.datasets import _cifar, _files
from torchkeras_compat.saving import hdf5, limits
from torchkeras_compat.saving.file_kinds import kind_of
from torchkeras_compat.utils import archives

from .mutations import mutate_bytes, mutate_json

Files = dict[str, bytes]
REFUSALS = (ValueError, TypeError, NotImplementedError)
"""What an honest refusal may be; anything else is a find."""
WEIGHT_BYTES = 16 * 2**20
"""What a model of a mutated file may ask for: a mutated number of units must not pass for a leak of memory."""


def model() -> Any:
    """Return the model whose files are mutated: small, and with layers whose weights lie in various forms."""
    layers = tk.layers
    return tk.Sequential(
        [
            layers.Conv1D(3, 2, input_shape=(6, 2), name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="both"),
            tk.Sequential([layers.GRU(2, name="gru"), layers.Dense(2, activation="relu", name="inner")], name="nested"),
            layers.Dense(2, activation="softmax", kernel_regularizer="l2", name="last"),
        ],
        name="fuzzed",
    )


def compiled() -> Any:
    """Return the model after a step, with an optimizer that has slots."""
    made = model()
    made.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    made.train_on_batch(np.ones((2, 6, 2), "f4"), np.eye(2, dtype="f4"))
    return made


# --- honest files ----------------------------------------------------------------------------------------------------


def _saved(save: Callable[[Any, Path], None], folder: Path, name: str) -> Files:
    path = folder / name
    save(compiled(), path)
    return {name: path.read_bytes()}


def _rewritten(content: bytes, **options: Any) -> bytes:
    """Return an HDF5 file written anew, in another form."""
    sink = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(sink, "w", **options) as new:
        for name in old:
            old.copy(name, new)
        for name, value in old.attrs.items():
            new.attrs[name] = value
    return sink.getvalue()


def hdf5_files(folder: Path) -> Files:
    """Files of weights and of whole models in the layout of Keras 2, and one in HDF5's newer form."""
    files = _saved(lambda made, path: made.save_weights(path), folder, "weights.h5")
    files |= _saved(lambda made, path: made.save(path), folder, "model.h5")
    files["new.h5"] = _rewritten(files["weights.h5"], libver="latest")
    return files


def tree_files(folder: Path) -> Files:
    """Files of weights in the layout of Keras 3."""
    return _saved(lambda made, path: made.save_weights(path), folder, "tree.weights.h5")


def archive_files(folder: Path) -> Files:
    """Whole models as Keras 3 keeps them."""
    return _saved(lambda made, path: made.save(path), folder, "model.keras")


def json_files(folder: Path) -> Files:
    """Configurations, of a stack and of a graph."""
    layers = tk.layers
    x = layers.Input((4,), name="in")
    joined = layers.concatenate([layers.Dense(3, name="a")(x), layers.Dense(2, name="b")(x)], name="joined")
    graph = tk.Model(x, layers.Dense(1, name="out")(joined), name="graph")
    return {"stack.json": model().to_json().encode(), "graph.json": graph.to_json().encode()}


def npz_files(folder: Path) -> Files:
    """Arrays of numbers and of lists, as data sets have them."""
    sink = io.BytesIO()
    lists = np.empty(3, object)
    lists[:] = [[1, 2], [3], [4, 5, 6]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.savez(sink, x=lists, y=np.arange(6).reshape(2, 3))
    return {"set.npz": sink.getvalue()}


def pickle_files(folder: Path) -> Files:
    """A batch of pictures, as CIFAR has it."""
    batch = {b"data": np.zeros((1, 3072), np.uint8)[:, :3072], b"labels": [3], b"batch_label": b"one"}
    return {f"batch_{protocol}": pickle.dumps(batch, protocol) for protocol in (0, 2, 4)}


def safetensors_files(folder: Path) -> Files:
    """Weights as torch's users exchange them."""
    return _saved(lambda made, path: made.save_weights(path), folder, "weights.safetensors")


def unpacked_files(folder: Path) -> Files:
    """Archives as data sets come in."""
    tar, zipped = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, target in (
            ("set/a", tarfile.REGTYPE, ""),
            ("set/é" * 30, tarfile.REGTYPE, ""),
            ("set/l", tarfile.SYMTYPE, "a"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, target, 0 if target else 5
            archive.addfile(info, io.BytesIO(b"12345"))
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("set/a", "12345" * 30)
        archive.writestr("set/b/", "")
    return {"set.tar": tar.getvalue(), "set.zip": zipped.getvalue()}


# --- mutations -------------------------------------------------------------------------------------------------------


def mutate_archive(content: bytes, rng: random.Random) -> bytes:
    """Return an archive that is damaged itself, or a sound one with a damaged member."""
    if rng.random() < 0.3:
        return mutate_bytes(content, rng)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = rng.choice(sorted(members))
    change = mutate_json if chosen.endswith(".json") else mutate_bytes
    members[chosen] = change(members[chosen], rng)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def mutate_model(content: bytes, rng: random.Random) -> bytes:
    """Return an HDF5 file with damaged bytes, or a sound one whose configuration is another."""
    if b"model_config" not in content or rng.random() < 0.6:
        return mutate_bytes(content, rng)
    sink = io.BytesIO(content)
    with h5py.File(sink, "r+") as root:
        name = rng.choice(("model_config", "training_config"))
        text = root.attrs[name]
        text = text if isinstance(text, str) else bytes(text).decode()
        root.attrs[name] = np.bytes_(mutate_json(text.encode(), rng)) if rng.random() < 0.1 else _text(text, rng)
    return sink.getvalue()


def _text(text: str, rng: random.Random) -> str:
    return mutate_json(text.encode(), rng).decode("utf-8", "replace").replace("\0", "")


# --- calls -----------------------------------------------------------------------------------------------------------


def _walk(node: Any) -> None:
    dict(node.attrs)
    if isinstance(node, hdf5.Dataset):
        node[()]
        return
    for child in node.values():
        _walk(child)


class Targets:
    """The calls that read files; they share a model, which a refusal must leave as it is."""

    def __init__(self) -> None:
        self.model = model()
        self.before = [w.copy() for w in self.model.get_weights()]

    def _weights(self, path: Path) -> None:
        for options in ({}, {"by_name": True}, {"skip_mismatch": True}):
            self._alone(lambda options=options: self.model.load_weights(path, **options))  # type: ignore[misc]

    def _alone(self, call: Callable[[], Any]) -> None:
        """Make one of several calls: each may refuse, and then leaves the weights alone."""
        try:
            call()
        except REFUSALS as error:
            _expect_clear(error)
            if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(self.model.get_weights(), self.before)):
                raise AssertionError("a refused file changed weights") from error
        else:
            self.model.set_weights(self.before)

    def hdf5(self, path: Path) -> None:
        """Read all of a file, and load it in each way."""

        def walk() -> None:
            with hdf5.reading(str(path), "fuzz") as root:
                _walk(root)

        self._alone(walk)
        self._weights(path)
        self.whole(path)

    def whole(self, path: Path) -> None:
        """Load a whole model."""
        self._alone(lambda: tk.models.load_model(path))

    def archive(self, path: Path) -> None:
        """Load a whole model, and its weights into another one."""
        self._weights(path)
        self.whole(path)

    def weights(self, path: Path) -> None:
        """Load weights alone."""
        self._weights(path)

    def json(self, path: Path) -> None:
        """Build a model of a text."""
        self._alone(lambda: tk.models.model_from_json(path.read_bytes().decode("utf-8", "replace")))

    def npz(self, path: Path) -> None:
        """Read arrays of a data set."""
        self._alone(lambda: _files.read_npz(str(path), ("x", "y")))

    def unpacked(self, path: Path) -> None:
        """Unpack an archive: nothing beside its folder may change."""
        around = path.parent / "around"
        (around / "target").mkdir(parents=True, exist_ok=True)
        (around / "victim").write_text("precious")
        self._alone(lambda: archives.extract(str(path), str(around / "target")))
        names = sorted(entry.name for entry in around.iterdir())
        if names != ["target", "victim"] or (around / "victim").read_text() != "precious":
            raise AssertionError(f"an archive wrote beside its folder: {names}")
        shutil.rmtree(around)

    def pickle(self, path: Path) -> None:
        """Read a batch of pictures."""
        self._alone(lambda: _cifar.channels_first_batch(str(path), "batch", path.read_bytes(), "labels"))


def _expect_clear(error: BaseException) -> None:
    """Raise where an error does not say anything, or says too much to be read."""
    if not 10 <= len(str(error)) <= 4000:
        raise AssertionError(f"an error of {len(str(error))} letters: {str(error)[:200]}") from error


@dataclass(frozen=True)
class Format:
    """A format of files.

    Attributes:
        files: Makes honest ones.
        mutate: Makes another content of one.
        read: The call of `Targets` that reads it.
    """

    files: Callable[[Path], Files]
    mutate: Callable[[bytes, random.Random], bytes]
    read: str


FORMATS: dict[str, Format] = {
    "hdf5": Format(hdf5_files, mutate_model, "hdf5"),
    "tree": Format(tree_files, mutate_bytes, "hdf5"),
    "keras": Format(archive_files, mutate_archive, "archive"),
    "json": Format(json_files, mutate_json, "json"),
    "npz": Format(npz_files, mutate_archive, "npz"),
    "pickle": Format(pickle_files, mutate_bytes, "pickle"),
    "unpacked": Format(unpacked_files, mutate_bytes, "unpacked"),
    "safetensors": Format(safetensors_files, mutate_bytes, "weights"),
}


def mutant(name: str, files: Files, number: int) -> bytes:
    """Return the mutated file of a number; the same one each time, as long as the honest files are the same."""
    rng = random.Random(f"{name} {number}")
    content = files[rng.choice(sorted(files))]
    return FORMATS[name].mutate(content, rng)


def read(targets: Targets, name: str, path: Path) -> str:
    """Read a mutated file; return `'read'`, or the name of what is wrong.

    Args:
        targets: The calls.
        name: The format.
        path: The file.
    """
    with warnings.catch_warnings(), mock.patch.object(limits, "WEIGHT_BYTES", WEIGHT_BYTES):
        warnings.simplefilter("ignore")
        try:
            kind_of(path)
            getattr(targets, FORMATS[name].read)(path)
        except Exception as error:  # whatever it is, it is a find, and told with its traceback
            return f"{type(error).__name__}: {error}\n{''.join(traceback.format_tb(error.__traceback__)[-4:])}"
    return "read"
