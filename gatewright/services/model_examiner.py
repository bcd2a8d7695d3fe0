"""The process behind `model_probe`: reads the libraries once, then forks a child under limits for each model.

It reads questions from its standard input, a line of JSON and the model's bytes, and answers each with a line of
JSON. Its environment holds no credentials. The limits contain accidents and bombs; they are no sandbox for code,
which the formats keep out.
"""

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from gatewright.core.errors import GatewrightError
from gatewright.services.model_formats import load_model
from gatewright.services.model_formats.refusals import named
from gatewright.services.model_probe import WarmUp
from gatewright.services.registry import ModelRegistry
from gatewright.services.targets.rows import warm_up_row

__all__ = ["serve"]

# A release asks about one or two models; the memory of the libraries is not held for long after.
IDLE_SECONDS = 120
# What Python, numpy and the other libraries map before anything is loaded.
LIBRARY_BYTES = 2 << 30

Answer = dict[str, str | None]
ASK = {
    "binary_classification": ModelRegistry.score,
    "multiclass_classification": ModelRegistry.probabilities,
    "regression": ModelRegistry.predict,
}
FINE: Answer = {"problem": None}
REMEDY = "train a smaller model, or one that does less when it is loaded."


def serve() -> None:
    """Answer until standard input ends or nobody asks for ``IDLE_SECONDS``."""
    _read_libraries()
    source = sys.stdin.buffer
    while select.select([source], [], [], IDLE_SECONDS)[0]:
        line = source.readline()
        if not line:
            return
        question = json.loads(line)
        body = source.read(question["size"])
        answer = {"where": question["where"], "remedy": REMEDY, **_examined(question, body)}
        print(json.dumps(answer), flush=True)


def _read_libraries() -> None:
    import pandas  # noqa: F401
    import skops.io  # noqa: F401
    import threadpoolctl  # noqa: F401


def _examined(question: dict[str, Any], body: bytes) -> Answer:
    answer, report = os.pipe()
    child = os.fork()
    if child == 0:
        _report(report, question, lambda: _tried(question, body))
    os.close(report)
    found = _read(answer, until=time.monotonic() + question["seconds"])
    os.close(answer)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if found is None:
        return {"problem": f"loading the model took longer than {question['seconds']} s."}
    return json.loads(found) if found else {"problem": f"loading the model {_end(status, question)}."}


def _report(report: int, question: dict[str, Any], tried: Callable[[], Answer]) -> NoReturn:
    """In the child: answer through the pipe alone, and leave without a word."""
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(silence, standard)
        _limit(question)
        os.write(report, json.dumps(tried()).encode())
    finally:
        os._exit(0)


def _limit(question: dict[str, Any]) -> None:
    limits = {
        resource.RLIMIT_AS: LIBRARY_BYTES + 2 * question["size"] + question["memory_bytes"],
        resource.RLIMIT_CPU: question["seconds"],
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))
    # A pipe is no file, but Python must not end without a word when it tries to write one.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _tried(question: dict[str, Any], body: bytes) -> Answer:
    where = question["where"]
    try:
        model = load_model(body, question["trusted_types"], where=where)
        if question["warm_up"] is not None:
            _answer_a_row(model, WarmUp(**question["warm_up"]))
    except GatewrightError as error:
        return {"problem": error.problem, "where": error.where, "remedy": error.remedy}
    except MemoryError:
        return {"problem": f"the model needs more than {question['memory_bytes']} bytes of memory."}
    except Exception as error:  # noqa: BLE001 - whatever a model's bytes provoke, they are refused
        return {"problem": f"the model cannot be loaded or asked ({named(error)})."}
    return FINE


def _answer_a_row(model: Any, asked: WarmUp) -> None:
    row = warm_up_row(model, asked.features, asked.categorical)
    ASK[asked.task](model, row, asked.features)


def _read(answer: int, *, until: float) -> bytes | None:
    """All that the child writes until it ends; None when it takes longer."""
    found = b""
    while select.select([answer], [], [], max(0.0, until - time.monotonic()))[0]:
        part = os.read(answer, 65536)
        if not part:
            return found
        found += part
    return None


def _end(status: int, question: dict[str, Any]) -> str:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
        return f"used more than {question['seconds']} s of processor time, or was ended"
    return f"ended its process with status {status} (memory limit or damaged bytes)"


if __name__ == "__main__":
    serve()
