"""Checkpoints as TensorFlow's scripts know them: files of weights without a suffix, and which one is the latest."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from .replacing import replacing

STATE = "checkpoint"  # the file beside checkpoints that names the latest one, as TensorFlow calls it
_NOT_CHECKPOINTS = (".h5", ".keras", ".hdf5", ".safetensors")
_LATEST = re.compile(r'^model_checkpoint_path:\s*("(?:[^"\\]|\\.)*")\s*$', re.MULTILINE)
_LARGEST_STATE = 1 << 20


def is_checkpoint(path: str) -> bool:
    """Tell whether a path is one that tf.keras writes as a checkpoint: its suffix is of no other kind of file.

    Args:
        path: The path.
    """
    return not path.endswith(_NOT_CHECKPOINTS)


def note_latest(path: str) -> None:
    """Write down that a file is the latest checkpoint of its folder; nothing where the file itself is called so.

    Args:
        path: The file of weights.
    """
    folder, name = os.path.split(path)
    if name == STATE:
        return
    with replacing(os.path.join(folder, STATE)) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for key in ("model_checkpoint_path", "all_model_checkpoint_paths"):
            file.write(f"{key}: {json.dumps(name, ensure_ascii=False)}\n")


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
    with open(path, "rb") as file:
        text = file.read(_LARGEST_STATE).decode("utf-8", "replace")
    line = _LATEST.search(text)
    if line is None:  # the weights themselves, where a script calls them so
        return None if latest_filename else path
    # An absolute path counts as it is, as in TensorFlow's own files.
    latest = os.path.join(folder, json.loads(line[1], strict=False))
    return latest if any(os.path.isfile(f"{latest}{ending}") for ending in ("", ".index")) else None


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
