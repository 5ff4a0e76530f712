"""The same twelve pictures laid out in the ways that people have; import as ``from picture_sets import SETS``.

Eight train and four validation pictures of two classes, ``p00`` … ``p11``; a builder writes them into a folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from shards import picture

N, N_TRAIN = 12, 8
NAMES = [f"p{i:02d}" for i in range(N)]
SPLITS = ["train"] * N_TRAIN + ["val"] * (N - N_TRAIN)
CLASSES = ["dog" if i % 2 else "cat" for i in range(N)]


def pictures(leaky: bool) -> list[bytes]:
    """Pictures of which none are alike, or one validation picture that is a train picture."""
    made = [picture(i) for i in range(N)]
    if leaky:
        made[N_TRAIN] = made[3]
    return made


def put(root: Path, name: str, content: bytes | str | object) -> None:
    """Write a file: bytes, text, or anything else as JSON."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def flat(root: Path, made: Sequence[bytes], folder: str = "images") -> None:
    """All pictures in one folder."""
    in_folders(root, made, lambda split, label: folder)


def in_folders(root: Path, made: Sequence[bytes], folder: Callable[[str, str], str]) -> None:
    """Each picture in the folder of its split and class."""
    for i in range(N):
        put(root, f"{folder(SPLITS[i], CLASSES[i])}/{NAMES[i]}.png", made[i])


def ids(split: str) -> list[int]:
    return [i for i in range(N) if SPLITS[i] == split]


# --- lists and tables -------------------------------------------------------------------------------------------


def csv_of_stems(root: Path, made: Sequence[bytes]) -> None:
    flat(root, made, "pics/all")
    rows = [f"{NAMES[i]},{CLASSES[i]},{SPLITS[i]},{20 + i}" for i in range(N)]
    put(root, "labels.csv", "image_id,label,split,age\n" + "\n".join(rows) + "\n")


def csv_a_split(root: Path, made: Sequence[bytes]) -> None:
    flat(root, made)
    for split in ("train", "val"):
        rows = [f"{NAMES[i]}.png,{CLASSES[i]}" for i in ids(split)]
        put(root, f"{split}.csv", "Id,label\n" + "\n".join(rows) + "\n")


def kaggle(root: Path, made: Sequence[bytes]) -> None:
    """train.csv has labels; the pictures of the held-out part are named by nothing."""
    in_folders(root, made, lambda split, label: split)
    rows = [f"{NAMES[i]},{CLASSES[i]}" for i in ids("train")]
    put(root, "train.csv", "id_code,diagnosis\n" + "\n".join(rows) + "\n")
    put(root, "sample_submission.csv", "id_code,diagnosis\n" + "".join(f"{NAMES[i]},cat\n" for i in ids("val")))


def hub_metadata(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: split)
    for split in ("train", "val"):
        lines = [json.dumps({"file_name": f"{NAMES[i]}.png", "label": CLASSES[i]}) for i in ids(split)]
        put(root, f"{split}/metadata.jsonl", "\n".join(lines) + "\n")


def hub_metadata_at_the_root(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: split)
    rows = [f"{SPLITS[i]}/{NAMES[i]}.png,{CLASSES[i]}" for i in range(N)]
    put(root, "metadata.csv", "file_name,label\n" + "\n".join(rows) + "\n")


def csv_one_hot(root: Path, made: Sequence[bytes]) -> None:
    """As Roboflow exports classes: a column of 0 and 1 each, blanks behind the commas."""
    in_folders(root, made, lambda split, label: {"train": "train", "val": "valid"}[split])
    for split, folder in (("train", "train"), ("val", "valid")):
        rows = [f"{NAMES[i]}.png, {int(CLASSES[i] == 'cat')}, {int(CLASSES[i] == 'dog')}" for i in ids(split)]
        put(root, f"{folder}/_classes.csv", "filename, cat, dog\n" + "\n".join(rows) + "\n")


def csv_with_lists(root: Path, made: Sequence[bytes]) -> None:
    """One table of all pictures, the splits in lists of names (NIH Chest X-ray)."""
    for i in range(N):
        put(root, f"images_{i % 3}/images/{NAMES[i]}.png", made[i])
    rows = [f"{NAMES[i]}.png,{CLASSES[i]},{40 + i}" for i in range(N)]
    put(root, "entries.csv", "Image Index,Finding Labels,Patient Age\n" + "\n".join(rows) + "\n")
    for split, name in (("train", "train_list"), ("val", "val_list")):
        put(root, f"{name}.txt", "".join(f"{NAMES[i]}.png\n" for i in ids(split)))


def list_of_splits(root: Path, made: Sequence[bytes]) -> None:
    """One list that says the split of each picture, with titles (DeepFashion)."""
    in_folders(root, made, lambda split, label: f"img/{label}")
    rows = [f"img/{CLASSES[i]}/{NAMES[i]}.png  {SPLITS[i]}" for i in range(N)]
    put(root, "list_eval_partition.txt", f"{N}\nimage_name evaluation_status\n" + "\n".join(rows) + "\n")


def numbered_lists(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"images/{label}s")
    put(root, "images.txt", "".join(f"{i + 1} {CLASSES[i]}s/{NAMES[i]}.png\n" for i in range(N)))
    put(root, "train_test_split.txt", "".join(f"{i + 1} {int(SPLITS[i] == 'train')}\n" for i in range(N)))
    put(root, "image_class_labels.txt", "".join(f"{i + 1} {1 + (CLASSES[i] == 'dog')}\n" for i in range(N)))
    put(root, "classes.txt", "1 cat\n2 dog\n")


def class_folders_and_a_list(root: Path, made: Sequence[bytes]) -> None:
    """Class folders in train alone; a list beside the pictures of val says theirs (Tiny ImageNet)."""
    in_folders(root, made, lambda split, label: f"train/{label}/images" if split == "train" else "val/images")
    rows = "".join(f"{NAMES[i]}.png\t{CLASSES[i]}\t0\t0\t62\t62\n" for i in ids("val"))
    put(root, "val/val_annotations.txt", rows)


def lists_of_stems(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"images/{label}")
    for split in ("train", "val"):
        put(root, f"splits/{split}.txt", "".join(f"{NAMES[i]}\n" for i in ids(split)))


def lists_with_labels(root: Path, made: Sequence[bytes]) -> None:
    flat(root, made, "data")
    for split in ("train", "val"):
        put(root, f"{split}_list.txt", "".join(f"data/{NAMES[i]}.png {CLASSES[i]}\n" for i in ids(split)))


def split_json(root: Path, made: Sequence[bytes]) -> None:
    flat(root, made)
    put(
        root, "split.json", {split: [[f"{NAMES[i]}.png", CLASSES[i]] for i in ids(split)] for split in ("train", "val")}
    )


def split_json_by_name(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"images/{label}")
    put(root, "splits.json", dict(zip(NAMES, SPLITS, strict=True)))


# --- annotations ------------------------------------------------------------------------------------------------


def yolo_row(i: int) -> str:
    return f"{int(CLASSES[i] == 'dog')} 0.5 0.5 0.25 0.5\n"


def yolo(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"images/{split}")
    for i in range(N):
        put(root, f"labels/{SPLITS[i]}/{NAMES[i]}.txt", yolo_row(i))
    put(root, "data.yaml", "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n")


def yolo_wrong_paths(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"{'validate' if split == 'val' else split}/images")
    for i in range(N):
        put(root, f"{'validate' if SPLITS[i] == 'val' else 'train'}/labels/{NAMES[i]}.txt", yolo_row(i))
    put(root, "data.yaml", "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['cat', 'dog']\n")


def yolo_lists(root: Path, made: Sequence[bytes]) -> None:
    flat(root, made)
    for i in range(N):
        put(root, f"labels/{NAMES[i]}.txt", yolo_row(i))
    for split in ("train", "val"):
        put(root, f"{split}.txt", "".join(f"./images/{NAMES[i]}.png\n" for i in ids(split)))
    put(root, "my.yaml", "train: train.txt\nval: val.txt\nnames: [cat, dog]\n")


def darknet(root: Path, made: Sequence[bytes]) -> None:
    """Label files beside the pictures, lists with paths of another machine, and names of classes."""
    in_folders(root, made, lambda split, label: f"obj_{split}_data")
    for i in range(N):
        put(root, f"obj_{SPLITS[i]}_data/{NAMES[i]}.txt", yolo_row(i))
    for split in ("train", "val"):
        put(root, f"{split}.txt", "".join(f"data/obj_{split}_data/{NAMES[i]}.png\n" for i in ids(split)))
    put(root, "obj.names", "cat\ndog\n")


def coco_of(numbers: Sequence[int]) -> dict[str, object]:
    return {
        "images": [{"id": i, "file_name": f"{NAMES[i]}.png", "width": 64, "height": 64} for i in numbers],
        "annotations": [
            {"id": i, "image_id": i, "category_id": 1 + (CLASSES[i] == "dog"), "bbox": [4, 4, 20, 20]} for i in numbers
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }


def coco_flat(root: Path, made: Sequence[bytes]) -> None:
    flat(root, made)
    for split in ("train", "val"):
        put(root, f"annotations/instances_{split}.json", coco_of(ids(split)))
        put(root, f"annotations/captions_{split}.json", {"images": [], "annotations": []})


def coco_2017(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"{split}2017")
    for split in ("train", "val"):
        put(root, f"annotations/instances_{split}2017.json", coco_of(ids(split)))


def coco_nested(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"coco/images/{split}2017")
    for split in ("train", "val"):
        put(root, f"coco/annotations/instances_{split}2017.json", coco_of(ids(split)))


def coco_roboflow(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: "valid" if split == "val" else split)
    for split in ("train", "val"):
        folder = "valid" if split == "val" else split
        put(root, f"{folder}/_annotations.coco.json", coco_of(ids(split)))


def coco_over_folders(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: split)
    put(root, "annotations.json", coco_of(range(N)))


def voc_xml(i: int) -> str:
    box = "<bndbox><xmin>4</xmin><ymin>4</ymin><xmax>30</xmax><ymax>30</ymax></bndbox>"
    size = "<size><width>64</width><height>64</height></size>"
    return f"<annotation>{size}<object><name>{CLASSES[i]}</name>{box}</object></annotation>"


def voc(root: Path, made: Sequence[bytes]) -> None:
    flat(root, made, "JPEGImages")
    for i in range(N):
        put(root, f"Annotations/{NAMES[i]}.xml", voc_xml(i))
    for split in ("train", "val"):
        put(root, f"ImageSets/Segmentation/{split}.txt", "".join(f"{NAMES[i]}\n" for i in ids(split)))


def voc_beside(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: split)
    for i in range(N):
        put(root, f"{SPLITS[i]}/{NAMES[i]}.xml", voc_xml(i))


def labelme(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"{split}/images")
    for i in range(N):
        shape = {"label": CLASSES[i], "points": [[1, 1], [9, 1], [9, 9]]}
        put(root, f"{SPLITS[i]}/annotations/{NAMES[i]}.json", {"imagePath": f"{NAMES[i]}.png", "shapes": [shape]})


def cvat(root: Path, made: Sequence[bytes]) -> None:
    flat(root, made)
    images = [
        f'<image id="{i}" name="{NAMES[i]}.png" subset="{"Train" if SPLITS[i] == "train" else "Validation"}">'
        f'<box label="{CLASSES[i]}" xtl="1" ytl="1" xbr="9" ybr="9"/></image>'
        for i in range(N)
    ]
    put(
        root,
        "annotations.xml",
        f"<?xml version='1.0'?><annotations><version>1.1</version>{''.join(images)}</annotations>",
    )


def label_studio(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: split)
    tasks = [
        {
            "id": i,
            "annotations": [{"result": [{"type": "choices", "value": {"choices": [CLASSES[i]]}}]}],
            "data": {"image": f"/data/upload/1/0a1b2c3d-{NAMES[i]}.png"},
        }
        for i in range(N)
    ]
    put(root, "project-1-at-2024.json", tasks)


# --- masks and domains ------------------------------------------------------------------------------------------


def mask() -> bytes:
    """The same for every picture: masks that were taken for samples would all be copies."""
    import io

    cells = np.zeros((64, 64), dtype=np.uint8)
    cells[10:40, 20:50] = 255
    file = io.BytesIO()
    Image.fromarray(cells).save(file, "PNG")
    return file.getvalue()


def masks_in_folders(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"{split}/images")
    for i in range(N):
        put(root, f"{SPLITS[i]}/masks/{NAMES[i]}.png", mask())


def masks_around_splits(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"{split}_images")
    for i in range(N):
        put(root, f"{SPLITS[i]}_masks/{NAMES[i]}_mask.png", mask())


def masks_run_together(root: Path, made: Sequence[bytes]) -> None:
    """As CamVid has them."""
    in_folders(root, made, lambda split, label: split)
    for i in range(N):
        put(root, f"{SPLITS[i]}annot/{NAMES[i]}.png", mask())


def masks_of_several_kinds(root: Path, made: Sequence[bytes]) -> None:
    """As Cityscapes has them."""
    for i in range(N):
        put(root, f"leftImg8bit/{SPLITS[i]}/town/{NAMES[i]}_leftImg8bit.png", made[i])
        for kind in ("labelIds", "color"):
            put(root, f"gtFine/{SPLITS[i]}/town/{NAMES[i]}_gtFine_{kind}.png", mask())


def masks_by_suffix(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: split)
    for i in range(N):
        put(root, f"{SPLITS[i]}/{NAMES[i]}_seg.png", mask())


def masks_with_lists(root: Path, made: Sequence[bytes]) -> None:
    flat(root, made)
    for i in range(N):
        put(root, f"masks/{NAMES[i]}.png", mask())
    for split in ("train", "val"):
        put(root, f"{split}.txt", "".join(f"images/{NAMES[i]}.png masks/{NAMES[i]}.png\n" for i in ids(split)))


def masks_with_foreign_paths(root: Path, made: Sequence[bytes]) -> None:
    """The lists name pictures and masks as they lay on another machine (CamVid)."""
    in_folders(root, made, lambda split, label: split)
    for i in range(N):
        put(root, f"{SPLITS[i]}annot/{NAMES[i]}.png", mask())
    for split in ("train", "val"):
        lines = [
            f"/SegNet/CamVid/{split}/{NAMES[i]}.png /SegNet/CamVid/{split}annot/{NAMES[i]}.png" for i in ids(split)
        ]
        put(root, f"{split}.txt", "\n".join(lines) + "\n")


def domains(root: Path, made: Sequence[bytes]) -> None:
    in_folders(root, made, lambda split, label: f"{split}{'A' if label == 'cat' else 'B'}")


def nnunet(root: Path, made: Sequence[bytes]) -> None:
    for i in range(N):
        folder = "Tr" if SPLITS[i] == "train" else "Ts"
        put(root, f"images{folder}/{NAMES[i]}_0000.png", made[i])
        put(root, f"labels{folder}/{NAMES[i]}.png", mask())
    put(root, "dataset.json", {"channel_names": {"0": "R"}, "labels": {"background": 0}, "numTraining": N_TRAIN})


Builder = Callable[[Path, Sequence[bytes]], None]
BOTH, TRAIN_ONLY, NONE = "both", "train", "none"
SETS: dict[str, tuple[Builder, str, str]] = {
    "csv of stems": (csv_of_stems, "manifest", BOTH),
    "csv a split": (csv_a_split, "manifest", BOTH),
    "kaggle": (kaggle, "manifest", TRAIN_ONLY),
    "hub metadata": (hub_metadata, "manifest", BOTH),
    "hub metadata at the root": (hub_metadata_at_the_root, "manifest", BOTH),
    "csv of 0 and 1": (csv_one_hot, "manifest", BOTH),
    "csv with lists": (csv_with_lists, "manifest", BOTH),
    "a list of splits": (list_of_splits, "id-lists", BOTH),
    "numbered lists": (numbered_lists, "numbered-lists", BOTH),
    "class folders and a list": (class_folders_and_a_list, "image-folders", BOTH),
    "lists of stems": (lists_of_stems, "id-lists", BOTH),
    "lists with labels": (lists_with_labels, "id-lists", BOTH),
    "split.json": (split_json, "list-json", BOTH),
    "split.json by name": (split_json_by_name, "list-json", BOTH),
    "yolo": (yolo, "yolo", BOTH),
    "yolo with wrong paths": (yolo_wrong_paths, "yolo", BOTH),
    "yolo lists": (yolo_lists, "yolo", BOTH),
    "coco flat": (coco_flat, "coco", BOTH),
    "coco 2017": (coco_2017, "coco", BOTH),
    "darknet": (darknet, "yolo", BOTH),
    "coco below": (coco_nested, "coco", BOTH),
    "coco of roboflow": (coco_roboflow, "coco", BOTH),
    "coco over folders": (coco_over_folders, "coco", BOTH),
    "voc": (voc, "pascal-voc", BOTH),
    "voc beside": (voc_beside, "picture-annotations", BOTH),
    "labelme": (labelme, "picture-annotations", BOTH),
    "cvat": (cvat, "label-export", BOTH),
    "label studio": (label_studio, "label-export", BOTH),
    "masks in folders": (masks_in_folders, "image-masks", NONE),
    "masks around splits": (masks_around_splits, "image-masks", NONE),
    "masks run together": (masks_run_together, "image-masks", NONE),
    "masks of several kinds": (masks_of_several_kinds, "image-masks", NONE),
    "masks by suffix": (masks_by_suffix, "image-masks", NONE),
    "masks with lists": (masks_with_lists, "id-lists", NONE),
    "masks with foreign paths": (masks_with_foreign_paths, "id-lists", NONE),
    "domains": (domains, "two-domains", BOTH),
    "nnU-Net": (nnunet, "nnu-net", NONE),
}
"""Builder, name of the layout, and which splits have labels."""
