"""A real run with Lightning: the file is written, the network trains as it would without the callback."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import leakaudit
from leakaudit.curves import read as read_history

torch = pytest.importorskip("torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lightning = pytest.importorskip("lightning.pytorch")

pytestmark = pytest.mark.filterwarnings("ignore")


class Network(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        nn = torch.nn
        self.net = nn.Sequential(nn.Linear(5, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 3))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, _):
        loss = torch.nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, _):
        self.log("val_loss", torch.nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


def loss(module, batch):
    return torch.nn.functional.cross_entropy(module(batch[0]), batch[1], reduction="none")


def trained(tmp_path, callbacks):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal((160, 5)).astype("float32"))
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    data = torch.utils.data.TensorDataset(x, y)
    train = torch.utils.data.DataLoader(torch.utils.data.Subset(data, range(128)), batch_size=16, shuffle=True)
    val = torch.utils.data.DataLoader(torch.utils.data.Subset(data, range(128, 160)), batch_size=16)
    module = Network()
    trainer = lightning.Trainer(
        max_epochs=3,
        accelerator="cpu",
        callbacks=callbacks,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
        num_sanity_val_steps=0,
    )
    trainer.fit(module, train, val)
    return module, trainer


def test_a_run(tmp_path):
    from leakaudit.callbacks.lightning import LeakauditCallback

    path = tmp_path / "leakaudit.csv"
    module, trainer = trained(tmp_path, [LeakauditCallback(loss, path=path, n_samples=64)])
    plain, _ = trained(tmp_path, [])
    for a, b in zip(module.state_dict().values(), plain.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    (history,) = read_history(path)
    assert len(history) == 3
    assert history.val_loss[-1] == pytest.approx(float(trainer.callback_metrics["val_loss"]))
    assert np.isfinite(history.train_loss).all()
    found = leakaudit.attribute(history=path)
    assert found.term("b").value > 0
    assert [term.letter for term in found.terms] == ["a", "b", "o"]
