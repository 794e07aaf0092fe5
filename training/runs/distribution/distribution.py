"""What a run computes on: one device, or the replicas of a strategy; and what its workers agree on."""

import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from core import WorkerLostError

from ...workloads.workload import Data, fingerprint
from ..settings import Settings
from ..versions import versions
from .cluster import Cluster, cluster_of_environment
from .meeting import meet
from .options import ALONE, Placement
from .strategies import mirrored, multi_worker

LOST = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)
"""What TensorFlow raises in a worker that lacks another, by the moment at which it was lost."""
PAUSE = 2.0
"""Seconds before a worker ends that has lost another, so that the rest find the same one lost, and not this."""


class Distribution:
    """The replicas of a run, and the cluster that they are in.

    `begin` connects them; before that, all is of this process alone.

    placement: the options. cluster: of multi-worker, else None. strategy: of tf.distribute, from `begin` on; None for
    one device.

    Raises InputError for a TF_CONFIG that is no cluster.
    """

    def __init__(self, placement: Placement = ALONE):
        self.placement = placement
        self.cluster: Cluster | None = cluster_of_environment() if placement.strategy == "multi-worker" else None
        self.strategy: Any = None
        self._gathering: dict[Any, Any] = {}

    @property
    def is_chief(self) -> bool:
        """Whether this process prints and writes; the others of a cluster only compute."""
        return self.cluster is None or self.cluster.is_chief

    @property
    def worker(self) -> tuple[int, int]:
        """The number of this process among those of the cluster, and how many these are."""
        if self.cluster is None:
            return 0, 1
        return self.cluster.workers.index(self.cluster.own), len(self.cluster.workers)

    @property
    def replicas(self) -> int:
        return 1 if self.strategy is None else self.strategy.num_replicas_in_sync

    def begin(self, settings: Settings, data: Data, others: Mapping[str, Any]) -> None:
        """Connects the replicas, in a cluster after all workers have met; see `meeting.meet`.

        They must agree in rawstep, TensorFlow and NumPy, in all settings except where the data are, in the data, and in
        `others`, by name.

        Raises InputError for what is wrong with a cluster, and for devices that are not there.
        """
        if self.cluster is not None:
            computing = {name: version for name, version in versions().items() if name != "python"}
            options = {name: value for name, value in settings.options.items() if name not in settings.places}
            others = {**others, "workers in TF_CONFIG": ", ".join(map(str, self.cluster.workers))}
            report = computing | options | {f"data ({k})": v for k, v in fingerprint(data).items()} | others
            meet(self.cluster, {name: str(value) for name, value in report.items()}, self.placement.cluster_timeout)
            self.strategy = multi_worker()
        elif self.placement.strategy == "mirrored":
            self.strategy = mirrored(self.placement.replicas)

    def scope(self) -> AbstractContextManager[Any]:
        """In which a run's variables and its program are made."""
        return nullcontext() if self.strategy is None else self.strategy.scope()

    def gathered(self, function: Any, shares: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
        """What a tf.function returns of each share, on a replica each, one after another along the first axis.

        shares: its arguments, for each replica of all workers.
        """
        if self.strategy is None:
            return np.concatenate([function(*map(tf.constant, share)) for share in shares])
        given = [
            self.strategy.experimental_distribute_values_from_function(
                lambda context, number=number: tf.constant(shares[int(context.replica_id_in_sync_group)][number])
            )
            for number in range(len(shares[0]))
        ]
        if function not in self._gathering:  # strategy.gather would trace a function of its own at each call
            self._gathering[function] = tf.function(partial(self._gather, function), autograph=False)
        return self._gathering[function](*given).numpy()

    def everyones(self, number: int) -> list[int]:
        """The numbers with which all replicas call this, in their order: of one process alone, its own."""
        if self.cluster is None:
            return [number]
        return self.gathered(_itself, [[np.array([number])]] * self.replicas).tolist()

    def agreed(self, signals: Sequence[signal.Signals]) -> signal.Signals | None:
        """The first signal that came to any of a cluster's workers, each of which calls this with its own."""
        came = next(filter(None, self.everyones(signals[0] if signals else 0)), None)
        return None if came is None else signal.Signals(came)

    def leave(self) -> None:
        """Waits until all workers have what the last collective returned; to be called once before a worker ends.

        One that ends while another still reads from it would count as lost. Who is gone by now needs nothing any more.
        """
        with suppress(*LOST):
            self.everyones(0)

    def _gather(self, function: Any, *given: Any) -> tf.Tensor:
        def everyones(*share: tf.Tensor) -> Any:
            context: Any = tf.distribute.get_replica_context()
            return context.all_gather(function(*share), axis=0)

        return self.strategy.experimental_local_results(self.strategy.run(everyones, given))[0]

    @contextmanager
    def losses_named(self, advice: Callable[[], str]) -> Iterator[None]:
        """Raises WorkerLostError where another worker is lost meanwhile; advice: from where to go on."""
        try:
            yield
        except LOST as error:
            if self.cluster is None or not re.search("Collective|Coordination", str(error)):
                raise
            time.sleep(PAUSE)
            raise WorkerLostError(f"{self.cluster.lost(str(error))}; {advice()}") from error


@tf.function(autograph=False)
def _itself(numbers: tf.Tensor) -> tf.Tensor:
    return numbers
