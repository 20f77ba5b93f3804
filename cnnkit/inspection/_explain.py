"""Where a classifier's decision comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnkit import data, drawing
from cnnkit.errors import UsageError
from cnnkit.inspection._class_activation import ClassActivation, class_activation
from cnnkit.inspection._drawing import Drawing, counted, sides
from cnnkit.inspection._occlusion import Occlusion, occlude
from cnnkit.inspection._seen import Seen, run, see
from cnnkit.pipeline import Model
from cnnkit.postprocess import build_decoder
from cnnkit.records import Classification

NOTHING = 1e-6  # of probability: less is what float32 leaves


@dataclass(frozen=True)
class Explanation:
    """Where the decision for one class comes from.

    `heat` (h, w) lies evenly over the input of the network: by class activation what each place says for the class,
    in its score's unit; by occlusion the fall of its probability when a pixel is hidden. `how` says it in words.
    """

    image: Path
    class_name: str
    probability: float
    method: Literal["class activation", "occlusion"]
    heat: NDArray[np.float64]
    how: tuple[str, ...]
    seen: Seen

    def draw(self) -> Drawing:
        """The heat over the picture; what the network does not get of it is dimmed."""
        box = np.array([[0.0, 0.0, *self.seen.geometry.input_size[::-1]]])
        left, top, right, bottom = self.seen.geometry.to_source(box)[0].tolist()
        heat, labels = _scaled(self.heat, self.method)
        return Drawing(
            drawing.heat_over(self.seen.picture, heat, (left, top, right, bottom), labels=labels),
            f"{self.class_name}: {100 * self.probability:.1f} %, by {self.method}",
            (f"{self.image.name}. {self.how[0]}", *self.how[1:]),
            {
                "class": self.class_name,
                "p": self.probability,
                "method": self.method,
                "heat": {"size": list(self.heat.shape), "low": float(self.heat.min()), "high": float(self.heat.max())},
            },
        )


def explain(
    model: Model,
    image: Path,
    *,
    class_name: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Explanation:
    """Find where the decision for a class, the best one unless named, comes from.

    Class activation where the graph itself gives it, else occlusion.

    Raises:
        UsageError: the model is no classifier.
        DataError: the picture cannot be read, or no class answers to the name.
    """
    if model.spec.task != "classification":
        raise UsageError(f"{model.path}: is a detector; where a decision comes from is shown for classifiers.")
    wanted = None if class_name is None else data.ClassIndex(model.spec.classes).find(class_name)
    seen = see(model.spec, image)
    answer = _answer(model, seen)
    class_id = int(answer.top_ids[0]) if wanted is None else wanted
    probability = float(answer.scores[class_id])
    name = model.spec.names[class_id]
    found = class_activation(model, seen)
    if isinstance(found, ClassActivation):
        at = class_id + int(getattr(model.spec.output, "background", False))
        return Explanation(
            image, name, probability, "class activation", found.maps[at], _activation_words(found, at), seen
        )
    hidden = occlude(model, seen, class_id, probability=probability, progress=progress)
    return Explanation(image, name, probability, "occlusion", hidden.drops, _occlusion_words(hidden, found), seen)


def _answer(model: Model, seen: Seen) -> Classification:
    outputs = {name: value[:1] for name, value in run(model.session, model.spec, seen.values[None]).items()}
    (answer,) = build_decoder(model.spec)(outputs, [seen.geometry])
    assert isinstance(answer, Classification)
    return answer


def _activation_words(found: ClassActivation, at: int) -> tuple[str, ...]:
    height, width = found.maps.shape[1:]
    return (
        f"What each of {sides(height, width)} places of the last map says for the class; the mean over the places is "
        f"the class's score, {found.scores[at]:.4g}.",
    )


def _occlusion_words(hidden: Occlusion, why: str) -> tuple[str, ...]:
    none = np.abs(hidden.drops).max() < NOTHING
    patches = counted(hidden.n_patches, "patch", plural="patches")
    return (
        f"What the probability loses when a pixel is hidden: the mean over {patches} of {hidden.side} pixels in the "
        "picture's mean colour.",
        f"Not class activation: {why}.",
        *(["No patch changes the probability: the decision hangs on no single place."] if none else []),
    )


def _scaled(
    heat: NDArray[np.float64], method: Literal["class activation", "occlusion"]
) -> tuple[NDArray[np.float64], tuple[str, str, str]]:
    """Heat in [-1, 1], and what -1, 0 and 1 mean."""
    low, high = float(heat.min()), float(heat.max())
    if method == "class activation":
        scaled = (heat - low) / (high - low) if high > low else np.zeros_like(heat)
        return scaled, ("", f"least, {low:.3g}", f"most, {high:.3g}")
    most = max(abs(low), abs(high))
    if most < NOTHING:
        return np.zeros_like(heat), ("", "0", "0")
    return heat / most, (f"hiding it adds {most:.2g}", "0", f"hiding it takes {most:.2g}")
