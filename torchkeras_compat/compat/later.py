"""What is planned and not there yet, as data: part of the package → name → what to write now."""

from __future__ import annotations

BY_HAND = "write {} now"
SIDECAR = "write model.load_weights and model.evaluate in a loop now"


LAYERS: dict[str, str] = {
    "DenseFeatures": BY_HAND.format("one array of all features, x"),
    "RandomFourierFeatures": BY_HAND.format("Dense(units, activation=K.cos, trainable=False)"),
}
LAYERS_FOR_DATA: dict[str, str] = {
    "CategoryCrossing": BY_HAND.format("layers.HashedCrossing(num_bins=…)"),
}
EXPERIMENTAL: dict[str, str] = {
    "LinearModel": BY_HAND.format("Sequential([layers.Dense(1, kernel_initializer='zeros')])"),
    "WideDeepModel": BY_HAND.format("Model([wide, deep], layers.add([linear_model(wide), dnn_model(deep)]))"),
    "SequenceFeatures": BY_HAND.format("one array of all features, x"),
    "PeepholeLSTMCell": BY_HAND.format("a cell of your own for layers.RNN, or layers.LSTM,"),
    "LinearCosineDecay": BY_HAND.format("a function for callbacks.LearningRateScheduler"),
    "NoisyLinearCosineDecay": BY_HAND.format("a function for callbacks.LearningRateScheduler"),
    "SidecarEvaluator": SIDECAR,
}

UTILS: dict[str, str] = {
    "FeatureSpace": BY_HAND.format("a preprocessing layer for each feature, and layers.Concatenate,"),
    "SidecarEvaluator": SIDECAR,
}

# Parts that have modules of their own here are filled up; the others have planned names alone.
PLANNED: dict[str, dict[str, str]] = {
    "layers": LAYERS,
    "layers.preprocessing": LAYERS_FOR_DATA,
    "utils": UTILS,
    "experimental": EXPERIMENTAL,
    "estimator": {"model_to_estimator": "call model.fit now"},
}
