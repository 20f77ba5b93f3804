"""Photographs of 12 megapixels, as phones make them: read whole, and with `--fast-decode`, beside a DataLoader.

    python benchmarks/large_photos.py [--images 24] [--rounds 5] [--write]

A network of MobileNetV3-small's size with random weights, 4000x3000 JPEGs, the ways in turn, round after round. The
share of equal best classes says what decoding at a smaller scale changes.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from against import Answers, Way, data_loader, write_model, write_photos
from page import add_write_option, as_table, measured_by, write_section

from cnnkit import data, pipeline


def by_cnnkit(model: Path, folder: Path, *, fast_decode: bool) -> Way:
    opened = pipeline.open_model(model, device="cpu")
    samples = list(data.find_images(folder))

    def run() -> Answers:
        rows = opened.rows(samples, batch_size=4, fast_decode=fast_decode)
        return np.array([row.prediction.top_ids for row in rows])

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    add_write_option(parser)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_photos(folder / "photos", chosen.images, (4000, 3000))
        model, paths = write_model("mobilenet_v3_small", folder), sorted((folder / "photos").iterdir())
        ways = {
            "PyTorch DataLoader, 2 workers, default session": data_loader(model, paths),
            "cnnkit": by_cnnkit(model, folder / "photos", fast_decode=False),
            "cnnkit --fast-decode": by_cnnkit(model, folder / "photos", fast_decode=True),
        }
        answers = {name: way() for name, way in ways.items()}
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(chosen.rounds):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                spent[name].append(time.perf_counter() - began)
    rows = []
    for name, times in spent.items():
        ratio = statistics.median(a / b for a, b in zip(spent["cnnkit"], times, strict=True))
        same = (answers[name][:, 0] == answers["cnnkit"][:, 0]).mean()
        rate = chosen.images / statistics.median(times)
        rows.append([name, f"{rate:.1f}", f"{ratio:.2f}", f"{100 * same:.0f} %"])
    what = f"{chosen.images} JPEGs of 4000x3000, {chosen.rounds} rounds in turn, medians."
    text = measured_by("large_photos.py", what) + "\n\n"
    text += as_table(["", "images/s", "times cnnkit without", "same best class"], rows)
    print(text)
    if chosen.write:
        write_section("Photographs of 12 megapixels", text)


if __name__ == "__main__":
    main()
