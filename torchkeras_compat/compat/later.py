"""What is planned and not there yet, as data: part of the package → name → what to write now."""

from __future__ import annotations

WRAPPED = "write layers.TorchModuleWrapper(torch.nn.{}, channels_first=True) now"
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

MODELS: dict[str, str] = {
    "Graph": "write a model of tensors now: x = Input(shape), each node as y = layer(x), and Model(inputs, outputs)",
}
UTILS: dict[str, str] = {
    "FeatureSpace": BY_HAND.format("a preprocessing layer for each feature, and layers.Concatenate,"),
    "SidecarEvaluator": SIDECAR,
}

TORCHVISION = (
    "write torchvision.models.{} now, as layers.TorchModuleWrapper(network, channels_first=True) in a Sequential"
)
# Module of keras.applications that is not there yet → the networks in it.
NETWORKS: dict[str, str] = {
    "inception_resnet_v2": "InceptionResNetV2",
    "mobilenet_v3": "MobileNetV3Small MobileNetV3Large",
    "nasnet": "NASNetMobile NASNetLarge",
    "efficientnet_v2": " ".join(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    "convnext": " ".join(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
    "regnet": " ".join(
        f"RegNet{kind}{size}"
        for kind in "XY"
        for size in ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320")
    ),
    "resnet_rs": " ".join(f"ResNetRS{size}" for size in (50, 101, 152, 200, 270, 350, 420)),
}
_IN_TORCHVISION = {
    "MobileNetV3Small": "mobilenet_v3_small",
    "MobileNetV3Large": "mobilenet_v3_large",
    **{f"EfficientNetV2{size}": f"efficientnet_v2_{size.lower()}" for size in "SML"},
    **{f"ConvNeXt{size}": f"convnext_{size.lower()}" for size in ("Tiny", "Small", "Base", "Large")},
}
_HELPERS = {
    "preprocess_input": "scale the pictures with numpy now, as the network's weights expect them",
    "decode_predictions": "write weights.meta['categories'][index] of torchvision now",
}


def _networks(names: str) -> dict[str, str]:
    networks = {
        name: TORCHVISION.format(f"{_IN_TORCHVISION[name]}(weights='DEFAULT')")
        if name in _IN_TORCHVISION
        else "write a network of torchvision.models or timm now, as layers.TorchModuleWrapper(network, "
        "channels_first=True) in a Sequential"
        for name in names.split()
    }
    return {**networks, **_HELPERS}


APPLICATIONS = {f"applications.{module}": _networks(names) for module, names in NETWORKS.items()}

# Parts that have modules of their own here are filled up; the others have planned names alone.
PLANNED: dict[str, dict[str, str]] = {
    "layers": LAYERS,
    "layers.preprocessing": LAYERS_FOR_DATA,
    "models": MODELS,
    "utils": UTILS,
    "applications": {
        name: text for names in APPLICATIONS.values() for name, text in names.items() if name not in _HELPERS
    },
    **APPLICATIONS,
    "experimental": EXPERIMENTAL,
    "estimator": {"model_to_estimator": "call model.fit now"},
}
