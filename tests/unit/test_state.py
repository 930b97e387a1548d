"""Kept states: whole or not there, the latest first, and never those of another training."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from xstilts.errors import TrainingError
from xstilts.training.state import State, StateFolder, fill, tensors_of


def state(number: int) -> State:
    return State({"a": torch.full((3, 2), float(number)), "b": torch.tensor([number])}, {"done": number})


def folder(place: Path, fingerprint: str = "f") -> StateFolder:
    return StateFolder(place, fingerprint, seconds=0)


def done(found: State | None) -> int | None:
    return None if found is None else int(found.facts["done"])


def files(place: Path) -> list[Path]:
    return sorted(file for file in place.rglob("*") if file.is_file())


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    kept = State(
        {"x": torch.randn(4, 5), "n": torch.arange(3)}, {"done": 7, "loss": [0.1, 1 / 3], "name": "é"}
    )
    folder(tmp_path / "s").save(7, kept)
    found = folder(tmp_path / "s").latest()
    assert found is not None
    assert found.facts == kept.facts
    assert found.tensors.keys() == kept.tensors.keys()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in kept.tensors.items())


def test_the_two_latest_are_kept(tmp_path: Path) -> None:
    states = folder(tmp_path)
    for number in (9, 10, 11, 100):
        states.save(number, state(number))
    assert len(files(tmp_path)) == 2
    assert done(states.latest()) == 100
    files(tmp_path)[-1].unlink()
    assert done(states.latest()) == 11


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_state_is_not_used_but_the_one_before(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = tmp_path_factory.mktemp("states")
    states = folder(place)
    states.save(1, state(1))
    states.save(2, state(2))
    latest = files(place)[-1]
    content = bytearray(latest.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[at] ^= data.draw(st.integers(1, 255))
    else:
        del content[at:]
    latest.write_bytes(content)
    assert done(folder(place).latest()) == 1
    assert len(files(place)) == 1, "the damaged one is gone"


def test_an_unfinished_save_is_as_if_it_had_not_begun(tmp_path: Path) -> None:
    folder(tmp_path).save(1, state(1))
    whole = files(tmp_path)[0]
    (whole.parent / "000000002.partial").write_bytes(whole.read_bytes()[:50])
    assert done(folder(tmp_path).latest()) == 1
    assert files(tmp_path) == [whole]


def test_states_of_another_training_are_not_found_and_go_at_the_end(tmp_path: Path) -> None:
    folder(tmp_path / "s", "old").save(1, state(1))
    new = folder(tmp_path / "s", "new")
    assert new.latest() is None
    new.save(2, state(2))
    assert done(folder(tmp_path / "s", "old").latest()) == 1
    new.clear()
    assert not (tmp_path / "s").exists()
    new.clear()


def test_nothing_is_due_before_its_time(tmp_path: Path) -> None:
    assert not StateFolder(tmp_path, "f", seconds=3600).is_due
    assert folder(tmp_path).is_due


def test_a_state_that_cannot_be_written_is_an_error_and_the_old_one_stays(tmp_path: Path) -> None:
    states = folder(tmp_path)
    states.save(1, state(1))
    with pytest.raises(TrainingError, match="cannot be written") as caught:
        states.save(2, State({"a": torch.zeros(2).expand(3, 2).T}, {}))  # not contiguous: refused
    assert "f" in str(caught.value.where)
    assert done(states.latest()) == 1
    assert len(files(tmp_path)) == 1


def test_modules_are_filled_with_what_they_had() -> None:
    first, second = nn.Linear(3, 2), nn.BatchNorm1d(4)
    tensors = {name: tensor.detach().clone() for name, tensor in tensors_of([first, second]).items()}
    with torch.no_grad():
        for tensor in tensors_of([first, second]).values():
            tensor.add_(1)
    fill([first, second], tensors)
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in tensors_of([first, second]).items())
    with pytest.raises(KeyError):
        fill([first, second], {})
