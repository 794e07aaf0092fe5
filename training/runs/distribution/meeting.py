"""All workers of a cluster find each other, and compare what must be the same, before TensorFlow connects them."""

import asyncio
import errno
import json
import os
import re
import socket
import uuid
from collections.abc import Mapping
from typing import Any

from core.errors import InputError

from .cluster import Cluster, Worker

Report = Mapping[str, str]
"""What must be the same everywhere, by the names that a person knows."""

PAUSE = 0.1
"""Seconds from one question to the next while a worker does not answer yet."""
LINGER = 1.0
"""Seconds for which a worker that has found something wrong still answers, so that others find it too."""
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
            async with asyncio.timeout(timeout):
                who = (await reader.readline()).decode(errors="replace").strip()
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
            if who in asked:
                asked[who].set()
        except (OSError, ValueError):  # nobody that has to be answered
            pass
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(reply, None, own.port)  # at all interfaces, as TensorFlow's
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise InputError(f"{own} cannot listen at port {own.port}: {os.strerror(error.errno or 0)}.") from error
        raise InputError(f"{own} cannot listen: another process has port {own.port}.") from error
    async with server:
        try:
            answers = await asyncio.gather(*(_asked(worker, own, answer, timeout) for worker in cluster.workers))
        except InputError:
            await asyncio.sleep(LINGER)
            raise
        waiting = [asyncio.wait_for(event.wait(), timeout) for event in asked.values()]
        for worker, heard in zip(cluster.workers, await asyncio.gather(*waiting, return_exceptions=True), strict=True):
            if isinstance(heard, TimeoutError):
                raise InputError(f"{worker} does not reach {own}: it has not asked within {timeout:g} seconds.")
        _compare(cluster, [found["report"] for found in answers])


async def _asked(worker: Worker, own: Worker, answer: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    """What is answered at a worker's address; `answer`: the own one."""
    why = "nothing answers"
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    reader, writer = await asyncio.open_connection(worker.host, worker.port, limit=MOST)
                    writer.write(f"{own}\n".encode())
                    line = await reader.readline()
                    writer.close()
                    found = json.loads(line)
                    who, process, _ = found["worker"], found["process"], found["report"]
                    break
                except OSError as error:
                    why = _reason(error)
                except (ValueError, TypeError, KeyError):  # such as TensorFlow's own server, of a worker that is lost
                    why = "what answers there is no rawstep, or one of another version"
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise InputError(f"{worker} does not answer {own} within {timeout:g} seconds: {why}.") from None
    if who != str(worker):
        raise InputError(f"At {worker} a process answers that is {who}: see the TF_CONFIG of both.")
    if worker == own and process != answer["process"]:
        raise InputError(f"Another process answers as {own} already: two have the same task in their TF_CONFIG.")
    return found


def _reason(error: OSError) -> str:
    """The system's words; asyncio has its own, and joins those of several addresses of a host."""
    if isinstance(error, socket.gaierror):
        return (error.strerror or str(error)).lower()
    number = error.errno or next(map(int, re.findall(r"\[Errno (\d+)\]", str(error))), None)
    return (os.strerror(number) if number else str(error)).lower()


def _compare(cluster: Cluster, reports: list[Mapping[str, str]]) -> None:
    first = reports[0]
    for worker, report in zip(cluster.workers, reports, strict=True):
        for name in {**first, **report}:
            if report.get(name) != first.get(name):
                raise InputError(
                    f"All workers must have the same {name}: {worker} has {report.get(name, 'none')}, "
                    f"{cluster.workers[0]} {first.get(name, 'none')}."
                )
