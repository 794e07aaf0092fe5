"""Where a program's batches come from: tensors on the device, arrays that are read as they are needed, or pipelines."""

from .feed import Batches, Feed
from .iterated import Iterated
from .resident import Resident
from .sampler import Sampler
from .streamed import Pieces, Source, Streamed

__all__ = ["Batches", "Feed", "Iterated", "Pieces", "Resident", "Sampler", "Source", "Streamed"]
