"""What each alarm and each message means, and the first three things to look at, by what a rule measures."""

from typing import NamedTuple

from gatewright.core.notices import Event
from gatewright.core.policy import MonitoringRule, Response

__all__ = ["MESSAGES", "RESPONSES", "Alarm", "Message", "alarm_of"]


class Alarm(NamedTuple):
    """``meaning`` and ``first`` three things to look at, in words."""

    meaning: str
    first: tuple[str, str, str]


class Message(NamedTuple):
    """What happened, and what whoever is on call does."""

    meaning: str
    action: str


RESPONSES: dict[Response, str] = {
    "record": "nothing: it is written down",
    "alert": "look at it within a working day",
    "retrain": "have a candidate trained on newer data; the model serves on",
    "rollback": "decide now whether the earlier model must come back",
}

_MOVED = Alarm(
    "What the service is asked about is distributed otherwise than the data the model was trained on.",
    (
        "Whether the column's source changed: its unit, its codes, its defaults, the program that fills it.",
        "Whether other columns of the same source moved too: then it is the source; alone, it may be the world.",
        "Whether the metrics on late labels hold: a population that moved is harmless while they do.",
    ),
)
_GAPS = Alarm(
    "A column arrives emptier than in training, or with values that were not there.",
    (
        "Whether its source delivers at all, and since when: the first day that differs is the day of the change.",
        "Whether callers leave the field out, or send it under another name.",
        "Whether new codes are in it that training never saw: the model guesses there.",
    ),
)
_WORSE = Alarm(
    "On the rows whose outcome is known by now, the model is worse than the policy allows.",
    (
        "Whether the labels are right and complete: late or one-sided labels look like a bad model.",
        "Whether inputs drifted at the same time: read the drift chart of the monitoring page.",
        "Which group it hits: the metrics of each group are in the release's report; compare with production's.",
    ),
)
_TRAFFIC = Alarm(
    "There are too few, or too many, predictions or labels.",
    (
        "Whether the scoring service answers: its /health, and its log.",
        "Whether callers still call it: a rollout, a route, a credential.",
        "Whether labels still arrive at /labels, and belong to predictions of this model.",
    ),
)
_LABELS = Alarm(
    "Labels contradict each other, or belong to no prediction that was looked at.",
    (
        "Which system sends them, and whether it sends some of them twice.",
        "Whether it uses the prediction_id of the answer, and not one of its own.",
        "Whether the labels of before count: metrics on wrong labels mean nothing.",
    ),
)
_OTHER = Alarm(
    "A metric of production left the range that the policy allows.",
    (
        "The monitoring page of the model in the Prefect UI: value, interval, rows.",
        "The same metric in the release's report: what it was when people approved.",
        "Whether the inputs drifted at the same time.",
    ),
)
_FAMILIES: tuple[tuple[tuple[str, ...], Alarm], ...] = (
    (("conflicting_labels", "unmatched_labels"), _LABELS),
    (("labelled_rows", "labelled_share", "rows"), _TRAFFIC),
    (("null_rate", "new_categories", "vanished_categories", "out_of_range"), _GAPS),
    (("psi", "jensen_shannon", "chi_square", "ks", "wasserstein", "prevalence"), _MOVED),
    (("auc", "recall", "precision", "accuracy", "log_loss", "brier", "f1", "calibration", "error", "r2"), _WORSE),
)


def alarm_of(rule: MonitoringRule) -> Alarm:
    """What it means when ``rule`` is broken."""
    for words, alarm in _FAMILIES:
        if any(word in rule.metric for word in words):
            return alarm
    return _OTHER


_READ = "read its page, then approve or reject before its window ends"
MESSAGES: dict[Event, Message] = {
    "asked": Message("A release waits for people.", _READ),
    "reminded": Message("Half of its time is over.", _READ),
    "escalated": Message("It waits longer than its tier wants.", _READ),
    "closing": Message("It ends soon without an answer.", _READ),
    "expired": Message("Nobody answered in time.", "nothing is broken: the champion serves; start a new release"),
    "blocked": Message("The policy did not allow it.", "nothing is broken: the champion serves; `gatewright explain`"),
    "rejected": Message("Somebody said no.", "nothing is broken: the champion serves; read the reason"),
    "failed": Message("A run broke.", "read its error: it says who must act; the channel is as it was"),
    "deployed": Message("It serves.", "watch the next look of `monitor`"),
    "rolled_back": Message("An earlier model serves again.", "see what serves, above; say so to those who use it"),
    "alert": Message("Production left its range.", "see the alarm, above"),
    "retrain": Message("Production asks for a new candidate.", "see the alarm, above"),
    "rollback": Message("Production asks for the earlier model.", "see the alarm, above; then take it back"),
    "waiver_expiring": Message("Somebody's waiver ends within a week.", "have it signed again, or release another"),
    "waiver_expired": Message("The model serves under a waiver that is over.", "the owner of the policy decides"),
    "break_glass": Message("One person let it go live alone.", "have it approved before it expires"),
    "break_glass_expired": Message("An emergency was never approved.", "have it approved, or take it back"),
}
