"""What the probabilities are worth."""

from cnnkit.results._model import ResultsModel


class Bin(ResultsModel):
    """Images with a confidence in (low, high]: how many, their mean confidence, the share that is right."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


class Calibration(ResultsModel):
    """Reliability bins, and the temperature that would mend the probabilities (1 is none)."""

    equal_width: tuple[Bin, ...] = ()
    equal_mass: tuple[Bin, ...] = ()
    temperature: float | None = None
    cross_entropy_at_temperature: float | None = None


class OperatingPoint(ResultsModel):
    """The lowest confidence from which the wanted precision is reached, and what it costs; None: it cannot be had.

    `n` answers reach that confidence; `low` and `high` are Wilson's interval of the share of them that is right.
    """

    wanted_precision: float
    threshold: float | None
    precision: float | None
    coverage: float | None
    n: int | None = None
    low: float | None = None
    high: float | None = None
