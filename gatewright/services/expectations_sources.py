"""Where Great Expectations finds rows that are not loaded: tables of a database, or pinned files read by Spark.

What identifies a person to a database comes from one environment variable and is shown nowhere.
"""

import os
import sys
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gatewright.core.errors import DataError, SpecError
from gatewright.core.refs import DatasetRef
from gatewright.core.spec import ModelSpec
from gatewright.services.blobs import BlobStore

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["Source", "spark_session", "spark_source", "sql_source"]

PLACE = "model spec, validation.connection"
PERIOD = "{period}"
T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A GX ``batch`` over exactly the columns of the spec.

    ``engine`` and ``rows_are`` are for people: which engine answers, and what it looked at. ``secrets`` must be
    cut out of every message. ``close`` frees what the engine holds.
    """

    batch: Any
    engine: str
    rows_are: str
    secrets: tuple[str, ...]
    close: Callable[[], None]

    def public(self, message: str) -> str:
        """``message`` without any part of the connection that identifies somebody."""
        return _without(message, self.secrets)


def sql_source(context: Any, spec: ModelSpec, dataset: DatasetRef) -> Source:
    """The rows of ``dataset`` as the tables of ``spec.validation`` hold them now.

    They are copied once, inside the database, to a temporary table of the session: all expectations see one
    state of the rows, and the copy ends with the connection. Raises SpecError for a connection that shows a
    password or an environment variable that is not set, DataError for a database or table that cannot be read.
    """
    url, secrets = _url(spec)
    problem = None
    try:
        return _sql_source(context, spec, dataset, url, secrets)
    except DataError:
        raise
    except _database_errors() as error:
        # The original quotes the address; it must not be chained.
        problem = f"{type(error).__name__}: {_without(str(error).splitlines()[0], secrets)}"
    raise DataError(
        f"the database cannot be read ({problem}).",
        where=f"{PLACE} ({url.get_backend_name()})",
        remedy="check the address, the driver, and the right to read the table and to create temporary tables.",
    )


def spark_source(context: Any, spec: ModelSpec, dataset: DatasetRef, blobs: BlobStore) -> Source:
    """The pinned files of ``dataset``, hashed and then read once by Spark.

    NaN is a missing value, as it is for pandas; Spark would take it for a number. Raises DataError for a
    column that is not there, IntegrityError for bytes that are not the pinned ones.
    """
    from pyspark.sql import functions as sql

    paths = [str(blobs.path(file.artifact)) for file in dataset.files]
    frame = spark_session().read.parquet(*paths)
    _require(spec.columns(), frame.columns, dataset.name)
    real = {name for name, kind in frame.dtypes if kind in ("float", "double")}
    columns = [frame[name] for name in spec.columns()]
    kept = [
        sql.when(~sql.isnan(column), column).alias(name) if name in real else column
        for name, column in zip(spec.columns(), columns, strict=True)
    ]
    rows = frame.select(*kept).persist()
    asset = context.data_sources.add_spark("spark").add_dataframe_asset("files")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})
    return Source(batch, "Spark", "the pinned files", (), lambda: _forget(rows))


def spark_session() -> Any:
    """The session that is there, or one in this process that listens to nobody else.

    ``spark-defaults.conf`` (with ``SPARK_CONF_DIR``) sends the work to a cluster.
    """
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    conf = SparkConf()
    conf.setIfMissing("spark.master", "local[*]")
    if conf.get("spark.master", "").startswith("local"):
        conf.setAll([("spark.driver.bindAddress", "127.0.0.1"), ("spark.driver.host", "127.0.0.1")])
        # Workers would take the first Python of the path, which need not have our packages.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    conf.setIfMissing("spark.ui.enabled", "false")
    conf.setIfMissing("spark.ui.showConsoleProgress", "false")
    return SparkSession.builder.appName("gatewright").config(conf=conf).getOrCreate()


def _url(spec: ModelSpec) -> tuple["sa.URL", tuple[str, ...]]:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    stated = str(spec.validation.connection)
    variable = stated.removeprefix("env:") if stated.startswith("env:") else None
    text = os.environ.get(variable, "") if variable else stated
    if variable is None and "$" in stated:
        # Great Expectations would put any variable of the environment there, and send it to that address.
        raise SpecError("a `$` stands in the URL.", where=PLACE, remedy="write `env:NAME`, and the whole URL in it.")
    if not text:
        raise SpecError(f"the environment variable `{variable}` is not set.", where=PLACE, remedy="set it.")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None:
        raise SpecError("not a SQLAlchemy URL.", where=PLACE, remedy="write for example `sqlite:////data/rows.db`.")
    if variable is None and (url.password or any("pass" in key.lower() for key in url.query)):
        raise SpecError(
            "a password stands in the spec.", where=PLACE, remedy="change it, and write `env:NAME` instead."
        )
    return url, (_secrets(url, text) if variable else ())


def _secrets(url: "sa.URL", text: str) -> tuple[str, ...]:
    options = [value for key, value in url.query.items() if "pass" in key.lower() and isinstance(value, str)]
    plain = [text, url.render_as_string(hide_password=False), url.password, url.username, *options]
    quoted = [urllib.parse.quote(str(one), safe="") for one in plain if one]
    # The longest first, so that no rest of a longer one stays.
    return tuple(sorted({str(one) for one in [*plain, *quoted] if one}, key=len, reverse=True))


def _without(message: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        message = message.replace(secret, "***")
    return message


def _database_errors() -> tuple[type[Exception], ...]:
    from great_expectations.datasource.fluent.interfaces import TestConnectionError
    from great_expectations.exceptions import GreatExpectationsError
    from sqlalchemy.exc import SQLAlchemyError

    return (GreatExpectationsError, TestConnectionError, SQLAlchemyError, ImportError, OSError)


def _sql_source(context: Any, spec: ModelSpec, dataset: DatasetRef, url: "sa.URL", secrets: tuple[str, ...]) -> Source:
    import sqlalchemy as sa

    stated = str(spec.validation.connection)
    # Great Expectations itself looks the variable up, and shows its name only.
    address = f"${{{stated.removeprefix('env:')}}}" if stated.startswith("env:") else stated
    # A temporary table is seen by its own connection alone; for these two Great Expectations keeps one itself.
    options = {} if url.get_backend_name() in ("sqlite", "mssql") else {"poolclass": sa.pool.StaticPool}
    datasource = context.data_sources.add_sql("sql", connection_string=address, create_temp_table=True, kwargs=options)
    engine = datasource.get_execution_engine()
    query = _query(engine.engine, spec, dataset)
    asset = datasource.add_query_asset("rows", query=query)
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    names = ", ".join(f"`{name}`" for name in _tables(spec, dataset))
    rows_are = f"the rows of {names} as they were then, not the pinned files"
    return Source(batch, f"SQL ({url.get_backend_name()})", rows_are, secrets, engine.close)


def _tables(spec: ModelSpec, dataset: DatasetRef) -> list[str]:
    return list(dict.fromkeys(str(spec.validation.table).replace(PERIOD, period) for period in dataset.periods))


def _query(engine: "sa.Engine", spec: ModelSpec, dataset: DatasetRef) -> str:
    """All periods of the dataset; of one table for all periods, the rows whose time column names one of them."""
    import sqlalchemy as sa

    one_table = PERIOD not in str(spec.validation.table)
    parts = []
    for name in _tables(spec, dataset):
        part = _select(engine, name, spec)
        if one_table:
            time = sa.cast(sa.column(spec.data.time_column), sa.String)
            part = part.where(time.in_(dataset.periods))
        parts.append(part)
    whole = sa.union_all(*parts) if len(parts) > 1 else parts[0]
    return str(whole.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))


def _select(engine: "sa.Engine", name: str, spec: ModelSpec) -> "sa.Select[Any]":
    import sqlalchemy as sa

    schema, _, table = name.rpartition(".")
    try:
        present = {one["name"]: one["type"] for one in sa.inspect(engine).get_columns(table, schema or None)}
    except sa.exc.NoSuchTableError:
        present = {}
    if not present:
        raise DataError(f"there is no table `{name}`.", where=PLACE, remedy="correct `validation.table` of the spec.")
    _require(spec.columns(), list(present), f"table `{name}`")
    columns = [_plain(sa.column(one), present[one], engine) for one in spec.columns()]
    return sa.select(*columns).select_from(sa.table(table, schema=schema or None))


def _plain(column: Any, kind: Any, engine: "sa.Engine") -> Any:
    """PostgreSQL's NaN is larger than every number, for pandas it is a missing value; its texts have lengths."""
    import sqlalchemy as sa

    if engine.dialect.name != "postgresql":
        return column
    if isinstance(kind, sa.Float):
        return sa.func.nullif(column, sa.cast(sa.literal("NaN"), sa.Float)).label(column.name)
    return sa.cast(column, sa.Text).label(column.name) if isinstance(kind, sa.String) else column


def _require(wanted: Sequence[str], present: Sequence[str], where: str) -> None:
    for name in wanted:
        if name not in present:
            raise DataError(f"the column `{name}` is missing.", where=where, remedy=f"there are: {', '.join(present)}.")


def _forget(rows: Any) -> None:
    rows.unpersist()
