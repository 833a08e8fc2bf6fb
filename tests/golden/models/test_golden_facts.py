"""Names in logs, summaries, configurations, graphs and errors against Keras 2.15."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

import torchkeras_compat as tk

from .facts import FACTS, configs
from .support import DIALECT, facts


def _seen(table: str, name: str) -> Any:
    """Return a fact as it is here, through JSON, for Keras's came that way."""
    tk.set_dialect(DIALECT)
    return json.loads(json.dumps(FACTS[table][name](tk)))


@pytest.mark.parametrize("table", FACTS)
def test_file_is_that_of_the_table(table: str) -> None:
    assert set(facts()[table]) == set(FACTS[table])


# Where more is told, or taken, than by Keras 2.15, as older ones did.
MORE_IN_LOGS: dict[str, dict[str, Any]] = {
    # Two metrics of one name get a number, as up to Keras 2.3; 2.15 refuses them.
    "one_same_twice": {
        "history": ["loss", "mae", "mae_1", "val_loss", "val_mae", "val_mae_1"],
        **{key: ["loss", "mae", "mae_1"] for key in ("metrics_names", "evaluate", "train_on_batch", "metrics")},
        "numbers": 3,
    },
    # The names are known from `compile` on, as up to Keras 2.3; in 2.15 from the first batch on.
    "names_before_anything_was_compiled_or_trained": {
        "before": [],
        "compiled": ["loss", "a_loss", "b_loss", "a_mae", "b_mae"],
    },
}


@pytest.mark.parametrize("name", FACTS["logs"])
def test_names_in_logs(name: str) -> None:
    keras = facts()["logs"][name]
    assert _seen("logs", name) == MORE_IN_LOGS.get(name, keras)
    assert MORE_IN_LOGS.get(name) != keras, "Keras does so too"


@pytest.mark.parametrize("name", FACTS["summaries"])
def test_summary(name: str) -> None:
    assert _seen("summaries", name) == facts()["summaries"][name]


@pytest.mark.parametrize("name", FACTS["graphs"])
def test_graph(name: str) -> None:
    assert _seen("graphs", name) == facts()["graphs"][name]


@pytest.mark.parametrize("name", FACTS["configs"])
def test_configuration(name: str) -> None:
    seen, keras = _seen("configs", name), facts()["configs"][name]
    assert seen["config"] == keras["config"]
    assert seen["answer"]["shapes"] == keras["answer"]["shapes"]


@pytest.mark.parametrize("name", FACTS["configs"])
def test_json_of_keras_makes_the_same_model(name: str) -> None:
    tk.set_dialect(DIALECT)
    keras = facts()["configs"][name]
    for text in (keras["json"], _seen("configs", name)["json"]):
        model = tk.models.model_from_json(text)
        answer = configs.answer(model, keras["answer"]["names"])
        assert answer["shapes"] == keras["answer"]["shapes"]
        for seen, wanted in zip(answer["outputs"], keras["answer"]["outputs"]):
            assert_close(seen, wanted)


def assert_close(seen: Any, wanted: Any) -> None:
    assert seen == pytest.approx(wanted, abs=1e-5) if not isinstance(wanted, list) else len(seen) == len(wanted)
    for one, other in zip(seen, wanted) if isinstance(wanted, list) else ():
        assert_close(one, other)


@pytest.mark.filterwarnings("ignore:.*trainable was changed after compile")
@pytest.mark.parametrize("name", FACTS["penalties"])
def test_penalties(name: str) -> None:
    assert _seen("penalties", name) == facts()["penalties"][name]


@pytest.mark.parametrize("name", FACTS["states"])
def test_what_layers_tell_of_themselves(name: str) -> None:
    assert _seen("states", name) == facts()["states"][name]


@pytest.mark.parametrize("name", FACTS["optimizers"])
def test_optimizers_of_users(name: str) -> None:
    assert _seen("optimizers", name) == facts()["optimizers"][name]


@pytest.mark.parametrize("name", FACTS["steps"])
def test_what_steps_receive(name: str) -> None:
    assert _seen("steps", name) == facts()["steps"][name]


# What Keras takes and then computes something else than was written: here it is refused, or trained on with a warning.
NEVER_IN_SILENCE = {
    "one_target_for_two_outputs": "one array is compared with both outputs, broadcast",
    "two_targets_for_one_output": "the second one is passed over",
    "a_missing_name_of_a_target": "the other output is not trained",
    "weights_of_the_wrong_number": "the third one is passed over",
    "validation_data_of_one_array": "the losses of validation are 0",
    "validation_data_of_too_few_targets": "the second output is not validated",
    "three_losses_for_two_outputs": "the third one is passed over",
    "one_loss_in_a_list_for_two_outputs": "the second output is not trained",
    "three_loss_weights": "the third one is passed over",
}
# What Keras takes and nobody can mean.
REFUSED_HERE = {
    "inputs_without_outputs": "a model that computes nothing",
    "json_of_a_subclass_without_get_config": "Keras returns the name of the class instead of a model",
}
# What Keras refuses since 2.4, and took before.
TAKEN_HERE = {
    "class_weight_for_two_outputs": "a dictionary of class weights by output",
}
MISUSE = (ValueError, TypeError, KeyError)  # one family: which of them an unfit argument raises is a matter of taste


@pytest.mark.parametrize("name", [name for name in FACTS["errors"] if name not in NEVER_IN_SILENCE])
def test_error(name: str) -> None:
    expected = "ValueError" if name in REFUSED_HERE else facts()["errors"][name]
    if name in TAKEN_HERE:
        assert expected is not None, "Keras takes it too"
        expected = None
    seen = _seen("errors", name)
    misuse = [error.__name__ for error in MISUSE]
    assert seen == expected or (seen in misuse and expected in misuse)


@pytest.mark.parametrize("name", NEVER_IN_SILENCE)
def test_nothing_is_passed_over_in_silence(name: str) -> None:
    assert facts()["errors"][name] is None, "Keras refuses it too"
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        seen = _seen("errors", name)
    assert warned or seen in [error.__name__ for error in MISUSE]
