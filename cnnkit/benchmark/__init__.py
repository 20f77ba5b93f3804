"""How fast a model is here: latency, throughput by batch and workers, memory, several files in turn."""

from cnnkit.benchmark._facts import Benchmark, Candidate, Cell, Latency, Machine, Ratio, Stages
from cnnkit.benchmark._job import bench
from cnnkit.benchmark._picture import throughput_picture

__all__ = [
    "Benchmark",
    "Candidate",
    "Cell",
    "Latency",
    "Machine",
    "Ratio",
    "Stages",
    "bench",
    "throughput_picture",
]
