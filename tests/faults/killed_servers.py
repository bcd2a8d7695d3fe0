"""A release on a stack of its own, whose server and workers are killed: ``python -m tests.faults.killed_servers DIR``.

Prefect reads its settings when it is imported, so this is a process of its own; it prints what it found as JSON.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from deployments.local.processes import Process
from deployments.local.stack import LocalStack
from gatewright.core.errors import GatewrightError

ROOT = Path(__file__).parents[2]
MODEL, PERIOD = "crash_triage", "1998"
SECONDS = 120


def main(state: Path) -> None:
    with LocalStack(state, ROOT, _say, model=MODEL, before_work=_before_work) as stack:
        print(json.dumps(_story(stack)))


def _story(stack: LocalStack) -> dict[str, Any]:
    from deployments.local import runs
    from deployments.local.replay import Replay
    from gatewright.wiring import connect

    services = connect()
    server, scoring, worker = stack._processes
    replay = Replay(services, MODEL, stack.people, _say, lambda: None)
    release_id, run_id = replay.waiting(PERIOD)
    assert run_id is not None
    _say("server and worker are killed while it waits")
    _kill(server)
    _kill(worker)
    _start_server(stack, server)
    worker.start()
    # The target stands still, so that the promotion is caught while it waits for it.
    os.kill(_pid(scoring), signal.SIGSTOP)
    reason = "The evidence shows no reason against it."
    token = replay._signed(release_id, reason)
    typed = {"decision": "approve", "approver": "demo.approver", "reason": reason, "token": token}
    runs.answer(run_id, typed)
    _until(lambda: services.channels.head(MODEL, "production") is not None)
    _say("the worker is killed while it promotes")
    _kill(worker)
    stuck = [move.action for _, move in services.channels.history(MODEL, "production")]
    os.kill(_pid(scoring), signal.SIGCONT)
    runs.end_dead_runs()
    worker.start()
    runs.start(
        "retrain/retrain",
        {"model": MODEL, "period": PERIOD, "requested_by": "kim.larsen", "release_id": release_id},
    )
    ended = replay.wait_for_end(release_id, seconds=SECONDS)
    return {
        "while it promoted": stuck,
        "ended": ended.value,
        "moves": [move.action for _, move in services.channels.history(MODEL, "production")],
        "events": [entry.kind for entry in services.ledger.entries(MODEL)],
        "answers": len(services.releases.answers(release_id)),
    }


def _before_work(stack: LocalStack) -> None:
    os.environ.update(stack.environment)
    from deployments.local.genesis import put_in_force
    from gatewright.wiring import connect

    put_in_force(connect(), stack.people, stack.model)


def _kill(process: Process) -> None:
    """The process, and all that it started, at once."""
    leader = psutil.Process(_pid(process))
    for one in (*leader.children(recursive=True), leader):
        one.kill()
    assert process._child is not None
    process._child.wait()


def _pid(process: Process) -> int:
    assert process._child is not None
    return process._child.pid


def _start_server(stack: LocalStack, server: Process) -> None:
    import httpx

    def answers() -> bool:
        try:
            return httpx.get(f"{stack.prefect_url}/api/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    server.start()
    server.wait_until(answers, seconds=SECONDS)


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


def _say(text: str) -> None:
    print(f"{time.monotonic():.0f} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except GatewrightError as error:
        sys.exit(str(error))
