"""Workers on this machine."""

import json
import socket
from collections.abc import Sequence
from contextlib import ExitStack


def free_addresses(count: int) -> list[str]:
    """host:port of the loopback interface, at ports that nothing listens at."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return ["{}:{}".format(*one.getsockname()) for one in sockets]


def tf_configs(addresses: Sequence[str]) -> list[str]:
    """TF_CONFIG of a worker at each of these addresses."""
    tasks = [{"type": "worker", "index": index} for index in range(len(addresses))]
    return [json.dumps({"cluster": {"worker": [*addresses]}, "task": task}) for task in tasks]
