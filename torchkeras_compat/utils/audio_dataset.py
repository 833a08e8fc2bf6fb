"""Data sets of sounds in folders."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .._core.errors import argument_error, positive_int
from .dataset_utils import FileRows, FolderOptions

FORMATS = (".wav",)


class _Sounds(FileRows):
    """Sounds, `(samples, channels)`, from -1 to 1.

    Args:
        paths: The files.
        labels: A label each.
        rate: Samples a second that all files must have; any if `None`.
        length: How many samples there are, cut off or filled with silence; as many as there are if `None`.
    """

    def __init__(self, paths: Sequence[str], labels: Tensor | None, rate: int | None, length: int | None) -> None:
        super().__init__(paths, labels)
        self.rate, self.length = rate, length

    def read(self, path: str) -> Tensor:
        try:
            with wave.open(path, "rb") as file:
                width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
                data = file.readframes(file.getnframes() if self.length is None else self.length)
        except (wave.Error, EOFError) as error:
            raise ValueError(f"audio_dataset_from_directory: {path!r} is no WAV file: {error}.") from error
        if width != 2:
            raise ValueError(
                f"audio_dataset_from_directory: {path!r} has {8 * width} bits a sample; WAV files of 16 bits are read."
            )
        if self.rate not in (None, rate):
            raise ValueError(
                f"audio_dataset_from_directory(sampling_rate={self.rate}): {path!r} has {rate} samples a second; "
                "bring the files to one rate with scipy.signal.resample_poly, or leave sampling_rate out."
            )
        samples = np.frombuffer(data, "<i2").reshape(-1, channels).astype(np.float32) / 2**15
        sound = torch.from_numpy(samples)
        return sound if self.length is None else _filled(sound, self.length, channels)

    def stack(self, contents: list[Any]) -> Tensor:
        length, channels = (max(sound.shape[axis] for sound in contents) for axis in range(2))
        return torch.stack([_filled(sound, length, channels) for sound in contents])


def _filled(sound: Tensor, length: int, channels: int) -> Tensor:
    """Return a sound with silence behind it and in further channels."""
    return F.pad(sound, (0, channels - sound.shape[1], 0, length - sound.shape[0]))


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
) -> Any:
    """Return a data set of the `.wav` files in a folder, whose folders are the classes.

    The files and their order for a seed are those of Keras 2.15.

    Args:
        directory: The folder.
        labels: `'inferred'` from the folders, `None` for none, or a list with a label for each file, in the order of
            their paths.
        label_mode: `'int'`, `'categorical'`, `'binary'`, or `None` for no labels.
        class_names: The names of the folders, in the order that the classes are to have.
        batch_size: Sounds in a batch, the shorter ones filled with silence; one by one if `None`.
        sampling_rate: Samples a second that the files must have; any if `None`.
        output_sequence_length: Samples of each sound, cut off or filled with silence; as many as there are if `None`.
        ragged: Must be `False`: batches are dense.
        shuffle: Whether the files are shuffled, and batches anew in each epoch.
        seed: The seed of that; drawn from numpy if `None`.
        validation_split: The share of the files, the last ones, to validate on.
        subset: `'training'`, `'validation'`, or `'both'` for a list of the two.
        follow_links: Accepted: links to folders are followed in any case, as TensorFlow does.

    Shape:
        Batches of `(batch, samples, channels)`, from -1 to 1, and labels of `(batch,)`, `(batch, classes)` or
        `(batch, 1)`.

    Raises:
        ValueError: An argument out of its range, no sounds, or a file that is no WAV file of 16 bits.

    Example:
        >>> import os, tempfile, wave
        >>> folder = tempfile.mkdtemp()
        >>> for name in ('high', 'low'):
        ...     os.makedirs(f'{folder}/{name}')
        ...     with wave.open(f'{folder}/{name}/1.wav', 'wb') as file:
        ...         file.setparams((1, 2, 8000, 0, 'NONE', ''))
        ...         file.writeframes(bytes([0, 64, 0, 192]))
        >>> data = audio_dataset_from_directory(folder, shuffle=False)
        Found 2 files belonging to 2 classes.
        >>> [(x.tolist(), y.tolist()) for x, y in data]
        [([[[0.5], [-0.5]], [[0.5], [-0.5]]], [0, 1])]
    """
    owner = "audio_dataset_from_directory"
    if ragged:
        raise argument_error(owner, "ragged", "False (batches are dense, silence fills shorter sounds)", ragged)
    rate = None if sampling_rate is None else positive_int(owner, "sampling_rate", sampling_rate)
    length = None if output_sequence_length is None else _length(owner, output_sequence_length)
    options = FolderOptions(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset
    )
    return options.datasets(owner, FORMATS, lambda paths, targets: _Sounds(paths, targets, rate, length))


def _length(owner: str, value: Any) -> int:
    return 0 if value == 0 else positive_int(owner, "output_sequence_length", value)
