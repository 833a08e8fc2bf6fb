"""Golden numbers of Keras 2.15 and the tests that hold the package to them."""
