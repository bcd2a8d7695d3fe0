"""The names that engines give to one kind of column, so that one suite can be run on all of them.

A suite states types as pandas names them (``str``, ``int64``); SQL and Spark call them otherwise, and Great
Expectations compares names. A name that is not listed here is handed on as it was written.
"""

from collections.abc import Iterable
from typing import Literal

__all__ = ["Elsewhere", "types_elsewhere"]

Elsewhere = Literal["sql", "spark"]

# Databases differ in the widths they offer, so a whole number is one of any width there.
SQL_WHOLE = ("BIGINT", "INTEGER", "INT", "SMALLINT")
SQL_REAL = ("DOUBLE", "DOUBLE PRECISION", "DOUBLE_PRECISION", "FLOAT", "REAL")
SQL_TEXT = ("TEXT", "VARCHAR", "NVARCHAR", "CHAR", "STRING", "CHARACTER VARYING")
SQL_MOMENT = ("DATETIME", "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE")

SQL = {
    **dict.fromkeys(("str", "string", "StringDtype"), SQL_TEXT),
    **dict.fromkeys(("int", "int8", "int16", "int32", "int64", "Int64Dtype"), SQL_WHOLE),
    **dict.fromkeys(("float", "float32", "float64", "Float64Dtype"), SQL_REAL),
    **dict.fromkeys(("bool", "BooleanDtype"), ("BOOLEAN",)),
    **dict.fromkeys(("datetime64", "Timestamp"), SQL_MOMENT),
}
SPARK = {
    **dict.fromkeys(("str", "string", "StringDtype"), ("StringType",)),
    "int": ("ByteType", "ShortType", "IntegerType", "LongType"),
    "int8": ("ByteType",),
    "int16": ("ShortType",),
    "int32": ("IntegerType",),
    **dict.fromkeys(("int64", "Int64Dtype"), ("LongType",)),
    "float": ("FloatType", "DoubleType"),
    "float32": ("FloatType",),
    **dict.fromkeys(("float64", "Float64Dtype"), ("DoubleType",)),
    **dict.fromkeys(("bool", "BooleanDtype"), ("BooleanType",)),
    **dict.fromkeys(("datetime64", "Timestamp"), ("TimestampType", "TimestampNTZType")),
}


def types_elsewhere(names: Iterable[str], engine: Elsewhere) -> list[str]:
    """What ``engine`` calls the types that a suite calls ``names``; each once."""
    known = SQL if engine == "sql" else SPARK
    return list(dict.fromkeys(name for stated in names for name in known.get(stated, (stated,))))
