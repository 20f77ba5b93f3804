"""The predictions dataset by itself: rows to files and back, shards, plan, lock, exports."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.errors import DataError
from cnnkit.predictions import (
    BatchRun,
    ModelFacts,
    Plan,
    ProviderFacts,
    Run,
    RunFolder,
    open_run,
    rows_from_table,
    schema_for,
    table_from_rows,
    write_export,
)
from cnnkit.records import STATUSES, Classification, Detections, Row, Sample
from cnnkit.spec import ModelSpec

CLASSIFIER = {
    "input": {"size": [8, 8]},
    "preprocess": [],
    "output": {"name": "y"},
    "classes": [{"name": "ant"}, {"name": 'bee, "queen"'}, {"name": "cat"}],
}
DETECTOR = CLASSIFIER | {"task": "detection", "output": {"name": "y", "decoder": "yolox"}}


def _plan(facts: dict[str, Any] = CLASSIFIER, **changes: Any) -> Plan:
    spec = ModelSpec.model_validate(facts)
    settled: dict[str, Any] = {
        "cnnkit": "1",
        "model": ModelFacts(name="m", sha256="a" * 64, size_bytes=1),
        "spec": spec,
        "spec_hash": spec.spec_hash,
        "batch_size": 4,
        "provider": ProviderFacts(name="CPUExecutionProvider"),
        "shard_size": 3,
        "topk": 2,
        "n": 0,
        "inputs_sha256": "",
    }
    return Plan(**(settled | changes))


def _samples(n: int) -> list[Sample]:
    return [Sample(f"{at:03d}.png", Path(f"/photos/{at:03d}.png"), 10 + at, at) for at in range(n)]


def _answer(seed: int) -> Classification:
    scores = np.random.default_rng(seed).random(3, dtype=np.float32)
    return Classification(scores, np.argsort(-scores)[:2].astype(np.int32))


def _row(sample: Sample, at: int) -> Row:
    if at % 4 == 3:
        return Row(sample.key, "corrupt", "it is damaged", digest=bytes([at]) * 32)
    return Row(sample.key, width=at + 1, height=2, digest=bytes([at]) * 32, prediction=_answer(at))


def _fill(path: Path, plan: Plan, n: int) -> None:
    samples = _samples(n)
    with RunFolder.locked(path) as folder:
        plan = folder.begin_run(plan, samples)
        for shard in folder.pending(plan):
            folder.begin(shard)
            rows = [_row(sample, at) for at, sample in enumerate(samples)]
            folder.write_part(plan, shard, rows[shard.start : shard.stop])
        folder.finish(versions={"cnnkit": "1"})


def _equal(one: Row, other: Row) -> bool:
    plain = replace(one, prediction=None, status="failed") == replace(other, prediction=None, status="failed")
    if one.prediction is None or other.prediction is None:
        return plain and one.prediction is other.prediction and one.status == other.status
    arrays = [(getattr(one.prediction, name), getattr(other.prediction, name)) for name in one.prediction.__slots__]
    return plain and all(np.array_equal(first, second) for first, second in arrays)


class TestRowsAndTables:
    def test_classification_there_and_back(self) -> None:
        rows = [_row(sample, at) for at, sample in enumerate(_samples(9))]
        table = table_from_rows(rows, schema_for(ModelSpec.model_validate(CLASSIFIER), 2))
        assert all(map(_equal, rows_from_table(table), rows))
        assert [str(field.type) for field in table.schema] == [
            *("string", "dictionary<values=string, indices=int8, ordered=0>", "string", "int32", "int32"),
            *("fixed_size_binary[32]", "fixed_size_list<item: float>[3]", "fixed_size_list<item: int32>[2]"),
        ]

    @settings(deadline=None, max_examples=25)
    @given(st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=6))
    def test_detection_there_and_back(self, counts: list[int | None]) -> None:
        rows = [self._detected(at, n) for at, n in enumerate(counts)]
        table = table_from_rows(rows, schema_for(ModelSpec.model_validate(DETECTOR), 5))
        assert all(map(_equal, rows_from_table(table), rows))

    def _detected(self, at: int, n: int | None) -> Row:
        if n is None:
            return Row(f"{at}.png", "empty", "no bytes")
        random = np.random.default_rng(n)
        boxes, scores = random.random((n, 4), dtype=np.float32), random.random(n, dtype=np.float32)
        answer = Detections(boxes, scores, random.integers(0, 3, n).astype(np.int32))
        return Row(f"{at}.png", width=3, height=4, digest=b"\x01" * 32, prediction=answer)

    def test_every_status_has_its_place(self) -> None:
        rows = [Row("k", status, "why") for status in STATUSES if status != "ok"]
        table = table_from_rows(rows, schema_for(ModelSpec.model_validate(CLASSIFIER), 2))
        assert table.column("status").to_pylist() == [status for status in STATUSES if status != "ok"]

    def test_no_rows(self) -> None:
        assert table_from_rows([], schema_for(ModelSpec.model_validate(DETECTOR), 5)).num_rows == 0


class TestFolder:
    def test_shards_cover_the_list(self, tmp_path: Path) -> None:
        with RunFolder.locked(tmp_path / "run") as folder:
            plan = folder.begin_run(_plan(), _samples(8))
            assert [(shard.index, shard.start, shard.stop) for shard in folder.pending(plan)] == [
                (0, 0, 3),
                (1, 3, 6),
                (2, 6, 8),
            ]

    def test_a_part_is_no_longer_pending_and_its_marker_is_gone(self, tmp_path: Path) -> None:
        samples = _samples(5)
        with RunFolder.locked(tmp_path / "run") as folder:
            plan = folder.begin_run(_plan(), samples)
            first, second = folder.pending(plan)
            folder.begin(first)
            folder.begin(second)
            folder.write_part(plan, first, [_row(sample, 0) for sample in samples[:3]])
            assert (folder.pending(plan), folder.began()) == ([second], [1])
            folder.abandon(keep=[1])
            assert folder.began() == [1]
            folder.abandon()
            assert folder.began() == []

    def test_a_part_of_the_wrong_length(self, tmp_path: Path) -> None:
        with RunFolder.locked(tmp_path / "run") as folder:
            plan = folder.begin_run(_plan(), _samples(5))
            with pytest.raises(ValueError, match=r"part-00000\.parquet is for 3 images, got 1 rows"):
                folder.write_part(plan, folder.pending(plan)[0], [_row(_samples(1)[0], 0)])

    def test_smaller_batches_hold_from_their_shard_on(self, tmp_path: Path) -> None:
        with RunFolder.locked(tmp_path / "run") as folder:
            plan = folder.begin_run(_plan(), _samples(12))
            plan = folder.shrink_batches(plan, batch_size=2, from_shard=1)
            plan = folder.shrink_batches(plan, batch_size=1, from_shard=3)
            assert [shard.batch_size for shard in folder.pending(plan)] == [4, 2, 2, 1]
            assert folder.plan == plan
            assert plan.batch_size == 4
            assert plan.batch_run == (BatchRun(batch_size=2, from_shard=1), BatchRun(batch_size=1, from_shard=3))

    def test_what_a_killed_process_left_is_swept(self, tmp_path: Path) -> None:
        (tmp_path / "run" / "parts").mkdir(parents=True)
        (tmp_path / "run" / "plan.json").write_text("{}")
        left = [tmp_path / "run" / ".plan.json.77.tmp", tmp_path / "run" / "parts" / ".part-00000.parquet.77.tmp"]
        for path in left:
            path.write_bytes(b"half")
        with RunFolder.locked(tmp_path / "run"):
            assert not any(path.exists() for path in left)

    def test_the_lock_ends_with_the_block(self, tmp_path: Path) -> None:
        with RunFolder.locked(tmp_path / "run"), pytest.raises(DataError, match=f"process {os.getpid()} on"):
            RunFolder.locked(tmp_path / "run").__enter__()
        with RunFolder.locked(tmp_path / "run"):
            pass

    def test_clearing_takes_only_what_a_run_wrote(self, tmp_path: Path) -> None:
        _fill(tmp_path / "run", _plan(), 5)
        (tmp_path / "run" / "my notes.txt").write_text("mine")
        with RunFolder.locked(tmp_path / "run") as folder:
            folder.clear()
        assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [".lock", "my notes.txt"]

    def test_a_file_in_the_way(self, tmp_path: Path) -> None:
        (tmp_path / "run").write_text("a file")
        with pytest.raises(DataError, match="is a file; a run needs a folder"):
            RunFolder.locked(tmp_path / "run").__enter__()


class TestPlan:
    def test_equal_plans_do_not_differ(self) -> None:
        assert _plan().differences(_plan(n=9, inputs_sha256="b")) == []

    def test_what_differs_is_named_with_both_values(self) -> None:
        other = _plan(batch_size=8, provider=ProviderFacts(name="CUDAExecutionProvider", options={"device_id": "1"}))
        assert _plan().differences(other) == [
            "batch size: 4 in the plan, 8 now",
            "provider: CPUExecutionProvider in the plan, CUDAExecutionProvider now",
            "provider options: {} in the plan, {'device_id': '1'} now",
        ]

    def test_specs_differ_field_by_field(self) -> None:
        facts = CLASSIFIER | {
            "decode": {"alpha": "white"},
            "classes": [{"name": name} for name in "abcdef"],
            "preprocess": [{"op": "rescale", "scale": 0.5}],
        }
        assert _plan().differences(_plan(facts)) == [
            'spec.classes: 3 (ant, bee, "queen", cat) in the plan, 6 (a, b, c, ...) now',
            "spec.decode.alpha: drop in the plan, white now",
            "spec.preprocess: [] in the plan, [{'op': 'rescale', 'scale': 0.5, 'offset': 0.0}] now",
        ]

    def test_a_plan_of_another_version(self, tmp_path: Path) -> None:
        (tmp_path / "plan.json").write_text('{"schema": 1, "novelty": true}')
        with pytest.raises(DataError, match=r"plan\.json: not a plan\.json that this cnnkit can read: .*another ver"):
            Plan.read(tmp_path / "plan.json")


class TestReading:
    def test_a_complete_run(self, tmp_path: Path) -> None:
        _fill(tmp_path / "run", _plan(), 8)
        run = open_run(tmp_path / "run")
        assert run.manifest is not None
        assert run.manifest.counts == {"corrupt": 2, "ok": 6}
        rows = [row for batch in run.batches() for row in rows_from_table(batch)]
        assert all(map(_equal, rows, [_row(sample, at) for at, sample in enumerate(_samples(8))]))

    def test_the_fingerprint_is_of_keys_and_contents(self, tmp_path: Path) -> None:
        import hashlib

        _fill(tmp_path / "run", _plan(), 4)
        lines = "".join(f"{at:03d}.png\t{bytes([at] * 32).hex()}\n" for at in range(4))
        manifest = open_run(tmp_path / "run").manifest
        assert manifest is not None
        assert manifest.fingerprint == hashlib.sha256(lines.encode()).hexdigest()

    def test_what_is_no_run(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"not a run folder: it has no plan\.json\. `cnnkit infer MODEL IMAGES -o"):
            open_run(tmp_path)

    def test_a_run_that_is_not_complete(self, tmp_path: Path) -> None:
        with RunFolder.locked(tmp_path / "run") as folder:
            folder.begin_run(_plan(), _samples(2))
        with pytest.raises(DataError, match=r"the run is not complete\. Give the same infer command again"):
            open_run(tmp_path / "run")

    def test_a_damaged_part_says_what_to_do(self, tmp_path: Path) -> None:
        _fill(tmp_path / "run", _plan(), 4)
        part = tmp_path / "run" / "parts" / "part-00001.parquet"
        part.write_bytes(part.read_bytes()[:50])
        with pytest.raises(DataError, match=r"part-00001\.parquet: is damaged .* Delete it and run infer again"):
            list(open_run(tmp_path / "run").batches())


class TestExports:
    def _run(self, tmp_path: Path) -> Run:
        _fill(tmp_path / "run", _plan(), 4)
        return open_run(tmp_path / "run")

    def test_csv_quotes_names_and_reads_back(self, tmp_path: Path) -> None:
        import csv

        with write_export(self._run(tmp_path), "csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["key"] for row in rows] == [f"{at:03d}.png" for at in range(4)]
        first = _answer(0)
        names = ["ant", 'bee, "queen"', "cat"]
        assert rows[0]["top1"] == names[first.top_ids[0]]
        assert np.float32(rows[0]["p1"]) == first.scores[first.top_ids[0]]  # to the last bit
        assert (rows[3]["status"], rows[3]["error"], rows[3]["top1"]) == ("corrupt", "it is damaged", "")
        assert rows[0]["top3"] == ""

    def test_jsonl(self, tmp_path: Path) -> None:
        lines = write_export(self._run(tmp_path), "jsonl").read_text().splitlines()
        facts = json.loads(lines[1])
        assert (facts["key"], facts["status"], facts["digest"]) == ("001.png", "ok", "01" * 32)
        assert [guess["class"] for guess in facts["top"]] == [
            ["ant", 'bee, "queen"', "cat"][at] for at in _answer(1).top_ids
        ]
        bad = {"key": "003.png", "status": "corrupt", "error": "it is damaged"}
        assert json.loads(lines[3]) == bad | {"width": None, "height": None, "digest": "03" * 32}

    def test_an_unknown_format(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="format 'xml' is not one of csv, jsonl"):
            write_export(self._run(tmp_path), "xml")


def test_a_folder_in_which_nothing_was_begun_is_not_left_behind(tmp_path: Path) -> None:
    with RunFolder.locked(tmp_path / "run"):
        assert (tmp_path / "run").exists()
    assert not (tmp_path / "run").exists()
