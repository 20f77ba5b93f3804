"""What a verification found: goes into the spec, and is true when it passed."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from cnnkit.errors import CheckFailed

Precision = Literal["fp32", "bf16", "fp16", "int8"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OutputDifference(_Model):
    """One output of the file against the source's. A figure is None where a value is not a finite number.

    `max_relative` and `mean_relative` divide by the source's value, or by a thousandth of its largest where that is
    more; `cosine` is the least over the images; `tolerance` bounds `max_abs` (None: no bound at this precision).
    """

    name: str
    max_abs: float | None
    mean_abs: float | None
    max_relative: float | None
    mean_relative: float | None
    cosine: float | None
    tolerance: float | None


class Comparison(_Model):
    """The file run over all the images in batches of one size on one provider, beside the source.

    The agreements are shares of images: the same best class, the same five best; of a detector the same boxes. A tie
    within the tolerance agrees.
    """

    provider: str
    batch_size: int
    outputs: tuple[OutputDifference, ...] = ()
    top1_agreement: float | None = None
    top5_agreement: float | None = None
    max_probability_change: float | None = None
    detections_agreement: float | None = None
    problems: tuple[str, ...] = ()


class OwnPreprocessing(_Model):
    """The source's own transform beside the preprocessing in the spec, on the same pictures, in levels of 255.

    `mean_level` is that of the worst picture. `not_run` says why the transform could not be run.
    """

    max_level: float | None = None
    mean_level: float | None = None
    top1_agreement: float | None = None
    problems: tuple[str, ...] = ()
    not_run: str | None = None


class Witness(_Model):
    """What a third implementation makes of the graph. `why`: the reason that it is not the one that was asked for."""

    name: str
    why: str | None = None
    n_images: int
    outputs: tuple[OutputDifference, ...]
    problems: tuple[str, ...] = ()


class Place(_Model):
    """A module or a node where something departs. `max_abs` None: values that are not finite."""

    name: str
    operator: str
    max_abs: float | None
    tolerance: float | None
    after: str | None = None

    def __str__(self) -> str:
        far = "holds values that are not finite" if self.max_abs is None else f"differs by up to {self.max_abs:.3g}"
        allowed = "" if self.tolerance is None else f", {self.tolerance:.3g} is allowed"
        return f"{self.name}, operator {self.operator}, {far}{allowed}"


class Location(_Model):
    """Where a file goes wrong first.

    `module`: the first part of the source that departs, of `n_modules` that have a counterpart in the file; `node`:
    the first that departs from `onnx.reference`, which does not know the operators `not_evaluated`.
    """

    module: Place | None = None
    node: Place | None = None
    n_modules: int = 0
    not_evaluated: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """What was found, for a person: an export fault, a runtime fault, or neither."""
        if self.module is not None:
            good = f" (the last one that is right: {self.module.after})" if self.module.after else ""
            said = [f"The first module that departs from torch: {self.module}{good}."]
        elif self.n_modules:
            said = [f"All {self.n_modules} modules that have a counterpart in the file agree with torch."]
        else:
            said = ["The file does not say which node came from which module, so no module could be compared."]
        if self.node is not None:
            return [*said, f"The first node that the runtime computes otherwise than onnx.reference: {self.node}."]
        left_out = f" ({', '.join(self.not_evaluated)} could not be evaluated)" if self.not_evaluated else ""
        return [*said, f"Node by node the runtime computes what onnx.reference does{left_out}."]


class PictureFacts(_Model):
    name: str
    sha256: str


class Verification(_Model):
    """An exported file against its source. `problems` says in sentences what is out of tolerance."""

    passed: bool
    precision: Precision
    origin: str
    images: tuple[PictureFacts, ...]
    comparisons: tuple[Comparison, ...]
    own_preprocessing: OwnPreprocessing | None = None
    witness: Witness | None = None
    location: Location | None = None
    problems: tuple[str, ...] = ()
    versions: dict[str, str] = {}

    def __bool__(self) -> bool:
        return self.passed

    @property
    def worst(self) -> OutputDifference | None:
        """The largest difference of all outputs, batches and providers."""
        found = [output for each in self.comparisons for output in each.outputs if output.max_abs is not None]
        return max(found, key=lambda output: output.max_abs or 0.0, default=None)

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)

    def require(self, what: str) -> None:
        """Raise CheckFailed with the problems unless everything is within tolerance."""
        if not self.passed:
            found = self.location.sentences if self.location else []
            raise CheckFailed(f"{what} does not do what its source does: {' '.join([*self.problems, *found])}")
