"""How many cores this process may use: the container's quota, the affinity, then the machine."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

V2 = "sys/fs/cgroup"
V1_MOUNTS = ("sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/cpuacct,cpu")


@dataclass(frozen=True, slots=True)
class Cores:
    """`count` is what to use, at least 1; `reason` says which limit decided."""

    count: int
    reason: str


def available_cores(root: Path = Path("/"), *, machine: int | None = None, affinity: int | None = None) -> Cores:
    """The smallest of machine, affinity and cgroup quota; a quota of 1.5 cores makes 2.

    `root` is where /proc and /sys are looked for, `machine` and `affinity` replace what the system says.
    """
    machine = machine or os.cpu_count() or 1
    affinity = affinity or _affinity() or machine
    limits = [(machine, f"the machine has {machine}")]
    if affinity < machine:
        limits.append((affinity, f"the process is bound to {affinity} of {machine}"))
    for quota, path in _quotas(root):
        limits.append((max(1, math.ceil(quota)), f"the quota in {path} allows {quota:g} of {machine}"))
    count, reason = min(limits, key=lambda limit: limit[0])
    return Cores(count, reason)


def _affinity() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _quotas(root: Path) -> Iterator[tuple[float, Path]]:
    """Every CPU quota that holds for this process, in cores, and the file that sets it."""
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, group = line.split(":", 2)
        if not controllers:
            yield from _v2_quotas(root / V2, group)
        elif "cpu" in controllers.split(","):
            for mount in V1_MOUNTS:
                yield from _v1_quotas(root / mount, group)


def _v2_quotas(mount: Path, group: str) -> Iterator[tuple[float, Path]]:
    for folder in _upwards(mount, group):
        words = (_text(folder / "cpu.max") or "").split()
        if len(words) == 2 and words[0] != "max":
            yield int(words[0]) / int(words[1]), folder / "cpu.max"


def _v1_quotas(mount: Path, group: str) -> Iterator[tuple[float, Path]]:
    for folder in _upwards(mount, group):
        quota = _text(folder / "cpu.cfs_quota_us")
        period = _text(folder / "cpu.cfs_period_us")
        if quota and period and int(quota) > 0:
            yield int(quota) / int(period), folder / "cpu.cfs_quota_us"


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    """The group's folder and those above it: a quota holds for all that is below."""
    parts = [part for part in group.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:depth])


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
