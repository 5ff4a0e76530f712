"""DICOM and NIfTI files as arrays of one sample: what their headers say, and their numbers.

pydicom (``leakaudit[dicom]``) and nibabel (``leakaudit[nifti]``) read them. Nothing but pixels, shape, patient and
study is looked at, and no name of a patient is kept.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from leakaudit.errors import MissingExtraError
from leakaudit.sources import storage

VolumeKind = Literal["dicom", "nifti"]

MEMBER = "::"
"""Begins the name under which a volume is an array of its file: no format of arrays gives such names."""

MOST_TIMES = 1_000
"""A packed volume may be so many times as large once unpacked: masks and empty margins shrink that far, and deflate no
further."""

_NIFTI = (".nii", ".nii.gz")
_DICOM = (".dcm", ".dicom", ".dcm.gz")


@dataclass(frozen=True, slots=True)
class VolumeInfo:
    """What the header of a file says.

    Parameters
    ----------
    shape : tuple of int
        Of its numbers: two axes, three with colour or slices.
    patient, study : str or None
        ``PatientID`` and ``StudyInstanceUID`` of DICOM.
    """

    shape: tuple[int, ...]
    patient: str | None = None
    study: str | None = None


def volume_kind(name: str) -> VolumeKind | None:
    """What a file is by its name.

    >>> volume_kind("a/CT1.DCM"), volume_kind("brain.nii.gz"), volume_kind("a.png")
    ('dicom', 'nifti', None)
    """
    lower = name.lower()
    return "nifti" if lower.endswith(_NIFTI) else "dicom" if lower.endswith(_DICOM[:2]) else None


def begins_as_dicom(path: str) -> bool:
    """Whether a file without an ending has the mark of DICOM behind its preamble."""
    return storage.first_bytes(os.fsencode(path), 132)[128:] == b"DICM"


def read_info(path: str, kind: VolumeKind) -> VolumeInfo:
    """What the header says, without the pixels.

    Raises
    ------
    OSError, ValueError
        It is no such file, or has no pixels.
    MissingExtraError
    """
    here = storage.local_copy(path)
    if kind == "nifti":
        shape = tuple(int(n) for n in _nifti(here).shape)
        return VolumeInfo((*shape[:2], math.prod(shape[2:])) if len(shape) > 3 else shape)
    header = _dicom(here, pixels=False)
    if "Rows" not in header or "Columns" not in header:
        raise ValueError("a DICOM file without a picture (a report, a plan or a directory)")
    frames, colours = int(header.get("NumberOfFrames") or 1), int(header.get("SamplesPerPixel") or 1)
    shape = (int(header.Rows), int(header.Columns))
    shape = (frames, *shape) if frames > 1 else (*shape, colours) if colours > 1 else shape
    told = (str(header.get(name) or "").strip() or None for name in ("PatientID", "StudyInstanceUID"))
    return VolumeInfo(shape, *told)


def read_numbers(path: str, kind: VolumeKind) -> np.ndarray:
    """The numbers of the one sample that a file is, with an axis of one sample before them.

    Raises
    ------
    OSError, ValueError
        It is damaged, or coded in a way that is not read; or it would unpack to far more than it is.
    MissingExtraError
    """
    here = storage.local_copy(path)
    if kind == "nifti":
        image = _nifti(here)
        n_bytes = math.prod(image.shape) * 8
        if here.endswith(".gz") and n_bytes > 1 << 30 and n_bytes > MOST_TIMES * os.path.getsize(here):
            raise ValueError("a volume that would unpack to more than 1,000 times its size: not unpacked (bomb guard)")
        try:
            numbers: np.ndarray = np.asanyarray(image.dataobj)
        except Exception as error:  # it raises whatever its decompressor does
            raise ValueError("a damaged NIfTI file") from error
        return numbers.reshape((1, *numbers.shape[:2], -1) if numbers.ndim > 3 else (1, *numbers.shape))
    header = _dicom(here, pixels=True)
    try:
        return np.asarray(header.pixel_array)[None]
    except Exception as error:  # plugins of many kinds
        coding = getattr(getattr(header.file_meta, "TransferSyntaxUID", None), "name", "an unknown coding")
        raise ValueError(f"its pixels ({coding}) cannot be decoded here") from error


def _nifti(here: str) -> Any:  # noqa: ANN401
    try:
        import nibabel
    except ImportError as error:
        raise MissingExtraError("nifti") from error
    try:
        image: Any = nibabel.load(here)
        is_picture = len(image.shape) > 1 and image.header.get_data_dtype().kind in "iufb"
    except OSError:
        raise
    except Exception as error:
        raise ValueError("no NIfTI file, or a damaged one") from error
    if not is_picture:
        raise ValueError("a NIfTI file that holds no numbers of a picture")
    return image


def _dicom(here: str, *, pixels: bool) -> Any:  # noqa: ANN401
    try:
        import pydicom
    except ImportError as error:
        raise MissingExtraError("dicom") from error
    try:
        return pydicom.dcmread(here, stop_before_pixels=not pixels)
    except OSError:
        raise
    except Exception as error:
        raise ValueError("no DICOM file, or a damaged one") from error
