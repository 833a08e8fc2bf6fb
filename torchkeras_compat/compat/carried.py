"""What modules of old Keras had because they imported it, as data: `from keras.layers.core import *` gave `K` too.

Read off the import statements of Keras 1.2.2, 2.0.8, 2.2.4 and 2.3.1.
"""

from __future__ import annotations

# Name → where it is from: `.part` is another module of the same facade, and a name stands behind a colon.
SOURCES: dict[str, str] = {
    **{
        name: name
        for name in (
            "abc binascii codecs collections contextlib copy csv functools gzip h5py hashlib importlib inspect io "
            "json marshal multiprocessing os pickle queue random re shutil six string sys tarfile tempfile "
            "threading time types warnings zipfile"
        ).split()
    },
    **{
        name: f".{name}"
        for name in (
            "activations backend constraints initializations initializers losses objectives optimizers "
            "regularizers utils"
        ).split()
    },
    **{
        name: f".utils.generic_utils:{name}"
        for name in (
            "func_dump func_load get_from_module getargspec has_arg is_all_none object_list_uid to_list "
            "transpose_shape unpack_singleton"
        ).split()
    },
    "abstractmethod": "abc:abstractmethod",
    "ask_to_proceed_with_overwrite": ".utils.io_utils:ask_to_proceed_with_overwrite",
    "assert_allclose": "numpy.testing:assert_allclose",
    "BytesIO": "io:BytesIO",
    "cbks": ".callbacks",
    "clone_model": ".models:clone_model",
    "closing": "contextlib:closing",
    "concatenate": ".layers:concatenate",
    "Container": ".models:Container",
    "conv_output_length": ".utils.conv_utils:conv_output_length",
    "conv_utils": ".utils.conv_utils",
    "cPickle": "pickle",
    "defaultdict": "collections:defaultdict",
    "deque": "collections:deque",
    "deserialize_keras_object": ".utils:deserialize_keras_object",
    "Enum": "enum:Enum",
    "GeneratorEnqueuer": ".utils:GeneratorEnqueuer",
    "generic_utils": ".utils.generic_utils",
    "get_custom_objects": ".utils:get_custom_objects",
    "get_file": ".utils:get_file",
    "HTTPError": "urllib.error:HTTPError",
    "image": ".preprocessing.image",
    "Input": ".layers:Input",
    "InputLayer": ".layers:InputLayer",
    "interfaces": ".legacy.interfaces",
    "Iterable": "collections.abc:Iterable",
    "K": ".backend",
    "Lambda": ".layers:Lambda",
    "Layer": ".layers:Layer",
    "layer_module": ".layers",
    "legacy_layers": ".legacy.layers",
    "legacy_models": ".legacy.models",
    "linalg": "numpy.linalg",
    "losses_utils": ".utils.losses_utils",
    "MagicMock": "unittest.mock:MagicMock",
    "md5": "hashlib:md5",
    "metrics_module": ".metrics",
    "metrics_utils": ".utils.metrics_utils",
    "Mock": "unittest.mock:Mock",
    "Model": ".models:Model",
    "model_from_json": ".models:model_from_json",
    "mp": "multiprocessing",
    "namedtuple": "collections:namedtuple",
    "Network": ".models:Network",
    "np": "numpy",
    "OrderedDict": "collections:OrderedDict",
    "OrderedEnqueuer": ".utils:OrderedEnqueuer",
    "partial": "functools:partial",
    "patch": "unittest.mock:patch",
    "print_layer_summary": ".utils:print_summary",
    "Progbar": ".utils:Progbar",
    "py_all": "builtins:all",
    "py_any": "builtins:any",
    "py_slice": "builtins:slice",
    "py_sum": "builtins:sum",
    "python_types": "types",
    "range": "builtins:range",
    "Reduction": ".losses:Reduction",
    "saving": ".engine.saving",
    "Sequence": ".utils:Sequence",
    "sequence": ".preprocessing.sequence",
    "Sequential": ".models:Sequential",
    "serialize_keras_object": ".utils:serialize_keras_object",
    "standardize_input_data": ".engine.training_utils:standardize_input_data",
    "text": ".preprocessing.text",
    "tf": "tensorflow",
    "ThreadPool": "multiprocessing.pool:ThreadPool",
    "topology": ".engine.topology",
    "training_arrays": ".engine.training_arrays",
    "training_generator": ".engine.training_generator",
    "training_utils": ".engine.training_utils",
    "URLError": "urllib.error:URLError",
    "urlopen": "urllib.request:urlopen",
    "urlretrieve": "urllib.request:urlretrieve",
    "Wrapper": ".layers:Wrapper",
    "wraps": "functools:wraps",
    "zip": "builtins:zip",
}

# Facade module → what it had imported.
CARRIED: dict[str, list[str]] = {
    "activations": "deserialize_keras_object K Layer six warnings".split(),
    "backend": "importlib json np os py_all py_any py_slice py_sum sys tf".split(),
    "backend.common": "defaultdict np".split(),
    "backend.tensorflow_backend": (
        "defaultdict functools has_arg np os py_all py_any py_slice py_sum sys tf threading transpose_shape warnings"
    ).split(),
    "callbacks": (
        "csv defaultdict deque io Iterable json K np OrderedDict os Progbar six standardize_input_data sys tf "
        "time warnings"
    ).split(),
    "callbacks.callbacks": (
        "csv defaultdict deque io Iterable json K np OrderedDict os Progbar six standardize_input_data time warnings"
    ).split(),
    "callbacks.tensorboard_v1": "K np os standardize_input_data warnings".split(),
    "callbacks.tensorboard_v2": "tf warnings".split(),
    "constraints": "deserialize_keras_object K serialize_keras_object six".split(),
    "initializers": "deserialize_keras_object K serialize_keras_object six".split(),
    "datasets.boston_housing": "get_file".split(),
    "datasets.fashion_mnist": "get_file".split(),
    "datasets.cifar": "cPickle sys".split(),
    "datasets.cifar10": "get_file K os".split(),
    "datasets.cifar100": "get_file K os".split(),
    "datasets.imdb": "cPickle get_file gzip json sys warnings zip".split(),
    "datasets.mnist": "cPickle get_file gzip np sys".split(),
    "datasets.reuters": "cPickle get_file json sys warnings zip".split(),
    "engine.base_layer": (
        "copy has_arg initializers interfaces is_all_none K object_list_uid re threading to_list unpack_singleton zip"
    ).split(),
    "engine.input_layer": "interfaces K unpack_singleton".split(),
    "engine.network": (
        "h5py ask_to_proceed_with_overwrite copy has_arg InputLayer interfaces json K Layer np object_list_uid os "
        "print_layer_summary saving to_list unpack_singleton warnings zip"
    ).split(),
    "engine.saving": (
        "h5py ask_to_proceed_with_overwrite conv_utils getargspec inspect json K losses np optimizers os tempfile "
        "warnings wraps zip"
    ).split(),
    "engine.sequential": "h5py copy Input InputLayer K Layer layer_module warnings".split(),
    "engine.topology": (
        "h5py ask_to_proceed_with_overwrite conv_utils copy func_dump func_load has_arg initializations "
        "initializers inspect interfaces json K np object_list_uid os print_layer_summary python_types re "
        "to_list warnings zip"
    ).split(),
    "engine.training": (
        "cbks collections Container copy GeneratorEnqueuer interfaces K Layer losses losses_utils "
        "metrics_module multiprocessing Network np objectives optimizers OrderedEnqueuer Progbar queue "
        "Sequence six threading time to_list training_arrays training_generator training_utils "
        "unpack_singleton warnings"
    ).split(),
    "engine.training_arrays": "cbks K np Progbar to_list unpack_singleton".split(),
    "engine.training_generator": (
        "cbks GeneratorEnqueuer K np OrderedEnqueuer Progbar Sequence to_list unpack_singleton warnings"
    ).split(),
    "engine.training_utils": (
        "collections copy generic_utils inspect K losses losses_utils metrics_module np OrderedDict Sequence "
        "six to_list warnings"
    ).split(),
    "initializations": "K".split(),
    "layers.merge": "K".split(),
    "objectives": "K".split(),
    "layers": (  # which imports all of its families
        "activations constraints conv_utils copy deserialize_keras_object func_dump func_load has_arg "
        "initializations initializers interfaces K np object_list_uid python_types regularizers to_list "
        "transpose_shape warnings"
    ).split(),
    "layers.advanced_activations": (
        "activations constraints initializations initializers interfaces K np regularizers to_list"
    ).split(),
    "layers.convolutional": (
        "activations constraints conv_utils functools initializations initializers interfaces K regularizers "
        "transpose_shape"
    ).split(),
    "layers.convolutional_recurrent": (
        "activations constraints conv_output_length conv_utils has_arg initializations initializers "
        "interfaces K np regularizers to_list transpose_shape warnings"
    ).split(),
    "layers.core": (
        "activations constraints conv_utils copy deserialize_keras_object func_dump func_load get_from_module "
        "has_arg initializations initializers inspect interfaces K np python_types regularizers warnings"
    ).split(),
    "layers.cudnn_recurrent": "constraints initializers K namedtuple regularizers".split(),
    "layers.embeddings": "constraints initializations initializers interfaces K regularizers to_list".split(),
    "layers.local": (
        "activations constraints conv_output_length conv_utils initializations initializers interfaces K regularizers"
    ).split(),
    "layers.noise": "interfaces K np".split(),
    "layers.normalization": "constraints initializations initializers interfaces K regularizers".split(),
    "layers.pooling": "conv_output_length conv_utils interfaces K".split(),
    "layers.recurrent": (
        "activations constraints has_arg initializations initializers interfaces K np regularizers to_list warnings"
    ).split(),
    "layers.wrappers": "copy has_arg K object_list_uid".split(),
    "legacy.interfaces": "functools np six warnings".split(),
    "legacy.layers": (
        "activations constraints conv_utils func_dump func_load has_arg initializers K np python_types "
        "regularizers to_list warnings"
    ).split(),
    "losses": "abc deserialize_keras_object K losses_utils serialize_keras_object six".split(),
    "metrics": (
        "abc deserialize_keras_object K Layer losses_utils metrics_utils np serialize_keras_object six tf types"
    ).split(),
    "models": (
        "h5py ask_to_proceed_with_overwrite copy has_arg interfaces json K layer_module legacy_layers "
        "legacy_models np optimizers os to_list topology warnings"
    ).split(),
    "optimizers": (
        "copy deserialize_keras_object get_custom_objects interfaces K np serialize_keras_object six tf zip"
    ).split(),
    "preprocessing": "backend utils".split(),
    "preprocessing.image": (
        "backend generic_utils image inspect K linalg multiprocessing np os partial range re threading utils warnings"
    ).split(),
    "preprocessing.sequence": "range sequence utils".split(),
    "preprocessing.text": "md5 range string sys text warnings zip".split(),
    "regularizers": "deserialize_keras_object K serialize_keras_object six warnings".split(),
    "utils.conv_utils": "K np range".split(),
    "utils.data_utils": (
        "abstractmethod closing functools hashlib HTTPError mp multiprocessing np os queue random shutil six "
        "sys tarfile threading ThreadPool time URLError urlopen urlretrieve warnings zipfile"
    ).split(),
    "utils.generic_utils": "binascii codecs collections inspect marshal np python_types six sys time".split(),
    "utils.io_utils": "h5py contextlib defaultdict np pickle six sys".split(),
    "utils.layer_utils": "get_from_module inspect K Model np Sequential".split(),
    "utils.losses_utils": "K np".split(),
    "utils.metrics_utils": "Enum K losses_utils Reduction to_list".split(),
    "utils.multi_gpu_utils": "clone_model concatenate K Lambda Model to_list".split(),
    "utils.np_utils": "K np range zip".split(),
    "utils.test_utils": (
        "assert_allclose BytesIO has_arg Input inspect K MagicMock Mock Model model_from_json np os patch "
        "Sequential six"
    ).split(),
    "utils.training_utils": "concatenate K Lambda Model".split(),
    "utils.vis_utils": "Model os Wrapper".split(),
    "wrappers.scikit_learn": "copy has_arg inspect losses np Sequential to_categorical to_list types".split(),
    "utils.visualize_util": "os Sequential Wrapper".split(),
}
