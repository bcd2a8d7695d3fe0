"""`make demo`: start everything, replay the years 1998 to 2000, and stop at the approval of 2001.

Ctrl-C ends every server. A second start continues where the first one stopped.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from deployments.local.stack import LocalStack
from gatewright.core.errors import GatewrightError
from gatewright.core.releases import ReleaseState

__all__ = ["main"]

MODEL = "crash_triage"
APPROVER = "demo.approver"
EXIT = {ReleaseState.DEPLOYED: 0, ReleaseState.WAITING: 3}


class Progress:
    """Lines with the time since the start, the way a build prints them."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._started = time.monotonic()

    def __call__(self, text: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._started:5.0f} s[/dim]  ", end="")
        self._console.print(text, markup=False, soft_wrap=True)

    def panel(self, lines: list[str]) -> None:
        self._console.print()
        for line in lines:
            self._console.print(f"  {line}", markup=False, soft_wrap=True)
        self._console.print()


def main() -> int:
    """Exit codes: 0 deployed or ended with Ctrl-C, 2 ended otherwise, 3 waiting (with --once), 1 error."""
    arguments = _arguments()
    # A shell without job control starts what stands before `&` with SIGINT ignored; so both are set.
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, _as_interrupt)
    say = Progress()
    try:
        with LocalStack(arguments.state, Path.cwd(), say, model=arguments.model, before_work=_before_work) as stack:
            return _demo(stack, say, arguments)
    except KeyboardInterrupt:
        say("stopped; `make demo` continues from here")
        return 0
    except GatewrightError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _demo(stack: LocalStack, say: Progress, arguments: argparse.Namespace) -> int:
    from deployments.local.replay import Replay
    from gatewright.wiring import connect

    services = connect()
    # Of the periods that can be evaluated on, the newest is left for trying out.
    periods = services.spec(stack.model).data.periods
    *earlier, last = periods[1:-1] or periods[-1:]
    replay = Replay(services, stack.model, stack.people, say, stack.check)
    for period in earlier if arguments.replay is None else arguments.replay:
        replay.deployed(period)
    release_id, run_id = replay.waiting(arguments.stop_at or last)
    if run_id is None:
        say("everything is deployed")
        return 0 if arguments.once else _until_interrupted(stack, say)
    say.panel(_what_to_do(stack, release_id, str(run_id)))
    if arguments.once:
        return EXIT[ReleaseState.WAITING]
    state = replay.wait_for_end(release_id)
    say(f"release {release_id} ended: {state.value}")
    return _until_interrupted(stack, say)


def _before_work(stack: LocalStack) -> None:
    # Prefect reads its settings when it is imported, and they are known only now.
    os.environ.update(stack.environment)
    from deployments.local.genesis import put_in_force
    from deployments.local.runs import end_dead_runs
    from gatewright.wiring import connect

    put_in_force(connect(), stack.people, stack.model)
    end_dead_runs()


def _what_to_do(stack: LocalStack, release_id: str, run_id: str) -> list[str]:
    return [
        f"Release {release_id} waits for your approval:",
        "",
        f"    {stack.prefect_url}/v2/runs/flow-run/{run_id}",
        "",
        "Open it and log in with one of these lines (made for this directory, for trying it out only):",
        "",
        *(f"    {name}:{secret}" for name, secret in stack.people.secrets.items() if name != APPROVER),
        "",
        "Read the evidence, choose Resume in the menu (three dots), and answer; write `none` as the token. Where the",
        "page asks for a signature, sign in another shell instead, as dana.reyes for one:",
        "",
        f"    .venv/bin/gatewright approve {release_id} --key {_shortest(stack.people.keys['dana.reyes'])}",
        "",
        f"The scoring service is at {stack.scoring_url}. Ctrl-C ends everything.",
    ]


def _shortest(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _until_interrupted(stack: LocalStack, say: Progress) -> int:
    say.panel([f"Prefect UI {stack.prefect_url}/v2, scoring service {stack.scoring_url}. Ctrl-C ends everything."])
    while True:
        stack.check()
        time.sleep(1)


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".gatewright"), help="where everything is kept")
    parser.add_argument("--model", default=MODEL, help="a folder below examples/")
    parser.add_argument("--replay", nargs="*", help="approve these by a script; all before the one to stop at")
    parser.add_argument("--stop-at", help="leave the approval of this one to you; the last but one of the spec")
    parser.add_argument("--once", action="store_true", help="end (with exit code 3) when the approval is waited for")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
