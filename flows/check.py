"""Check a scored dataset of any size on the workers: the same verdict as `gatewright check`, in shards."""

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field

from gatewright.services.file_columns import FileColumns
from tasks.check import check_scores

__all__ = ["check"]

ENDS = {"pass": "Passed", "review": "Held", "block": "Blocked"}


@flow(name="check", retries=0)
def check(
    files: Annotated[list[str], Field(min_length=1)],
    label: str,
    prediction: str | None = None,
    score: str | None = None,
    champion_score: str | None = None,
    champion_prediction: str | None = None,
    sensitive: tuple[str, ...] = (),
    cluster: str | None = None,
    positive: str | None = None,
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5,
    policy: str | None = None,
) -> State[None]:
    """Parquet ``files`` under the root are one dataset in their order; columns as on the command line."""
    columns = FileColumns(
        label=label,
        prediction=prediction,
        score=score,
        champion_score=champion_score,
        champion_prediction=champion_prediction,
        sensitive=sensitive,
        cluster=cluster,
        positive=positive,
        threshold=threshold,
    )
    verdict = check_scores(files, columns, policy)
    return Completed(name=ENDS[verdict.verdict], message=verdict.reasons[0])
