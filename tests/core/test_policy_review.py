"""What a reviewer is told of one changed file, and the comment that a pull request gets."""

import pytest
import yaml

from gatewright.core.measured_release import MeasuredRelease
from gatewright.core.policy import Policy
from gatewright.core.policy_review import FileReview, review_file
from gatewright.core.records import Record
from gatewright.services.reports.policy_review import MARKER, MOST_BYTES, comment, review_verdict
from tests.core.examples import policy, roster, rule
from tests.core.releases_measured import released

PATH = "policies/example.yaml"


def text(document: Record) -> str:
    return yaml.safe_dump(document.model_dump(mode="json", exclude_unset=True))


def reviewed(old: Policy | None, new: Policy | None, *past: MeasuredRelease) -> FileReview:
    texts = [None if one is None else text(one) for one in (old, new)]
    return review_file(PATH, *texts, {"example": past} if past else {})


def test_a_looser_limit_is_said_with_the_releases_that_would_go_through() -> None:
    """Both sides are judged on the same measurements, whatever was decided then."""
    one = reviewed(policy(rule(minimum=0.85)), policy(rule(minimum=0.7), version=2), released())
    assert [c.where for c in one.loosened] == ["rule auc-floor"]
    assert (one.flips, one.undecided, one.notes) == (1, 0, ())
    assert review_verdict([one]) == (
        "HOLD",
        "1 change may let more through; 1 past release would be decided otherwise.",
    )


def test_a_file_that_is_gone_lets_everything_through() -> None:
    """Deleting a policy is the largest change there is."""
    one = reviewed(policy(), None)
    assert one.loosens
    assert review_verdict([one])[0] == "HOLD"
    assert "The file is gone" in comment([one])


def test_a_new_file_is_tried_and_nothing_is_compared() -> None:
    """There is no former version; past releases are judged beside what was decided then."""
    one = reviewed(None, policy(rule(minimum=0.9)), released(serves=True))
    assert (one.changes, one.flips) == ((), 1)
    assert review_verdict([one])[0] == "BLOCK"
    assert "nothing to be compared with" in comment([one])


def test_a_former_version_that_was_not_valid_is_no_reason_to_pass_over_the_new_one() -> None:
    """It says that nothing could be compared; the new one is checked and tried."""
    one = review_file(PATH, "model: [", text(policy()), {"example": [released()]})
    assert one.problem is None
    assert one.backtest is not None
    assert "not valid" in one.notes[0]


@pytest.mark.parametrize("version", [1, 3])
def test_a_version_that_nobody_can_sign_is_named(version: int) -> None:
    """The next one must be 2."""
    [note, _] = reviewed(policy(), policy(rule(minimum=0.8), version=version)).notes
    assert "it must be 2" in note


def test_a_roster_is_compared_as_a_roster() -> None:
    """Somebody who may sign more counts as loosened."""
    old = roster().model_copy(update={"people": roster().people[:2]})
    one = review_file("policies/roster.yaml", text(old), text(roster().model_copy(update={"version": 2})), {})
    assert (one.loosens, one.backtest) == (True, None)


def test_without_measurements_it_says_that_nothing_was_tried() -> None:
    """A reader must not take silence for a pass."""
    assert "none was judged again" in comment([reviewed(policy(), policy(rule(minimum=0.8), version=2))])


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("policies/notifications.yaml", "routes: []\n", "quiet_seconds: 5\nroutes: []\n"),
        (PATH, text(policy()), f"# Only a remark.\n{text(policy())}"),
    ],
)
def test_nobody_is_asked_to_sign_what_nobody_signs(path: str, old: str, new: str) -> None:
    """Routes of messages have no owners, and a remark makes no new version."""
    said = comment([review_file(path, old, new, {})])
    assert ("Policy review: PASS" in said, "Next:" in said) == (True, False)


NASTY = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) | @everyone #1 `code` \n\n## PASS\n<!-- x -->"


def test_nothing_that_somebody_wrote_is_shown_as_markup() -> None:
    """A path, a rule's reason, an error of a file and a slice: none makes a tag, a link, a heading or a mention."""
    shouting = policy(rule(slices=NASTY, reason=NASTY), version=2, owner=NASTY)
    past = released(absent=())
    broken = review_file(f"policies/{NASTY}.yaml", None, f"model: example\n{NASTY!r}: 1\n", {})
    shown = comment([reviewed(policy(), shouting, past), broken])
    body = shown.removeprefix(MARKER)
    for markup in ("<img", "<!--", "](javascript", "@everyone", "\n## PASS", "`code`", " #1"):
        assert markup not in body
    assert "&lt;img" in body


@pytest.mark.parametrize(("files", "rules"), [(1, 90), (400, 1), (400, 90)])
def test_a_comment_always_fits(files: int, rules: int) -> None:
    """GitHub refuses more than 65,536 characters; what is left out is counted."""
    many = tuple(rule(id=f"rule-{n}", reason="|" * 300) for n in range(rules))
    one = reviewed(policy(rule(id="first")), policy(*many, version=2))
    shown = comment([one] * files)
    assert len(shown.encode()) < MOST_BYTES
    assert shown.startswith(f"{MARKER}\n\n## Policy review: HOLD")
    assert ("more files." in shown) == (files > 1)


def test_many_releases_are_folded_and_counted() -> None:
    """A hundred flips are no page: they open on a click, and the rest is a number."""
    past = [released(f"example-{n}") for n in range(150)]
    shown = comment([reviewed(policy(), policy(rule(minimum=0.9), version=2), *past)])
    assert "<details><summary>150 releases would be decided otherwise</summary>" in shown
    assert "| and 50 more |" in shown
