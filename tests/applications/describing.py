"""A graph of layers as lines of text, alike for Keras 2.15 and for this package."""

from __future__ import annotations

import hashlib
import json
from typing import Any

NETWORKS = (
    *("VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"),
    *("InceptionV3", "Xception", "MobileNet", "MobileNetV2", "DenseNet121", "DenseNet169", "DenseNet201"),
    *(f"EfficientNetB{i}" for i in range(8)),
    *("MobileNetV3Small", "MobileNetV3Large", "InceptionResNetV2", "NASNetMobile", "NASNetLarge"),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
    *(f"ResNetRS{depth}" for depth in (50, 101, 152, 200, 270, 350, 420)),
    *(
        f"RegNet{kind}{size}"
        for kind in "XY"
        for size in ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320")
    ),
)
# One of each family, in which the other settings are tried.
FAMILIES = (
    *("VGG16", "ResNet50", "ResNet50V2", "InceptionV3", "Xception", "MobileNet", "MobileNetV2", "DenseNet121"),
    *("EfficientNetB0", "MobileNetV3Small", "InceptionResNetV2", "NASNetMobile", "EfficientNetV2B0", "EfficientNetV2S"),
    *("ConvNeXtTiny", "ResNetRS50", "RegNetX002", "RegNetY002"),
)
SETTINGS: dict[str, dict[str, Any]] = {
    "headless": {"include_top": False},
    "headless, any size": {"include_top": False, "input_shape": (None, None, 3)},
    "avg": {"include_top": False, "pooling": "avg", "input_shape": (96, 80, 3)},
    "max": {"include_top": False, "pooling": "max", "input_shape": (96, 96, 1)},
    "own classes": {"classes": 7, "input_shape": (128, 128, 3)},
    "logits": {"classes": 7, "input_shape": (96, 96, 3), "classifier_activation": None},
}
OWN_SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "MobileNet": {
        "narrow": {"alpha": 0.25, "input_shape": (128, 128, 3), "classes": 3},
        "deep, wide": {"alpha": 1.5, "depth_multiplier": 2, "dropout": 0.3, "include_top": False, "pooling": "avg"},
    },
    "MobileNetV2": {
        "narrow": {"alpha": 0.35, "input_shape": (96, 96, 3)},
        "wide": {"alpha": 1.4, "input_shape": (160, 160, 3), "include_top": False},
    },
    "EfficientNetB0": {"dropout": {"drop_connect_rate": 0.4, "input_shape": (64, 64, 3)}},
    "MobileNetV3Small": {
        "narrow": {"alpha": 0.75, "input_shape": (96, 65, 3), "dropout_rate": 0},
        "wide": {"alpha": 1.5, "classes": 3, "dropout_rate": 0.5},
        "minimalistic": {"minimalistic": True},
        "as it comes": {"include_preprocessing": False, "input_shape": (64, 64, 1)},
    },
    "NASNetMobile": {"odd": {"input_shape": (97, 66, 3), "include_top": False}},
    **{
        network: {"as it comes": {"include_preprocessing": False, "input_shape": (64, 64, 3)}}
        for network in ("EfficientNetV2B0", "EfficientNetV2S", "ResNetRS50")
    },
    **{
        network: {"as it comes": {"include_preprocessing": False, "input_shape": (64, 64, 3), "model_name": "mine"}}
        for network in ("ConvNeXtTiny", "RegNetX002", "RegNetY002")
    },
}
_LEFT_OUT = ("name", "trainable", "dtype", "ragged", "sparse", "build_config", "build_input_shape", "synchronized")


def cases() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return name → (function, arguments) of every graph that is compared."""
    plain = {name: (name, {}) for name in NETWORKS}
    varied = {
        f"{name}: {what}": (name, arguments)
        for name in FAMILIES
        for what, arguments in {**SETTINGS, **OWN_SETTINGS.get(name, {})}.items()
    }
    return {**plain, **varied}


def lines(model: Any) -> list[str]:
    """Return a line for each layer: class, name, what is not at nothing in its configuration, and where it hangs."""
    text = []
    entries = model.get_config()["layers"]
    names = {entry["name"] for entry in entries}
    for entry in entries:
        if entry["class_name"] == "TFOpLambda":  # the package keeps its own function and arguments of an operator
            origins = " ".join(dict.fromkeys(_names_in(entry["inbound_nodes"], names)))
            text.append(f"{entry['class_name']} {entry['name']} <- {origins}")
            continue
        origins = " ".join(_origins(entry["inbound_nodes"]))
        text.append(f"{entry['class_name']} {entry['name']} {_settings(entry)} <- {origins}")
    return text


def _settings(entry: dict[str, Any]) -> str:
    config = dict(entry["config"])
    if entry["class_name"] == "Sequential":
        parts = [part for part in config["layers"] if part["class_name"] != "InputLayer"]
        return " > ".join(f"{part['class_name']} {part['config']['name']} {_settings(part)}" for part in parts)
    if entry["class_name"] == "BatchNormalization":  # a list of axes once Keras has built it
        config["axis"] = [config["axis"]] if isinstance(config["axis"], int) else config["axis"]
    if entry["class_name"] == "LayerNormalization":  # all over the last axis, counted from the first once it is built
        del config["axis"]
    if entry["class_name"] == "Rescaling":
        config["offset"] = float(config["offset"])
    shown = {key: _short(value) for key, value in config.items() if key not in _LEFT_OUT}
    return json.dumps({key: value for key, value in shown.items() if value is not None}, sort_keys=True)


def _short(value: Any) -> Any:
    """Return a value of a configuration, an object in it by its class and what it was given."""
    if isinstance(value, dict) and "class_name" in value:
        return [value["class_name"], {key: v for key, v in value["config"].items() if v is not None}]
    return list(value) if isinstance(value, tuple) else value


def _origins(value: Any) -> list[str]:
    if isinstance(value, (list, tuple)):
        if len(value) >= 3 and isinstance(value[0], str):
            return [value[0]]
        return [name for part in value for name in _origins(part)]
    return []


def _names_in(value: Any, names: set[str]) -> list[str]:
    """Return the names of layers in what says how an operator was called, its arguments too."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [name for part in value for name in _names_in(part, names)]
    return [value] if isinstance(value, str) and value in names else []


def digest(model: Any) -> dict[str, Any]:
    """Return what is kept of a graph beside its lines: their checksum, the last of them, and counts."""
    text = lines(model)
    return {
        "name": model.name,
        "layers": len(text),
        "parameters": model.count_params(),
        "weights": len(model.get_weights()) if model.count_params() < 3e7 else None,
        "output": list(model.output_shape),
        "last": text[-3:],
        "sha256": hashlib.sha256("\n".join(text).encode()).hexdigest(),
    }
