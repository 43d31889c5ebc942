"""What /proc says about processes (proc_pid_smaps(5), proc_pid_status(5), proc_pid_stat(5))."""

import os


def memory_kib(pid):
    """(PSS, its anonymous part). The proportional set size counts a shared page by the share of each process that maps
    it; the anonymous part is the process's own and does not change with what else runs."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key in ("Pss", "Pss_Anon"):
                found[key] = int(value.split()[0])
    return found["Pss"], found["Pss_Anon"]


def context_switches(pid):
    """(voluntary, involuntary) of the process's threads together."""
    voluntary = involuntary = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status") as file:
            for line in file:
                if line.startswith("voluntary_ctxt_switches:"):
                    voluntary += int(line.split()[1])
                elif line.startswith("nonvoluntary_ctxt_switches:"):
                    involuntary += int(line.split()[1])
    return voluntary, involuntary


def cpu_ns(pid):
    """Time on a processor, as the scheduler counts it."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def command(pid):
    """The command line, or an empty list when the process is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return [part.decode(errors="replace") for part in file.read().split(b"\0")[:-1]]
    except OSError:
        return []


def with_argument(text):
    """The processes one of whose arguments contains the text."""
    return [
        int(entry)
        for entry in os.listdir("/proc")
        if entry.isdigit() and int(entry) != os.getpid() and any(text in part for part in command(entry)[1:])
    ]


def machine():
    """The hardware and kernel that the numbers belong to."""
    model, cores = "unknown processor", 0
    with open("/proc/cpuinfo") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model"):
                model = value.strip()
            cores += key.strip() == "processor"
    with open("/proc/meminfo") as file:
        memory_gib = int(file.readline().split()[1]) / 2**20
    system = os.uname()
    return {
        "processor": model,
        "cores": cores,
        "memory_gib": round(memory_gib, 1),
        "architecture": system.machine,
        "kernel": system.release,
    }
