"""Which files of a folder become samples, under which keys, in which order, and what is said of the rest."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.data import IMAGE_SUFFIXES, find_images
from cnnkit.errors import DataError

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def put(root: Path, *names: str, data: bytes = PNG) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def test_keys_are_paths_below_the_root_in_order_of_code_points(tmp_path: Path) -> None:
    put(tmp_path, "b/1.png", "a/10.png", "a/2.png", "Z.png", "é.png", "a.png", "a/b/c.png")
    listing = find_images(tmp_path)
    keys = [sample.key for sample in listing]
    assert keys == ["Z.png", "a.png", "a/10.png", "a/2.png", "a/b/c.png", "b/1.png", "é.png"]
    assert list(listing.keys) == keys == sorted(keys, key=lambda key: key.encode())
    assert all(sample.path == tmp_path / sample.key for sample in listing)


def test_a_sample_has_the_size_and_the_time_of_its_file(tmp_path: Path) -> None:
    put(tmp_path, "one.png", data=b"abc")
    os.utime(tmp_path / "one.png", ns=(5, 1_234_567_890_123_456_789))
    (sample,) = find_images(tmp_path)
    assert (sample.size, sample.mtime_ns) == (3, 1_234_567_890_123_456_789)


def test_suffixes_of_any_case_are_images_and_others_are_counted_and_named(tmp_path: Path) -> None:
    put(tmp_path, "a.JPG", "b.Jpeg", "c.webp", "Thumbs.db", "d.txt", "e", "sub/f.csv", "sub/g.md")
    listing = find_images(tmp_path)
    assert list(listing.keys) == ["a.JPG", "b.Jpeg", "c.webp"]
    assert listing.n_other == 5
    assert listing.notes == ("Left out, not images by name: 5 (Thumbs.db, d.txt, e, ...).",)


def test_hidden_entries_are_left_out_and_not_counted(tmp_path: Path) -> None:
    put(tmp_path, "a.png", "._a.png", ".git/x.png", "sub/.DS_Store")
    listing = find_images(tmp_path)
    assert (list(listing.keys), listing.n_other, listing.notes) == (["a.png"], 0, ())


def test_a_hidden_root_is_read(tmp_path: Path) -> None:
    put(tmp_path / ".cache", "a.png")
    assert list(find_images(tmp_path / ".cache").keys) == ["a.png"]


def test_one_file_is_a_listing_of_one_whatever_its_name(tmp_path: Path) -> None:
    put(tmp_path, "photo", data=b"12")
    listing = find_images(tmp_path / "photo")
    assert [(sample.key, sample.path, sample.size) for sample in listing] == [("photo", tmp_path / "photo", 2)]
    assert listing.root == tmp_path


def test_a_directory_named_like_an_image_is_a_directory(tmp_path: Path) -> None:
    put(tmp_path, "x.jpg/y.png")
    (tmp_path / "empty.png").mkdir()
    assert list(find_images(tmp_path).keys) == ["x.jpg/y.png"]


def test_bytes_that_are_not_utf8_are_written_out(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9 \xff.png"
    try:
        Path(os.fsdecode(raw)).write_bytes(b"abcd")
    except OSError as error:
        pytest.skip(f"this file system takes UTF-8 names alone: {error}")
    (sample,) = find_images(tmp_path)
    assert sample.key == r"caf\xe9 \xff.png"
    assert sample.path.read_bytes() == b"abcd"
    put(tmp_path, r"caf\xe9 \xff.png")
    with pytest.raises(DataError, match="two files have the key 'caf"):
        find_images(tmp_path)


def test_links_to_files_are_images_and_broken_ones_stay_in_the_list(tmp_path: Path) -> None:
    put(tmp_path, "a.png", data=b"xyz")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "broken.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "itself.png").symlink_to("itself.png")
    (tmp_path / "broken.txt").symlink_to("nowhere.txt")
    listing = find_images(tmp_path)
    assert [(sample.key, sample.size) for sample in listing] == [
        ("a.png", 3),
        ("broken.jpg", 0),
        ("itself.png", 0),
        ("link.png", 3),
    ]
    assert listing.n_other == 1


def test_links_to_folders_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", "cat/1.png")
    data = tmp_path / "data"
    put(data, "dog/1.png")
    (data / "cat").symlink_to(tmp_path / "elsewhere" / "cat")
    (data / "dog" / "up").symlink_to(data)
    (data / "a-dog").symlink_to(data / "dog")  # sorts first, and yet the real folder keeps its name
    listing = find_images(data)
    assert list(listing.keys) == ["cat/1.png", "dog/1.png"]
    assert listing.notes == ("Left out, folders that were read under another name: 2 (a-dog, dog/up).",)


def test_links_found_behind_links_are_followed(tmp_path: Path) -> None:
    put(tmp_path / "far", "1.png")
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "far").symlink_to(tmp_path / "far")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "near").symlink_to(tmp_path / "near")
    assert list(find_images(tmp_path / "data").keys) == ["near/far/1.png"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.png", "locked/b.png")
    refuse_below(monkeypatch, "locked")
    listing = find_images(tmp_path)
    assert list(listing.keys) == ["a.png"]
    assert listing.notes == ("Left out, folders that could not be read: 1 (locked (Permission denied)).",)


def test_a_root_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_below(monkeypatch, tmp_path.name)
    with pytest.raises(DataError, match="the folder cannot be read: Permission denied"):
        find_images(tmp_path)


def refuse_below(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What permissions do, also for root."""
    scandir: Callable[[str], Iterator[os.DirEntry[str]]] = os.scandir

    def refusing(path: str) -> Iterator[os.DirEntry[str]]:
        if os.fspath(path).rstrip("/").endswith(name):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    put(tmp_path, "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    for all_files in (False, True):
        listing = find_images(tmp_path, all_files=all_files)
        assert (list(listing.keys), listing.n_other) == (["a.png"], 1)


def test_an_empty_folder_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image here. The folder is empty. Images end in .apng .avif"):
        find_images(tmp_path)


def test_a_folder_without_images_is_an_error_that_names_what_is_there(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", "b.csv")
    with pytest.raises(DataError, match=r"no image here. Left out, not images by name: 2 \(a.txt, b.csv\)."):
        find_images(tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        find_images(tmp_path / "nothing")


HEADS = {
    "jpeg": b"\xff\xd8\xff\xe0",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "bmp": b"BM" + b"\0" * 12 + b"\x28\0\0\0",
    "tiff": b"MM\0*",
    "webp": b"RIFF\x10\0\0\0WEBPVP8 ",
    "avif": b"\0\0\0\x20ftypavif",
    "ppm": b"P6\n2 2\n255\n",
    "hdr": b"#?RADIANCE\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_all_files_goes_by_content(tmp_path: Path, head: bytes) -> None:
    put(tmp_path, "no_suffix", "data.bin", data=head + b"\0" * 40)
    put(tmp_path, "page.png", data=b"<!DOCTYPE html>")
    put(tmp_path, "BMW.txt", data=b"BMW drivers' club, minutes of the meeting")
    put(tmp_path, "empty.jpg", data=b"")
    listing = find_images(tmp_path, all_files=True)
    assert list(listing.keys) == ["data.bin", "no_suffix"]
    assert listing.notes == ("Left out, not images by content: 3 (BMW.txt, empty.jpg, page.png).",)


def test_a_broken_link_stays_in_the_list_when_content_decides(tmp_path: Path) -> None:
    put(tmp_path, "a")
    (tmp_path / "broken.jpg").symlink_to("nowhere.jpg")
    assert list(find_images(tmp_path, all_files=True).keys) == ["a", "broken.jpg"]


def test_slices_and_choices_are_listings(tmp_path: Path) -> None:
    put(tmp_path, *(f"{at}.png" for at in range(5)))
    listing = find_images(tmp_path)
    assert list(listing[1:4].keys) == ["1.png", "2.png", "3.png"]
    assert list(listing[::-2].keys) == ["4.png", "2.png", "0.png"]
    assert list(listing.take([3, 0]).keys) == ["3.png", "0.png"]
    assert listing[-1].key == "4.png"
    with pytest.raises(IndexError):
        listing[5]


def test_suffixes_are_published_in_lower_case() -> None:
    assert {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"} < IMAGE_SUFFIXES
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in IMAGE_SUFFIXES)


NAMES = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: not name.startswith(".") and len(name.encode()) < 200
)


@settings(max_examples=25, deadline=None)
@given(st.sets(NAMES, min_size=1, max_size=6))
def test_every_image_is_found_once_in_order(tmp_path_factory: pytest.TempPathFactory, names: set[str]) -> None:
    root = tmp_path_factory.mktemp("names")
    written = [f"{name}.png" for name in names] + [f"d{name}/x.JPG" for name in names]
    put(root, *written)
    found = list(find_images(root).keys)
    assert found == sorted(written)


MEASURE = """
import sys, tracemalloc
from pathlib import Path
from cnnkit.data import find_images
tracemalloc.start()
listing = find_images(Path(sys.argv[1]))
held, peak = tracemalloc.get_traced_memory()
print(len(listing), held / len(listing), peak / len(listing))
"""


def test_a_file_takes_about_two_hundred_bytes(tmp_path: Path) -> None:
    for folder in range(10):
        (tmp_path / f"class{folder}").mkdir()
        for at in range(500):
            (tmp_path / f"class{folder}" / f"image_{at:08d}.jpg").touch()
    done = subprocess.run([sys.executable, "-c", MEASURE, str(tmp_path)], capture_output=True, text=True, check=True)
    n, held, peak = (float(value) for value in done.stdout.split())
    assert n == 5000
    assert held < 200
    assert peak < 500


def test_the_folder_of_files_that_hurt(shared: Path) -> None:
    listing = find_images(shared / "bad_images")
    assert len(listing) + listing.n_other == 97  # 96 and the list of them
    assert listing.n_other == 5
    assert "made-here/UPPER.JPEG" in set(listing.keys)
    assert "made-here/no_extension" in set(find_images(shared / "bad_images", all_files=True).keys)
