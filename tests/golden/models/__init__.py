"""Functional, subclassed and wrapped models: golden numbers of Keras 2.15, and the tests that hold the package to them.

A case is a function that builds a model from the namespace it is handed, so that one text runs under Keras and here.
`observe.py` runs a case and says what is seen; `make_golden_models.py` writes that down under Keras 2.15, and the tests
compare it with what the package shows.
"""
