"""Models on disk: whole ones and their weights, in the files that Keras reads and writes."""

from __future__ import annotations

from ..utils.objects import (
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from .model_files import ModelFiles, load_model, save_model

__all__ = [
    "ModelFiles",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "register_keras_serializable",
    "save_model",
    "serialize_keras_object",
]
