"""Training curves of random models, against those that Keras 2.15 wrote down.

`describe.describe(seed)` draws a model and how it is trained, as plain data; `build` makes it in either library;
`make_golden_curves.py` writes what Keras sees of it into `data/`, and `test_golden_curves.py` holds this package to it.
A new layer is a line in the table of its rank: `DENSE` (any rank), `VECTOR`, `SEQUENCE`, `IMAGE` or `VOLUME`.
"""
