"""A notice as an e-mail or a chat message: verdict first, why, who until when, what to do next.

As HTML, which apprise turns into what its receivers read, and as plain text, for chats that know no other escape than
leaving signs out. What came from data or people is escaped in both, and makes no link and no mention.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from gatewright.core.notices import Notice
from gatewright.services.reports.escape import plain, spoken, words
from gatewright.services.reports.wording import OUTCOME_WORDS

__all__ = ["Message", "message_of", "subject_of", "test_message"]

# Of more notices at once only the subjects are told.
MAX_IN_FULL, MAX_NAMED = 5, 3
MAX_REASON = 240
# A chat may read these as links, mentions or markup, and knows no way to write them otherwise.
_SIGNS = str.maketrans({"<": "‹", ">": "›", "`": "'"})


@dataclass(frozen=True)
class Message:
    """One message in both forms; ``urgent`` decides its colour where a receiver has colours."""

    subject: str
    html: str
    text: str
    urgent: bool = False


def test_message(at: datetime) -> Message:
    """What is sent to find out whether somebody can be reached."""
    text = f"Gatewright can reach you here. Nothing happened, nothing is to be done. {at:%Y-%m-%d %H:%M} UTC"
    return Message("TEST: a message from Gatewright", f"<p>{text}</p>", text)


def subject_of(notice: Notice) -> str:
    """Verdict, model, period, what happened: names of the policy and the spec only, in words."""
    return f"{_verdict(notice)}: {_subject(notice)} {notice.headline}"


def message_of(notices: Sequence[Notice]) -> Message:
    """One message of one notice, or of all that came together."""
    subject = subject_of(notices[0]) if len(notices) == 1 else _subjects(notices)
    full, rest = notices[:MAX_IN_FULL], notices[MAX_IN_FULL:]
    alone = len(notices) == 1
    html = [part for notice in full for part in _html(notice, alone=alone)]
    text = [line for notice in full for line in (*_text(notice, alone=alone), "")]
    for notice in rest:
        html.append(f"<p>{escape(subject_of(notice))}</p>")
        text.append(subject_of(notice))
    urgent = any(notice.urgent for notice in notices)
    return Message(subject, "\n".join(html), "\n".join(text).strip(), urgent)


def _verdict(notice: Notice) -> str:
    return OUTCOME_WORDS.get(notice.verdict, notice.verdict.replace("_", " ").upper())


def _subject(notice: Notice) -> str:
    return f"{plain(notice.model)} {words(notice.period)}"


def _subjects(notices: Sequence[Notice]) -> str:
    named = [f"{_verdict(notice)} {_subject(notice)}" for notice in notices[:MAX_NAMED]]
    rest = len(notices) - MAX_NAMED
    return f"{len(notices)} notices: " + ", ".join([*named, f"and {rest} more"] if rest > 0 else named)


def _reasons(notice: Notice) -> list[str]:
    shown = [_short(reason) for reason in notice.reasons]
    return [*shown, f"and {notice.more} more"] if notice.more else shown


def _short(reason: str) -> str:
    line = plain(reason)
    return line if len(line) <= MAX_REASON else f"{line[: MAX_REASON - 1]}…"


def _html(notice: Notice, *, alone: bool) -> list[str]:
    head = [] if alone else [f"<p><strong>{escape(subject_of(notice))}</strong></p>"]
    reasons = "".join(f"<li>{escape(spoken(reason))}</li>" for reason in _reasons(notice))
    return [
        *head,
        f"<ul>{reasons}</ul>" if reasons else "",
        f"<p>{escape(spoken(notice.who))}</p>" if notice.who else "",
        f"<p>Next: {escape(notice.next_step)}</p>" if notice.next_step else "",
        f'<p>Run: <a href="{escape(notice.link)}">{escape(notice.link)}</a></p>' if notice.link else "",
        f"<p>Release {escape(notice.release_id)}, {notice.at:%Y-%m-%d %H:%M} UTC</p>",
    ]


def _text(notice: Notice, *, alone: bool) -> list[str]:
    lines = [
        "" if alone else subject_of(notice),
        *(f"• {_quiet(reason)}" for reason in _reasons(notice)),
        _quiet(notice.who),
        f"Next: {notice.next_step}" if notice.next_step else "",
        f"Run: {notice.link}" if notice.link else "",
        f"Release {notice.release_id}, {notice.at:%Y-%m-%d %H:%M} UTC",
    ]
    return [line for line in lines if line]


def _quiet(text: str) -> str:
    # Brackets stay: intervals have them. Only what would make a link of them is broken.
    return spoken(text).translate(_SIGNS).replace("](", "]\u200b(")
