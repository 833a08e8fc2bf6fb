"""Initializers: objects that make the first value of a weight from its Keras shape."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._core import randomness, registry, settings
from ._core.config import Configurable
from ._core.errors import argument_error, choice, show
from ._core.ownership import is_ours
from ._core.user_tensors import hand_out

# The standard deviation of a standard normal distribution cut at two (scipy.stats.truncnorm.std(-2, 2)).
TRUNCATED_STDDEV = 0.87962566103423978

DType = str | torch.dtype | None


def compute_fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return how many inputs and outputs a weight of this Keras shape connects, (fan_in, fan_out).

    Args:
        shape: Of a vector, a matrix `(inputs, outputs)`, or a kernel `(*window, inputs, outputs)`.

    Source:
        Glorot & Bengio, 2010, with Keras 2.15's reading of convolution kernels.

    Example:
        >>> compute_fans((3, 3, 16, 32))
        (144, 288)
    """
    if len(shape) < 2:
        fan = int(shape[0]) if shape else 1
        return fan, fan
    window = math.prod(shape[:-2])
    return int(shape[-2]) * window, int(shape[-1]) * window


def _handing_out(call: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a tensor that an initializer made have Keras's manners: a user may have called it."""

    @functools.wraps(call)
    def made(self: Initializer, *args: Any, **kwargs: Any) -> Tensor:
        tensor: Tensor = hand_out(call(self, *args, **kwargs))
        return tensor

    return made


@registry.base("initializer")
class Initializer(Configurable):
    """Base of the initializers; a subclass defines `__call__(shape, dtype=None)`.

    Example:
        >>> class Halves(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return torch.full(shape, 0.5)
        >>> Halves()((2,))
        tensor([0.5000, 0.5000])
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__call__" in cls.__dict__ and is_ours(cls):
            cls.__call__ = _handing_out(cls.__dict__["__call__"])  # type: ignore[method-assign]

    def __init__(self) -> None:
        pass  # there for its signature: an argument is refused by name

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return a new tensor on the CPU.

        Args:
            shape: Its shape, in Keras order.
            dtype: Its type; `floatx()` if `None`.
        """
        raise NotImplementedError(f"{type(self).__name__}: an initializer must define __call__(shape, dtype=None).")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make an initializer from its configuration; the `dtype` that files of TensorFlow 1 hold is dropped."""
        return cls(**{k: v for k, v in config.items() if k != "dtype"})


def _number(owner: object, argument: str, value: Any) -> float:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise argument_error(type(owner).__name__, argument, "a number", value, TypeError)
    if not math.isfinite(value):
        raise argument_error(type(owner).__name__, argument, "a finite number", value)
    return float(value)


def _seed(owner: object, seed: Any) -> int | None:
    if seed is None:
        return None
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise argument_error(type(owner).__name__, "seed", "an integer or None", seed, TypeError)
    return int(seed)


def _float_dtype(owner: object, dtype: DType) -> torch.dtype:
    torch_dtype = settings.torch_dtype(dtype)
    if not torch_dtype.is_floating_point:
        raise argument_error(type(owner).__name__, "dtype", "a floating point type", settings.dtype_name(torch_dtype))
    return torch_dtype


@registry.register("initializer", "zero", "zeros_initializer")
class Zeros(Initializer):
    """Fill with 0.

    Example:
        >>> Zeros()((2,))
        tensor([0., 0.])
    """

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return zeros of this shape."""
        return torch.zeros(tuple(shape), dtype=settings.torch_dtype(dtype))


@registry.register("initializer", "one", "ones_initializer")
class Ones(Initializer):
    """Fill with 1.

    Example:
        >>> Ones()((2,))
        tensor([1., 1.])
    """

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return ones of this shape."""
        return torch.ones(tuple(shape), dtype=settings.torch_dtype(dtype))


@registry.register("initializer", "constant_initializer")
class Constant(Initializer):
    """Fill with one number, or with the numbers of an array.

    Args:
        value: A number, or a list, array or tensor with as many elements as the weight.

    Raises:
        TypeError: `value` is not numeric.
        ValueError: When called: the number of elements does not fit.

    Example:
        >>> Constant(0.5)((2,))
        tensor([0.5000, 0.5000])
        >>> Constant([[1, 2]])((1, 2))
        tensor([[1., 2.]])
    """

    def __init__(self, value: Any = 0) -> None:
        if isinstance(value, Tensor):
            value = value.detach().cpu().numpy()
        kind = np.asarray(value, dtype=None if not isinstance(value, str) else object).dtype.kind
        if kind not in "biuf":
            raise argument_error("Constant", "value", "a number or an array of numbers", value, TypeError)
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return a tensor of this shape that holds the value."""
        value = torch.as_tensor(np.array(self.value)).to(settings.torch_dtype(dtype))
        if value.ndim == 0:
            return value.expand(tuple(shape)).clone()
        if value.numel() != math.prod(shape):
            raise ValueError(f"Constant(value={show(self.value)}): the weight has shape {tuple(shape)}.")
        return value.reshape(tuple(shape))


@registry.register("initializer", "uniform", "random_uniform", "random_uniform_initializer")
class RandomUniform(Initializer):
    """Draw from a uniform distribution.

    Args:
        minval: Lower bound.
        maxval: Upper bound.
        seed: Makes every call give the same values; `None` draws afresh.

    Raises:
        TypeError: An argument is not a number.
        ValueError: `maxval` is below `minval`.

    Example:
        >>> bool((RandomUniform(1, 2)((3,)) >= 1).all())
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        if _number(self, "maxval", maxval) < _number(self, "minval", minval):
            raise argument_error("RandomUniform", "maxval", f"at least minval={minval}", maxval)
        self.minval, self.maxval, self.seed = minval, maxval, _seed(self, seed)

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return a tensor of this shape; of an integer type, it holds integers below `maxval`."""
        torch_dtype = settings.torch_dtype(dtype)
        generator = randomness.generator(self.seed)
        if not torch_dtype.is_floating_point and torch_dtype not in (torch.int32, torch.int64):
            raise argument_error("RandomUniform", "dtype", "a float or integer type", settings.dtype_name(torch_dtype))
        if not torch_dtype.is_floating_point:
            return torch.randint(
                int(self.minval), int(self.maxval), tuple(shape), generator=generator, dtype=torch_dtype
            )
        values = torch.empty(tuple(shape), dtype=randomness.drawing_dtype(torch_dtype))
        return values.uniform_(self.minval, self.maxval, generator=generator).to(torch_dtype)


class _Normal(Initializer):
    """What the normal and the truncated normal distribution share."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        if _number(self, "stddev", stddev) < 0:
            raise argument_error(type(self).__name__, "stddev", "a number of at least 0", stddev)
        self.mean, self.stddev, self.seed = _number(self, "mean", mean), float(stddev), _seed(self, seed)


@registry.register("initializer", "normal", "random_normal", "random_normal_initializer")
class RandomNormal(_Normal):
    """Draw from a normal distribution.

    Args:
        mean: Its mean.
        stddev: Its standard deviation.
        seed: Makes every call give the same values; `None` draws afresh.

    Raises:
        TypeError: An argument is not a number.
        ValueError: `stddev` is negative, or the type asked for is not a float.

    Example:
        >>> RandomNormal(mean=1.0, stddev=0.0)((2,))
        tensor([1., 1.])
    """

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return a tensor of this shape."""
        torch_dtype = _float_dtype(self, dtype)
        values = torch.empty(tuple(shape), dtype=randomness.drawing_dtype(torch_dtype))
        return values.normal_(self.mean, self.stddev, generator=randomness.generator(self.seed)).to(torch_dtype)


@registry.register("initializer", "truncated_normal", "truncated_normal_initializer")
class TruncatedNormal(_Normal):
    """Draw from a normal distribution, and again what lies beyond two standard deviations.

    Args:
        mean: Its mean.
        stddev: Its standard deviation before it is cut.
        seed: Makes every call give the same values; `None` draws afresh.

    Raises:
        TypeError: An argument is not a number.
        ValueError: `stddev` is negative, or the type asked for is not a float.

    Example:
        >>> bool((TruncatedNormal(stddev=1.0)((1000,)).abs() <= 2).all())
        True
    """

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return a tensor of this shape."""
        generator = randomness.generator(self.seed)
        return randomness.truncated_normal(shape, self.mean, self.stddev, _float_dtype(self, dtype), generator)


_DISTRIBUTIONS = {name: name for name in ("truncated_normal", "untruncated_normal", "uniform")} | {
    "normal": "truncated_normal"
}


@registry.register("initializer", "variance_scaling", "variance_scaling_initializer")
class VarianceScaling(Initializer):
    """Draw with a variance of `scale / n`, where `n` counts inputs, outputs or their mean.

    Args:
        scale: A positive number.
        mode: `'fan_in'`, `'fan_out'` or `'fan_avg'`.
        distribution: `'truncated_normal'` (or `'normal'`), `'untruncated_normal'` or `'uniform'`.
        seed: Makes every call give the same values; `None` draws afresh.

    Shape:
        A weight in Keras order: `(inputs, outputs)` or `(*window, inputs, outputs)`.

    Raises:
        TypeError: `scale` is not a number or `seed` no integer.
        ValueError: `scale` is not positive, `mode` or `distribution` unknown, or the type asked for is not a float.

    Source:
        Glorot & Bengio, 2010; He et al., 2015; LeCun et al., 1998; `VarianceScaling` of Keras 2.15.

    Example:
        >>> bool(VarianceScaling(3.0, 'fan_avg', 'uniform')((8, 10)).abs().max() <= 1)
        True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if _number(self, "scale", scale) <= 0:
            raise argument_error("VarianceScaling", "scale", "a positive number", scale)
        self.scale = float(scale)
        self.mode = choice("VarianceScaling", "mode", mode, ("fan_in", "fan_out", "fan_avg"))
        self.distribution = _DISTRIBUTIONS[choice("VarianceScaling", "distribution", distribution, _DISTRIBUTIONS)]
        self.seed = _seed(self, seed)

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return a tensor of this shape."""
        torch_dtype = _float_dtype(self, dtype)
        fan_in, fan_out = compute_fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        stddev = math.sqrt(self.scale / max(1.0, fan))
        generator = randomness.generator(self.seed)
        if self.distribution == "truncated_normal":
            # Cutting takes away a part of the variance, which the rule gives back.
            wider = stddev / TRUNCATED_STDDEV if self._rules.scaled_truncation else stddev
            return randomness.truncated_normal(shape, 0.0, wider, torch_dtype, generator)
        values = torch.empty(tuple(shape), dtype=randomness.drawing_dtype(torch_dtype))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * stddev
            return values.uniform_(-limit, limit, generator=generator).to(torch_dtype)
        return values.normal_(0.0, stddev, generator=generator).to(torch_dtype)


def _normal_of(owner: Configurable) -> str:
    return "truncated_normal" if owner._rules.normals_are_cut else "untruncated_normal"


@registry.register("initializer", "glorot_uniform")
class GlorotUniform(VarianceScaling):
    """Draw uniformly within ±√(6 / (inputs + outputs)).

    Args:
        seed: Makes every call give the same values; `None` draws afresh.

    Source:
        Glorot & Bengio, 2010.

    Example:
        >>> bool(GlorotUniform()((2, 4)).abs().max() <= 1)
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


@registry.register("initializer", "glorot_normal")
class GlorotNormal(VarianceScaling):
    """Draw from a truncated normal distribution of variance 2 / (inputs + outputs); Keras 1 does not cut it.

    Args:
        seed: Makes every call give the same values; `None` draws afresh.

    Source:
        Glorot & Bengio, 2010.

    Example:
        >>> GlorotNormal()((2, 4)).shape
        (2, 4)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", _normal_of(self), seed)


@registry.register("initializer", "he_uniform")
class HeUniform(VarianceScaling):
    """Draw uniformly within ±√(6 / inputs).

    Args:
        seed: Makes every call give the same values; `None` draws afresh.

    Source:
        He et al., 2015.

    Example:
        >>> bool(HeUniform()((6, 4)).abs().max() <= 1)
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


@registry.register("initializer", "he_normal")
class HeNormal(VarianceScaling):
    """Draw from a truncated normal distribution of variance 2 / inputs; Keras 1 does not cut it.

    Args:
        seed: Makes every call give the same values; `None` draws afresh.

    Source:
        He et al., 2015.

    Example:
        >>> HeNormal()((2, 4)).shape
        (2, 4)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", _normal_of(self), seed)


@registry.register("initializer", "lecun_uniform")
class LecunUniform(VarianceScaling):
    """Draw uniformly within ±√(3 / inputs).

    Args:
        seed: Makes every call give the same values; `None` draws afresh.

    Source:
        LeCun et al., 1998.

    Example:
        >>> bool(LecunUniform()((3, 4)).abs().max() <= 1)
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


@registry.register("initializer", "lecun_normal")
class LecunNormal(VarianceScaling):
    """Draw from a truncated normal distribution of variance 1 / inputs.

    Args:
        seed: Makes every call give the same values; `None` draws afresh.

    Source:
        LeCun et al., 1998; Klambauer et al., 2017.

    Example:
        >>> LecunNormal()((2, 4)).shape
        (2, 4)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


@registry.register("initializer", "orthogonal_initializer")
class Orthogonal(Initializer):
    """Draw a random orthogonal matrix: its rows or columns, whichever are fewer, are orthonormal.

    Args:
        gain: A factor.
        seed: Makes every call give the same values; `None` draws afresh.

    Shape:
        Two axes or more; all but the last are taken together as the rows.

    Raises:
        ValueError: When called with a shape of one axis.

    Source:
        Saxe, McClelland & Ganguli, 2013.

    Example:
        >>> q = Orthogonal()((4, 3))
        >>> bool(torch.allclose(q.T @ q, torch.eye(3), atol=1e-5))
        True
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = _number(self, "gain", gain), _seed(self, seed)

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return a tensor of this shape."""
        torch_dtype = _float_dtype(self, dtype)
        if len(shape) < 2:
            raise argument_error("Orthogonal", "shape", "of two axes or more", tuple(shape))
        rows, columns = math.prod(shape[:-1]), int(shape[-1])
        normal = torch.empty(max(rows, columns), min(rows, columns), dtype=randomness.drawing_dtype(torch_dtype))
        q, r = torch.linalg.qr(normal.normal_(generator=randomness.generator(self.seed)))
        q = q * r.diagonal().sign()  # without it, the sign that QR happens to choose would not be uniform
        matrix: Tensor = (q.T if rows < columns else q) * self.gain
        return matrix.reshape(tuple(shape)).to(torch_dtype)


@registry.register("initializer")
class Identity(Initializer):
    """Fill with the identity matrix, padded with zeros where the matrix is not square.

    Args:
        gain: A factor.

    Shape:
        Two axes.

    Raises:
        ValueError: When called with a shape of other than two axes.

    Example:
        >>> Identity(2.0)((2, 3))
        tensor([[2., 0., 0.],
                [0., 2., 0.]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = _number(self, "gain", gain)

    def __call__(self, shape: Sequence[int], dtype: DType = None) -> Tensor:
        """Return a matrix of this shape."""
        if len(shape) != 2:
            raise argument_error("Identity", "shape", "of two axes", tuple(shape))
        eye: Tensor = torch.eye(int(shape[0]), int(shape[1]), dtype=_float_dtype(self, dtype))
        return eye * self.gain


# The lower-case names of Keras, which are called like functions.
zeros = zero = Zeros
ones = one = Ones
constant = Constant
random_uniform = uniform = RandomUniform
random_normal = normal = RandomNormal
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
orthogonal = Orthogonal
identity = Identity


def get(identifier: Any) -> Any:
    """Return the initializer that a name, a configuration, a class or a callable stands for; `None` is `None`.

    Args:
        identifier: Such as `'he_normal'`, `Orthogonal(gain=2)` or `lambda shape, dtype=None: …`.

    Raises:
        ValueError: An unknown name.

    Example:
        >>> type(get('uniform')).__name__
        'RandomUniform'
    """
    return registry.get("initializer", identifier)


def serialize(initializer: Any, use_legacy_format: bool = False) -> Any:
    """Return the configuration that `get` turns back into `initializer`.

    Args:
        initializer: An initializer.
        use_legacy_format: Accepted for Keras's sake: the short form is written, which every Keras reads.

    Example:
        >>> serialize(Zeros())
        {'class_name': 'Zeros', 'config': {}}
    """
    return registry.serialize("initializer", initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """Return the initializer that a configuration or name stands for.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes and functions of your own, by name.
        use_legacy_format: Accepted for Keras's sake: both formats are read.

    Example:
        >>> deserialize({'class_name': 'Constant', 'config': {'value': 2}}).value
        2
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)
