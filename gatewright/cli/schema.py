"""``gatewright schema``: JSON Schemas of the YAML that people write, for editors."""

from pathlib import Path

from gatewright.cli.output import Json, print_json, print_table
from gatewright.core.errors import SpecError
from gatewright.core.schemas import SCHEMAS, file_name, modeline, schema_text
from gatewright.services.text_files import write_file

__all__ = ["schema"]

_FOLDER = "schemas"


def schema(name: str | None = None, /, *, out: Path | None = None, as_json: Json = False) -> int:
    """Print the JSON Schema of a kind of file, write all of them with --out, or list what there is.

    Example: gatewright schema policy > policy.schema.json

    Parameters
    ----------
    name
        model, notifications, policy, roster or rules; without it they are listed.
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


def _known(name: str) -> str:
    if name in SCHEMAS:
        return name
    raise SpecError(f"there is no schema `{name[:80]}`.", where="schema", remedy=f"name one of {', '.join(SCHEMAS)}.")


def _write(folder: Path, name: str) -> Path:
    path = folder / file_name(name)
    write_file(path, schema_text(name), folders=True)
    return path


def _list() -> None:
    print_table(
        [{"name": name, "checks": kind.title.removeprefix("Gatewright ")} for name, kind in SCHEMAS.items()], empty=""
    )
    print("\nWrite them with `gatewright schema --out schemas`, and begin a file with its line for your editor:")
    print(f"  {modeline('policy', '../' + _FOLDER)}")
