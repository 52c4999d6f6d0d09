"""The data of a simulated redis: keys, values, times to live, and the commands on them."""

from __future__ import annotations

import fnmatch
from collections import deque
from collections.abc import Callable
from random import Random

from nodes.runtime.simulated.images.resp import OK, Reply, RespError

Value = bytes | deque[bytes] | dict[bytes, bytes] | set[bytes] | dict[bytes, float]
MAX_KEYS = 10_000
MAX_BYTES = 8 * 1024 * 1024

_WRONG_TYPE = RespError("WRONGTYPE Operation against a key holding the wrong kind of value")
_NOT_INT = RespError("ERR value is not an integer or out of range")


class SortedSet(dict[bytes, float]):
    """Members with scores."""


class Database:
    """One database. `now` tells the time; expired keys go when they are looked at."""

    def __init__(self, now: Callable[[], float], random: Random) -> None:
        self.now = now
        self.random = random
        self.values: dict[bytes, Value] = {}
        self.expires: dict[bytes, float] = {}
        self.size = 0

    def get(self, key: bytes) -> Value | None:
        due = self.expires.get(key)
        if due is not None and due <= self.now():
            self.remove(key)
        return self.values.get(key)

    def put(self, key: bytes, value: Value) -> None:
        if key not in self.values and len(self.values) >= MAX_KEYS:
            raise RespError("OOM command not allowed when used memory > 'maxmemory'.")
        self.values[key] = value

    def grow(self, size: int) -> None:
        """Account for bytes that are about to be stored."""
        if size > 0 and self.size + size > MAX_BYTES:
            raise RespError("OOM command not allowed when used memory > 'maxmemory'.")
        self.size = max(0, self.size + size)

    def remove(self, key: bytes) -> bool:
        value = self.values.pop(key, None)
        self.expires.pop(key, None)
        if value is None:
            return False
        self.size = max(0, self.size - _size(value))
        return True

    def clear(self) -> None:
        self.values.clear()
        self.expires.clear()
        self.size = 0


def _size(value: Value) -> int:
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, SortedSet):
        return sum(len(member) + 8 for member in value)
    if isinstance(value, dict):
        return sum(len(key) + len(str(item)) for key, item in value.items())
    return sum(len(item) for item in value)


def _integer(text: bytes) -> int:
    try:
        number = int(text)
    except ValueError:
        raise _NOT_INT from None
    if abs(number) > 2**63:
        raise _NOT_INT
    return number


def _typed(db: Database, key: bytes, kind: type) -> Value | None:
    value = db.get(key)
    wrong = isinstance(value, SortedSet) != (kind is SortedSet)
    if value is not None and (not isinstance(value, kind) or (kind is not bytes and wrong)):
        raise _WRONG_TYPE
    return value


# --- strings ------------------------------------------------------------------------------------


def _set(db: Database, args: list[bytes]) -> Reply:
    key, value = args[0], args[1]
    options = [option.upper() for option in args[2:]]
    existing = db.get(key)
    if (b"NX" in options and existing is not None) or (b"XX" in options and existing is None):
        return None
    expiry = None
    for unit, scale in ((b"EX", 1.0), (b"PX", 0.001)):
        if unit in options:
            at = options.index(unit) + 1
            if at >= len(options):
                raise RespError("ERR syntax error")
            expiry = db.now() + _integer(options[at]) * scale
    db.grow(len(value) - (_size(existing) if existing is not None else 0))
    db.put(key, value)
    db.expires.pop(key, None)
    if expiry is not None:
        db.expires[key] = expiry
    return OK("OK")


def _get(db: Database, args: list[bytes]) -> Reply:
    value = _typed(db, args[0], bytes)
    return value if isinstance(value, bytes) else None


def _add(db: Database, key: bytes, amount: int) -> Reply:
    value = _typed(db, key, bytes)
    number = _integer(value if isinstance(value, bytes) else b"0") + amount
    text = str(number).encode()
    db.grow(len(text) - (len(value) if isinstance(value, bytes) else 0))
    db.put(key, text)
    return number


def _append(db: Database, args: list[bytes]) -> Reply:
    value = _typed(db, args[0], bytes)
    db.grow(len(args[1]))
    joined = (value if isinstance(value, bytes) else b"") + args[1]
    db.put(args[0], joined)
    return len(joined)


def _mset(db: Database, args: list[bytes]) -> Reply:
    if len(args) % 2:
        raise RespError("ERR wrong number of arguments for 'mset' command")
    for at in range(0, len(args), 2):
        _set(db, args[at : at + 2])
    return OK("OK")


# --- keys ---------------------------------------------------------------------------------------


def _keys(db: Database, args: list[bytes]) -> Reply:
    pattern = args[0].decode("latin-1")
    live = [key for key in list(db.values) if db.get(key) is not None]
    found: list[Reply] = [
        key for key in live if fnmatch.fnmatchcase(key.decode("latin-1"), pattern)
    ]
    return found


def _expire(db: Database, args: list[bytes], scale: float = 1.0) -> Reply:
    if db.get(args[0]) is None:
        return 0
    db.expires[args[0]] = db.now() + _integer(args[1]) * scale
    return 1


def _ttl(db: Database, args: list[bytes], scale: float = 1.0) -> Reply:
    if db.get(args[0]) is None:
        return -2
    due = db.expires.get(args[0])
    return -1 if due is None else round((due - db.now()) * scale)


def _persist(db: Database, args: list[bytes]) -> Reply:
    return int(db.get(args[0]) is not None and db.expires.pop(args[0], None) is not None)


def _type(db: Database, args: list[bytes]) -> Reply:
    value = db.get(args[0])
    if value is None:
        return OK("none")
    if isinstance(value, SortedSet):
        return OK("zset")
    names = {bytes: "string", deque: "list", dict: "hash", set: "set"}
    return OK(names[type(value)])


# --- lists --------------------------------------------------------------------------------------


def _push(db: Database, args: list[bytes], *, left: bool) -> Reply:
    value = _typed(db, args[0], deque)
    items: deque[bytes] = value if isinstance(value, deque) else deque()
    for item in args[1:]:
        db.grow(len(item))
        if left:
            items.appendleft(item)
        else:
            items.append(item)
    db.put(args[0], items)
    return len(items)


def _pop(db: Database, args: list[bytes], *, left: bool) -> Reply:
    value = _typed(db, args[0], deque)
    if not isinstance(value, deque) or not value:
        return None
    item = value.popleft() if left else value.pop()
    db.grow(-len(item))
    if not value:
        db.remove(args[0])
    return item


def _range(db: Database, args: list[bytes]) -> Reply:
    value = _typed(db, args[0], deque)
    items: list[Reply] = list(value) if isinstance(value, deque) else []
    start, end = _integer(args[1]), _integer(args[2])
    size = len(items)
    start = max(0, start + size if start < 0 else start)
    end = end + size if end < 0 else end
    return items[start : end + 1]


def _trim(db: Database, args: list[bytes]) -> Reply:
    kept = _range(db, args)
    if isinstance(kept, list):
        db.remove(args[0])
        items = deque(item for item in kept if isinstance(item, bytes))
        if items:
            db.put(args[0], items)
            db.grow(sum(len(item) for item in items))
    return OK("OK")


def _llen(db: Database, args: list[bytes]) -> Reply:
    value = _typed(db, args[0], deque)
    return len(value) if value else 0


# --- hashes and sets ----------------------------------------------------------------------------


def _hash(db: Database, key: bytes) -> dict[bytes, bytes]:
    value = _typed(db, key, dict)
    return value if isinstance(value, dict) else {}  # type: ignore[return-value]


def _hset(db: Database, args: list[bytes]) -> Reply:
    if len(args) % 2 == 0:
        raise RespError("ERR wrong number of arguments for 'hset' command")
    fields = _hash(db, args[0])
    added = 0
    for at in range(1, len(args), 2):
        added += args[at] not in fields
        db.grow(len(args[at]) + len(args[at + 1]))
        fields[args[at]] = args[at + 1]
    db.put(args[0], fields)
    return added


def _hdel(db: Database, args: list[bytes]) -> Reply:
    fields = _hash(db, args[0])
    gone = sum(fields.pop(name, None) is not None for name in args[1:])
    if not fields:
        db.remove(args[0])
    return gone


def _hgetall(db: Database, args: list[bytes]) -> Reply:
    found: list[Reply] = []
    for name, value in _hash(db, args[0]).items():
        found += [name, value]
    return found


def _hincrby(db: Database, args: list[bytes]) -> Reply:
    fields = _hash(db, args[0])
    number = _integer(fields.get(args[1], b"0")) + _integer(args[2])
    _hset(db, [args[0], args[1], str(number).encode()])
    return number


def _members(db: Database, key: bytes) -> set[bytes]:
    value = _typed(db, key, set)
    return value if isinstance(value, set) else set()


def _sadd(db: Database, args: list[bytes]) -> Reply:
    members = _members(db, args[0])
    new = set(args[1:]) - members
    db.grow(sum(len(item) for item in new))
    members |= new
    db.put(args[0], members)
    return len(new)


def _srem(db: Database, args: list[bytes]) -> Reply:
    members = _members(db, args[0])
    gone = members & set(args[1:])
    members -= gone
    if not members:
        db.remove(args[0])
    return len(gone)


def _sorted(db: Database, key: bytes) -> SortedSet:
    value = _typed(db, key, SortedSet)
    return value if isinstance(value, SortedSet) else SortedSet()


def _zadd(db: Database, args: list[bytes]) -> Reply:
    scores = _sorted(db, args[0])
    added = 0
    for at in range(1, len(args) - 1, 2):
        try:
            score = float(args[at])
        except ValueError:
            raise RespError("ERR value is not a valid float") from None
        added += args[at + 1] not in scores
        db.grow(len(args[at + 1]) + 8)
        scores[args[at + 1]] = score
    db.put(args[0], scores)
    return added


def _zrange(db: Database, args: list[bytes]) -> Reply:
    scores = _sorted(db, args[0])
    ordered = sorted(scores.items(), key=lambda item: (item[1], item[0]))
    options = [option.upper() for option in args[3:]]
    if b"REV" in options:
        ordered.reverse()
    start, end = _integer(args[1]), _integer(args[2])
    start = max(0, start + len(ordered) if start < 0 else start)
    end = end + len(ordered) if end < 0 else end
    found: list[Reply] = []
    for member, score in ordered[start : end + 1]:
        found.append(member)
        if b"WITHSCORES" in options:
            found.append(f"{score:g}".encode())
    return found


def _flush(db: Database, args: list[bytes]) -> Reply:
    db.clear()
    return OK("OK")


Function = Callable[[Database, list[bytes]], Reply]
# name: (function, least arguments, whether it writes)
COMMANDS: dict[str, tuple[Function, int, bool]] = {
    "APPEND": (_append, 2, True),
    "DBSIZE": (lambda db, args: len(db.values), 0, False),
    "DECR": (lambda db, args: _add(db, args[0], -1), 1, True),
    "DECRBY": (lambda db, args: _add(db, args[0], -_integer(args[1])), 2, True),
    "DEL": (lambda db, args: sum(db.remove(key) for key in args), 1, True),
    "EXISTS": (lambda db, args: sum(db.get(key) is not None for key in args), 1, False),
    "EXPIRE": (_expire, 2, True),
    "FLUSHALL": (_flush, 0, True),
    "FLUSHDB": (_flush, 0, True),
    "GET": (_get, 1, False),
    "HDEL": (_hdel, 2, True),
    "HEXISTS": (lambda db, args: int(args[1] in _hash(db, args[0])), 2, False),
    "HGET": (lambda db, args: _hash(db, args[0]).get(args[1]), 2, False),
    "HGETALL": (_hgetall, 1, False),
    "HINCRBY": (_hincrby, 3, True),
    "HKEYS": (lambda db, args: list(_hash(db, args[0])), 1, False),
    "HLEN": (lambda db, args: len(_hash(db, args[0])), 1, False),
    "HMGET": (lambda db, args: [_hash(db, args[0]).get(name) for name in args[1:]], 2, False),
    "HSET": (_hset, 3, True),
    "HVALS": (lambda db, args: list(_hash(db, args[0]).values()), 1, False),
    "INCR": (lambda db, args: _add(db, args[0], 1), 1, True),
    "INCRBY": (lambda db, args: _add(db, args[0], _integer(args[1])), 2, True),
    "KEYS": (_keys, 1, False),
    "LLEN": (_llen, 1, False),
    "LPOP": (lambda db, args: _pop(db, args, left=True), 1, True),
    "LPUSH": (lambda db, args: _push(db, args, left=True), 2, True),
    "LRANGE": (_range, 3, False),
    "LTRIM": (_trim, 3, True),
    "MGET": (lambda db, args: [_get(db, [key]) for key in args], 1, False),
    "MSET": (_mset, 2, True),
    "PERSIST": (_persist, 1, True),
    "PEXPIRE": (lambda db, args: _expire(db, args, 0.001), 2, True),
    "PTTL": (lambda db, args: _ttl(db, args, 1000), 1, False),
    "RPOP": (lambda db, args: _pop(db, args, left=False), 1, True),
    "RPUSH": (lambda db, args: _push(db, args, left=False), 2, True),
    "SADD": (_sadd, 2, True),
    "SCARD": (lambda db, args: len(_members(db, args[0])), 1, False),
    "SET": (_set, 2, True),
    "SETEX": (lambda db, args: _set(db, [args[0], args[2], b"EX", args[1]]), 3, True),
    "SETNX": (lambda db, args: int(_set(db, [*args[:2], b"NX"]) is not None), 2, True),
    "SISMEMBER": (lambda db, args: int(args[1] in _members(db, args[0])), 2, False),
    "SMEMBERS": (lambda db, args: [*sorted(_members(db, args[0]))], 1, False),
    "SREM": (_srem, 2, True),
    "STRLEN": (lambda db, args: len(_get(db, args) or b""), 1, False),  # type: ignore[arg-type]
    "TTL": (_ttl, 1, False),
    "TYPE": (_type, 1, False),
    "UNLINK": (lambda db, args: sum(db.remove(key) for key in args), 1, True),
    "ZADD": (_zadd, 3, True),
    "ZCARD": (lambda db, args: len(_sorted(db, args[0])), 1, False),
    "ZRANGE": (_zrange, 3, False),
}


def dump(db: Database) -> list[list[bytes]]:
    """Return commands that make another database the same: what a replica is sent first."""
    commands: list[list[bytes]] = []
    for key, value in db.values.items():
        if isinstance(value, bytes):
            commands.append([b"SET", key, value])
        elif isinstance(value, deque):
            commands.append([b"RPUSH", key, *value])
        elif isinstance(value, SortedSet):
            pairs = [part for m, s in value.items() for part in (f"{s:g}".encode(), m)]
            commands.append([b"ZADD", key, *pairs])
        elif isinstance(value, dict):
            pairs = [part for name, item in value.items() for part in (name, item)]  # type: ignore[misc]
            commands.append([b"HSET", key, *pairs])
        else:
            commands.append([b"SADD", key, *sorted(value)])
    now = db.now()
    for key, due in db.expires.items():
        commands.append([b"PEXPIRE", key, str(int((due - now) * 1000)).encode()])
    return commands
