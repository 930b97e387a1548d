"""Which GPU a job gets, with locks as real jobs hold them."""

import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import gpus
from xstilts.errors import NoGpuError

UUIDS = ["GPU-aaaa", "GPU-abbb", "GPU-cccc"]
HOLDER = """
import sys, time
from pathlib import Path
from xstilts import gpus
print(",".join(gpus.hold({names!r}, {count}, Path({folder!r}))), flush=True)
time.sleep(60)
"""


def holder(folder: Path, count: int) -> subprocess.Popen[str]:
    """Another job that holds so many."""
    code = HOLDER.format(names=UUIDS, count=count, folder=str(folder))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def said(job: subprocess.Popen[str]) -> str:
    assert job.stdout is not None
    return job.stdout.readline().strip()


def test_jobs_side_by_side_get_gpus_of_their_own(tmp_path: Path) -> None:
    first, second = holder(tmp_path, 1), None
    try:
        assert said(first) == UUIDS[0]
        second = holder(tmp_path, 2)
        assert said(second) == ",".join(UUIDS[1:])
        waiting = holder(tmp_path, 1)
        time.sleep(1.5)
        assert waiting.poll() is None
        first.kill()  # its lock ends with it, however it ends
        assert said(waiting) == UUIDS[0]
        waiting.kill()
    finally:
        for job in (first, second):
            if job:
                job.kill()


def test_two_that_want_all_do_not_wait_for_each_other(tmp_path: Path) -> None:
    jobs = [holder(tmp_path, 3) for _ in range(2)]
    while (done := next((job for job in jobs if _has_spoken(job)), None)) is None:
        time.sleep(0.05)
    assert said(done) == ",".join(UUIDS)
    done.kill()
    [other] = [job for job in jobs if job is not done]
    assert said(other) == ",".join(UUIDS)
    other.kill()


def _has_spoken(job: subprocess.Popen[str]) -> bool:
    return bool(select.select([job.stdout], [], [], 0)[0])


def test_more_than_there_are_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoGpuError, match="4 GPUs are asked for, and 3"):
        gpus.hold(UUIDS, 4, tmp_path)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (None, UUIDS),
        ("", []),
        ("-1", []),
        ("2,0", ["GPU-cccc", "GPU-aaaa"]),
        ("GPU-c, 1", ["GPU-cccc", "GPU-abbb"]),
        ("GPU-a,1", []),  # which of two?
        ("0,7,1", ["GPU-aaaa"]),
        ("MIG-1/2", ["MIG-1/2"]),
    ],
)
def test_the_setting_is_read_as_cuda_reads_it(setting: str | None, expected: list[str]) -> None:
    assert gpus.chosen(UUIDS, setting) == expected


@given(st.lists(st.integers(0, 2), unique=True))
def test_indices_and_names_are_the_same(indices: list[int]) -> None:
    by_index = gpus.chosen(UUIDS, ",".join(map(str, indices)))
    assert by_index == gpus.chosen(UUIDS, ",".join(UUIDS[i] for i in indices)) == [UUIDS[i] for i in indices]


def test_without_gpus_nothing_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "")
    gpus.take(1)
    assert not gpus._HELD
