"""Raw scores to classes: by hand, against torch, and the properties that hold for every decoder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnkit.errors import ImageError, ModelError
from cnnkit.postprocess import build_decoder, probabilities, top_k
from cnnkit.records import Classification, Geometry
from cnnkit.spec import ClassificationOutput, ModelSpec

LOGITS = hnp.arrays(np.float32, (3, 6), elements=st.floats(-200, 200, width=32))


def _spec(n_classes: int = 3, **output: object) -> ModelSpec:
    return ModelSpec.model_validate(
        {
            "input": {"size": [8, 8]},
            "preprocess": [],
            "output": {"name": "scores", **output},
            "classes": [{"name": str(at)} for at in range(n_classes)],
        }
    )


def _decode(raw: object, *, topk: int = 5, **output: object) -> list[Classification]:
    array = np.asarray(raw)
    n_classes = array.reshape(len(array), -1).shape[1] - int(bool(output.get("background")))
    decoder = build_decoder(_spec(n_classes, **output), topk=topk)
    answers = decoder({"scores": array}, [Geometry((8, 8), (8, 8))] * len(array))
    return [answer for answer in answers if isinstance(answer, Classification)]


def test_softmax_by_hand() -> None:
    (answer,) = _decode([[0.0, np.log(2.0), np.log(5.0)]])
    np.testing.assert_allclose(answer.scores, [1 / 8, 2 / 8, 5 / 8], rtol=1e-6)
    assert answer.top_ids.tolist() == [2, 1, 0]


@settings(deadline=None, max_examples=50)
@given(LOGITS)
def test_softmax_is_torchs_in_float64(raw: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    expected = torch.softmax(torch.tensor(raw, dtype=torch.float64), dim=1).numpy().astype(np.float32)
    np.testing.assert_allclose(probabilities(raw, ClassificationOutput()), expected, rtol=1e-6, atol=0)


@settings(deadline=None, max_examples=50)
@given(LOGITS)
def test_sigmoid_is_torchs(raw: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    expected = torch.sigmoid(torch.tensor(raw, dtype=torch.float64)).numpy().astype(np.float32)
    np.testing.assert_allclose(probabilities(raw, ClassificationOutput(activation="sigmoid")), expected, rtol=1e-6)


@settings(deadline=None, max_examples=50)
@given(LOGITS, st.integers(1, 6))
def test_the_k_best_agree_with_the_scores_that_are_kept(raw: np.ndarray, k: int) -> None:
    for answer in _decode(raw, topk=k):
        kept = answer.scores[answer.top_ids]
        assert len(kept) == k
        assert (np.diff(kept) <= 0).all()
        assert answer.top_ids[0] == answer.scores.argmax()  # argmax takes the lowest of equals too


def test_of_equal_scores_the_lowest_index_comes_first() -> None:
    assert top_k(np.array([[1.0, 3.0, 3.0, 2.0, 3.0]]), k=4).tolist() == [[1, 2, 4, 3]]
    assert _decode(np.zeros((1, 7)))[0].top_ids.tolist() == [0, 1, 2, 3, 4]


def test_fewer_classes_than_k() -> None:
    assert _decode([[1.0, 2.0]], topk=5)[0].top_ids.tolist() == [1, 0]


def test_a_background_is_left_out_and_the_rest_not_renormalised() -> None:
    (answer,) = _decode([[np.log(2.0), 0.0, 0.0]], background=True)
    np.testing.assert_allclose(answer.scores, [0.25, 0.25], rtol=1e-6)
    assert answer.top_ids.tolist() == [0, 1]


def test_a_quantised_output() -> None:
    raw = np.array([[10, 138, 0]], dtype=np.uint8)
    (answer,) = _decode(raw, activation="none", scale=1 / 256, zero_point=10)
    np.testing.assert_array_equal(answer.scores, np.array([0.0, 0.5, -10 / 256], dtype=np.float32))


def test_float16_is_widened_before_the_softmax() -> None:
    raw = np.array([[11.0, 0.0]], dtype=np.float16)
    assert _decode(raw)[0].scores[1] == np.float32(1 / (1 + np.exp(11.0)))


@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 1, 1), (2, 1, 1, 4)])
def test_shapes_of_scores(shape: tuple[int, ...]) -> None:
    raw = np.arange(8, dtype=np.float32).reshape(shape)
    assert [answer.top_ids[0] for answer in _decode(raw)] == [3, 3]


def test_scores_that_are_not_numbers() -> None:
    with pytest.raises(ImageError, match="output 'scores' holds values that are not numbers") as caught:
        _decode([[1.0, np.nan, 0.0]])
    assert caught.value.status == "failed"


def test_infinite_logits() -> None:
    assert _decode([[-np.inf, 0.0]])[0].scores.tolist() == [0.0, 1.0]
    with pytest.raises(ImageError, match="not numbers"):
        _decode([[np.inf, 0.0]])


def test_a_wrong_number_of_scores() -> None:
    decoder = build_decoder(_spec(3))
    with pytest.raises(ImageError, match="output 'scores' has 4 scores for 3 classes"):
        decoder({"scores": np.zeros((1, 4))}, [Geometry((8, 8), (8, 8))])


def test_an_unknown_detection_decoder() -> None:
    spec = _spec().model_copy(update={"task": "detection"})
    facts = spec.to_dict() | {"output": {"name": "scores", "decoder": "guess"}}
    with pytest.raises(ModelError, match="the spec names the decoder 'guess', which is not one of"):
        build_decoder(ModelSpec.model_validate(facts))
