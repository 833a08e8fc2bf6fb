"""The names beside `tensorflow.keras` that need no graph; for those that are not here, what to write."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import backend as K
from .. import initializers
from .._core import randomness, settings
from .._core.dtype_names import DtypeName
from .._core.errors import argument_error
from .._core.strings import StringTensor, StringType, is_string_type
from .._core.symbolic import is_symbolic
from .._core.tensor_shape import TensorShape, TensorSpec
from .._core.user_tensors import hand_out
from ..utils.dataset_iterator import disable_eager_execution, enable_eager_execution
from . import (  # noqa: F401 - some enter their functions and are not asked by name
    tensorflow_boxes,
    tensorflow_functions,
    tensorflow_image,
    tensorflow_indexing,
    tensorflow_linalg,
    tensorflow_math,
    tensorflow_neural,
    tensorflow_pictures_by_seed,
    tensorflow_resizing,
)
from .names import VERSIONS
from .tensorflow_arrays import TensorArray
from .tensorflow_audio import AUDIO
from .tensorflow_calls import FUNCTIONS, of_sizes, sizes, tensor
from .tensorflow_checks import CHECKS, ERRORS, NEST, print_, print_of_version_1
from .tensorflow_control import CONTROL
from .tensorflow_data import DATA, EXPERIMENTAL, OF_VERSION_1
from .tensorflow_devices import DEVICES, device
from .tensorflow_distribute import DISTRIBUTE, DISTRIBUTE_EXPERIMENTAL, RESOLVERS
from .tensorflow_files import FILES, PICTURES
from .tensorflow_gfile import GFILE, GFILE_OF_VERSION_1
from .tensorflow_lookup import LOOKUP
from .tensorflow_module import Module
from .tensorflow_optimizers import OPTIMIZERS
from .tensorflow_protos import PROTOS
from .tensorflow_ragged import RAGGED
from .tensorflow_random import RANDOM as DISTRIBUTIONS
from .tensorflow_records import EXAMPLES, RECORDS
from .tensorflow_sequences import SEQUENCE_EXAMPLES, SEQUENCES
from .tensorflow_sessions import SESSIONS, local_devices
from .tensorflow_sparse import SPARSE
from .tensorflow_strings import STRINGS
from .tensorflow_summary import SUMMARY
from .tensorflow_tape import GradientTape, IndexedSlices
from .tensorflow_train import TRAIN

Shape = Sequence[Any]


# --- tensors that are made ---------------------------------------------------------------------------------------


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """Return a tensor of a fixed value.

    Args:
        value: A number, list, array or tensor.
        dtype: Its type.
        shape: Its shape; one number fills it.
        name: Accepted.
    """
    made = tensor(value, dtype)
    if shape is None or not isinstance(made, Tensor):
        return made
    return made.expand(sizes(shape)).clone() if made.numel() == 1 else made.reshape(sizes(shape))


def convert_to_tensor(value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """Return a value as a tensor.

    Args:
        value: A number, list, array or tensor.
        dtype: Its type.
        dtype_hint: Accepted.
        name: Accepted.
    """
    return tensor(value, dtype)


def variable(
    initial_value: Any = None,
    trainable: bool | None = None,
    validate_shape: bool = True,
    caching_device: Any = None,
    name: str | None = None,
    variable_def: Any = None,
    dtype: Any = None,
    import_scope: Any = None,
    constraint: Any = None,
    **kwargs: Any,
) -> Any:
    """Return a variable of the backend.

    Args:
        initial_value: Its value, or a function that returns it.
        trainable: Whether gradients reach it; `True` for floats if `None`.
        validate_shape: Accepted.
        caching_device: Accepted.
        name: Its name.
        variable_def: Refused.
        dtype: Its type.
        import_scope: Accepted.
        constraint: Kept on the variable for the layer that trains it.
        kwargs: Accepted: `synchronization`, `aggregation`, `shape`.
    """
    if variable_def is not None or initial_value is None:
        raise argument_error("tf.Variable", "initial_value", "a value", initial_value)
    value = tensor(initial_value() if callable(initial_value) else initial_value, dtype)
    made = K.variable(value, dtype=settings.dtype_name(value.dtype), name=name, constraint=constraint)
    if trainable is False:
        made._weight.trainable = False
        made.requires_grad_(False)
    return made


def _filled(path: str, value: float) -> Callable[..., Tensor]:
    def fill(shape: Any, dtype: Any = "float32", name: str | None = None, layout: Any = None) -> Tensor:
        if is_string_type(dtype) and not value:
            return StringTensor.of(np.full(sizes(shape), "", dtype=object))
        return torch.full(sizes(shape), value, dtype=settings.torch_dtype(dtype), device=settings.default_device())

    return of_sizes(path, fill)


def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """Return a tensor of one value."""
    return constant(value, shape=dims)  # type: ignore[no-any-return]


def eye(
    num_rows: int, num_columns: int | None = None, batch_shape: Any = None, dtype: Any = "float32", name: Any = None
) -> Tensor:
    """Return a matrix with 1 on the diagonal."""
    made = torch.eye(num_rows, num_columns or num_rows, dtype=settings.torch_dtype(dtype), device=_device())
    return made if batch_shape is None else made.expand(*sizes(batch_shape), *made.shape).clone()


def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return numbers one step apart."""
    first, last = (0, start) if limit is None else (start, limit)
    first, last, delta = (v.item() if isinstance(v, (Tensor, np.generic)) else v for v in (first, last, delta))
    whole = all(isinstance(v, int) for v in (first, last, delta))
    kind = settings.torch_dtype(dtype if dtype is not None else "int32" if whole else "float32")
    return torch.arange(first, last, delta, dtype=kind, device=_device())


def linspace(start: Any, stop: Any, num: int, name: str | None = None, axis: int = 0) -> Tensor:
    """Return numbers evenly apart."""
    return torch.linspace(float(start), float(stop), int(num), device=_device())


def _device() -> torch.device:
    return settings.default_device()


# --- random numbers ----------------------------------------------------------------------------------------------


def set_seed(seed: int) -> None:
    """Seed the random numbers of tensors, as `torch.manual_seed` does.

    Args:
        seed: The seed.
    """
    torch.manual_seed(int(seed))
    randomness.set_graph_seed(int(seed))


def _known_sizes(shape: Any) -> Any:
    """Return a shape as integers; a symbolic one as it is, which functions of the backend take."""
    return shape if is_symbolic(shape) else sizes(shape)


def _drawing(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def drawn(
        shape: Any,
        mean: float = 0.0,
        stddev: float = 1.0,
        dtype: Any = "float32",
        seed: int | None = None,
        name: Any = None,
    ) -> Tensor:
        return draw(_known_sizes(shape), mean, stddev, settings.dtype_name(settings.torch_dtype(dtype)), seed)

    return drawn


_normal = _drawing(K.random_normal)
_truncated = _drawing(K.truncated_normal)


def _uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: int | None = None, name: Any = None
) -> Tensor:
    kind = settings.torch_dtype(dtype)
    if kind.is_floating_point:
        high = 1 if maxval is None else maxval
        return K.random_uniform(_known_sizes(shape), minval, high, settings.dtype_name(kind), seed)
    if maxval is None:
        raise argument_error("tf.random.uniform", "maxval", "a number where dtype is an integer", maxval)
    drawn = K.random_uniform(_known_sizes(shape), 0, 1, "float64", seed)
    return (drawn * (int(maxval) - int(minval))).floor().to(kind) + int(minval)


def _shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    x = tensor(value)
    order = torch.argsort(K.random_uniform((len(x),), 0, 1, "float64", seed))
    return x[order.to(x.device)]  # type: ignore[no-any-return]


# --- what decides how things run -----------------------------------------------------------------------------------


def function(func: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Return the function as it is: everything runs eagerly.

    Args:
        func: The function; `None` where arguments are given to the decorator.
        args: Accepted.
        kwargs: Accepted: `input_signature`, `jit_compile` and so on.
    """
    return func if callable(func) else lambda wrapped: wrapped


def _nothing(*args: Any, **kwargs: Any) -> None:
    """Accept a setting that has no meaning here: everything runs eagerly, and memory is taken as it is needed."""


def _same(value: Any) -> Callable[..., Any]:
    def answer(*args: Any, **kwargs: Any) -> Any:
        return value

    return answer


def get_logger() -> logging.Logger:
    """Return the logger named `tensorflow`, which nothing here writes to."""
    return logging.getLogger("tensorflow")


def set_verbosity(level: Any) -> None:
    """Set the level of the logger named `tensorflow`.

    Args:
        level: A number or a name.
    """
    get_logger().setLevel(level)


def as_dtype(type_value: Any) -> Any:
    """Return a type with TensorFlow's attributes, equal to torch's: its `name`, its largest number.

    Args:
        type_value: A type of torch or numpy, or a name.

    Example:
        >>> as_dtype(torch.float16).name, as_dtype('int64').as_numpy_dtype, as_dtype(torch.int8) == torch.int8
        ('float16', <class 'numpy.int64'>, True)
    """
    if is_string_type(type_value):
        return StringType()
    return DtypeName(settings.dtype_name(settings.torch_dtype(type_value)))


DTYPES: dict[str, Any] = {
    name: getattr(torch, name)
    for name in "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 bool complex64 complex128".split()
}
DTYPES["string"] = StringType()
LOGGING: dict[str, Any] = {
    **{level: getattr(logging, level) for level in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")},
    "set_verbosity": set_verbosity,
    "get_verbosity": lambda: get_logger().level,
    **{method: getattr(logging.getLogger("tensorflow"), method) for method in ("debug", "info", "warning", "error")},
}
FUNCTIONS |= {"random.normal": _normal, "random.uniform": _uniform, "random.truncated_normal": _truncated}
RANDOM = {"set_seed": set_seed, "normal": _normal, "uniform": _uniform, "truncated_normal": _truncated}
RELEASE = {"VERSION": VERSIONS["tensorflow"], "GIT_VERSION": f"v{VERSIONS['tensorflow']}"}
ONE = {  # names in `tensorflow` itself
    **DTYPES,
    **RELEASE,
    "newaxis": None,
    "half": torch.float16,
    "double": torch.float64,
    "Tensor": Tensor,
    "DType": torch.dtype,
    "as_dtype": as_dtype,
    "TensorShape": TensorShape,
    "TensorSpec": TensorSpec,
    "IndexedSlices": IndexedSlices,
    "is_tensor": lambda x: isinstance(x, Tensor),
    "constant": constant,
    "convert_to_tensor": convert_to_tensor,
    "as_string": STRINGS["as_string"],
    **{name: RECORDS[name] for name in ("FixedLenFeature", "VarLenFeature", "parse_single_example", "parse_example")},
    **{name: FILES[name] for name in ("read_file", "write_file", "matching_files", "decode_raw", "decode_csv")},
    "Variable": variable,
    "zeros": _filled("zeros", 0.0),
    "ones": _filled("ones", 1.0),
    "fill": of_sizes("fill", fill),
    "eye": of_sizes("eye", eye),
    "range": of_sizes("range", range_),
    "linspace": linspace,
    "function": function,
    "GradientTape": GradientTape,
    "Module": Module,
    "SparseTensor": SPARSE["SparseTensor"],
    "RaggedTensor": RAGGED["RaggedTensor"],
    "UnconnectedGradients": SimpleNamespace(NONE="none", ZERO="zero"),
    "VariableSynchronization": SimpleNamespace(AUTO="auto", NONE="none", ON_WRITE="on_write", ON_READ="on_read"),
    "VariableAggregation": SimpleNamespace(
        NONE="none", SUM="sum", MEAN="mean", ONLY_FIRST_REPLICA="only_first_replica"
    ),
    "device": device,
    "print": print_,
    "Print": print_of_version_1,
    "AUTO_REUSE": None,
    "TensorArray": TensorArray,
    **CONTROL,
    **SESSIONS,
    **{name: check for name, check in CHECKS.items() if name.startswith(("assert_", "Assert"))},
    "no_op": _nothing,
    "executing_eagerly": _same(True),
    "get_logger": get_logger,
    "Summary": SUMMARY["Summary"],
    "random_normal": _normal,
    "random_uniform": _uniform,
    "truncated_normal": _truncated,
    "random_shuffle": _shuffle,
    "random_gamma": DISTRIBUTIONS["gamma"],
    "set_random_seed": set_seed,
}
INITIALIZERS = {
    "zeros_initializer": initializers.Zeros,
    "ones_initializer": initializers.Ones,
    "constant_initializer": initializers.Constant,
    "random_normal_initializer": initializers.RandomNormal,
    "random_uniform_initializer": initializers.RandomUniform,
    "truncated_normal_initializer": functools.partial(initializers.TruncatedNormal, stddev=1.0),
    "orthogonal_initializer": initializers.Orthogonal,
    "variance_scaling_initializer": initializers.VarianceScaling,
    "glorot_uniform_initializer": initializers.GlorotUniform,
    "glorot_normal_initializer": initializers.GlorotNormal,
}
V1 = dict.fromkeys(
    "disable_v2_tensorshape enable_v2_tensorshape disable_control_flow_v2 enable_resource_variables "
    "disable_resource_variables".split(),
    _nothing,
)
V1 |= dict.fromkeys(("enable_eager_execution", "enable_v2_behavior"), enable_eager_execution)
V1 |= dict.fromkeys(("disable_eager_execution", "disable_v2_behavior"), disable_eager_execution)
V1["reset_default_graph"] = K.clear_session

# Part of tensorflow → name → what it is; functions of tensors come from `tensorflow_functions`.
NAMES: dict[str, dict[str, Any]] = {
    "": {**ONE, **INITIALIZERS, **V1},
    "math": {},
    "nn": {},
    "image": {"ResizeMethod": tensorflow_resizing.ResizeMethod, **PICTURES},
    "io": {**FILES, **RECORDS, **PROTOS, **SEQUENCES},
    "audio": AUDIO,
    "python_io": {"TFRecordWriter": RECORDS["TFRecordWriter"]},
    "linalg": {"eye": eye},
    "signal": tensorflow_linalg.WINDOWS,
    "debugging": {**CHECKS, "is_numeric_tensor": lambda x: isinstance(x, Tensor) and not isinstance(x, StringTensor)},
    "errors": ERRORS,
    "nest": NEST,
    "random": {**RANDOM, **DISTRIBUTIONS, "shuffle": _shuffle},
    "dtypes": {**DTYPES, "DType": torch.dtype, "as_dtype": as_dtype, "cast": FUNCTIONS["cast"]},
    "data": DATA,
    "data.experimental": EXPERIMENTAL,
    "config": {**DEVICES, "run_functions_eagerly": _nothing, "experimental_run_functions_eagerly": _nothing},
    "config.experimental": DEVICES,
    "config.threading": {
        "set_intra_op_parallelism_threads": torch.set_num_threads,
        "get_intra_op_parallelism_threads": torch.get_num_threads,
    },
    "test": {
        "is_gpu_available": lambda *_, **__: torch.cuda.is_available(),
        "is_built_with_cuda": lambda: torch.version.cuda is not None,
        "gpu_device_name": lambda: "/device:GPU:0" if torch.cuda.is_available() else "",
    },
    "logging": LOGGING,
    "autograph": {"set_verbosity": _nothing},
    "autograph.experimental": {"do_not_convert": function},
    "strings": STRINGS,
    "train": {**TRAIN, **OPTIMIZERS, **EXAMPLES, **SEQUENCE_EXAMPLES},
    "summary": SUMMARY,
    "version": RELEASE,
    "ragged": RAGGED,
    "sparse": SPARSE,
    "lookup": LOOKUP,
    "io.gfile": GFILE,
    "gfile": GFILE_OF_VERSION_1,
    "distribute": DISTRIBUTE,
    "distribute.experimental": DISTRIBUTE_EXPERIMENTAL,
    "distribute.cluster_resolver": RESOLVERS,
    "compat": {},
}
for _path, _function in FUNCTIONS.items():
    _part, _, _name = _path.rpartition(".")
    NAMES[_part].setdefault(_name, _function)

# Modules of TensorFlow's sources that scripts import: module → name → what it is.
SOURCES: dict[str, dict[str, Any]] = {"python.client.device_lib": {"list_local_devices": local_devices}}
# What `tensorflow.compat.v1` has of its own: part → name → what it is.
VERSION_1: dict[str, dict[str, Any]] = {
    "": {"random_normal_initializer": functools.partial(initializers.RandomNormal, stddev=1.0)},
    "image": {"resize": tensorflow_resizing.resize_images},
    "nn": {"dropout": tensorflow_neural.dropout_of_version_1},
    "data": OF_VERSION_1,
}


__all__ = ["FUNCTIONS", "NAMES", "VERSION_1", "find"]


def find(part: str, name: str) -> Any:
    """Return what `tensorflow.part.name` is.

    Args:
        part: The part; `''` for tensorflow itself.
        name: The name.

    Raises:
        KeyError: It is not here.
    """
    of_version_1 = part.startswith("compat.v1")
    part = part.removeprefix("compat.v1").removeprefix("compat.v2").removeprefix(".")
    own = VERSION_1.get(part, {}) if of_version_1 else {}
    value = own[name] if name in own else (SOURCES.get(part) or NAMES[part])[name]
    return _handing_out(value) if isinstance(value, FunctionType) else value


@functools.cache  # two names of one function are one function
def _handing_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose tensors have TensorFlow's manners: numpy's functions take them, and `numpy()` reads."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return hand_out(function(*args, **kwargs))

    return call
