"""The scripts in the folders beside this file import Keras: they are run, and hold no doctests."""

collect_ignore_glob = ["*/*.py"]
