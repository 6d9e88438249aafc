"""What a server and all its processes use, as /proc tells it."""
import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields of /proc/PID/stat from the third on: [0] is field 3 of proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def tree(root):
    """root and whatever descends from it, as pids."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                children.setdefault(int(_stat(entry)[1]), []).append(int(entry))
            except OSError:
                pass  # it ended meanwhile
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(root):
    """User and system time of the tree, threads and children that have ended included."""
    ticks = 0
    for pid in tree(root):
        try:
            ticks += sum(map(int, _stat(pid)[11:15]))  # utime stime cutime cstime
        except OSError:
            pass  # ended meanwhile: its parent has its time
    return ticks / TICKS_PER_SECOND


def pss_mb(pid):
    """Proportional set size: its own memory, and its share of what it has in common with others. Workers may not be
    looked into by other users than root: for these it is the resident set, which is more. None: it has ended."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except PermissionError:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        pass
    return None


def memory_mb(root):
    """PSS of the root and of each other process of its tree."""
    own, *others = tree(root)
    return pss_mb(own), [mb for mb in map(pss_mb, others) if mb is not None]


def sharers(root):
    """Processes outside of the tree that run the same program, which makes its PSS look smaller than it is."""
    ours, program = set(tree(root)), os.readlink(f"/proc/{root}/exe")
    name = os.path.basename(program)
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) not in ours:
            try:
                if os.path.basename(os.readlink(f"/proc/{entry}/exe")) == name:
                    found.append(int(entry))
            except OSError:
                pass
    return found
