"""What other tools find of TensorFlow and Keras, before `install()`, under it, and in a notebook."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import compat


@pytest.fixture(autouse=True)
def uninstalled() -> Iterator[None]:
    compat.uninstall()  # modules of tests that ran before may have installed it for themselves
    yield
    compat.uninstall()


@pytest.fixture
def an_installed_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put packages called tensorflow and keras, with their metadata, where Python looks for them."""
    for name, version in (("tensorflow", "2.15.1"), ("keras", "2.15.0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"__version__ = {version!r}\nreal = True\n")
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("tensorflow", "keras"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("an_installed_tensorflow")
def test_what_is_installed_is_untouched_without_install() -> None:
    import keras
    import tensorflow

    assert tensorflow.real
    assert keras.real
    with pytest.raises(RuntimeError, match="keras is imported already"):
        compat.install()
    for name in ("tensorflow", "keras"):
        del sys.modules[name]


@pytest.mark.usefixtures("an_installed_tensorflow")
def test_tools_under_install() -> None:
    compat.install()
    import keras
    import tensorflow

    for module in (keras, tensorflow):
        spec = importlib.util.find_spec(module.__name__)
        assert spec is not None
        assert spec is module.__spec__
    assert importlib.util.find_spec("tensorflow.keras.layers") is not None
    assert importlib.util.find_spec("tensorflow.no_such_part") is None
    assert importlib.metadata.version("tensorflow") == "2.15.1"
    assert importlib.metadata.version("keras") == "2.15.0"
    compat.uninstall()
    import tensorflow as again

    assert again.real
    del sys.modules["tensorflow"]


def test_metadata_without_an_installed_keras() -> None:
    compat.install()
    names = {str(found.metadata["Name"]).lower() for found in importlib.metadata.distributions()}
    assert {"torch", "numpy"} <= names


WRITES = """
import sys
from torchkeras_compat import compat
compat.install()
import tensorflow as tf
from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter(sys.argv[1])
writer.add_scalar("loss", .5, 1)
writer.close()
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
print([event.value for event in events.Scalars("loss")], tf.keras.__version__)
"""


def test_tensorboard_writes_and_reads_under_install(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    line = [sys.executable, "-c", WRITES, str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, cwd=Path(tk.__file__).parents[1], timeout=120)
    assert done.stdout == "[0.5] 2.10.0\n", done.stderr


def test_a_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    tk.load_ipython_extension(None)
    assert capsys.readouterr().out.count("\n") == 1
    import keras

    assert keras.layers.Dense is tk.layers.Dense
    assert np.zeros(1, dtype=np.float_).dtype == "float64"
    assert np.array(["a"]).astype(np.object).dtype == object
    with pytest.raises(AttributeError):
        _ = np.no_such_name
    assert np.random.mtrand is sys.modules["numpy.random.mtrand"]
    tk.unload_ipython_extension(None)
    assert "keras" not in sys.modules
    with pytest.raises(AttributeError):
        _ = np.float_
    assert capsys.readouterr().out == ""


def test_install_gives_every_root_a_dialect() -> None:
    compat.install("keras-2.15")
    import keras
    import tensorflow as tf

    assert {keras.layers.Dense(1)._dialect, tf.keras.layers.Dense(1)._dialect} == {"keras-2.15"}
    compat.uninstall()
    compat.install()
    import keras as classic

    assert classic.layers.Dense(1)._dialect == "keras-2.3"
    with pytest.raises(ValueError, match="did you mean"):
        compat.install("keras-2.16")
