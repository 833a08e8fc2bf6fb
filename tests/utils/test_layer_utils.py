"""The table of `summary` against what Keras 2.15 printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from torchkeras_compat.utils.layer_utils import print_summary, readable_memory_size

LONG = "a_very_long_name_for_a_layer_which_wraps_over_the_column"


@dataclass
class Base:
    name: str
    output_shape: Any
    trainable_weights: list[torch.Tensor] = field(default_factory=list)
    non_trainable_weights: list[torch.Tensor] = field(default_factory=list)
    trainable: bool = True

    def count_params(self) -> int:
        return sum(w.numel() for w in self.trainable_weights + self.non_trainable_weights)


class Dense(Base):
    pass


class BatchNormalization(Base):
    pass


class Sequential(Base):
    layers: list[Any]


def dense(name: str, inputs: int, units: int) -> Dense:
    return Dense(name, (None, units), [torch.empty(inputs, units), torch.empty(units)])


def model(name: str, layers: list[Any]) -> Sequential:
    built = Sequential(name, layers[-1].output_shape)
    built.layers = layers
    built.trainable_weights = [w for layer in layers for w in layer.trainable_weights]
    built.non_trainable_weights = [w for layer in layers for w in layer.non_trainable_weights]
    return built


def wide() -> Sequential:
    norm = BatchNormalization("batch_normalization", (None, 5), [torch.empty(5)] * 0, [])
    norm.trainable_weights = [torch.empty(5), torch.empty(5)]
    norm.non_trainable_weights = [torch.empty(5), torch.empty(5)]
    return model("sequential", [dense("dense", 10, 5), norm, dense(LONG, 5, 1)])


def nested() -> Sequential:
    inner = model("inner", [dense("dense_1", 10, 4), dense("dense_2", 4, 3)])
    return model("sequential_1", [inner, dense("dense_3", 3, 1)])


def lines(built: Sequential, **options: Any) -> list[str]:
    out: list[str] = []
    print_summary(built, print_fn=out.append, **options)
    return out


WIDE = """\
Model: "sequential"
_________________________________________________________________
 Layer (type)                Output Shape              Param #
=================================================================
 dense (Dense)               (None, 5)                 55

 batch_normalization (Batch  (None, 5)                 20
 Normalization)

 a_very_long_name_for_a_lay  (None, 1)                 6
 er_which_wraps_over_the_co
 lumn (Dense)

=================================================================
Total params: 81 (324.00 Byte)
Trainable params: 71 (284.00 Byte)
Non-trainable params: 10 (40.00 Byte)
_________________________________________________________________"""

NESTED = f"""\
Model: "sequential_1"
____________________________________________________________________________
 Layer (type)                Output Shape              Param #   Trainable
============================================================================
 inner (Sequential)          (None, 3)                 59        Y
|{"¯" * 74}|
| dense_1 (Dense)            (None, 4)                 44        Y         |
|                                                                          |
| dense_2 (Dense)            (None, 3)                 15        Y         |
{"¯" * 76}
 dense_3 (Dense)             (None, 1)                 4         Y

============================================================================
Total params: 63 (252.00 Byte)
Trainable params: 63 (252.00 Byte)
Non-trainable params: 0 (0.00 Byte)
____________________________________________________________________________"""


@pytest.mark.parametrize(
    ("built", "options", "table", "width"),
    [(wide(), {}, WIDE, 65), (nested(), {"expand_nested": True, "show_trainable": True}, NESTED, 76)],
)
def test_tables_are_those_of_keras(built: Sequential, options: dict[str, Any], table: str, width: int) -> None:
    shown = lines(built, **options)
    assert [line.rstrip() for line in shown] == table.split("\n")
    # Keras fills the rows of the table up with blanks, which an editor would cut from the text above.
    assert {len(line) for line in shown[1:-4] + shown[-1:]} == {width}


def test_nested_models_stay_closed() -> None:
    shown = lines(nested())
    assert shown[4] == " inner (Sequential)          (None, 3)                 59        "
    assert shown[5] == " " * 65


def test_line_length_and_positions() -> None:
    shown = lines(wide(), line_length=100, positions=[0.4, 0.6, 1.0])
    assert shown[2] == " Layer (type)                           Output Shape        Param #" + " " * 33
    assert shown[6] == " batch_normalization (BatchNormalizati  (None, 5)           20" + " " * 38


def test_layer_range() -> None:
    shown = lines(nested(), layer_range=["inner", "inner"])
    assert [line.split()[0] for line in shown[4:6] if line.strip()] == ["inner"]
    with pytest.raises(ValueError, match="no layer has such a name; the layers are inner, dense_3"):
        lines(nested(), layer_range=["nothing", "inner"])
    with pytest.raises(ValueError, match="must be two names"):
        lines(nested(), layer_range=["inner"])


def test_a_shape_that_is_not_known() -> None:
    class Unknown(Base):
        @property
        def output_shape(self) -> Any:
            raise AttributeError

        @output_shape.setter
        def output_shape(self, value: Any) -> None:
            pass

    built = model("m", [dense("dense", 2, 2)])
    built.layers = [Unknown("odd", None)]
    assert "multiple" in lines(built)[4]


def test_a_shared_weight_counts_once() -> None:
    layer = dense("dense", 3, 2)
    assert "Total params: 8 (32.00 Byte)" in lines(model("m", [layer, layer]))


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.00 Byte"), (1023, "1023.00 Byte"), (101800, "99.41 KB"), (25010001 * 4, "95.41 MB")]
)
def test_sizes(size: int, text: str) -> None:
    assert readable_memory_size(size) == text


# Four ends, as Keras takes them: what 2.15 printed for a layer of each.
FOUR = {
    "relative": (
        {"positions": [0.33, 0.55, 0.67, 1.0]},
        """\
 Layer (type)        Output Shap   Param   |
                     e              #      |
 dense (Dense)       (None, 5)     55      |
 out (Dense)         (None, 1)     6       |""",
    ),
    "relative and trainable": (
        {"positions": [0.33, 0.55, 0.67, 1.0], "show_trainable": True},
        """\
 Layer (type)        Output Shap   Param   Trainable             |
                     e              #                            |
 dense (Dense)       (None, 5)     55      Y                     |
 out (Dense)         (None, 1)     6       Y                     |""",
    ),
    "characters and trainable": (
        {"positions": [40, 60, 70, 80], "line_length": 80, "show_trainable": True},
        """\
 Layer (type)                           Output Shape        Param #   Trainab   |
                                                                      le        |
 dense (Dense)                          (None, 5)           55        Y         |
 out (Dense)                            (None, 1)           6         Y         |""",
    ),
}


@pytest.mark.parametrize("kind", FOUR)
def test_four_positions(kind: str) -> None:
    options, table = FOUR[kind]
    shown = lines(model("sequential", [dense("dense", 10, 5), dense("out", 5, 1)]), **options)
    rows = [line for line in shown[2:-4] if line.strip("= _")]
    assert [f"{line}|" for line in rows] == table.split("\n")


def test_positions_that_fit_no_line() -> None:
    for wrong in ([0.5, 1.0], [0.8, 0.5, 1.0]):
        with pytest.raises(ValueError, match="three or four rising numbers"):
            lines(wide(), positions=wrong)
