"""plan.json and manifest.json. Neither holds a clock, so equal runs write equal files."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnkit.errors import DataError
from cnnkit.files import write_text
from cnnkit.spec import ModelSpec, spec_problems


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    @classmethod
    def read(cls, path: Path) -> Self:
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise DataError(
                f"{path}: not a {path.name} that this cnnkit can read: {spec_problems(error)}. "
                f"Was it written by another version?"
            ) from error

    def write(self, path: Path) -> None:
        write_text(path, self.model_dump_json(by_alias=True, exclude_none=True, indent=1) + "\n")


class ModelFacts(_File):
    name: str
    sha256: str
    size_bytes: int


class ProviderFacts(_File):
    """What really ran: the provider's name and its options."""

    name: str
    options: dict[str, Any] = {}


class BatchRun(_File):
    """From `from_shard` on, batches hold `batch_size` images, whatever was asked for."""

    batch_size: int
    from_shard: int


class Plan(_File):
    """Everything that decides a run's bytes. A resume that differs in any of it is refused."""

    schema_: Literal[1] = Field(1, alias="schema")
    cnnkit: str
    model: ModelFacts
    spec: ModelSpec
    spec_hash: str
    batch_size: int
    batch_run: tuple[BatchRun, ...] = ()
    batch_reason: str | None = None
    provider: ProviderFacts
    precision: str = "fp32"
    shard_size: int
    topk: int
    fast_decode: bool = False
    n: int
    inputs_sha256: str

    def differences(self, other: "Plan") -> list[str]:
        """Name what `other` would do differently, as `model: abc in the plan, def now`; empty when it may resume.

        The list of images is compared by `RunFolder.input_differences`, which can name the files.
        """
        pairs: dict[str, tuple[Any, Any]] = {
            "cnnkit version": (self.cnnkit, other.cnnkit),
            "model": (self.model.sha256[:12], other.model.sha256[:12]),
            "batch size": (self.batch_size, other.batch_size),
            "provider": (self.provider.name, other.provider.name),
            "provider options": (self.provider.options, other.provider.options),
            "precision": (self.precision, other.precision),
            "shard size": (self.shard_size, other.shard_size),
            "top-k": (self.topk, other.topk),
            "fast decoding": (self.fast_decode, other.fast_decode),
        }
        if self.spec_hash != other.spec_hash:
            pairs |= _spec_differences(self.spec.to_dict(), other.spec.to_dict(), at="spec")
        return [f"{name}: {was} in the plan, {now} now" for name, (was, now) in pairs.items() if was != now]

    def batch_size_at(self, shard: int) -> int:
        """The batch size that holds for a shard: the last `batch_run` that starts at or before it, else as asked."""
        held = [step.batch_size for step in self.batch_run if step.from_shard <= shard]
        return held[-1] if held else self.batch_size


def _spec_differences(was: Any, now: Any, *, at: str) -> dict[str, tuple[Any, Any]]:
    """The places where two specs differ, as `spec.input.size`, each with both values; long ones by their length."""
    if isinstance(was, dict) and isinstance(now, dict):
        keys = sorted((was.keys() | now.keys()) - {"provenance", "verification"})
        pairs = [_spec_differences(was.get(key), now.get(key), at=f"{at}.{key}") for key in keys]
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now) and at != "spec.classes":
        pairs = [_spec_differences(*both, at=f"{at}[{n}]") for n, both in enumerate(zip(was, now, strict=True))]
    else:
        return {} if was == now else {at: (_shown(was), _shown(now))}
    return {name: pair for each in pairs for name, pair in each.items()}


def _shown(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict) and "name" in value[0]:
        return f"{len(value)} ({', '.join(entry['name'] for entry in value[:3])}{', ...' if len(value) > 3 else ''})"
    return "nothing" if value is None else str(value)


class Manifest(_File):
    """The plan's facts and what came of them."""

    schema_: Literal[1] = Field(1, alias="schema")
    plan: Plan
    fingerprint: str
    counts: dict[str, int]
    predictions_sha256: str
    notes: tuple[str, ...] = ()
    versions: dict[str, str]
