"""What a file is, told by its content and never by its name."""

from __future__ import annotations

import io
import json
import os
import pickletools
import re
import stat
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from .._core.errors import and_list
from ..utils.archives import DAMAGE

HEAD = 4096
"""Bytes at the beginning of a file that most kinds are told by."""
TEXT_LIMIT = 16 * 2**20
"""Bytes of a text that are parsed to tell what it is; a longer one is called a text."""
MEMBERS = 4
"""Members of an archive that a message lists."""


class FileError(ValueError):
    """A file that is damaged, not of the expected kind, or asks for something that no file of models needs."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: A word for code to compare.
        what: What messages call such a file.
        advice: What to do with it, as a sentence.
    """

    name: str
    what: str
    advice: str = ""


AGAIN = "Download it again"
IN_TENSORFLOW = (
    "It is a program for TensorFlow; where that is installed, run model = tf.keras.models.load_model({path!r}) and "
    "model.save('model.h5'), and load that file here."
)
WEIGHTS_IN_TENSORFLOW = (
    "Where TensorFlow is installed, run model.load_weights({path!r}) on the same model and "
    "model.save_weights('weights.h5'), and load that file here."
)
IN_TORCH = "Load it with torch.load or torch.jit.load; a module takes its state_dict."

HDF5 = Kind("hdf5", "an HDF5 file")
KERAS = Kind("keras", "a .keras archive")
SAFETENSORS = Kind("safetensors", "a safetensors file")
JSON_MODEL = Kind(
    "json", "the text of a model's configuration", "Give its content to model_from_json, and load the weights after it."
)

EMPTY = Kind("empty", "empty: it has no bytes", f"{AGAIN}, or save it again.")
ZEROS = Kind("zeros", "nothing but zero bytes, as a download that broke off leaves", f"{AGAIN}.")
SPECIAL = Kind("special", "no regular file, but a pipe or a device", "Give the path of a file.")
LFS = Kind(
    "git-lfs",
    "a Git-LFS pointer: a few lines that stand for the real file",
    "Run git lfs pull where it was cloned, or download the file itself.",
)
HTML = Kind("html", "an HTML page, as a download gives that ended on a page of a web site", f"{AGAIN}, from its link.")
XML = Kind("xml", "an XML text, as a download gives that was denied", f"{AGAIN}, and look at the text: it may say why.")
JSON = Kind("json-text", "a JSON text", "No model of Keras is in it; look at the text: it may say what went wrong.")
NOTEBOOK = Kind("notebook", "a Jupyter notebook", "Run it; it may save the model.")
YAML = Kind("yaml", "a model's configuration in YAML", "Write it with model.to_json() there.")
TEXT = Kind("text", "a text", "Look at it: it may say what went wrong.")
PICKLE = Kind(
    "pickle",
    "a Python pickle, which runs code when it is loaded",
    "Nothing of it is read. Where it was made, write model.save('model.h5').",
)
TORCH = Kind("torch", "a file of torch.save", IN_TORCH)
NPZ = Kind("npz", "numpy's .npz archive", "Read it with np.load(path, allow_pickle=False), and call set_weights.")
NPY = Kind("npy", "numpy's .npy file", "Read it with np.load(path, allow_pickle=False), and call set_weights.")
OFFICE = Kind("office", "a document of an office program", "It holds no model.")
ZIP = Kind("zip", "a zip archive", "Unpack it, and give the file in it.")
SHARDED = Kind("sharded", "the index of weights in several files", "Write them to one file: save_weights('name.h5').")
SAVED_MODEL = Kind("saved-model", "TensorFlow's SavedModel", IN_TENSORFLOW)
CHECKPOINT = Kind("checkpoint", "a TensorFlow checkpoint", WEIGHTS_IN_TENSORFLOW)
GRAPH = Kind("graph", "a graph of TensorFlow (.pb)", "It has no layers of Keras; load the model's own file.")
ONNX = Kind("onnx", "an ONNX model", "Run it with onnxruntime; it has no layers of Keras.")
TFLITE = Kind("tflite", "a model of TensorFlow Lite", "It has no layers of Keras; load the file that it was made of.")
GZIP = Kind("gzip", "compressed by gzip", "Unpack it with gunzip, or tar xzf where it is a .tar.gz.")
PACKED = Kind("packed", "a compressed file or archive", "Unpack it, and give the file in it.")
FOLDER = Kind("folder", "a folder", "Give the path of a file.")
KERAS_FOLDER = Kind(
    "keras-folder",
    "a folder with the members of a .keras archive",
    "Pack it: in the folder, run python -m zipfile -c ../model.keras *.",
)
UNKNOWN = Kind("unknown", "of no kind that is known here", "It begins with {head}.")

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_ZIP_ENDS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_TORCH_PICKLE = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the number at the head of torch's older files
_TABLE_END = struct.pack("<Q", 0xDB4775248B80FB57)  # the last bytes of a checkpoint's .index

# The first bytes of a file → its kind.
_HEADS: tuple[tuple[bytes, Kind], ...] = (
    (HDF5_SIGNATURE, HDF5),
    (_TORCH_PICKLE, TORCH),
    (b"version https://git-lfs", LFS),
    (b"\x93NUMPY", NPY),
    (b"\x1f\x8b", GZIP),
    (b"BZh", PACKED),
    (b"\xfd7zXZ\0", PACKED),
    (b"7z\xbc\xaf\x27\x1c", PACKED),
    (b"\x28\xb5\x2f\xfd", PACKED),
    (b"Rar!", PACKED),
)


def kind_of(path: str | os.PathLike[str]) -> Kind:
    """Return what a file or folder is.

    Args:
        path: The file; at most its head, its end and an archive's list of members are read.

    Raises:
        FileNotFoundError: Nothing is there.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), 'model.h5')
        >>> with open(path, 'w') as file:
        ...     _ = file.write('<!DOCTYPE html><html></html>')
        >>> kind_of(path).name
        'html'
    """
    path = os.fspath(path)
    if not os.path.exists(path) and os.path.exists(f"{path}.index"):
        return CHECKPOINT
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        return _folder(path)
    if not stat.S_ISREG(mode):
        return SPECIAL  # opening a pipe would wait for somebody who writes
    with open(path, "rb") as file:
        return _file(file, os.path.basename(path))


def expect(path: str | os.PathLike[str], caller: str, *kinds: Kind) -> Kind:
    """Return the kind of a file, which must be one of `kinds`.

    Args:
        path: The file.
        caller: Who reads it, for messages.
        kinds: What it may be.

    Raises:
        FileError: It is another kind; says which one, and what to do with it.
        FileNotFoundError: Nothing is there.
    """
    path = os.fspath(path)
    kind = kind_of(path)
    if kind in kinds:
        return kind
    raise FileError(f"{caller}({path!r}): {_sentence(path, kind)} Expected {' or '.join(k.what for k in kinds)}.")


def _sentence(path: str, kind: Kind) -> str:
    what = kind.what
    if kind is ZIP:
        what += _members(path)
    advice = kind.advice
    if kind in (SAVED_MODEL, CHECKPOINT):
        advice = advice.format(path=_without_suffix(path))
    if kind is UNKNOWN:
        with open(path, "rb") as file:
            advice = advice.format(head=repr(file.read(12)))
    return f"the file is {what}. {advice}" if kind not in (FOLDER, KERAS_FOLDER) else f"it is {what}. {advice}"


def _without_suffix(path: str) -> str:
    """Return the path that TensorFlow is given for a file of a checkpoint or a SavedModel."""
    if os.path.basename(path) == "saved_model.pb":
        return os.path.dirname(path) or "."
    return re.sub(r"\.(index|data-\d{5}-of-\d{5})$", "", path)


def _members(path: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (*DAMAGE, OSError) as error:
        return f" that is corrupt or cut short ({error})"
    listed = and_list(map(repr, names[:MEMBERS])) + (" and more" if len(names) > MEMBERS else "")
    return f" that holds {listed}" if names else " without members"


def _folder(path: str) -> Kind:
    names = set(os.listdir(path))
    if names & {"saved_model.pb", "saved_model.pbtxt", "keras_metadata.pb"}:
        return SAVED_MODEL
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return CHECKPOINT
    return KERAS_FOLDER if {"config.json", "model.weights.h5"} <= names else FOLDER


def _file(file: io.BufferedReader, name: str) -> Kind:
    size = os.fstat(file.fileno()).st_size
    head = file.read(HEAD)
    if not head:
        return EMPTY
    for mark, marked in _HEADS:
        if head.startswith(mark):
            return marked
    tests: tuple[Callable[[], Kind | None], ...] = (
        lambda: _zip(file) if head.startswith(_ZIP_ENDS) else None,
        lambda: _hdf5_behind(file, size),
        lambda: SAFETENSORS if _is_safetensors(head, size) else None,
        lambda: _binary(file, head, size),
        lambda: ZEROS if not head.strip(b"\0") and _only_zeros(file) else None,
        lambda: _text(file, head, size),
        lambda: PICKLE if _is_old_pickle(head, size) else None,
        lambda: CHECKPOINT if re.search(r"\.data-\d{5}-of-\d{5}$", name) else None,  # plain numbers, without a mark
    )
    for test in tests:
        kind = test()
        if kind is not None:
            return kind
    return UNKNOWN


def _zip(file: io.BufferedReader) -> Kind:
    """Tell by its members what a zip archive holds."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (*DAMAGE, OSError):
        return ZIP
    tops = {name.split("/")[-1] for name in names}
    if "config.json" in names and any(name == "metadata.json" or ".weights." in name for name in names):
        return KERAS
    if "data.pkl" in tops and {"version", "byteorder", "constants.pkl"} & tops:
        return TORCH
    if names and all(name.endswith(".npy") for name in names):
        return NPZ
    return OFFICE if {"[Content_Types].xml", "mimetype"} & set(names) else ZIP


def _hdf5_behind(file: io.BufferedReader, size: int) -> Kind | None:
    """Look for HDF5's mark behind a block of the user's, which is 512 bytes long, or that doubled."""
    return HDF5 if hdf5_start(file, size) is not None else None


def hdf5_start(file: BinaryIO, size: int) -> int | None:
    """Return where HDF5's mark stands in a file, `None` where it is nowhere.

    Args:
        file: The file.
        size: Its length.
    """
    start = 0
    while start + len(HDF5_SIGNATURE) <= size:
        file.seek(start)
        if file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE:
            return start
        start = 2 * start or 512
    return None


def _is_safetensors(head: bytes, size: int) -> bool:
    length = int.from_bytes(head[:8], "little")
    return len(head) > 8 and 2 <= length <= size - 8 and head[8:9] == b"{"


def _binary(file: io.BufferedReader, head: bytes, size: int) -> Kind | None:
    """Tell kinds that carry their mark elsewhere than in front."""
    file.seek(max(size - 8, 0))
    if file.read(8) == _TABLE_END:
        return CHECKPOINT
    if head[4:8] == b"TFL3":
        return TFLITE
    if head[257:262] == b"ustar":
        return PACKED
    if len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5:
        return PICKLE
    if head.startswith(b"\x08\x01\x12"):  # one version, and a graph with its description
        return SAVED_MODEL
    if re.match(rb"\x08[\x03-\x20](\x12[\x00-\x40][\x20-\x7e]*[\x1a\x22\x28\x32\x3a\x42]|:)", head):
        return ONNX  # the version, then who made it, or the graph
    return GRAPH if re.match(rb"\n[\x00-\xff]{1,3}\n[\x01-\x7f][\w./-]+\x12[\x01-\x40][A-Z]\w+", head) else None


def _only_zeros(file: io.BufferedReader) -> bool:
    file.seek(0)
    while block := file.read(2**20):
        if block.strip(b"\0"):
            return False
    return True


def _text(file: io.BufferedReader, head: bytes, size: int) -> Kind | None:
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in head and not wide:
        return None
    encoding = "utf-16" if wide else "utf-8-sig"
    try:
        start = head.decode(encoding).strip()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not merely a character cut in two
            return None
        start = head[: error.start].decode(encoding, "ignore").strip()
    lower = start.lower()
    if re.match(r"(<!--.*?-->\s*)*<(!doctype html|html|head|body|script)", lower, re.DOTALL):
        return HTML
    if lower.startswith("<?xml"):
        return HTML if "<html" in lower else XML
    if start[:1] in ("{", "["):
        return _json(file, size)
    if _is_old_pickle(head, size):
        return PICKLE
    if re.search(r"^\s*-?\s*class_name\s*:", start, re.MULTILINE):
        return YAML
    return TEXT


def _json(file: io.BufferedReader, size: int) -> Kind:
    file.seek(0)
    try:
        tree = json.loads(file.read(TEXT_LIMIT)) if size <= TEXT_LIMIT else None
    except (ValueError, RecursionError):
        return TEXT
    if not isinstance(tree, dict):
        return JSON
    if "class_name" in tree:
        return JSON_MODEL
    return SHARDED if "weight_map" in tree else NOTEBOOK if "nbformat" in tree else JSON


def _is_old_pickle(head: bytes, size: int) -> bool:
    """Tell whether a file reads as a pickle of protocol 0 or 1, which has no mark; nothing of it is made."""
    if head[0] not in b"(c]}ilIVSUKMJFN":
        return False
    names = []
    try:
        for operation, _, place in pickletools.genops(head):
            names.append(operation.name)
            if operation.name == "STOP":
                return len(names) > 1 and place == size - 1
    except (ValueError, KeyError, IndexError):  # the head ends in the midst of an operation
        return len(names) > 8 and size > len(head) and bool({"PUT", "BINPUT", "GLOBAL"} & set(names))
    return False
