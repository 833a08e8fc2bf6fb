"""A Lambda in a file that this process wrote has its function again, as in Keras 2, which runs the code in the file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import layers

FILES = ["net.h5", "net.keras"]
X = np.random.RandomState(0).randn(4, 3).astype("float32")


def halved(x: Any) -> Any:
    return x / 2


def scaled_by(factor: float) -> Callable[[Any], Any]:
    return lambda x: x * factor


def net(function: Any, **options: Any) -> Any:
    return tk.Sequential([layers.Dense(2, input_shape=(3,)), layers.Lambda(function, name="own", **options)])


@pytest.mark.parametrize(
    "model",
    [
        lambda: net(lambda x: x * 3),
        lambda: net(halved),
        lambda: net(lambda x: x[:, :1], output_shape=lambda shape: (shape[0], 1)),
        lambda: net(lambda x, factor: x * factor, arguments={"factor": 4}),
        lambda: net(scaled_by(2.5)),
        lambda: tk.Sequential([layers.Input((3,)), net(lambda x: x + 1), layers.Dense(1)]),
    ],
)
@pytest.mark.parametrize("dialect", ["keras-2.15", "keras-2.2"])
@pytest.mark.parametrize("file", FILES)
@pytest.mark.filterwarnings("ignore:.*Keras 3 will not load")
def test_it_is_known_in_the_process_that_saved_it(
    model: Callable[[], Any], file: str, dialect: str, tmp_path: Path
) -> None:
    tk.set_dialect(dialect)
    made = model()
    made.save(tmp_path / file)
    again = tk.models.load_model(tmp_path / file, compile=False)
    np.testing.assert_array_equal(again.predict(X), made.predict(X))


def test_each_file_has_its_own(tmp_path: Path) -> None:
    double, triple = net(lambda x: x * 2), net(lambda x: x * 3)
    triple.set_weights(double.get_weights())
    double.save(tmp_path / "double.h5")
    triple.save(tmp_path / "triple.h5")
    loaded = [tk.models.load_model(tmp_path / f"{name}.h5", compile=False) for name in ("double", "triple")]
    np.testing.assert_allclose(loaded[0].predict(X) * 1.5, loaded[1].predict(X), rtol=1e-6)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.filterwarnings("ignore:.*Keras 3 will not load")
def test_equal_code_around_other_values_is_refused(file: str, tmp_path: Path) -> None:
    net(scaled_by(7.5)).save(tmp_path / file)
    net(scaled_by(8.5)).save(tmp_path / f"other_{file}")
    with pytest.raises(ValueError, match=r"custom_objects=\{'own': f\}"):
        tk.models.load_model(tmp_path / file, compile=False)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.filterwarnings("ignore:.*Keras 3 will not load")
def test_what_the_caller_gives_counts_first(file: str, tmp_path: Path) -> None:
    model = net(halved)
    model.save(tmp_path / file)
    for name in ("own", "halved"):
        again = tk.models.load_model(tmp_path / file, custom_objects={name: lambda x: x * 2}, compile=False)
        np.testing.assert_allclose(again.predict(X), model.predict(X) * 4, rtol=1e-6)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.filterwarnings("ignore:.*Keras 3 will not load")
def test_another_process_refuses(file: str, tmp_path: Path) -> None:
    net(lambda x: x * 3).save(tmp_path / file)
    code = "import sys, torchkeras_compat as tk; tk.models.load_model(sys.argv[1], compile=False)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "custom_objects={'own': f}" in done.stderr


def test_equal_models_make_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        model = net(lambda x: x * 3)
        model.set_weights([np.ones((3, 2)), np.ones(2)])
        model.name = "net"
        model.layers[0]._name = "dense"
        model.save(tmp_path / f"{name}.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
