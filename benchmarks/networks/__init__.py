"""Networks of the workloads as users of other libraries write them, with a workload's first values; a file a library.

Each has `NETWORKS`: by the name of a workload, a function of its values. What rawstep computes stands in
training/workloads; that these compute the same shows in their costs.
"""

import numpy as np

from ..work import TrainingWork


def float_examples(work: TrainingWork) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels as users of libraries hand them over.

    Images float32 from 0 to 1, [examples, pixels], or [examples, rows, columns, colours] for convolutions; labels int32
    [examples].
    """
    images, labels = work.examples()
    if work.name == "cnn" and images.ndim == 3:
        images = images[..., np.newaxis]
    return images.astype(np.float32) * np.float32(1 / 255), labels.astype(np.int32)
