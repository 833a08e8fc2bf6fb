"""The file `checkpoint` of TensorFlow's scripts, which tells of the checkpoints of a folder and which is the latest."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import Any

from .replacing import replacing

STATE = "checkpoint"  # the file beside checkpoints that names the latest one, as TensorFlow calls it
_NOT_CHECKPOINTS = (".h5", ".keras", ".hdf5", ".safetensors")
_PATH = re.compile(r'^((?:all_)?model_checkpoint_paths?):\s*("(?:[^"\\]|\\.)*")\s*$', re.MULTILINE)
_TIMES = re.compile(r"^all_model_checkpoint_timestamps:\s*(\d+(?:\.\d*)?)\s*$", re.MULTILINE)
_PRESERVED = re.compile(r"^last_preserved_timestamp:\s*(\d+(?:\.\d*)?)\s*$", re.MULTILINE)
_LARGEST_STATE = 1 << 20


def is_checkpoint(path: str) -> bool:
    """Tell whether a path is one that tf.keras writes as a checkpoint: its suffix is of no other kind of file.

    Args:
        path: The path.
    """
    return not path.endswith(_NOT_CHECKPOINTS)


@dataclass
class CheckpointState:
    """What the file `checkpoint` of a folder tells.

    Attributes:
        model_checkpoint_path: The latest checkpoint.
        all_model_checkpoint_paths: All that are kept, the oldest first.
        all_model_checkpoint_timestamps: When each was written, in seconds.
        last_preserved_timestamp: When the last one was written that is kept for good.
    """

    model_checkpoint_path: str
    all_model_checkpoint_paths: list[str] = field(default_factory=list)
    all_model_checkpoint_timestamps: list[float] = field(default_factory=list)
    last_preserved_timestamp: float | None = None


def note_latest(path: str) -> None:
    """Write down that a file is the latest checkpoint of its folder; nothing where the file itself is called so.

    Args:
        path: The file of weights.
    """
    folder, name = os.path.split(path)
    if name != STATE:
        write_state(folder, CheckpointState(name, [name]))


def write_state(folder: str, state: CheckpointState) -> None:
    """Write the file `checkpoint` of a folder.

    Args:
        folder: The folder.
        state: What it tells, paths as they are seen from the folder.
    """
    lines = [f"model_checkpoint_path: {json.dumps(state.model_checkpoint_path, ensure_ascii=False)}"]
    for name in state.all_model_checkpoint_paths:
        lines.append(f"all_model_checkpoint_paths: {json.dumps(name, ensure_ascii=False)}")
    lines += [f"all_model_checkpoint_timestamps: {time!r}" for time in state.all_model_checkpoint_timestamps]
    if state.last_preserved_timestamp is not None:
        lines.append(f"last_preserved_timestamp: {state.last_preserved_timestamp!r}")
    with replacing(os.path.join(folder, STATE)) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> CheckpointState | None:
    """Return what the file `checkpoint` of a folder tells; `None` where there is none.

    Args:
        checkpoint_dir: The folder.
        latest_filename: The name of the file; `'checkpoint'` if `None`.

    Example:
        >>> get_checkpoint_state('no such folder') is None
        True
    """
    folder = os.path.expanduser(os.fspath(checkpoint_dir))
    path = os.path.join(folder, latest_filename or STATE)
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        text = file.read(_LARGEST_STATE).decode("utf-8", "replace")
    # An absolute path counts as it is, as in TensorFlow's own files.
    told: dict[str, list[str]] = {key: [] for key in ("model_checkpoint_path", "all_model_checkpoint_paths")}
    for key, name in _PATH.findall(text):
        told[key].append(os.path.join(folder, json.loads(name, strict=False)))
    if not told["model_checkpoint_path"]:
        return None
    times = [float(time) for time in _TIMES.findall(text)]
    preserved = _PRESERVED.search(text)
    latest = told["model_checkpoint_path"][0]
    names = told["all_model_checkpoint_paths"] or [latest]
    return CheckpointState(latest, names, times, float(preserved[1]) if preserved else None)


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """Return the latest checkpoint that `save_weights` or a `ModelCheckpoint` has written into a folder.

    Args:
        checkpoint_dir: The folder.
        latest_filename: The file that names it; `'checkpoint'` if `None`.

    Returns:
        Its path, for `load_weights`; `None` where there is none.

    Example:
        >>> latest_checkpoint('no such folder') is None
        True
    """
    folder = os.path.expanduser(os.fspath(checkpoint_dir))
    path = os.path.join(folder, latest_filename or STATE)
    if not os.path.isfile(path):
        return None
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None:  # the weights themselves, where a script calls them so
        return None if latest_filename else path
    return state.model_checkpoint_path if checkpoint_exists(state.model_checkpoint_path) else None


def checkpoint_exists(path: str) -> bool:
    """Tell whether a checkpoint is there, of this package or of TensorFlow.

    Args:
        path: Its path.
    """
    return any(os.path.isfile(f"{path}{ending}") for ending in ("", ".index"))


class LoadStatus:
    """What `load_weights` of a checkpoint returns: everything was loaded, or it would have raised."""

    def assert_consumed(self) -> LoadStatus:
        """Confirm that every weight of the file is in the model."""
        return self

    def assert_existing_objects_matched(self) -> LoadStatus:
        """Confirm that every weight of the model was in the file."""
        return self

    def assert_nontrivial_match(self) -> LoadStatus:
        """Confirm that weights were loaded."""
        return self

    def expect_partial(self) -> LoadStatus:
        """Accept that the file has more than the model; nothing was left out."""
        return self
