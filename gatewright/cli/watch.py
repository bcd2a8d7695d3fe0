"""``gatewright watch``: the stages of a release as they finish, with the rules they decided, until the verdict."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from gatewright.cli.find import ReleaseName, find_release
from gatewright.cli.output import Json, Page, print_line, styled
from gatewright.cli.show import WAITING, code_of
from gatewright.cli.terminal_charts import comparison, drift_bars
from gatewright.cli.verdict_page import print_verdict
from gatewright.core.errors import ServerError, StoreError
from gatewright.core.next_steps import excused_rules, release_step
from gatewright.core.releases import STAGES
from gatewright.core.results import CheckResult, Severity, Status
from gatewright.core.shell_commands import take_over_command
from gatewright.services.reports.escape import plain
from gatewright.services.reports.wording import SEVERITY_WORDS, STATUS_WORDS, label, limit, number

if TYPE_CHECKING:
    from datetime import datetime

    from gatewright.services.prefect_api import PrefectApi
    from gatewright.services.release_progress import Finished, ReleaseProgress
    from gatewright.services.run_silence import Noticed

__all__ = ["watch"]

_POLL_SECONDS = 1.0
_NAME, _STATE, _INDENT = 12, 8, 4
# A store that does not answer for so many looks in a row is down.
_PATIENCE = 5
Stay = Annotated[bool, Parameter(name="--stay", negative="", help="Also while people are asked, until it has ended.")]


def watch(release: ReleaseName, /, *, stay: Stay = False, as_json: Json = False) -> int:
    """Watch a release while it runs: each stage as it finishes, the rules it decided, small plots, then the verdict.

    It reads the store; only when nothing comes it asks Prefect, where PREFECT_API_URL names it, whether the run has
    died. Ctrl-C leaves the run as it is. Exit code 0 deployed, 2 stopped, 3 people are asked or you left, 1 error or
    its run has died. With --json one object a line.

    Example: gatewright watch crash_triage-2001-1
    """
    from gatewright.services.release_progress import ReleaseProgress
    from gatewright.services.run_silence import Silence
    from gatewright.wiring import connect

    services = connect(read_only=True)
    progress = ReleaseProgress.of(services.releases, services.evidence, find_release(services, release))
    teller: _Lines = _JsonLines() if as_json else _Lines()
    if not as_json and teller.page.console.is_terminal:
        teller = _Screen()
    silence = Silence(_prefect())
    try:
        with teller:
            for came in _looks(progress, stay=stay):
                teller.tell(progress, came, services.now())
                if noticed := silence.notice(progress, services.now()):
                    _must_work(noticed, progress)
                    teller.silent(noticed)
    except KeyboardInterrupt:
        teller.left(progress)
        return WAITING
    _must_live(progress)
    teller.ended(progress)
    return WAITING if progress.asked else code_of(progress.view.state)


def _looks(progress: "ReleaseProgress", *, stay: bool) -> Iterator[list["Finished"]]:
    """What each look found, until the release has ended, or people are asked, or its run is dead."""
    failures = 0
    while True:
        try:
            came = progress.look()
        except StoreError:
            failures += 1
            if failures >= _PATIENCE:
                raise
        else:
            failures = 0
            yield came
            if progress.view.state.final or progress.dead or (progress.asked and not stay):
                return
        time.sleep(_POLL_SECONDS)


def _prefect() -> "PrefectApi | None":
    from gatewright.services.prefect_api import PrefectApi, PrefectSettings

    settings = PrefectSettings()
    return PrefectApi.connect(settings) if settings.api_url else None


def _must_live(progress: "ReleaseProgress") -> None:
    """The gates may take no longer: the store alone tells it."""
    if progress.dead and not progress.view.state.final:
        since = f"nothing has come since {progress.since:%Y-%m-%d %H:%M} UTC: its run has died"
        raise _died(progress, since, take_over_command(progress.view.opening))


def _must_work(noticed: "Noticed", progress: "ReleaseProgress") -> None:
    if noticed.died:
        raise _died(progress, noticed.words, noticed.step.command or "")


def _died(progress: "ReleaseProgress", problem: str, take_over: str) -> ServerError:
    release_id = progress.view.opening.release_id
    end = f"gatewright abandon {release_id} --actor YOU --reason WHY"
    remedy = f"start a run that goes on with it: {take_over}; or end it: {end}"
    return ServerError(f"{problem.removesuffix('.')}.", where=f"release {release_id}", remedy=remedy)


class _Lines:
    """Plain lines, one for each stage, for a pipe or a log."""

    def __init__(self) -> None:
        self.page = Page()
        self._opened = False

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None: ...

    def tell(self, progress: "ReleaseProgress", came: list["Finished"], now: "datetime") -> None:
        if not self._opened:
            self._opened = True
            opening = progress.view.opening
            self.page.line(f"{opening.release_id}: {opening.period}, opened by {opening.requested_by}")
        for one in came:
            self.page.drawn(*_stage_line(one, progress))
            for line in _missed_lines(one, progress):
                self.page.drawn(Text(" " * _INDENT), line)

    def silent(self, noticed: "Noticed") -> None:
        self.page.line(noticed.words)
        self.page.step(noticed.step, indent=2)

    def left(self, progress: "ReleaseProgress") -> None:
        self.page.line(f"You left; {progress.view.opening.release_id} goes on.")

    def ended(self, progress: "ReleaseProgress") -> None:
        print_verdict(self.page, progress.view)
        self.page.step(release_step(progress.view), indent=2)


class _JsonLines(_Lines):
    """One JSON object a line."""

    def tell(self, progress: "ReleaseProgress", came: list["Finished"], now: "datetime") -> None:
        for one in came:
            print_line(_event(one))

    def silent(self, noticed: "Noticed") -> None:
        step = noticed.step.model_dump(mode="json")
        print_line({"event": "silent", "since": noticed.since.isoformat(), "words": noticed.words, "next_step": step})

    def left(self, progress: "ReleaseProgress") -> None:
        print_line({"event": "left", "release": progress.view.opening.release_id, "exit_code": WAITING})

    def ended(self, progress: "ReleaseProgress") -> None:
        view = progress.view
        print_line(
            {
                "event": "waiting" if progress.asked else "ended",
                "release": view.opening.release_id,
                "state": view.state.value,
                "outcome": None if view.decision is None else view.decision.outcome,
                "reasons": [] if view.decision is None else list(view.decision.reasons),
                "next_step": release_step(view).model_dump(mode="json"),
                "exit_code": WAITING if progress.asked else code_of(view.state),
            }
        )


class _Screen(_Lines):
    """All stages on a terminal, drawn anew with each look."""

    def __init__(self) -> None:
        super().__init__()
        self._live = Live(console=self.page.console, auto_refresh=False, vertical_overflow="crop")
        self._noticed: Noticed | None = None

    def __enter__(self) -> "_Screen":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def tell(self, progress: "ReleaseProgress", came: list["Finished"], now: "datetime") -> None:
        self._live.update(self._drawn(progress, now), refresh=True)

    def silent(self, noticed: "Noticed") -> None:
        self._noticed = noticed

    def _drawn(self, progress: "ReleaseProgress", now: "datetime") -> RenderableType:
        opening = progress.view.opening
        lines: list[RenderableType] = [
            Text(plain(f"{opening.release_id}: {opening.period}, opened by {opening.requested_by}"), style="bold")
        ]
        for name in STAGES:
            lines += self._stage(progress, name, now)
        width, ascii_only = self.page.width - 2, self.page.plain_plots
        for drawn in (
            comparison(progress.view, width=width, ascii_only=ascii_only),
            drift_bars(progress.view, width=width, ascii_only=ascii_only),
        ):
            lines += [Text(""), *(Text("  ").append_text(line) for line in drawn)] if drawn else []
        noticed = self._noticed
        if noticed is not None and noticed.since == progress.silent_since:
            lines += [Text(""), Text(plain(noticed.words)), Text(f"  {plain(noticed.step.words)}")]
            lines += [Text(f"    {plain(noticed.step.command)}", overflow="fold")]
        return Group(*lines, Text(""))

    def _stage(self, progress: "ReleaseProgress", name: str, now: "datetime") -> list[RenderableType]:
        finished = progress.finished.get(name)  # type: ignore[call-overload]
        if finished is not None:
            missed = (Padding(line, (0, 0, 0, _INDENT)) for line in _missed_lines(finished, progress))
            return [Text.assemble(*_stage_line(finished, progress)), *missed]
        if name == progress.running:
            seconds = max(0.0, (now - progress.since).total_seconds())
            return [Text.assemble(*_columns(name, "running", seconds))]
        return [Text.assemble(*_columns(name, "waiting" if progress.running else "not run", None))]


def _columns(name: str, state: str, seconds: float | None) -> tuple[Text, ...]:
    took = "" if seconds is None else f"{seconds:.1f} s"
    shown = styled(state)
    return (Text(f"  {plain(name):<{_NAME}} "), shown, Text(f"{' ' * (_STATE - len(shown))}{took:>9}  "))


def _stage_line(one: "Finished", progress: "ReleaseProgress") -> tuple[Text, ...]:
    passed = sum(result.status is Status.PASSED for result in one.results)
    excused = sum(result.rule in excused_rules(progress.view) for result in one.results)
    said = f"{passed} of {len(one.results)} checks pass" if one.results else "measured"
    said += f", {excused} excused: no champion serves" if excused else ""
    return (*_columns(one.name, "done", one.seconds), Text(said))


def _missed_lines(one: "Finished", progress: "ReleaseProgress") -> Iterator[Text]:
    """The results of a stage that decide something and did not pass."""
    excused = excused_rules(progress.view)
    for result in one.results:
        if result.status is Status.PASSED or result.severity is Severity.SHADOW or result.rule in excused:
            continue
        yield Text.assemble(styled(STATUS_WORDS[result.status]), f"  {plain(_missed(result))}")


def _missed(result: CheckResult) -> str:
    place = "" if result.slice == "all" else f" on {result.slice}"
    found = "not measured" if result.value is None else f"{number(result.value)}, {limit(result)}"
    return f"{SEVERITY_WORDS[result.severity]}: {result.rule}{place}: {label(result.metric)} {found}"


def _event(one: "Finished") -> dict[str, Any]:
    return {
        "event": "stage",
        "stage": one.name,
        "finished_at": one.evidence.finished_at.isoformat(),
        "seconds": one.seconds,
        "passed": sum(result.status is Status.PASSED for result in one.results),
        "not_passed": [r.model_dump(mode="json") for r in one.results if r.status is not Status.PASSED],
    }
