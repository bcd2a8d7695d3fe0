"""``gatewright check``: files alone, against scikit-learn and fairlearn, without a store and without Prefect."""

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fairlearn import metrics as fairlearn
from sklearn import metrics as sklearn

from gatewright.cli import main
from gatewright.cli.output import print_json

ROWS = 3_000


def table(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    cause, hidden = rng.normal(size=rows), rng.normal(size=rows)
    label = rng.random(rows) < 1 / (1 + np.exp(1 - 1.5 * cause - hidden))
    score = 1 / (1 + np.exp(1 - 1.4 * cause - 0.9 * hidden))
    champion = 1 / (1 + np.exp(1 - 1.4 * cause))
    return pd.DataFrame(
        {
            "label": label.astype(int),
            "score": score,
            "decision": (score >= 0.5).astype(int),
            "old_score": champion,
            "old_decision": (champion >= 0.5).astype(int),
            "sex": rng.choice(["female", "male"], rows),
            "region": rng.choice([1, 2, 3], rows, p=[0.2, 0.3, 0.5]),
        }
    )


FULL = (
    "--label", "label", "--score", "score", "--prediction", "decision", "--champion-score", "old_score",
    "--champion-prediction", "old_decision", "--sensitive", "sex", "--sensitive", "region",
)  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scored.parquet"
    table().to_parquet(path)
    return path


def check(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = main(["check", *map(str, arguments), "--json"])
    out = capsys.readouterr()
    assert code != 1, out.err
    answer: dict[str, Any] = json.loads(out.out)
    return code, answer


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["check", *map(str, arguments)]) == 1
    return capsys.readouterr().err


def test_every_metric_is_scikit_learns(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """Points to 1e-12, each inside its interval."""
    _, answer = check(capsys, file, *FULL)
    frame, overall = table(), answer["metrics"]["overall"]
    y, s, p = frame.label, frame.score, frame.decision
    expected = {
        "auc": sklearn.roc_auc_score(y, s),
        "average_precision": sklearn.average_precision_score(y, s),
        "log_loss": sklearn.log_loss(y, s),
        "brier": sklearn.brier_score_loss(y, s),
        "accuracy": sklearn.accuracy_score(y, p),
        "balanced_accuracy": sklearn.balanced_accuracy_score(y, p),
        "precision": sklearn.precision_score(y, p),
        "recall": sklearn.recall_score(y, p),
        "f1": sklearn.f1_score(y, p),
        "matthews_correlation": sklearn.matthews_corrcoef(y, p),
    }
    for name, value in expected.items():
        assert overall[name]["value"] == pytest.approx(value, abs=1e-12), name
        low, high = overall[name]["interval"]
        assert low <= value <= high
        assert low < high


def test_changes_are_candidate_minus_champion_with_a_p_value(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """Paired on the same rows: the hidden cause makes the candidate clearly better."""
    _, answer = check(capsys, file, *FULL)
    frame, change = table(), answer["metrics"]["change"]
    gain = sklearn.roc_auc_score(frame.label, frame.score) - sklearn.roc_auc_score(frame.label, frame.old_score)
    assert change["auc"]["value"] == pytest.approx(gain, abs=1e-12)
    assert 0 < change["auc"]["interval"][0] < gain < change["auc"]["interval"][1]
    assert change["auc"]["p_value"] < 0.001
    better = (frame.decision == frame.label).mean() - (frame.old_decision == frame.label).mean()
    assert change["accuracy"]["value"] == pytest.approx(better, abs=1e-12)
    assert 0 <= change["accuracy"]["p_value"] <= 1


@pytest.mark.parametrize("column", ["sex", "region"])
def test_groups_and_gaps_are_fairlearns(capsys: pytest.CaptureFixture[str], file: Path, column: str) -> None:
    """Rates of each group, and the five gaps."""
    _, answer = check(capsys, file, *FULL)
    frame = table()
    y, p, groups = frame.label, frame.decision, frame[column]
    rates = {
        "selection_rate": fairlearn.selection_rate,
        "true_positive_rate": fairlearn.true_positive_rate,
        "false_positive_rate": fairlearn.false_positive_rate,
        "false_negative_rate": fairlearn.false_negative_rate,
        "precision": sklearn.precision_score,
        "accuracy": sklearn.accuracy_score,
    }
    for group, rows in frame.groupby(column):
        ours = answer["metrics"]["groups"][column][str(group)]
        assert ours["n"] == len(rows)
        for name, rate in rates.items():
            assert ours[name] == pytest.approx(rate(rows.label, rows.decision), abs=1e-12), name
    for name in (
        "demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference",
        "equalized_odds_ratio", "equal_opportunity_difference",
    ):  # fmt: skip
        ours = answer["metrics"]["fairness"][column][name]
        theirs = getattr(fairlearn, name)(y, p, sensitive_features=groups)
        assert ours["value"] == pytest.approx(theirs, abs=1e-12), name
        assert ours["interval"][0] <= theirs <= ours["interval"][1]


def test_tiny_groups_have_rates_and_gaps_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What is too small to judge is still shown; only the rule says that it cannot tell."""
    frame = table(400)
    frame.loc[:2, "sex"] = "rare"
    frame.to_parquet(tmp_path / "f.parquet")
    _, answer = check(capsys, tmp_path / "f.parquet", *FULL)
    assert answer["metrics"]["groups"]["sex"]["rare"]["n"] == 3
    gap = fairlearn.demographic_parity_difference(frame.label, frame.decision, sensitive_features=frame.sex)
    assert answer["metrics"]["fairness"]["sex"]["demographic_parity_difference"]["value"] == pytest.approx(gap)


def test_the_order_of_rows_does_not_matter(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every number, intervals included."""
    frame = table(800)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.sample(frac=1, random_state=1).to_parquet(tmp_path / "b.parquet")
    one, other = (check(capsys, tmp_path / name, *FULL)[1] for name in ("a.parquet", "b.parquet"))
    assert {**one, "file": ""} == {**other, "file": ""}


def test_several_sensitive_columns_may_follow_one_flag(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """As well as one after each."""
    columns = ("--label", "label", "--score", "score", "--sensitive", "sex", "region")
    _, answer = check(capsys, file, *columns)
    assert set(answer["metrics"]["groups"]) == {"sex", "region"}


def test_csv_and_parquet_say_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path, file: Path) -> None:
    """Numbers survive the way through text."""
    table().to_csv(tmp_path / "scored.csv", index=False)
    one, other = (check(capsys, path, *FULL)[1] for path in (file, tmp_path / "scored.csv"))
    assert {**one, "file": ""} == {**other, "file": ""}


def test_a_large_file_streams_to_the_same_points(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Above 100,000 rows AUC comes from bins: 1e-8; all else stays exact."""
    frame = table(150_000)
    frame.to_parquet(tmp_path / "large.parquet", row_group_size=40_000)
    _, answer = check(capsys, tmp_path / "large.parquet", *FULL)
    overall, gaps = answer["metrics"]["overall"], answer["metrics"]["fairness"]
    assert overall["auc"]["value"] == pytest.approx(sklearn.roc_auc_score(frame.label, frame.score), abs=1e-8)
    assert overall["log_loss"]["value"] == pytest.approx(sklearn.log_loss(frame.label, frame.score), abs=1e-12)
    assert overall["f1"]["value"] == pytest.approx(sklearn.f1_score(frame.label, frame.decision), abs=1e-12)
    gap = fairlearn.equalized_odds_difference(frame.label, frame.decision, sensitive_features=frame.region)
    assert gaps["region"]["equalized_odds_difference"]["value"] == pytest.approx(gap, abs=1e-12)


def test_predictions_alone_have_no_auc(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """What needs scores is not measured, and the rule about it is listed as not applicable."""
    code, answer = check(capsys, file, "--label", "label", "--prediction", "decision")
    assert code == 0
    assert answer["verdict"] == "pass"
    assert "auc" not in answer["metrics"]["overall"]
    assert answer["metrics"]["change"] == {}
    assert answer["not_applicable"]


def test_scores_alone_decide_at_the_threshold(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """The default is one half."""
    _, answer = check(capsys, file, "--label", "label", "--score", "score", "--threshold", "0.3")
    frame = table()
    expected = sklearn.recall_score(frame.label, frame.score >= 0.3)
    assert answer["metrics"]["overall"]["recall"]["value"] == pytest.approx(expected)


def test_text_labels_need_the_positive_value(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nobody guesses which of two words is the event."""
    frame = table().assign(label=lambda f: f.label.map({0: "alive", 1: "dead"}))
    path = tmp_path / "words.parquet"
    frame.to_parquet(path)
    assert "--positive" in refused(capsys, path, "--label", "label", "--score", "score")
    assert "no row holds `died`" in refused(capsys, path, "--label", "label", "--score", "score", "--positive", "died")
    _, answer = check(capsys, path, "--label", "label", "--score", "score", "--positive", "dead")
    assert answer["metrics"]["overall"]["auc"]["value"] == pytest.approx(
        sklearn.roc_auc_score(table().label, table().score), abs=1e-12
    )


def numbers(rows: int = 1_000) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    truth = rng.normal(10, 3, rows)
    return pd.DataFrame(
        {
            "price": truth,
            "guess": truth + rng.normal(0, 1, rows),
            "old": truth + rng.normal(0.5, 2, rows),
            "sex": rng.choice(["female", "male"], rows),
        }
    )


@pytest.mark.parametrize("rows", [1_000, 120_000])
def test_numbers_are_measured_as_scikit_learn_does(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, rows: int
) -> None:
    """RMSE, MAE, R2 and bias, of few rows and of streamed ones; means by group."""
    frame = numbers(rows)
    frame.to_parquet(tmp_path / "n.parquet")
    columns = ("--label", "price", "--prediction", "guess", "--champion-prediction", "old", "--sensitive", "sex")
    code, answer = check(capsys, tmp_path / "n.parquet", *columns, "--task", "regression")
    overall, change = answer["metrics"]["overall"], answer["metrics"]["change"]
    y, p = frame.price, frame.guess
    assert code == 0
    assert overall["rmse"]["value"] == pytest.approx(sklearn.root_mean_squared_error(y, p), abs=1e-12)
    assert overall["mae"]["value"] == pytest.approx(sklearn.mean_absolute_error(y, p), abs=1e-12)
    assert overall["r2"]["value"] == pytest.approx(sklearn.r2_score(y, p), abs=1e-12)
    assert change["rmse"]["interval"][1] < 0
    women = frame[frame.sex == "female"]
    group = answer["metrics"]["groups"]["sex"]["female"]
    assert group["n"] == len(women)
    assert group["mae"] == pytest.approx(sklearn.mean_absolute_error(women.price, women.guess))
    assert answer["metrics"]["fairness"]["sex"]["mae_difference"]["value"] >= 0


@pytest.mark.parametrize("rows", [1_000, 120_000])
def test_classes_are_measured_as_scikit_learn_does(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, rows: int
) -> None:
    """Accuracy, macro F1, and each class; of few rows and of streamed ones."""
    rng = np.random.default_rng(2)
    truth = rng.choice(["cat", "dog", "owl"], rows, p=[0.5, 0.3, 0.2])
    guess = np.where(rng.random(rows) < 0.7, truth, rng.choice(["cat", "dog", "owl"], rows))
    frame = pd.DataFrame({"animal": truth, "guess": guess, "sex": rng.choice(["f", "m"], rows)})
    frame.to_parquet(tmp_path / "c.parquet")
    columns = ("--label", "animal", "--prediction", "guess", "--sensitive", "sex", "--task", "multiclass")
    _, answer = check(capsys, tmp_path / "c.parquet", *columns)
    metrics = answer["metrics"]
    assert metrics["overall"]["accuracy"]["value"] == pytest.approx((truth == guess).mean(), abs=1e-12)
    macro = sklearn.f1_score(truth, guess, average="macro")
    assert metrics["overall"]["macro_f1"]["value"] == pytest.approx(macro, abs=1e-12)
    recall = sklearn.recall_score(truth, guess, labels=["owl"], average="macro")
    assert metrics["classes"]["class=owl"]["recall"]["value"] == pytest.approx(recall, abs=1e-12)
    men = frame[frame.sex == "m"]
    assert metrics["groups"]["sex"]["m"]["accuracy"] == pytest.approx((men.animal == men.guess).mean())


def test_scores_do_not_belong_to_numbers(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """They are probabilities of two classes."""
    assert "--prediction" in refused(capsys, file, "--label", "label", "--score", "score", "--task", "regression")


POLICY = """
alpha: 0.05
minimum_support: 30
rules:
  - {id: auc-floor, stage: evaluate, metric: auc, minimum: %s, severity: block, reason: "Below this it is no use."}
  - {id: parity, stage: fairness, metric: demographic_parity_difference, slices: each, maximum: 0.5, severity: warn,
     reason: "Looked at."}
"""


@pytest.mark.parametrize(
    ("floor", "code", "verdict", "status"), [(0.6, 0, "pass", "passed"), (0.99, 2, "block", "failed")]
)
def test_a_policy_decides(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path, floor: float, code: int, verdict: str, status: str
) -> None:
    """Exit code 0 or 2, and each rule with its value, interval and threshold."""
    (tmp_path / "p.yaml").write_text(POLICY % floor)
    found, answer = check(capsys, file, *FULL, "--policy", tmp_path / "p.yaml")
    result = answer["results"][0]
    assert (found, answer["verdict"], result["status"], result["threshold"]) == (code, verdict, status, floor)
    assert set(result) >= {"rule", "metric", "slice", "value", "interval", "threshold", "status", "severity", "n"}


def test_a_worse_candidate_is_blocked_without_any_policy(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """The built-in rules ask that it is not worse than the champion."""
    code, answer = check(capsys, file, "--label", "label", "--score", "old_score", "--champion-score", "score")
    assert (code, answer["verdict"]) == (2, "block")


def test_a_rule_on_how_often_the_evaluation_data_were_used_has_no_say(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path
) -> None:
    """Releases are counted in a store; a file knows of none, so that the rule is listed as one on another stage is."""
    rule = "  - {id: budget, stage: evaluate, metric: holdout_budget_left, minimum: 0, severity: block, reason: r}\n"
    (tmp_path / "p.yaml").write_text(POLICY % 0.6 + rule)
    code, answer = check(capsys, file, *FULL, "--policy", tmp_path / "p.yaml")
    assert (code, list(answer["not_applicable"])) == (0, ["budget"])


def test_a_rule_of_the_policy_that_cannot_be_measured_blocks(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path
) -> None:
    """A policy is asked for by name: what it demands must be there."""
    (tmp_path / "p.yaml").write_text(POLICY % 0.6)
    code, answer = check(capsys, file, "--label", "label", "--prediction", "decision", "--policy", tmp_path / "p.yaml")
    assert (code, answer["results"][0]["status"]) == (2, "error")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"score": [0.5, np.nan]}, "row 2"),
        ({"score": [0.5, 1.5]}, "row 2"),
        ({"label": [0, 2]}, "row 2"),
        ({"label": [None, 1.0]}, "row 1"),
    ],
)
def test_bad_values_are_one_clear_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, change: dict[str, list[float]], words: str
) -> None:
    """File, column, row and remedy; exit code 1."""
    frame = pd.DataFrame({"label": [0, 1], "score": [0.2, 0.8]} | change)
    frame.to_parquet(tmp_path / "bad.parquet")
    message = refused(capsys, tmp_path / "bad.parquet", "--label", "label", "--score", "score")
    assert words in message
    assert "bad.parquet" in message
    assert "remedy" in message


def test_a_missing_column_names_those_that_are_there(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """So that the reader can correct the call."""
    assert "old_score" in refused(capsys, file, "--label", "label", "--score", "scores")


def test_files_that_are_none_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Missing, empty, without rows, and not Parquet at all."""
    (tmp_path / "empty.parquet").touch()
    (tmp_path / "text.parquet").write_text("label,score\n")
    (tmp_path / "header.csv").write_text("label,score\n")
    table(0).to_parquet(tmp_path / "norows.parquet")
    for name in ("missing.parquet", "empty.parquet", "text.parquet", "header.csv", "norows.parquet"):
        assert name in refused(capsys, tmp_path / name, "--label", "label", "--score", "score")


def test_a_single_class_never_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """There is no AUC, so the rule about it cannot pass."""
    table().query("label == 0").to_parquet(tmp_path / "one.parquet")
    code, answer = check(capsys, tmp_path / "one.parquet", "--label", "label", "--score", "score")
    assert code == 2
    assert answer["metrics"]["overall"]["auc"]["value"] is None


def test_neither_scores_nor_predictions_is_an_error(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """There is nothing to check."""
    assert "--prediction" in refused(capsys, file, "--label", "label")
    assert "--score" in refused(
        capsys, file, "--label", "label", "--prediction", "decision", "--champion-score", "score"
    )


def test_the_report_is_one_offline_page_and_escapes_what_the_file_holds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Group names come from data."""
    frame = table().assign(sex=lambda f: f.sex.replace("male", "<script>alert(1)</script>"))
    frame.to_parquet(tmp_path / "f.parquet")
    check(capsys, tmp_path / "f.parquet", *FULL, "--report", tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http:" not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.count("<svg") >= 3


def test_people_see_the_verdict_first(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """Then the rules, those that did not pass first and drawn against their limit, the metrics, and what to do next.

    Its report is named where one was written.
    """
    report = file.with_name("report.html")
    assert main(["check", str(file), *FULL, "--report", str(report)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("PASS  ")
    assert lines[0].endswith("rows, binary classification")
    rules = lines[lines.index("Rules") + 1 : lines.index("Metrics") - 1]
    words = [line.split()[0] for line in rules if line.split()[0].isupper()]
    assert words == sorted(words, key=lambda word: word == "PASS")
    assert lines[-1] == f"Next take the model through the gates of a release; {report} draws curves and groups first."


def test_what_failed_is_drawn_and_says_by_how_much(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, file: Path
) -> None:
    """The limit outside the whisker, the distance in the metric's unit, and what to do."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "alpha: 0.05\nminimum_support: 30\nrules:\n"
        "  - {id: high-floor, metric: auc, minimum: 0.999, severity: block, reason: r}\n"
    )
    assert main(["check", str(file), *FULL, "--policy", str(policy)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("BLOCK  ")
    number = next(i for i, line in enumerate(lines) if line.startswith("FAIL"))
    assert "high-floor: AUC 0." in lines[number]
    assert lines[number].endswith("at least 0.999; blocks")
    drawn, missed = lines[number + 1].split("  below" if "  below" in lines[number + 1] else " below")
    assert drawn.index("├") < drawn.index("●") < drawn.index("┤") < drawn.index("┊")
    assert missed == " the limit of 0.999"
    assert lines[-1].startswith("Next find out why high-floor fails")


def test_a_champion_may_have_decisions_only(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    """What it cannot be compared on has an empty place in the table, not another table."""
    assert (
        main(["check", str(file), "--label", "label", "--score", "score", "--champion-prediction", "old_decision"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    header = next(line for line in lines if line.startswith("metric"))
    assert "change" in header
    assert next(line for line in lines if line.startswith("AUC ")).endswith("–")
    assert "+" in next(line for line in lines if line.startswith("accuracy "))


def test_the_command_needs_neither_prefect_nor_great_expectations(file: Path) -> None:
    """Heavy packages are not imported on its path."""
    code = (
        "import sys; from gatewright.cli import main; main(sys.argv[1:]); "
        "print([m for m in ('prefect', 'great_expectations', 'boto3', 'sklearn.ensemble') if m in sys.modules])"
    )
    arguments = ["check", str(file), "--label", "label", "--score", "score"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def rows_of(tmp_path: Path, **columns: Any) -> Path:
    """A file of 600 rows with labels, scores and groups, of which ``columns`` are others."""
    frame = table(600)
    own = {"label": frame["label"], "score": frame["score"], "sex": frame["sex"]}
    pq.write_table(
        pa.table({name: pa.array(values) for name, values in (own | columns).items()}), tmp_path / "f.parquet"
    )
    return tmp_path / "f.parquet"


@pytest.mark.parametrize("of", [lambda n: [n], lambda n: {"a": n}], ids=["list", "structure"])
@pytest.mark.parametrize("role", ["--sensitive", "--cluster", "--prediction"])
def test_lists_and_structures_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], role: str, of: Callable[[int], Any]
) -> None:
    """They name no group, no cluster and no decision."""
    file = rows_of(tmp_path, nested=[of(row % 2) for row in range(600)])
    error = refused(capsys, file, "--label", "label", "--score", "score", role, "nested")
    assert "nested" in error


def test_whole_numbers_beyond_floats_are_no_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2**62 does not fit the mantissa of a float: the error is about the label, not about that."""
    file = rows_of(tmp_path, label=[2**62 * (row % 2) for row in range(600)])
    assert f"row 2 holds {2**62}" in refused(capsys, file, "--label", "label", "--score", "score")


@pytest.mark.parametrize("twice", ["label", "sex"])
def test_a_column_that_is_there_twice_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], twice: str
) -> None:
    """Either could be meant, in Parquet and in CSV."""
    frame = table(600)[["label", "score", "sex"]]
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(arrow.append_column(twice, arrow[twice]), tmp_path / "f.parquet")
    frame.assign(again=frame[twice]).rename(columns={"again": twice}).to_csv(tmp_path / "f.csv", index=False)
    for file in (tmp_path / "f.parquet", tmp_path / "f.csv"):
        error = refused(capsys, file, "--label", "label", "--score", "score", "--sensitive", "sex")
        assert f"two columns have the name `{twice}`" in error


@pytest.mark.parametrize("role", ["--score", "--prediction", "--champion-score", "--sensitive", "--cluster"])
def test_the_label_is_nothing_else(file: Path, capsys: pytest.CaptureFixture[str], role: str) -> None:
    """Predictions that are the label would be perfect, and groups of the label say nothing of fairness."""
    given = () if role == "--score" else ("--score", "score")
    assert "is the label and something else" in refused(capsys, file, "--label", "label", *given, role, "label")


def test_bytes_are_text_in_utf_8_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Old writers leave text as bytes; bytes in another encoding would be groups that nobody can read."""
    words = [b"woman" if row % 2 else b"man" for row in range(600)]
    call = ("--label", "label", "--score", "score", "--sensitive", "sex")
    _, answer = check(capsys, rows_of(tmp_path, sex=words), *call)
    assert set(answer["metrics"]["groups"]["sex"]) == {"woman", "man"}
    assert "cannot be read as text" in refused(capsys, rows_of(tmp_path, sex=[b"\xe9"] * 600), *call)


def test_a_cluster_that_is_nan_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All rows without an id would be one cluster."""
    file = rows_of(tmp_path, customer=[float("nan"), *range(599)])
    assert "row 1" in refused(capsys, file, "--label", "label", "--score", "score", "--cluster", "customer")


def test_decimals_are_scores_and_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1.00 is the group 1, as 1.0 and 1 are."""
    file = rows_of(
        tmp_path,
        label=pa.array([Decimal(row % 2) for row in range(600)], pa.decimal128(3, 1)),
        score=pa.array([Decimal(row % 100) / 100 for row in range(600)], pa.decimal128(10, 4)),
        sex=pa.array([Decimal(row % 3) for row in range(600)], pa.decimal128(5, 2)),
    )
    _, answer = check(capsys, file, "--label", "label", "--score", "score", "--sensitive", "sex", "--positive", "1")
    assert set(answer["metrics"]["groups"]["sex"]) == {"0", "1", "2"}
    assert answer["metrics"]["overall"]["selection_rate"]["value"] == 0.5


def test_json_holds_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    """NaN and Infinity are no JSON: a reader in another language would stop."""
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            print_json({"value": value})
    assert capsys.readouterr().out == ""


def test_names_of_columns_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error lists the columns of a file that somebody else wrote."""
    file = rows_of(tmp_path, **{"\x1b[2Jevil": [0] * 600})
    error = refused(capsys, file, "--label", "none", "--score", "score")
    assert "[2Jevil" in error
    assert "\x1b" not in error
