"""Sounds, tensors and texts as strings of bytes, and pictures by a seed; the values are those of TensorFlow 2.15.1."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat.compat import tensorflow_names


def of(path: str) -> Any:
    part, _, name = path.rpartition(".")
    return tensorflow_names.find(part, name)


def wav(channels: int) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((channels, 2, 8000, 0, "NONE", ""))
        file.writeframes((np.arange(channels * 4) * 1000).astype("<i2").tobytes())
    return written.getvalue()


def test_sounds() -> None:
    decode = of("audio.decode_wav")
    sound, rate = decode(wav(1))
    assert int(rate) == 8000
    np.testing.assert_allclose(sound, [[0], [0.0305], [0.061], [0.0916]], atol=1e-4)
    np.testing.assert_allclose(decode(wav(2), desired_channels=1).audio, [[0], [0.061], [0.1221], [0.1831]], atol=1e-4)
    padded = decode(wav(1), desired_channels=2, desired_samples=6).audio
    assert padded[:, 0].tolist() == padded[:, 1].tolist()
    assert padded[4:].tolist() == [[0, 0], [0, 0]]
    assert decode(wav(2), desired_samples=2).audio.shape == (2, 2)
    written = of("audio.encode_wav")(torch.tensor([[0.5], [-2.0]]), 8000).item()
    assert written[40:].hex() == "0400000000400080"
    assert decode(written).audio.tolist() == [[0.5], [-1.0]]
    for wrong in (b"abc", b""):
        with pytest.raises(ValueError, match="no WAV file"):
            decode(wrong)


WRITTEN: dict[str, tuple[Any, str]] = {
    "float32": ([[1.0, 2.0]], "08011208120208011202080222080000803f00000040"),
    "int32": ([1, 2], "080312041202080222080100000002000000"),
    "int64": (3, "0809120022080300000000000000"),
    "bool": ([True], "080a120412020801220101"),
    "string": (["a", "bcd"], "08071204120208024201614203626364"),
    "float16": ([1.5], "08131204120208012202003e"),
    "uint8": ([7], "0804120412020801220107"),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_tensors_as_strings(kind: str) -> None:
    value, written = WRITTEN[kind]
    tensor = of("constant")(value, dtype=kind)
    assert of("io.serialize_tensor")(tensor).item().hex() == written
    back = of("io.parse_tensor")(bytes.fromhex(written), kind)
    assert back.dtype == tensor.dtype
    assert back.shape == tensor.shape
    assert back.tolist() == tensor.tolist()


def test_strings_that_hold_no_such_tensor() -> None:
    parse = of("io.parse_tensor")
    with pytest.raises(ValueError, match="holds float32; int32 was asked for"):
        parse(bytes.fromhex(WRITTEN["float32"][1]), "int32")
    with pytest.raises(ValueError, match="another number of values"):
        parse(bytes.fromhex("08011208120208011202080222040000803f"), "float32")
    with pytest.raises(ValueError, match=r"none that tf\.io\.serialize_tensor writes"):
        parse(b"\xff\xff", "float32")


def test_characters() -> None:
    decode, encode = of("strings.unicode_decode"), of("strings.unicode_encode")
    assert decode("aä", "UTF-8").tolist() == [97, 228]
    assert decode(["aä", "b"], "UTF-8").to_list() == [[97, 228], [98]]
    assert encode([97, 228], "UTF-8").item() == "aä".encode()
    assert encode([[97, 228], [98, 99]], "UTF-8").tolist() == ["aä".encode(), b"bc"]
    rows = of("ragged.constant")([[97], [98, 99]])
    assert encode(rows, "UTF-16-BE").tolist() == [b"\0a", b"\0b\0c"]
    assert of("strings.unicode_transcode")(["aä"], "UTF-8", "UTF-16-BE").tolist() == [b"\0a\0\xe4"]


def test_runs_of_words() -> None:
    ngrams = of("strings.ngrams")
    assert ngrams(["a", "b", "c"], 2).tolist() == [b"a b", b"b c"]
    assert ngrams(["a", "b", "c"], [1, 2], separator="_").tolist() == [b"a", b"b", b"c", b"a_b", b"b_c"]
    assert ngrams([["a", "b"], ["c", "d"]], 2).tolist() == [[b"a b"], [b"c d"]]
    assert ngrams(of("ragged.constant")([["a", "b", "c"], ["d"]]), 2).to_list() == [[b"a b", b"b c"], []]
    with pytest.raises(ValueError, match="leave pad_values"):
        ngrams(["a"], 2, pad_values="x")


def test_base_64_and_jpeg_files() -> None:
    encode = of("io.encode_base64")
    assert encode("hey?>").item() == b"aGV5Pz4"
    assert encode("q", pad=True).item() == b"cQ=="
    assert of("io.decode_base64")(encode(["hey", "q"])).tolist() == [b"hey", b"q"]
    picture = of("io.encode_jpeg")(np.zeros((2, 2, 3), "uint8"))
    assert bool(of("io.is_jpeg")(picture))
    assert not bool(of("io.is_jpeg")(b"x"))


BY_SEED: dict[str, tuple[Any, ...]] = {
    "brightness": (0.4,),
    "contrast": (0.1, 0.9),
    "saturation": (0.1, 0.9),
    "hue": (0.4,),
    "crop": ((3, 3, 3),),
    "flip_left_right": (),
    "flip_up_down": (),
    "jpeg_quality": (5, 95),
}


@pytest.mark.parametrize("change", BY_SEED)
def test_pictures_are_changed_as_belongs_to_a_seed(change: str) -> None:
    picture = torch.rand(8, 8, 3, generator=torch.Generator().manual_seed(3))
    function = of(f"image.stateless_random_{change}")
    results = [function(picture, *BY_SEED[change], seed=(1, n)).numpy() for n in (*range(12), 0)]
    assert results[0].shape == ((3, 3, 3) if change == "crop" else (8, 8, 3))
    assert np.array_equal(results[0], results[-1])
    assert any(not np.array_equal(results[0], other) for other in results[1:-1])
    if change.startswith("flip"):
        flipped = picture.flip(1 if "left" in change else 0).numpy()
        assert all(np.array_equal(r, flipped) or np.array_equal(r, picture.numpy()) for r in results)
