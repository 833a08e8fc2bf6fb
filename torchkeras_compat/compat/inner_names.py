"""Names inside the modules of old Keras that no module of today has, as data: where each one is, or why it is not.

Read off the sources of Keras 1.2.2, 2.0.8, 2.2.4 and 2.3.1.
"""

from __future__ import annotations

from collections.abc import Iterable

Place = tuple[str, str]  # a module of this package, and a name in it


def _of(module: str, names: str | Iterable[str], **renamed: str) -> dict[str, Place]:
    names = names.split() if isinstance(names, str) else names
    return {name: (module, name) for name in names} | {old: (module, new) for old, new in renamed.items()}


def _helpers(module: str, names: str | Iterable[str], **renamed: str) -> dict[str, Place]:
    return _of(f"compat.helpers.{module}", names, **renamed)


GENERIC = _helpers(
    "generic",
    "check_for_unexpected_keys func_dump func_load get_from_module getargspec has_arg is_all_none make_tuple "
    "object_list_uid slice_arrays to_list transpose_shape unpack_singleton",
)
LENGTHS = _helpers("convolution", "conv_input_length conv_output_length")
KERNELS = _helpers("convolution", "convert_all_kernels_in_model convert_dense_weights_data_format convert_kernel")
LOOPS = (
    "batch_shuffle check_loss_and_target_compatibility collect_metrics make_batches standardize_class_weights "
    "standardize_input_data standardize_sample_or_class_weights standardize_sample_weights standardize_weights "
    "weighted_masked_objective"
).split()
TRAINING = {
    **_helpers("training", [*LOOPS, "check_array_length_consistency", "check_num_samples", "iter_sequence_infinite"]),
    **_helpers("training", "is_generator_or_sequence is_sequence should_run_validation"),
    **_helpers("training", (), **{f"_{name}": name for name in LOOPS}),  # 2.0.8 has them with an underscore
    **_helpers(
        "training",
        (),
        check_array_lengths="check_array_length_consistency",
        _check_array_lengths="check_array_length_consistency",
        weighted_objective="weighted_masked_objective",
    ),
    **_helpers("generic", (), slice_X="slice_arrays", slice_arrays="slice_arrays", _slice_arrays="slice_arrays"),
}
NODES = {
    **_of("_core.symbolic", "Node"),
    **_of("utils", "get_source_inputs"),
    **_helpers("generic", (), _to_list="to_list", _object_list_uid="object_list_uid", _is_all_none="is_all_none"),
    **_of("_core.settings", (), _to_snake_case="snake_case"),
}
WEIGHTING = _helpers("weighting", "broadcast_weights compute_weighted_loss reduce_weighted_loss")
SUPPORTS = (
    "add_weight batchnorm conv1d conv2d conv3d convlstm2d cropping2d cropping3d deconv2d dense dropout embedding "
    "gaussiandropout gaussiannoise generator_methods get_updates global_pooling lambda model_constructor "
    "pooling1d pooling2d pooling3d prelu recurrent separable_conv2d spatialdropout1d spatialdropoutNd upsampling1d "
    "upsampling2d upsampling3d zeropadding2d zeropadding3d"
).split()

# Facade module → old name → where it is.
INNER: dict[str, dict[str, Place]] = {
    "activations": _helpers("generic", "get_from_module"),
    "applications.imagenet_utils": _of("applications.imagenet_utils", (), _obtain_input_shape="obtain_input_shape"),
    "backend.tensorflow_backend": _of("compat.tensorflow_sessions", (), _get_available_gpus="available_gpus"),
    "constraints": _helpers("generic", "get_from_module"),
    "datasets.cifar": _helpers("files", "load_batch"),
    "datasets.cifar10": _helpers("files", "load_batch"),
    "datasets.cifar100": _helpers("files", "load_batch"),
    "engine": _of("utils", "get_source_inputs"),
    "engine.base_layer": NODES | _of("utils.layer_utils", "count_params"),
    "engine.input_layer": NODES,
    "engine.network": NODES,
    "engine.topology": NODES,
    "engine.training": TRAINING,
    "engine.training_arrays": TRAINING,
    "engine.training_generator": TRAINING,
    "engine.training_utils": TRAINING,
    "initializations": _helpers("generic", "get_from_module") | _of("compat.initializations", "get get_fans"),
    "initializers": _of("initializers", (), _compute_fans="compute_fans"),
    "layers": _helpers("recurrent", "Recurrent"),
    "legacy.layers": _helpers("recurrent", "Recurrent"),
    "layers.convolutional": _helpers("bases", "_Conv") | LENGTHS,
    "layers.merge": _of("layers.merging", (), _Merge="MergingLayer"),
    "layers.pooling": _helpers("bases", [f"_{kind}{n}D" for kind in ("Pooling", "GlobalPooling") for n in (1, 2, 3)]),
    "layers.recurrent": _helpers(
        "recurrent", "Recurrent time_distributed_dense", _time_distributed_dense="time_distributed_dense"
    ),
    "legacy.interfaces": _helpers(
        "interfaces",
        [
            *(f"legacy_{name}_support" for name in SUPPORTS),
            *("generate_legacy_interface", "generate_legacy_method_interface", "raise_duplicate_arg_error"),
        ],
    ),
    "legacy.models": _of("layers", "Merge") | _helpers("graph_model", "Graph"),
    "losses": _of("losses.base", (), LossFunctionWrapper="FunctionLoss")
    | _helpers("models", "is_categorical_crossentropy"),
    "metrics": _helpers("models", "clone_metric clone_metrics")
    | _helpers("generic", "get_from_module")
    | _of("metrics", (), f1score="fmeasure", fscore="fmeasure"),
    "layers.containers": _helpers("graph_model", "Graph"),
    "models": _of("layers", "Input InputLayer Layer Merge")
    | _helpers("graph_model", "Graph")
    | _of("_core.symbolic", "Node")
    | _of("utils", "get_source_inputs")
    | _of("optimizers", (), optimizer_from_config="deserialize"),
    "objectives": _helpers("generic", "get_from_module"),
    "optimizers": _of("optimizers", (), optimizer_from_config="deserialize")
    | _helpers("gradients", "clip_norm")
    | _helpers("generic", "get_from_module"),
    "preprocessing.image": _helpers("pictures", "apply_transform list_pictures transform_matrix_offset_center")
    | _of("utils", "image_dataset_from_directory"),
    "preprocessing.text": _of("utils", "text_dataset_from_directory"),
    "regularizers": _helpers("generic", "get_from_module"),
    "utils": _helpers("convolution", "convert_all_kernels_in_model convert_kernel"),
    "utils.conv_utils": {
        **_helpers("convolution", "convert_kernel deconv_length normalize_padding normalize_tuple"),
        **LENGTHS,
        **_of("backend", "normalize_data_format"),
    },
    "utils.data_utils": _helpers("files", "validate_file", _hash_file="hash_file"),
    "utils.generic_utils": GENERIC,
    "utils.io_utils": _helpers("files", "ask_to_proceed_with_overwrite"),
    "utils.layer_utils": {
        **KERNELS,
        **_of("utils", "get_source_inputs"),
        **_of("utils.layer_utils", "count_params"),
        **_helpers("models", "count_total_params"),
        **_of("layers", (), layer_from_config="deserialize"),
    },
    "utils.losses_utils": WEIGHTING
    | _of("losses", "Reduction")
    | _helpers("weighting", "squeeze_or_expand_dimensions"),
    "utils.metrics_utils": _helpers(
        "confusion",
        "AUCCurve AUCSummationMethod ConfusionMatrix NEG_INF assert_thresholds_range filter_top_k "
        "parse_init_thresholds update_confusion_matrix_variables weighted_assign_add",
    ),
    "utils.np_utils": {
        **_helpers("convolution", "convert_kernel"),
        **LENGTHS,
        **_helpers(
            "scores", "accuracy binary_logloss categorical_probas_to_classes multiclass_logloss probas_to_classes"
        ),
    },
    "utils.test_utils": _helpers("testing", "get_test_data keras_test layer_test"),
    "utils.visualize_util": _of("utils", (), plot="plot_model", to_graph="model_to_dot"),
}

_TRAIN = "a model trains itself; write model.fit, model.evaluate or model.predict"
_FILE = "write model.save_weights(path), model.load_weights(path) and model.to_json()"
_OBJECTS = "write keras.losses.get(name), keras.metrics.get(name), or a train_step of your own"
_DEVICES = "write torch.cuda.device_count()"
_TABLES = "its rewriting of arguments is a table here; write generate_legacy_interface(conversions=[(old, new)])"
_DRAWN = "write K.dropout(K.ones_like(x), rate)"

# Facade module → a name that means nothing here → what to write.
REFUSED: dict[str, dict[str, str]] = {
    "applications": {"keras_modules_injection": "the networks need no modules of Keras given; leave the decorator out"},
    "backend": {
        "legacy_weight_ordering": "weights are always in today's order",
        "pattern_broadcast": "axes of size 1 are broadcast by themselves; write x",
    },
    "engine.base_layer": {"disable_tracking": "attributes may be set at any time; leave the decorator out"},
    "engine.saving": {
        **dict.fromkeys(("save_weights_to_hdf5_group", "load_weights_from_hdf5_group"), _FILE),
        "load_weights_from_hdf5_group_by_name": "write model.load_weights(path, by_name=True)",
        "preprocess_weights_for_loading": "write model.load_weights(path), which converts old weights",
        **dict.fromkeys(("load_attributes_from_hdf5_group", "save_attributes_to_hdf5_group"), _FILE),
        **dict.fromkeys(("pickle_model", "unpickle_model"), "write pickle.dumps(model) and pickle.loads(text)"),
        **dict.fromkeys(("allow_read_from_gcs", "allow_write_to_gcs"), "copy the file to or from the bucket yourself"),
        **dict.fromkeys(("load_from_binary_h5py", "save_to_binary_h5py"), "write h5py.File(io.BytesIO(), 'w')"),
        "HDF5_OBJECT_HEADER_LIMIT": "it is 64512 in every file of HDF5",
    },
    "engine.training_arrays": dict.fromkeys(("fit_loop", "test_loop", "predict_loop"), _TRAIN),
    "engine.training_generator": dict.fromkeys(("fit_generator", "evaluate_generator", "predict_generator"), _TRAIN),
    "engine.training_utils": dict.fromkeys(
        (
            "call_metric_function check_generator_arguments collect_per_output_metric_info get_input_shape_and_dtype "
            "get_loss_function get_metric_function get_metric_name get_output_sample_weight_and_mode "
            "get_static_batch_size prepare_loss_functions prepare_loss_weights prepare_sample_weights "
            "standardize_single_array"
        ).split(),
        _OBJECTS,
    ),
    "legacy.interfaces": {
        "legacy_input_support": _TABLES,
        **{
            f"{name}_args_preprocessor": _TABLES
            for name in "batchnorm conv1d conv2d conv3d convlstm2d deconv2d generator_methods recurrent "
            "separable_conv2d zeropadding2d".split()
        },
        **dict.fromkeys(("add_weight_args_preprocessing", "get_updates_arg_preprocessing"), _TABLES),
        "embedding_kwargs_preprocessor": _TABLES,
    },
    "legacy.models": dict.fromkeys(
        ("needs_legacy_support", "legacy_sequential_layers"), "a Sequential may begin with a Merge; write model.layers"
    ),
    "layers.recurrent": {
        "_generate_dropout_mask": _DRAWN,
        "_standardize_args": "write inputs, initial_state = inputs[0], inputs[1:] where a list comes",
    },
    "metrics": {
        "Reduce": "write a subclass of metrics.Metric",
        "BaseMeanIoU": "write a subclass of metrics.MeanIoU",
        "SensitivitySpecificityBase": "write a subclass of metrics.SensitivityAtSpecificity",
    },
    "optimizers": {"TFOptimizer": "give compile(optimizer=…) an optimizer of keras.optimizers or torch.optim itself"},
    "regularizers": {
        "EigenvalueRegularizer": "write kernel_regularizer=lambda w: k * torch.linalg.matrix_norm(w, 2), the root of "
        "the largest eigenvalue",
    },
    "preprocessing.text": {"maketrans": "write str.maketrans(old, new)"},
    "utils.data_utils": {
        **dict.fromkeys(
            ("get_index", "init_pool", "init_pool_generator", "next_sample"),
            "give the generator or Sequence to fit, as it is",
        ),
    },
    "utils.io_utils": {
        "save_array": "write numpy.save(path, array)",
        "load_array": "write numpy.load(path)",
        **dict.fromkeys(("H5Dict", "h5dict"), "write h5py.File(path)"),
        **dict.fromkeys(("load_from_binary_h5py", "save_to_binary_h5py"), "write h5py.File(io.BytesIO(), 'w')"),
        "HDF5_OBJECT_HEADER_LIMIT": "it is 64512 in every file of HDF5",
    },
    "utils.metrics_utils": {
        **dict.fromkeys(
            ("result_wrapper", "update_state_wrapper"),
            "a subclass of metrics.Metric needs none; leave the decorator out",
        ),
    },
    "utils.multi_gpu_utils": dict.fromkeys(("_get_available_devices", "_normalize_device_name"), _DEVICES),
    "utils.test_utils": {"tf_file_io_proxy": "copy the file to or from the bucket yourself"},
    "utils.vis_utils": {
        **dict.fromkeys(("add_edge", "is_model", "is_wrapped_model"), "write isinstance(layer, Model)"),
        **dict.fromkeys(
            ("check_graphviz", "check_pydot", "_check_pydot"), "leave it out, matplotlib draws without them"
        ),
    },
}
for _module in ("layers.recurrent", "layers.wrappers"):
    REFUSED.setdefault(_module, {}).update(REFUSED["engine.base_layer"])
for _module in ("backend.common", "backend.tensorflow_backend"):
    REFUSED[_module] = dict(REFUSED["backend"])
for _module in ("engine.topology", "models"):
    REFUSED[_module] = REFUSED["engine.saving"]
# Layers of Keras 0.x.
_OLD_LAYERS = {
    "AutoEncoder": "write model.add(encoder) and model.add(decoder); Model(model.input, encoder.output) gives the code",
    **dict.fromkeys(("JZS1", "JZS2", "JZS3"), "write GRU, of which it is a variant, or a cell of your own for RNN"),
    "SimpleDeepRNN": "write SimpleRNN layers with return_sequences=True, one behind the other",
    "TimeDistributedMerge": "write Lambda(lambda x: K.sum(x, axis=1)), or GlobalAveragePooling1D() for mode='ave'",
    "LambdaMerge": "write Merge(layers, mode=function, output_shape=…)",
    **dict.fromkeys(("Siamese", "SiameseHead"), "write one layer and call it on each input: layer(a), layer(b)"),
    "MaskedLayer": "write a subclass of Layer with supports_masking = True",
    "WordContextProduct": "write merge([Embedding(…)(a), Embedding(…)(b)], mode='dot')",
}
for _module in "layers layers.core layers.recurrent layers.embeddings".split():
    REFUSED.setdefault(_module, {}).update(_OLD_LAYERS)
REFUSED["utils"] = {name: REFUSED["utils.io_utils"][name] for name in ("H5Dict", "h5dict")}

# Modules that mean nothing here → what to write; importing one says so.
NO_MODULES: dict[str, str] = {
    **{
        f"backend.{name}": "there is one backend, torch; write from keras import backend as K"
        for name in ("theano_backend", "cntk_backend", "numpy_backend", "load_backend")
    },
}
for _path, _instead in NO_MODULES.items():  # `from keras.backend import theano_backend` asks for a name
    _holder, _, _name = _path.rpartition(".")
    REFUSED.setdefault(_holder, {})[_name] = _instead
