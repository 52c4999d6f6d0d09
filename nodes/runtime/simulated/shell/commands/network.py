"""wget, curl, nc, ping, ip and netstat, on the simulated network."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from nodes.network.addresses import is_ip
from nodes.network.fabric import NameNotFound
from nodes.network.http import BadMessage, HttpResponse
from nodes.network.stream import Stream
from nodes.network.tls import INSECURE, TLSError, Trust, read_bundle
from nodes.runtime.simulated.shell.call import Call
from nodes.runtime.simulated.shell.options import Options, parse_options

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5
_MAX_PINGS = 1000
_LAST_WORDS = 0.05


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.hostname or "", port or (443 if parts.scheme == "https" else 80)


async def _fetch(
    call: Call,
    url: str,
    *,
    method: str,
    headers: dict[str, str],
    body: bytes,
    timeout: float,
    follow: bool,
    trust: Trust,
) -> tuple[HttpResponse, str]:
    for _ in range(_MAX_REDIRECTS + 1):
        secure = None
        if url.startswith("https:"):
            secure = trust if trust.insecure else replace(trust, name=_address(url)[0])
        response = await call.net.request(
            url, method=method, headers=headers, body=body, timeout=timeout, trust=secure
        )
        location = response.headers.get("Location")
        if not follow or response.status not in _REDIRECTS or not location:
            break
        url = urljoin(url, location)
    return response, url


async def wget(call: Call) -> int:
    """Fetch a URL, with the words of BusyBox."""
    options = parse_options(
        call.args,
        "qScs",
        "OTtUPoY",
        ("timeout", "header", "post-data", "output-document", "tries", "user-agent"),
    )
    if not options.rest:
        return await call.fail("wget: missing URL")
    url = options.rest[0] if "://" in options.rest[0] else f"http://{options.rest[0]}"
    host, port = _address(url)
    quiet = options.has("q", "quiet")
    target = options.value("O", "output-document")
    name = urlsplit(url).path.rpartition("/")[2] or "index.html"
    headers = {"User-Agent": "Wget", **_headers(options.values.get("header", []))}
    body = options.value("post-data").encode()
    timeout = options.number("T", "timeout", default=900)
    try:
        ip = host if is_ip(host) else call.net.resolve_ip(host)
        if not quiet:
            await call.err(f"Connecting to {host}:{port} ({ip}:{port})\n")
        if url.startswith("https:") and not options.has("no-check-certificate"):
            await call.err("wget: note: TLS certificate validation not implemented\n")
        response, _ = await _fetch(
            call,
            url,
            method="POST" if body else "GET",
            headers=headers,
            body=body,
            timeout=timeout,
            follow=True,
            trust=INSECURE,
        )
    except NameNotFound:
        return await call.fail(f"wget: bad address '{host}'")
    except TimeoutError:
        return await call.fail("wget: download timed out")
    except ConnectionRefusedError:
        return await call.fail(f"wget: can't connect to remote host ({ip}): Connection refused")
    except (OSError, BadMessage) as error:
        why = "No route to host" if not isinstance(error, BadMessage) else str(error)
        return await call.fail(f"wget: can't connect to remote host ({ip}): {why}")
    return await _wget_result(call, options, response, target or name)


async def _wget_result(call: Call, options: Options, response: HttpResponse, target: str) -> int:
    quiet = options.has("q", "quiet")
    if options.has("S"):
        fields = "".join(f"  {key}: {value}\n" for key, value in response.headers.items)
        await call.err(f"  HTTP/1.1 {response.status} {response.phrase}\n{fields}")
    if response.status >= 400:
        return await call.fail(
            f"wget: server returned error: HTTP/1.1 {response.status} {response.phrase}"
        )
    if options.has("spider"):
        if not quiet:
            await call.err("remote file exists\n")
        return 0
    if target == "-":
        if not quiet:
            await call.err("writing to stdout\n")
        await call.out(response.body)
        if not quiet:
            await call.err(_progress("-", len(response.body)) + "written to stdout\n")
        return 0
    try:
        _save(call, target, response.body)
    except OSError as error:
        return await call.fail(f"wget: can't open '{target}': {error}")
    if not quiet:
        await call.err(f"saving to '{target}'\n{_progress(target, len(response.body))}")
        await call.err(f"'{target}' saved\n")
    return 0


def _save(call: Call, target: str, data: bytes) -> None:
    path = target if target.startswith("/") else f"{call.cwd.rstrip('/')}/{target}"
    if path != "/dev/null":
        call.process.fs.write(path, data)


def _progress(name: str, size: int) -> str:
    return f"{name:<20} 100% |{'*' * 32}| {size:5d}  0:00:00 ETA\n"


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs if key}


async def curl(call: Call) -> int:
    """Fetch a URL, with curl's words and exit codes."""
    options = parse_options(
        call.args,
        "sSfIikLvgGn",
        "oXdHmwAub",
        (
            "output",
            "request",
            "data",
            "header",
            "max-time",
            "connect-timeout",
            "write-out",
            "user-agent",
            "retry",
            "data-raw",
            "user",
            "resolve",
            "cacert",
        ),
    )
    if not options.rest:
        return await call.fail("curl: try 'curl --help' for more information", 2)
    code = 0
    for url in options.rest[:16]:
        code = await _curl_one(call, options, url if "://" in url else f"http://{url}")
    return code


async def _curl_one(call: Call, options: Options, url: str) -> int:
    host, port = _address(url)
    body = "&".join(
        text for name in ("d", "data", "data-raw") for text in options.values.get(name, [])
    ).encode()
    headers = {
        "User-Agent": options.value("A", "user-agent", default="curl/8.14.1"),
        "Accept": "*/*",
        **({"Content-Type": "application/x-www-form-urlencoded"} if body else {}),
        **_headers(options.values.get("H", []) + options.values.get("header", [])),
    }
    default = "HEAD" if options.has("I", "head") else "POST" if body else "GET"
    limit = options.number("m", "max-time", default=300)
    timeout = min(limit, options.number("connect-timeout", default=300))
    silent = options.has("s", "silent") and not options.has("S", "show-error")

    async def fail(code: int, why: str) -> int:
        if options.value("w", "write-out"):
            await call.out(_write_out(options.value("w", "write-out"), None, url))
        if not silent:
            await call.err(f"curl: ({code}) {why}\n")
        return code

    trust = _curl_trust(call, options)
    if trust is None:
        return await fail(77, f"error setting certificate file: {options.value('cacert')}")
    started = call.process.clock.seconds()
    try:
        response, url = await _fetch(
            call,
            url,
            method=options.value("X", "request", default=default),
            headers=headers,
            body=body,
            timeout=timeout,
            follow=options.has("L", "location"),
            trust=trust,
        )
    except OSError as error:
        spent = int((call.process.clock.seconds() - started) * 1000)
        if isinstance(error, TLSError):
            return await fail(*_tls_failure(str(error), host, trust))
        return await fail(*_curl_failure(error, host, port, spent))
    if options.has("f", "fail") and response.status >= 400:
        return await fail(22, f"The requested URL returned error: {response.status}")
    return await _curl_result(call, options, response, url)


def _curl_trust(call: Call, options: Options) -> Trust | None:
    """Return what curl demands of a server; None where its file holds no certificates."""
    if options.has("k", "insecure"):
        return INSECURE
    path = options.value("cacert")
    if not path:
        return Trust()
    full = path if path.startswith("/") else f"{call.cwd.rstrip('/')}/{path}"
    try:
        return Trust(read_bundle(call.process.fs.read(full) or b""))
    except ValueError:
        return None


def _curl_failure(error: OSError, host: str, port: int, spent: int) -> tuple[int, str]:
    """Return curl's exit code and words for a request that failed after some milliseconds."""
    if isinstance(error, NameNotFound):
        return 6, f"Could not resolve host: {host}"
    if isinstance(error, TimeoutError):
        return 28, f"Connection timed out after {spent} milliseconds"
    if isinstance(error, BadMessage):
        return 1, "Received HTTP/0.9 when not allowed"
    if isinstance(error, ConnectionResetError):
        return 52, "Empty reply from server"
    why = "Could not connect to server"
    return 7, f"Failed to connect to {host} port {port} after {spent} ms: {why}"


def _tls_failure(why: str, host: str, trust: Trust) -> tuple[int, str]:
    """Return curl's exit code and words for a handshake that failed."""
    if "HTTP response to HTTPS client" in why or "first record" in why:
        return 35, "TLS connect error: error:0A00010B:SSL routines::wrong version number"
    if "failed to verify" not in why:
        return 35, f"TLS connect error: {why}"
    if not trust.roots or "unknown authority" in why:
        said = "SSL certificate problem: unable to get local issuer certificate"
    elif "expired" in why:
        said = "SSL certificate problem: certificate has expired"
    else:
        said = f"SSL: no alternative certificate subject name matches target host name '{host}'"
    return 60, f"{said}\n{_MORE}"


_MORE = """More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the webpage mentioned above."""


async def _curl_result(call: Call, options: Options, response: HttpResponse, url: str) -> int:
    head = f"HTTP/1.1 {response.status} {response.phrase}\r\n" + "".join(
        f"{key}: {value}\r\n" for key, value in response.headers.items
    )
    output = options.value("o", "output")
    if options.has("v", "verbose"):
        await call.err("".join(f"< {line}\n" for line in head.splitlines()) + "< \n")
    data = response.body
    if options.has("I", "head", "i", "include"):
        data = head.encode() + b"\r\n" + data
    if not output or output == "-":
        await call.out(data)
    elif output != "/dev/null":
        try:
            _save(call, output, data)
        except OSError:
            return await call.fail("curl: (23) Failure writing output to destination", 23)
    await call.out(_write_out(options.value("w", "write-out"), response, url))
    return 0


def _write_out(form: str, response: HttpResponse | None, url: str) -> str:
    values = {
        "%{http_code}": f"{response.status:03d}" if response else "000",
        "%{response_code}": f"{response.status:03d}" if response else "000",
        "%{size_download}": str(len(response.body)) if response else "0",
        "%{url_effective}": url,
        "%{time_total}": "0.001000",
        "\\n": "\n",
        "\\t": "\t",
    }
    for key, value in values.items():
        form = form.replace(key, value)
    return form


async def nc(call: Call) -> int:
    """Connect, and copy both ways; or with -z only see whether somebody listens."""
    options = parse_options(call.args, "zvlnkuNe", "wpqis")
    if options.has("l"):
        return await _nc_listen(call, options)
    if len(options.rest) < 2 or not options.rest[1].isdigit():
        return await call.fail("nc: missing host or port")
    host, port = options.rest[0], int(options.rest[1])
    timeout = options.number("w", default=127)
    try:
        stream = await call.net.connect(host, port, timeout)
    except NameNotFound:
        return await call.fail(f"nc: bad address '{host}'")
    except TimeoutError:
        return await call.fail(f"nc: {host} ({host}:{port}): Connection timed out")
    except OSError as error:
        refused = isinstance(error, ConnectionRefusedError)
        why = "Connection refused" if refused else "No route to host"
        return await call.fail(f"nc: {host} ({host}:{port}): {why}")
    try:
        if options.has("v"):
            await call.err(f"{host} ({stream.remote[0]}:{port}) open\n")
        if not options.has("z"):
            await _copy(call, stream, options.number("w", default=0))
        return 0
    finally:
        stream.close()


async def _nc_listen(call: Call, options: Options) -> int:
    text = options.value("p") or (options.rest[-1] if options.rest else "")
    if not text.isdigit():
        return await call.fail("nc: missing port")
    arrived: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def handler(stream: Stream) -> None:
        if arrived.done():
            return
        arrived.set_result(stream)
        await over

    try:
        listener = call.net.network.listen(call.net.ip, int(text), handler)
    except OSError:
        return await call.fail("nc: bind: Address already in use")
    try:
        await _copy(call, await arrived, 0)
    finally:
        listener.close()
        if not over.done():
            over.set_result(None)
    return 0


async def _copy(call: Call, stream: Stream, idle: float) -> None:
    async def send() -> None:
        try:
            async for chunk in call.stdin():
                await stream.write(chunk)
            stream.close_write()
        except BrokenPipeError:
            return

    timer = call.process.clock.call_later(idle, stream.close) if idle else None
    try:
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(send())
            while chunk := await stream.read():
                await call.out(chunk)
            # What is on stdin already is sent, though nobody answers any more.
            await call.process.clock.sleep(_LAST_WORDS)
            sender.cancel()
    finally:
        if timer is not None:
            timer.cancel()


async def ping(call: Call) -> int:
    """Reach an address that somebody has. A Service's address answers no ping, as in iptables."""
    options = parse_options(call.args, "qnv46", "cwWisI")
    if not options.rest:
        return await call.fail("ping: missing host")
    name = options.rest[0]
    try:
        ip = call.net.resolve_ip(name)
    except NameNotFound:
        return await call.fail(f"ping: bad address '{name}'")
    count = int(options.number("c", default=_MAX_PINGS))
    alive = bool(call.net.network.owner(ip)) or ip.startswith("127.")
    await call.out(f"PING {name} ({ip}): 56 data bytes\n")
    sent = received = 0
    for number in range(min(count, _MAX_PINGS)):
        sent += 1
        if alive:
            received += 1
            ms = 0.05 + (call.process.world.seed + number * 7) % 40 / 1000
            await call.out(f"64 bytes from {ip}: seq={number} ttl=62 time={ms:.3f} ms\n")
        if number + 1 < count or not alive:
            await call.process.clock.sleep(options.number("i", default=1) or 1)
    lost = 100 * (sent - received) // max(sent, 1)
    await call.out(
        f"\n--- {name} ping statistics ---\n{sent} packets transmitted, {received} packets "
        f"received, {lost}% packet loss\n"
    )
    return 0 if received else 1


async def ip(call: Call) -> int:
    """Ip addr, ip route: what an interface would say."""
    words = [word for word in call.args if not word.startswith("-")]
    address = call.net.ip
    gateway = address.rpartition(".")[0] + ".1"
    if words[:1] and words[0].startswith("r"):
        await call.out(f"default via {gateway} dev eth0 \n")
        return 0
    await call.out(
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN qlen 1000\n"
        "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
        "    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n"
        "2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP \n"
        f"    link/ether {_mac(address)} brd ff:ff:ff:ff:ff:ff link-netnsid 0\n"
        f"    inet {address}/24 brd {address.rpartition('.')[0]}.255 scope global eth0\n"
        "       valid_lft forever preferred_lft forever\n"
    )
    return 0


async def ifconfig(call: Call) -> int:
    """The interface in ifconfig's form."""
    address = call.net.ip
    await call.out(
        f"eth0      Link encap:Ethernet  HWaddr {_mac(address).upper()}  \n"
        f"          inet addr:{address}  Bcast:{address.rpartition('.')[0]}.255  "
        "Mask:255.255.255.0\n          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n\n"
    )
    return 0


async def netstat(call: Call) -> int:
    """Which ports are listened on."""
    lines = "".join(
        f"tcp        0      0 0.0.0.0:{port:<15} 0.0.0.0:*               LISTEN      \n"
        for port, protocol in call.net.network.listening(call.net.ip)
        if protocol == "TCP"
    )
    await call.out(
        "Active Internet connections (only servers)\n"
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State       \n" + lines
    )
    return 0


def _mac(address: str) -> str:
    return "0a:58:" + ":".join(f"{int(part):02x}" for part in address.split("."))
