"""The network of the probe, on the CPU; the path of the GPU with augmentation runs there, too."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra leakaudit[torch]")

from leakaudit.probe import training_torch  # noqa: E402
from leakaudit.probe.images_torch import TorchPictures  # noqa: E402
from leakaudit.probe.learner import Job  # noqa: E402
from leakaudit.probe.network_torch import augmented, moves  # noqa: E402

N = 60
TRAIN, EVERY, VAL = np.arange(45), np.arange(N), np.arange(45, N)


GPU_LIKE = {"augment": True, "half": True, "batch": 16}
"""What a GPU is given, but for the device."""


def learner(n_classes=3, channels=3, **kwargs):
    rng = np.random.default_rng(0)
    codes = np.arange(N) % 3
    pictures = rng.integers(0, 200, (N, channels, 32, 32)).astype(np.uint8)
    pictures[:, :, :8] += (codes * 25).astype(np.uint8)[:, None, None, None]
    values = (codes - codes.mean()) / codes.std()
    return TorchPictures(pictures, codes if n_classes else np.full(N, -1), n_classes, values, epochs=3, **kwargs)


@pytest.mark.parametrize("kwargs", [{}, {"n_classes": 0}, {"channels": 1}, GPU_LIKE])
def test_a_job_gives_the_same_numbers_every_time(kwargs):
    before = torch.get_rng_state()
    job = Job(TRAIN, EVERY, 5, watched=VAL)
    first, again = learner(**kwargs).fit(job), learner(**kwargs).fit(job)
    assert (first.loss == again.loss).all()
    assert np.isfinite(first.loss).all()
    assert first.loss.dtype == np.float64
    assert torch.equal(torch.get_rng_state(), before)
    assert sum(first.regularisers.values()) == pytest.approx(first.train_mode - first.loss[TRAIN].mean(), abs=1e-5)
    assert list(first.regularisers) == (["augmentation"] if kwargs.get("augment") else []) + ["batch normalisation"]
    assert len(first.curve.epoch) == 3


def test_it_does_not_matter_what_is_trained_beside():
    from concurrent.futures import ThreadPoolExecutor

    data, jobs = learner(), [Job(TRAIN, EVERY, seed) for seed in range(4)]
    alone = [data.fit(job).loss for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = [fit.loss for fit in pool.map(data.fit, jobs)]
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_half_precision_is_only_a_little_less_exact():
    job = Job(TRAIN, EVERY, 5)
    exact, half = (learner(batch=16, augment=True, half=half).fit(job).loss for half in (False, True))
    assert (exact != half).any()
    assert np.corrcoef(exact, half)[0, 1] > 0.9


def test_threads_of_the_process_are_left_as_they_were():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    learner().fit(Job(TRAIN, VAL, 0))
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert after == 2


def test_a_full_gpu_is_told_apart_from_a_defect(monkeypatch):
    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(TorchPictures, "_fit", full)
    with pytest.raises(MemoryError, match="--probe cpu"):
        learner().fit(Job(TRAIN, VAL, 0))


def test_a_thousand_classes():
    truth = np.arange(1_000)
    grain = np.random.default_rng(0).integers(0, 255, (1_000, 1, 32, 32)).astype(np.uint8)
    data = TorchPictures(grain, truth, 1_000, np.zeros(1_000), epochs=1)
    assert np.isfinite(data.fit(Job(truth[:300], truth[250:350], 0)).loss).all()


def test_a_last_batch_of_one_and_ticks():
    ticks = []
    data = learner(batch=44)
    data.fit(Job(TRAIN, VAL, 0), lambda: ticks.append(1))
    assert len(ticks) == data.ticks == 3


@pytest.mark.parametrize("kwargs", [GPU_LIKE, {"batch": 16}, {"batch": 16, "n_classes": 0}])
def test_steps_that_are_replayed_learn_the_same(kwargs, monkeypatch):
    """The recording itself needs a GPU; what is copied into its place and when, does not."""
    recorded = []

    def record(work):
        recorded.append(work)

        def replay():  # a recording writes gradients anew
            work.func.__self__.optimizer.zero_grad(set_to_none=True)
            work()

        return replay

    monkeypatch.setattr(training_torch, "record", record)
    plain, replayed = (training_torch.Training(learner(**kwargs), 3) for _ in range(2))
    replayed.records = True
    for epoch in (1, 2, 3):
        assert plain.epoch(TRAIN, epoch, VAL) == replayed.epoch(TRAIN, epoch, VAL)
    assert len(recorded) == 1
    assert (plain.outputs(EVERY) == replayed.outputs(EVERY)).all()


def gpu_learner(**kwargs):
    """Enough pictures for whole batches, and a rest."""
    rng = np.random.default_rng(1)
    codes = np.arange(700) % 4
    pictures = rng.integers(0, 120, (700, 3, 32, 32)).astype(np.uint8)
    pictures[:, :, :8] += (codes * 40).astype(np.uint8)[:, None, None, None]
    wanted = {"epochs": 6, "batch": 64, "device": "cuda", "augment": True, "half": True, **kwargs}
    return TorchPictures(pictures, codes, 4, np.zeros(700), **wanted)


GPU_JOB = Job(np.arange(550), np.arange(700), 5, watched=np.arange(550, 700))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_the_same_job_gives_the_same_numbers():
    first, again = gpu_learner().fit(GPU_JOB), gpu_learner().fit(GPU_JOB)
    assert (first.loss == again.loss).all()
    assert first.curve.val_accuracy[-1] > 0.9
    assert first.train_mode == again.train_mode


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_replayed_steps_learn_what_launched_ones_learn(monkeypatch):
    replayed = gpu_learner().fit(GPU_JOB)
    monkeypatch.setattr(training_torch, "WARM_STEPS", 1_000_000)
    launched = gpu_learner().fit(GPU_JOB)
    assert np.allclose(replayed.curve.train_loss, launched.curve.train_loss, rtol=0.02)
    assert np.allclose(replayed.loss, launched.loss, rtol=0.1, atol=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_and_cpu_learn_alike():
    settings = {"augment": False, "half": False}
    of_gpu, of_cpu = (gpu_learner(device=device, **settings).fit(GPU_JOB) for device in ("cuda", "cpu"))
    assert np.allclose(of_gpu.curve.train_loss[0], of_cpu.curve.train_loss[0], rtol=0.05)
    assert np.corrcoef(of_gpu.loss, of_cpu.loss)[0, 1] > 0.8


def test_augmentation_moves_and_mirrors_but_keeps_the_values():
    pictures = torch.arange(32 * 32, dtype=torch.float32).reshape(1, 1, 32, 32).repeat(40, 2, 1, 1)
    moved = augmented(pictures, moves(40, torch.Generator().manual_seed(0)))
    assert moved.shape == pictures.shape
    assert set(moved.unique().tolist()) <= set(pictures.unique().tolist())
    assert len({row.numpy().tobytes() for row in moved}) > 20
