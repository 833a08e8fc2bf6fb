"""HDF5 files, read in Python alone.

What strangers send is damaged or hostile at times, and libhdf5 then loops or crashes; here every address, length and
count is held against the file before it is followed. Only reading is here, and only what files of models use: groups of
both forms, attributes, numbers and texts, data that lie in one piece, in the header, or in chunks that gzip may have
compressed. The rest is refused by name. Formats are those of the HDF Group's specification, version 3.0.
"""

from __future__ import annotations

from .nodes import Attributes, Dataset, Group, open_root, parts
from .source import Corrupt, Source, Unsupported

__all__ = ["Attributes", "Corrupt", "Dataset", "Group", "Source", "Unsupported", "open_root", "parts"]
