"""scikit-learn's own checks of estimators."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator

from torchkeras_compat.layers import Dense
from torchkeras_compat.models import Sequential
from torchkeras_compat.utils import set_random_seed
from torchkeras_compat.wrappers.scikit_learn import KerasClassifier, KerasRegressor

HISTORY = "fit returns the History, as in Keras"
WEIGHTS = "the loss is a mean over samples, and a batch of fewer ones is another step"
MODEL_TAKES_IT = "what a model may be trained on is the model's own: it takes what Keras takes"

# Check → why it cannot hold.
NOT_HELD = {
    "check_no_attributes_set_in_init": "the parameters are in sk_params, Keras's name",
    "check_do_not_raise_errors_in_init_or_set_params": "Keras refuses what nothing takes when it is given",
    "check_dont_overwrite_parameters": "the model is in model, Keras's name",
    "check_estimators_fit_returns_self": HISTORY,
    "check_readonly_memmap_input": HISTORY,
    "check_all_zero_sample_weights_error": MODEL_TAKES_IT,
    "check_sample_weight_equivalence_on_dense_data": WEIGHTS,
    "check_sample_weight_equivalence_on_sparse_data": WEIGHTS,
    "check_estimators_empty_data_messages": MODEL_TAKES_IT,
    "check_fit1d": "one axis is one feature, as in Keras",
    "check_supervised_y_2d": "a column of targets is nothing to warn of, as in Keras",
    "check_dtype_object": "refused by the model, which says what to write: x.astype('float32')",
    "check_fit2d_predict1d": "refused by the model, which says what to write: x[np.newaxis]",
}
REGRESSORS = {
    "check_regressors_train": "the score is minus the loss, not R²",
    "check_supervised_y_no_nan": MODEL_TAKES_IT,
    "check_complex_data": MODEL_TAKES_IT,
}


class Classifier(KerasClassifier):
    def __call__(self) -> Any:
        set_random_seed(0)
        model = Sequential([Dense(16, activation="relu"), Dense(self.n_classes_, activation="softmax")])
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        return model


class Regressor(KerasRegressor):
    def __call__(self) -> Any:
        set_random_seed(0)
        model = Sequential([Dense(16, activation="relu"), Dense(1)])
        model.compile("adam", "mse")
        return model


@pytest.mark.filterwarnings("ignore")  # those of the checks' own data, such as classes of two samples
@pytest.mark.parametrize(
    ("estimator", "not_held"),
    [(Classifier, NOT_HELD), (Regressor, {**NOT_HELD, **REGRESSORS})],
    ids=["classifier", "regressor"],
)
def test_checks_of_scikit_learn(estimator: Any, not_held: dict[str, str]) -> None:
    results = check_estimator(
        estimator(epochs=30, batch_size=8, verbose=0), expected_failed_checks=not_held, on_skip=None, on_fail=None
    )
    by_status: dict[str, set[str]] = {}
    for result in results:
        by_status.setdefault(result["status"], set()).add(result["check_name"])
    assert by_status.get("failed", set()) == set()
    assert by_status["passed"] & not_held.keys() == set()  # the list is no longer than it has to be
    assert len(by_status["passed"]) > 30
    assert by_status["skipped"] <= {"check_pipeline_consistency", "check_array_api_input"}
