"""``gatewright schema``: JSON Schemas of the YAML that people write, for editors."""

import json
from pathlib import Path

from gatewright.cli.output import Json, print_json, print_table
from gatewright.core.errors import SpecError
from gatewright.core.schemas import SCHEMAS, file_name, json_schema, modeline

__all__ = ["schema", "schema_text"]

_FOLDER = "schemas"


def schema(name: str | None = None, /, *, out: Path | None = None, as_json: Json = False) -> int:
    """Print the JSON Schema of a kind of file, write all of them with --out, or list what there is.

    Example: gatewright schema policy > policy.schema.json

    Parameters
    ----------
    name
        model, policy, roster or rules; without it they are listed.
    out
        Write the schema, or without a name all of them, to this directory.
    """
    names = list(SCHEMAS) if name is None else [_known(name)]
    if out is not None:
        written = [_write(out, one) for one in names]
        if as_json:
            print_json({"written": [str(path) for path in written]})
        else:
            print("\n".join(map(str, written)))
    elif name is not None:
        print(schema_text(name), end="")
    elif as_json:
        print_json({one: {"file": SCHEMAS[one].title, "modeline": modeline(one, _FOLDER)} for one in names})
    else:
        _list()
    return 0


def schema_text(name: str) -> str:
    """The schema as it is printed and stored: the same bytes each time."""
    return json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"


def _known(name: str) -> str:
    if name in SCHEMAS:
        return name
    raise SpecError(f"there is no schema `{name[:80]}`.", where="schema", remedy=f"name one of {', '.join(SCHEMAS)}.")


def _write(folder: Path, name: str) -> Path:
    path = folder / file_name(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(schema_text(name), encoding="utf-8")
    except OSError as error:
        raise SpecError(
            f"cannot be written: {error.strerror}.", where=str(path), remedy="name a place you may write."
        ) from None
    return path


def _list() -> None:
    print_table(
        [{"name": name, "checks": kind.title.removeprefix("Gatewright ")} for name, kind in SCHEMAS.items()], empty=""
    )
    print("\nWrite them with `gatewright schema --out schemas`, and begin a file with its line for your editor:")
    print(f"  {modeline('policy', '../' + _FOLDER)}")
