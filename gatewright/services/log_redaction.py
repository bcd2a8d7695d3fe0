"""Cut credentials out of log records, also out of tracebacks, which quote the errors that ours came from."""

import logging
from collections.abc import Sequence

from gatewright.core.redaction import redacted

__all__ = ["LOGGERS", "redact_logs"]

# A filter sees only what is logged to its own logger: these write what ends a flow or a task, and what they say.
LOGGERS = ("gatewright", "prefect.flow_runs", "prefect.task_runs", "prefect.engine")


class _Redacting(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), None
        if record.exc_info:
            # Formatters take the text that is there instead of making their own.
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return True


_FILTER = _Redacting()


def redact_logs(names: Sequence[str] = LOGGERS) -> None:
    """Let no credential into what these loggers write, whatever handlers they have. May be called again."""
    for name in names:
        logging.getLogger(name).addFilter(_FILTER)
