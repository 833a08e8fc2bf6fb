"""`tf.audio`: sounds in WAV files of 16 bits."""

from __future__ import annotations

import io
import wave
from typing import Any, NamedTuple

import numpy as np
import torch

from .._core.errors import argument_error
from .._core.strings import StringTensor
from .._core.user_tensors import hand_out
from .tensorflow_calls import tensor
from .tensorflow_strings import strings


class DecodedWav(NamedTuple):
    """A sound, `(samples, channels)`, and how many samples a second has."""

    audio: Any
    sample_rate: Any


def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1, name: Any = None) -> DecodedWav:
    """Return the sound of a WAV file, from -1 to 1.

    Args:
        contents: The bytes of the file.
        desired_channels: How many channels to return, the last one again and again where there are fewer; all if -1.
        desired_samples: How many samples to return, silence where there are fewer; all if -1.
        name: Accepted.

    Raises:
        ValueError: No WAV file of 16 bits.

    Example:
        >>> sound, rate = decode_wav(encode_wav([[0.5], [-0.5]], 8000))
        >>> sound.tolist(), int(rate)
        ([[0.5], [-0.5]], 8000)
    """
    try:
        with wave.open(io.BytesIO(strings(contents).item()), "rb") as file:
            if file.getsampwidth() != 2:
                raise ValueError(f"tf.audio.decode_wav: samples of 16 bits are read; got {8 * file.getsampwidth()}.")
            rate, channels = file.getframerate(), file.getnchannels()
            numbers = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype("float32")
    except (wave.Error, EOFError) as error:
        raise ValueError(f"tf.audio.decode_wav: the string is no WAV file: {str(error) or 'it ends'}") from None
    sound = torch.from_numpy(numbers / 32768).reshape(-1, channels)
    if desired_channels > 0:
        sound = sound[:, [min(channel, channels - 1) for channel in range(desired_channels)]]
    if desired_samples >= 0:
        silence = sound.new_zeros(max(0, desired_samples - len(sound)), sound.shape[1])
        sound = torch.cat([sound[:desired_samples], silence])
    return DecodedWav(hand_out(sound), hand_out(torch.tensor(rate, dtype=torch.int32)))


def encode_wav(audio: Any, sample_rate: Any, name: Any = None) -> Any:
    """Return a sound as the bytes of a WAV file.

    Args:
        audio: `(samples, channels)`, from -1 to 1.
        sample_rate: How many samples a second has.
        name: Accepted.

    Raises:
        ValueError: A sound of another form.
    """
    sound = tensor(audio)
    if sound.dim() != 2:
        raise argument_error("tf.audio.encode_wav", "audio", "(samples, channels)", tuple(sound.shape))
    numbers = np.clip(np.trunc(sound.detach().cpu().numpy() * 32768.0), -32768, 32767).astype("<i2")
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((sound.shape[1], 2, int(sample_rate), 0, "NONE", ""))
        file.writeframes(numbers.tobytes())
    return StringTensor.of(np.array(written.getvalue(), dtype=object))


AUDIO: dict[str, Any] = {"decode_wav": decode_wav, "encode_wav": encode_wav}
