"""Every activation function, with each argument away from its default."""

from __future__ import annotations

from .common import Case, case

_PLAIN = "elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softmax softplus softsign swish tanh".split()

CASES: list[Case] = [case(name, function=name, kwargs={}, input="line") for name in _PLAIN if name != "softmax"]
CASES += [case(f"{name}_wide", function=name, kwargs={}, input="wide") for name in _PLAIN if name != "softmax"]
CASES += [
    case("elu_alpha", function="elu", kwargs={"alpha": 0.3}, input="line"),
    case("gelu_approximate", function="gelu", kwargs={"approximate": True}, input="line"),
    case("relu_alpha", function="relu", kwargs={"alpha": 0.2}, input="line"),
    case("relu_max_value", function="relu", kwargs={"max_value": 1.7}, input="line"),
    case("relu6", function="relu", kwargs={"max_value": 6.0}, input="wide"),
    case("relu_threshold", function="relu", kwargs={"threshold": 1.1}, input="line"),
    case("relu_alpha_threshold", function="relu", kwargs={"alpha": 0.2, "threshold": 1.1}, input="line"),
    case("relu_all", function="relu", kwargs={"alpha": 0.1, "max_value": 2.3, "threshold": 0.7}, input="line"),
    case(
        "relu_max_zero_slope", function="relu", kwargs={"alpha": 0.0, "max_value": 6.0, "threshold": 0.5}, input="line"
    ),
    case("softmax", function="softmax", kwargs={}, input="matrix"),
    case("softmax_cube", function="softmax", kwargs={}, input="cube"),
    case("softmax_axis1", function="softmax", kwargs={"axis": 1}, input="cube"),
    case("softmax_axis0", function="softmax", kwargs={"axis": 0}, input="matrix"),
    case("softmax_large", function="softmax", kwargs={}, input="matrix_large"),
]
