"""Connections: addresses, listeners, Service rules on the way, refusals, time-outs, traces."""

from __future__ import annotations

from random import Random

import pytest

from nodes.client.loopclock import LoopClock
from nodes.network.addresses import AddressesExhausted, Pool
from nodes.network.dns import ResolvConf
from nodes.network.fabric import MAX_CONNECTIONS_PER_ADDRESS, NameNotFound, Network
from nodes.network.rules import DROPPED, RuleKey, ServiceRule, ServiceRules

pytestmark = pytest.mark.looptime

VIP = "10.96.0.5"
RESOLV = ResolvConf(("10.96.0.10",), ("default.svc.cluster.local",), 5)


async def echo(stream):
    while data := await stream.read():
        await stream.write(data)


@pytest.fixture
async def net():
    network = Network(LoopClock(epoch=0))
    network.add_node("n1", "192.168.0.11", "10.244.1.0/24")
    network.add_node("n2", "192.168.0.12", "10.244.2.0/24")
    yield network
    await network.close()


@pytest.fixture
def client(net):
    return net.allocate("n1", "default/client")


@pytest.fixture
def server(net):
    ip = net.allocate("n2", "default/server")
    net.listen(ip, 80, echo)
    return ip


def rules_for(net, *pairs):
    rules = ServiceRules(net.clock, Random(1))
    rules.replace(pairs)
    for node in ("n1", "n2"):
        net.set_rules(node, rules)


async def says_hello(net, source, host, port, **options):
    stream = await net.connect(source, host, port, **options)
    await stream.write(b"hello")
    answer = await stream.read()
    stream.close()
    return answer == b"hello"


async def test_pod_to_pod(net, client, server):
    assert await says_hello(net, client, server, 80)
    assert net.clock.seconds() == 0


async def test_refused_when_nobody_listens(net, client, server):
    with pytest.raises(ConnectionRefusedError):
        await net.connect(client, server, 81)


async def test_an_address_without_an_owner_is_unreachable(net, client):
    with pytest.raises(OSError, match="No route to host"):
        await net.connect(client, "10.244.2.77", 80)
    assert net.clock.seconds() == 3


async def test_the_rest_of_the_world_is_silent(net, client):
    with pytest.raises(TimeoutError):
        await net.connect(client, "93.184.216.34", 80, timeout=5)
    assert net.clock.seconds() == 5


async def test_service_address(net, client, server):
    rules_for(net, (RuleKey(VIP, 80), ServiceRule("default/web:http", ((server, 80),))))
    assert await says_hello(net, client, VIP, 80)
    trace = list(net.traces.since(0))[-1]
    assert [hop.where for hop in trace.hops] == ["node/n1", "pod/default/server"]
    assert trace.hops[0].what == f"default/web:http to {server}:80"
    assert trace.outcome == "connected"


async def test_service_by_its_name(net, client, server):
    rules_for(net, (RuleKey(VIP, 80), ServiceRule("default/web:http", ((server, 80),))))
    net.dns.update_service(
        {"metadata": {"name": "web", "namespace": "default"}, "spec": {"clusterIP": VIP}}
    )
    assert await says_hello(net, client, "web", 80, resolv=RESOLV)
    with pytest.raises(NameNotFound):
        await net.connect(client, "webb", 80, resolv=RESOLV)


async def test_service_without_endpoints_refuses_and_without_rules_is_silent(net, client):
    rules_for(net, (RuleKey(VIP, 80), ServiceRule("default/web:http", ())))
    with pytest.raises(ConnectionRefusedError):
        await net.connect(client, VIP, 80)
    with pytest.raises(TimeoutError):
        await net.connect(client, VIP, 81, timeout=2)


async def test_dropped(net, client):
    rules_for(net, (RuleKey(VIP, 80), ServiceRule("default/web:http", (), empty=DROPPED)))
    with pytest.raises(TimeoutError):
        await net.connect(client, VIP, 80, timeout=2)


async def test_node_port_from_outside_through_either_node(net, server):
    rules_for(
        net,
        (RuleKey("192.168.0.11", 30080), ServiceRule("default/web:http", ((server, 80),))),
        (RuleKey("192.168.0.12", 30080), ServiceRule("default/web:http", ((server, 80),))),
    )
    assert await says_hello(net, "203.0.113.9", "192.168.0.11", 30080)
    assert await says_hello(net, "203.0.113.9", "192.168.0.12", 30080)


async def test_load_balancer_address_enters_through_a_node(net, server):
    rules_for(net, (RuleKey("203.0.113.1", 80), ServiceRule("lb", ((server, 80),))))
    assert await says_hello(net, "198.51.100.7", "203.0.113.1", 80)


async def test_host_port(net, client, server):
    net.forward("192.168.0.12", 8080, "TCP", server, 80)
    assert await says_hello(net, client, "192.168.0.12", 8080)
    net.unforward("192.168.0.12", 8080, "TCP")
    with pytest.raises(ConnectionRefusedError):
        await net.connect(client, "192.168.0.12", 8080)


async def test_loopback_reaches_only_oneself(net, client, server):
    assert await says_hello(net, server, "localhost", 80)
    with pytest.raises(ConnectionRefusedError):
        await net.connect(client, "127.0.0.1", 80)


async def test_a_local_listener_is_hidden_from_others(net, client):
    net.listen(client, 9000, echo, local=True)
    assert await says_hello(net, client, "127.0.0.1", 9000)
    with pytest.raises(ConnectionRefusedError):
        await net.connect(net.allocate("n1"), client, 9000)


async def test_policy_drops(net, client, server):
    class Deny:
        def allows(self, src_ip, dst_ip, dst_port, protocol):
            return src_ip != client

    net.policy = Deny()
    with pytest.raises(TimeoutError):
        await net.connect(client, server, 80, timeout=1)
    assert await says_hello(net, net.allocate("n1"), server, 80)


async def test_strict_dns_needs_a_server_behind_the_address(net, client):
    net.strict_dns = True
    net.dns.update_service(
        {"metadata": {"name": "web", "namespace": "default"}, "spec": {"clusterIP": VIP}}
    )
    with pytest.raises(NameNotFound):
        net.resolve(client, "web", RESOLV)
    coredns = net.allocate("n1", "kube-system/coredns")
    rule = ServiceRule("kube-system/kube-dns:dns", ((coredns, 53),))
    rules_for(net, (RuleKey("10.96.0.10", 53, "UDP"), rule))
    assert net.resolve(client, "web", RESOLV) == VIP


async def test_a_port_is_taken_once_and_freed(net, client):
    listener = net.listen(client, 80, echo)
    with pytest.raises(OSError, match="in use"):
        net.listen(client, 80, echo)
    listener.close()
    net.listen(client, 80, echo)
    assert net.listening(client) == [(80, "TCP")]


async def test_releasing_an_address_ends_its_connections(net, client, server):
    stream = await net.connect(client, server, 80)
    net.release(server)
    assert await stream.read() == b""
    with pytest.raises(OSError, match="No route"):
        await net.connect(client, server, 80)


async def test_removing_a_node_takes_its_pods_away(net, client, server):
    net.remove_node("n2")
    assert net.owner(server) == ""
    assert net.owner(client) == "default/client"


async def test_open_connections_are_bounded(net, client, server):
    streams = [await net.connect(client, server, 80) for _ in range(MAX_CONNECTIONS_PER_ADDRESS)]
    with pytest.raises(ConnectionRefusedError):
        await net.connect(client, server, 80)
    streams[0].close()
    await net.clock.sleep(0)
    await net.clock.sleep(0)
    assert await says_hello(net, client, server, 80)


async def test_latency_is_the_clocks(net, client, server):
    net.latency = 0.25
    await says_hello(net, client, server, 80)
    assert net.clock.seconds() == 0.25


async def test_traces_since(net, client, server):
    await says_hello(net, client, server, 80)
    last = list(net.traces.since(0))[-1].number
    assert list(net.traces.since(last)) == []
    await says_hello(net, client, server, 80)
    assert [trace.number for trace in net.traces.since(last)] == [last + 1]


def test_pool_hands_out_and_takes_back():
    pool = Pool("10.244.3.0/29")
    got = [pool.allocate() for _ in range(5)]
    assert got == [f"10.244.3.{number}" for number in range(2, 7)]
    assert pool.gateway == "10.244.3.1"
    with pytest.raises(AddressesExhausted, match="no IP addresses available"):
        pool.allocate()
    pool.release("10.244.3.4")
    pool.release("10.244.3.4")
    assert pool.allocate() == "10.244.3.4"
    with pytest.raises(AddressesExhausted):
        pool.allocate()
