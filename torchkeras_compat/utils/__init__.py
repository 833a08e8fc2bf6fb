"""Helpers around models: labels, progress, data by index, files, names of the user's own objects."""

from __future__ import annotations

from .arrays import normalize, to_categorical, to_ordinal
from .audio_dataset import audio_dataset_from_directory
from .embedding_matrix import warmstart_embedding_matrix
from .enqueuers import GeneratorEnqueuer, OrderedEnqueuer, SequenceEnqueuer
from .files import get_file
from .hdf5_matrix import HDF5Matrix
from .image_dataset import image_dataset_from_directory
from .images import array_to_img, img_to_array, load_img, save_img
from .interactive import disable_interactive_logging, enable_interactive_logging, is_interactive_logging_enabled
from .layer_utils import get_source_inputs, print_summary
from .multi_gpu import multi_gpu_model
from .objects import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from .packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from .padding import pad_sequences
from .progbar import Progbar
from .seeding import set_random_seed
from .sequence import Sequence
from .splitting import split_dataset
from .text_dataset import text_dataset_from_directory
from .timeseries_dataset import timeseries_dataset_from_array
from .vis_utils import model_to_dot, plot_model

__all__ = [
    "CustomObjectScope",
    "GeneratorEnqueuer",
    "HDF5Matrix",
    "OrderedEnqueuer",
    "Progbar",
    "Sequence",
    "SequenceEnqueuer",
    "array_to_img",
    "audio_dataset_from_directory",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "load_img",
    "model_to_dot",
    "multi_gpu_model",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "print_summary",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "to_ordinal",
    "unpack_x_y_sample_weight",
    "warmstart_embedding_matrix",
]
