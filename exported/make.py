"""Make the models of this folder, index.json and README.md, from data that every installation has: `make models`.

The commands are those that one would type; they run in an empty folder, and what they make is measured before it is
copied here. `exported/make.py NAME` makes one family anew and leaves the others as they are.
"""

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit import files, inspection

HERE = Path(__file__).resolve().parent
KEPT = ("value", "low", "high", "n", "method")  # of a figure in results.json


@dataclass(frozen=True)
class Family:
    """Models that one list of commands makes, all of one network and measured on one data set."""

    network: str
    source: str
    data: str
    figures: tuple[str, ...]
    models: tuple[str, ...]
    commands: tuple[str, ...]


FAMILIES = {
    "digits": Family(
        network="digits",
        source="sklearn:digits",
        data="digits",
        figures=("top1_accuracy",),
        models=("digits-fp32.onnx", "digits-int8.onnx"),
        commands=(
            "cnnkit data convert sklearn:digits digits",
            "cnnkit train digits -o digits.pt --net digits --epochs 60 --optimizer adamw --lr 0.003 --schedule cosine "
            "--l2 0.03 --label-smoothing 0.05 --rotate 8 --translate 0.06 --zoom 0.08 --seed 0",
            "cnnkit export digits.pt -o digits-fp32.onnx",
            "cnnkit quantize digits-fp32.onnx -o digits-int8.onnx --calib digits/train --data digits --max-drop 2",
        ),
    ),
    "digit-scenes": Family(
        network="detector",
        source="sklearn:digit-scenes",
        data="scenes",
        figures=("coco_AP50", "coco_AP"),
        models=("digit-scenes.onnx",),
        commands=(
            "cnnkit data convert sklearn:digit-scenes scenes",
            "cnnkit train scenes -o digit-scenes.pt --task detection --epochs 24 --zoom 0.25 --translate 0.1 --seed 0",
            "cnnkit export digit-scenes.pt -o digit-scenes.onnx",
        ),
    ),
}


def main() -> None:
    wanted = sys.argv[1:] or list(FAMILIES)
    before = json.loads((HERE / "index.json").read_text()) if sys.argv[1:] else {"models": []}
    entries = {entry["file"]: entry for entry in before["models"]}
    for name in wanted:
        for entry in made(FAMILIES[name]):
            entries[entry["file"]] = entry
    ordered = [entries[model] for family in FAMILIES.values() for model in family.models]
    index = {"schema": 2, "commands": {name: list(each.commands) for name, each in FAMILIES.items()}, "models": ordered}
    files.write_text(HERE / "index.json", json.dumps(index, indent=1) + "\n")
    files.write_text(HERE / "README.md", readme(index))


def made(family: Family) -> list[dict[str, Any]]:
    """Run a family's commands, measure its models and copy them here."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for command in family.commands:
            run(command, work)
        entries = [
            entry(work / name, json.loads(run(f"cnnkit eval {name} {family.data} --json", work)))
            for name in family.models
        ]
        for name in family.models:
            shutil.copyfile(work / name, HERE / name)
    return entries


def run(command: str, folder: Path) -> str:
    """A command as it is typed, in `folder`; what it prints for machines."""
    sys.stderr.write(f"$ {command}\n")
    _, *arguments = shlex.split(command)
    done = subprocess.run([sys.executable, "-m", "cnnkit", *arguments], cwd=folder, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def family_of(file: str) -> Family:
    return next(family for family in FAMILIES.values() if file in family.models)


def entry(path: Path, scored: dict[str, Any]) -> dict[str, Any]:
    """What index.json says about a model: from the file itself, and from results.json."""
    found, family = inspection.inspect(path), family_of(path.name)
    assert found.spec is not None
    return {
        "file": path.name,
        "sha256": found.sha256,
        "size_bytes": found.summary.size_bytes,
        "network": family.network,
        "parameters": found.summary.parameters,
        "multiply_adds": found.summary.multiply_adds,
        "spec_hash": found.spec.spec_hash,
        "data": {"source": family.source, "part": "test", "n": scored["data"]["n"]}
        | {"fingerprint": scored["data"]["fingerprint"]},
        **{name: {key: scored["figures"][name][key] for key in KEPT} for name in family.figures},
        "verification": verification(found.spec.verification, found.spec.provenance),
    }


def verification(record: dict[str, Any], provenance: dict[str, Any]) -> dict[str, Any]:
    """A float file against torch, from its own record; an int8 file against the float one, by the gate's record."""
    if "quantization" in provenance:
        decision = provenance["quantization"]["decision"]
        kept = {key: decision[key] for key in ("n", "drop", "low", "high", "max_drop")}
        return {"passed": decision["high"] <= decision["max_drop"], "against": FAMILIES["digits"].models[0], **kept}
    outputs = [output for comparison in record["comparisons"] for output in comparison["outputs"]]
    return {
        "passed": record["passed"],
        "against": "torch",
        "images": len(record["images"]),
        "max_abs": max(output["max_abs"] for output in outputs),
        "tolerance": min(output["tolerance"] for output in outputs),
    }


def readme(index: dict[str, Any]) -> str:
    """README.md from index.json: generated, and compared by a test."""
    rows = "\n".join(row(each) for each in index["models"])
    commands = "\n\n".join("\n".join(each) for each in index["commands"].values())
    return f"""# Shipped models

Small networks, really trained on data that every installation has: scikit-learn's 1,797 handwritten digits, of which
every third is held out, and scenes that are drawn from them. Each file carries its preprocessing and its classes:
`cnnkit infer exported/digits-fp32.onnx 7.png` is all it takes. This page and `index.json` are generated with the models
by `make models`, and a test opens every file and checks each line.

| file | bytes | multiply-adds | on what is held out | verified |
|---|--:|--:|---|---|
{rows}

Intervals are 95 %: Wilson for accuracy, the infinitesimal jackknife over images for AP. The digits network is the
course's: a convolution of 10 filters, a pooling, a dense layer of 100. The detector of scenes has no anchors and 205
thousand parameters: [docs/training-detectors.md](../docs/training-detectors.md). The commands, in an empty folder:

```sh
{commands}
```

| file | sha256 |
|---|---|
{chr(10).join(f"| `{each['file']}` | `{each['sha256']}` |" for each in index["models"])}
"""


def row(entry: dict[str, Any]) -> str:
    name = f"`{entry['file']}`"
    cells = (name, f"{entry['size_bytes']:,}", f"{entry['multiply_adds']:,}", measured(entry), checked(entry))
    return f"| {' | '.join(cells)} |"


def measured(entry: dict[str, Any]) -> str:
    if "top1_accuracy" in entry:
        figure = entry["top1_accuracy"]
        low, high = (f"{100 * figure[end]:.2f}" for end in ("low", "high"))
        return f"top-1 accuracy {100 * figure['value']:.2f} % ({low} to {high}, n = {figure['n']})"
    shown = [
        f"{name} {entry[name]['value']:.3f} ({entry[name]['low']:.3f} to {entry[name]['high']:.3f})"
        for name in family_of(entry["file"]).figures
    ]
    return f"{', '.join(shown)}, {entry['data']['n']} scenes"


def checked(entry: dict[str, Any]) -> str:
    record = entry["verification"]
    if record["against"] == "torch":
        return (
            f"against torch on {record['images']} images: {record['max_abs']:.1e} apart at most, "
            f"{record['tolerance']:.1e} allowed"
        )
    drop, low, high, allowed = (100 * record[key] for key in ("drop", "low", "high", "max_drop"))
    return (
        f"against `{record['against']}` on {record['n']} images: {drop:.2f} points of accuracy lost "
        f"({low:.2f} to {high:.2f}), {allowed:g} allowed"
    )


if __name__ == "__main__":
    main()
