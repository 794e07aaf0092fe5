"""The one exception that means: what was given is wrong, and this sentence says how."""


class InputError(ValueError):
    """A setting, tensor or file that cannot be used; its message is one sentence for the person who gave it."""
