"""Each class of layers has golden cases: with its defaults, and with each argument off its default."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import coverage

ROOT = Path(__file__).resolve().parents[2]
LAYERS = coverage.layer_classes()
SETTINGS = coverage.golden_settings()

# Classes without golden cases: the reason, and the file that tests them.
ELSEWHERE: dict[str, tuple[str, str]] = {
    "Layer": ("computes nothing", "tests/contract/test_traits.py"),
    "Wrapper": ("computes nothing", "tests/layers/test_wrappers.py"),
    "AbstractRNNCell": ("computes nothing; cells of users stand in layers_cells", "tests/contract/signatures.json"),
    "InputLayer": ("only declares a shape", "tests/golden/models/facts/configs.py"),
    "TorchModuleWrapper": ("a module of torch", "tests/models/test_torch_side.py"),
    "Merge": ("of Keras 1, which 2.15 has not", "tests/reference/test_time_distributed_dense.py"),
    "TimeDistributedDense": ("of Keras 1, which 2.15 has not", "tests/reference/test_time_distributed_dense.py"),
    **dict.fromkeys(
        ("MaxoutDense", "Highway", "SReLU", "ParametricSoftplus"),
        ("of Keras 1, which 2.15 has not", "tests/reference/test_classic_layers.py"),
    ),
    **dict.fromkeys(
        ("ConvRNN2D", "ConvLSTM2DCell"),
        ("of classic Keras; a walk over the cell is held to ConvLSTM2D", "tests/layers/test_conv_lstm.py"),
    ),
    **dict.fromkeys(
        ("LayerScale", "CustomScaleLayer"),
        ("parts of networks of ImageNet, held to one line of numpy", "tests/applications/test_layers_of_networks.py"),
    ),
    "Model": ("models have their own golden cases", "tests/golden/models/test_golden_models.py"),
    "Sequential": ("likewise, and every stack in the tables is one", "tests/golden/support.py"),
}

_REFUSED = ("any other value is refused", "tests/contract/specs.py")
_REFUSED_HERE = ("any other value is refused", "tests/layers/preprocessing/test_tokens.py")
_SIZE = ("Keras 2.15 has no such argument", "tests/layers/test_transposed.py")
_DILATION = ("TensorFlow has no kernel for it on a CPU", "tests/layers/test_transposed.py")
_TABLE = ("TensorFlow has no table of these on a CPU", "tests/layers/preprocessing/test_tokens.py")
_BYTES = ("the encoding of bytes, which tables of JSON do not hold", "tests/layers/preprocessing/test_tokens.py")

# Arguments that no golden case takes off their default: the reason, and the file that tests them.
NEVER_SET: dict[tuple[str, str], tuple[str, str]] = {
    ("CategoryEncoding", "sparse"): _REFUSED,
    ("Discretization", "sparse"): _REFUSED,
    ("Embedding", "sparse"): _REFUSED,
    ("HashedCrossing", "sparse"): _REFUSED_HERE,
    ("Hashing", "sparse"): _REFUSED_HERE,
    ("IntegerLookup", "sparse"): _REFUSED_HERE,
    ("StringLookup", "sparse"): _REFUSED_HERE,
    ("TextVectorization", "sparse"): _REFUSED_HERE,
    ("TextVectorization", "ragged"): _REFUSED_HERE,
    ("IntegerLookup", "vocabulary_dtype"): _TABLE,
    ("StringLookup", "encoding"): _BYTES,
    ("TextVectorization", "encoding"): _BYTES,
    ("Conv1DTranspose", "output_size"): _SIZE,
    ("Conv2DTranspose", "output_size"): _SIZE,
    ("Conv3DTranspose", "output_size"): _SIZE,
    ("Conv1DTranspose", "dilation_rate"): _DILATION,
    ("Conv3DTranspose", "dilation_rate"): _DILATION,
    ("BatchNormalization", "statistics"): ("the mode of Keras 1", "tests/compat/reference_rows.py"),
    ("BatchNormalization", "adjustment"): (
        "a function, which tables of JSON do not hold",
        "tests/layers/test_batch_renormalization.py",
    ),
    ("Embedding", "word_dropout"): ("the dropout of Keras 1", "tests/compat/test_silent_traps.py"),
    ("EinsumDense", "activity_regularizer"): ("2.15 passes over it", "tests/layers/test_einsum_dense.py"),
    **{
        (cls, "return_state"): ("the oracle's walk has no states to give", "tests/layers/test_cudnn.py")
        for cls in ("CuDNNLSTM", "CuDNNGRU")
    },
    **{
        (f"Random{name}", "seed"): ("the draws are torch's", "tests/layers/preprocessing/test_random_pictures.py")
        for name in "Brightness Contrast Crop Flip Height Rotation Translation Width Zoom".split()
    },
}

# Classes that no golden case leaves at their defaults, with the reason.
WITHOUT_DEFAULTS = {
    "Discretization": "it needs either boundaries or a number of intervals",
    "CategoryEncoding": "num_tokens=None is taken by adapt, which Keras no longer has",
}

COVERED = sorted(set(LAYERS) - set(ELSEWHERE))


@pytest.mark.parametrize("name", COVERED)
def test_a_class_has_two_settings_of_which_one_is_its_defaults(name: str) -> None:
    cls, settings = LAYERS[name], SETTINGS.get(name, [])
    assert coverage.count_distinct(cls, settings) >= 2
    assert coverage.has_defaults(cls, settings) == (name not in WITHOUT_DEFAULTS)


@pytest.mark.parametrize("name", COVERED)
def test_each_argument_leaves_its_default_in_some_case(name: str) -> None:
    listed = {argument for cls, argument in NEVER_SET if cls == name}
    assert coverage.never_set(LAYERS[name], SETTINGS.get(name, [])) == listed


def test_what_stands_elsewhere_is_named_there() -> None:
    assert set(ELSEWHERE) <= set(LAYERS)
    assert set(ELSEWHERE).isdisjoint(SETTINGS)
    for name, (reason, file) in ELSEWHERE.items():
        assert reason
        assert name in (ROOT / file).read_text(encoding="utf-8"), name
    for (name, argument), (reason, file) in NEVER_SET.items():
        assert argument in coverage.own_defaults(LAYERS[name]), (name, argument)
        assert reason
        assert argument in (ROOT / file).read_text(encoding="utf-8"), (name, argument)


def test_the_audit_sees_a_gap() -> None:
    dense = LAYERS["Dense"]
    at_default = coverage.Setting({"units": 4}, {})
    assert coverage.count_distinct(dense, [at_default, at_default]) == 1
    assert coverage.has_defaults(dense, [at_default])
    assert not coverage.has_defaults(dense, [coverage.Setting({"units": 4, "use_bias": False}, {})])
    assert "use_bias" in coverage.never_set(dense, [at_default, coverage.Setting({"units": 3, "use_bias": True}, {})])
    assert "units" in coverage.never_set(dense, [])
    assert "units" not in coverage.never_set(dense, [at_default])
