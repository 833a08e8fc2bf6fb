"""Writes `dots.json`: the dot text that Keras 2.15 makes of each case, boxes numbered instead of their ids.

pip install tensorflow-cpu==2.15.1 keras==2.15.0 'numpy<2' pydot==1.4.2
python tests/drawing/make_dots.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from cases import CASES


def main() -> None:
    """Write the file."""
    import keras

    texts: dict[str, Any] = {}
    for name, (build, arguments) in CASES.items():
        keras.backend.clear_session()
        text = keras.utils.model_to_dot(build(keras), **arguments).to_string()
        ids = dict.fromkeys(re.findall(r"\d{9,}", text))
        for number, layer_id in enumerate(ids):
            text = text.replace(layer_id, f"n{number}")
        texts[name] = text
    path = Path(__file__).with_name("dots.json")
    path.write_text(json.dumps(texts, indent=1) + "\n")


if __name__ == "__main__":
    main()
