"""Is int8 faster here? Measured on this machine, both files in turn, so that its noise falls on both."""

import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cnnkit.quantization._calibration import Feed
from cnnkit.runtime import Session

ROUNDS = 15
WARM_UP = 2
INT8_FLAGS = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp")  # x86 VNNI and AMX, Arm's dot product


class Speed(BaseModel):
    """Median time of one run of one image on one core, and the median of the ratios float / int8, round by round."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    float_ms: float
    int8_ms: float
    speedup: float
    int8_instructions: bool | None

    def sentences(self) -> list[str]:
        said = [f"one image takes {self.float_ms:.2f} ms in fp32 and {self.int8_ms:.2f} ms in int8 on one core"]
        if self.speedup < 1:
            said.append(f"int8 is NOT faster on this machine: {self.speedup:.2f} times the speed of fp32")
        else:
            said.append(f"int8 runs at {self.speedup:.2f} times the speed of fp32")
        if self.int8_instructions is False:
            said.append(
                "this CPU has no int8 dot product (VNNI): sums of two products can saturate, so answers may differ "
                "on a CPU that has it; --reduce-range avoids that"
            )
        return said


def measure_speed(float_session: Session, int8_session: Session, feeds: Sequence[Feed]) -> Speed:
    """Run both in turn on the same feeds."""
    sessions = {"float": float_session, "int8": int8_session}
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for number in range(WARM_UP + ROUNDS):
        for name, session in sessions.items():
            took = _time_ms(session, feeds[number % len(feeds)])
            if number >= WARM_UP:
                times[name].append(took)
    ratios = [a / b for a, b in zip(times["float"], times["int8"], strict=True)]
    return Speed(
        float_ms=statistics.median(times["float"]),
        int8_ms=statistics.median(times["int8"]),
        speedup=statistics.median(ratios),
        int8_instructions=has_int8_instructions(),
    )


def has_int8_instructions(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool | None:
    """Whether this CPU multiplies bytes into 32-bit sums; None where the system does not say."""
    if platform.system() != "Linux":
        return None
    try:
        words = set(cpuinfo.read_text().split())
    except OSError:
        return None
    return any(flag in words for flag in INT8_FLAGS)


def _time_ms(session: Session, feed: Feed) -> float:
    began = time.perf_counter()
    session.run(feed)
    return (time.perf_counter() - began) * 1000
