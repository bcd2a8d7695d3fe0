"""What each column of the data is: its part in the model, its type, and how often it is empty."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from gatewright.core.release_view import ReleaseView

__all__ = ["Column", "columns"]


@dataclass(frozen=True)
class Column:
    """``roles`` are words, not escaped. ``type`` and ``missing`` are as profiled, None where nobody did."""

    name: str
    roles: tuple[str, ...]
    type: str | None
    missing: int | None


def columns(view: ReleaseView) -> list[Column]:
    """All columns that any stage reads, in the order of the spec."""
    profiled = _profiled(view)
    return [_column(view, name, profiled.get(name)) for name in view.spec.columns()]


def _column(view: ReleaseView, name: str, profile: JsonValue) -> Column:
    known = profile if isinstance(profile, dict) else {}
    dtype, missing = known.get("type"), known.get("missing")
    return Column(
        name=name,
        roles=_roles(view, name),
        type=dtype if isinstance(dtype, str) else None,
        missing=missing if isinstance(missing, int) else None,
    )


def _profiled(view: ReleaseView) -> Mapping[str, JsonValue]:
    lineage = view.stages.get("lineage")
    found = None if lineage is None else lineage.details.get("columns")
    return found if isinstance(found, dict) else {}


def _roles(view: ReleaseView, column: str) -> tuple[str, ...]:
    spec = view.spec
    kind = "categorical" if column in spec.categorical else "number"
    positive = "" if spec.target.positive is None else f", positive: {spec.target.positive}"
    roles = {
        f"feature ({kind})": column in view.opening.features,
        f"target{positive}": column == spec.target.column,
        "sensitive": column in {feature.column for feature in spec.sensitive},
        "key": column in spec.data.key,
        "cluster": column in spec.data.cluster,
        "time": column == spec.data.time_column,
        f"never a feature: {spec.not_features.get(column, '')}": column in spec.not_features,
    }
    return tuple(role for role, applies in roles.items() if applies) or ("not used by this candidate",)
