"""A torch network: every regulariser is found at its price, and nothing of the network is changed."""

from __future__ import annotations

import random

import numpy as np
import pytest

import leakaudit
from leakaudit.errors import ConfigError, InputError

torch = pytest.importorskip("torch")
nn = torch.nn
functional = torch.nn.functional


def loader(x, y, size=32, **more):
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=size, **more)


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(128, 6, generator=generator), torch.randint(0, 3, (128,), generator=generator)


@pytest.fixture
def network():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3)
    ).requires_grad_(True)


def bare(network, x, y):
    network.eval()
    with torch.no_grad():
        return functional.cross_entropy(network(x), y, reduction="none").double().numpy()


def everything(network):
    """All that must stay as it is."""
    tensors = [tensor.clone() for tensor in network.state_dict().values()]
    modes = [part.training for part in network.modules()]
    needed = [parameter.requires_grad for parameter in network.parameters()]
    gradients = [parameter.grad for parameter in network.parameters()]
    chance = (torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate())
    return tensors, modes, needed, gradients, chance


def assert_same(before, after):
    assert all(torch.equal(a, b) for a, b in zip(before[0], after[0], strict=True))
    assert before[1:4] == after[1:4]
    assert torch.equal(before[4][0], after[4][0])
    assert before[4][1:] == after[4][1:]


@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_changed(network, data, training):
    network.train(training)
    network[3].train(not training)
    network[0].weight.requires_grad_(False)
    generator = torch.Generator().manual_seed(3)
    train = loader(*data, shuffle=True, generator=generator)
    before, of_loader = everything(network), generator.get_state()
    first = leakaudit.attribute(network, train, loader(*data), loss=nn.CrossEntropyLoss())
    assert_same(before, everything(network))
    assert torch.equal(of_loader, generator.get_state())
    assert leakaudit.attribute(network, train, loader(*data), loss=nn.CrossEntropyLoss()) == first


def test_nothing_is_changed_by_an_error(network, data):
    class Fails(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.calls = network, 0
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, x):
            self.seen = self.seen + 1
            self.register_buffer(f"made_{self.calls}", torch.ones(1))
            self.inner[0].weight.data.mul_(2)
            self.calls += 1
            if self.calls == 3:
                raise RuntimeError("out of memory")
            return self.inner(x)

    model = Fails()
    before = everything(model)
    with pytest.raises(RuntimeError, match="out of memory"):
        leakaudit.attribute(model, loader(*data), loader(*data), loss=nn.CrossEntropyLoss())
    assert_same(before, everything(model))


def test_each_regulariser_in_the_stated_order(network, data):
    x, y = data
    loss = nn.CrossEntropyLoss(label_smoothing=0.2, weight=torch.tensor([1.0, 2.0, 4.0]))
    noisy = loader(x + torch.randn(x.shape), y)
    found = leakaudit.attribute(
        network, noisy, loader(x, y), loss=loss, bare_train=loader(x, y), penalty=0.25, reported_val=1.0
    )
    assert [part.name for part in found.regularisers] == [
        "dropout",
        "batch-norm mode",
        "augmentation",
        "label smoothing",
        "penalties",
        "class weights",
    ]
    parts = {part.name: part.value for part in found.regularisers}
    assert parts["penalties"] == pytest.approx(0.25)
    assert sum(parts.values()) == pytest.approx(found.term("b").value)
    expected = bare(network, x, y).mean()
    assert found.remainder.value == pytest.approx(0.0, abs=1e-9)
    assert found.term("o").value == pytest.approx(expected - 1.0, rel=1e-5)
    with torch.no_grad():
        network.eval()
        smoothed = float(loss(network(x), y))
        plain = float(functional.cross_entropy(network(x), y, weight=loss.weight))
    assert parts["label smoothing"] == pytest.approx(smoothed - plain, abs=0.02)  # smoothing is weighted otherwise
    assert parts["class weights"] == pytest.approx(plain - expected, rel=1e-4)
    assert loss.label_smoothing == 0.2
    assert loss.reduction == "mean"


def test_dropout_costs_what_it_costs(data):
    x, y = data
    network = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 3))
    found = leakaudit.attribute(network, loader(x, y), loader(x, y), loss=nn.CrossEntropyLoss(), reported_train=1.5)
    (part,) = found.regularisers
    assert part.name == "dropout"
    network.train()
    with torch.no_grad():
        many = np.mean([float(functional.cross_entropy(network(x), y)) for _ in range(300)])
    assert part.low <= many - bare(network, x, y).mean() <= part.high


def test_functional_dropout_is_dropout(data):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 3)

        def forward(self, x):
            return self.layer(functional.dropout(x, 0.5, self.training))

    found = leakaudit.attribute(Functional(), loader(*data), loader(*data), loss=functional.cross_entropy)
    assert [part.name for part in found.regularisers] == ["dropout"]
    plain = leakaudit.attribute(nn.Linear(6, 3), loader(*data), loader(*data), loss=functional.cross_entropy)
    assert plain.regularisers == ()
    assert plain.term("b").value == 0


def test_layers_that_the_user_froze_stay_frozen(network, data):
    network.train()
    network[1].eval()
    network[3].eval()
    found = leakaudit.attribute(network, loader(*data), loader(*data), loss=nn.CrossEntropyLoss())
    assert found.term("b").value == 0


def test_recurrent_dropout_and_losses_of_parts(data):
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent = nn.LSTM(1, 8, num_layers=2, dropout=0.5, batch_first=True)
            self.out = nn.Linear(8, 3)

        def forward(self, x):
            return self.out(self.recurrent(x[:, :, None])[0]).transpose(1, 2)

    x, y = data
    tags = y[:, None].expand(-1, 6)
    found = leakaudit.attribute(Tagger(), loader(x, tags), loader(x, tags), loss=nn.CrossEntropyLoss())
    assert [part.name for part in found.regularisers] == ["dropout"]


def test_ignored_targets_and_weights_average_as_torch_does(data):
    x, y = data
    y[::3] = -100
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 4.0]))
    network = nn.Linear(6, 3)
    batch = [(x, y)]
    with torch.no_grad():
        weighted = float(loss(network(x), y))
        plain = float(functional.cross_entropy(network(x), y))
    found = leakaudit.attribute(network, batch, batch, loss=loss, reported_train=weighted, reported_val=plain)
    assert found.term("a").value == pytest.approx(0, abs=1e-6)
    assert found.term("b").value == pytest.approx(weighted - plain, abs=1e-6)
    assert found.term("o").value == pytest.approx(0, abs=1e-6)
    soft = functional.one_hot(y.clamp(min=0), 3).float()
    assert leakaudit.attribute(network, [(x, soft)], [(x, soft)], loss=nn.CrossEntropyLoss()).regularisers == ()


def test_a_batch_of_one_sample_with_batch_normalisation(network, data):
    x, y = data
    with pytest.raises(InputError, match="drop_last=True"):
        leakaudit.attribute(network, loader(x[:33], y[:33]), loader(x, y), loss=nn.CrossEntropyLoss())


def test_a_loss_that_is_reduced(network, data):
    with pytest.raises(InputError, match="without reduction"):
        leakaudit.attribute(
            network, loader(*data), loader(*data), loss=lambda a, b: functional.cross_entropy(a, b).mean()
        )


def test_what_is_missing_is_said(network, data):
    with pytest.raises(ConfigError, match="needs loss="):
        leakaudit.attribute(network, loader(*data), loader(*data))
    with pytest.raises(InputError, match="lazy"):
        leakaudit.attribute(nn.LazyLinear(3), loader(*data), loader(*data), loss=nn.CrossEntropyLoss())
    with pytest.raises(InputError, match="must be a pair"):
        leakaudit.attribute(network, [{"x": 1}], loader(*data), loss=nn.CrossEntropyLoss())
    found = leakaudit.attribute(network, loader(*data), loader(*data), loss=nn.CrossEntropyLoss())
    assert any("bare_train" in limit for limit in found.limits)
    with torch.no_grad():
        network[0].weight[0, 0] = np.nan
    with pytest.raises(InputError, match="not finite"):
        leakaudit.attribute(network, loader(*data), loader(*data), loss=nn.CrossEntropyLoss())
