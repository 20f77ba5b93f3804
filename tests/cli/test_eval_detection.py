"""`cnnkit eval` on another tool's detections: every fixture, every protocol, bad input, the table."""

import json
import subprocess
import sys

import pytest

from cnnkit.results import read_results, read_rows, rows_schema


def pair(shared, name):
    folder = shared / "metrics" / "coco" / name
    return folder / "dt.json", folder / "gt.json", json.loads((folder / "expected.json").read_text())


def values(facts, prefix="coco_"):
    found = {name: figure["value"] for name, figure in facts["figures"].items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): -1.0 if value is None else value for name, value in found.items()}


def test_coco_fixtures_have_their_figures(shared, run_cnnkit, coco_case):
    found, truth, expected = pair(shared, coco_case)
    limit = expected["params"]["maxDets"][-1] if "params" in expected else 100
    facts = json.loads(run_cnnkit("eval", found, truth, "--json", "--max-detections", limit).stdout)
    assert values(facts) == pytest.approx(expected["stats"], abs=1e-9)
    assert facts["protocol"]["max_detections"][-1] == limit
    for figure in facts["figures"].values():
        assert figure["low"] is None or figure["low"] <= figure["value"] <= figure["high"]
    classes = {each["id"]: each["name"] for each in json.loads(truth.read_text())["categories"]}
    by_name = {each["name"]: each for each in facts["per_class"]}
    for category, figures in expected.get("per_class", {}).items():
        own = by_name[classes[int(category)]]
        got = {"AP": own["ap"], "AP50": own["ap50"]}
        assert {key: -1.0 if value is None else value for key, value in got.items()} == pytest.approx(
            {key: figures[key] for key in got}, abs=1e-9
        )


def test_coco_fixtures_that_are_wrong_are_refused(shared, run_cnnkit, wrong_coco_case):
    found, truth, expected = pair(shared, wrong_coco_case)
    said = run_cnnkit("eval", found, truth, exit_code=3).stderr
    assert any(str(path) in said for path in (found, truth))
    for word in expected["error_should_name"]:
        assert word in said


def test_unknown_images_can_be_left_out(shared, run_cnnkit):
    found, truth, _ = pair(shared, "050_error_unknown_image")
    said = run_cnnkit("eval", found, truth, exit_code=3).stderr
    assert "--ignore-unknown-images leaves such detections out." in said
    said = run_cnnkit("eval", found, truth, "--ignore-unknown-images").stderr
    assert "Note: Detections in images that the ground truth does not list, left out: 1." in said


@pytest.fixture
def plates(shared, tmp_path):
    case = json.loads((shared / "metrics" / "pr" / "license_plates.json").read_text())
    for name in ("coco_dt", "coco_gt"):
        (tmp_path / f"{name}.json").write_text(json.dumps(case[name]))
    return tmp_path / "coco_dt.json", tmp_path / "coco_gt.json", case


def test_the_licence_plates_row_by_row(plates, run_cnnkit):
    found, truth, case = plates
    said = run_cnnkit("eval", found, truth, "--table").stderr
    lines = [line.split("│") for line in said.splitlines() if line.startswith("│")]
    rows = [[cell.strip() for cell in line[1:-1]] for line in lines][: len(case["flags"])]
    n = case["positives"]
    hits = 0
    for rank, (row, flag, confidence) in enumerate(zip(rows, case["flags"], case["confidence"], strict=True), 1):
        hits += flag == "TP"
        shares = [f"{hits}/{rank} = {hits / rank:.3f}", f"{hits}/{n} = {hits / n:.3f}"]
        assert row == [str(rank), f"{confidence:g}", flag, *shares]
    assert "plate: 15 objects, IoU from 0.5" in said
    fractions = (
        "AP at IoU 0.5: 34/77 = 0.4416 (11 recalls), 418/945 = 0.4423 (all points), 134/303 = 0.4422 (101 recalls)"
    )
    assert fractions in said


@pytest.mark.parametrize("protocol", ["coco", "voc07", "voc12"])
def test_the_licence_plates_by_each_protocol(plates, run_cnnkit, protocol):
    found, truth, case = plates
    facts = json.loads(run_cnnkit("eval", found, truth, "--json", "--table", "--protocol", protocol).stdout)
    expected = {"coco": "AP_coco_101", "voc07": "AP_11_point", "voc12": "AP_all_points"}[protocol]
    assert values(facts, f"{protocol}_")["AP"] == pytest.approx(case[expected], abs=1e-12)
    (table,) = facts["detection"]["tables"]
    assert (table["verdict"], table["confidence"]) == (case["flags"], case["confidence"])
    assert table["fractions"] == {"11 recalls": "34/77", "all points": "418/945", "101 recalls": "134/303"}


def test_all_protocols_side_by_side_and_why_they_differ(shared, run_cnnkit):
    found, truth, _ = pair(shared, "000_fakebbox100")
    done = run_cnnkit("eval", found, truth, "--json", "--protocol", "all")
    figures = json.loads(done.stdout)["figures"]
    assert [name for name in figures if not name.startswith("coco")] == [
        *("voc07_AP", "voc07_AP_no_plus_one", "voc12_AP", "voc12_AP_no_plus_one"),
        *("ultralytics_AP", "ultralytics_AP50"),
    ]
    assert "Why they differ:\n  COCO: mean over ten IoU thresholds" in done.stderr
    assert "  Ultralytics: COCO's thresholds, but crowd regions are no regions" in done.stderr
    assert "Note: Crowd regions are difficult objects for VOC, nothing for Ultralytics: 9." in done.stderr


VOC = ["001_perfect", "005_difficult_ignored", "009_plus_one_matters", "013_equal_iou_first_wins", "030_random"]


@pytest.mark.parametrize("name", VOC)
def test_voc_fixtures_have_their_figures_as_coco_files(shared, run_cnnkit, tmp_path, name):
    case = json.loads((shared / "metrics" / "voc" / f"{name}.json").read_text())
    images = {image: at for at, image in enumerate(case["images"])}
    names = sorted({entry["class"] for entry in (*case["groundtruth"], *case["detections"])})

    def record(entry):
        x1, y1, x2, y2 = entry["bbox"]
        place = {"image_id": images[entry["image"]], "category_id": names.index(entry["class"])}
        return place | {"bbox": [x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1]}

    truth = {
        "images": [{"id": at, "file_name": image} for image, at in images.items()],
        "categories": [{"id": at, "name": each} for at, each in enumerate(names)],
        "annotations": [record(entry) | {"difficult": entry["difficult"]} for entry in case["groundtruth"]],
    }
    (tmp_path / "gt.json").write_text(json.dumps(truth))
    found = [record(entry) | {"score": entry["score"]} for entry in case["detections"]]
    (tmp_path / "dt.json").write_text(json.dumps(found))
    for protocol, key in (("voc07", "mAP_11"), ("voc12", "mAP_all")):
        done = run_cnnkit("eval", tmp_path / "dt.json", tmp_path / "gt.json", "--json", "--protocol", protocol)
        facts = json.loads(done.stdout)
        assert facts["figures"][f"{protocol}_AP"]["value"] == pytest.approx(case["expected"]["devkit"][key], abs=1e-9)
        other = facts["figures"][f"{protocol}_AP_no_plus_one"]["value"]
        assert other == pytest.approx(case["expected"]["no_plus_one"][key], abs=1e-9)


def test_difficult_objects_are_said_where_coco_does_not_know_them(shared, run_cnnkit, tmp_path):
    truth = {
        "images": [{"id": 1}],
        "categories": [{"id": 1, "name": "car"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "difficult": 1}],
    }
    (tmp_path / "gt.json").write_text(json.dumps(truth))
    (tmp_path / "dt.json").write_text("[]")
    said = run_cnnkit("eval", tmp_path / "dt.json", tmp_path / "gt.json").stderr
    assert "Objects marked difficult, which COCO's rule does not know, are to be found too: 1." in said
    said = run_cnnkit("eval", tmp_path / "dt.json", tmp_path / "gt.json", "--protocol", "voc12").stderr
    assert "dt on gt.json: 1 image, 0 objects of 0 classes, 0 detections, 1 object left out" in said
    assert "undefined" in said


def test_what_is_told_of_files(shared, run_cnnkit):
    found, truth, _ = pair(shared, "000_fakebbox100")
    said = run_cnnkit("eval", found, truth).stderr
    assert "dt on gt.json: 100 images, 830 objects of 70 classes, 734 detections, 9 objects left out" in said
    assert "│ coco_AP    │ 0.5046 │" in said
    assert "F1 is best from confidence 0.012 on: 0.830 (precision 0.886, recall 0.781, IoU 0.5)." in said
    assert "Errors from there on: 100 missed, 81 classification" in said
    assert "Weakest classes (AP, of objects; of those with 10 objects and more): sandwich 0.324 of 11" in said
    assert "Results:" not in said


def test_files_are_written_where_asked(shared, run_cnnkit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, truth, _ = pair(shared, "000_fakebbox100")
    run_cnnkit("eval", found, truth)
    assert not list(tmp_path.iterdir())
    run_cnnkit("eval", found, truth, "-o", "out", "--no-report")
    results, rows = read_results(tmp_path / "out"), read_rows(tmp_path / "out")
    assert results.model.name == "dt"
    assert (results.model.sha256, results.provider) == (None, None)
    assert (tmp_path / "out" / results.run.path).resolve() == found.resolve()
    assert (tmp_path / "out" / results.data.truth).resolve() == truth.resolve()
    assert rows.schema.equals(rows_schema("detection"))
    assert rows.num_rows == 100


def test_floors_hold_for_detectors_too(shared, run_cnnkit):
    found, truth, _ = pair(shared, "000_fakebbox100")
    run_cnnkit("eval", found, truth, "--fail-under", "coco_AP=0.5")
    said = run_cnnkit("eval", found, truth, "--fail-under", "coco_AP75=0.6", exit_code=1).stderr
    assert "coco_AP75 is 0.5730 (95 % interval 0.525" in said


def test_options_that_would_change_nothing_are_refused(shared, run_cnnkit):
    found, truth, _ = pair(shared, "000_fakebbox100")
    said = run_cnnkit("eval", found, truth, "--conf", "0.5", exit_code=2).stderr
    assert "is a file of detections: conf would change nothing." in said


def test_scoring_files_loads_neither_torch_nor_scikit_learn(shared):
    found, truth, _ = pair(shared, "000_fakebbox100")
    code = (
        "import sys; from click.testing import CliRunner; from cnnkit.cli import cnnkit;"
        f"done = CliRunner().invoke(cnnkit, ['eval', {str(found)!r}, {str(truth)!r}, '--json']);"
        "assert done.exit_code == 0, done.stderr;"
        "heavy = {'torch', 'sklearn', 'onnx', 'onnxruntime', 'cv2', 'pyarrow'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
