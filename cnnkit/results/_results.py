"""All that results.json holds."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from cnnkit.results._confidence import Calibration, OperatingPoint
from cnnkit.results._detection import DetectionFacts
from cnnkit.results._facts import Cost, DataFacts, Intervals, ModelFacts, ProviderFacts, RunFacts, Speed
from cnnkit.results._figures import ClassFigures, Confusion, Curves, Figure
from cnnkit.results._health import LabelHealth
from cnnkit.results._model import ResultsModel
from cnnkit.results._slices import Slice, SlicedBy
from cnnkit.spec import ClassName

SCHEMA = 1


class Results(ResultsModel):
    """What results.json holds. Figures have flat names that carry direction and unit."""

    schema_: Literal[1] = Field(1, alias="schema")
    task: Literal["classification", "detection"]
    multilabel: bool = False
    model: ModelFacts
    run: RunFacts
    classes: tuple[ClassName, ...]
    data: DataFacts
    provider: ProviderFacts | None = None
    versions: dict[str, str]
    cost: Cost = Cost()
    speed: Speed = Speed()
    intervals: Intervals | None = None
    figures: dict[str, Figure]
    per_class: tuple[ClassFigures, ...]
    confusion: Confusion | None = None
    curves: Curves = Curves()
    calibration: Calibration | None = None
    operating_points: tuple[OperatingPoint, ...] = ()
    slices: tuple[Slice, ...] = ()
    sliced_by: tuple[SlicedBy, ...] = ()
    health: LabelHealth | None = None
    detection: DetectionFacts | None = None
    protocol: dict[str, Any] = {}
    warnings: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.per_class) != len(self.classes):
            raise ValueError(f"per_class has {len(self.per_class)} entries for {len(self.classes)} classes")
        return self

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.classes]

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1)

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)
