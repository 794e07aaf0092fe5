import core  # noqa: F401 - so that TensorFlow starts as it does for a user in whatever process imports a test module
