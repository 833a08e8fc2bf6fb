"""The table of specs of everything but layers."""

from __future__ import annotations

from torchkeras_compat.optimizers import SGD

from .specs import Arguments

# Everything else that is a class and has a name: kind → name → arguments, none at its default.
NAMED: dict[str, dict[str, Arguments]] = {
    "initializer": {
        "Zeros": {},
        "Ones": {},
        "Constant": {"value": 2.0},
        "RandomUniform": {"minval": -1.0, "maxval": 2.0, "seed": 3},
        "RandomNormal": {"mean": 1.0, "stddev": 2.0, "seed": 3},
        "TruncatedNormal": {"mean": 1.0, "stddev": 2.0, "seed": 3},
        "VarianceScaling": {"scale": 2.0, "mode": "fan_avg", "distribution": "uniform", "seed": 3},
        **{
            name: {"seed": 3}
            for name in ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal")
        },
        "Orthogonal": {"gain": 2.0, "seed": 3},
        "Identity": {"gain": 2.0},
    },
    "regularizer": {
        "L1L2": {"l1": 0.1, "l2": 0.2},
        "L1": {"l1": 0.1},
        "L2": {"l2": 0.1},
        "OrthogonalRegularizer": {"factor": 0.1, "mode": "columns"},
        "l1_l2": {"l1": 0.1, "l2": 0.2},
    },
    "constraint": {
        "MaxNorm": {"max_value": 3, "axis": 1},
        "MinMaxNorm": {"min_value": 0.1, "max_value": 2.0, "rate": 0.5, "axis": 1},
        "UnitNorm": {"axis": 1},
        "NonNeg": {},
        "RadialConstraint": {},
    },
    "loss": {
        "BinaryCrossentropy": {"from_logits": True, "label_smoothing": 0.1, "axis": 1},
        "BinaryFocalCrossentropy": {
            "apply_class_balancing": True,
            "alpha": 0.5,
            "gamma": 3.0,
            "from_logits": True,
            "label_smoothing": 0.1,
            "axis": 1,
        },
        "CategoricalCrossentropy": {"from_logits": True, "label_smoothing": 0.1, "axis": 1},
        "CategoricalFocalCrossentropy": {
            "alpha": 0.5,
            "gamma": 3.0,
            "from_logits": True,
            "label_smoothing": 0.1,
            "axis": 1,
        },
        "SparseCategoricalCrossentropy": {"from_logits": True, "ignore_class": 2},
        "Huber": {"delta": 2.0},
        "CosineSimilarity": {"axis": 1},
        **{
            name: {}
            for name in (
                "Hinge SquaredHinge CategoricalHinge MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError "
                "MeanSquaredLogarithmicError LogCosh Poisson KLDivergence"
            ).split()
        },
    },
    "metric": {
        "Sum": {},
        "Mean": {},
        "MeanTensor": {"shape": (2,)},
        "MeanMetricWrapper": {"fn": "mean_squared_error"},
        "MeanRelativeError": {"normalizer": [1.0, 2.0]},
        "Accuracy": {},
        "BinaryAccuracy": {"threshold": 0.4},
        "CategoricalAccuracy": {},
        "SparseCategoricalAccuracy": {},
        "TopKCategoricalAccuracy": {"k": 2},
        "SparseTopKCategoricalAccuracy": {"k": 2},
        **{
            name: {"thresholds": 0.4} for name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
        },
        "Precision": {"thresholds": 0.4, "top_k": 2, "class_id": 1},
        "Recall": {"thresholds": 0.4, "top_k": 2, "class_id": 1},
        "SensitivityAtSpecificity": {"specificity": 0.5, "num_thresholds": 50, "class_id": 1},
        "SpecificityAtSensitivity": {"sensitivity": 0.5, "num_thresholds": 50, "class_id": 1},
        "PrecisionAtRecall": {"recall": 0.5, "num_thresholds": 50, "class_id": 1},
        "RecallAtPrecision": {"precision": 0.5, "num_thresholds": 50, "class_id": 1},
        "AUC": {
            "num_thresholds": 50,
            "curve": "PR",
            "summation_method": "minoring",
            "multi_label": True,
            "num_labels": 2,
        },
        "FBetaScore": {"average": "macro", "beta": 2.0, "threshold": 0.4},
        "F1Score": {"average": "macro", "threshold": 0.4},
        "IoU": {
            "num_classes": 3,
            "target_class_ids": [0, 1],
            "ignore_class": 2,
            "sparse_y_true": False,
            "sparse_y_pred": False,
            "axis": 1,
        },
        "MeanIoU": {"num_classes": 3, "ignore_class": 2, "sparse_y_true": False, "sparse_y_pred": False, "axis": 1},
        "BinaryIoU": {"target_class_ids": [1], "threshold": 0.4},
        "OneHotIoU": {"num_classes": 3, "target_class_ids": [0], "ignore_class": 2, "sparse_y_pred": True, "axis": 1},
        "OneHotMeanIoU": {"num_classes": 3, "ignore_class": 2, "sparse_y_pred": True, "axis": 1},
        "BinaryCrossentropy": {"from_logits": True, "label_smoothing": 0.1},
        "CategoricalCrossentropy": {"from_logits": True, "label_smoothing": 0.1, "axis": 1},
        "SparseCategoricalCrossentropy": {"from_logits": True, "ignore_class": 2, "axis": 1},
        "CosineSimilarity": {"axis": 1},
        "R2Score": {"class_aggregation": "variance_weighted_average", "num_regressors": 1},
        **{
            name: {}
            for name in (
                "Hinge SquaredHinge CategoricalHinge KLDivergence Poisson MeanSquaredError MeanAbsoluteError "
                "MeanAbsolutePercentageError MeanSquaredLogarithmicError LogCoshError RootMeanSquaredError"
            ).split()
        },
    },
    "optimizer": {
        "SGD": {"learning_rate": 0.5, "momentum": 0.9, "nesterov": True, "decay": 0.1, "clipnorm": 1.0},
        "RMSprop": {
            "learning_rate": 0.5,
            "rho": 0.8,
            "momentum": 0.5,
            "epsilon": 0.1,
            "centered": True,
            "clipvalue": 1.0,
        },
        "Adagrad": {"learning_rate": 0.5, "initial_accumulator_value": 0.2, "epsilon": 0.1},
        "Adadelta": {"learning_rate": 0.5, "rho": 0.8, "epsilon": 0.1},
        "Adam": {"learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.1, "amsgrad": True},
        "AdamW": {
            "learning_rate": 0.5,
            "weight_decay": 0.1,
            "beta_1": 0.8,
            "beta_2": 0.9,
            "epsilon": 0.1,
            "amsgrad": True,
        },
        "Adamax": {"learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.1},
        "Nadam": {"learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 0.1, "schedule_decay": 0.01},
        "Ftrl": {
            "learning_rate": 0.5,
            "learning_rate_power": -0.4,
            "initial_accumulator_value": 0.2,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.1,
        },
        "Adafactor": {
            "learning_rate": 0.5,
            "beta_2_decay": -0.5,
            "epsilon_1": 0.1,
            "epsilon_2": 0.1,
            "clip_threshold": 2.0,
            "relative_step": False,
        },
        "Lion": {"learning_rate": 0.5, "beta_1": 0.8, "beta_2": 0.9},
        "LossScaleOptimizer": {"inner_optimizer": SGD(0.5), "initial_scale": 8.0, "dynamic_growth_steps": 3},
    },
    "schedule": {
        "ExponentialDecay": {
            "initial_learning_rate": 0.5,
            "decay_steps": 5,
            "decay_rate": 0.5,
            "staircase": True,
            "name": "a",
        },
        "InverseTimeDecay": {
            "initial_learning_rate": 0.5,
            "decay_steps": 5,
            "decay_rate": 0.5,
            "staircase": True,
            "name": "a",
        },
        "PiecewiseConstantDecay": {"boundaries": [2, 4], "values": [0.5, 0.2, 0.1], "name": "a"},
        "PolynomialDecay": {
            "initial_learning_rate": 0.5,
            "decay_steps": 5,
            "end_learning_rate": 0.1,
            "power": 2.0,
            "cycle": True,
            "name": "a",
        },
        "CosineDecay": {
            "initial_learning_rate": 0.1,
            "decay_steps": 5,
            "alpha": 0.1,
            "name": "a",
            "warmup_target": 0.5,
            "warmup_steps": 2,
        },
        "CosineDecayRestarts": {
            "initial_learning_rate": 0.5,
            "first_decay_steps": 5,
            "t_mul": 3.0,
            "m_mul": 0.5,
            "alpha": 0.1,
            "name": "a",
        },
    },
    "callback": {
        "History": {},
        "BackupAndRestore": {"backup_dir": "backup", "save_freq": 7, "delete_checkpoint": False},
        "BaseLogger": {"stateful_metrics": ["acc"]},
        "ProgbarLogger": {"count_mode": "steps", "stateful_metrics": ["acc"]},
        "TerminateOnNaN": {},
        "TensorBoard": {
            "log_dir": "events",
            "histogram_freq": 2,
            "write_graph": False,
            "write_images": True,
            "write_steps_per_second": True,
            "update_freq": 7,
            "profile_batch": (2, 3),
            "batch_size": 8,
            "write_grads": True,
        },
        "CSVLogger": {"filename": "log.csv", "separator": ";", "append": True},
        "LambdaCallback": {"on_epoch_end": print},
        "RemoteMonitor": {
            "root": "http://localhost:1",
            "path": "/p/",
            "field": "f",
            "headers": {"a": "b"},
            "send_as_json": True,
        },
        "EarlyStopping": {
            "monitor": "loss",
            "min_delta": 0.1,
            "patience": 2,
            "mode": "min",
            "restore_best_weights": True,
        },
        "ReduceLROnPlateau": {
            "monitor": "loss",
            "factor": 0.5,
            "patience": 2,
            "min_delta": 0.1,
            "cooldown": 1,
            "min_lr": 0.1,
        },
        "ModelCheckpoint": {
            "filepath": "weights.h5",
            "monitor": "loss",
            "save_best_only": True,
            "save_weights_only": True,
        },
        "LearningRateScheduler": {"schedule": abs, "verbose": 1},
    },
}
# Every loss has a reduction and a name, every metric a name.
for _kind, _more in {"loss": {"reduction": "sum", "name": "given"}, "metric": {"name": "given"}}.items():
    NAMED[_kind] = {name: {**arguments, **_more} for name, arguments in NAMED[_kind].items()}
