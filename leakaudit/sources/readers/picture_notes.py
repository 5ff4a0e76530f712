"""What annotation files of one picture say: Pascal-VOC XML and LabelMe JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from leakaudit.sources.beside import Annotation
from leakaudit.sources.readers.small_xml import Element, parse_xml
from leakaudit.sources.told import Box


def parse_voc(data: bytes) -> Annotation:
    """Objects of a Pascal-VOC file."""
    try:
        root = parse_xml(data)
    except ValueError as error:
        return Annotation(bad=str(error))
    size = next(iter(root.all("size")), Element("size"))
    width, height = number(size.value("width")), number(size.value("height"))
    boxes = []
    for each in root.all("object"):
        box = next(iter(each.all("bndbox")), Element("bndbox"))
        left, top = number(box.value("xmin")), number(box.value("ymin"))
        right, bottom = number(box.value("xmax")), number(box.value("ymax"))
        boxes.append(Box(each.value("name") or "?", left, top, right - left, bottom - top))
    return Annotation(tuple(boxes), n_outside(boxes, width, height))


def parse_labelme(data: bytes) -> Annotation:
    """Shapes of a LabelMe file; the box is that around the points."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return Annotation(bad="no JSON")
    if not isinstance(value, dict) or not isinstance(value.get("shapes"), list):
        return Annotation(bad="no list of shapes")
    boxes = []
    for shape in value["shapes"]:
        if isinstance(shape, dict):
            points = [each for each in shape.get("points") or () if isinstance(each, list) and len(each) == 2]
            xs, ys = [number(x) for x, _ in points] or [0.0], [number(y) for _, y in points] or [0.0]
            boxes.append(Box(str(shape.get("label", "?")), min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)))
    flags = value.get("flags")
    if not boxes and isinstance(flags, dict):  # a class of the whole picture
        boxes = [Box(str(name), 0.0, 0.0, 0.0, 0.0) for name, is_set in flags.items() if is_set is True]
    return Annotation(tuple(boxes), n_outside(boxes, number(value.get("imageWidth")), number(value.get("imageHeight"))))


def n_outside(boxes: Sequence[Box], width: float, height: float) -> int:
    """Boxes that reach more than a pixel out of a picture; none where its size is unknown."""
    if width <= 0 or height <= 0:
        return 0
    return sum(
        min(box.x, box.y) < -1 or box.x + box.width > width + 1 or box.y + box.height > height + 1 for box in boxes
    )


def number(told: object) -> float:
    """A number, written or not; 0 for anything else."""
    try:
        return float(told) if isinstance(told, (str, int, float)) else 0.0
    except ValueError:
        return 0.0
