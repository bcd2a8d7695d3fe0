"""How a candidate is fitted: gradient boosting on ordinal-encoded categories. Deterministic for one seed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

__all__ = ["fit"]

# HistGradientBoosting has 255 bins; rarer values share the last category.
MAX_CATEGORIES = 254


def fit(
    frame: pd.DataFrame, labels: np.ndarray, features: Sequence[str], categorical: Sequence[str], seed: int
) -> Pipeline:
    """Fit P(positive | features).

    ``frame`` has one row an occupant and at least the columns ``features``; ``labels`` is 0/1 of the same
    length. A text column is encoded as a category whether ``categorical`` names it or not.
    """
    texts = [name for name in features if name in categorical or not _is_number(frame[name])]
    numbers = [name for name in features if name not in texts]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=MAX_CATEGORIES)
    columns = ColumnTransformer([("categories", encoder, texts), ("numbers", "passthrough", numbers)])
    classifier = HistGradientBoostingClassifier(
        random_state=seed, categorical_features=list(range(len(texts))), l2_regularization=1.0
    )
    return Pipeline([("columns", columns), ("classifier", classifier)]).fit(frame[list(features)], labels)


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)
