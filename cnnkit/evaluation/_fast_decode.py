"""What decoding large JPEGs at a fraction costs: measured where the model is at hand, else it is said how to."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cnnkit.comparison import ComparisonResults, Contender, compare_results
from cnnkit.evaluation._scored import Asked, Scored
from cnnkit.evaluation._source import Source
from cnnkit.predictions import Run, open_run, read_record
from cnnkit.results import Results
from cnnkit.runtime import device_of

FAST, WHOLE = "fast decoding", "whole decoding"
DECODED = "JPEGs of more than twice the size needed were decoded at a fraction of it (--fast-decode)"
UNMEASURED = f"{DECODED}, so their pixels differ a little; `cnnkit eval MODEL DATA --fast-decode` measures the cost."
AS_PLANNED = ("device", "providers", "precision", "batch_size", "topk", "fast_decode", "tune")

Score = Callable[[Run], Scored]


def with_decode_cost(
    results: Results, source: Source, scored: Scored, asked: Asked, *, options: Mapping[str, Any], score: Score
) -> Results:
    """Results with a warning where images were decoded fast; of a model it says what that costs, on the same images.

    The model is run a second time as the run's plan says, but for the decoding; that run is thrown away. `options` are
    those of the first run, `score` scores a run as it was scored.
    """
    if not source.run.plan.fast_decode:
        return results
    told = UNMEASURED if source.model is None else _measured(results, source, scored, asked, options, score)
    return results.model_copy(update={"warnings": (*results.warnings, told)})


def _measured(
    results: Results, source: Source, scored: Scored, asked: Asked, options: Mapping[str, Any], score: Score
) -> str:
    asked.say("Running once more with whole decoding, to tell what fast decoding costs.")
    with tempfile.TemporaryDirectory(prefix="cnnkit-whole-") as folder:
        whole = score(_whole_run(source, Path(folder) / "run", asked, options))
    data = results.data.model_copy(
        update={"fingerprint": whole.fingerprint, "n": whole.n, "n_bad": sum(whole.bad.values()), "bad": whole.bad}
    )
    pair = (
        Contender(WHOLE, WHOLE, results.model_copy(update={"data": data, **whole.measured}), whole.rows),
        Contender(FAST, FAST, results, scored.rows),
    )
    found = compare_results(pair, others=False, resamples=asked.resamples, seed=asked.seed)
    sentence = found.differences[0].sentence
    return f"{DECODED}. {_answers(found)}{sentence[0].upper()}{sentence[1:]}"


def _answers(found: ComparisonResults) -> str:
    """How many answers differ at all, of a classifier."""
    if not found.pairs:
        return ""
    others = found.n - found.pairs[0].same_answer
    return f"{others:,} of {found.n:,} images are answered otherwise than with whole decoding. "


def _whole_run(source: Source, place: Path, asked: Asked, options: Mapping[str, Any]) -> Run:
    from cnnkit.inference import infer
    from cnnkit.pipeline import SpecOptions

    assert source.model is not None
    plan, record = source.run.plan, read_record(source.run.path)
    assert record is not None
    kept = {name: value for name, value in options.items() if name not in (*AS_PLANNED, *SpecOptions.__annotations__)}
    how: dict[str, Any] = {**kept, **device_of(plan.provider.name, plan.provider.options)}
    infer(
        source.model,
        Path(record.roots["images"]),
        place,
        spec=plan.spec,
        precision=plan.precision,
        batch_size=plan.batch_size,
        topk=plan.topk,
        fast_decode=False,
        progress=asked.progress,
        **how,
    )
    return open_run(place)
