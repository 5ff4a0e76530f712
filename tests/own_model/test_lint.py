"""Where regularisers stand in a torch module, and whether they are off in validation; the sound twin of each fault."""

from __future__ import annotations

import numpy as np
import pytest

import leakaudit
from leakaudit.errors import ConfigError
from leakaudit.own_model.layers import Layer
from leakaudit.own_model.rules import remarks_on

torch = pytest.importorskip("torch")
nn = torch.nn
functional = torch.nn.functional

X = torch.randn(16, 6, generator=torch.Generator().manual_seed(0))


def rules(found):
    return [remark.rule for remark in found.remarks]


def chain(*kinds):
    """Layers from words: ``dense``, ``dropout .3``, ``relu``."""
    found = []
    for at, word in enumerate(kinds):
        kind, _, rate = word.partition(" ")
        act = kind in ("relu", "tanh", "softmax")
        name = {"bn": "batch norm", "ln": "other norm", "conv": "convolution"}.get(kind, "activation" if act else kind)
        found.append(Layer(str(at), kind, name, float(rate) if rate else None, kind == "relu"))
    return found


@pytest.mark.parametrize(
    ("kinds", "rule"),
    [
        (("dense", "relu", "dense", "dropout .3"), "dropout-after-output"),
        (("dense", "relu", "dense", "dropout .3", "softmax"), "dropout-after-output"),
        (("dense", "relu", "dropout .3", "dense"), None),
        (("dense", "dropout .3", "bn", "relu", "dense"), "dropout-before-batch-norm"),
        (("dense", "bn", "relu", "dropout .3", "dense"), None),
        (("dense", "dropout .3", "tanh", "dense"), "dropout-before-activation"),
        (("dense", "dropout .3", "relu", "dense"), None),
        (("dropout .5", "dense"), "dropout-rate"),
        (("dropout .2", "dense"), None),
        (("dense", "relu", "dropout .7", "dense"), "dropout-rate"),
        (("dense", "relu", "dropout 0", "dense"), "dropout-rate"),
        (("dense", "bn", "relu", "dropout .5", "dense"), "dropout-rate"),
        (("conv", "relu", "dropout .5", "conv", "flatten", "dense"), "dropout-rate"),
        (("conv", "relu", "dropout .25", "conv", "flatten", "dense"), None),
        (("conv", "relu", "flatten", "dropout .5", "dense"), None),
        (("recurrent .6", "dense"), "dropout-rate"),
        (("recurrent .4", "dense"), None),
        (("embedding", "dropout .2", "recurrent", "dense"), None),
        (("dense", "dropout .5", "dense", "dropout .3", "dense"), "dropout-falls-with-depth"),
        (("conv", "dropout .2", "conv", "dropout .3", "flatten", "dense", "dropout .5", "dense"), None),
        (("attention", "dropout .1", "ln", "dense", "dropout .1", "ln"), None),
    ],
)
def test_places_and_rates(kinds, rule):
    assert [remark.rule for remark in remarks_on(chain(*kinds))] == ([rule] if rule else [])


def test_a_sound_network_has_nothing_to_remark():
    module = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3)).eval()
    found = leakaudit.lint_model(module, X, predict=module)
    assert found.remarks == ()
    assert found.limits == ()
    assert [layer.type for layer in found.regularisers] == ["BatchNorm1d", "Dropout"]
    assert "nothing to remark" in str(found)


def test_a_forgotten_eval_is_measured_by_running_twice():
    module = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.4), nn.Linear(16, 3))
    assert rules(leakaudit.lint_model(module, X, predict=module)) == ["dropout-in-validation"]
    assert rules(leakaudit.lint_model(module, X, predict=lambda x: module.eval().forward(x))) == []
    assert module.training


def test_batch_norm_in_training_mode_is_measured_by_leaving_samples_out():
    module = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    before = [tensor.clone() for tensor in module.state_dict().values()]
    assert rules(leakaudit.lint_model(module, X, predict=module)) == ["batch-norm-in-validation"]
    assert all(torch.equal(a, b) for a, b in zip(before, module.state_dict().values(), strict=True))
    without = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16, track_running_stats=False), nn.Linear(16, 3))
    assert rules(leakaudit.lint_model(without, X)) == ["batch-statistics-in-evaluation"]


class Functional(nn.Module):
    """The output is registered first, so that the order of registration is not that of the pass."""

    def __init__(self, *, always: bool):
        super().__init__()
        self.out, self.first, self.drop, self.always = nn.Linear(8, 2), nn.Linear(6, 8), nn.Dropout(0.4), always

    def forward(self, x):
        x = self.drop(functional.relu(self.first(x)))
        return self.out(functional.dropout(x, 0.4, True if self.always else self.training))


def test_functions_are_seen_in_the_order_of_the_pass():
    found = leakaudit.lint_model(Functional(always=False), X)
    assert found.remarks == ()
    assert [layer.type for layer in found.layers] == ["Linear", "F.relu", "Dropout", "F.dropout", "Linear"]


def test_a_dropout_that_is_always_on():
    assert rules(leakaudit.lint_model(Functional(always=True), X)) == ["random-in-evaluation"]
    targets = torch.zeros(16, dtype=torch.long)
    found = leakaudit.attribute(Functional(always=True), [(X, targets)], [(X, targets)], loss=functional.cross_entropy)
    assert "random-in-evaluation" in [remark.rule for remark in found.remarks]
    assert "something random is always on" in str(found)


def test_without_a_batch_an_unknown_order_is_not_judged():
    found = leakaudit.lint_model(Functional(always=False))
    assert found.remarks == ()
    assert len(found.limits) == 2
    known = leakaudit.lint_model(nn.Sequential(nn.Linear(6, 3), nn.Dropout(0.3)))
    assert rules(known) == ["dropout-after-output"]


def test_noise_is_named_and_measured_by_itself():
    class GaussianNoise(nn.Module):
        def forward(self, x):
            return x + torch.randn_like(x) if self.training else x

    module = nn.Sequential(GaussianNoise(), nn.Linear(6, 3))
    assert str(leakaudit.lint_model(module, X).regularisers[0]) == "GaussianNoise `0`"
    targets = torch.zeros(16, dtype=torch.long)
    found = leakaudit.attribute(module, [(X, targets)], [(X, targets)], loss=functional.cross_entropy)
    assert [part.name for part in found.regularisers] == ["noise (0)"]


def test_validation_in_training_mode_stands_beside_and_a_forgotten_eval_is_told():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 2))
    with torch.no_grad():
        module[3].weight *= 8
    x = torch.randn(400, 6)
    targets = (x[:, 0] > 0).long()
    loader = [(x, targets)]
    first = leakaudit.attribute(module, loader, loader, loss=functional.cross_entropy)
    assert first.val_in_training is not None
    assert first.val_in_training.low > 0
    module.eval()
    bare = functional.cross_entropy(module(x), targets).item()
    for reported, expected in ((bare, []), (bare + first.val_in_training.value, ["validation-in-training-mode"])):
        found = leakaudit.attribute(module, loader, loader, loss=functional.cross_entropy, reported_val=reported)
        assert [remark.rule for remark in found.remarks if remark.severity == "error"] == expected
    assert "validation in training mode would add" in str(found)


def test_a_batch_of_one_and_a_network_of_one_batch_size():
    module = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 2))
    found = leakaudit.lint_model(module, X[:1])
    assert [layer.type for layer in found.layers] == ["Linear", "BatchNorm1d", "Dropout", "Linear"]
    targets = torch.zeros(16, dtype=torch.long)
    singly = [(X[i : i + 1], targets[i : i + 1]) for i in range(4)]
    own = leakaudit.attribute(module, [(X, targets)], singly, loss=functional.cross_entropy)
    assert own.val_in_training is None

    class Fixed(nn.Module):
        def forward(self, x):
            return x.reshape(16, 6).sum(1)

    assert leakaudit.lint_model(Fixed(), X).remarks == ()


def test_what_cannot_be_looked_at():
    with pytest.raises(ConfigError, match="torch module or a Keras model"):
        leakaudit.lint_model(np.zeros(3))
    with pytest.raises(ConfigError, match="needs a batch"):
        leakaudit.lint_model(nn.Linear(6, 3), predict=lambda x: x)
