"""Write down the networks of Keras 2.15's `applications`, and what they compute: `architectures.json` beside this file.

    OTHER/bin/python tests/applications/make_architectures.py    # tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2'

Weights and pictures are drawn by numpy (`drawn_numbers.py`), so that they need no place in the file. Beginnings of
networks' names as arguments (`RegNet ResNetRS`) write only theirs anew.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import describing  # type: ignore[import-not-found]  # noqa: E402
import drawn_numbers  # type: ignore[import-not-found]  # noqa: E402
import keras  # noqa: E402


def main() -> None:
    """Write the file."""
    file = HERE / "architectures.json.gz"
    chosen = tuple(sys.argv[1:])
    record = json.loads(gzip.decompress(file.read_bytes())) if chosen else {"graphs": {}, "outputs": {}}
    graphs, outputs = record["graphs"], record["outputs"]
    record["keras"] = keras.__version__
    for case, (name, arguments) in describing.cases().items():
        if not name.startswith(chosen or name):
            continue
        keras.backend.clear_session()
        model = getattr(keras.applications, name)(weights=None, **arguments)
        graphs[case] = describing.digest(model)
        if not arguments and name in describing.FAMILIES:
            graphs[case]["lines"] = describing.lines(model)
        print(case, graphs[case]["layers"], graphs[case]["parameters"], flush=True)
    for name, arguments in drawn_numbers.CASES:
        if not name.startswith(chosen or name):
            continue
        keras.backend.clear_session()
        model = getattr(keras.applications, name)(weights=None, **arguments)
        outputs[name] = drawn_numbers.outputs(model).tolist()
    with gzip.GzipFile(file, "wb", mtime=0) as packed:
        packed.write(json.dumps(record, indent=1).encode())


if __name__ == "__main__":
    main()
