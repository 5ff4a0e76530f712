"""DICOM and NIfTI: the same numbers in two splits are found, patients are groups, what cannot be decoded is counted."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import LayoutError
from leakaudit.sources.layouts import load

SHAPE = (40, 48)


def slice_of(seed, shape=SHAPE):
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=tuple(max(2, n // 6) for n in shape))
    fine = coarse
    for axis, n in enumerate(shape):
        fine = np.repeat(fine, -(-n // fine.shape[axis]), axis=axis).take(range(n), axis=axis)
    return (fine * 300 + rng.normal(size=shape) * 20).astype(np.int16)


def dicom(path, pixels, patient, **more):
    pydicom = pytest.importorskip("pydicom", reason="needs pydicom: pip install 'leakaudit[dicom]'")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = more.get("syntax", ExplicitVRLittleEndian)
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.PatientID, data.StudyInstanceUID = patient, generate_uid()
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelData = more.get("data", pixels.tobytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, data)


def scans(root, *, leaky):
    """Ten patients of three slices; one slice of val is one of train, and its patient, too."""
    for at in range(30):
        split, patient = ("train", at // 3) if at < 21 else ("val", at // 3)
        seed, who = (4, 1) if leaky and at == 25 else (at, patient)
        name = f"IM{at:04d}" if at % 2 else f"{at}.dcm"
        dicom(root / split / f"pat{patient}" / name, slice_of(seed), f"P{who}")
    return root


@pytest.mark.parametrize("leaky", [True, False])
def test_dicom(leaky, tmp_path):
    report = leakaudit.audit(scans(tmp_path, leaky=leaky), use_cache=False, select=("LA001", "LA102", "LA108"))
    assert report.layout.name == "volumes"
    assert {split: (info.n, info.labels) for split, info in report.splits.items()} == {
        "train": (21, {}),
        "val": (9, {}),
    }
    found = {(finding.code, finding.n_samples) for finding in report.findings}
    assert found == ({("LA102", 1), ("LA108", 1)} if leaky else set())
    if leaky:
        messages = [finding.message for finding in report.findings if finding.code == "LA102"]
        assert messages == ["val/pat8/IM0025 has the same pixels as train/pat1/4.dcm"]


def test_what_cannot_be_decoded_is_counted(tmp_path):
    from pydicom.encaps import encapsulate
    from pydicom.uid import HTJ2KLossless

    scans(tmp_path, leaky=False)
    dicom(
        tmp_path / "val/pat9/packed.dcm", slice_of(1), "P9", syntax=HTJ2KLossless, data=encapsulate([b"\xff\x4f" * 50])
    )
    (tmp_path / "val/pat9/broken.dcm").write_bytes(b"no dicom")
    report = leakaudit.audit(tmp_path, use_cache=False, select=("LA001", "LA102"))
    reasons = {problem.uri: problem.reason for problem in report.coverage.problems}
    assert "cannot be decoded here" in reasons["val/pat9/packed.dcm"]
    assert reasons["val/pat9/broken.dcm"] == "no DICOM file, or a damaged one"
    assert report.coverage.n_unreadable == 2


@pytest.mark.parametrize("leaky", [True, False])
def test_nifti_volumes_of_nnunet(leaky, tmp_path):
    nibabel = pytest.importorskip("nibabel", reason="needs nibabel: pip install 'leakaudit[nifti]'")
    for at in range(14):
        folder = tmp_path / ("imagesTr" if at < 9 else "imagesTs")
        folder.mkdir(exist_ok=True)
        numbers = slice_of(3 if leaky and at == 12 else at, (20, 24, 6))
        nibabel.save(nibabel.Nifti1Image(numbers, np.eye(4)), folder / f"brain_{at}.nii{'' if at % 2 else '.gz'}")
    (tmp_path / "labelsTr").mkdir()
    report = leakaudit.audit(tmp_path, use_cache=False, select=("LA001", "LA102"))
    assert report.layout.name == "volumes"
    assert {split: info.n for split, info in report.splits.items()} == {"train": 9, "test": 5}
    messages = [finding.message for finding in report.findings]
    assert messages == (["imagesTs/brain_12.nii.gz has the same pixels as imagesTr/brain_3.nii"] if leaky else [])


def test_without_the_library_one_line_says_what_to_install(tmp_path, monkeypatch):
    scans(tmp_path, leaky=False)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(
        LayoutError, match=r"DICOM files lie here: reading them needs .* pip install 'leakaudit\[dicom\]'"
    ):
        load([tmp_path], Config())
