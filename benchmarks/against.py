"""A folder of photos to their five best classes: cnnkit beside the loops that people write, and beside the limit.

    python benchmarks/against.py [--models mobilenet_v3_small resnet18 resnet50] [--rounds 5] [--images 200] [--write]

All ways run on the same files and the same .onnx, in turn, round after round; medians and ratios are printed, and with
--write put into docs/performance.md. The limit is the sum of what decoding, preprocessing and running cost on all
cores with nothing else to do: images in memory, buffers ready.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
import mobilenet
from page import add_write_option, measured_by, write_section

from cnnkit import benchmark, data, exporting, images, models, pipeline, quantization, runtime
from cnnkit.spec import ClassName, ModelInput, ModelSpec

MEAN, STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
BATCH = 32

Answers = NDArray[np.int64]
Way = Callable[[], Answers]


@dataclass(frozen=True)
class Measured:
    name: str
    rates: list[float]
    agreement: float


def write_photos(folder: Path, count: int, size: tuple[int, int]) -> None:
    """Crops of scikit-learn's two photos, resized to `size` (width, height), as JPEG of quality 90."""
    random = np.random.default_rng(0)
    sources = [images.decode(photo) for photo in data.sample_photos().values()]
    folder.mkdir(parents=True)
    for number in range(count):
        source = sources[number % len(sources)]
        height = int(random.integers(220, source.shape[0] + 1))
        width = min(int(height * size[0] / size[1]), source.shape[1])
        top, left = (int(random.integers(0, side + 1)) for side in (source.shape[0] - height, source.shape[1] - width))
        crop = cv2.resize(source[top : top + height, left : left + width], size, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{number:04}.jpg"), crop[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


def write_model(name: str, folder: Path) -> Path:
    torch.manual_seed(0)
    module = mobilenet.make() if name == "mobilenet_v3_small" else models.create(name)
    channels, operations = images.preset("imagenet", size=(224, 224), channels=3)
    spec = ModelSpec(
        input=ModelInput(size=(224, 224), channels=channels),
        preprocess=tuple(operations),
        output={"name": "logits"},
        classes=tuple(ClassName(name=str(at)) for at in range(1000)),
    )
    return exporting.export(module, folder / f"{name}.onnx", spec=spec)


def top5(scores: NDArray[np.floating]) -> Answers:
    return np.argsort(-scores, axis=1, kind="stable")[:, :5]


def by_pillow(path: Path) -> NDArray[np.float32]:
    """What torchvision's Resize(256), CenterCrop(224), ToTensor, Normalize do, written out."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    width, height = image.size
    short = min(width, height)
    image = image.resize((256 * width // short, 256 * height // short), Image.Resampling.BILINEAR)
    left, top = (round((side - 224) / 2) for side in image.size)
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), dtype=np.float32) / 255
    return ((pixels - MEAN) / STD).transpose(2, 0, 1)


def plain_loop(model: Path, paths: Sequence[Path]) -> Way:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: np.concatenate([top5(session.run(None, {name: by_pillow(path)[None]})[0]) for path in paths])


class Photos(torch.utils.data.Dataset):  # type: ignore[type-arg]
    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, at: int) -> NDArray[np.float32]:
        return by_pillow(self.paths[at])


def data_loader(model: Path, paths: Sequence[Path]) -> Way:
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run() -> Answers:
        loader = torch.utils.data.DataLoader(Photos(paths), batch_size=BATCH, num_workers=2)
        return np.concatenate([top5(session.run(None, {name: batch.numpy()})[0]) for batch in loader])

    return run


def openvino_queue(model: Path, paths: Sequence[Path]) -> Way:
    """OpenVINO's own asynchronous queue with the throughput hint, in its default precision."""
    import openvino

    compiled = openvino.Core().compile_model(str(model), "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
    preprocess = images.Preprocess(pipeline.open_model(model).spec)

    def run() -> Answers:
        answers: dict[int, Answers] = {}
        queue = openvino.AsyncInferQueue(compiled)
        queue.set_callback(lambda request, at: answers.__setitem__(at, top5(request.get_output_tensor(0).data)[0]))
        for at, path in enumerate(paths):
            array, _ = preprocess(images.decode(path.read_bytes()))
            queue.start_async({0: array[None]}, at)
        queue.wait_all()
        return np.array([answers[at] for at in range(len(paths))])

    return run


def cnnkit_way(model: Path, folder: Path, **options: str) -> Way:
    opened = pipeline.open_model(model, **options)
    samples = list(data.find_images(folder))
    return lambda: np.array([row.prediction.top_ids for row in opened.rows(samples)])


def limit(model: Path, paths: Sequence[Path], *, device: str = "cpu") -> Callable[[], float]:
    """Images per second, were decoding, preprocessing and running all there is to do."""
    opened = pipeline.open_model(model, device=device)
    contents = [path.read_bytes() for path in paths]
    decoded = [images.decode(content) for content in contents]
    preprocess = images.Preprocess(opened.spec)
    ready = np.stack([preprocess(image)[0] for image in decoded])
    cores = runtime.available_cores().count
    buffers = [np.empty_like(ready[:1]) for _ in range(cores)]
    name = opened.spec.input.name

    def in_parallel(pool: ThreadPoolExecutor, work: Callable[[int], object], count: int) -> float:
        began = time.perf_counter()
        list(pool.map(work, range(count)))
        return time.perf_counter() - began

    def run() -> float:
        with ThreadPoolExecutor(cores) as pool, images.opencv_on_one_thread():
            decode = in_parallel(pool, lambda at: images.decode(contents[at]), len(contents))
            chunks = [range(start, len(decoded), cores) for start in range(cores)]
            prepare = in_parallel(
                pool, lambda part: [preprocess(decoded[at], buffers[part][0]) for at in chunks[part]], cores
            )
            batches = [ready[start : start + 8] for start in range(0, len(ready), 8)]
            execute = in_parallel(pool, lambda at: opened.session.run({name: batches[at]}), len(batches))
        return len(paths) / (decode + prepare + execute)

    return run


def ways_for(model: Path, folder: Path, paths: Sequence[Path], scratch: Path) -> dict[str, Way | str]:
    """The contestants; a sentence where one cannot run here."""
    found: dict[str, Way | str] = {
        "plain loop: Pillow, NumPy, batch 1, default session": plain_loop(model, paths),
        "PyTorch DataLoader, 2 workers, batch 32, default session": data_loader(model, paths),
        "cnnkit, CPU provider, fp32": cnnkit_way(model, folder, device="cpu"),
    }
    try:
        found["OpenVINO AsyncInferQueue, its default precision"] = openvino_queue(model, paths)
    except ImportError as error:
        found["OpenVINO AsyncInferQueue, its default precision"] = f"not run: {error}"
    for name, options in (("bf16", {"precision": "bf16"}), ("fp32", {"precision": "fp32"})):
        try:
            found[f"cnnkit, OpenVINO plug-in, {name}"] = cnnkit_way(model, folder, device="openvino", **options)
        except Exception as error:
            found[f"cnnkit, OpenVINO plug-in, {name}"] = f"not run: {error}"
    int8 = scratch / f"{model.stem}-int8.onnx"
    if not int8.exists():
        quantization.quantize(model, int8, calib=folder, samples=48, max_drop=99, accept_undecided=True)
    found["cnnkit, CPU provider, static int8"] = cnnkit_way(int8, folder, device="cpu")
    found["Ultralytics predict"] = "not run: it needs torchvision, of which there is no CPU build here"
    return found


def measure(model: Path, folder: Path, rounds: int, scratch: Path) -> tuple[list[Measured], dict[str, str]]:
    paths = sorted(folder.iterdir())
    ways = ways_for(model, folder, paths, scratch)
    absent = {name: way for name, way in ways.items() if isinstance(way, str)}
    running = {name: way for name, way in ways.items() if not isinstance(way, str)}
    reference = running["plain loop: Pillow, NumPy, batch 1, default session"]()
    agreement = {name: float((way()[:, 0] == reference[:, 0]).mean()) for name, way in running.items()}
    bound = limit(model, paths)
    bound()
    rates: dict[str, list[float]] = {name: [] for name in (*running, "the limit, CPU provider, fp32")}
    for number in range(rounds):
        for name, way in running.items():
            began = time.perf_counter()
            way()
            rates[name].append(len(paths) / (time.perf_counter() - began))
        rates["the limit, CPU provider, fp32"].append(bound())
        print(f"{model.stem}: round {number + 1} of {rounds}", file=sys.stderr)
    return [Measured(name, values, agreement.get(name, 1.0)) for name, values in rates.items()], absent


def as_table(title: str, found: list[Measured], absent: dict[str, str]) -> str:
    by_name = {each.name: each.rates for each in found}
    loader = next(rates for name, rates in by_name.items() if "DataLoader" in name)
    bound = by_name["the limit, CPU provider, fp32"]
    lines = [
        f"### {title}",
        "",
        "| | images/s | middle half | times the DataLoader | of the limit | same best class |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for each in found:
        low, high = np.percentile(each.rates, [25, 75])
        to_loader = statistics.median(a / b for a, b in zip(each.rates, loader, strict=True))
        to_limit = statistics.median(a / b for a, b in zip(each.rates, bound, strict=True))
        lines.append(
            f"| {each.name} | {statistics.median(each.rates):.1f} | {low:.1f} to {high:.1f} "
            f"| {to_loader:.2f} | {to_limit:.2f} | {100 * each.agreement:.1f} % |"
        )
    lines += [f"| {name} | {reason} | | | | |" for name, reason in absent.items()]
    return "\n".join(lines)


def report(tables: list[str], rounds: int, count: int) -> str:
    more = ", ".join(f"{name} {version(name)}" for name in ("torch", "openvino") if _installed(name))
    what = f"{count} JPEGs of 500x375, five best classes out, {rounds} rounds in turn, medians, {more}."
    return "\n\n".join([measured_by("against.py", what), *tables]) + "\n"


def _installed(name: str) -> bool:
    try:
        version(name)
    except Exception:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["mobilenet_v3_small", "resnet18", "resnet50"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=200)
    add_write_option(parser)
    chosen = parser.parse_args()
    noise = [benchmark._measure.fixed_work_ms() for _ in range(20)]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        write_photos(scratch / "photos", chosen.images, (500, 375))
        tables = []
        for name in chosen.models:
            model = write_model(name, scratch)
            tables.append(as_table(name, *measure(model, scratch / "photos", chosen.rounds, scratch)))
    noise += [benchmark._measure.fixed_work_ms() for _ in range(20)]
    spread = benchmark._measure.noise_of(noise)
    text = report(tables, chosen.rounds, chosen.images) + f"\nA fixed piece of work spread by {100 * spread:.0f} %.\n"
    print(text)
    if chosen.write:
        write_section("Against other ways", text)


if __name__ == "__main__":
    main()
