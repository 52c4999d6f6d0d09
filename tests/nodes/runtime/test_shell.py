"""Commands and scripts in a container: what they see of it, and of the network."""

from __future__ import annotations

import pytest

from nodes.runtime.cri import LinuxContainerSecurityContext, Mount

pytestmark = pytest.mark.looptime


async def a_shell(lab):
    return await lab.pod("busybox", "sleep", "100000", name="shell", envs=(("COLOR", "red"),))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("hostname", "shell\n"),
        ("echo $COLOR $HOSTNAME $HOME $PWD", "red shell /root /\n"),
        ("id", "uid=0(root) gid=0(root) groups=0(root)\n"),
        ("whoami", "root\n"),
        ("date -u +%Y-%m-%dT%H:%M", "2026-01-02T03:04\n"),
        ("date +%s", "1767323045\n"),
        ("uname -s", "Linux\n"),
        ("nproc", "4\n"),
        ("cat /etc/hostname", "shell\n"),
        ("x=1; x=$((x + 41)); echo $x", "42\n"),
        ("for i in 1 2 3; do echo $i; done | tail -1", "3\n"),
        ("echo abc > /tmp/f; cat /tmp/f; rm /tmp/f; ls /tmp", "abc\n"),
        ("printf '%s\\n' b a | sort", "a\nb\n"),
        ("f() { echo in $1; }; f x", "in x\n"),
        ("echo err >&2", "err\n"),
        ("cat <<EOF\nhi $COLOR\nEOF", "hi red\n"),
        ("until test -f /tmp/x; do touch /tmp/x; sleep 60; done; echo made", "made\n"),
        ("nosuch", ("sh: nosuch: not found\n", 127)),
        ("curl http://x", ("sh: curl: not found\n", 127)),
        ("/bin/nope", ("sh: line 1: /bin/nope: No such file or directory\n", 127)),
        ("exit 9", ("", 9)),
        ("false", ("", 1)),
        ("kill -9 1; echo alive", "alive\n"),
        ("kill 1; echo alive", "alive\n"),
        ("kill 77", ("sh: kill: (77) - No such process\n", 1)),
        ("which wget", "/bin/wget\n"),
        ("/bin/hostname", "shell\n"),
        ("sh -c 'echo inner'", "inner\n"),
        ("tty", ("not a tty\n", 1)),
    ],
)
async def test_scripts(lab, script, said):
    shell = await a_shell(lab)
    assert await shell.sh(script) == said


async def test_ps_lists_the_processes(lab):
    shell = await a_shell(lab)
    lines = (await shell.run("ps")).stdout.decode().splitlines()
    assert lines[0] == "PID   USER     TIME  COMMAND"
    assert [line.split(None, 3)[3] for line in lines[1:]] == ["sleep 100000", "ps", "ps"]


async def test_resolv_conf_is_the_pods(lab):
    shell = await a_shell(lab)
    assert await shell.sh("cat /etc/resolv.conf") == (
        "search default.svc.cluster.local svc.cluster.local cluster.local\n"
        "nameserver 10.96.0.10\noptions ndots:5\n"
    )


async def test_names(lab):
    shell = await a_shell(lab)
    lab.service("web", "10.96.0.5")
    assert await shell.sh("nslookup web") == (
        "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n"
        "Name:\tweb.default.svc.cluster.local\nAddress: 10.96.0.5\n\n"
    )
    said, code = await shell.sh("nslookup nobody")
    assert code == 1
    assert "** server can't find nobody: NXDOMAIN" in said
    debian = await lab.pod("debian", "sleep", "1000")
    assert await debian.sh("dig +short web.default.svc.cluster.local") == "10.96.0.5\n"
    assert await debian.sh("getent hosts web") == "10.96.0.5       web.default.svc.cluster.local\n"
    assert "10.96.0.10#53" in await debian.sh("nslookup web.default")


async def test_wget_complains_as_busybox_does(lab):
    shell = await a_shell(lab)
    web = await lab.pod("nginx")
    assert "Welcome to nginx!" in await shell.sh(f"wget -qO- {web.ip}")
    assert await shell.sh("wget -qO- http://nobody") == ("wget: bad address 'nobody'\n", 1)
    assert await shell.sh(f"wget -qO- {web.ip}:81") == (
        f"wget: can't connect to remote host ({web.ip}): Connection refused\n",
        1,
    )
    assert await shell.sh(f"wget -qO- {web.ip}/x") == (
        "wget: server returned error: HTTP/1.1 404 Not Found\n",
        1,
    )
    started = lab.clock.seconds()
    assert await shell.sh("wget -qO- -T 2 10.96.0.99") == ("wget: download timed out\n", 1)
    assert lab.clock.seconds() - started == pytest.approx(2)
    assert await shell.sh(f"wget -q {web.ip}/index.html; grep -c Welcome index.html") == "2\n"


async def test_curl_complains_as_curl_does(lab):
    web = await lab.pod("nginx")
    pod = await lab.pod("curlimages/curl", "sleep", "1000")
    code = await pod.sh(f"curl -s -o /dev/null -w '%{{http_code}}' {web.ip}/nope")
    assert code == "404"
    assert await pod.sh("curl -sS nobody") == ("curl: (6) Could not resolve host: nobody\n", 6)
    assert await pod.sh("curl -s nobody") == ("", 6)
    no_server = "Could not connect to server"
    assert await pod.sh(f"curl -sS {web.ip}:81") == (
        f"curl: (7) Failed to connect to {web.ip} port 81 after 0 ms: {no_server}\n",
        7,
    )
    assert await pod.sh("curl -sS -m 2 10.96.0.99") == (
        "curl: (28) Connection timed out after 2000 milliseconds\n",
        28,
    )
    assert await pod.sh(f"curl -sSf {web.ip}/nope") == (
        "curl: (22) The requested URL returned error: 404\n",
        22,
    )
    head = await pod.sh(f"curl -sI {web.ip}")
    assert head.startswith("HTTP/1.1 200 OK\r\nServer: nginx/")
    one_shot = await lab.pod("curlimages/curl", args=("-s", f"http://{web.ip}/"))
    await lab.clock.sleep(1)
    assert "Welcome to nginx!" in await one_shot.log()


async def test_nc_and_ping(lab):
    shell = await a_shell(lab)
    web = await lab.pod("nginx")
    assert await shell.sh(f"nc -zv {web.ip} 80") == f"{web.ip} ({web.ip}:80) open\n"
    said, code = await shell.sh(f"nc -zv {web.ip} 81")
    assert (code, "Connection refused" in said) == (1, True)
    assert "HTTP/1.1 200 OK" in await shell.sh(
        f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc {web.ip} 80"
    )
    assert "1 packets received, 0% packet loss" in await shell.sh(f"ping -c 1 {web.ip}")
    said, code = await shell.sh("ping -c 2 10.244.1.200")
    assert (code, "100% packet loss" in said) == (1, True)


async def test_nc_listens(lab):
    shell = await a_shell(lab)
    other = await lab.pod("busybox", "sh", "-c", "echo hello | nc -l -p 9000")
    await lab.clock.sleep(0.1)
    assert await shell.sh(f"nc {other.ip} 9000 </dev/null") == "hello\n"


async def test_input_of_an_exec_goes_to_the_script(lab):
    shell = await a_shell(lab)
    session = await shell.session("sh", "-c", "cat > /tmp/in; wc -c < /tmp/in", tty=False)
    await session.write_stdin(b"hello\n")
    await session.write_stdin(b"world\n")
    session.close_stdin()
    said = b"".join([data async for _, data in session.output()])
    assert (said.strip(), await session.wait()) == (b"12", 0)


async def test_volumes_are_seen_at_once_by_all(lab):
    root = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~configmap/page"
    lab.files.replace(root, {"index.html": (b"one\n", 0o644)})
    mount = (Mount("/usr/share/nginx/html", root, readonly=True),)
    web = await lab.pod("nginx", mounts=mount)
    loop = await lab.pod(
        "busybox",
        "sh",
        "-c",
        "while true; do cat /page/index.html; sleep 10; done",
        mounts=(Mount("/page", root, readonly=True),),
    )
    await lab.clock.sleep(1)
    assert (await web.run("cat", "/usr/share/nginx/html/index.html")).stdout == b"one\n"
    assert await web.sh("curl -s localhost; ls /usr/share/nginx/html") == "one\nindex.html\n"
    lab.files.replace(root, {"index.html": (b"two\n", 0o644)})
    assert await web.sh("curl -s localhost; cat /usr/share/nginx/html/*") == "two\ntwo\n"
    await lab.clock.sleep(10)
    assert await loop.log() == "one\ntwo\n"


async def test_a_shared_emptydir(lab):
    root = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~empty-dir/data"
    lab.files.mkdir(root)
    web = await lab.pod("nginx", mounts=(Mount("/usr/share/nginx/html", root),))
    writer = await lab.container(web, "busybox", "sleep", "1000", mounts=(Mount("/out", root),))
    assert await writer.sh("echo written > /out/index.html; mkdir /out/sub") == ""
    assert await web.sh("curl -s localhost") == "written\n"
    assert lab.files.read(f"{root}/index.html") == b"written\n"
    assert lab.files.is_dir(f"{root}/sub")
    lab.files.write(f"{root}/index.html", b"from the node\n")
    assert await writer.sh("cat /out/index.html") == "from the node\n"


async def test_what_is_written_to_a_read_only_volume_does_not_stay(lab):
    root = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~secret/s"
    lab.files.replace(root, {"key": (b"secret", 0o400)})
    pod = await lab.pod("busybox", "sleep", "100", mounts=(Mount("/s", root, readonly=True),))
    await pod.sh("echo changed > /s/key; echo x > /s/new")
    assert await pod.sh("cat /s/key; ls /s") == "secretkey\n"
    assert lab.files.read(f"{root}/key") == b"secret"


async def test_the_termination_log_is_a_file_of_the_node(lab):
    path = "/var/lib/kubelet/pods/u/containers/main/1234"
    lab.files.write(path, b"")
    pod = await lab.pod(
        "busybox",
        "sh",
        "-c",
        "echo it broke > /dev/termination-log; exit 1",
        mounts=(Mount("/dev/termination-log", path),),
    )
    await lab.clock.sleep(1)
    assert (await pod.status()).exit_code == 1
    assert lab.files.read(path) == b"it broke\n"


async def test_a_script_from_a_volume(lab):
    root = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~configmap/s"
    lab.files.replace(
        root,
        {"run.sh": (b"#!/bin/sh\necho ran $1\n", 0o755), "plain.sh": (b"echo plain\n", 0o644)},
    )
    mounts = (Mount("/s", root, readonly=True),)
    first = await lab.pod("busybox", "/s/run.sh", "x", mounts=mounts)
    second = await lab.pod("busybox", "sh", "/s/plain.sh", mounts=mounts)
    missing = await lab.pod("busybox", "sh", "/s/nope.sh", mounts=mounts)
    await lab.clock.sleep(1)
    assert [await pod.log() for pod in (first, second)] == ["ran x\n", "plain\n"]
    assert (await missing.status()).exit_code == 2


async def test_a_read_only_root(lab):
    root = "/var/lib/kubelet/pods/u/volumes/kubernetes.io~empty-dir/tmp"
    lab.files.mkdir(root)
    pod = await lab.pod(
        "busybox",
        "sleep",
        "100",
        security_context=LinuxContainerSecurityContext(readonly_rootfs=True),
    )
    said, code = await pod.sh("echo x > /etc/x")
    assert code == 1
    assert "read-only" in said.lower()


async def test_users(lab):
    pod = await lab.pod(
        "busybox",
        "sleep",
        "100",
        security_context=LinuxContainerSecurityContext(run_as_user=1000, run_as_group=3000),
    )
    assert await pod.sh("id; id -u; echo $HOME") == "uid=1000 gid=3000 groups=3000\n1000\n/\n"


async def test_python(lab):
    web = await lab.pod("python:3.12", "python", "-m", "http.server", "8000", working_dir="/srv")
    shell = await lab.pod("busybox", "sleep", "100")
    assert "Directory listing for /" in await shell.sh(f"wget -qO- {web.ip}:8000")
    once = await lab.pod("python:3.12", "python", "-c", "print(6 * 7)")
    await lab.clock.sleep(1)
    assert await once.log() == "42\n"
    assert await web.sh("echo 'print(1 + 1)' > /tmp/a.py; python3 /tmp/a.py") == "2\n"
