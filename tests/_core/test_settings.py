"""The process-wide settings, and what runs inside what."""

from __future__ import annotations

import pytest
import torch

from torchkeras_compat._core import errors, settings
from torchkeras_compat._core import rollback as undo


def test_running_nests_and_ends_with_an_error() -> None:
    assert (settings.running_phase(), settings.inside_run()) == (None, False)
    with settings.running(True):
        assert settings.running_phase() is True
        with settings.running(False):
            assert settings.running_phase() is False
        assert settings.running_phase() is True
        with pytest.raises(ZeroDivisionError), settings.running(False):
            _ = 1 / 0
        assert settings.inside_run()
    assert settings.running_phase() is None


def test_a_phase_that_was_set_wins() -> None:
    settings.set_learning_phase(1)
    with settings.running(False):
        assert settings.running_phase() is True
    settings.set_learning_phase(None)


def test_one_object_can_be_entered_again() -> None:
    block = settings.running(True)
    for _ in range(2):
        with block:
            assert settings.running_phase() is True
        assert settings.running_phase() is None


@pytest.mark.parametrize("name", ["float32", "bfloat16", torch.float64])
def test_types(name: object) -> None:
    dtype = settings.torch_dtype(name)  # type: ignore[arg-type]
    assert settings.dtype_name(dtype) == str(dtype).removeprefix("torch.")


def test_a_type_that_is_none() -> None:
    with pytest.raises(ValueError, match="did you mean 'float32'"):
        settings.torch_dtype("flaot32")
    with pytest.raises(ValueError, match="'float16'"):
        settings.set_floatx("float8")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Conv2D", "conv2d"), ("MaxPooling2D", "max_pooling2d"), ("LSTM", "lstm"), ("LeakyReLU", "leaky_re_lu")],
)
def test_automatic_names(name: str, expected: str) -> None:
    assert settings.snake_case(name) == expected


def test_what_a_failed_block_made_is_forgotten() -> None:
    outer = torch.nn.Sequential(torch.nn.Linear(2, 2))
    before = dict(outer.named_parameters())

    def change(then_fail: bool) -> None:
        with undo.unchanged_on_error(outer):
            outer.add_module("more", torch.nn.Linear(2, 2))
            outer[0].register_buffer("kept", torch.zeros(1))
            outer.flag = 3
            if then_fail:
                raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        change(then_fail=True)
    assert dict(outer.named_parameters()).keys() == before.keys()
    assert not hasattr(outer, "flag")
    assert not list(outer.buffers())
    change(then_fail=False)
    assert hasattr(outer, "flag")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (torch.zeros(2, 3), "Tensor of shape (2, 3)"),
        ((torch.zeros(2), 1), "(Tensor of shape (2,), 1)"),
        ([torch.zeros(2)], "[Tensor of shape (2,)]"),
        ("x" * 99, "'" + "x" * 58 + "…"),
    ],
)
def test_values_in_messages(value: object, shown: str) -> None:
    assert errors.show(value) == shown


@pytest.mark.parametrize("value", [3, 3.0, torch.tensor(3)])
def test_positive_integers(value: object) -> None:
    assert errors.positive_int("Dense", "units", value) == 3


@pytest.mark.parametrize(
    ("value", "kind"), [(0, ValueError), (-1.0, ValueError), (True, TypeError), (2.5, TypeError), ("3", TypeError)]
)
def test_what_is_no_positive_integer(value: object, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^Dense\(units=.*\): units must be a positive integer; got "):
        errors.positive_int("Dense", "units", value)
