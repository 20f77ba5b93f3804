"""How many cores: quota, affinity, machine, on file systems made for the purpose."""

from pathlib import Path

import pytest

from cnnkit.runtime import available_cores


def _write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_machine_alone_decides_without_limits(tmp_path: Path) -> None:
    cores = available_cores(tmp_path, machine=8, affinity=8)
    assert (cores.count, cores.reason) == (8, "the machine has 8")


def test_affinity(tmp_path: Path) -> None:
    cores = available_cores(tmp_path, machine=8, affinity=3)
    assert (cores.count, cores.reason) == (3, "the process is bound to 3 of 8")


@pytest.mark.parametrize(
    ("cpu_max", "count"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),  # a core and a half keeps two workers busy
        ("50000 100000", 1),
        ("1000 100000", 1),
        ("max 100000", 8),
        ("", 8),
    ],
)
def test_cgroup_v2(tmp_path: Path, cpu_max: str, count: int) -> None:
    _write(tmp_path, "proc/self/cgroup", "0::/job/part\n")
    _write(tmp_path, "sys/fs/cgroup/job/part/cpu.max", cpu_max)
    assert available_cores(tmp_path, machine=8, affinity=8).count == count


def test_cgroup_v2_quota_of_a_group_above_holds(tmp_path: Path) -> None:
    _write(tmp_path, "proc/self/cgroup", "0::/job/part\n")
    _write(tmp_path, "sys/fs/cgroup/job/cpu.max", "300000 100000")
    _write(tmp_path, "sys/fs/cgroup/job/part/cpu.max", "max 100000")
    cores = available_cores(tmp_path, machine=8, affinity=8)
    assert cores.count == 3
    assert cores.reason == f"the quota in {tmp_path}/sys/fs/cgroup/job/cpu.max allows 3 of 8"


def test_cgroup_v2_in_a_container_whose_group_is_not_mounted(tmp_path: Path) -> None:
    _write(tmp_path, "proc/self/cgroup", "0::/../../docker/abc\n")
    _write(tmp_path, "sys/fs/cgroup/cpu.max", "250000 100000")
    assert available_cores(tmp_path, machine=8, affinity=8).count == 3


@pytest.mark.parametrize(("mount", "controllers"), [("cpu", "cpu"), ("cpu,cpuacct", "cpu,cpuacct")])
def test_cgroup_v1(tmp_path: Path, mount: str, controllers: str) -> None:
    _write(tmp_path, "proc/self/cgroup", f"9:memory:/other\n4:{controllers}:/docker/abc\n0::/\n")
    _write(tmp_path, f"sys/fs/cgroup/{mount}/cpu.cfs_quota_us", "400000")
    _write(tmp_path, f"sys/fs/cgroup/{mount}/cpu.cfs_period_us", "100000")
    assert available_cores(tmp_path, machine=8, affinity=8).count == 4


def test_cgroup_v1_without_a_quota(tmp_path: Path) -> None:
    _write(tmp_path, "proc/self/cgroup", "4:cpu:/\n")
    _write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1")
    _write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert available_cores(tmp_path, machine=8, affinity=8).count == 8


def test_this_machine() -> None:
    assert available_cores().count >= 1
