"""Random generators by seed and name, so that no use of randomness disturbs another."""

import numpy as np


def generator(seed: int, name: str) -> np.random.Generator:
    """The NumPy generator that `seed` gives to the purpose `name` ("weights", "sampler" …).

    Streams of different names are independent: drawing more from one never changes what another gives.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(name.encode())))
