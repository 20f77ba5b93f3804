"""The predictions dataset: what `infer` writes and `eval` reads.

A run folder holds

plan.json       what is being run on what, written before the first image
inputs.parquet  every key with size and mtime, in order; cut into shards of `shard_size` images
parts/          part-00000.parquet ..., one for each shard, whole or absent
manifest.json   the plan's facts, counts, fingerprint and versions; written last, so a run that has one is complete
run.json        timings, attempts, command, machine and roots: everything that may differ between equal runs
attempts/       a marker for each shard under way
"""

from cnnkit.predictions._exports import EXPORT_FORMATS, CocoIds, coco_image_id, write_export
from cnnkit.predictions._folder import RunFolder, Shard
from cnnkit.predictions._plan import BatchRun, Manifest, ModelFacts, Plan, ProviderFacts
from cnnkit.predictions._record import Attempt, RunRecord, read_record
from cnnkit.predictions._run import Run, is_run, open_run
from cnnkit.predictions._table import rows_from_table, schema_for, table_from_rows

__all__ = [
    "EXPORT_FORMATS",
    "Attempt",
    "BatchRun",
    "CocoIds",
    "Manifest",
    "ModelFacts",
    "Plan",
    "ProviderFacts",
    "Run",
    "RunFolder",
    "RunRecord",
    "Shard",
    "coco_image_id",
    "is_run",
    "open_run",
    "read_record",
    "rows_from_table",
    "schema_for",
    "table_from_rows",
    "write_export",
]
