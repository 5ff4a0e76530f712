"""Data sets, subsets and loaders of torch: what they hold, not what an augmentation makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import leakaudit
from leakaudit.errors import InputError
from leakaudit.model import Report
from reports_alike import codes, said

torch = pytest.importorskip("torch", reason="needs torch: pip install 'leakaudit[torch]'")
data = torch.utils.data

NUMBERS = np.random.default_rng(0).integers(0, 256, (30, 16, 18, 3), dtype=np.uint8)
PICTURES = [Image.fromarray(each) for each in NUMBERS]


def audit(*sets: object, **named: object) -> Report:
    return leakaudit.audit(*sets, use_cache=False, jobs=1, **{"select": ("LA101", "LA102", "LA104"), **named})


def tensor(picture: Image.Image) -> Any:
    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float() / 255


def augmented(picture: Image.Image) -> Any:
    return tensor(picture) + torch.rand(3, 16, 18) / 9


class Photos(data.Dataset):
    """As torchvision has them: the transform may be absent."""

    def __init__(self, rows: range, transform: Callable[[Image.Image], Any] | None = None) -> None:
        self.rows, self.transform = rows, transform

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int) -> tuple[Any, int]:
        picture = PICTURES[self.rows[at]]
        return (picture if self.transform is None else self.transform(picture)), self.rows[at] % 2


class Tensors(Photos):
    """As people write them: the transform must be there."""

    def __getitem__(self, at: int) -> tuple[Any, int]:
        assert self.transform is not None
        return self.transform(PICTURES[self.rows[at]]), self.rows[at] % 2


@pytest.mark.parametrize("n_shared", [0, 3])
@pytest.mark.parametrize("kind", [Photos, Tensors])
def test_pictures_with_labels(kind, n_shared):
    report = audit(kind(range(20), tensor), kind(range(20 - n_shared, 30), tensor))
    assert codes(report) == ({"LA102": n_shared} if n_shared else {})
    assert report.splits["train"].labels == {"0": 10, "1": 10}


def test_an_augmentation_hides_no_copy_and_draws_no_random_number():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    report = audit(Photos(range(20), augmented), Photos(range(17, 30), tensor))
    assert codes(report) == {"LA102": 3}
    assert any("Transforms of the data sets were left out" in note for note in report.notes)
    assert torch.equal(torch.rand(3), expected)
    torch.manual_seed(0)
    with pytest.raises(InputError, match=r"^train: sample 0 is another one each time it is asked for \(a random trans"):
        audit(Tensors(range(20), augmented), Tensors(range(17, 30), tensor))
    assert torch.equal(torch.rand(3), expected)


def test_the_data_set_itself_keeps_its_transform():
    photos = Photos(range(20), tensor)
    audit(photos, Photos(range(20, 30), tensor))
    assert photos.transform is tensor


@pytest.mark.parametrize("n_shared", [0, 2])
def test_a_subset_is_its_part(n_shared):
    whole = Tensors(range(30), tensor)
    train, val = data.Subset(whole, range(20)), data.Subset(whole, [*range(20 - n_shared, 30)])
    expected = said(audit(Tensors(range(20), tensor), Tensors(range(20 - n_shared, 30), tensor)))
    assert said(audit(train, val)) == expected
    inner = data.Subset(data.Subset(whole, range(5, 25)), range(10))
    assert audit(inner, val).splits["train"].n == 10


@pytest.mark.parametrize("leaks", [False, True])
def test_a_loader_is_what_it_may_draw(leaks):
    whole = Tensors(range(30), tensor)
    of_train, of_val = data.SubsetRandomSampler(range(20)), data.SubsetRandomSampler([*range(18 if leaks else 20, 30)])
    loaders = [data.DataLoader(whole, batch_size=4, sampler=each) for each in (of_train, of_val)]
    report = audit(*loaders)
    assert (report.splits["train"].n, report.splits["val"].n) == (20, 12 if leaks else 10)
    assert codes(report) == ({"LA102": 2} if leaks else {})
    shuffled = data.DataLoader(data.Subset(whole, range(20)), shuffle=True, drop_last=True, batch_size=8)
    assert audit(shuffled, loaders[1]).splits["train"].n == 20


def test_tensor_data_sets_are_their_arrays():
    x, y = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 5))), torch.arange(60) % 3
    report = audit(data.TensorDataset(x[:40], y[:40]), data.Subset(data.TensorDataset(x, y), range(36, 60)))
    assert codes(report) == {"LA104": 4}
    assert said(report) == said(audit((x[:40], y[:40]), (x[36:], y[36:])))


def test_samples_that_are_mappings():
    class Records(Photos):
        def __getitem__(self, at: int) -> dict[str, Any]:  # type: ignore[override]
            return {"pixel_values": tensor(PICTURES[self.rows[at]]), "labels": torch.tensor(self.rows[at] % 2)}

    report = audit(Records(range(20)), Records(range(18, 30)))
    assert codes(report) == {"LA102": 2}
    assert report.splits["train"].labels == {"0": 10, "1": 10}


def test_what_only_streams_is_named():
    class Stream(data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(())

    for given in (Stream(), data.DataLoader(Stream())):
        with pytest.raises(InputError, match=r"^train: Stream can only be read from its beginning|^train: .*Stream"):
            audit(given, Photos(range(3)))
