"""What tests share: the folder of real models and images, and small things made on the spot."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cnnkit.cli import cnnkit
from cnnkit.predictions import ModelFacts, Plan, ProviderFacts, RunFolder
from cnnkit.records import Classification, Detections, Row, Sample
from cnnkit.spec import METADATA_KEY, ClassificationOutput, ClassName, DetectionOutput, ModelInput, ModelSpec, Rescale

MakeRun = Callable[..., Path]
WriteModel = Callable[..., Path]

# its class is the channel that is brightest on average: a picture of one colour is answered with that colour
COLOURS = """<ir_version: 8, opset_import: ["" : 17]>
colours (float[N,3,8,8] input) => (float[N,3] logits) {
    pooled = GlobalAveragePool(input)
    logits = Flatten<axis=1>(pooled)
}"""
COLOURS_SPEC: dict[str, Any] = {
    "input": {"size": [8, 8]},
    "preprocess": [{"op": "resize", "size": [8, 8], "mode": "exact"}, {"op": "rescale", "scale": 10 / 255}],
    "output": {"name": "logits"},
    "classes": [{"name": "red"}, {"name": "green"}, {"name": "blue"}],
}


SHARED = Path(os.environ.get("CNNKIT_SHARED") or Path(__file__).resolve().parents[2] / "shared")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real models, images and expected figures; tests that need them skip where they are not."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no real data at {SHARED}: set CNNKIT_SHARED to the folder that holds data/")
    return SHARED / "data"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of a `coco_case` or a `wrong_coco_case` runs on each of the shared ones; without any it skips."""
    names = sorted(path.name for path in SHARED.glob("data/metrics/coco/*/"))
    for argument, wrong in (("coco_case", False), ("wrong_coco_case", True)):
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, [name for name in names if ("_error_" in name) == wrong])


class Command:
    """Runs the command line in this process; `cnnkit("infer", model, images)` returns click's result."""

    def __call__(self, *args: object, exit_code: int | None = 0) -> Result:
        result = CliRunner().invoke(cnnkit, [str(arg) for arg in args])
        if exit_code is not None:
            assert result.exit_code == exit_code, f"exit {result.exit_code}\n{result.stdout}\n{result.stderr}"
        return result


@pytest.fixture
def run_cnnkit() -> Command:
    return Command()


def _spec_for(classes: Sequence[str | ClassName], activation: str = "softmax") -> ModelSpec:
    return ModelSpec(
        input=ModelInput(size=(2, 2)),
        preprocess=(Rescale(scale=1 / 255),),
        output=ClassificationOutput(activation=activation),
        classes=tuple(ClassName(name=each) if isinstance(each, str) else each for each in classes),
    )


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run({"cat/1.png": [0.9, 0.1], "cat/2.png": "corrupt"}, ["cat", "dog"])`: a run, and its images as files."""

    def make(
        answers: Mapping[str, Sequence[float] | str],
        classes: Sequence[str | ClassName],
        *,
        images: Path | None = None,
        activation: str = "softmax",
        name: str = "run",
        shard_size: int = 3,
    ) -> Path:
        images = images or tmp_path / "images"
        rows = [_row(key, answers[key]) for key in sorted(answers)]
        for row in rows:
            path = images / row.key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        spec = _spec_for(classes, activation)
        return _write_run(tmp_path / name, spec, rows, shard_size=shard_size)

    return make


@pytest.fixture
def make_box_run(tmp_path: Path) -> MakeRun:
    """`make_box_run({"a.png": [("cat", 0.9, (x1, y1, x2, y2))], "b.png": "corrupt"}, ["cat"])`: a detector's run."""

    def make(
        answers: Mapping[str, Sequence[tuple[str, float, Sequence[float]]] | str],
        classes: Sequence[str],
        *,
        size: tuple[int, int] = (100, 100),
        name: str = "run",
    ) -> Path:
        spec = ModelSpec(
            task="detection",
            input=ModelInput(size=(2, 2)),
            preprocess=(Rescale(scale=1 / 255),),
            output=DetectionOutput(name="boxes", decoder="yolov5"),
            classes=tuple(ClassName(name=each) for each in classes),
        )
        return _write_run(
            tmp_path / name, spec, [_box_row(key, answers[key], classes, size) for key in sorted(answers)]
        )

    return make


def _box_row(key: str, answer: Any, classes: Sequence[str], size: tuple[int, int]) -> Row:
    if isinstance(answer, str):
        return Row(key=key, status=answer, error=f"{key} is {answer}")
    found = Detections(
        boxes=np.array([box for _, _, box in answer], dtype=np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in answer], dtype=np.float32),
        classes=np.array([classes.index(name) for name, _, _ in answer], dtype=np.int32),
    )
    return Row(key=key, width=size[1], height=size[0], digest=key.encode().ljust(32)[:32], prediction=found)


def _write_run(path: Path, spec: ModelSpec, rows: Sequence[Row], *, shard_size: int = 3) -> Path:
    with RunFolder.locked(path) as folder:
        plan = Plan(
            cnnkit="0.1.0",
            model=ModelFacts(name="tiny", sha256="ab" * 32, size_bytes=123),
            spec=spec,
            spec_hash=spec.spec_hash,
            batch_size=2,
            provider=ProviderFacts(name="CPUExecutionProvider"),
            shard_size=shard_size,
            topk=2,
            n=len(rows),
            inputs_sha256="",
        )
        plan = folder.begin_run(plan, [Sample(row.key, Path(), 0, 0) for row in rows])
        for shard in folder.pending(plan):
            folder.write_part(plan, shard, rows[shard.start : shard.stop])
        folder.finish(versions={"cnnkit": "0.1.0", "onnxruntime": "1.0"})
    return path


def _row(key: str, answer: Sequence[float] | str) -> Row:
    if isinstance(answer, str):
        return Row(key=key, status=answer, error=f"{key} is {answer}")
    scores = np.array(answer, dtype=np.float32)
    best = np.argsort(-scores, kind="stable")[:2].astype(np.int32)
    return Row(key=key, width=2, height=2, digest=key.encode().ljust(32)[:32], prediction=Classification(scores, best))


@pytest.fixture(scope="session")
def write_model() -> WriteModel:
    """`write_model(path, text=COLOURS, spec=COLOURS_SPEC)`: an .onnx file from text; with `spec=None` it holds none."""

    def write(path: Path, text: str = COLOURS, spec: dict[str, Any] | None = COLOURS_SPEC) -> Path:
        import onnx

        model = onnx.parser.parse_model(text)
        onnx.checker.check_model(model)
        if spec is not None:
            checked = ModelSpec.model_validate(spec)
            model.metadata_props.add(key=METADATA_KEY, value=checked.to_json())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString())
        return path

    return write


@pytest.fixture(scope="session")
def colours(write_model: WriteModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three classes, red, green and blue, that answers with the brightest channel."""
    return write_model(tmp_path_factory.mktemp("colours") / "colours.onnx")


@pytest.fixture(scope="session")
def write_colour() -> Callable[..., Path]:
    """`write_colour(path, "red", size=(12, 10))`: a picture of one colour, (height, width), in the suffix's format."""

    def write(path: Path, colour: str, *, size: tuple[int, int] = (12, 10)) -> Path:
        from PIL import Image

        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (size[1], size[0]), colour).save(path)
        return path

    return write


@pytest.fixture
def torchscript_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch's first exporter, which takes seconds, fails at once: the second one does the work."""
    import torch

    export = torch.onnx.export

    def only_torchscript(*args: Any, dynamo: bool, **options: Any) -> None:
        if dynamo:
            raise RuntimeError("Failed to decompose the FX graph")
        export(*args, dynamo=False, **options)

    monkeypatch.setattr(torch.onnx, "export", only_torchscript)
