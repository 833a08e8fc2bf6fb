"""Models with functions of tensors in their graphs, as this package has them of K and of TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Function = Callable[[Any, Any], Any]

# Name → what is made, of K and of numbers of shape (samples, 5, 4).
OF_K: dict[str, Function] = {
    "argmax": lambda K, h: K.cast(K.argmax(h), "float32"),
    "argmin": lambda K, h: K.cast(K.argmin(h, axis=1), "float32"),
    "cumulated": lambda K, h: K.cumsum(h, axis=1) + K.cumprod(h, axis=-1),
    "cumulated_over_samples": lambda K, h: K.cumsum(h),
    "logsumexp": lambda K, h: K.logsumexp(h, axis=1),
    "logsumexp_kept": lambda K, h: K.logsumexp(h, axis=[1, 2], keepdims=True),
    "one_hot": lambda K, h: K.one_hot(K.argmax(h), 4),
    "repeat_elements": lambda K, h: K.repeat_elements(h, 2, axis=1),
    "gather": lambda K, h: K.gather(h, K.constant([1, 0], dtype="int32")),
    "tile": lambda K, h: K.tile(h, [1, 2, 1]),
    "reverse": lambda K, h: K.reverse(h, axes=[1, 2]),
    "logic": lambda K, h: K.cast(K.any(h > 0, axis=1), "float32") + K.cast(K.all(h > -0.3, axis=1), "float32"),
    "compared": lambda K, h: K.cast(K.less(h, 0.1), "float32") + 2.0 * K.cast(K.not_equal(h, h), "float32"),
    "switched": lambda K, h: K.switch(K.greater(h, 0.0), h, h * h),
    "stopped": lambda K, h: h + K.stop_gradient(h * h),
    "likes": lambda K, h: K.ones_like(h) + K.zeros_like(h) * h,
    "elu": lambda K, h: K.elu(h) + K.elu(h, 0.3),
    "relu_with_arguments": lambda K, h: K.relu(h, alpha=0.1, max_value=0.5),
    "normalised": lambda K, h: K.l2_normalize(h, axis=1),
    "normalised_as_a_whole": lambda K, h: K.l2_normalize(h),
    "transposed": lambda K, h: K.permute_dimensions(K.transpose(h), (2, 1, 0)),
}


def _each(f: Any, names: str, h: Any) -> Any:
    return sum(f(name)(h) for name in names.split())


# Name → what is made, of a function that returns TensorFlow's function of a name, and of such numbers.
OF_TENSORFLOW: dict[str, Function] = {
    "softmax": lambda f, h: f("nn.softmax")(h),
    "softmax_of_an_axis": lambda f, h: f("math.softmax")(h, axis=1),
    "log_softmax": lambda f, h: f("nn.log_softmax")(h),
    "activations": lambda f, h: _each(f, "nn.relu nn.relu6 nn.elu nn.selu nn.swish nn.softsign nn.gelu", h),
    "leaky": lambda f, h: f("nn.leaky_relu")(h) + f("nn.leaky_relu")(h, alpha=0.3),
    "gelu_approximated": lambda f, h: f("nn.gelu")(h, approximate=True),
    "elementwise": lambda f, h: _each(f, "abs exp sin cos sign math.square math.negative math.expm1 tanh", h),
    "rounded": lambda f, h: _each(f, "floor round math.ceil", 3.3 * h),
    "of_positive": lambda f, h: _each(f, "sqrt math.log math.log1p math.rsqrt", h * h + 0.1),
    "binary": lambda f, h: f("math.multiply")(f("maximum")(h, 0.1), f("minimum")(h, 0.3)),
    "powers_and_remainders": lambda f, h: f("pow")(h, 2.0) + f("math.floormod")(h, 0.3) + f("math.floordiv")(h, 0.3),
    "logic": lambda f, h: f("cast")(f("logical_and")(f("greater")(h, 0.0), f("logical_not")(h > 0.4)), "float32"),
    "where": lambda f, h: f("where")(h > 0.0, h, 0.5 * h),
    "clipped": lambda f, h: f("clip_by_value")(h, -0.2, 0.3),
    "transposed": lambda f, h: f("transpose")(h, [0, 2, 1]),
    "transposed_by_name": lambda f, h: f("transpose")(h, perm=[0, 2, 1]),
    "reshaped": lambda f, h: f("reshape")(h, [-1, 20]),
    "tiled": lambda f, h: f("tile")(h, [1, 2, 1]),
    "reversed": lambda f, h: f("reverse")(h, axis=[1]),
    "repeated": lambda f, h: f("repeat")(h, 2, axis=1),
    "gathered": lambda f, h: f("gather")(h, [2, 0], axis=1),
    "argmax": lambda f, h: f("cast")(f("math.argmax")(h, axis=1), "float32"),
    "cumulated": lambda f, h: f("cumsum")(h, axis=1),
    "one_hot": lambda f, h: f("one_hot")(f("argmax")(h, axis=-1), 4),
    "joined": lambda f, h: f("concat")([h, f("squeeze")(f("expand_dims")(h, 1), axis=1)], axis=-1),
    "stacked": lambda f, h: f("stack")([h, h + 1.0], axis=1),
    "stacked_in_front": lambda f, h: f("stack")([h, h + 1.0])[0],
    "reductions": lambda f, h: h + _each(f, "reduce_mean reduce_sum reduce_max reduce_min reduce_prod", h),
    "reductions_of_an_axis": lambda f, h: f("reduce_std")(h, axis=1) + f("math.reduce_variance")(h, 1, keepdims=True),
    "logsumexp": lambda f, h: f("reduce_logsumexp")(h, axis=1),
    "any": lambda f, h: f("cast")(f("reduce_any")(h > 0.0, axis=1), "float32"),
    "products": lambda f, h: f("matmul")(h, f("transpose")(h, [0, 2, 1])),
    "einsum": lambda f, h: f("einsum")("nte,nse->nts", h, h),
    "normalised": lambda f, h: f("math.l2_normalize")(h, axis=-1),
    "stopped": lambda f, h: h + f("stop_gradient")(h * h),
    "likes": lambda f, h: f("ones_like")(h) + f("zeros_like")(h),
    "identity": lambda f, h: f("identity")(h),
}


def _model(keras: Any, namespace: Any, function: Function) -> Any:
    x = keras.Input((5, 4))
    return keras.Model(x, function(namespace, keras.layers.Dense(4, activation="tanh")(x)))


def models() -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Yield the models by name, each as a function of this package that builds it."""
    from torchkeras_compat.compat.tensorflow_functions import FUNCTIONS

    for name, of_k in OF_K.items():
        yield f"functions_of_k/{name}", lambda keras, function=of_k: _model(keras, keras.backend, function)
    for name, of_tf in OF_TENSORFLOW.items():
        yield (
            f"functions_of_tensorflow/{name}",
            lambda keras, function=of_tf: _model(keras, FUNCTIONS.__getitem__, function),
        )
