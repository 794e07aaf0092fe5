"""Networks of the workloads as users of other libraries write them, with a workload's first values; a file a library.

Each has `NETWORKS`: by the name of a workload, a function of it and of its values. What rawstep computes stands in
training/workloads; that these compute the same shows in their costs.
"""

import numpy as np

from training.workloads.images import Images

from ..work import TrainingWork


def usual_examples(work: TrainingWork) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels as users of libraries hand them over.

    Images float32 from 0 to 1, or as --pixels standardised says, [examples, pixels], or [examples, rows, columns,
    colours] for convolutions; tokens as they are; labels int32 [examples].
    """
    inputs, labels = work.examples()
    if isinstance(work.workload, Images) and work.workload.divides(inputs.dtype):
        inputs = inputs.astype(np.float32) * np.float32(1 / 255)
    if work.name == "cnn" and inputs.ndim == 3:
        inputs = inputs[..., np.newaxis]
    return inputs, labels.astype(np.int32)
