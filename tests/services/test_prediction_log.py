"""Every prediction that was answered is in the store sooner or later, or the service says that it cannot."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewright.core.errors import IntegrityError, StoreError
from gatewright.services.prediction_log import LogFullError, PredictionLog, time_ordered_uuid
from gatewright.services.prediction_reader import PredictionReader, join_labels
from gatewright.services.store import S3Store
from tests.fakes import MemoryStore

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def faulty(times: int, *, applied: bool = False) -> MemoryStore:
    """A store that refuses the next writes; with ``applied`` what it refused is there all the same."""
    store = MemoryStore()
    error = StoreError("no answer.", where="store", remedy="wait.")
    store.fail("create", error, times=times, applied=applied)
    return store


def predictions(*ids: str, **columns: Any) -> pd.DataFrame:
    known = {
        "prediction_id": list(ids),
        "at": pd.Timestamp(NOW),
        "release_id": "r1",
        "model_sha256": "0" * 64,
        "score": 0.25,
        "positive": False,
        "age": 40.0,
        "sex": "f",
    }
    return pd.DataFrame({**known, **columns})


def labels(*pairs: tuple[str, int], at: datetime = NOW) -> pd.DataFrame:
    ids, values = zip(*pairs, strict=True)
    return pd.DataFrame({"prediction_id": ids, "at": pd.Timestamp(at), "label": values})


def read(store: MemoryStore) -> list[str]:
    return PredictionReader(store).read_predictions("tiny")[0]["prediction_id"].tolist()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "waited for 10 s in vain"
        time.sleep(0.01)


def test_rows_come_back_as_they_were_logged() -> None:
    """Values, types, time zone and nulls survive; the key holds kind, model and day."""
    store = MemoryStore()
    log = PredictionLog(store, "tiny", now=lambda: NOW)
    log.add_predictions(predictions("a", "b", age=[40.0, np.nan], sex=["f", None]))
    log.flush()
    frame, last_key = PredictionReader(store).read_predictions("tiny")
    assert last_key.startswith("predictions/tiny/2026-01-02/")
    assert last_key.endswith(".parquet")
    assert frame["prediction_id"].tolist() == ["a", "b"]
    assert frame["at"].tolist() == [pd.Timestamp(NOW)] * 2
    assert frame["positive"].dtype == bool
    assert frame["age"].isna().tolist() == [False, True]
    assert frame["sex"].isna().tolist() == [False, True]


def test_one_flush_makes_one_object() -> None:
    """Many small requests become one batch."""
    store = MemoryStore()
    log = PredictionLog(store, "tiny")
    for number in range(50):
        log.add_predictions(predictions(str(number)))
    log.flush()
    assert len(list(store.keys("predictions/"))) == 1
    assert len(read(store)) == 50


def test_nothing_to_write_writes_nothing() -> None:
    """No empty batches."""
    store = MemoryStore()
    PredictionLog(store, "tiny").flush()
    assert list(store.keys("")) == []


def test_a_failed_write_keeps_the_rows_and_the_next_one_writes_them() -> None:
    """A store fault costs nothing but time."""
    store = faulty(1)
    log = PredictionLog(store, "tiny")
    log.add_predictions(predictions("a", "b"))
    with pytest.raises(StoreError):
        log.flush()
    log.add_predictions(predictions("c"))
    assert log.unflushed == 3
    log.flush()
    assert log.unflushed == 0
    assert sorted(read(store)) == ["a", "b", "c"]


def test_a_write_whose_answer_was_lost_is_not_written_twice() -> None:
    """The retry writes the same bytes under the same key."""
    store = faulty(2, applied=True)
    log = PredictionLog(store, "tiny")
    log.add_predictions(predictions("a"))
    for _ in range(2):
        with pytest.raises(StoreError):
            log.flush()
    log.flush()
    assert read(store) == ["a"]


def test_a_key_that_is_taken_is_left_alone() -> None:
    """Another object under our key: the rows go under the next one."""

    class Taken(MemoryStore):
        def create(self, key: str, body: bytes, media_type: str) -> bool:
            if not list(self.keys("")):
                super().create(key, b"other", media_type)
            return super().create(key, body, media_type)

    store = Taken()
    log = PredictionLog(store, "tiny")
    log.add_predictions(predictions("a"))
    with pytest.raises(StoreError, match="taken"):
        log.flush()
    log.flush()
    first, second = store.keys("")
    assert sorted([store.get(first) == b"other", store.get(second) == b"other"]) == [False, True]


def test_a_full_log_refuses_all_rows_of_a_request() -> None:
    """Rather no answer than one that is not logged; what fits goes on."""
    log = PredictionLog(MemoryStore(), "tiny", capacity_rows=3)
    log.add_predictions(predictions("a", "b"))
    with pytest.raises(LogFullError, match="2 rows wait"):
        log.add_predictions(predictions("c", "d"))
    log.add_predictions(predictions("e"))
    assert log.unflushed == 3


def test_labels_do_not_take_the_room_of_predictions() -> None:
    """Each kind has its own buffer."""
    log = PredictionLog(MemoryStore(), "tiny", capacity_rows=1)
    log.add_labels(labels(("a", 1)))
    log.add_predictions(predictions("a"))
    assert log.unflushed == 2


def test_the_background_thread_writes_when_enough_rows_wait() -> None:
    """A busy service does not wait for the clock."""
    store = MemoryStore()
    log = PredictionLog(store, "tiny", flush_rows=2, flush_seconds=3600)
    log.start()
    log.add_predictions(predictions("a", "b"))
    until(lambda: log.unflushed == 0)
    log.close()
    assert read(store) == ["a", "b"]


def test_the_background_thread_writes_when_the_time_has_come() -> None:
    """A quiet service is not forgotten."""
    store = MemoryStore()
    log = PredictionLog(store, "tiny", flush_seconds=0.05)
    log.start()
    log.add_predictions(predictions("a"))
    until(lambda: log.unflushed == 0)
    log.close()
    assert read(store) == ["a"]


def test_the_background_thread_survives_faults_and_says_so() -> None:
    """While the store refuses, ``error`` shows it; afterwards it is gone."""
    store = faulty(30)
    log = PredictionLog(store, "tiny", flush_seconds=0.01)
    log.add_predictions(predictions("a"))
    log.start()
    until(lambda: log.error is not None)
    until(lambda: log.error is None)
    log.close()
    assert read(store) == ["a"]


def test_closing_writes_what_waits_through_a_short_outage() -> None:
    """A graceful shutdown loses nothing."""
    store = faulty(2)
    log = PredictionLog(store, "tiny", flush_seconds=3600)
    log.start()
    log.add_predictions(predictions("a"))
    log.add_labels(labels(("a", 1)))
    log.close(timeout_seconds=10)
    assert read(store) == ["a"]
    assert len(PredictionReader(store).read_labels("tiny")[0]) == 1


def test_closing_says_how_many_rows_are_lost() -> None:
    """Nothing is dropped silently, not even at the end."""
    log = PredictionLog(faulty(10**9), "tiny")
    log.add_predictions(predictions("a", "b"))
    with pytest.raises(StoreError, match="2 rows"):
        log.close(timeout_seconds=0.05)


def test_many_threads_lose_no_row() -> None:
    """Requests add while the thread flushes through faults."""
    store = faulty(5, applied=True)
    log = PredictionLog(store, "tiny", flush_rows=20, flush_seconds=0.01)
    log.start()

    def work(worker: int) -> None:
        for number in range(50):
            log.add_predictions(predictions(f"{worker}-{number}"))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    found = read(store)
    assert len(found) == len(set(found)) == 200


def test_reading_goes_on_after_the_last_key() -> None:
    """A second read gives only what is new; without anything new the key stays."""
    store = MemoryStore()
    times = iter([NOW, NOW + timedelta(seconds=1)])
    log = PredictionLog(store, "tiny", now=lambda: next(times))
    reader = PredictionReader(store)
    log.add_predictions(predictions("a"))
    log.flush()
    _, first_key = reader.read_predictions("tiny")
    log.add_predictions(predictions("b"))
    log.flush()
    frame, second_key = reader.read_predictions("tiny", after_key=first_key)
    assert frame["prediction_id"].tolist() == ["b"]
    nothing, third_key = reader.read_predictions("tiny", after_key=second_key)
    assert nothing.empty
    assert third_key == second_key


def test_a_model_does_not_read_the_log_of_another() -> None:
    """``tiny`` is not ``tiny2``."""
    store = MemoryStore()
    log = PredictionLog(store, "tiny2")
    log.add_predictions(predictions("a"))
    log.flush()
    assert read(store) == []


@pytest.mark.parametrize("body", [b"", b"junk", b"PAR1junkPAR1"])
def test_a_batch_that_is_none_is_named(body: bytes) -> None:
    """Bytes from somebody else are an error with their key, not fewer rows."""
    store = MemoryStore()
    store.create("predictions/tiny/2026-01-02/x.parquet", body, "any")
    with pytest.raises(IntegrityError, match=r"2026-01-02/x\.parquet"):
        PredictionReader(store).read_predictions("tiny")


def test_a_batch_without_the_columns_is_named() -> None:
    """A Parquet file of another kind is no batch."""
    store = MemoryStore()
    log = PredictionLog(store, "tiny")
    log.add_predictions(predictions("a").drop(columns="score"))
    log.flush()
    with pytest.raises(IntegrityError, match="score"):
        PredictionReader(store).read_predictions("tiny")


def test_the_real_store_keeps_and_lists_the_batches(s3_store: S3Store) -> None:
    """Through S3 as in memory, also from the beginning of a day on."""
    log = PredictionLog(s3_store, "tiny", now=lambda: NOW)
    log.add_predictions(predictions("a"))
    log.flush()
    reader = PredictionReader(s3_store)
    for after_key, ids in (("", ["a"]), ("predictions/tiny/2026-01-02", ["a"]), ("predictions/tiny/2026-01-03", [])):
        frame, _ = reader.read_predictions("tiny", after_key=after_key)
        assert frame["prediction_id"].tolist() == ids


def test_labels_are_aligned_and_the_last_one_wins() -> None:
    """Unknown stays NaN; contradictions and labels of nothing are counted."""
    known = labels(("a", 0), ("b", 1), ("x", 1))
    later = labels(("a", 1), ("b", 1), at=NOW + timedelta(days=1))
    joined = join_labels(predictions("c", "b", "a"), pd.concat([later, known]))
    np.testing.assert_array_equal(joined.values, [np.nan, 1.0, 1.0])
    assert joined.conflicting == 1
    assert joined.unmatched == 1


def test_without_labels_everything_is_unknown() -> None:
    """No label is NaN, never 0."""
    none, _ = PredictionReader(MemoryStore()).read_labels("tiny")
    joined = join_labels(predictions("a", "b"), none)
    assert joined.values.dtype == np.float64
    assert np.isnan(joined.values).all()
    assert (joined.conflicting, joined.unmatched) == (0, 0)


def test_without_predictions_every_label_is_unmatched() -> None:
    """An empty log joins to nothing."""
    none, _ = PredictionReader(MemoryStore()).read_predictions("tiny")
    joined = join_labels(none, labels(("a", 1)))
    assert joined.values.size == 0
    assert joined.unmatched == 1


def test_the_uuid_matches_the_vector_of_the_standard() -> None:
    """RFC 9562, appendix A.6: the time 0x017F22E279B0 begins the UUID; version is 7, variant 10."""
    made = time_ordered_uuid(datetime.fromtimestamp(0x017F22E279B0 / 1000, tz=UTC))
    assert str(made).startswith("017f22e2-79b0-7")
    assert made.version == 7
    assert str(made)[19] in "89ab"


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2200, 1, 1)),
    st.timedeltas(min_value=timedelta(milliseconds=2), max_value=timedelta(days=9999)),
)
def test_later_batches_have_later_keys(at: datetime, step: timedelta) -> None:
    """Sorting keys sorts by time."""
    first, second = at.replace(tzinfo=UTC), at.replace(tzinfo=UTC) + step
    assert str(time_ordered_uuid(first)) < str(time_ordered_uuid(second))
