"""Likely mistakes in the data: each kind planted and found, none found where none is."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnkit.errors import UsageError
from cnnkit.evaluation import evaluate
from cnnkit.evaluation._likeness import look_at, near_pairs
from cnnkit.results import LabelHealth, Results, SamePicture, read_results

MakeRun = Callable[..., Path]
NAMES = ["cat", "dog"]


def health_of(results: Results) -> LabelHealth:
    assert results.health is not None
    return results.health


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve pictures of noise in two class folders, and the part that a model was trained on."""
    random = np.random.default_rng(0)
    for part in ("test", "train"):
        for at in range(12):
            path = tmp_path / "photos" / part / ("red" if at % 2 else "blue") / f"{at}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
            coarse.resize((80, 60), Image.Resampling.BICUBIC).save(path)
    return tmp_path / "photos"


@pytest.fixture
def examine(run_cnnkit, colours: Path, photos: Path, tmp_path: Path) -> Callable[..., tuple[LabelHealth, str]]:
    def run(*arguments: object) -> tuple[LabelHealth, str]:
        out = tmp_path / "out"
        said = run_cnnkit("eval", colours, photos, "-o", out, "--overwrite", "--progress", "none", *arguments).stderr
        return health_of(read_results(out)), said

    return run


def test_nothing_is_found_where_nothing_is(examine) -> None:
    health, said = examine("--label-health")
    assert (health.n_extra, health.n_conflicts, health.n_trained_on, health.n_near) == (0, 0, 0, 0)
    assert (health.compared, health.n_read, health.n_trained_on_read) == ("pixels", 12, 12)
    assert health.duplicates == ()
    assert "Compared by pixels: 12 scored images and 12 of photos/train; 0 pairs nearly the same." in said


def test_each_kind_of_duplicate_is_found(examine, photos: Path, tmp_path: Path) -> None:
    test, train = photos / "test", photos / "train"
    Image.open(test / "red" / "1.png").save(test / "blue" / "other_label.bmp")  # other bytes, the same pixels
    shutil.copy(test / "red" / "3.png", test / "red" / "again.png")
    shutil.copy(train / "blue" / "0.png", test / "blue" / "leak.png")
    Image.open(test / "blue" / "2.png").resize((40, 30)).save(test / "blue" / "small.png")
    Image.open(train / "red" / "5.png").save(test / "red" / "anew.jpg", quality=80)

    health, said = examine("--label-health")
    assert (health.n_extra, health.n_conflicts, health.n_trained_on, health.n_near) == (2, 1, 1, 2)
    first = health.duplicates[0]
    assert (first.kind, first.conflict, first.n) == ("pixels", True, 2)
    assert [(each.key, each.label) for each in first.images] == [("blue/other_label.bmp", "blue"), ("red/1.png", "red")]
    assert health.duplicates[1].images == (
        SamePicture(key="blue/leak.png", label="blue"),
        SamePicture(key="blue/0.png", label="blue", trained_on=True),
    )
    near = {frozenset(image.key for image in group.images) for group in health.duplicates if group.kind == "near"}
    assert near == {frozenset({"blue/2.png", "blue/small.png"}), frozenset({"red/anew.jpg", "red/5.png"})}
    assert "Scored images that the model was trained on too: 1. The figures flatter it." in said
    assert "The same picture twice: 2 images show what another shows, 1 pictures under different labels" in said
    page = (tmp_path / "out" / "report.html").read_text()
    assert "also among those that the model was trained on: the figures flatter it." in page
    assert "1\u00a0picture is there under different labels." in page
    assert "nearly the same" in page
    assert "## Labels" in (tmp_path / "out" / "report.md").read_text()


def test_without_asking_files_are_compared_by_their_hashes(examine, photos: Path) -> None:
    shutil.copy(photos / "test" / "red" / "3.png", photos / "test" / "blue" / "again.png")
    Image.open(photos / "test" / "red" / "1.png").save(photos / "test" / "blue" / "other.bmp")
    health, said = examine()
    assert (health.compared, health.n_extra, health.n_conflicts, health.n_near) == ("files", 1, 1, None)
    assert health.n_trained_on is None
    assert [group.kind for group in health.duplicates] == ["files"]
    assert "Compared by pixels" not in said


def test_another_folder_that_the_model_was_trained_on(examine, photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos / "test", tmp_path / "other")
    health, _ = examine("--trained-on", tmp_path / "other")
    assert (health.n_trained_on, health.trained_on) == (12, "../other")


def test_what_the_model_was_trained_on_is_named_by_its_classes(examine, photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos / "test" / "red", tmp_path / "other" / "n1")
    shutil.copytree(photos / "test" / "blue", tmp_path / "other" / "unknown")
    (tmp_path / "names.csv").write_text("n1,red\n")
    health, _ = examine("--trained-on", tmp_path / "other", "--class-map", tmp_path / "names.csv")
    assert {each.label for group in health.duplicates for each in group.images if each.trained_on} == {"red", "unknown"}
    assert not any(group.conflict for group in health.duplicates)


def test_the_scored_folder_is_not_the_one_trained_on(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run({"cat/1.png": [0.9, 0.1]}, NAMES)
    with pytest.raises(UsageError, match="is the folder that is scored"):
        evaluate(run, tmp_path / "images", trained_on=tmp_path / "images", report=False)


def test_doubted_labels_and_classes_mixed_up_both_ways(make_run: MakeRun, tmp_path: Path) -> None:
    answers = {f"cat/{at}.png": [0.9, 0.1] for at in range(6)} | {f"dog/{at}.png": [0.2, 0.8] for at in range(6)}
    answers |= {"cat/wrong.png": [0.01, 0.99], "cat/other.png": [0.3, 0.7]}
    answers |= {"dog/wrong.png": [0.97, 0.03], "dog/other.png": [0.6, 0.4], "dog/zz.png": "corrupt"}
    health = health_of(evaluate(make_run(answers, NAMES), tmp_path / "images", report=False))

    assert health.n_suspects == 3  # dog/other stays below the bar of the cats, (6 x 0.9 + 0.31) / 8 = 0.71
    assert [each.key for each in health.suspects] == ["cat/wrong.png", "dog/wrong.png", "cat/other.png"]
    worst = health.suspects[0]
    assert (worst.label, worst.suggested) == (0, 1)
    assert (worst.p, worst.p_suggested) == (pytest.approx(0.01), pytest.approx(0.99))
    assert worst.threshold == pytest.approx((6 * 0.8 + 0.03 + 0.4) / 8)
    mixed = health.mutual[0]
    assert (mixed.first, mixed.second, mixed.n_first, mixed.n_second) == (0, 1, 2, 2)


def test_labels_that_could_not_be_doubted_are_told(run_cnnkit, colours: Path, photos: Path, tmp_path: Path) -> None:
    for at in range(8, 12):
        for colour in ("red", "blue"):
            (photos / "test" / colour / f"{at}.png").unlink(missing_ok=True)  # four of each are left
    out = tmp_path / "few"
    said = run_cnnkit("eval", colours, photos, "-o", out, "--label-health", "--progress", "none").stderr
    told = "Labels were not doubted: that takes probabilities, and a class of five images and more."
    assert health_of(read_results(out)).n_suspects is None
    assert told in said
    assert told in (out / "report.html").read_text()


def test_label_health_of_detections_is_refused(run_cnnkit, tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text("[]")
    (tmp_path / "truth.json").write_text('{"images": [], "annotations": [], "categories": []}')
    said = run_cnnkit("eval", tmp_path / "found.json", tmp_path / "truth.json", "--label-health", exit_code=2).stderr
    assert "--label-health is for classifiers" in said


def test_flat_and_different_pictures_are_not_near() -> None:
    random = np.random.default_rng(0)
    flat = [look_at(np.full((30, 40, 3), level, np.uint8)) for level in (10, 11, 12)]
    noise = [look_at(random.integers(0, 256, (30, 40, 3), dtype=np.uint8)) for _ in range(30)]
    assert near_pairs([*flat, *noise]) == []
    assert near_pairs([]) == []


def test_every_near_pair_is_found_among_many() -> None:
    """Blocks of rows and of pairs have no seams."""
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, (400, 6, 8, 3), dtype=np.uint8)
    pictures = [np.asarray(Image.fromarray(each).resize((64, 48), Image.Resampling.BICUBIC)) for each in coarse]
    smaller = [np.asarray(Image.fromarray(each).resize((32, 24))) for each in pictures]
    pairs = {(pair.first, pair.second) for pair in near_pairs([look_at(each) for each in [*pictures, *smaller]])}
    assert pairs == {(at, at + 400) for at in range(400)}


def test_real_photos_hold_no_picture_twice(shared: Path) -> None:
    from cnnkit.data import find_images
    from cnnkit.evaluation._likeness import looks

    keys = list(find_images(shared / "imagenet200").keys)[:80]
    found = [each for each in looks(shared / "imagenet200", keys, [None] * len(keys)) if each is not None]
    assert len({each.pixels for each in found}) == 80
    assert near_pairs(found) == []
