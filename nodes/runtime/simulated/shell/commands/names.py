"""nslookup, dig, host and getent, on the cluster's DNS."""

from __future__ import annotations

from nodes.network.addresses import is_ip
from nodes.network.dns import Answer, Rcode
from nodes.runtime.simulated.image import BUSYBOX
from nodes.runtime.simulated.shell.call import Call
from nodes.runtime.simulated.shell.options import parse_options


def _server(call: Call, given: str = "") -> str:
    return given or (call.net.resolv.servers[0] if call.net.resolv.servers else "127.0.0.1")


async def nslookup(call: Call) -> int:
    """Ask for a name as BusyBox or bind's tools do."""
    options = parse_options(call.args, "", "", ("type", "querytype"))
    words = [word for word in options.rest if not word.startswith("-")]
    types = [word.partition("=")[2] for word in call.args if word.startswith(("-type=", "-q"))]
    if not words:
        return await call.fail("nslookup: missing name")
    server = _server(call, words[1] if len(words) > 1 else "")
    mark = ":" if call.process.world.userland == BUSYBOX else "#"
    if not call.net.dns_answers():
        return await call.fail(";; connection timed out; no servers could be reached")
    await call.out(f"Server:\t\t{server}\nAddress:\t{server}{mark}53\n\n")
    qtype = (types[0] if types else "A").upper()
    full, answer = _ask(call, words[0], qtype)
    if answer.rcode is not Rcode.NOERROR:
        await call.out(f"** server can't find {full}: NXDOMAIN\n\n")
        return 1
    if not answer.records:
        await call.out(f"*** Can't find {words[0]}: No answer\n\n")
        return 0
    for record in answer.records:
        await call.out(_nslookup_line(record.name, record.type, record.data))
    await call.out("\n")
    return 0


def _nslookup_line(name: str, kind: str, data: str) -> str:
    if kind in ("A", "AAAA"):
        return f"Name:\t{name}\nAddress: {data}\n"
    if kind == "CNAME":
        return f"{name}\tcanonical name = {data.rstrip('.')}\n"
    if kind == "SRV":
        return f"{name}\tservice = {data.rstrip('.')}\n"
    return f"{name}\tname = {data.rstrip('.')}\n"


def _ask(call: Call, name: str, qtype: str) -> tuple[str, Answer]:
    dns = call.net.network.dns
    if is_ip(name):
        name, qtype = ".".join(reversed(name.split("."))) + ".in-addr.arpa", "PTR"
        return name, dns.lookup(name, "PTR")
    full, answer = name, Answer(Rcode.NXDOMAIN)
    for full in call.net.resolv.candidates(name):
        answer = dns.lookup(full, qtype)
        if answer.rcode is Rcode.NOERROR and answer.records:
            break
    return full, answer


async def dig(call: Call) -> int:
    """Ask for exactly the name that is given; with +search go through the search path."""
    words = [word for word in call.args if word[:1] not in "+@-"]
    kinds = [word.upper() for word in words if word.upper() in _TYPES]
    names = [word for word in words if word.upper() not in _TYPES] or ["."]
    qtype = kinds[0] if kinds else "A"
    if "-x" in call.args:
        names = [".".join(reversed(names[0].split("."))) + ".in-addr.arpa"]
        qtype = "PTR"
    if not call.net.dns_answers():
        return await call.fail(";; no servers could be reached", 9)
    if "+search" in call.args:
        full, answer = _ask(call, names[0], qtype)
    else:
        full, answer = names[0], call.net.network.dns.lookup(names[0], qtype)
    if "+short" in call.args:
        await call.out("".join(f"{record.data}\n" for record in answer.records))
        return 0
    lines = "".join(f"{r.name}.\t5\tIN\t{r.type}\t{r.data}\n" for r in answer.records)
    await call.out(
        f"\n; <<>> DiG 9.20 <<>> {' '.join(call.args)}\n;; global options: +cmd\n;; Got answer:\n"
        f";; ->>HEADER<<- opcode: QUERY, status: {answer.rcode}, id: 4711\n"
        f";; flags: qr aa rd; QUERY: 1, ANSWER: {len(answer.records)}, AUTHORITY: 0, "
        f"ADDITIONAL: 1\n\n;; QUESTION SECTION:\n;{full.rstrip('.')}.\t\tIN\t{qtype}\n\n"
        + (f";; ANSWER SECTION:\n{lines}\n" if lines else "")
        + f";; Query time: 0 msec\n;; SERVER: {_server(call)}#53({_server(call)}) (UDP)\n\n"
    )
    return 0


_TYPES = ("A", "AAAA", "SRV", "PTR", "CNAME", "ANY", "TXT", "MX", "NS")


async def host(call: Call) -> int:
    """Ask for a name, in one line an answer."""
    words = [word for word in call.args if not word.startswith("-")]
    if not words:
        return await call.fail("Usage: host name")
    _full, answer = _ask(call, words[0], "A")
    if answer.rcode is not Rcode.NOERROR:
        await call.out(f"Host {words[0]} not found: 3(NXDOMAIN)\n")
        return 1
    said = {"A": "has address", "CNAME": "is an alias for", "PTR": "domain name pointer"}
    for record in answer.records:
        await call.out(f"{record.name} {said.get(record.type, 'has')} {record.data}\n")
    return 0


async def getent(call: Call) -> int:
    """Getent hosts NAME."""
    if call.args[:1] not in (["hosts"], ["ahosts"]) or len(call.args) < 2:
        return 1
    full, answer = call.net.resolve(call.args[1])
    for ip in answer.addresses():
        await call.out(f"{ip:<15} {full}\n")
    return 0 if answer.addresses() else 2
