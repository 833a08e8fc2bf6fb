"""Every loss, metric, optimizer and schedule, at its defaults and with everything off default, against Keras 2.15."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat._core import registry

from .settings import tables
from .settings.run import config_of, make, module, run

HERE = Path(__file__).resolve().parent
MEASURED: dict[str, Any] = json.loads((HERE / "settings" / "settings.json").read_text(encoding="utf-8"))
SIGNATURES = json.loads((HERE.parent / "contract" / "signatures.json").read_text(encoding="utf-8"))
TOLERANCE = 3e-5  # float32 against float32, in another order of operations

# Kind of table → kind of registry, and what is no class of Keras 2.15's.
KINDS = {"metric": "metric", "loss": "loss", "optimizer": "optimizer", "schedule": "schedule"}
OTHERS = {"LossScaleOptimizer": "tests/mixed_precision"}
# Arguments that need no setting: what only some classes have a working one of, and what chooses another one's place.
NEVER_SET = {"reduction": "each run takes all of them", "dtype": "Keras fails with float64 in some classes"}


def hold(found: Any, wanted: Any, where: str) -> None:
    """Hold trees of numbers and texts to each other."""
    if isinstance(wanted, dict):
        assert sorted(found) == sorted(wanted), where
        for name, value in wanted.items():
            hold(found[name], value, f"{where}, {name}")
    elif isinstance(wanted, list) and not all(isinstance(item, (int, float)) for item in wanted):
        assert len(found) == len(wanted), where
        for i, value in enumerate(wanted):
            hold(found[i], value, f"{where}[{i}]")
    elif wanted is None or isinstance(wanted, (str, bool)):
        assert found == wanted, where
    else:
        assert np.shape(found) == np.shape(wanted), where
        least = TOLERANCE * max(1.0, np.abs(np.array(wanted)).max(initial=0.0))
        np.testing.assert_allclose(found, wanted, rtol=TOLERANCE, atol=least, err_msg=where)


@pytest.mark.parametrize("case", tables.CASES, ids=tables.key)
@pytest.mark.filterwarnings("ignore:R2Score")  # one sample, several regressors: Keras warns, too
def test_as_keras_2_15(case: tuple[str, str, int]) -> None:
    tk.set_dialect("keras-2.15")
    measured = {name: value for name, value in MEASURED[tables.key(case)].items() if name != "written"}
    hold(json.loads(json.dumps(run(tk, case))), measured, tables.key(case))


@pytest.mark.parametrize("case", tables.CASES, ids=tables.key)
def test_what_keras_2_15_wrote_is_read(case: tuple[str, str, int]) -> None:
    tk.set_dialect("keras-2.15")
    made, of_kind = make(tk, case), module(tk, case[0])
    deserialize = getattr(of_kind, "deserialize", tk.optimizers.deserialize)
    for config in MEASURED[tables.key(case)]["written"]:
        again = deserialize(config)
        assert type(again).__name__ == case[1]
        assert again._rules == made._rules
        hold(own_config(again), own_config(made), tables.key(case))


def own_config(made: Any) -> dict[str, Any]:
    """Return a configuration, without a name that counts the objects of its class."""
    return {k: v for k, v in config_of(made).items() if k != "name" or v == "mine"}


@pytest.mark.parametrize(("kind", "of_registry"), KINDS.items())
def test_every_class_has_two_settings(kind: str, of_registry: str) -> None:
    classes = {name for name, entry in registry.KINDS[of_registry].entries.items() if inspect.isclass(entry)}
    counted = {name: len(lines) for name, lines in tables.TABLES[kind].items()}
    assert classes - set(OTHERS) == set(counted)
    assert {name: n for name, n in counted.items() if n < 2} == {}


def test_every_legacy_optimizer_has_two_settings() -> None:
    assert set(tables.LEGACY) == set(tk.optimizers.legacy.__all__) - {"Optimizer"}
    assert min(map(len, tables.LEGACY.values())) >= 2


@pytest.mark.parametrize(("kind", "of_registry"), KINDS.items())
def test_every_argument_of_keras_is_off_its_default_somewhere(kind: str, of_registry: str) -> None:
    missing = {}
    for name, lines in tables.TABLES[kind].items():
        told = [line if isinstance(line, dict) else line[0] for line in lines]
        for argument, *default in SIGNATURES[of_registry][name]:
            values = [line[argument] for line in told if argument in line]
            if argument not in NEVER_SET and not [value for value in values if [value] != default]:
                missing.setdefault(name, []).append(argument)
    assert missing == {}


def test_a_class_without_two_settings_is_found() -> None:
    class Another(tk.metrics.Mean):
        pass

    registry.register("metric")(Another)
    try:
        with pytest.raises(AssertionError):
            test_every_class_has_two_settings("metric", "metric")
    finally:
        del registry.KINDS["metric"].entries["Another"], registry.KINDS["metric"].aliases["another"]
