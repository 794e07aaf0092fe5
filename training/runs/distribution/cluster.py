"""The cluster that TF_CONFIG describes."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InputError

EXAMPLE = '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Worker:
    """One process of a cluster.

    job, index: as in TF_CONFIG. address: host:port.
    """

    job: str
    index: int
    address: str

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def __str__(self) -> str:
        return f"{'the chief' if self.job == 'chief' else f'worker {self.index}'} ({self.address})"


@dataclass(frozen=True)
class Cluster:
    """All workers, the chief first, and which of them this process is. The chief writes what is written."""

    workers: tuple[Worker, ...]
    own: Worker

    @property
    def is_chief(self) -> bool:
        return self.own == self.workers[0]

    def lost(self, message: str) -> str:
        """What to say of a worker whose loss ended a collective with this message of TensorFlow's.

        TensorFlow passes an error on from worker to worker; the last one that it names is where it began. The first
        worker is not named where the others notice by their heartbeats, which it keeps.
        """
        if "CoordinationService/Heartbeat" in message and not self.is_chief:
            return f"{self.workers[0]} no longer answers"
        named = re.findall(r"/job:(\w+)/replica:\d+/task:(\d+)", message)
        known = {(worker.job, str(worker.index)): worker for worker in self.workers}
        found = [known[name] for name in named if name in known and known[name] != self.own]
        return f"{found[-1] if found else 'a worker'} no longer answers"


def cluster_of_environment(environment: Mapping[str, str] = os.environ) -> Cluster:
    """The cluster in the variable TF_CONFIG, in TensorFlow's own form.

    Raises InputError where it is missing, and for what is no cluster of workers, with at most one chief, that this
    process is one of.
    """
    text = environment.get("TF_CONFIG")
    if not text:
        raise InputError(
            f"--strategy multi-worker needs the variable TF_CONFIG, such as {EXAMPLE}; rawstep launch sets it for "
            "workers on this machine."
        )
    try:
        config = json.loads(text)
    except ValueError as error:
        raise _refused(f"found no JSON: {error}") from error
    if not isinstance(config, dict) or not isinstance(jobs := config.get("cluster"), dict):
        raise _refused("found no cluster in it")
    if others := [job for job in jobs if job not in ("chief", "worker")]:
        raise _refused(f"found the job {others[0]!r}; there may be a chief and workers")
    workers = [worker for job in ("chief", "worker") for worker in _workers(job, jobs.get(job, []))]
    if not workers:
        raise _refused("found no worker")
    if len(jobs.get("chief", [])) > 1:
        raise _refused(f"found {len(jobs['chief'])} chiefs; one is the most")
    addresses = [worker.address for worker in workers]
    if twice := next((address for address in addresses if addresses.count(address) > 1), None):
        raise _refused(f"found {twice} twice")
    return Cluster(tuple(workers), _own(config.get("task"), workers))


def _workers(job: str, addresses: Any) -> list[Worker]:
    if not isinstance(addresses, list):
        raise _refused(f"the addresses of {job!r} must be a list, found {addresses!r}")
    for address in addresses:
        found = re.fullmatch(r".+:(\d{1,5})", address) if isinstance(address, str) else None
        if found is None or not 0 < int(found[1]) < 2**16:
            raise _refused(f"an address must be host:port, found {address!r}")
    return [Worker(job, index, address) for index, address in enumerate(addresses)]


def _own(task: Any, workers: list[Worker]) -> Worker:
    if not isinstance(task, dict) or not {"type", "index"} <= task.keys():
        raise _refused(f"task must be this process's type and index, found {task!r}")
    for worker in workers:
        if (worker.job, str(worker.index)) == (task["type"], str(task["index"])):
            return worker
    jobs = {worker.job: [one.index for one in workers if one.job == worker.job] for worker in workers}
    there = " and ".join(f"{job} 0{f' to {indices[-1]}' if len(indices) > 1 else ''}" for job, indices in jobs.items())
    raise _refused(f"the task {task['type']} {task['index']} is not in the cluster, which has {there}")


def _refused(what: str) -> InputError:
    return InputError(f"TF_CONFIG must be a cluster and a task, such as {EXAMPLE}: {what}.")
