"""redis: its commands, its client, and replication over the network."""

from __future__ import annotations

import pytest

from nodes.runtime.simulated.images.redisdata import MAX_BYTES

pytestmark = pytest.mark.looptime

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


async def cli(pod, *words):
    answer = await pod.run("redis-cli", *words)
    return answer.stdout.decode().rstrip("\n")


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        (["PING"], "PONG"),
        (["SET a 1", "GET a"], "1"),
        (["GET nothing"], ""),
        (["SET a 5", "INCR a", "INCRBY a 10", "DECR a"], "15"),
        (["SET a x", "INCR a"], "ERR value is not an integer or out of range"),
        (["SET a 1 NX", "SET a 2 NX", "GET a"], "1"),
        (["SET a 1", "DEL a b", "EXISTS a"], "0"),
        (["SET a 1", "EXPIRE a 100", "TTL a"], "100"),
        (["TTL a"], "-2"),
        (["SET a 1", "TTL a"], "-1"),
        (["MSET a 1 b 2", "KEYS *"], "a\nb"),
        (["MSET aa 1 ab 2 b 3", "KEYS a*"], "aa\nab"),
        (["RPUSH l a b c", "LPUSH l z", "LRANGE l 0 -1"], "z\na\nb\nc"),
        (["RPUSH l a b c", "LPOP l", "RPOP l", "LRANGE l 0 -1"], "b"),
        (["RPUSH l a b c d", "LTRIM l 1 2", "LRANGE l 0 -1"], "b\nc"),
        (["HSET h a 1 b 2", "HGETALL h"], "a\n1\nb\n2"),
        (["HSET h a 1", "HINCRBY h a 4", "HGET h a"], "5"),
        (["SADD s b a a", "SMEMBERS s"], "a\nb"),
        (["ZADD z 2 b 1 a", "ZRANGE z 0 -1 WITHSCORES"], "a\n1\nb\n2"),
        (
            ["SET a 1", "LPUSH a x"],
            WRONG_TYPE,
        ),
        (
            ["ZADD z 1 a", "HGET z a"],
            WRONG_TYPE,
        ),
        (["SET a 1", "TYPE a"], "string"),
        (["GET"], "ERR wrong number of arguments for 'get' command"),
        (["BOGUS x"], "ERR unknown command 'BOGUS', with args beginning with: 'x' "),
        (["ECHO hi"], "hi"),
        (["APPEND a x", "APPEND a y", "STRLEN a"], "2"),
        (["SET a 1", "FLUSHALL", "DBSIZE"], "0"),
    ],
)
async def test_commands(lab, commands, said):
    pod = await lab.pod("redis:7")
    for command in commands:
        answer = await cli(pod, *command.split())
    assert answer == said.rstrip("\n")


async def test_keys_expire_by_the_clusters_clock(lab):
    pod = await lab.pod("redis:7")
    await cli(pod, "SET", "a", "1", "EX", "60")
    await lab.clock.sleep(59)
    assert await cli(pod, "GET", "a") == "1"
    await lab.clock.sleep(2)
    assert await cli(pod, "EXISTS", "a") == "0"


async def test_input_and_pipes(lab):
    pod = await lab.pod("redis:7")
    assert await pod.sh("printf 'SET a 1\\nGET a\\n' | redis-cli") == "OK\n1\n"
    assert await pod.sh("redis-cli lrange l 0 -1 | wc -l") == "1\n"


async def test_a_client_without_a_server(lab):
    pod = await lab.pod("redis:7", "sleep", "1000")
    answer = await pod.run("redis-cli", "ping")
    assert answer.exit_code == 1
    assert answer.stderr == b"Could not connect to Redis at 127.0.0.1:6379: Connection refused\n"
    answer = await pod.run("redis-cli", "-h", "nobody", "ping")
    assert b"Name or service not known" in answer.stderr


async def test_passwords(lab):
    pod = await lab.pod("redis:7", args=("--requirepass", "s3cret"))
    assert await cli(pod, "PING") == "NOAUTH Authentication required."
    assert await cli(pod, "-a", "s3cret", "PING") == "PONG"


async def test_replication_through_a_name(lab):
    follower = await lab.pod("redis:7", args=("--replicaof", "leader", "6379"))
    assert "master_link_status:down" in await cli(follower, "INFO", "replication")
    leader = await lab.pod("redis:7")
    await cli(leader, "RPUSH", "book", "before")
    await cli(leader, "SET", "t", "1", "EX", "1000")
    lab.service("leader", leader.ip)
    await lab.clock.sleep(2)
    assert "master_link_status:up" in await cli(follower, "INFO", "replication")
    await cli(leader, "RPUSH", "book", "after")
    await lab.clock.sleep(0.1)
    assert await cli(follower, "LRANGE", "book", "0", "-1") == "before\nafter"
    assert 900 < int(await cli(follower, "TTL", "t")) <= 1000
    assert (await cli(follower, "SET", "a", "1")).startswith("READONLY")
    assert "connected_slaves:1" in await cli(leader, "INFO", "replication")
    assert (await cli(leader, "ROLE")).splitlines()[0] == "master"


async def test_a_follower_comes_back_to_a_new_leader(lab):
    leader = await lab.pod("redis:7")
    lab.service("leader", leader.ip)
    follower = await lab.pod("redis:7", args=("--replicaof", "leader", "6379"))
    await cli(leader, "SET", "a", "old")
    await lab.clock.sleep(1)
    await lab.runtime.remove_pod_sandbox(leader.sandbox)
    await lab.clock.sleep(1)
    assert "master_link_status:down" in await cli(follower, "INFO", "replication")
    assert await cli(follower, "GET", "a") == "old"
    leader = await lab.pod("redis:7")
    await cli(leader, "SET", "a", "new")
    lab.service("leader", leader.ip)
    await lab.clock.sleep(70)
    assert await cli(follower, "GET", "a") == "new"
    assert await cli(follower, "REPLICAOF", "NO", "ONE") == "OK"
    assert await cli(follower, "SET", "a", "mine") == "OK"


async def test_chains_of_replicas(lab):
    first = await lab.pod("redis:7")
    second = await lab.pod("redis:7", args=("--replicaof", first.ip, "6379"))
    third = await lab.pod("redis:7", args=("--replicaof", second.ip, "6379"))
    await lab.clock.sleep(1)
    await cli(first, "SET", "a", "1")
    await lab.clock.sleep(1)
    assert await cli(third, "GET", "a") == "1"


async def test_memory_is_bounded(lab):
    pod = await lab.pod("redis:7")
    big = "x" * 500_000
    for number in range(MAX_BYTES // len(big)):
        assert await cli(pod, "SET", f"k{number}", big) == "OK"
    assert (await cli(pod, "SET", "more", big)).startswith("OOM command not allowed")
    await cli(pod, "DEL", "k0")
    assert await cli(pod, "SET", "more", big) == "OK"


async def test_rubbish_is_refused(lab):
    pod = await lab.pod("redis:7")
    stream = await lab.net.connect("192.168.0.11", pod.ip, 6379)
    await stream.write(b"*1\r\n$99999999999\r\n")
    assert (await stream.read()).startswith(b"-ERR Protocol error")
    assert await cli(pod, "PING") == "PONG"
