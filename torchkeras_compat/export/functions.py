"""Functions of tensors in a graph, TensorFlow's and those of the backend, as expressions of torch.

A form is a function that reads the arguments of a call and returns the text; a call has none where it raises `NoForm`.
TensorFlow's functions and those of K that do the same share a form: an argument is asked for by each name that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import settings
from .emission import Value, text
from .function_calls import SIZES, Call, Form, NoForm, X, axis_of
from .picture_functions import PICTURES
from .writers.activations import FORMS

# --- forms -----------------------------------------------------------------------------------------------------------


def _method(method: str) -> Form:
    return lambda call: f"{call.place(*X)}.{method}()"


def _written(expression: str) -> Form:
    """Return the form of a function of two tensors, of which `first` and `second` stand in the expression."""

    def form(call: Call) -> str:
        first, second = call.place("x", "condition"), call.place("y", "a")
        return expression.replace("first", first).replace("second", second)

    return form


def _activation(name: str) -> Form:
    return lambda call: FORMS[name].function.replace("{0}", call.place(*X)).replace("{dim}", str(axis_of(call)))


def _reduction(method: str, several: bool = True, options: str = "") -> Form:
    def form(call: Call) -> str:
        x, keep = call.place(*X), call.plain("keepdims", "keep_dims", default=False)
        axis = call.plain("axis", "axes", "reduction_indices")
        if axis is None:  # over the samples too
            raise NoForm
        axis = tuple(axis) if isinstance(axis, (list, tuple)) else axis
        if isinstance(axis, tuple) and not several:
            if len(axis) != 1:
                raise NoForm
            axis = axis[0]
        return f"{x}.{method}(dim={text(axis)}{options}{', keepdim=True' if keep else ''})"

    return form


def _bound(function: str, side: str) -> Form:
    def form(call: Call) -> str:
        items = [call.given("x"), call.given("y")]
        numbers = [item for item in items if isinstance(item, (int, float))]
        first, second = map(call.written, items)
        if not numbers:
            return f"torch.{function}({first}, {second})"
        return f"{second if items[0] is numbers[0] else first}.clamp({side}={text(numbers[0])})"

    return form


def _extreme(method: str) -> Form:
    return lambda call: f"{call.place(*X)}.{method}(dim={axis_of(call, 0)})"


def _cast(call: Call) -> str:
    x, kind = call.value(*X), settings.torch_dtype(call.plain("dtype"))
    place = call.place("x")
    return f"{place}.to({kind})" if x.rank else f"torch.as_tensor({place}, dtype={kind})"


def _like(function: str) -> Form:
    def form(call: Call) -> str:
        kind = call.plain("dtype")
        return f"torch.{function}({call.place(*X)}{'' if kind is None else f', dtype={settings.torch_dtype(kind)}'})"

    return form


def _reshape(call: Call) -> str:
    return f"{call.place(*X)}.reshape({call.size('shape')})"


def _permute(call: Call) -> str:
    x = call.value(*X)
    order = call.plain("perm", "pattern", default=list(range(x.rank))[::-1])
    return f"{call.place(*X)}.permute({text(tuple(order))})"


def _joined(function: str) -> Form:
    def form(call: Call) -> str:
        items = call.given("values", "tensors", "x")
        if isinstance(items, (list, tuple)) and any(call.are_sizes(item) or call.is_size(item) for item in items):
            call.given("axis")
            return _joined_sizes(call, items)
        default = -1 if call.has("tensors") else 0
        items = ", ".join(call.places("values", "tensors", "x"))
        return f"torch.{function}([{items}], dim={axis_of(call, default)})"

    return form


def _joined_sizes(call: Call, items: Sequence[Any]) -> str:
    """Return a tuple of sizes: those of a tensor, of several, and numbers."""
    written = []
    for item in items:
        if call.are_sizes(item):
            written.append(f"*{call.written(item)}")
        elif call.is_size(item):
            written.append(call.written(item))
        elif isinstance(item, Value):
            raise NoForm
        else:
            written += [str(int(number)) for number in np.ravel(np.asarray(item))]
    return f"({', '.join(written)}{SIZES}"


def _squeeze(call: Call) -> str:
    return f"{call.place(*X)}.squeeze({axis_of(call)})"


def _clip(call: Call) -> str:
    x = call.place(*X)
    least, most = call.plain("clip_value_min", "min_value"), call.plain("clip_value_max", "max_value")
    return f"{x}.clamp({text(least)}, {text(most)})"


def _relu(call: Call) -> str:
    x, alpha = call.place(*X), call.plain("alpha", default=0.0)
    most, threshold = call.plain("max_value"), call.plain("threshold", default=0.0)
    if threshold or (alpha and most is not None):
        raise NoForm
    if most is not None:
        return f"{x}.clamp(0.0, {text(float(most))})"
    return f"F.leaky_relu({x}, {text(float(alpha))})" if alpha else f"F.relu({x})"


def _l2_normalize(call: Call) -> str:
    x, axis, least = call.place("x"), call.plain("axis", "dim"), call.plain("epsilon", default=1e-12)
    if axis is None:
        raise NoForm
    dim = text(tuple(axis) if isinstance(axis, (list, tuple)) else axis)
    return f"{x} * {x}.square().sum(dim={dim}, keepdim=True).clamp(min={text(least)}).rsqrt()"


def _norm(call: Call) -> str:
    x, order = call.place(*X), call.plain("ord", default="euclidean")
    keep, dim = call.plain("keepdims", default=False), axis_of(call)
    order = 2 if order == "euclidean" else order
    return f"torch.linalg.vector_norm({x}, ord={text(order)}, dim={dim}{', keepdim=True' if keep else ''})"


def _matmul(call: Call) -> str:
    turned = [call.plain(f"transpose_{side}", default=False) for side in "ab"]
    first, second = (f"{call.place(side)}{'.mT' if turn else ''}" for side, turn in zip("ab", turned))
    return f"{first} @ {second}"


def _dot(call: Call) -> str:
    other = call.given("y")
    if len(getattr(other, "shape", ())) != 2:
        raise NoForm
    return f"{call.place('x')} @ {call.place('y')}"


def _batch_dot(call: Call) -> str:
    if call.value("x").rank != 3 or call.value("y").rank != 3:
        raise NoForm
    axes = call.plain("axes", default=(2, 1))
    one, other = (n % 3 for n in ((axes, axes) if isinstance(axes, int) else axes))
    if 0 in (one, other):
        raise NoForm
    return f"{call.place('x')}{'' if one == 2 else '.mT'} @ {call.place('y')}{'' if other == 1 else '.mT'}"


def _einsum(call: Call) -> str:
    return f"torch.einsum({text(call.plain('equation'))}, {', '.join(call.places('operands', 'inputs'))})"


def _pad(call: Call) -> str:
    mode, paddings = str(call.plain("mode", default="CONSTANT")).upper(), call.plain("paddings")
    filler = call.plain("constant_values", default=0)
    if mode != "CONSTANT":
        pairs = text(tuple(tuple(pair) for pair in paddings))
        return f"pad_mirrored({call.place(*X)}, {pairs}, edge={mode == 'SYMMETRIC'})"
    return f"F.pad({call.place(*X)}, {text(tuple(n for pair in reversed(paddings) for n in pair))}, value={filler})"


def _tile(call: Call) -> str:
    return f"{call.place(*X)}.tile({text(tuple(call.plain('multiples', 'n')))})"


def _repeat(call: Call) -> str:
    count = call.plain("repeats", "rep")
    if not isinstance(count, int) or not call.has("axis"):
        raise NoForm
    return f"{call.place(*X)}.repeat_interleave({count}, dim={axis_of(call)})"


def _where(call: Call) -> str:
    condition = call.place("condition")
    return f"torch.where({condition}, {call.place('x', 'then')}, {call.place('y', 'other')})"


def _gather(call: Call) -> str:
    x, indices, along = call.value(*X), call.given("indices"), call.plain("batch_dims", default=0)
    axis = axis_of(call, along) % x.rank
    if along:
        if (along, axis) != (1, 1) or not isinstance(indices, Value) or indices.rank != 2:
            raise NoForm
        place = call.place(*X)
        samples = f"torch.arange({place}.shape[0], device={place}.device).unsqueeze(1)"
        return f"{place}[{samples}, {call.written(indices)}.long()]"
    places = [":"] * axis
    if isinstance(indices, Value):
        written = f"{call.written(indices)}.long()"
    else:
        written = str(np.asarray(indices).tolist())
    return f"{call.place(*X)}[{', '.join([*places, written])}]"


def _gather_nd(call: Call) -> str:
    if call.plain("batch_dims", default=0):
        raise NoForm
    return f"{call.place(*X)}[{call.place('indices')}.long().unbind(-1)]"


def _filled(call: Call, sizes: str, value: str, default: str | None = None) -> str:
    """Return a new tensor of one value, whose size may be known only when it runs."""
    number = call.plain("value", default=0.0)
    dtype = call.plain("dtype", default=default or ("int32" if isinstance(number, int) else "float32"))
    kind = settings.torch_dtype(dtype)
    if isinstance(call.given(sizes), Value) and call.is_size(call.given(sizes)):
        size = f"({call.written(call.given(sizes))},)"
    else:
        size = call.size(sizes)
    return f"torch.full({size}, {value}, dtype={kind}, device={call.device()})"


def _range(call: Call) -> str:
    ends = [call.given("start"), call.given("limit"), call.given("delta", default=1)]
    whole = all(isinstance(end, int) or call.is_size(end) for end in ends if end is not None)
    kind = settings.torch_dtype(call.plain("dtype", default="int32" if whole else "float32"))
    numbers = ", ".join(call.written(end) for end in ends if end is not None and not (end == 1 and end is ends[2]))
    return f"torch.arange({numbers}, dtype={kind}, device={call.device()})"


def _one_hot(call: Call) -> str:
    if call.plain("on_value", default=1.0) != 1.0 or call.plain("off_value", default=0.0) or axis_of(call) != -1:
        raise NoForm
    kind = settings.torch_dtype(call.plain("dtype", default="float32"))
    return f"F.one_hot({call.place('indices')}.long(), {call.plain('depth', 'num_classes')}).to({kind})"


def _cumsum(call: Call) -> str:
    x, axis = call.place("x"), axis_of(call, 0)
    if call.plain("exclusive", default=False):
        raise NoForm
    turn = f".flip({axis})" if call.plain("reverse", default=False) else ""
    return f"{x}{turn}.cumsum({axis}){turn}"


def _reverse(call: Call) -> str:
    axes = call.plain("axis", "axes")
    return f"{call.place(*X)}.flip({text(tuple(axes) if isinstance(axes, (list, tuple)) else (axes,))})"


def _roll(call: Call) -> str:
    return f"{call.place(*X)}.roll({text(call.plain('shift'))}, {text(call.plain('axis'))})"


def _sort(call: Call) -> str:
    down = call.plain("direction", default="ASCENDING") != "ASCENDING"
    return f"{call.place(*X)}.sort(dim={axis_of(call)}, descending={down}).values"


def _no_nan(call: Call) -> str:
    first, second = call.place("x"), call.place("y")
    safe = f"torch.where({second} == 0, torch.ones_like({second}), {second})"
    return f"torch.where({second} == 0, torch.zeros_like({first}), {first} / {safe})"


def _split(call: Call) -> str:
    sizes, axis = call.plain("num_or_size_splits"), axis_of(call, 0)
    length = call.value(*X).shape[axis]
    if length is None:
        raise NoForm
    return f"{call.place(*X)}.split({text(length // sizes if isinstance(sizes, int) else tuple(sizes))}, dim={axis})"


def _slice(call: Call) -> str:
    begin, size = call.plain("begin"), call.plain("size")
    ends = (f"{b or ''}:{'' if n == -1 else b + n}" for b, n in zip(begin, size))
    return f"{call.place(*X)}[{', '.join(ends)}]"


def _moments(call: Call) -> str:
    mean, spread = _reduction("mean")(call), _reduction("var", options=", correction=0")(call)
    return f"({mean}, {spread})"


def _index(call: Call) -> str:
    """Take a part of a tensor by numbers and slices; a slice may run backwards over a whole axis."""
    key, x = call.plain("key", "y"), call.value("x")
    keys = key if isinstance(key, tuple) else (key,)
    if Ellipsis in keys and slice(None, None, -1) in keys and None not in keys:
        i = keys.index(Ellipsis)
        keys = (*keys[:i], *[slice(None)] * (x.rank + 1 - len(keys)), *keys[i + 1 :])
    turned = [i for i, one in enumerate(keys) if one == slice(None, None, -1)]
    if turned and any(not isinstance(one, slice) for one in keys[: turned[-1]]):
        raise NoForm
    parts = [_part(slice(None) if i in turned else one) for i, one in enumerate(keys)]
    place = call.place("x") + (f".flip({text(tuple(turned))})" if turned else "")
    return place if turned and set(parts) == {":"} else f"{place}[{', '.join(parts)}]"


# --- matrices, losses and chance ------------------------------------------------------------------------------------


def _of_matrix(expression: str) -> Form:
    """Return the form of a function of matrices, which stands for `x` in the expression."""

    def form(call: Call) -> str:
        if call.given("k", default=0) or call.given("adjoint", default=False):
            raise NoForm
        call.given("num_rows", "num_cols")
        if call.given("padding_value", default=0) or any(
            call.given(n, default=-1) != -1 for n in ("num_rows", "num_cols")
        ):
            raise NoForm
        return expression.replace("x", call.place(*X, "diagonal"))

    return form


def _solved(call: Call) -> str:
    if call.plain("adjoint", default=False):
        raise NoForm
    return f"torch.linalg.solve({call.place('matrix')}, {call.place('rhs')})"


def _matvec(call: Call) -> str:
    first = call.place("a") + (".mT" if call.plain("transpose_a", default=False) else "")
    return f"({first} @ {call.place('b')}.unsqueeze(-1)).squeeze(-1)"


def _tensordot(call: Call) -> str:
    axes = call.plain("axes")
    dims = axes if isinstance(axes, int) else [[one] if isinstance(one, int) else list(one) for one in axes]
    return f"torch.tensordot({call.place('a')}, {call.place('b')}, dims={dims})"


def _clip_by_norm(call: Call) -> str:
    x, most, axes = call.place("x"), text(call.plain("clip_norm")), call.plain("axes")
    if axes is None:  # over the samples too
        raise NoForm
    dims = tuple(axes) if isinstance(axes, (list, tuple)) else axes
    norm = f"torch.linalg.vector_norm({x}, dim={text(dims)}, keepdim=True)"
    return f"{x} * {most} / {norm}.clamp(min={most})"


def _cross_entropy(expression: str) -> Form:
    """Return the form of a loss of labels and logits."""

    def form(call: Call) -> str:
        if call.plain("axis", default=-1) != -1:
            raise NoForm
        return expression.replace("LABELS", call.place("labels")).replace("LOGITS", call.place("x", "logits"))

    return form


def _normalized(call: Call) -> str:
    mean, variance = call.place("mean"), call.place("variance")
    scale = f" * {call.place('scale')}" if call.has("scale") else ""
    offset = f" + {call.place('offset')}" if call.has("offset") else ""
    x, epsilon = call.place("x"), text(call.plain("variance_epsilon"))
    return f"({x} - {mean}) / ({variance} + {epsilon}) ** 0.5{scale}{offset}"


def _random(function: str) -> Form:
    """Return the form of numbers by chance, of an even spread or around a mean."""

    def form(call: Call) -> str:
        if call.given("seed") is not None:
            raise NoForm
        kind = settings.torch_dtype(call.plain("dtype", default=settings.floatx()))
        drawn = f"torch.{function}({call.size('shape')}, device={call.device()}, dtype={kind})"
        low, high = (
            (call.plain("mean", default=0.0), call.plain("stddev", default=1.0))
            if function == "randn"
            else (call.plain("minval", default=0.0), call.plain("maxval", default=1.0))
        )
        wide = high if function == "randn" else high - low
        drawn = drawn if wide == 1 else f"{drawn} * {text(float(wide))}"
        return drawn if low == 0 else f"{drawn} + {text(float(low))}"

    return form


def _part(key: Any) -> str:
    if key is None or key is Ellipsis:
        return "None" if key is None else "..."
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    if isinstance(key, slice) and all(n is None or isinstance(n, int) for n in (key.start, key.stop, key.step)):
        start, stop = ("" if n is None else str(n) for n in (key.start, key.stop))
        if key.step is None or key.step > 0:
            return f"{start}:{stop}" if key.step in (None, 1) else f"{start}:{stop}:{key.step}"
    raise NoForm


_METHODS = (
    "square sqrt abs exp log tanh sigmoid sign round sin cos tan asin acos atan sinh cosh asinh acosh atanh rsqrt "
    "log1p expm1 erf floor ceil reciprocal lgamma digamma"
)
_OTHER_METHODS = {
    "negative": "neg", "is_nan": "isnan", "is_inf": "isinf", "is_finite": "isfinite", "stop_gradient": "detach",
    "logical_not": "logical_not", "batch_flatten": "flatten",
}  # fmt: skip
_BINARY = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "truediv": "/", "floordiv": "//", "floormod": "%",
    "pow": "**", "equal": "==", "not_equal": "!=", "greater": ">", "greater_equal": ">=", "less": "<",
    "less_equal": "<=", "logical_and": "&", "logical_or": "|", "logical_xor": "^",
}  # fmt: skip
_OPERATORS = {"sub": "subtract", "mul": "multiply", "mod": "floormod"}
_COMPARISONS = {
    "eq": "equal", "ne": "not_equal", "gt": "greater", "ge": "greater_equal", "lt": "less", "le": "less_equal",
    "and": "logical_and", "or": "logical_or", "xor": "logical_xor",
}  # fmt: skip

# The last part of a function's name → its form.
SHORT: dict[str, Form] = {
    **{name: _method(name) for name in _METHODS.split()},
    **{name: _method(method) for name, method in _OTHER_METHODS.items()},
    **{name: _written(f"first {sign} second") for name, sign in _BINARY.items()},
    **{name: _activation(name) for name in ("selu", "swish", "softplus", "softsign", "softmax", "hard_sigmoid")},
    "batch_flatten": lambda call: f"{call.place('x')}.flatten(1)",
    "flatten": lambda call: f"{call.place('x')}.reshape(-1)",
    "identity": lambda call: call.place(*X),
    "ensure_shape": lambda call: (call.given("shape"), call.place("x"))[1],
    "shape": lambda call: (call.given("out_type"), f"{call.place(*X)}.shape")[1],
    "relu": _relu,
    "relu6": lambda call: f"F.relu6({call.place(*X)})",
    "leaky_relu": lambda call: f"F.leaky_relu({call.place(*X)}, {text(float(call.plain('alpha', default=0.2)))})",
    "elu": lambda call: f"F.elu({call.place(*X)}, {text(float(call.plain('alpha', default=1.0)))})",
    "gelu": lambda call: f"F.gelu({call.place(*X)}"
    + (', approximate="tanh")' if call.plain("approximate", default=False) else ")"),
    "log_softmax": lambda call: f"F.log_softmax({call.place(*X)}, dim={axis_of(call)})",
    "squared_difference": _written("(first - second).square()"),
    "atan2": lambda call: f"torch.atan2({call.place('y')}, {call.place('x')})",
    "divide_no_nan": _no_nan,
    "maximum": _bound("maximum", "min"),
    "minimum": _bound("minimum", "max"),
    "accumulate_n": lambda call: " + ".join(call.places("inputs")),
    **{
        f"{prefix}{name}": _reduction(method)
        for prefix in ("", "reduce_")
        for name, method in {"mean": "mean", "sum": "sum", "max": "amax", "min": "amin", "logsumexp": "logsumexp",
                             "any": "any", "all": "all"}.items()
    },
    **dict.fromkeys(("prod", "reduce_prod"), _reduction("prod", several=False)),
    **dict.fromkeys(("std", "reduce_std"), _reduction("std", options=", correction=0")),
    **dict.fromkeys(("var", "reduce_variance"), _reduction("var", options=", correction=0")),
    "argmax": _extreme("argmax"),
    "argmin": _extreme("argmin"),
    "cumprod": lambda call: f"{call.place(*X)}.cumprod({axis_of(call, 0)})",
    "slice": _slice,
    "temporal_padding": lambda call: f"F.pad({call.place(*X)}, {text((0, 0, *call.plain('padding')))})",
    "cast": _cast,
    "zeros_like": _like("zeros_like"),
    "ones_like": _like("ones_like"),
    "reshape": _reshape,
    "transpose": _permute,
    "permute_dimensions": _permute,
    "concat": _joined("cat"),
    "concatenate": _joined("cat"),
    "stack": _joined("stack"),
    "expand_dims": lambda call: f"{call.place(*X)}.unsqueeze({axis_of(call)})",
    "squeeze": _squeeze,
    "clip_by_value": _clip,
    "clip": _clip,
    "l2_normalize": _l2_normalize,
    "norm": _norm,
    "matmul": _matmul,
    "dot": _dot,
    "batch_dot": _batch_dot,
    "einsum": _einsum,
    "pad": _pad,
    "tile": _tile,
    "repeat": _repeat,
    "repeat_elements": _repeat,
    "where": _where,
    "_where": _where,
    "gather": _gather,
    "gather_nd": _gather_nd,
    "range": _range,
    "zeros": lambda call: _filled(call, "shape", "0", "float32"),
    "ones": lambda call: _filled(call, "shape", "1", "float32"),
    "fill": lambda call: _filled(call, "dims", text(call.plain("value"))),
    "one_hot": _one_hot,
    "cumsum": _cumsum,
    "reverse": _reverse,
    "roll": _roll,
    "sort": _sort,
    "split": _split,
    "unstack": lambda call: f"{call.place(*X)}.unbind({axis_of(call, 0)})",
    "top_k": lambda call: f"{call.place(*X)}.topk({call.plain('k', default=1)})",
    "moments": _moments,
    "reduce_euclidean_norm": _reduction("norm"),
    "log_sigmoid": lambda call: f"F.logsigmoid({call.place(*X)})",
    "xlogy": _written("torch.xlogy(first, second)"),
    "broadcast_to": lambda call: f"{call.place(*X)}.expand({call.size('shape')})",
    "matrix_inverse": _of_matrix("torch.linalg.inv(x)"),
    "matrix_determinant": _of_matrix("torch.linalg.det(x)"),
    "solve": _solved,
    "cholesky": _of_matrix("torch.linalg.cholesky(x)"),
    "trace": _of_matrix("x.diagonal(dim1=-2, dim2=-1).sum(-1)"),
    "diag_part": _of_matrix("x.diagonal(dim1=-2, dim2=-1)"),
    "diag": _of_matrix("torch.diag_embed(x)"),
    "matvec": _matvec,
    "tensordot": _tensordot,
    "clip_by_norm": _clip_by_norm,
    "crelu": lambda call: f"F.relu(torch.cat([{call.place(*X)}, -{call.place(*X)}], dim={axis_of(call)}))",
    "bias_add": lambda call: (call.plain("data_format"), f"{call.place(*X)} + {call.place('bias')}")[1],
    "batch_normalization": _normalized,
    "softmax_cross_entropy_with_logits_v2": _cross_entropy("-(LABELS * F.log_softmax(LOGITS, dim=-1)).sum(-1)"),
    "sigmoid_cross_entropy_with_logits": _cross_entropy(
        'F.binary_cross_entropy_with_logits(LOGITS, LABELS, reduction="none")'
    ),
    "sparse_softmax_cross_entropy_with_logits": _cross_entropy(
        'F.cross_entropy(LOGITS.movedim(-1, 1), LABELS.long(), reduction="none")'
    ),
    **PICTURES,
}  # fmt: skip

# Whole names of those whose last part means something else.
WHOLE: dict[str, Form] = {
    **{f"__{name}__": SHORT[_OPERATORS.get(name, name)] for name in "add sub mul truediv floordiv mod pow".split()},
    **{f"__{name}__": SHORT[word] for name, word in _COMPARISONS.items()},
    **{
        f"__r{name}__": _written(f"second {_BINARY[_OPERATORS.get(name, name)]} first")
        for name in "add sub mul truediv floordiv mod pow".split()
    },
    "__matmul__": _written("first @ second"),
    "__rmatmul__": _written("second @ first"),
    "__neg__": lambda call: f"-{call.place('x')}",
    "__abs__": _method("abs"),
    "__invert__": _method("logical_not"),
    "__getitem__": _index,
    "backend.random.random_normal": _random("randn"),
    "backend.random.random_uniform": _random("rand"),
    "backend.convolution.resize_images": PICTURES["resize_images"],
    "backend.shaping.repeat": lambda call: f"{call.place('x')}.unsqueeze(1).repeat(1, {call.plain('n')}, 1)",
}

_ROOMS = {"", "math", "nn", "linalg", "image", "activations", "backend.math", "backend.shaping", "backend.control",
          "backend.variables"}  # fmt: skip


def form_of(name: str) -> Form | None:
    """Return the form of a function of tensors; `None` where it has none.

    Args:
        name: Its name in graphs.
    """
    room, _, short = name.rpartition(".")
    return WHOLE.get(name) or (SHORT.get(short) if room in _ROOMS else None)
