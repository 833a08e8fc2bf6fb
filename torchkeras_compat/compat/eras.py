"""In which dialect names of today's modules appeared: in an older one a star import puts them over nothing.

Written by `tests/compat/make_name_eras.py` from the sources of Keras 1.2.2, 2.0.8, 2.2.4 and 2.3.1. What stands nowhere
here was in 1.2.2; what none of them has is `'later'`.
"""

# Module of this package → dialect → the names that it was the first to have.
FIRST: dict[str, dict[str, str]] = {
    "activations": {
        "keras-2.2": ("deserialize exponential selu serialize"),
        "later": ("gelu mish swish"),
    },
    "backend": {
        "keras-2.2": (
            "bias_add constant conv2d_transpose conv3d_transpose cumprod cumsum depthwise_conv2d identity "
            "image_data_format is_placeholder is_tensor less less_equal local_conv1d local_conv2d logsumexp "
            "name_scope normalize_data_format separable_conv1d set_image_data_format slice truncated_normal"
        ),
        "keras-2.3": ("control_dependencies eager is_symbolic is_variable size symbolic v1_variable_initialization"),
        "later": ("binary_focal_crossentropy categorical_focal_crossentropy learning_phase_scope random_bernoulli"),
    },
    "callbacks": {
        "keras-2.2": ("TerminateOnNaN"),
        "later": ("BackupAndRestore"),
    },
    "constraints": {
        "keras-2.2": ("deserialize max_norm min_max_norm non_neg serialize unit_norm"),
        "later": ("RadialConstraint radial_constraint"),
    },
    "datasets": {
        "keras-2.2": ("boston_housing cifar10 cifar100 fashion_mnist imdb mnist reuters"),
        "later": ("california_housing"),
    },
    "datasets.reuters": {
        "later": ("get_label_names"),
    },
    "initializers": {
        "keras-2.2": (
            "Constant Identity Initializer Ones Orthogonal RandomNormal RandomUniform TruncatedNormal "
            "VarianceScaling Zeros constant deserialize lecun_normal ones random_normal random_uniform serialize "
            "truncated_normal zeros"
        ),
        "later": ("GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform variance_scaling"),
    },
    "layers": {
        "keras-2.2": (
            "Add AlphaDropout Average AvgPool1D AvgPool2D AvgPool3D Concatenate Conv2DTranspose Conv3DTranspose "
            "ConvLSTM2DCell ConvRNN2D Convolution2DTranspose CuDNNGRU CuDNNLSTM Deconv3D Deconvolution3D "
            "DepthwiseConv2D Dot GRUCell GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D "
            "GlobalMaxPool2D GlobalMaxPool3D LSTMCell MaxPool1D MaxPool2D MaxPool3D Maximum Minimum Multiply RNN "
            "ReLU SeparableConv1D SeparableConvolution1D SimpleRNNCell Softmax StackedRNNCells Subtract add "
            "average concatenate deserialize dot maximum minimum multiply serialize subtract"
        ),
        "later": (
            "AbstractRNNCell AdditiveAttention Attention CategoryEncoding CenterCrop Conv1DTranspose ConvLSTM1D "
            "ConvLSTM3D Convolution1DTranspose Convolution3DTranspose DenseFeatures DepthwiseConv1D "
            "Discretization EinsumDense GroupNormalization HashedCrossing Hashing Identity IntegerLookup "
            "LayerNormalization MultiHeadAttention Normalization RandomBrightness RandomContrast RandomCrop "
            "RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth RandomZoom Rescaling Resizing "
            "SpectralNormalization StringLookup TextVectorization UnitNormalization"
        ),
    },
    "losses": {
        "keras-2.2": ("categorical_hinge deserialize logcosh serialize"),
        "keras-2.3": (
            "BinaryCrossentropy CategoricalCrossentropy CategoricalHinge Hinge Huber KLDivergence LogCosh Loss "
            "MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson "
            "SparseCategoricalCrossentropy SquaredHinge cosine_similarity huber_loss"
        ),
        "later": (
            "BinaryFocalCrossentropy CategoricalFocalCrossentropy CosineSimilarity Reduction "
            "binary_focal_crossentropy categorical_focal_crossentropy huber kl_divergence log_cosh"
        ),
    },
    "metrics": {
        "keras-2.2": ("deserialize logcosh serialize sparse_top_k_categorical_accuracy"),
        "keras-2.3": (
            "AUC Accuracy BinaryAccuracy BinaryCrossentropy CategoricalAccuracy CategoricalCrossentropy "
            "CategoricalHinge CosineSimilarity FalseNegatives FalsePositives Hinge KLDivergence LogCoshError Mean "
            "MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanMetricWrapper MeanSquaredError "
            "MeanSquaredLogarithmicError Metric Poisson Precision Recall RootMeanSquaredError "
            "SensitivityAtSpecificity SparseCategoricalAccuracy SparseCategoricalCrossentropy "
            "SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge Sum TopKCategoricalAccuracy "
            "TrueNegatives TruePositives accuracy categorical_hinge cosine_similarity"
        ),
        "later": (
            "BinaryIoU F1Score FBetaScore IoU KLD MeanRelativeError MeanTensor OneHotIoU OneHotMeanIoU "
            "PrecisionAtRecall R2Score RecallAtPrecision binary_focal_crossentropy categorical_focal_crossentropy "
            "kl_divergence kld log_cosh"
        ),
    },
    "models": {
        "keras-2.2": ("clone_model"),
    },
    "optimizers": {
        "keras-2.2": ("deserialize serialize"),
        "later": ("Adafactor AdamW Ftrl Lion"),
    },
    "preprocessing.image": {
        "keras-2.2": ("apply_affine_transform apply_brightness_shift apply_channel_shift random_brightness save_img"),
        "keras-2.3": ("DataFrameIterator"),
        "later": ("smart_resize"),
    },
    "preprocessing.sequence": {
        "keras-2.2": ("TimeseriesGenerator"),
    },
    "preprocessing.text": {
        "keras-2.2": ("hashing_trick"),
        "keras-2.3": ("tokenizer_from_json"),
    },
    "regularizers": {
        "keras-2.2": ("L1L2 deserialize l1_l2 serialize"),
        "later": ("L1 L2 OrthogonalRegularizer orthogonal_regularizer"),
    },
    "utils": {
        "keras-2.2": (
            "GeneratorEnqueuer OrderedEnqueuer Sequence SequenceEnqueuer deserialize_keras_object "
            "get_source_inputs multi_gpu_model plot_model serialize_keras_object"
        ),
        "later": (
            "FeatureSpace SidecarEvaluator array_to_img audio_dataset_from_directory disable_interactive_logging "
            "enable_interactive_logging get_registered_name get_registered_object image_dataset_from_directory "
            "img_to_array is_interactive_logging_enabled load_img pack_x_y_sample_weight pad_sequences "
            "register_keras_serializable save_img set_random_seed split_dataset text_dataset_from_directory "
            "timeseries_dataset_from_array to_ordinal unpack_x_y_sample_weight warmstart_embedding_matrix"
        ),
    },
}
