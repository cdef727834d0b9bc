"""The walls around a worker, put up by the operating system: what it may read, write, connect to, start and use up.

On Linux, Landlock denies files and TCP by path and port, and signals to other processes; seccomp denies the system calls that Landlock does
not know: sockets of any kind, new processes and programs, permissions and times of files, and what only administration needs.
Resource limits hold on every POSIX system. Each part that an older kernel or another system lacks is left out, and said to be.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

PARTS = ("environment", "files", "permissions", "network", "processes", "signals", "memory", "time")

ADDRESS_SPACE = 8 << 30  # bytes; a worker with all databases has 2 GiB mapped and 0.4 in use
FILE_SIZE = 256 << 20  # bytes of a file that it writes
OPEN_FILES = 256

CLONE_THREAD = 0x10000

# System calls that fail with "operation not permitted".
DENIED = (
    # new processes and programs
    "fork", "vfork", "execve", "execveat",
    # sockets, of every family
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4",
    # permissions, owners, times and attributes of files, which Landlock leaves alone
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "utimensat",
    "futimesat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr", "fremovexattr",
    "removexattrat", "file_setattr", "mknod", "mknodat",
    # other processes
    "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "ptrace",
    "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "setpriority", "ioprio_set", "setpgid", "setsid",
    "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr",
    # shared memory, queues and keys of the system
    "shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semctl", "semtimedop",
    "mq_open", "mq_unlink", "add_key", "request_key", "keyctl",
    # administration, and gates to the kernel
    "mount", "umount2", "move_mount", "fsopen", "fsmount", "fsconfig", "fspick", "open_tree", "mount_setattr", "pivot_root",
    "chroot", "unshare", "setns", "swapon", "swapoff", "reboot", "kexec_load", "kexec_file_load", "init_module",
    "finit_module", "delete_module", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "open_by_handle_at", "name_to_handle_at", "fanotify_init", "quotactl", "acct", "syslog", "personality",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "vhangup", "ioperm", "iopl",
    "lookup_dcookie", "nfsservctl", "modify_ldt",
)  # fmt: skip

# System calls whose first argument is the process concerned, and for which processes they are allowed.
ONLY_TO_ITSELF: dict[str, Callable[[int], tuple[int, ...]]] = {
    "kill": lambda own: (own,),
    "tgkill": lambda own: (own,),
    "prlimit64": lambda own: (0, own),
}


@dataclass(frozen=True)
class Limits:
    """What a worker may do besides computing.

    Attributes:
        read: files and folders (with all below them) that it may read.
        write: the folders below which it may write, too.
    """

    read: tuple[str, ...]
    write: tuple[str, ...]


def confine(limits: Limits) -> dict[str, str]:
    """Confine this process, for good and with all threads to come; call it before there is a second thread.

    Returns:
        By what each of PARTS is confined; parts that are not are missing.
    """
    if sys.platform == "linux" and len([*Path("/proc/self/task").iterdir()]) > 1:
        raise RuntimeError("a thread that is there already cannot be confined")
    walls = (_limit_resources(), _landlock(limits), _seccomp())
    found = {name: " and ".join(wall[name] for wall in walls if name in wall) for name in PARTS}
    return {"environment": "a list of variables", **{name: by for name, by in found.items() if by}}


def _limit_resources() -> dict[str, str]:
    if resource is None:
        return {"time": "its parent's clock"}
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        _lower(kind, most)
    confined = {"time": "its parent's clock, and its own CPU time"}
    if sys.platform == "linux":  # macOS accepts RLIMIT_AS and ignores it
        _lower(resource.RLIMIT_AS, ADDRESS_SPACE)
        confined["memory"] = "a limit to its address space"
    return confined


def _lower(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def limit_cpu_time(seconds: float) -> None:
    """Let the system end this process once it has used so many more seconds of CPU time."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime + seconds) + 1
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        if hard == resource.RLIM_INFINITY or soft < hard:
            resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _landlock(limits: Limits) -> dict[str, str]:
    try:
        from landlockpy import AccessFS, AccessNet, Ruleset, Scope
    except ImportError:  # it is a dependency on Linux only
        return {}
    file = AccessFS.READ_FILE
    folder = file | AccessFS.READ_DIR  # a rule for a file must not ask for the rights of folders
    writing = (
        AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG | AccessFS.MAKE_DIR
        | AccessFS.REMOVE_FILE | AccessFS.REMOVE_DIR | AccessFS.REFER
    )  # fmt: skip
    try:
        with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as rules:
            for path in limits.read:
                with contextlib.suppress(FileNotFoundError):
                    if path.startswith("/proc/"):
                        os.open(
                            path, os.O_PATH
                        )  # stays open, or the rule is lost with the cache of that file's name
                    rules.allow_path(path, folder if Path(path).is_dir() else file)
            for path in limits.write:
                rules.allow_path(path, folder | writing)
            rules.restrict()
            by = f"Landlock (ABI {rules.abi_version})"
            confined = {"files": by}
            if rules.handled_net & AccessNet.CONNECT_TCP:
                confined["network"] = by
            if rules.scoped & Scope.SIGNAL:
                confined["signals"] = by
            return confined
    except OSError:  # a kernel without Landlock, or with it switched off
        return {}


def _seccomp() -> dict[str, str]:
    try:
        import seccompy
    except ImportError:  # it is a dependency on Linux only
        return {}
    try:
        rules = seccompy.Filter()
        for name in DENIED:
            with contextlib.suppress(ValueError):  # which system calls there are depends on the architecture
                rules.errno(name, errno.EPERM)
        # Told that there is no clone3, whose flags no filter can see, the C library makes its threads by clone.
        rules.errno("clone3", errno.ENOSYS)
        thread = seccompy.ArgCmp(0, seccompy.CmpOp.MASKED_EQ, CLONE_THREAD, CLONE_THREAD)
        rules.allow("clone", args=[thread])
        rules.errno("clone", errno.EPERM)
        for name, own in ONLY_TO_ITSELF.items():
            for process in own(os.getpid()):
                rules.allow(name, args={0: process})
            rules.errno(name, errno.EPERM)
        rules.load()
    except (OSError, ValueError):  # another architecture, or a kernel without it
        return {}
    return dict.fromkeys(("permissions", "network", "processes", "signals"), "seccomp")
