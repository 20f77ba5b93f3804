"""Make the models of this folder, index.json and README.md, from data that every installation has: `make models`.

The commands are those that one would type; they run in an empty folder, and what they make is measured before it is
copied here.
"""

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cnnkit import files, inspection

HERE = Path(__file__).resolve().parent
TRAIN = (
    "cnnkit train digits -o digits.pt --net digits --epochs 60 --optimizer adamw --lr 0.003 --schedule cosine "
    "--l2 0.03 --label-smoothing 0.05 --rotate 8 --translate 0.06 --zoom 0.08 --seed 0"
)
COMMANDS = (
    "cnnkit data convert sklearn:digits digits",
    TRAIN,
    "cnnkit export digits.pt -o digits-fp32.onnx",
    "cnnkit quantize digits-fp32.onnx -o digits-int8.onnx --calib digits/train --data digits --max-drop 2",
)
MODELS = ("digits-fp32.onnx", "digits-int8.onnx")
DATA = "digits"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for command in COMMANDS:
            run(command, work)
        entries = [entry(work / name, json.loads(run(f"cnnkit eval {name} {DATA} --json", work))) for name in MODELS]
        for name in MODELS:
            shutil.copyfile(work / name, HERE / name)
    index = {"schema": 1, "commands": list(COMMANDS), "models": entries}
    files.write_text(HERE / "index.json", json.dumps(index, indent=1) + "\n")
    files.write_text(HERE / "README.md", readme(index))


def run(command: str, folder: Path) -> str:
    """A command as it is typed, in `folder`; what it prints for machines."""
    sys.stderr.write(f"$ {command}\n")
    _, *arguments = shlex.split(command)
    done = subprocess.run([sys.executable, "-m", "cnnkit", *arguments], cwd=folder, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def entry(path: Path, scored: dict[str, Any]) -> dict[str, Any]:
    """What index.json says about a model: from the file itself, and from results.json."""
    found = inspection.inspect(path)
    assert found.spec is not None
    return {
        "file": path.name,
        "sha256": found.sha256,
        "size_bytes": found.summary.size_bytes,
        "network": "digits",
        "parameters": found.summary.parameters,
        "multiply_adds": found.summary.multiply_adds,
        "spec_hash": found.spec.spec_hash,
        "data": {"source": "sklearn:digits", "part": "test", "n": scored["data"]["n"]}
        | {"fingerprint": scored["data"]["fingerprint"]},
        "top1_accuracy": {
            key: scored["figures"]["top1_accuracy"][key] for key in ("value", "low", "high", "n", "method")
        },
        "verification": verification(found.spec.verification, found.spec.provenance),
    }


def verification(record: dict[str, Any], provenance: dict[str, Any]) -> dict[str, Any]:
    """A float file against torch, from its own record; an int8 file against the float one, by the gate's record."""
    if "quantization" in provenance:
        decision = provenance["quantization"]["decision"]
        kept = {key: decision[key] for key in ("n", "drop", "low", "high", "max_drop")}
        return {"passed": decision["high"] <= decision["max_drop"], "against": MODELS[0], **kept}
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
    commands = "\n".join(index["commands"])
    return f"""# Shipped models

Small networks, really trained on data that every installation has: scikit-learn's 1,797 handwritten digits, of which
every third is held out. Each file carries its preprocessing and its classes: `cnnkit infer exported/{MODELS[0]} 7.png`
is all it takes. This page and `index.json` are generated with the models by `make models`, and a test opens every file
and checks each line.

| file | bytes | multiply-adds | top-1 accuracy on the held-out digits | verified |
|---|--:|--:|---|---|
{rows}

Intervals are 95 % (Wilson). The network is the course's: a convolution of 10 filters, a pooling, a dense layer of 100.
The commands, in an empty folder:

```sh
{commands}
```

| file | sha256 |
|---|---|
{chr(10).join(f"| `{each['file']}` | `{each['sha256']}` |" for each in index["models"])}
"""


def row(entry: dict[str, Any]) -> str:
    figure = entry["top1_accuracy"]
    low, high = (f"{100 * figure[end]:.2f}" for end in ("low", "high"))
    accuracy = f"{100 * figure['value']:.2f} % ({low} to {high}, n = {figure['n']})"
    cells = (f"`{entry['file']}`", f"{entry['size_bytes']:,}", f"{entry['multiply_adds']:,}", accuracy, checked(entry))
    return f"| {' | '.join(cells)} |"


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
