"""Groups of rows of an explanation."""

from __future__ import annotations

import numpy as np

from .._pellucid import InputError, UnsupportedError


class Cohorts:
    """Explanations by name. What is asked of it is asked of each: ``groups.abs.mean(0)``, ``groups[:, "age"]``.

    >>> import numpy as np, pellucid.shap as shap
    >>> groups = shap.Cohorts(few=shap.Explanation(np.ones((1, 2))), many=shap.Explanation(np.ones((3, 2))))
    >>> {name: len(group) for name, group in groups.cohorts.items()}
    {'few': 1, 'many': 3}
    """

    def __init__(self, **cohorts):
        self.cohorts = cohorts

    def __getitem__(self, item) -> Cohorts:
        return Cohorts(**{name: cohort[item] for name, cohort in self.cohorts.items()})

    def __getattr__(self, name: str):
        if name.startswith("_") or name == "cohorts":
            raise AttributeError(name)
        found = {cohort: getattr(explanation, name) for cohort, explanation in self.cohorts.items()}
        if not all(callable(part) for part in found.values()):
            return Cohorts(**found)
        return lambda *arguments, **keywords: Cohorts(
            **{cohort: method(*arguments, **keywords) for cohort, method in found.items()}
        )

    def __repr__(self) -> str:
        told = ", ".join(f"{name}: {cohort.shape}" for name, cohort in self.cohorts.items())
        return f"<pellucid.shap.Cohorts {told}>"


def by_labels(explanation, labels) -> Cohorts:
    """One cohort for each label, in the labels' order."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) != len(explanation):
        raise InputError(f"cohorts: {labels.size} labels for {len(explanation)} rows; give one a row")
    return Cohorts(**{str(label): explanation[labels == label] for label in np.unique(labels)})


def by_tree(explanation, max_cohorts: int) -> Cohorts:
    """The leaves of a small decision tree that tells rows of different values apart by what they hold."""
    try:
        from sklearn.tree import DecisionTreeRegressor
    except ImportError:
        raise UnsupportedError(
            "cohorts of a number need scikit-learn: pip install scikit-learn; or give labels"
        ) from None
    if explanation.data is None:
        raise InputError("cohorts of a number are found by what the rows hold, and this explanation has no data")
    tree = DecisionTreeRegressor(max_leaf_nodes=int(max_cohorts), random_state=0)
    tree.fit(explanation.data, explanation.values)
    leaves = tree.apply(explanation.data)
    names = explanation.feature_names or [f"Feature {index}" for index in range(explanation.data.shape[1])]
    paths = _paths(tree.tree_, names)
    return Cohorts(**{paths[leaf]: explanation[leaves == leaf] for leaf in sorted(paths, key=paths.get)})


def _paths(tree, names: list[str]) -> dict[int, str]:
    """For each leaf its conditions, as people read them."""
    paths, open_nodes = {}, [(0, [])]
    while open_nodes:
        node, conditions = open_nodes.pop()
        if tree.children_left[node] < 0:
            paths[node] = " & ".join(conditions) or "all rows"
            continue
        name, threshold = names[tree.feature[node]], f"{tree.threshold[node]:.6g}"
        open_nodes.append((tree.children_left[node], [*conditions, f"{name} <= {threshold}"]))
        open_nodes.append((tree.children_right[node], [*conditions, f"{name} > {threshold}"]))
    return paths
