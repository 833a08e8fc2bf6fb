"""What every test and doctest starts from: the same settings, nothing warned about yet, one seed, a known device."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from torchkeras_compat._core import border, devices, dialects, randomness, registry, settings

SEED = 7
ON_REQUEST = ("slow", "network")


def pytest_configure() -> None:
    """Let what is made outside a test (by a module, or a fixture of a module) be on the CPU: tests ask for CUDA."""
    settings.set_device("cpu")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for (`-m slow`, `-m network`) and what this machine cannot run (`gpu`)."""
    asked = config.option.markexpr or ""
    left_out = {marker for marker in ON_REQUEST if marker not in asked}
    if not torch.cuda.is_available():
        left_out.add("gpu")
    unwanted = [item for item in items if any(item.get_closest_marker(marker) for marker in left_out)]
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in set(unwanted)]


@pytest.fixture(autouse=True)
def classes_of_examples(doctest_namespace: dict[str, object]) -> None:
    """Let a class in a docstring's example be a user's, and none of the module that it is written in."""
    doctest_namespace["__name__"] = "example"


@pytest.fixture(autouse=True)
def clean_slate(request: pytest.FixtureRequest) -> Iterator[None]:
    """Put the process-wide settings back before and after a test; a test marked gpu runs on CUDA, others on the CPU."""
    on_gpu = request.node.get_closest_marker("gpu") is not None
    tf32 = torch.backends.cudnn.allow_tf32
    registered = dict(registry.get_custom_objects())
    _reset("cuda" if on_gpu else "cpu")
    if on_gpu:
        torch.backends.cudnn.allow_tf32 = False  # golden numbers are float32; TF32 keeps three digits
    yield
    if on_gpu:
        torch.backends.cudnn.allow_tf32 = tf32
    registry.get_custom_objects().clear()
    registry.get_custom_objects().update(registered)
    _reset("cpu")


def _reset(device: str) -> None:
    border.forget_warnings()
    randomness.set_graph_seed(None)
    settings.reset_uids()
    settings.set_floatx("float32")
    settings.set_dtype_policy(None)
    settings.set_epsilon(1e-7)
    settings.set_image_data_format("channels_last")
    settings.set_learning_phase(None)
    settings.set_device(device)
    dialects.set_dialect(dialects.DEFAULT)
    np.random.seed(SEED)
    randomness.draw_seed()  # seeds torch too, and makes numpy the source again after a test that seeded torch
    np.random.seed(SEED)


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Run the test on the CPU and, where there is one, on CUDA; the models it builds are there already."""
    return torch.device(request.param)


@pytest.fixture
def ways_of_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let layers compute on the CPU in the way that they take on CUDA."""
    monkeypatch.setattr(devices, "on_cuda", lambda tensor: True)
    monkeypatch.setattr(devices, "ends_by_assertion", lambda device: True)
