"""ps, date, hostname, id, kill, sleep and friends: what tells of the simulated machine."""

from __future__ import annotations

from datetime import UTC, datetime

from nodes.runtime.simulated.image import MIB
from nodes.runtime.simulated.process import SIGNALS
from nodes.runtime.simulated.shell.call import Call
from nodes.runtime.simulated.shell.durations import parse_duration

_KERNEL = "6.12.0-kubeground"
_NODE_MEMORY = 8192 * MIB


async def sleep(call: Call) -> int:
    """Wait, by the cluster's clock."""
    total = 0.0
    for arg in call.args:
        seconds = parse_duration(arg)
        if seconds is None:
            return await call.fail(f"sleep: invalid number '{arg}'")
        total += seconds
    if not call.args:
        return await call.fail("sleep: missing operand")
    await call.process.clock.sleep(total)
    return 0


async def hostname(call: Call) -> int:
    """The pod's name; -i: its address."""
    wants_ip = any(arg in ("-i", "-I", "--ip-address") for arg in call.args)
    await call.out(f"{call.net.ip if wants_ip else call.net.hostname}\n")
    return 0


async def whoami(call: Call) -> int:
    """The user's name."""
    uid = call.process.world.user[0]
    if uid:
        return await call.fail(f"whoami: unknown uid {uid}")
    await call.out("root\n")
    return 0


async def identity(call: Call) -> int:
    """id: the user and the group."""
    uid, gid = call.process.world.user
    if "-u" in call.args:
        await call.out(f"{uid}\n")
    elif "-g" in call.args:
        await call.out(f"{gid}\n")
    else:
        user = f"{uid}(root)" if not uid else str(uid)
        group = f"{gid}(root)" if not gid else str(gid)
        await call.out(f"uid={user} gid={group} groups={group}\n")
    return 0


async def uname(call: Call) -> int:
    """The kernel of the simulated node."""
    parts = {
        "s": "Linux",
        "n": call.net.hostname,
        "r": _KERNEL,
        "v": "#1 SMP PREEMPT_DYNAMIC",
        "m": "x86_64",
    }
    letters = "".join(arg.lstrip("-") for arg in call.args) or "s"
    chosen = [text for key, text in parts.items() if key in letters or "a" in letters]
    await call.out(" ".join(chosen) + (" GNU/Linux" if "a" in letters else "") + "\n")
    return 0


async def date(call: Call) -> int:
    """The cluster's time, always in UTC."""
    moment = call.process.clock.now()
    form = "%a %b %e %H:%M:%S UTC %Y"
    args = list(call.args)
    while args:
        arg = args.pop(0)
        if arg.startswith("+"):
            form = arg[1:]
        elif arg.startswith("-I"):
            form = "%Y-%m-%dT%H:%M:%S+00:00" if "s" in arg else "%Y-%m-%d"
        elif arg in ("-R", "--rfc-email"):
            form = "%a, %d %b %Y %H:%M:%S +0000"
        elif arg in ("-d", "--date") and args:
            given = args.pop(0)
            if not given.startswith("@") or not given[1:].isdigit():
                return await call.fail(f"date: invalid date '{given}'")
            moment = datetime.fromtimestamp(int(given[1:]), UTC)
        elif arg not in ("-u", "--utc"):
            return await call.fail(f"date: invalid option '{arg}'")
    form = form.replace("%N", f"{moment.microsecond:06d}000").replace(
        "%s", str(int(moment.timestamp()))
    )
    await call.out(moment.strftime(form) + "\n")
    return 0


async def ps(call: Call) -> int:
    """The processes of the container, in BusyBox's form or in procps'."""
    processes = sorted(call.process.world.processes.items())
    me = call.process.world.last_pid + 1
    long = any("a" in arg or "e" in arg for arg in call.args)
    user = "root" if not call.process.world.user[0] else str(call.process.world.user[0])
    rows = [(pid, " ".join(process.argv)) for pid, process in processes]
    rows.append((me, " ".join(["ps", *call.args])))
    if long:
        lines = ["USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND"]
        lines += [
            f"{user:<8} {pid:>7}  0.0  0.1   4408  1572 ?        Ss   00:00   0:00 {command}"
            for pid, command in rows
        ]
    else:
        lines = ["PID   USER     TIME  COMMAND"]
        lines += [f"{pid:>5} {user:<8}  0:00 {command}" for pid, command in rows]
    await call.out("\n".join(lines) + "\n")
    return 0


async def top(call: Call) -> int:
    """One screen of top, whatever the options."""
    world = call.process.world
    now = call.process.clock.seconds()
    used = world.meter.memory(now) // 1024
    load = world.meter.cores(now)
    await call.out(
        f"Mem: {used}K used, {(_NODE_MEMORY // 1024) - used}K free, 0K shrd, 0K buff, 0K cached\n"
        f"CPU:  {100 * load / world.cpus:3.0f}% usr   0% sys   0% nic  "
        f"{100 - 100 * load / world.cpus:3.0f}% idle   0% io   0% irq   0% sirq\n"
        f"Load average: {load:.2f} {load:.2f} {load:.2f} 1/{len(world.processes)}\n"
        "  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n"
    )
    for pid, process in sorted(world.processes.items()):
        await call.out(
            f"{pid:>5}     0 root     S     4408   0%   0   0% {' '.join(process.argv)}\n"
        )
    return 0


async def kill(call: Call) -> int:
    """Signal processes of the container. PID 1 gets only what it handles."""
    number = SIGNALS["TERM"]
    pids: list[str] = []
    args = list(call.args)
    while args:
        arg = args.pop(0)
        if arg == "-l":
            await call.out(" ".join(SIGNALS) + "\n")
            return 0
        name = args.pop(0) if arg == "-s" and args else arg
        if arg.startswith("-") or arg == "-s":
            plain = name.lstrip("-").upper().removeprefix("SIG")
            number = int(plain) if plain.isdigit() else SIGNALS.get(plain, 15)
        else:
            pids.append(arg)
    code = 0
    for pid in pids:
        process = call.process.world.processes.get(int(pid)) if pid.isdigit() else None
        if process is None:
            code = await call.fail(f"sh: kill: ({pid}) - No such process")
        elif not (number == SIGNALS["KILL"] and process.pid == 1):
            # The kernel keeps PID 1 from a KILL that comes from inside.
            process.signal(number)
    return code


async def free(call: Call) -> int:
    """The memory of the container's limit, or of the node."""
    world = call.process.world
    total = (world.memory_limit or _NODE_MEMORY) // 1024
    used = world.meter.memory(call.process.clock.seconds()) // 1024
    await call.out(
        "              total        used        free      shared  buff/cache   available\n"
        f"Mem:    {total:>11} {used:>11} {total - used:>11} {0:>11} {0:>11} {total - used:>11}\n"
        f"Swap:   {0:>11} {0:>11} {0:>11}\n"
    )
    return 0


async def df(call: Call) -> int:
    """The container's root file system."""
    used = call.process.fs.written_bytes() // 1024 + 2_000_000
    total = 52_428_800
    await call.out(
        "Filesystem           1K-blocks      Used Available Use% Mounted on\n"
        f"overlay               {total} {used:>9} {total - used:>9} "
        f"{100 * used // total:>3}% /\n"
    )
    return 0


async def nproc(call: Call) -> int:
    """How many CPUs the node has."""
    await call.out(f"{call.process.world.cpus}\n")
    return 0


async def uptime(call: Call) -> int:
    """How long the container has run."""
    now = call.process.clock.now()
    first = min(call.process.world.processes.values(), key=lambda process: process.pid)
    minutes = int(call.process.clock.seconds() - first.started) // 60
    await call.out(
        f" {now:%H:%M:%S} up {minutes // 60}:{minutes % 60:02d},  0 users,  "
        "load average: 0.00, 0.00, 0.00\n"
    )
    return 0


async def mount(call: Call) -> int:
    """The root, and the volumes."""
    access = "ro" if call.process.fs.readonly else "rw"
    lines = [f"overlay on / type overlay ({access},relatime)", "proc on /proc type proc (rw)"]
    lines += [
        f"/dev/vda1 on {path} type ext4 ({'ro' if readonly else 'rw'},relatime)"
        for path, readonly in call.process.fs.mounts()
    ]
    await call.out("\n".join(lines) + "\n")
    return 0


async def tty(call: Call) -> int:
    """Whether there is a terminal."""
    await call.out("/dev/pts/0\n" if call.process.tty else "not a tty\n")
    return 0 if call.process.tty else 1


async def nothing(call: Call) -> int:
    """clear, reset, sync: nothing to do here."""
    if call.name in ("clear", "reset") and call.process.tty:
        await call.out("\x1b[H\x1b[2J")
    return 0


async def offline(call: Call) -> int:
    """apt, apk, pip, npm: a playground has no way to the internet."""
    if call.args[:1] and call.args[0] in ("update", "install", "add", "upgrade", "i"):
        return await call.fail(f"{call.name}: no network: package servers cannot be reached", 100)
    await call.out(f"{call.name}: package manager of a simulated container\n")
    return 0


async def no_editor(call: Call) -> int:
    """vi, nano, less on a terminal that draws no screens."""
    return await call.fail(f"{call.name}: full-screen programs do not run in this terminal")
