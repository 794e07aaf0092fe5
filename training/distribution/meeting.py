"""All workers of a cluster find each other, and compare what must be the same, before TensorFlow connects them."""

import asyncio
import errno
import json
import os
import uuid
from collections.abc import Mapping
from typing import Any

from core.errors import InputError

from .cluster import Cluster, Worker

Report = Mapping[str, str]
"""What must be the same everywhere, by the names that a person knows."""

PAUSE = 0.1
"""Seconds from one question to the next while a worker does not answer yet."""
MOST = 1_000_000
"""Bytes of an answer."""


def meet(cluster: Cluster, report: Report, timeout: float) -> None:
    """Returns when all workers have answered at their addresses, all with the same report.

    Each listens at its own address, and asks every address, its own among them, for the report of the worker there. It
    goes on when it has all answers and all others have its own; so every worker comes to the same end. TensorFlow takes
    the ports afterwards.

    Raises InputError for an address in use, for a worker that does not answer within `timeout` seconds, for an address
    at which another worker or something else answers, and for a report that differs from the first worker's.
    """
    asyncio.run(_meet(cluster, {**report}, timeout))


async def _meet(cluster: Cluster, report: dict[str, str], timeout: float) -> None:
    own = cluster.own
    asked = {str(worker): asyncio.Event() for worker in cluster.workers}
    answer = {"worker": str(own), "process": uuid.uuid4().hex, "report": report}

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            who = (await reader.readline()).decode().strip()
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
            if who in asked:
                asked[who].set()
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(reply, None, own.port)  # at all interfaces, as TensorFlow's
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise InputError(f"{own} cannot listen at port {own.port}: {os.strerror(error.errno or 0)}.") from error
        raise InputError(f"{own} cannot listen: another process has port {own.port}.") from error
    async with server:
        answers = await asyncio.gather(*(_asked(worker, own, timeout) for worker in cluster.workers))
        for worker, found in zip(cluster.workers, answers, strict=True):
            _check(worker, found, own, answer)
        waiting = [asyncio.wait_for(event.wait(), timeout) for event in asked.values()]
        for worker, heard in zip(cluster.workers, await asyncio.gather(*waiting, return_exceptions=True), strict=True):
            if isinstance(heard, TimeoutError):
                raise InputError(f"{worker} does not reach {own}: it has not asked within {timeout:g} seconds.")
        _compare(cluster, [found["report"] for found in answers])


async def _asked(worker: Worker, own: Worker, timeout: float) -> dict[str, Any]:
    """What answers at a worker's address."""
    why = "nothing answers"
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    reader, writer = await asyncio.open_connection(worker.host, worker.port, limit=MOST)
                    writer.write(f"{own}\n".encode())
                    line = await reader.readline()
                    writer.close()
                    if line:
                        return _parsed(worker, line)
                except OSError as error:
                    why = (error.strerror or str(error)).partition("[")[0].strip()
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise InputError(f"{worker} does not answer {own} within {timeout:g} seconds: {why}.") from None


def _parsed(worker: Worker, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
        return {key: found[key] for key in ("worker", "process", "report")}
    except (ValueError, TypeError, KeyError):
        raise InputError(f"What answers at {worker} is no rawstep, or one of another version.") from None


def _check(worker: Worker, found: Mapping[str, Any], own: Worker, answer: Mapping[str, Any]) -> None:
    if found["worker"] != str(worker):
        raise InputError(f"At {worker} a process answers that is {found['worker']}: see the TF_CONFIG of both.")
    if worker == own and found["process"] != answer["process"]:
        raise InputError(f"Another process answers as {own} already: two have the same task in their TF_CONFIG.")


def _compare(cluster: Cluster, reports: list[Mapping[str, str]]) -> None:
    first = reports[0]
    for worker, report in zip(cluster.workers, reports, strict=True):
        for name in {**first, **report}:
            if report.get(name) != first.get(name):
                raise InputError(
                    f"All workers must have the same {name}: {worker} has {report.get(name, 'none')}, "
                    f"{cluster.workers[0]} {first.get(name, 'none')}."
                )
