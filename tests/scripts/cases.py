"""What each script comes to, and which of its old spellings are told."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A script of old.

    Attributes:
        least: The smallest number that its last line may tell.
        most: The largest one.
        reason: Why a network that has learned comes to lie between them, and one that guesses does not.
        told: The old spellings that it was written for, of those that the run tells at its end.
        needs: Its data sets, and the packages beside numpy that it imports.
    """

    least: float
    most: float
    reason: str
    told: str
    needs: str = ""


CASES: dict[str, Case] = {
    "keras_0_3/addition_rnn": Case(
        0.9,
        1,
        "right characters of sums; the commonest one of each place gives .51",
        "keras.layers.core keras.layers.recurrent LSTM(inner_init=…) LSTM(inner_activation=…) "
        "LSTM(forget_bias_init=…) fit(nb_epoch=…)",
    ),
    "keras_0_3/maxout": Case(
        0,
        0.5,
        "squared error of prices, as a part of their variance",
        "keras.layers.core keras.layers.advanced_activations keras.objectives MaxoutDense(output_dim=…) "
        "MaxoutDense(init=…) Highway(W_regularizer=…) SReLU(t_left_init=…) SReLU(a_right_init=…) Dense(bias=…)",
        "boston_housing sklearn",
    ),
    "keras_0_3/mnist_mlp": Case(
        0.85,
        1,
        "accuracy; guessing gives .1",
        "keras.utils.np_utils Dense(output_dim=…) Dense(init=…) Dense(W_regularizer=…) Dense(b_regularizer=…) "
        "Dense(W_constraint=…) Dropout(p=…) maxnorm MaxNorm(m=…) L2(l=…) 'uniform' SGD(lr=…) compile(class_mode=…)",
        "mnist",
    ),
    "keras_0_3/two_branches": Case(
        0.7,
        1,
        "accuracy of a sign of products; guessing gives .5",
        "keras.layers.normalization keras.layers.noise to_categorical(nb_classes=…) GaussianNoise(sigma=…) "
        "PReLU(init=…) Dense(b_constraint=…) 'nonneg' compile(show_accuracy=…)",
    ),
    "keras_1_0/cifar10_cnn": Case(
        0.3,
        1,
        "accuracy after 190 steps; guessing gives .1",
        "keras.layers.convolutional Convolution2D Conv2D(…,3,3) Conv2D(border_mode=…) Conv2D(subsample=…) "
        "MaxPooling2D(border_mode=…) ImageDataGenerator(dim_ordering=…) fit_generator(samples_per_epoch=…) "
        "fit_generator(nb_epoch=…) fit_generator(max_q_size=…) fit_generator(nb_worker=…) "
        "fit_generator(pickle_safe=…)",
        "cifar-10-batches-py",
    ),
    "keras_1_0/custom_layer": Case(
        0.8,
        1,
        "accuracy of which of two sums of absolute values is the larger; guessing gives .5",
        "keras.engine.topology keras.initializations np.float 'normal' Dense(init=…)",
    ),
    "keras_1_0/imdb_cnn_lstm": Case(
        0.65,
        1,
        "accuracy; guessing gives .5",
        "keras.layers.embeddings load_data(nb_words=…) Embedding(dropout=…) Embedding(init=…) Convolution1D "
        "Conv1D(nb_filter=…) Conv1D(filter_length=…) Conv1D(subsample_length=…) MaxPooling1D(pool_length=…) "
        "MaxPooling1D(stride=…) LSTM(dropout_W=…) LSTM(dropout_U=…) LSTM(consume_less=…)",
        "imdb",
    ),
    "keras_1_0/stateful_lstm": Case(
        0,
        0.004,
        "squared error of a cosine; the value of the step before, which has no memory, comes to .0055",
        "LSTM(U_regularizer=…) GRU(output_dim=…) GRU(inner_activation=…) Dense(output_dim=…)",
        "matplotlib",
    ),
    "keras_1_2/callbacks": Case(
        86,
        100,
        "percent right; a linear model comes to 83",
        "BatchNormalization(mode=…) BatchNormalization(beta_init=…) BatchNormalization(gamma_init=…) Adam(lr=…) "
        "ReduceLROnPlateau(epsilon=…) 'one' 'zero'",
        "tensorboard",
    ),
    "keras_1_2/conv_autoencoder": Case(
        0,
        0.7,
        "squared error, as a part of the variance of the pictures",
        "Convolution2D AtrousConvolution2D SeparableConvolution2D Deconvolution2D Conv2D(nb_filter=…) "
        "Conv2D(nb_row=…,nb_col=…) Conv2D(atrous_rate=…) Conv2D(dim_ordering=…) Conv2D(b_regularizer=…) "
        "Conv2DTranspose(output_shape=…) Conv2DTranspose(subsample=…) SeparableConv2D(init=…) SpatialDropout2D(p=…) "
        "UpSampling2D(dim_ordering=…) Cropping2D(dim_ordering=…) MaxPooling2D(dim_ordering=…) "
        "BatchNormalization(mode=…)",
        "mnist",
    ),
    "keras_1_2/grid_search": Case(
        0.85,
        1,
        "accuracy of the best of the grid; guessing gives .5",
        "Dense(init=…) Dense(W_constraint=…) Dropout(p=…) maxnorm fit(nb_epoch=…) np.int",
        "sklearn",
    ),
    "keras_1_2/merge_modes": Case(
        0.8,
        1,
        "accuracy; always answering the commonest word gives .47",
        "keras.engine Model(input=…) Model(output=…) Embedding(W_regularizer=…) Dense(bias=…)",
    ),
    "keras_1_2/sequence_tagging": Case(
        0.9,
        1,
        "accuracy over the words that are there; a network that reads one way only cannot tell the third tag",
        "keras.layers.wrappers GRU(output_dim=…) GRU(dropout_W=…) GRU(inner_init=…) Dense(W_constraint=…) 'maxnorm'",
    ),
    "keras_1_2/siamese": Case(
        70,
        100,
        "percent right; guessing gives 50",
        "Model(input=…) Model(output=…) Dropout(p=…) fit(nb_epoch=…)",
        "mnist",
    ),
    "keras_1_2/vae": Case(
        0,
        200,
        "nats a picture; the mean picture of all digits alone gives 208",
        "keras.objectives random_normal(std=…) Model(input=…) Model(output=…) Dense(init=…)",
        "mnist",
    ),
    "keras_2_0/inner_outputs": Case(
        0.9,
        1,
        "what the ascent raises the probability of a three to, from some .1",
        "keras.utils.np_utils",
        "mnist",
    ),
    "keras_2_0/multi_output": Case(
        0,
        0.9,
        "squared error of a sum whose variance is 1.5; without the sequence .25 would be left",
        "keras.engine.topology",
    ),
    "keras_2_0/pretrained_embeddings": Case(
        0.8,
        1,
        "accuracy; guessing gives .5",
        "keras.utils.np_utils keras.layers.merge MaxPooling1D(pool_length=…)",
    ),
    "keras_2_0/reuters_mlp": Case(
        0.7,
        1,
        "accuracy; guessing among four gives .25",
        "load_data(nb_words=…) Tokenizer(nb_words=…)",
        "reuters",
    ),
    "keras_2_0/text_generation": Case(
        1.5,
        2.75,
        "nats a character; their frequencies alone give 3.0",
        "keras.utils.data_utils RMSprop(lr=…)",
        "nietzsche",
    ),
    "keras_2_2/attention": Case(
        0.85,
        1,
        "accuracy; guessing gives .5",
        "keras.engine.topology Adam(lr=…)",
    ),
    "keras_2_2/class_weight": Case(
        0.8,
        1,
        "recall of a class of one in twenty, of which a linear model without weights finds .58",
        "keras.layers.core keras.utils.np_utils np.int 'zero' 'normal' Adam(lr=…)",
        "sklearn",
    ),
    "keras_2_2/data_generator": Case(
        0.8,
        1,
        "accuracy; guessing among three gives .33",
        "MaxPool2D AvgPool2D evaluate_generator(max_q_size=…)",
    ),
    "keras_2_2/gan": Case(
        1.5,
        2.5,
        "the mean radius of points on a ring of radius 2; it begins below 1",
        "keras.layers.advanced_activations LeakyReLU(negative_slope=…)",
    ),
    "keras_2_2/save_and_load": Case(
        0,
        0.2,
        "squared error of a sum whose variance is .45",
        "keras.utils.generic_utils Dense(W_regularizer=…) 'uniform' 'normal'",
        "h5py matplotlib",
    ),
    "keras_2_3/imdb_bidirectional_lstm": Case(
        0.7,
        1,
        "accuracy; guessing gives .5",
        "ReduceLROnPlateau(epsilon=…)",
        "imdb",
    ),
    "keras_2_3/mnist_cnn": Case(
        0.8,
        1,
        "accuracy; guessing gives .1",
        "keras.utils.np_utils keras.layers.convolutional RMSprop(lr=…)",
        "mnist matplotlib scipy",
    ),
    "keras_2_3/time_series": Case(
        0,
        0.2,
        "squared error, as a part of the variance of the series",
        "keras.layers.pooling Adam(lr=…)",
    ),
    "tf_keras_1/contrib_wide_deep": Case(
        0.9,
        1,
        "accuracy; the numbers without the category give .86",
        "RMSprop(lr=…)",
    ),
    "tf_keras_1/cudnn_lstm": Case(
        0.8,
        1,
        "accuracy; guessing among three tones gives .33",
        "Adam(lr=…)",
    ),
    "tf_keras_1/mnist_tf_python": Case(
        0.8,
        1,
        "accuracy; guessing gives .1",
        "tensorflow.python.keras.layers.core tensorflow.python.keras.utils.np_utils Adam(lr=…)",
        "mnist",
    ),
    "tf_keras_2/conv_lstm_tagging": Case(
        0.7,
        1,
        "accuracy; guessing among four ways gives .25",
        "MaxPool2D AvgPool2D GlobalAvgPool2D GlobalMaxPool2D",
    ),
    "tf_keras_2/denoising": Case(
        0,
        0.7,
        "squared error, as a part of that of the noisy picture",
        "Adam(lr=…)",
        "mnist h5py",
    ),
    "tf_keras_2/subclassed": Case(
        0,
        4.5,
        "thousand dollars of error; the mean price alone is wrong by 6.5",
        "RMSprop(lr=…)",
        "boston_housing",
    ),
}
