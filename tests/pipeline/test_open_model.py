"""A file and what was typed about it: which spec holds, and what is refused."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnkit import data
from cnnkit.errors import DataError, ModelError, UsageError
from cnnkit.pipeline import open_model
from cnnkit.spec import CenterCrop, ClassificationOutput, Normalize, Rescale, Resize

WriteModel = Callable[..., Path]


def _graph(taken: str = "float[N,3,32,24] x", given: str = "float[N,5] y", body: str | None = None) -> str:
    pool = "p = GlobalAveragePool(x) f = Flatten(p) w = Concat<axis=1>(f, f) y = Slice(w, from, to, axis)"
    constants = "<int64[1] from = {0}, int64[1] to = {5}, int64[1] axis = {1}>"
    return f'<ir_version: 8, opset_import: ["" : 17]> g ({taken}) => ({given}) {constants} {{ {body or pool} }}'


@pytest.fixture
def foreign(write_model: WriteModel, tmp_path: Path) -> Path:
    """A model of others: five scores, an input of 32 x 24, no spec."""
    return write_model(tmp_path / "foreign.onnx", _graph(), None)


def _facts(path: Path, **changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = copy.deepcopy(open_model(path).spec.to_dict())
    facts.update(changes)
    return facts


def test_the_spec_in_the_file_holds(colours: Path) -> None:
    model = open_model(colours)
    assert model.name == "colours"
    assert model.spec.names == ["red", "green", "blue"]
    assert model.notes == ()


def test_a_file_without_a_spec_says_how_to_give_one(foreign: Path) -> None:
    with pytest.raises(ModelError) as caught:
        open_model(foreign)
    assert str(caught.value) == (
        f"{foreign}: holds no cnnkit spec, so nothing says how an image is prepared for it. Say it with --preset "
        "(imagenet, imagenet-caffe, tf, raw, ultralytics, yolox) as a base, --labels FILE and the flags that change "
        "single fields of the preset, or give --spec FILE. Where flags say everything, --preset raw is the base: "
        "values stay as they are, and --resize says how the size is reached."
    )


def test_a_spec_file_holds_before_the_one_inside(colours: Path, tmp_path: Path) -> None:
    facts = _facts(colours, classes=[{"name": name} for name in "abc"])
    (tmp_path / "spec.json").write_text(json.dumps(facts))
    assert open_model(colours, spec=tmp_path / "spec.json").spec.names == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "spec.json: the spec is not JSON"),
        ('{"schema": 99}', "spec.json: the spec has schema 99, this cnnkit reads up to 1. Upgrade cnnkit"),
        ('{"schema": 1}', "spec.json: the spec is not valid: input: is missing"),
    ],
)
def test_bad_spec_files(colours: Path, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "spec.json").write_text(text)
    with pytest.raises(ModelError) as caught:
        open_model(colours, spec=tmp_path / "spec.json")
    assert message in str(caught.value)


def test_a_spec_file_that_is_not_there(colours: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.json: No such file or directory; a spec as JSON was expected"):
        open_model(colours, spec=tmp_path / "none.json")


def test_a_spec_of_a_newer_schema_inside(colours: Path, tmp_path: Path) -> None:
    import onnx

    model = onnx.load(colours)
    model.metadata_props[0].value = '{"schema": 2}'
    onnx.save(model, tmp_path / "new.onnx")
    with pytest.raises(ModelError, match=r"new\.onnx: the spec has schema 2, this cnnkit reads up to 1"):
        open_model(tmp_path / "new.onnx")


class TestDoesTheSpecFit:
    def _refused(self, path: Path, **changes: Any) -> str:
        from cnnkit.spec import ModelSpec

        with pytest.raises(ModelError) as caught:
            open_model(path, spec=ModelSpec.model_validate(_facts(path, **changes)))
        return str(caught.value)

    def test_another_shape(self, colours: Path) -> None:
        changes = {"input": {"size": [16, 16]}, "preprocess": [{"op": "resize", "size": [16, 16], "mode": "exact"}]}
        assert self._refused(colours, **changes) == (
            f'{colours}: input "input" is float32 (N, 3, 8, 8) but the preprocessing in its spec makes '
            f"(N, 3, 16, 16). Give other flags or --spec FILE, or re-export it with the right spec."
        )

    def test_another_type(self, colours: Path) -> None:
        said = self._refused(colours, input={"size": [8, 8], "dtype": "uint8"})
        assert "is float32 (N, 3, 8, 8) but the preprocessing in its spec makes uint8 (N, 3, 8, 8)" in said

    def test_channels_last(self, colours: Path) -> None:
        assert "makes (N, 8, 8, 3)" in self._refused(colours, input={"size": [8, 8], "layout": "NHWC"})

    def test_another_input(self, colours: Path) -> None:
        said = self._refused(colours, input={"name": "pixels", "size": [8, 8]})
        assert 'its spec feeds the input "pixels", but it takes "input"' in said

    def test_another_output(self, colours: Path) -> None:
        assert 'reads the output "p", but it gives "logits"' in self._refused(colours, output={"name": "p"})

    def test_a_preprocessing_that_ends_at_another_size(self, colours: Path) -> None:
        said = self._refused(colours, preprocess=[{"op": "center_crop", "size": [8, 9]}])
        assert "makes pictures of [8, 9] (height, width), but input.size is [8, 8]" in said

    def test_padding_counts(self, colours: Path) -> None:
        from cnnkit.spec import ModelSpec

        steps = [{"op": "center_crop", "size": [6, 4]}, {"op": "pad", "padding": [1, 0, 3, 2]}]
        open_model(colours, spec=ModelSpec.model_validate(_facts(colours, preprocess=steps)))

    def test_more_classes_than_scores(self, colours: Path) -> None:
        said = self._refused(colours, classes=[{"name": name} for name in "abcd"])
        assert 'output "logits" is float32 (N, 3): 3 scores for 4 class names. Give --labels FILE' in said

    def test_one_class_less_than_scores_may_be_a_background(self, colours: Path) -> None:
        said = self._refused(colours, classes=[{"name": name} for name in "ab"])
        assert "3 scores for 2 class names. If output 0 is a background class, say --background" in said

    def test_a_quantised_output_needs_its_scale(self, write_model: WriteModel, tmp_path: Path) -> None:
        body = "p = GlobalAveragePool(x) f = Flatten(p) y = Cast<to=2>(f)"
        text = _graph("float[N,3,8,8] x", "uint8[N,3] y", body)
        path = write_model(tmp_path / "q.onnx", text, None)
        with pytest.raises(ModelError, match=r"y\" is uint8: quantised scores need output\.scale and output\.zero"):
            open_model(path, preset="raw")


class TestAFileOfOthers:
    def test_preset_without_labels_names_classes_by_position(self, foreign: Path) -> None:
        spec = open_model(foreign, preset="imagenet").spec
        assert spec.names == ["0", "1", "2", "3", "4"]
        assert spec.input.size == (32, 24)
        assert [op.op for op in spec.preprocess] == ["resize", "center_crop", "rescale", "normalize"]
        assert isinstance(spec.output, ClassificationOutput)
        assert (spec.output.name, spec.output.activation) == ("y", "softmax")

    def test_labels(self, foreign: Path, tmp_path: Path) -> None:
        (tmp_path / "names.txt").write_text("ape\nbee\ncat\ndog\neel\n")
        assert open_model(foreign, preset="tf", labels=tmp_path / "names.txt").spec.names[-1] == "eel"

    def test_labels_that_begin_with_background(self, foreign: Path, tmp_path: Path) -> None:
        (tmp_path / "names.txt").write_text("background\nbee\ncat\ndog\neel\n")
        spec = open_model(foreign, preset="tf", labels=tmp_path / "names.txt").spec
        assert spec.names == ["bee", "cat", "dog", "eel"]
        assert isinstance(spec.output, ClassificationOutput)
        assert spec.output.background

    def test_a_class_less_than_scores_needs_a_word(self, foreign: Path, tmp_path: Path) -> None:
        (tmp_path / "names.txt").write_text("bee\ncat\ndog\neel\n")
        with pytest.raises(ModelError, match=r"5 scores for 4 class names\. If output 0 is a background class"):
            open_model(foreign, preset="tf", labels=tmp_path / "names.txt")
        spec = open_model(foreign, preset="tf", labels=tmp_path / "names.txt", background=True).spec
        assert len(spec.classes) == 4

    def test_an_open_size_must_be_given(self, write_model: WriteModel, tmp_path: Path) -> None:
        path = write_model(tmp_path / "open.onnx", _graph("float[N,3,H,W] x"), None)
        with pytest.raises(ModelError, match=r'input "x" takes pictures of any size\. Give one: --imgsz 224'):
            open_model(path, preset="imagenet")
        assert open_model(path, preset="imagenet", imgsz=(64, 48)).spec.input.size == (64, 48)

    def test_one_channel_is_grey(self, write_model: WriteModel, tmp_path: Path) -> None:
        body = "f = Flatten(x) y = Slice(f, from, to, axis)"
        path = write_model(tmp_path / "grey.onnx", _graph("float[1,1,28,28] x", "float[1,5] y", body), None)
        model = open_model(path, preset="raw")
        assert model.spec.input.channels == "GRAY"
        assert model.spec.preprocess[0].op == "to_gray"
        assert model.fixed_batch == 1

    def test_an_open_output_is_counted_by_running(self, write_model: WriteModel, tmp_path: Path) -> None:
        path = write_model(tmp_path / "c.onnx", _graph(given="float[N,C] y"), None)
        assert len(open_model(path, preset="raw").spec.classes) == 5

    def test_probabilities_are_known_by_the_graph(self, write_model: WriteModel, tmp_path: Path) -> None:
        body = "p = GlobalAveragePool(x) f = Flatten(p) y = Softmax<axis=1>(f)"
        path = write_model(tmp_path / "p.onnx", _graph(given="float[N,3] y", body=body), None)
        model = open_model(path, preset="raw")
        assert isinstance(model.spec.output, ClassificationOutput)
        assert model.spec.output.activation == "none"
        assert model.notes[:-1] == (
            'Output "y" comes out of a softmax: taken as probabilities (--activation says otherwise).',
        )
        told = open_model(path, preset="raw", activation="softmax")
        assert isinstance(told.spec.output, ClassificationOutput)
        assert (told.spec.output.activation, told.notes[:-1]) == ("softmax", ())

    def test_what_is_no_picture(self, write_model: WriteModel, tmp_path: Path) -> None:
        path = write_model(tmp_path / "flat.onnx", _graph("float[N,10] x", body="y = Slice(x, from, to, axis)"), None)
        with pytest.raises(ModelError, match=r'one input of images .* was expected, it has "x" float32 \(N, 10\)'):
            open_model(path, preset="raw")

    def test_an_unknown_preset(self, foreign: Path) -> None:
        with pytest.raises(UsageError, match="no preset 'imgnet'; there are imagenet"):
            open_model(foreign, preset="imgnet")

    def test_a_label_file_that_is_not_there(self, foreign: Path, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.txt"):
            open_model(foreign, preset="raw", labels=tmp_path / "none.txt")


class TestOverrides:
    def _steps(self, path: Path, **options: Any) -> list[Any]:
        return list(open_model(path, preset="imagenet", **options).spec.preprocess)

    def test_resize_modes(self, foreign: Path) -> None:
        exact = self._steps(foreign, resize="exact")[0]
        assert (exact.mode, exact.size) == ("exact", (32, 24))
        letterbox = self._steps(foreign, resize="letterbox", fill=0, align="top_left")[0]
        assert (letterbox.mode, letterbox.fill, letterbox.align) == ("letterbox", 0, "top_left")
        assert [op.op for op in self._steps(foreign, resize="none")] == ["rescale", "normalize"]
        assert self._steps(foreign, resize="shortest")[:2] == [Resize(size=36), CenterCrop(size=(32, 24))]

    def test_resize_size(self, foreign: Path) -> None:
        assert self._steps(foreign, resize_size=40)[0].size == 40
        assert self._steps(foreign, resize_size=40)[1] == CenterCrop(size=(32, 24))

    def test_interpolation(self, foreign: Path) -> None:
        resize = self._steps(foreign, interpolation="opencv:area")[0]
        assert (resize.implementation, resize.filter) == ("opencv", "area")
        with pytest.raises(UsageError, match="must be implementation:filter"):
            self._steps(foreign, interpolation="bilinear")
        with pytest.raises(UsageError, match="opencv has no filter 'lanczos'; it has nearest"):
            self._steps(foreign, interpolation="opencv:lanczos")
        with pytest.raises(UsageError, match=r"should be 'pillow', 'torch' or 'opencv' \(got 'foo'\)"):
            self._steps(foreign, interpolation="foo:bar")

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"scale": float("nan")}, r"scale: should be a finite number \(got nan\)"),
            ({"mean": (0.5, float("inf"), 0.5)}, r"mean\.1: should be a finite number \(got inf\)"),
            ({"std": (float("nan"),)}, r"std\.0: should be a finite number"),
            ({"std": (0.0,)}, "every standard deviation must be above 0"),
        ],
    )
    def test_values_that_are_no_numbers(self, foreign: Path, options: dict[str, Any], sentence: str) -> None:
        with pytest.raises(UsageError, match=f"with these options the spec is not valid: .*{sentence}"):
            self._steps(foreign, **options)

    def test_values(self, foreign: Path) -> None:
        assert self._steps(foreign, mean=(0.5,), std=(0.25,))[2:] == [
            Rescale(scale=1 / 255),
            Normalize(mean=(0.5,), std=(0.25,)),
        ]
        assert self._steps(foreign, scale=1.0)[2] == Rescale(scale=1.0)
        assert self._steps(foreign, mean=(0.1, 0.2, 0.3))[3] == Normalize(
            mean=(0.1, 0.2, 0.3), std=(0.229, 0.224, 0.225)
        )

    def test_values_where_there_were_none(self, foreign: Path) -> None:
        steps = open_model(foreign, preset="raw", scale=0.5, mean=(1.0, 2.0, 3.0)).spec.preprocess
        assert list(steps[2:]) == [Rescale(scale=0.5), Normalize(mean=(1.0, 2.0, 3.0), std=(1.0, 1.0, 1.0))]

    def test_channel_order(self, foreign: Path) -> None:
        assert open_model(foreign, preset="imagenet", channel_order="BGR").spec.input.channels == "BGR"

    def test_imgsz_keeps_the_proportion_of_a_spec(self, write_model: WriteModel, tmp_path: Path) -> None:
        spec = {
            "input": {"name": "x", "size": [224, 224]},
            "preprocess": [{"op": "resize", "size": 256}, {"op": "center_crop", "size": [224, 224]}],
            "output": {"name": "y"},
            "classes": [{"name": name} for name in "abcde"],
        }
        path = write_model(tmp_path / "open.onnx", _graph("float[N,3,H,W] x"), spec)
        assert list(open_model(path, imgsz=(112, 112)).spec.preprocess) == [
            Resize(size=128),
            CenterCrop(size=(112, 112)),
        ]

    def test_imgsz_keeps_the_proportion_of_a_squeeze_and_a_crop(self, write_model: WriteModel, tmp_path: Path) -> None:
        squeeze = {"op": "resize", "size": [36, 40], "mode": "exact"}
        spec = {
            "input": {"name": "x", "size": [32, 32]},
            "preprocess": [squeeze, {"op": "center_crop", "size": [32, 32]}],
            "output": {"name": "y"},
            "classes": [{"name": name} for name in "abcde"],
        }
        model = open_model(write_model(tmp_path / "open.onnx", _graph("float[N,3,H,W] x"), spec), imgsz=(48, 48))
        assert list(model.spec.preprocess) == [Resize(size=(54, 60), mode="exact"), CenterCrop(size=(48, 48))]
        assert model.notes == ("Images are prepared so: RGB, squeezed to 54x60 (pillow:bilinear), the centre 48x48.",)

    def test_an_option_with_nothing_to_change(self, foreign: Path) -> None:
        with pytest.raises(UsageError, match="there is no resize that fill could change"):
            self._steps(foreign, resize="none", fill=3)

    def test_a_preset_replaces_the_preprocessing_of_a_spec(self, colours: Path) -> None:
        spec = open_model(colours, preset="tf").spec
        assert [op.op for op in spec.preprocess] == ["resize", "center_crop", "rescale"]
        assert spec.names == ["red", "green", "blue"]

    def test_what_is_for_detectors_only(self, colours: Path) -> None:
        with pytest.raises(UsageError, match="--decoder is for detectors; the spec says classification"):
            open_model(colours, decoder="yolox")


@pytest.mark.parametrize(
    ("name", "options", "n", "top1", "top5"),
    [
        pytest.param("mobilenet_v1_025_128_uint8_nhwc", {"preset": "raw"}, 200, 101, 151),
        pytest.param("squeezenet_fp16", {"preset": "imagenet-caffe"}, 200, 133, 175, marks=pytest.mark.slow),
        pytest.param("mobilenet_v2_int8", {"preset": "imagenet"}, 200, 172, 194, marks=pytest.mark.slow),
    ],
)
def test_real_models_get_the_published_number_right(
    shared: Path, name: str, options: dict[str, Any], n: int, top1: int, top5: int
) -> None:
    synsets = shared / "models" / "imagenet_synset_words.txt"
    labels = shared / "models" / "imagenet_labels_1001.txt" if "uint8" in name else synsets
    model = open_model(shared / "models" / f"{name}.onnx", labels=labels, **options)
    index = data.ClassIndex(model.spec.classes, data.read_class_map(synsets))
    rows = list(model.rows(data.find_images(shared / "imagenet200")))
    answers = [(index.find(row.key.split("/")[0]), row.prediction.top_ids) for row in rows if row.prediction]  # type: ignore[union-attr]
    assert len(answers) == n
    assert sum(ids[0] == label for label, ids in answers) == top1
    assert sum(label in ids for label, ids in answers) == top5
