"""The models that no other beats."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cnnkit.comparison import pareto_front


def test_the_front_by_hand() -> None:
    assert pareto_front([(1, 0.5), (2, 0.6), (3, 0.6), (2, 0.4)]) == [True, True, False, False]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_every_model_off_the_front_is_beaten_by_one_on_it(found: list[tuple[int, int]]) -> None:
    best = pareto_front(found)
    assert any(best)
    chosen = [point for point, on in zip(found, best, strict=True) if on]
    for point, on in zip(found, best, strict=True):
        beaten = any(a <= point[0] and b >= point[1] and (a, b) != point for a, b in chosen)
        assert beaten != on
