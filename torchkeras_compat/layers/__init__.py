"""Layers by family; import them from here."""

from .advanced_activations import (
    ELU,
    LeakyReLU,
    ParametricSoftplus,
    PReLU,
    ReLU,
    Softmax,
    SReLU,
    ThresholdedReLU,
)
from .attention import AdditiveAttention, Attention
from .base import Layer
from .base.input_spec import InputSpec
from .classic_dense import Highway, MaxoutDense
from .classic_merge import Merge, merge
from .conv_lstm_cells import ConvLSTM2DCell
from .convolutional import Conv1D, Conv2D, Conv3D
from .convolutional import Conv1D as Convolution1D
from .convolutional import Conv2D as Convolution2D
from .convolutional import Conv3D as Convolution3D
from .convolutional_recurrent import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D, ConvRNN2D
from .core import (
    Activation,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Masking,
    Permute,
    RepeatVector,
    Reshape,
)
from .einsum_dense import EinsumDense
from .embeddings import Embedding
from .input_layer import Input, InputLayer
from .lambdas import Lambda
from .layer_normalization import GroupNormalization, LayerNormalization, UnitNormalization
from .locally_connected import LocallyConnected1D, LocallyConnected2D
from .merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .merging import MergingLayer as _Merge  # noqa: F401  # the name under which scripts subclass it
from .multi_head_attention import MultiHeadAttention
from .noise import (
    ActivityRegularization,
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from .normalization import BatchNormalization
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .pooling import AveragePooling1D as AvgPool1D
from .pooling import AveragePooling2D as AvgPool2D
from .pooling import AveragePooling3D as AvgPool3D
from .pooling import GlobalAveragePooling1D as GlobalAvgPool1D
from .pooling import GlobalAveragePooling2D as GlobalAvgPool2D
from .pooling import GlobalAveragePooling3D as GlobalAvgPool3D
from .pooling import GlobalMaxPooling1D as GlobalMaxPool1D
from .pooling import GlobalMaxPooling2D as GlobalMaxPool2D
from .pooling import GlobalMaxPooling3D as GlobalMaxPool3D
from .pooling import MaxPooling1D as MaxPool1D
from .pooling import MaxPooling2D as MaxPool2D
from .pooling import MaxPooling3D as MaxPool3D
from .preprocessing.encoding import CategoryEncoding, Discretization
from .preprocessing.hashing import HashedCrossing, Hashing
from .preprocessing.lookups import IntegerLookup, StringLookup
from .preprocessing.pictures import CenterCrop, Resizing
from .preprocessing.random_pictures import (
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomHeight,
    RandomRotation,
    RandomTranslation,
    RandomWidth,
    RandomZoom,
)
from .preprocessing.scaling import Normalization, Rescaling
from .preprocessing.text import TextVectorization
from .recurrent.base import RNN
from .recurrent.cells import AbstractRNNCell, GRUCell, LSTMCell, SimpleRNNCell
from .recurrent.cudnn import CuDNNGRU, CuDNNLSTM
from .recurrent.layers import GRU, LSTM, SimpleRNN
from .recurrent.stacked_cells import StackedRNNCells
from .reshaping import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from .separable import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from .separable import SeparableConv1D as SeparableConvolution1D
from .separable import SeparableConv2D as SeparableConvolution2D
from .serialization import deserialize, serialize
from .spectral_normalization import SpectralNormalization
from .torch_module import TorchModuleWrapper
from .transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from .transposed import Conv1DTranspose as Convolution1DTranspose
from .transposed import Conv2DTranspose as Convolution2DTranspose
from .transposed import Conv3DTranspose as Convolution3DTranspose
from .wrappers import Bidirectional, TimeDistributed, TimeDistributedDense, Wrapper

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "AbstractRNNCell",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM2DCell",
    "ConvLSTM3D",
    "ConvRNN2D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CuDNNGRU",
    "CuDNNLSTM",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "HashedCrossing",
    "Hashing",
    "Highway",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "MaxoutDense",
    "Merge",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "ParametricSoftplus",
    "Permute",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomHeight",
    "RandomRotation",
    "RandomTranslation",
    "RandomWidth",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SReLU",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "ThresholdedReLU",
    "TimeDistributed",
    "TimeDistributedDense",
    "TorchModuleWrapper",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "merge",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
