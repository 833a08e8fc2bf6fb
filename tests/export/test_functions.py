"""Functions of tensors in exported models: TensorFlow's and K's, held to the model that they were written down from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from tests.export.support import outputs_of, without_package
from torchkeras_compat import backend as K
from torchkeras_compat import compat
from torchkeras_compat.export import NotExportable


@pytest.fixture
def tf() -> Iterator[Any]:
    compat.install("keras-2.15")
    tk.set_dialect("keras-2.15")
    import tensorflow

    yield tensorflow
    compat.uninstall()


DRAW = np.random.RandomState(0)
ARRAYS = {
    "x": DRAW.randn(3, 4, 6).astype("float32"),
    "y": DRAW.randn(3, 4, 6).astype("float32"),
    "i": DRAW.randint(0, 4, (3, 4)).astype("int32"),
    "p": np.random.RandomState(1).rand(3, 8, 8, 4).astype("float32"),
}
MATRIX = DRAW.randn(6, 6).astype("float32")
KERNEL = np.random.RandomState(2).randn(2, 3, 4, 2).astype("float32")

OF_TENSORFLOW = """
x // 2; x % 2; x > 0; x @ MATRIX; x[:, ::-1]; x[:, ::-1, 1:]; 2 ** x; ~(x > 0)
tf.shape(x)[1] * i; tf.reshape(x, [tf.shape(x)[0], 24]); tf.reshape(x, (-1, 24)); tf.transpose(x, [0, 2, 1])
tf.reduce_mean(x, axis=1); tf.reduce_mean(x, [1, 2], keepdims=True); tf.reduce_sum(x, -1); tf.reduce_max(x, 1)
tf.reduce_min(x, 1); tf.reduce_prod(x, 1); tf.reduce_logsumexp(x, 1); tf.math.reduce_std(x, 1)
tf.math.reduce_variance(x, axis=1); tf.reduce_any(x > 1, 1); tf.reduce_all(x > -1, 1)
tf.concat([x, y], 1); tf.stack([x, y], axis=1); tf.unstack(x, axis=1)[2]; tf.split(x, 2, axis=1)[1]
tf.split(x, [1, 3], axis=1)[1]; tf.expand_dims(x, 1); tf.squeeze(x[:, :1], 1); tf.tile(x, [1, 2, 1])
tf.repeat(x, 2, axis=1); tf.pad(x, [[0, 0], [1, 2], [0, 1]]); tf.matmul(x, y, transpose_b=True)
tf.einsum('bij,bkj->bik', x, y); tf.einsum('bij,jk->bik', x, MATRIX); tf.add(x, y); tf.multiply(x, 2.); tf.divide(x, y)
tf.maximum(x, y); tf.minimum(0., x); tf.add_n([x, y, x]); tf.pow(x, 2); tf.math.squared_difference(x, y)
tf.math.divide_no_nan(x, tf.nn.relu(y)); tf.math.rsqrt(tf.abs(x) + 1.); tf.math.log1p(tf.abs(x)); tf.negative(x)
tf.math.cumsum(x, axis=1); tf.math.cumsum(x, 1, reverse=True); tf.clip_by_value(x, -1, 1); tf.cast(x > 0, tf.float32)
tf.nn.relu(x); tf.nn.relu6(x); tf.nn.leaky_relu(x); tf.nn.leaky_relu(x, alpha=.3); tf.nn.elu(x); tf.nn.gelu(x)
tf.nn.gelu(x, approximate=True); tf.nn.softmax(x, axis=1); tf.nn.log_softmax(x); tf.nn.l2_normalize(x, axis=-1)
tf.norm(x, axis=-1); tf.norm(x, ord=1, axis=1, keepdims=True); tf.where(x > 0, x, y); tf.where(x > 0, 1., 0.)
tf.zeros_like(x); tf.stop_gradient(x); tf.gather(x, [0, 2], axis=1); tf.one_hot(i, 5); tf.argmax(x, axis=-1)
tf.math.top_k(x, 2)[0]; tf.sort(x); tf.sort(x, direction='DESCENDING'); tf.reverse(x, [1]); tf.roll(x, 1, axis=1)
tf.logical_and(x > 0, y > 0); tf.slice(x, [0, 1, 0], [-1, 2, 3]); tf.nn.moments(x, [1])[1]; x * tf.constant([1.] * 6)
tf.gather(x, i, batch_dims=1); tf.reshape(x, tf.shape(x))
tf.reshape(x, tf.stack([tf.shape(x)[0], -1])); tf.reshape(x, tf.concat([tf.shape(x)[:1], [24]], 0))
tf.broadcast_to(x[:, :1], tf.shape(x)); tf.math.reduce_euclidean_norm(x, 1); tf.math.log_sigmoid(x)
tf.math.xlogy(tf.abs(x), 2.)
tf.linalg.inv(x @ MATRIX @ tf.transpose(x, [0, 2, 1]))
tf.linalg.det(tf.matmul(x, x, transpose_b=True)); tf.linalg.trace(x[:, :, :4]); tf.linalg.diag(x[:, 0])
tf.linalg.cholesky(tf.matmul(x, x, transpose_b=True) + tf.eye(4)); tf.linalg.diag_part(x[:, :, :4])
tf.linalg.solve(x[:, :, :4], y); tf.linalg.matvec(x, y[:, 0]); tf.tensordot(x, MATRIX, 1)
tf.clip_by_norm(x, 1., axes=[1, 2])
tf.tensordot(x, MATRIX, axes=[[2], [0]]); tf.nn.crelu(x); tf.nn.bias_add(x, [1., 2., 3., 4., 5., 6.])
tf.nn.batch_normalization(x, 0.5, 2., 0.1, 3., 1e-3)
tf.nn.batch_normalization(x, MATRIX[0], tf.abs(y), None, None, 1e-3)
tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(y), x); tf.nn.sigmoid_cross_entropy_with_logits(tf.sigmoid(y), x)
tf.nn.sparse_softmax_cross_entropy_with_logits(i, x); x + 0. * tf.random.normal(tf.shape(x))
x + 0. * K.random_normal((K.shape(x)[0], 4, 6), mean=1., stddev=2.); x + 0. * K.random_uniform(K.shape(x), -1., 1.)
tf.pad(x, [[0, 0], [1, 2], [0, 1]], 'REFLECT'); tf.pad(x, [[0, 0], [2, 0], [1, 3]], mode='symmetric')
tf.gather_nd(x, tf.stack([tf.range(tf.shape(x)[0]), i[:, 0]], axis=1)); x + tf.cast(tf.range(tf.shape(x)[-1]), x.dtype)
x + tf.cast(tf.range(1, 7), tf.float32); tf.concat([tf.zeros((tf.shape(x)[0], 1, 6)), x], 1)
x[..., ::-1] - np.arange(6.)
x[:, 0, 0] * tf.ones(tf.shape(x)[0]); tf.concat([tf.fill([tf.shape(x)[0], 1, 6], 2.), x], axis=1)
tf.sigmoid(x); tf.tanh(x); tf.nn.softsign(x); tf.nn.selu(x); tf.nn.silu(x); tf.identity(x); x - np.arange(6.)
"""
OF_PICTURES = """
tf.image.resize(p, (4, 5)); tf.image.resize(p, [16, 16], method='nearest'); tf.image.rgb_to_grayscale(p[..., :3])
tf.image.flip_left_right(p); tf.image.flip_up_down(p); tf.image.adjust_brightness(p, .1)
tf.image.adjust_contrast(p, 2.); tf.image.per_image_standardization(p); tf.image.central_crop(p, .5)
tf.image.crop_to_bounding_box(p, 1, 2, 4, 3); tf.image.pad_to_bounding_box(p, 1, 2, 11, 12)
tf.image.grayscale_to_rgb(p[..., :1]); tf.nn.depth_to_space(p, 2); tf.nn.space_to_depth(p, 2)
tf.nn.conv2d(p, KERNEL, 1, 'SAME'); tf.nn.conv2d(p, KERNEL, [1, 2, 2, 1], 'VALID'); tf.nn.conv2d(p, KERNEL, 3, 'SAME')
tf.nn.depthwise_conv2d(p, KERNEL, [1, 1, 1, 1], 'SAME'); tf.nn.max_pool2d(p, 2, 2, 'SAME')
tf.nn.max_pool(p, 3, 2, 'SAME')
tf.nn.local_response_normalization(p, depth_radius=1, bias=2., alpha=.1, beta=.75); tf.nn.lrn(p)
K.resize_images(p, 2, 3, 'channels_last'); K.resize_images(p, 2, 2, 'channels_last', interpolation='bilinear')
K.spatial_2d_padding(p, ((0, 1), (2, 3))); tf.pad(p, [[0, 0], [3, 3], [3, 3], [0, 0]], 'REFLECT')
tf.nn.max_pool2d(p, [3, 2], 1, 'VALID'); tf.nn.avg_pool2d(p, 2, 2, 'VALID'); tf.nn.avg_pool(p, 2, 2, 'SAME')
"""
OF_K = """
K.sum(x, axis=1); K.mean(x, axis=[1, 2]); K.clip(x, -1, 1); K.l2_normalize(x, axis=1); K.batch_dot(x, y, axes=2)
K.batch_dot(x, K.permute_dimensions(y, (0, 2, 1))); K.dot(x, K.constant(MATRIX)); K.expand_dims(x, -1)
K.squeeze(x[:, :1], 1); K.reshape(x, (-1, 24)); K.concatenate([x, y], axis=1); K.stack([x, y], axis=1)
K.repeat_elements(x, 2, axis=1); K.repeat(x[:, 0], 3); K.tile(x, (1, 2, 1)); K.batch_flatten(x); K.relu(x, alpha=.1)
K.relu(x, max_value=1.); K.hard_sigmoid(x); K.switch(x > 0, x, y); K.cast(i, 'float32'); K.argmax(x); K.one_hot(i, 4)
K.reverse(x, 1); K.cumsum(x, axis=1); K.cumprod(x, axis=1); K.maximum(x, 0.); K.equal(i, 2); K.pow(x, 2)
K.std(x, axis=1); K.var(x, axis=1); K.prod(x, axis=1); K.any(x > 1, axis=1); K.shape(x)[1] * i
K.temporal_padding(x, (1, 2)); K.ones_like(x); K.flatten(x); K.softmax(x); K.sum(x=x, axis=-1, keepdims=True)
"""
CALLS = [call.strip() for call in f"{OF_TENSORFLOW};{OF_K};{OF_PICTURES}".replace("\n", ";").split(";") if call.strip()]


def model_of(call: str, tf: Any) -> Any:
    inputs = {name: tk.Input(array.shape[1:], dtype=str(array.dtype), name=name) for name, array in ARRAYS.items()}
    return tk.Model(
        list(inputs.values()), eval(call, {"tf": tf, "K": K, "np": np, "MATRIX": MATRIX, "KERNEL": KERNEL, **inputs})
    )


@pytest.mark.parametrize("call", CALLS)
def test_a_function(call: str, tf: Any) -> None:
    model = model_of(call, tf)
    expected = model.predict(list(ARRAYS.values()), batch_size=3, verbose=0)
    (found,) = outputs_of(model.to_torch(), [torch.tensor(array) for array in ARRAYS.values()])
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "call",
    ["K.sum(x)", "tf.clip_by_norm(x, 1.)", "tf.gather(x, i, batch_dims=1, axis=2)",
     "K.dropout(x, .5)", "tf.gather_nd(x, i[..., None], batch_dims=1)", "K.map_fn(lambda row: row * 2., x)",
     "tf.matmul(x, np.ones((1, 6, 20), 'f4'))", "tf.math.cumsum(x, 1, exclusive=True)",
     "tf.one_hot(i, 4, on_value=2.)", "tf.image.resize(p, (4, 5), method='bicubic')", "tf.nn.avg_pool(p, 3, 1, 'SAME')",
     "tf.nn.conv2d(p, KERNEL, 1, 'SAME', dilations=2)", "K.random_normal(K.shape(x), seed=3)"],
)  # fmt: skip
def test_what_has_no_form(call: str, tf: Any) -> None:
    with pytest.raises(NotExportable, match=r"the function .* in the graph (has no form in plain|is Python)"):
        model_of(call, tf).to_torch()


def scaled(x: Any, factor: float = 2.0) -> Any:
    x -= K.mean(x, axis=1, keepdims=True)
    return x * factor


def distance(pair: Any) -> Any:
    one, other = pair
    return K.sqrt(K.maximum(K.sum(K.square(one - other), axis=1, keepdims=True), K.epsilon()))


OF_USERS: list[tuple[Callable[[Any], Any], Any, dict[str, Any]]] = [
    (lambda tf: lambda x: x / 127.5 - 1.0, "p", {}),
    (lambda tf: lambda x: x[:, -1, :], "x", {}),
    (lambda tf: lambda x: tf.reduce_mean(x, axis=1), "x", {}),
    (lambda tf: lambda x: K.l2_normalize(x, axis=-1), "x", {"mask": None}),
    (lambda tf: lambda x: tf.reshape(x, (-1, x.shape[1] * K.int_shape(x)[2])), "x", {"output_shape": (24,)}),
    (lambda tf: lambda x: x[..., ::-1] - np.array([103.9, 116.8, 123.7, 1.0]), "p", {}),
    (lambda tf: lambda x: K.one_hot(K.cast(x, "int32"), 5), "i", {}),
    (lambda tf: scaled, "x", {"arguments": {"factor": 3.0}}),
    (lambda tf: tf.square, "x", {}),
    (lambda tf: K.abs, "x", {}),
    (lambda tf: distance, "xy", {}),
    (lambda tf: lambda pair: tf.abs(pair[0] - pair[1]), "xy", {}),
    (lambda tf: lambda x: tf.split(x, 2, axis=-1), "x", {}),
    (lambda tf: lambda x, mask=None: x * 2.0, "x", {}),
]


@pytest.mark.parametrize("number", range(len(OF_USERS)))
def test_a_function_of_a_user_in_a_lambda(number: int, tf: Any) -> None:
    make, names, options = OF_USERS[number]
    inputs = [tk.Input(ARRAYS[name].shape[1:], dtype=str(ARRAYS[name].dtype), name=name) for name in names]
    layer = tk.layers.Lambda(make(tf), **options)
    model = tk.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    arrays = [ARRAYS[name] for name in names]
    expected = model.predict(arrays, batch_size=3, verbose=0)
    results = outputs_of(model.to_torch(), [torch.tensor(array) for array in arrays])
    for result, wanted in zip(results, expected if isinstance(expected, list) else [expected], strict=True):
        assert (result.shape, result.dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_allclose(result, wanted, atol=1e-5)


def test_lambdas_that_are_no_calculation_are_refused(tf: Any) -> None:
    dense = tk.layers.Dense(2)
    dense.build((None, 6))
    masked = tk.Sequential([tk.layers.Masking(input_shape=(4, 6)), tk.layers.Lambda(lambda x, mask: x * 2.0)])
    for model, why in (
        (lambda x: torch.relu(x), "runs on numbers only: write it into forward yourself; .* raises TypeError"),
        (lambda x: dense(x), "its function calls Dense .*; make that a layer of the model"),
        (lambda x, training: x * 2.0, "a function of the mask or the mode"),
        (lambda x: torch.ones(3, 2), "returns what no calculation on its input gave"),
        (lambda x: K.dropout(x, 0.5), "Lambda .*: the function backend.random.dropout in the graph has no form"),
        (masked, "a function of the mask or the mode"),
    ):
        if not isinstance(model, tk.Model):
            model = tk.Sequential([tk.layers.Lambda(model, input_shape=(4, 6))])
        with pytest.raises(NotExportable, match=why):
            model.to_torch()
    assert dense._nodes == []  # what the export called is forgotten


def test_a_lambda_between_layers_is_readable(tf: Any) -> None:
    model = tk.Sequential([
        tk.layers.Lambda(lambda x: x / 255.0, input_shape=(4, 4, 3), name="small"),
        tk.layers.Conv2D(2, 3, name="conv"),
        tk.layers.Lambda(lambda x: tf.reduce_mean(x, [1, 2])),
    ])  # fmt: skip
    source = model.to_torch_source()
    assert "x = x / 255.0  # (N, 4, 4, 3)" in source
    assert "x = x.mean(dim=(1, 2))  # (N, 2)" in source
    model.compile("sgd", "mse")
    assert "(5, 2)" in without_package(f"{model.to_torch_source()}\nprint(tuple(model(torch.zeros(5, 4, 4, 3)).shape))")


def test_a_source_of_functions_runs_alone(tf: Any) -> None:
    inputs = tk.Input((4, 6), name="x")
    scores = tf.einsum("bij,bkj->bik", inputs, tf.nn.l2_normalize(inputs, axis=-1))
    hidden = tf.concat([tf.matmul(tf.nn.softmax(scores), inputs), tf.cast(inputs > 0, tf.float32)], axis=-1)
    model = tk.Model(inputs, tk.layers.Dense(2)(tf.reshape(hidden, [tf.shape(hidden)[0], 48])))
    model.compile("sgd", "mse")
    printed = without_package(model.to_torch_source() + "\nprint(tuple(model(torch.zeros(5, 4, 6)).shape))")
    assert "(5, 2)" in printed


def test_a_line_that_is_broken_leaves_texts_whole(tf: Any) -> None:
    find: Callable[[str], Any] = lambda call: model_of(call, tf).to_torch()  # noqa: E731
    assert find("tf.einsum('bij,jk->bik', x, MATRIX)") is not None
