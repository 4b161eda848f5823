"""lime for images."""

from __future__ import annotations

import numpy as np

from .. import _pellucid
from .._load import load
from .._pellucid import InputError
from .._progress import limits
from ._surrogates import Explanation, Settings, labels_of, refuse, seed_of

__all__ = ["ImageExplanation", "LimeImageExplainer"]


class ImageExplanation(Explanation):
    """lime's explanation of an image: for each label a weight for each segment."""

    def __init__(self, image: np.ndarray, segments: np.ndarray):
        super().__init__([str(segment) for segment in range(int(segments.max()) + 1)], "classification")
        self.image = image
        self.segments = segments
        """The segment of each place, ``[height, width]``, numbered from 0."""

    def get_image_and_mask(
        self,
        label: int,
        positive_only: bool = True,
        negative_only: bool = False,
        hide_rest: bool = False,
        num_features: int = 5,
        min_weight: float = 0.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The image, and a mask ``[height, width]``: 1 where segments speak for the label, −1 where they speak against it."""
        if label not in self.local_exp:
            raise InputError(f"label: {label} is not explained; there are {list(self.local_exp)}")
        if positive_only and negative_only:
            raise InputError("positive_only and negative_only: one of them, or none")
        signs = {1} if positive_only else {-1} if negative_only else {1, -1}
        pairs = [(segment, weight) for segment, weight in self.local_exp[label] if abs(weight) >= min_weight]
        pairs = [(segment, weight) for segment, weight in pairs if np.sign(weight) in signs][:num_features]
        mask = np.zeros(self.segments.shape, dtype=np.int64)
        for segment, weight in pairs:
            mask[self.segments == segment] = 1 if weight > 0 else -1
        image = self.image.copy()
        if hide_rest:
            image[mask == 0] = 0
        return image, mask


class LimeImageExplainer(Settings):
    """Explains images by linear surrogates over the presence of their segments.

    >>> import numpy as np
    >>> from pellucid.lime import LimeImageExplainer
    >>> image = np.zeros((8, 8, 3))
    >>> image[:4] = 1.0
    >>> predict = lambda images: np.stack([1 - images[:, 0, 0, 0], images[:, 0, 0, 0]], axis=1)
    >>> halves = lambda image: (np.arange(64).reshape(8, 8) >= 32).astype(int)
    >>> found = LimeImageExplainer().explain_instance(
    ...     image, predict, hide_color=0, top_labels=1, num_samples=50, segmentation_fn=halves
    ... )
    >>> found.top_labels, found.local_exp[1][0][0], int(found.get_image_and_mask(1)[1].sum())
    ([1], 0, 32)
    """

    def __init__(
        self,
        kernel_width: float = 0.25,
        kernel=None,
        verbose: bool = False,
        feature_selection: str = "auto",
        random_state=None,
    ):
        super().__init__(kernel_width, kernel, feature_selection, random_state)

    def explain_instance(
        self,
        image,
        classifier_fn,
        labels=(1,),
        hide_color=None,
        top_labels: int | None = 5,
        num_features: int = 100_000,
        num_samples: int = 1000,
        batch_size: int = 10,
        segmentation_fn=None,
        distance_metric: str = "cosine",
        model_regressor=None,
        random_seed=None,
        progress_bar: bool = True,
    ) -> ImageExplanation:
        """The surrogates of one image ``[height, width, channels]``, or ``[height, width]`` in gray.

        ``classifier_fn`` takes ``[images, height, width, channels]`` and gives ``[images, classes]``. ``hide_color`` stands
        where a segment is absent, its own mean color otherwise. ``segmentation_fn`` gives the segment of each place;
        quickshift with lime's settings otherwise.
        """
        refuse(distance_metric, "cosine", model_regressor)
        image = np.asarray(image)
        if image.ndim == 2:
            image = np.repeat(image[..., None], 3, axis=2)
        if image.ndim != 3:
            raise InputError(f"image: has shape {image.shape}; give [height, width, channels]")
        row = image.astype(np.float64)
        found = _pellucid.segments(row, "quickshift") if segmentation_fn is None else segmentation_fn(image)
        if np.shape(found) != image.shape[:2]:
            raise InputError(f"segmentation_fn: gave shape {np.shape(found)} for an image of {image.shape[:2]}")
        segments = np.unique(np.asarray(found), return_inverse=True)[1].reshape(image.shape[:2])

        def predict(rows: np.ndarray):
            return classifier_fn(rows.astype(image.dtype))

        model = load(predict, example_inputs=row[None])
        outputs = model.predict(row[None])[0]
        chosen, top = labels_of(outputs, labels, top_labels)
        wishes = self._wishes(num_features, num_samples)
        if random_seed is not None:
            wishes["seed"] = seed_of(random_seed)
        groups = np.ascontiguousarray(np.broadcast_to(segments[..., None], image.shape), dtype=np.int64)
        baseline = _hidden(row, segments, hide_color)
        told = _pellucid.surrogate_of_groups(
            model._core, row, groups, baseline, chosen, wishes, limits(batch_size=batch_size)
        )
        explanation = ImageExplanation(image, segments)
        explanation._take(chosen, told)
        explanation.top_labels, explanation.predict_proba = top, outputs
        return explanation


def _hidden(row: np.ndarray, segments: np.ndarray, color) -> np.ndarray:
    """The image where every segment is absent."""
    if color is not None:
        return np.ascontiguousarray(np.broadcast_to(np.asarray(color, dtype=np.float64), row.shape))
    counts = np.bincount(segments.ravel())
    means = [np.bincount(segments.ravel(), weights=channel.ravel()) / counts for channel in np.moveaxis(row, 2, 0)]
    return np.ascontiguousarray(np.stack([mean[segments] for mean in means], axis=2))
