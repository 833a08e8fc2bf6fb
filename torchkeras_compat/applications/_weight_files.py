"""Where weights that were trained on ImageNet are: the files that Keras's authors published."""

from __future__ import annotations

from dataclasses import dataclass

from ..utils.files import FOLDER_VARIABLE, file_of_package, provided
from ._checksums import CHECKSUMS

ORIGIN = "https://storage.googleapis.com/tensorflow/keras-applications/"
EFFICIENTNETS = "https://storage.googleapis.com/keras-applications/"
CLASS_INDEX = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
CLASS_INDEX_MD5 = "c2c37ea517e94d9795004a39431a14cb"
CACHE = "models"
"""Where they are kept, in `~/.keras`."""


@dataclass(frozen=True)
class WeightFile:
    """A file of weights.

    Attributes:
        name: Its name in the cache.
        origin: The folder it is in, as a URL.
        checksum: Its checksum; `None` for those that their authors gave none.
        published_as: Its name at its origin, where it is another one.
    """

    name: str
    origin: str
    checksum: str | None = None
    published_as: str | None = None

    def path(self, owner: str) -> str:
        """Return where it is, loaded into the cache if it is nowhere yet.

        Args:
            owner: Whose file it is, for messages.

        Raises:
            DownloadError: It is not there and cannot be loaded.
        """
        return located(owner, self.name, self.origin + (self.published_as or self.name), self.checksum)


def published(network: str, folder: str, include_top: bool) -> WeightFile:
    """Return the file of a network in TensorFlow's order of dimensions.

    Args:
        network: Its name in the file's.
        folder: The folder at the origin.
        include_top: Whether the head is in it.
    """
    ending = "" if include_top else "_notop"
    name = f"{network}_weights_tf_dim_ordering_tf_kernels{ending}.h5"
    return WeightFile(name, f"{ORIGIN}{folder}/", CHECKSUMS[network][not include_top])


def located(owner: str, name: str, origin: str, checksum: str | None) -> str:
    """Return where a file is: in the user's folder, in the cache, or loaded into the cache."""
    if (path := provided(name)) is not None:
        return path
    advice = (
        f"put {name} into ~/.keras/{CACHE}, or into a folder that {FOLDER_VARIABLE} names; weights=None makes the "
        f"network without it."
    )
    return file_of_package(owner, name, origin, without_network=advice, cache_subdir=CACHE, file_hash=checksum)
