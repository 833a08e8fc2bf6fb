"""Functions of `tf.image` and `tf.nn` by name, with the value at which they are differentiated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

try:
    from .tensorflow_cases import A, C, G, H, W
except ImportError:  # in TensorFlow's environment, where this folder is no package
    from tensorflow_cases import A, C, G, H, W  # type: ignore[no-redef]

Gradient = tuple[Callable[[Any, Any], Any], np.ndarray[Any, Any]]
F = np.tile(G, (1, 1, 1, 2))[..., :4]
D = G.reshape(2, 6, 15)[:, :, :4]

GRADIENTS: dict[str, Gradient] = {
    "image resize": (lambda tf, x: tf.image.resize(x, [9, 4]), G),
    "antialias": (lambda tf, x: tf.image.resize(x, [3, 2], "bicubic", antialias=True), G),
    "nearest": (lambda tf, x: tf.image.resize(x, [3, 9], method="nearest"), G),
    "resize images": (lambda tf, x: tf.compat.v1.image.resize_images(x, [9, 4]), G),
    "with pad": (lambda tf, x: tf.image.resize_with_pad(x, 9, 4), G),
    "crop or pad": (lambda tf, x: tf.image.resize_with_crop_or_pad(x, 4, 8), G),
    "turned": (lambda tf, x: tf.image.flip_left_right(tf.image.rot90(x)), G),
    "brightness": (lambda tf, x: tf.image.adjust_brightness(x, 0.2), G),
    "hsv": (lambda tf, x: tf.image.rgb_to_hsv(x), G),
    "gray": (lambda tf, x: tf.image.rgb_to_grayscale(x), G),
    "standardization": (lambda tf, x: tf.image.per_image_standardization(x), G),
    "patches": (lambda tf, x: tf.image.extract_patches(x, [1, 3, 2, 1], [1, 2, 1, 1], [1, 1, 2, 1], "SAME"), G),
    "variation": (lambda tf, x: tf.image.total_variation(x), G),
    "differences": (lambda tf, x: tf.image.image_gradients(x)[1], G),
    "sobel": (lambda tf, x: tf.image.sobel_edges(x), G),
    "ssim": (lambda tf, x: tf.image.ssim(x, H[::-1].copy(), 1.0), H),
    "psnr": (lambda tf, x: tf.image.psnr(x, G[::-1].copy(), 1.0), G),
    "conv1d": (lambda tf, x: tf.nn.conv1d(x, W[:, 0, :1].repeat(4, 1), 2, "SAME"), D),
    "conv2d": (lambda tf, x: tf.nn.conv2d(x, W, [1, 2, 1, 1], "SAME"), G),
    "conv2d transpose": (lambda tf, x: tf.nn.conv2d_transpose(x, W, [2, 12, 10, 3], 2), F),
    "depthwise": (lambda tf, x: tf.nn.depthwise_conv2d(x, W, [1, 1, 1, 1], "SAME"), G),
    "separable": (
        lambda tf, x: tf.nn.separable_conv2d(x, W, C.reshape(1, 1, 4, 5).repeat(3, 2), [1, 1, 1, 1], "VALID"),
        G,
    ),
    "max pool": (lambda tf, x: tf.nn.max_pool(x, 2, 2, "SAME"), G),
    "avg pool": (lambda tf, x: tf.nn.avg_pool2d(x, 3, 2, "SAME"), G),
    "space to depth": (lambda tf, x: tf.nn.space_to_depth(x, 2), F[:, :, :4]),
    "depth to space": (lambda tf, x: tf.nn.depth_to_space(x, 2), F),
    "lrn": (lambda tf, x: tf.nn.local_response_normalization(x, 1, 1.0, 0.5, 0.75), G),
    "top k": (lambda tf, x: tf.nn.top_k(x, 2).values, A),
    "an array before a tensor": (lambda tf, x: tf.multiply(A[0], x), A),
    "crelu": (lambda tf, x: tf.nn.crelu(x), A),
    "map": (lambda tf, x: tf.map_fn(lambda row: row * tf.reduce_sum(row), x), A),
    "scan": (lambda tf, x: tf.transpose(tf.scan(lambda a, row: a * row, tf.transpose(x))), A),
    "fold": (lambda tf, x: x + tf.foldl(lambda a, row: a * 0.5 + row, x), A),
    "cond": (lambda tf, x: tf.cond(tf.reduce_sum(x) > 1e9, lambda: x, lambda: x * x), A),
    "python": (lambda tf, x: tf.py_function(lambda v: v * v, [x], tf.float32), A),
    "update": (lambda tf, x: tf.tensor_scatter_nd_update(x, [[0, 1], [2, 3]], [7.0, 8.0]), A),
    "scatter": (lambda tf, x: tf.scatter_nd([[1], [0], [1]], x, [4, 4]), A),
    "largest": (lambda tf, x: tf.tensor_scatter_nd_max(x, [[1]], [[0.5] * 4]), A),
    "gather in batches": (lambda tf, x: tf.gather(x, tf.math.top_k(x, 2).indices, batch_dims=1), A),
    "segments": (lambda tf, x: tf.math.unsorted_segment_sum(x, [1, 0, 1], 2), A),
    "clip by norm": (lambda tf, x: tf.clip_by_norm(x, 1.0, axes=[1]), A),
    "diagonal": (lambda tf, x: tf.linalg.diag(tf.linalg.band_part(x, 1, 1)), A),
    "inverse": (lambda tf, x: tf.linalg.inv(tf.matmul(x, x, transpose_b=True) + tf.eye(3)), A),
    "frequencies": (lambda tf, x: tf.abs(tf.signal.rfft(x)), A),
    "short-time": (lambda tf, x: tf.abs(tf.signal.stft(x, 2, 1)), A + 9),
    "products": (lambda tf, x: tf.math.cumprod(x, axis=1, exclusive=True), A),
    "xlogy": (lambda tf, x: tf.math.xlogy(x, 2.0) + tf.math.erfinv(x / 9) + tf.math.digamma(x + 9), A),
    "array": (lambda tf, x: tf.TensorArray(tf.float32, 2).write(0, x).write(1, x * x).concat(), A),
    "windows": (
        lambda tf, x: tf.image.crop_and_resize(x, [[0.2, 0.1, 0.7, 0.9], [-0.2, 0.5, 0.5, 1.3]], [1, 0], [3, 4]),
        G,
    ),
    "own gradient": (lambda tf, x: tf.custom_gradient(lambda t: (t * t, lambda dy: -3.0 * dy * t))(x), A),
    "weighted": (lambda tf, x: tf.nn.weighted_cross_entropy_with_logits(tf.cast(x > 0.5, "float32"), x, 2.0), A),
}
# Not in TensorFlow's gradients: its kernels of these have none.
WITHOUT: dict[str, Gradient] = {
    "contrast": (lambda tf, x: tf.image.adjust_contrast(x, 2.0), G),
    "hue": (lambda tf, x: tf.image.adjust_hue(x, 0.2), G),
    "saturation": (lambda tf, x: tf.image.adjust_saturation(x, 0.5), G),
}


def weights_of(shape: Any) -> np.ndarray[Any, Any]:
    """Return the numbers by which the values of a function are added up before it is differentiated."""
    return np.random.RandomState(1).randn(*[int(n) for n in shape]).astype("float32")
