"""Where weights that were trained on ImageNet are: names and checksums of the files that Keras's authors published."""

from __future__ import annotations

from dataclasses import dataclass

from ..utils.files import FOLDER_VARIABLE, file_of_package, provided

ORIGIN = "https://storage.googleapis.com/tensorflow/keras-applications/"
EFFICIENTNETS = "https://storage.googleapis.com/keras-applications/"
CLASS_INDEX = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
CLASS_INDEX_MD5 = "c2c37ea517e94d9795004a39431a14cb"
CACHE = "models"
"""Where they are kept, in `~/.keras`."""

# Network → MD5 of its file with the head, and of that without.
MD5: dict[str, tuple[str, str]] = {
    "vgg16": ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
    "vgg19": ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
    "inception_v3": ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"),
    "xception": ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
    "densenet121": ("9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": ("d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "densenet201": ("1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
    "efficientnetb0": ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "efficientnetb1": ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "efficientnetb2": ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "efficientnetb3": ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "efficientnetb4": ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "efficientnetb5": ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "efficientnetb6": ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "efficientnetb7": ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
}


@dataclass(frozen=True)
class WeightFile:
    """A file of weights.

    Attributes:
        name: Its name in the cache and at its origin.
        origin: The folder it is in, as a URL.
        md5: Its checksum; `None` for those that their authors gave none.
    """

    name: str
    origin: str
    md5: str | None = None

    def path(self, owner: str) -> str:
        """Return where it is, loaded into the cache if it is nowhere yet.

        Args:
            owner: Whose file it is, for messages.

        Raises:
            DownloadError: It is not there and cannot be loaded.
        """
        return located(owner, self.name, self.origin + self.name, self.md5)


def published(network: str, folder: str, include_top: bool) -> WeightFile:
    """Return the file of a network in TensorFlow's order of dimensions.

    Args:
        network: Its name in the file's.
        folder: The folder at the origin.
        include_top: Whether the head is in it.
    """
    ending = "" if include_top else "_notop"
    name = f"{network}_weights_tf_dim_ordering_tf_kernels{ending}.h5"
    return WeightFile(name, f"{ORIGIN}{folder}/", MD5[network][not include_top])


def located(owner: str, name: str, origin: str, md5: str | None) -> str:
    """Return where a file is: in the user's folder, in the cache, or loaded into the cache."""
    if (path := provided(name)) is not None:
        return path
    advice = (
        f"put {name} into ~/.keras/{CACHE}, or into a folder that {FOLDER_VARIABLE} names; weights=None makes the "
        f"network without it."
    )
    return file_of_package(owner, name, origin, without_network=advice, cache_subdir=CACHE, file_hash=md5)
