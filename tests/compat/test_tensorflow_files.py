"""`tf.io`: pictures of every kind and lines of CSV; what is expected is what TensorFlow 2.15.1 gives."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL")

from PIL import Image

RNG = np.random.RandomState(0)
PIXELS = RNG.randint(0, 256, (6, 5, 4)).astype("uint8")
WIDE = RNG.randint(0, 65536, (6, 5)).astype("uint16")


def tf() -> Any:
    import tensorflow

    return tensorflow


def png(array: Any, mode: str | None = None, **options: Any) -> bytes:
    target = io.BytesIO()
    picture = Image.fromarray(array)
    (picture if mode is None else picture.convert(mode)).save(target, "PNG", **options)
    return target.getvalue()


def solid(*shape: int) -> Any:
    return np.full(shape, 255, "uint8")


RGB, GRAY = PIXELS[..., :3], PIXELS[..., :1]
UPPER = (WIDE >> 8).astype("uint8")[..., None]
PALETTE = np.array(Image.fromarray(RGB).convert("P").convert("RGB"))
KINDS: list[tuple[str, bytes, dict[int, Any]]] = [
    ("rgb", png(RGB), {0: RGB, 3: RGB, 4: np.concatenate([RGB, solid(6, 5, 1)], -1)}),
    ("rgba", png(PIXELS), {0: PIXELS, 3: RGB, 4: PIXELS}),
    ("gray", png(GRAY[..., 0]), {0: GRAY, 1: GRAY, 3: GRAY.repeat(3, -1)}),
    ("gray and alpha", png(PIXELS[..., :2]), {0: PIXELS[..., :2], 1: GRAY, 3: GRAY.repeat(3, -1)}),
    ("palette", png(RGB, "P"), {0: PALETTE, 3: PALETTE}),
    ("16 bits", png(WIDE), {0: UPPER, 1: UPPER, 3: UPPER.repeat(3, -1)}),
]


@pytest.mark.parametrize(("data", "by_channels"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_pictures_of_every_kind(data: bytes, by_channels: dict[int, Any]) -> None:
    for channels, expected in by_channels.items():
        for decode in (tf().io.decode_png, tf().io.decode_image, tf().image.decode_png):
            np.testing.assert_array_equal(decode(data, channels=channels).numpy(), expected)


def test_brightness_floats_and_what_is_refused() -> None:
    gray = tf().io.decode_png(png(RGB), channels=1).numpy()
    assert np.abs(gray[..., 0] - RGB @ np.array([0.299, 0.587, 0.114])).max() < 1.01
    floats = tf().io.decode_image(png(RGB), dtype=tf().float32).numpy()
    np.testing.assert_allclose(floats, RGB / 255, rtol=1e-6)
    for call, match in (
        (lambda: tf().io.decode_image(png(WIDE), dtype=tf().float32), "PNG of 16 bits"),
        (lambda: tf().io.decode_png(png(RGB), channels=2), "channels must be 0, 1, 3 or 4"),
        (lambda: tf().io.decode_jpeg(png(RGB), ratio=2), "ratio must be 1"),
        (lambda: tf().io.encode_png(RGB / 255), "image must be uint8"),
    ):
        with pytest.raises(ValueError, match=match):
            call()


def test_jpeg_gif_and_files(tmp_path: Path) -> None:
    flat = np.full((8, 8, 3), 100, "uint8")
    data = tf().io.encode_jpeg(flat)
    np.testing.assert_allclose(tf().image.decode_jpeg(data, channels=3).numpy(), flat, atol=1)
    frames = [Image.fromarray(part).quantize(16) for part in (RGB, RGB[::-1])]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:], disposal=0, optimize=False)
    contents = tf().io.read_file(str(tmp_path / "moving.gif"))
    both = np.stack([np.array(frame.convert("RGB")) for frame in frames])
    np.testing.assert_array_equal(tf().io.decode_image(contents).numpy(), both)
    np.testing.assert_array_equal(tf().io.decode_image(contents, expand_animations=False).numpy(), both[0])
    tf().io.write_file(str(tmp_path / "new" / "a.png"), tf().io.encode_png(RGB))
    assert tf().io.matching_files(str(tmp_path / "*" / "*.png")).tolist() == [str(tmp_path / "new" / "a.png").encode()]
    np.testing.assert_array_equal(tf().io.decode_png(tf().io.read_file(str(tmp_path / "new" / "a.png"))).numpy(), RGB)


def test_a_pipeline_over_paths(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{i}.png") for i in range(2)]
    for path, part in zip(paths, (RGB, RGB[::-1])):
        Path(path).write_bytes(png(part))

    def load(path: Any) -> Any:
        picture = tf().image.decode_png(tf().io.read_file(path), channels=3)
        return tf().image.convert_image_dtype(picture, "float32")

    batch = next(iter(tf().data.Dataset.from_tensor_slices(paths).map(load).batch(2)))
    np.testing.assert_allclose(batch.numpy(), np.stack([RGB, RGB[::-1]]) / 255, rtol=1e-6)


def test_lines_of_csv() -> None:
    columns = tf().io.decode_csv(['1,2.5,"a,b"', "3,,"], [[0], [7.0], ["z"]])
    assert [column.tolist() for column in columns] == [[1, 3], [2.5, 7.0], [b"a,b", b"z"]]
    assert [str(column.dtype) for column in columns[:2]] == ["torch.int32", "torch.float32"]
    assert [c.tolist() for c in tf().io.decode_csv("1 2 NA", [1, 2.0, 3], field_delim=" ", na_value="NA")] == [
        1,
        2.0,
        3,
    ]
    needed = tf().constant([], dtype=tf().float32)
    assert [c.tolist() for c in tf().io.decode_csv("5,6,7", [needed, needed], select_cols=[0, 2])] == [5.0, 7.0]
    with pytest.raises(ValueError, match="field 1 must not be empty"):
        tf().io.decode_csv("1,", [needed, needed])
    with pytest.raises(ValueError, match="2 fields are expected; line 0 has 3"):
        tf().io.decode_csv("1,2,3", [needed, needed])


def test_numbers_in_bytes() -> None:
    assert tf().io.decode_raw(b"\x01\x00\x02\x00", tf().int16).tolist() == [1, 2]
    assert tf().io.decode_raw(b"\x00\x01", tf().int16, little_endian=False).tolist() == [1]
