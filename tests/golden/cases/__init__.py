"""Tables of golden cases in Keras's own names: data only, importing neither Keras nor the package under test.

A value in a table is JSON, with escapes that `make.runtime.resolve` and `support.resolve` turn into objects:
`{"$": "losses.Huber", "delta": 2.0}` is the object that this class makes; `{"$ref": "losses.mean_squared_error"}` is
the named object itself; `{"$fn": "halve"}` is a function of `cases/functions.py`; a string `"@x"` is the array `x`.
"""
