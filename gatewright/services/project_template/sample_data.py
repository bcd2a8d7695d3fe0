"""Sample data from scikit-learn's bundled diabetes data set: real measurements, invented years.

442 patients: ten measurements, and a number that says how far the disease had progressed a year later. Efron, Hastie,
Johnstone, Tibshirani (2004): Least Angle Regression, Annals of Statistics 32, 407-499.
"""

import io

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes

from gatewright.core.spec import Task

__all__ = ["PERIODS", "sample_data"]

PERIODS = ("2022", "2023", "2024")
_NAMES = {
    "age": "age",
    "bmi": "bmi",
    "bp": "blood_pressure",
    "s1": "cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol_ratio",
    "s5": "log_triglycerides",
    "s6": "glucose",
}
# Its median, and its terciles.
_FAST = 140.5
_STAGES = (94.0, 187.0)


def sample_data(task: Task) -> dict[str, bytes]:
    """Period -> Parquet; each patient stands in one period only, chosen once and for all. The same bytes each time."""
    frame = _patients(task)
    order = np.random.default_rng(0).permutation(len(frame))
    return {
        period: _parquet(frame.iloc[np.sort(rows)].assign(year=int(period)))
        for period, rows in zip(PERIODS, np.array_split(order, len(PERIODS)), strict=True)
    }


def _patients(task: Task) -> pd.DataFrame:
    found = load_diabetes(as_frame=True, scaled=False)
    frame: pd.DataFrame = found.data.rename(columns=_NAMES)[list(_NAMES.values())]
    frame = frame.assign(age=frame["age"].astype("int64"), cholesterol=frame["cholesterol"].astype("int64"))
    # The source does not say which code is which sex.
    codes = found.data["sex"].astype(int)
    frame.insert(0, "patient", np.arange(1, len(frame) + 1))
    frame.insert(2, "sex", np.where(codes == 1, "code 1", "code 2"))
    frame[_column(task)] = _target(task, found.target)
    return frame


def _column(task: Task) -> str:
    return {"regression": "progression", "binary_classification": "fast"}.get(task, "stage")


def _target(task: Task, progression: pd.Series) -> np.ndarray:
    if task == "regression":
        return progression.to_numpy(dtype=float)
    if task == "binary_classification":
        return np.where(progression > _FAST, "yes", "no")
    return np.array(["slow", "middle", "fast"])[np.digitize(progression, _STAGES)]


def _parquet(frame: pd.DataFrame) -> bytes:
    body = io.BytesIO()
    frame.to_parquet(body, index=False)
    return body.getvalue()
