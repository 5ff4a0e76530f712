"""What frameworks print for a run of known values; the shapes are those of their real output.

Each function gets rows of ``(train_loss, val_loss, train_accuracy, val_accuracy)`` and gives the text; `HOLDS` says
which of the four the text holds. Values have four decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Rows = Sequence[tuple[float, float, float, float]]
BAR = "━" * 20


def keras3(rows: Rows) -> str:
    """The bar, redrawn over itself, with colours, and ``model.evaluate`` at the end."""
    lines = []
    for i, (t, v, a, b) in enumerate(rows, 1):
        first = f"\x1b[1m 1/32\x1b[0m \x1b[37m{BAR}\x1b[0m \x1b[1m2s\x1b[0m 90ms/step - accuracy: 0.1 - loss: 9.1000"
        last = f"\x1b[1m32/32\x1b[0m \x1b[32m{BAR}\x1b[0m \x1b[1m1s\x1b[0m 9ms/step - accuracy: {a:.4f} - loss: {t:.4f}"
        back = "\x08" * 40 + "\r"
        done = f"{last} - val_accuracy: {b:.4f} - val_loss: {v:.4f}"
        lines += [f"Epoch {i}/{len(rows)}", f"{first}{back}{last}{back}{done}"]
    lines.append(f"10/10 {BAR} 0s 2ms/step - accuracy: 0.5000 - loss: 7.0000")
    return "\n".join(lines)


def keras2_without_bar(rows: Rows) -> str:
    lines = ["Train on 1000 samples, validate on 200 samples"]
    for i, (t, v, a, b) in enumerate(rows, 1):
        lines += [
            f"Epoch {i}/{len(rows)}",
            f" - 3s - loss: {t:.4f} - acc: {a:.4f} - val_loss: {v:.4f} - val_acc: {b:.4f}",
            f"Epoch {i:05d}: val_loss improved from 9.1 to {v:.4f}, saving model to w.{i:02d}-{v:.2f}.h5",
        ]
    return "\n".join([*lines, "Test loss: 0.51", "Test accuracy: 0.81"])


def torch_tutorial(rows: Rows) -> str:
    lines = []
    for i, (t, v, a, b) in enumerate(rows):
        lines += [f"Epoch {i}/{len(rows) - 1}", "-" * 10, f"train Loss: {t:.4f} Acc: {a:.4f}"]
        lines += [f"val Loss: {v:.4f} Acc: {b:.4f}", ""]
    return "\n".join([*lines, "Training complete in 1m 2s", "Best val Acc: 0.9990"])


def several_lines(rows: Rows) -> str:
    lines = []
    for i, (t, v, a, b) in enumerate(rows, 1):
        lines += [f"Epoch: {i:02} | Epoch Time: 0m 11s", f"\tTrain Loss: {t:.4f} | Train Acc: {100 * a:.2f}%"]
        lines.append(f"\t Val. Loss: {v:.4f} |  Val. Acc: {100 * b:.2f}%")
    return "\n".join(lines)


def mnist_example(rows: Rows) -> str:
    """Single batches, whose mean is the loss of the epoch."""
    lines = []
    for i, (t, v, _, b) in enumerate(rows, 1):
        for k, off in enumerate((0.02, 0.0, -0.02)):
            lines.append(f"Train Epoch: {i} [{k * 640}/60000 ({k}%)]\tLoss: {t + off:.6f}")
        right = round(10_000 * b)
        lines += ["", f"Test set: Average loss: {v:.4f}, Accuracy: {right}/10000 ({100 * b:.0f}%)", ""]
    return "\n".join(lines)


def imagenet_example(rows: Rows) -> str:
    """The batch's value, and in brackets the mean so far."""
    lines = []
    for i, (t, v, a, b) in enumerate(rows):
        for k, (loss, right) in enumerate(((8.0, 0.01), (t, a))):
            lines.append(
                f"Epoch: [{i}][{k * 390:3d}/391]\tTime  0.1 ( 0.2)\tLoss 9.9e+00 ({loss:.4e})\t"
                f"Acc@1  11.00 ( {100 * right:.2f})\tAcc@5  90.62 ( 95.00)"
            )
        lines.append(f"Test: [ 0/40]\tTime  1.0 ( 1.0)\tLoss 9.9e+00 ({v:.4e})\tAcc@1  50.00 ( {100 * b:.2f})")
        lines.append(f" *   Acc@1 {100 * b:.3f} Acc@5 93.000")
    return "\n".join(lines)


def one_line(rows: Rows) -> str:
    return "\n".join(
        f"Epoch [{i}/{len(rows)}], Train Loss: {t:.4f}, Val Loss: {v:.4f}, Train Acc: {100 * a:.2f}%, "
        f"Val Acc: {100 * b:.2f}%"
        for i, (t, v, a, b) in enumerate(rows, 1)
    )


def logged(rows: Rows) -> str:
    return "\n".join(
        f"2023-01-01 12:00:{i % 60:02},123 - INFO - epoch {i}: train_loss={t:.4f}, val_loss={v:.4f}, lr=1e-3"
        for i, (t, v, _, _) in enumerate(rows, 1)
    )


def labelled(rows: Rows) -> str:
    return "\n".join(
        f"[Epoch {i}] Train: loss {t:.4f} acc {a:.4f} | Val: loss {v:.4f} acc {b:.4f}"
        for i, (t, v, a, b) in enumerate(rows, 1)
    )


def without_epochs(rows: Rows) -> str:
    return "\n".join(line for t, v, _, _ in rows for line in (f"Train loss: {t:.4f}", f"Val loss: {v:.4f}"))


def leading_numbers(rows: Rows) -> str:
    return "\n".join(
        f"{i}/{len(rows)} train loss: {t:.4f}  val loss: {v:.4f}" for i, (t, v, _, _) in enumerate(rows, 1)
    )


def tqdm(rows: Rows) -> str:
    lines = []
    for i, (t, v, _, b) in enumerate(rows, 1):
        bar = f"Epoch {i}/{len(rows)}: "
        lines.append(
            f"{bar}  0%|   | 0/10 [00:00<?, ?it/s]\r{bar}100%|###| 10/10 [00:02<00:00, 5.00it/s, loss={t:.4f}]"
        )
        lines.append(f"Validation loss: {v:.4f}, accuracy: {b:.4f}")
    return "\n".join(lines)


def lightning_bar(rows: Rows) -> str:
    frames = []
    for i, (t, v, _, _) in enumerate(rows):
        end = "100%|███| 55/55 [00:01<00:00, 30.1it/s, v_num=0"
        frames.append(f"\rEpoch {i}: {end}, train_loss=9.0000]\rValidation DataLoader 0: 100%|██| 5/5 [00:00<00:00]")
        frames.append(f"\rEpoch {i}: {end}, train_loss={t:.4f}, val_loss={v:.4f}]")
    return "".join(frames)


def paddle_high_level(rows: Rows) -> str:
    lines = ["The loss value printed in the log is the current step, and the metric is the average of previous steps."]
    for i, (t, v, a, b) in enumerate(rows, 1):
        bar = "[==============================]"
        lines += [f"Epoch {i}/{len(rows)}", f"step 938/938 {bar} - loss: {t:.4f} - acc: {a:.4f} - 20ms/step          "]
        lines += ["Eval begin...", f"step 157/157 {bar} - loss: {v:.4f} - acc: {b:.4f} - 12ms/step          "]
        lines.append("Eval samples: 10000")
    return "\n".join(lines)


def paddle_tutorial(rows: Rows) -> str:
    lines = []
    for i, (t, v, _, b) in enumerate(rows):
        lines += [f"epoch: {i}, batch_id: {k}, loss is: [{t + off:.4f}]" for k, off in ((0, 0.01), (100, -0.01))]
        lines.append(f"[validation] accuracy/loss: {b:.4f}/{v:.4f}")
    return "\n".join(lines)


def paddle_clas(rows: Rows) -> str:
    lines = []
    for i, (t, v, a, b) in enumerate(rows, 1):
        said = "[2021/10/18 08:23:01] ppcls INFO: "
        lines += [
            f"{said}[Train][Epoch {i}/9][Iter: 0/10]lr: 0.0125, top1: 0.1, CELoss: 5.2, loss: 9.0, batch_cost: 3.1s",
            f"{said}[Train][Epoch {i}/9][Avg]top1: {a:.4f}, CELoss: 5.2, loss: {t:.4f}",
            f"{said}[Eval][Epoch {i}][Avg]CELoss: 4.2, loss: {v:.4f}, top1: {b:.4f}, top5: 0.99",
            f"{said}[Eval][Epoch {i}][best metric: 0.9990]",
        ]
    return "\n".join(lines)


def fairseq(rows: Rows) -> str:
    lines = []
    for i, (t, v, _, _) in enumerate(rows, 1):
        lines += [
            f"2021-03-01 10:00:00 | INFO | train_inner | epoch {i:03}:    100 / 390 loss=9.0, nll_loss=4.1, ppl=18.2",
            f"2021-03-01 10:01:00 | INFO | valid | epoch {i:03} | valid on 'valid' subset | loss {v:.4f} | nll_loss 3.2"
            " | ppl 9.1 | num_updates 390 | best_loss 0.01",
            f"2021-03-01 10:01:10 | INFO | train | epoch {i:03} | loss {t:.4f} | nll_loss 4.0 | ppl 17.0 | lr 0.0005",
        ]
    return "\n".join(lines)


def nanogpt(rows: Rows) -> str:
    lines = []
    for i, (t, v, _, _) in enumerate(rows):
        lines += [f"step {i * 250}: train loss {t:.4f}, val loss {v:.4f}", "saving checkpoint to out"]
        lines += [f"iter {i * 250 + k}: loss 9.0000, time 120.11ms, mfu 3.20%" for k in (10, 20)]
    return "\n".join(lines)


def hugging_face(rows: Rows) -> str:
    lines = []
    for i, (t, v, _, b) in enumerate(rows, 1):
        lines.append(f"{{'loss': {t:.4f}, 'grad_norm': 1.2, 'learning_rate': 4.5e-05, 'epoch': {i}.0}}")
        lines.append(f"{{'eval_loss': {v:.4f}, 'eval_accuracy': {b:.4f}, 'eval_runtime': 3.2, 'epoch': {i}.0}}")
    lines.append("{'train_runtime': 100.0, 'train_samples_per_second': 3.0, 'train_loss': 9.0, 'epoch': 8.0}")
    return "\n".join(lines)


def fastai(rows: Rows) -> str:
    lines = ["epoch     train_loss  valid_loss  accuracy  time    "]
    lines += [f"{i:<9} {t:.6f}    {v:.6f}    {b:.6f}  00:03     " for i, (t, v, _, b) in enumerate(rows)]
    return "\n".join(lines)


def skorch(rows: Rows) -> str:
    lines = ["  epoch    train_loss    valid_acc    valid_loss    cp     dur"]
    lines.append("-------  ------------  -----------  ------------  ----  ------")
    for i, (t, v, _, b) in enumerate(rows, 1):
        mark = "   +" if i % 2 else "    "
        lines.append(
            f"      {i}        \x1b[36m{t:.4f}\x1b[0m       {b:.4f}        \x1b[35m{v:.4f}\x1b[0m  {mark}  0.0242"
        )
    return "\n".join(lines)


def xgboost(rows: Rows) -> str:
    return "\n".join(f"[{i}]\ttrain-rmse:{t:.5f}\teval-rmse:{v:.5f}" for i, (t, v, _, _) in enumerate(rows))


def lightgbm(rows: Rows) -> str:
    lines = [
        "[LightGBM] [Info] Number of data points: 100",
        "Training until validation scores don't improve for 5 rounds",
    ]
    lines += [f"[{i}]\ttraining's l2: {t:.4f}\tvalid_1's l2: {v:.4f}" for i, (t, v, _, _) in enumerate(rows, 1)]
    return "\n".join([*lines, "Early stopping, best iteration is:", lines[2]])


def catboost(rows: Rows) -> str:
    lines = [
        f"{i}:\tlearn: {t:.4f}\ttest: {v:.4f}\tbest: 0.0100 (0)\ttotal: 60ms\tremaining: 1m 2s"
        for i, (t, v, _, _) in enumerate(rows)
    ]
    return "\n".join([*lines, "", "bestTest = 0.01", "bestIteration = 0"])


def ignite(rows: Rows) -> str:
    lines = []
    for i, (t, v, a, b) in enumerate(rows, 1):
        lines.append(f"Epoch[{i}] Iteration[10/100] Loss: 9.00")
        lines.append(f"Training Results - Epoch: {i}  Avg accuracy: {a:.4f} Avg Loss: {t:.4f}")
        lines.append(f"Validation Results - Epoch: {i}  Avg accuracy: {b:.4f} Avg Loss: {v:.4f}")
    return "\n".join(lines)


def only_splits(rows: Rows) -> str:
    return "\n".join(f"  Epoch {i:02d}/50 | train={t:.4f} | val={v:.4f} | 3.2s" for i, (t, v, _, _) in enumerate(rows))


def sentences(rows: Rows) -> str:
    return "\n".join(
        f"Epoch {i}: Train Loss: {t:.4f}. Valid Loss: {v:.4f}. Valid Accuracy: {b:.4f}."
        for i, (t, v, _, b) in enumerate(rows)
    )


def of_many_iterations(rows: Rows) -> str:
    lines = []
    for i, (t, v, _, b) in enumerate(rows, 1):
        lines.append(f"[{2000 * i}/300000] Train loss: {t:.5f}, Valid loss: {v:.5f}, Elapsed_time: 404.18034")
        lines += [f"Current_accuracy : {100 * b:.3f}, Current_norm_ED  : 0.99", "Best_accuracy    : 99.900"]
    return "\n".join(lines)


def table_of_a_readme(rows: Rows) -> str:
    lines = ["# Results", "", "| epoch | train loss | val loss | val acc |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {i} | {t:.4f} | {v:.4f} | {b:.4f} |" for i, (t, v, _, b) in enumerate(rows))])


def opennmt(rows: Rows) -> str:
    """Steps of training go on after the lines of validation; what both have is a perplexity."""
    lines = []
    for i, (t, v, a, b) in enumerate(rows, 1):
        lines += [
            f"[2023-05-01 10:00:00,123 INFO] Step {1000 * i}/60000; acc: 9.0; ppl: 9.00; xent: 9.00; lr: 0.0001; 9 s;",
            "[2023-05-01 10:02:00,123 INFO] valid stats calculation",
            f"[2023-05-01 10:02:00,123 INFO] Train perplexity: {t:.4f}",
            f"[2023-05-01 10:02:00,124 INFO] Train accuracy: {100 * a:.4f}",
            f"[2023-05-01 10:02:10,124 INFO] Validation perplexity: {v:.4f}",
            f"[2023-05-01 10:02:10,124 INFO] Validation accuracy: {100 * b:.4f}",
        ]
    return "\n".join(lines)


def estimator(rows: Rows) -> str:
    lines = []
    for i, (t, v, _, b) in enumerate(rows):
        lines.append(f"INFO:tensorflow:loss = {t:.4f}, step = {100 * i} (1.234 sec)")
        saved = f"accuracy = {b:.4f}, global_step = {100 * i}, loss = {v:.4f}"
        lines.append(f"INFO:tensorflow:Saving dict for global step {100 * i}: {saved}")
    return "\n".join(lines)


HOLDS: dict[Callable[[Rows], str], str] = {
    keras3: "tvab",
    keras2_without_bar: "tvab",
    torch_tutorial: "tvab",
    several_lines: "tvab",
    mnist_example: "tvb",
    imagenet_example: "tvab",
    one_line: "tvab",
    logged: "tv",
    labelled: "tvab",
    without_epochs: "tv",
    leading_numbers: "tv",
    tqdm: "tvb",
    lightning_bar: "tv",
    paddle_high_level: "tvab",
    paddle_tutorial: "tvb",
    paddle_clas: "tvab",
    fairseq: "tv",
    nanogpt: "tv",
    hugging_face: "tvb",
    fastai: "tvb",
    skorch: "tvb",
    xgboost: "tv",
    lightgbm: "tv",
    catboost: "tv",
    ignite: "tvab",
    only_splits: "tv",
    sentences: "tvb",
    of_many_iterations: "tvb",
    table_of_a_readme: "tvb",
    opennmt: "tvab",
    estimator: "tvb",
}
