"""Clusters that are wrong, each refused in one sentence before TensorFlow connects anything."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from core import InputError
from training.runs.distribution.cluster import Cluster, Worker, cluster_of_environment
from training.runs.distribution.local import free_addresses
from training.runs.distribution.meeting import meet

TWO = {"worker": ["a:1", "b:2"]}
TASK = {"type": "worker", "index": 1}


def config(**parts):
    return {"TF_CONFIG": json.dumps({"cluster": TWO, "task": TASK} | parts)}


def test_the_chief_comes_first_and_the_index_may_be_a_text():
    cluster = cluster_of_environment(
        config(cluster={"worker": ["w:1"], "chief": ["c:2"]}, task={"type": "worker", "index": "0"})
    )
    assert cluster == Cluster((Worker("chief", 0, "c:2"), Worker("worker", 0, "w:1")), Worker("worker", 0, "w:1"))
    assert not cluster.is_chief
    assert cluster_of_environment(config(task=TASK | {"index": 0})).is_chief


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "needs the variable TF_CONFIG, such as .*; rawstep launch sets it"),
        ({"TF_CONFIG": "{"}, "found no JSON: .* line 1 column 2"),
        ({"TF_CONFIG": "[]"}, "found no cluster in it"),
        (config(cluster={}), "found no worker"),
        (config(cluster={"worker": "a:1"}), "addresses of 'worker' must be a list, found 'a:1'"),
        (config(cluster={"worker": ["a"]}), "an address must be host:port, found 'a'"),
        (config(cluster={"worker": ["a:70000"]}), "an address must be host:port, found 'a:70000'"),
        (config(cluster={"worker": ["a:1", "a:1"]}), "found a:1 twice"),
        (config(cluster={"chief": ["a:1", "b:1"]}), "found 2 chiefs; one is the most"),
        (config(cluster=TWO | {"ps": ["c:1"]}), "found the job 'ps'; there may be a chief and workers"),
        (config(task=None), "task must be this process's type and index, found None"),
        (config(task=TASK | {"index": 2}), "the task worker 2 is not in the cluster, which has worker 0 to 1"),
        (config(task={"type": "chief", "index": 0}), "the task chief 0 is not in the cluster"),
    ],
)
def test_a_tf_config_that_is_no_cluster_is_refused(environment, sentence):
    with pytest.raises(InputError, match=sentence):
        cluster_of_environment(environment)


def clusters(count):
    """As each of the workers knows it, at free ports."""
    everyone = tuple(Worker("worker", index, address) for index, address in enumerate(free_addresses(count)))
    return [Cluster(everyone, worker) for worker in everyone]


def ends(*calls, timeout=10.0):
    """What each of these calls of `meet`, at the same time, says; None where it returns."""

    def end(call):
        try:
            meet(*call, timeout)
        except InputError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return [*pool.map(end, calls)]


def test_workers_with_one_report_meet_and_leave_their_ports():
    three = clusters(3)
    for _ in range(2):
        assert ends(*[(cluster, {"data": "d"}) for cluster in three]) == [None] * 3


def test_a_report_that_differs_is_named_alike_by_all():
    """Would catch workers that train other data, in another version or with another batch size, and one that goes on
    alone. Each hears of it before any port is closed."""
    three = clusters(3)
    reports = [{"data": "d", "numpy": "2.1"}, {"data": "d", "numpy": "2.0"}, {"data": "d", "numpy": "2.1"}]
    said = ends(*zip(three, reports, strict=True))
    second, first = three[1].own, three[0].own
    assert said == [f"All workers must have the same numpy: {second} has 2.0, {first} 2.1."] * 3
    assert "has none, worker 0" in ends((three[0], {"a": "1"}), (three[1], {}), (three[2], {"a": "1"}))[0]


def test_a_port_in_use_is_named():
    one, other = clusters(2)
    with socket.create_server(("127.0.0.1", one.own.port)):
        assert ends((one, {})) == [f"{one.own} cannot listen: another process has port {one.own.port}."]
    assert other


def test_a_worker_that_does_not_answer_is_named_within_the_timeout():
    one, other = clusters(2)
    [said] = ends((one, {}), timeout=0.5)
    assert said.startswith(f"{other.own} does not answer {one.own} within 0.5 seconds: connection refused.")


def test_what_answers_and_is_no_worker_is_named():
    one, other = clusters(2)
    server = socket.create_server(("127.0.0.1", other.own.port))

    def greet():
        with suppress(OSError):
            while True:
                with server.accept()[0] as connection:
                    connection.sendall(b"220 mail\r\n")

    with server, ThreadPoolExecutor(1) as pool:
        pool.submit(greet)
        [said] = ends((one, {}), timeout=0.5)
        server.shutdown(socket.SHUT_RDWR)
    assert said.endswith("within 0.5 seconds: what answers there is no rawstep, or one of another version.")


def test_two_chiefs_are_named():
    """The second listens elsewhere, as on another machine, and finds the first at its own address."""
    one, other = clusters(2)
    elsewhere = int(free_addresses(1)[0].partition(":")[2])

    class Elsewhere(Worker):
        """Listens at another port than the one where it is looked for."""

        @property
        def port(self):
            return elsewhere

        def __eq__(self, worker):
            return (self.job, self.index) == (worker.job, worker.index)

        __hash__ = Worker.__hash__

    second = Cluster(one.workers, Elsewhere(one.own.job, one.own.index, one.own.address))
    said = ends((one, {}), (second, {}), timeout=2.0)
    assert said[1] == f"Another process answers as {one.own} already: two have the same task in their TF_CONFIG."
    assert other


def test_a_worker_at_another_s_address_is_named():
    """Would catch two TF_CONFIGs whose lists have another order."""
    one, other = clusters(2)
    turned = tuple(Worker("worker", i, w.address) for i, w in enumerate(reversed(one.workers)))
    said = ends((one, {}), (Cluster(turned, turned[0]), {}), timeout=2.0)
    assert f"At {other.own} a process answers that is worker 0 ({other.own.address})" in said[0]


def test_the_worker_that_was_lost_is_the_last_that_an_error_names():
    three = clusters(3)
    text = "remote target /job:worker/replica:0/task:2 … {remote target /job:worker/replica:0/task:1 … reset by peer}"
    assert three[0].lost(text) == f"{three[0].workers[1]} no longer answers"
    assert three[1].lost("RPC: /tensorflow.CoordinationService/Heartbeat") == f"{three[0].own} no longer answers"
    assert three[0].lost("Deadline") == "a worker no longer answers"
