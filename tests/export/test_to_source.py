"""`model.to_torch_source()`: a file that needs torch alone, reads well, and trains to the curve of `fit`."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from tests.golden.models.cases import FAMILIES
from torchkeras_compat.export import NotExportable
from torchkeras_compat.layers import LSTM, Conv2D, Dense, Embedding, Flatten, Masking, TimeDistributed
from torchkeras_compat.models import Sequential

from .curves import BATCH, CURVES, EPOCHS, Curve, inputs_for, perceptron, targets_for
from .support import as_tensors, build, without_package

RUN = """
import json, runpy, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
results = {}
for path in sorted(Path(sys.argv[1]).glob("*.py")):
    names = runpy.run_path(str(path), run_name="exported")
    saved = torch.load(path.with_suffix(".pt"))
    model = names["load"](str(path.with_suffix(".weights")))
    x, y = saved["x"], saved["y"]
    outputs = model.eval()(*x)
    single = lambda parts: parts if len(parts) > 1 else parts[0]
    losses = names["train"](model, single(x), single(y), epochs=EPOCHS, batch_size=BATCH, shuffle=False,
                            validation=(single(x), single(y)))
    loss = names["evaluate"](model, single(x), single(y))
    results[path.stem] = {"losses": losses, "evaluated": loss,
                          "outputs": [y.tolist() for y in (outputs if isinstance(outputs, tuple) else [outputs])]}
Path(sys.argv[1], "results.json").write_text(json.dumps(results))
""".replace("EPOCHS", str(EPOCHS)).replace("BATCH", str(BATCH))


def fit(curve: Curve, folder: Path) -> dict[str, Any]:
    """Write the source of a model, its weights and its data; return what is seen of it here."""
    tk.set_dialect(curve.dialect)
    tk.utils.set_random_seed(3)
    model = curve.model()
    model.compile(**curve.compile())
    x, y = inputs_for(model), targets_for(model, curve.targets)
    model.to_torch_source(folder / f"{curve.name}.py")
    torch.save(model.to_torch().state_dict(), folder / f"{curve.name}.weights")
    tensors = {"x": as_tensors(model, x), "y": [torch.tensor(array) for array in y]}
    torch.save(tensors, folder / f"{curve.name}.pt")
    x, y = (parts if len(parts) > 1 else parts[0] for parts in (x, y))
    outputs = model.predict(x, verbose=0)
    history = model.fit(x, y, epochs=EPOCHS, batch_size=BATCH, shuffle=False, verbose=0)
    evaluated = model.evaluate(x, y, verbose=0)
    return {
        "outputs": outputs if isinstance(outputs, list) else [outputs],
        "losses": history.history["loss"],
        "evaluated": evaluated[0] if isinstance(evaluated, list) else evaluated,
    }


@pytest.fixture(scope="module")
def curves(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is seen of all curves here and in a process without this package."""
    folder, here = tmp_path_factory.mktemp("sources"), {}
    for curve in CURVES:
        here[curve.name] = fit(curve, folder)
    without_package(RUN, folder)
    return here, json.loads((folder / "results.json").read_text())


@pytest.mark.parametrize("name", [curve.name for curve in CURVES])
@pytest.mark.filterwarnings("ignore:.*to_torch")
def test_it_trains_to_the_same_curve(name: str, curves: Any) -> None:
    here, there = curves[0][name], curves[1][name]
    for mine, theirs in zip(there["outputs"], here["outputs"], strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    assert here["losses"][0] != here["losses"][-1]
    np.testing.assert_allclose(there["losses"], here["losses"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(there["evaluated"], here["evaluated"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("width", [88, 120])
def test_it_is_formatted(tmp_path: Path, width: int) -> None:
    for curve in CURVES:
        tk.set_dialect(curve.dialect)
        model = curve.model()
        model.compile(**curve.compile())
        model.to_torch_source(tmp_path / f"{curve.name}.py")
    for case in [case for family in FAMILIES.values() for case in family][3::8]:
        with contextlib.suppress(NotExportable):
            build(case)[0].to_torch_source(tmp_path / f"golden_{case.name}.py")
    assert len(list(tmp_path.glob("golden_*.py"))) > 12
    ruff = [sys.executable, "-m", "ruff"]
    if width == 88:  # the usual one, of black too
        done = subprocess.run([*ruff, "format", "--isolated", "--diff", tmp_path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    rules = "E,F,W,I,B,UP"
    command = [*ruff, "check", "--isolated", "--select", rules, "--line-length", str(width), tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_file_runs_by_itself(tmp_path: Path) -> None:
    model = Sequential([Embedding(9, 4, input_length=5), LSTM(3), Dense(2, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    path = tmp_path / "reader.py"
    text = model.to_torch_source(path, name="Reader")
    assert path.read_text() == text
    assert "class Reader(nn.Module)" in text
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=120)
    assert re.search(r"epoch 10/10: loss \d\.\d{4}\n$", done.stdout), done.stderr


@pytest.mark.parametrize("loss", ["mse", "binary_crossentropy", "hinge"])
def test_labels_without_an_axis_of_units(loss: str) -> None:
    tk.utils.set_random_seed(4)
    model = Sequential([Dense(1, "sigmoid", input_shape=(3,))])
    model.compile("sgd", loss)
    names: dict[str, Any] = {"__name__": "exported"}
    exec(model.to_torch_source(), names)
    module = names["Net"]()
    module.load_state_dict(model.to_torch().state_dict())
    x, y = np.random.RandomState(0).randn(12, 3).astype("float32"), np.arange(12) % 2
    losses = names["train"](module, torch.tensor(x), torch.tensor(y).float(), epochs=3, batch_size=4, shuffle=False)
    expected = model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_keys_are_those_of_to_torch() -> None:
    model = Sequential([Conv2D(2, 3, input_shape=(6, 6, 1)), Flatten(), Dense(2)])
    names: dict[str, Any] = {}
    exec(model.to_torch_source(), names)
    made, again = model.to_torch(), names["Net"]()
    assert list(made.state_dict()) == list(again.state_dict())
    again.load_state_dict(made.state_dict())
    x = torch.rand(2, 6, 6, 1)
    assert torch.equal(again(x), made(x))


def test_a_model_that_is_not_compiled_has_no_loop() -> None:
    text = perceptron()().to_torch_source()
    assert "def forward" in text
    assert "def train" not in text
    assert "torchkeras" not in text


def test_shapes_stand_beside_the_steps() -> None:
    text = Sequential([Conv2D(2, 3, input_shape=(6, 6, 1), name="first")]).to_torch_source()
    assert "x = self.first(x)  # (N, 2, 4, 4)" in text


def test_torch_optimizers_are_written_as_they_are_set() -> None:
    model = perceptron()()
    model.compile(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5), "categorical_crossentropy")
    assert "torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)" in model.to_torch_source()


def test_float64(tmp_path: Path) -> None:
    model = Sequential([Dense(2, input_shape=(3,), dtype="float64")])
    model.compile("sgd", "mse")
    torch.save(model.to_torch().state_dict(), tmp_path / "weights.pt")
    names: dict[str, Any] = {}
    exec(model.to_torch_source(), names)
    made, x = names["load"](tmp_path / "weights.pt"), np.random.RandomState(1).rand(4, 3)
    np.testing.assert_allclose(made(torch.tensor(x)).detach().numpy(), model.predict(x), rtol=1e-12)


def _refused(model: Any, match: str, **told: Any) -> None:
    model.compile(**{"optimizer": "sgd", "loss": "mse", **told})
    with pytest.raises(NotExportable, match=match):
        model.to_torch_source()


def test_what_is_refused_is_named() -> None:
    tk.set_dialect("keras-2.15")

    def own(y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred) ** 2

    class Own(tk.optimizers.SGD):
        pass

    _refused(perceptron()(), "loss=own", loss=own)
    _refused(perceptron()(), "binary_focal_crossentropy", loss="binary_focal_crossentropy")
    _refused(perceptron()(), "ignore_class=0", loss=tk.losses.SparseCategoricalCrossentropy(ignore_class=0))
    _refused(perceptron()(), "optimizer=Own", optimizer=Own())
    _refused(perceptron()(), "optimizer=Adafactor", optimizer="adafactor")
    _refused(perceptron()(), r"Adam\(use_ema=True\)", optimizer=tk.optimizers.Adam(use_ema=True))
    _refused(perceptron()(), "follows <lambda>", optimizer=tk.optimizers.Adam(lambda: 0.1))
    _refused(perceptron(kernel_regularizer="orthogonal_regularizer")(), "kernel:0: the penalty OrthogonalRegularizer")
    _refused(perceptron(kernel_constraint="unit_norm")(), "kernel:0: the constraint UnitNorm")
    _refused(perceptron(activity_regularizer="l2")(), "a penalty of its output")
    masked = Sequential([Masking(input_shape=(4, 2)), LSTM(3, return_sequences=True), TimeDistributed(Dense(1))])
    _refused(masked, "a mask says which steps")
    with pytest.raises(ValueError, match="name='no name'"):
        perceptron()().to_torch_source(name="no name")
