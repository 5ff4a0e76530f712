"""Near-duplicate text against datasketch's pipeline: time, memory and recall, at several sizes, in one run.

Run ``python benchmarks/text.py`` (needs ``pip install datasketch``). Documents are sentences of about fifty characters
with Zipf-distributed words of a made-up vocabulary; a tenth of them is held out, and a fiftieth of these are copies of
a training sentence with one word changed. Both pipelines get the same raw sentences and must give the pairs whose
Jaccard similarity over character 5-grams of the normalised text is at least 0.8:

- leakaudit: normalise, take boilerplate out, sign, join bands, verify (what LA107 does);
- datasketch: normalise with ``re``, sets of 5-grams, ``MinHash(80)``, ``MinHashLSH`` of 16 bands of 5 over the training
  texts, one query a held-out text, verify the same way. These are the bands of leakaudit, so that both have the same
  recall; its own choice for a threshold of 0.8, 128 functions in 9 bands of 13, found 0.63 of the pairs. It is timed on
  three samples, and the largest is scaled: its steps are linear in documents. With ``--full`` it gets the largest size,
  too (minutes, 6 GB), and the pairs of both are compared.

Times are processor seconds of one thread, which a busy machine disturbs least. Recall of both is against all pairs of a
sample, compared one by one.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

RESULTS = Path(__file__).parent / "results" / "text.json"
SIZES = (100_000, 300_000, 1_000_000)
SAMPLES = (5_000, 10_000, 20_000)
WHOSE = ("leakaudit", "datasketch")
WORDS, HELD_OUT, COPIED = 9, 10, 5


def corpus(n: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """n sentences, and which are held out."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = np.array(["".join(rng.choice(letters, size)) for size in rng.integers(2, 10, 30_000)])
    chance = 1 / np.arange(10, 30_010)
    words = rng.choice(30_000, (n, WORDS), p=chance / chance.sum())
    held_out = np.zeros(n, dtype=bool)
    held_out[::HELD_OUT] = True
    copies = np.flatnonzero(held_out)[::COPIED]
    words[copies] = words[rng.choice(np.flatnonzero(~held_out), len(copies))]
    words[copies, rng.integers(0, WORDS, len(copies))] = rng.integers(0, 30_000, len(copies))
    return [f"{' '.join(row).capitalize()}?" for row in vocabulary[words].tolist()], held_out


def ours(texts: pa.LargeStringArray, held_out: np.ndarray, jobs: int) -> tuple[float, set[tuple[str, str]]]:
    """Seconds, and pairs of normalised texts."""
    from leakaudit.analysis.copies.texts.boilerplate import without_boilerplate
    from leakaudit.analysis.copies.texts.near import near_documents
    from leakaudit.fingerprints.texts.documents import normalised
    from leakaudit.fingerprints.texts.minhash import signatures

    start = time.process_time()
    encoded = normalised(texts).dictionary_encode()
    code = encoded.indices.to_numpy()
    documents = without_boilerplate(encoded.dictionary, max(20, len(texts) // 100)).documents
    signed = signatures(documents, jobs)
    a, b = np.unique(code[held_out]), np.unique(code[~held_out])
    found = near_documents(documents, signed, np.setdiff1d(a, b), b, 0.8).pairs
    seconds = time.process_time() - start
    left, right = documents.take(pa.array(found.a)).to_pylist(), documents.take(pa.array(found.b)).to_pylist()
    return seconds, set(zip(left, right, strict=True))


def theirs(texts: list[str], held_out: np.ndarray) -> tuple[float, set[tuple[str, str]]]:
    """Seconds, and pairs of normalised texts."""
    from datasketch import MinHash, MinHashLSH

    start = time.process_time()
    plain = _plain(texts)
    sets = {text: _grams(text) for text in dict.fromkeys(plain)}
    signed = {}
    for text, grams in sets.items():
        signed[text] = MinHash(num_perm=80)
        signed[text].update_batch([gram.encode() for gram in grams])
    index = MinHashLSH(num_perm=80, params=(16, 5))
    known = dict.fromkeys(text for text, out in zip(plain, held_out.tolist(), strict=True) if not out)
    for text in known:
        index.insert(text, signed[text])
    found = set()
    for text in dict.fromkeys(text for text, out in zip(plain, held_out.tolist(), strict=True) if out):
        if text not in known:
            near = (other for other in index.query(signed[text]) if _jaccard(sets[text], sets[other]) >= 0.8)
            found |= {(text, other) for other in near}
    return time.process_time() - start, found


def truth(texts: list[str], held_out: np.ndarray) -> set[tuple[str, str]]:
    """All pairs at 0.8, by an inverted index over every 5-gram."""
    plain = _plain(texts)
    known = list(dict.fromkeys(text for text, out in zip(plain, held_out.tolist(), strict=True) if not out))
    asked = dict.fromkeys(text for text, out in zip(plain, held_out.tolist(), strict=True) if out)
    index: dict[str, list[int]] = {}
    sizes = np.array([len(_grams(text)) for text in known])
    for number, text in enumerate(known):
        for gram in _grams(text):
            index.setdefault(gram, []).append(number)
    lists = {gram: np.array(numbers) for gram, numbers in index.items()}
    is_known = set(known)
    found = set()
    for text in asked:
        if text not in is_known:
            grams = _grams(text)
            shared = np.bincount(np.concatenate([lists.get(gram, np.zeros(0, int)) for gram in grams]), minlength=1)
            of = np.flatnonzero(shared)
            near = of[shared[of] / (len(grams) + sizes[of] - shared[of]) >= 0.8]
            found |= {(text, known[number]) for number in near.tolist()}
    return found


def _plain(texts: list[str]) -> list[str]:
    return [re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip() for text in texts]


def _grams(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(max(len(text) - 4, 1))}


def _jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b)


def measure(path: str, jobs: int, whose: str) -> dict[str, float]:
    """One size, in this process, which has not made the corpus; the peak holds the corpus itself."""
    table = pq.read_table(path)
    texts, held_out = table["text"].combine_chunks(), table["held_out"].to_numpy()
    given = texts.to_pylist() if whose == "datasketch" else []
    before = _peak()
    start = time.perf_counter()
    seconds, found = theirs(given, held_out) if given else ours(texts, held_out, jobs)
    wall = round(time.perf_counter() - start, 2)
    Path(f"{path}.{whose}").write_text(json.dumps(sorted(found)))
    return {
        "n": len(texts),
        "seconds": round(seconds, 2),
        "wall": wall,
        "pairs": len(found),
        "peak_mb": _peak(),
        "read_mb": before,
    }


def compare(n: int, jobs: int) -> dict[str, float]:
    """Both pipelines on one corpus, and what share of all pairs each finds."""
    texts, held_out = corpus(n)
    true = truth(texts, held_out)
    seconds, found = theirs(texts, held_out)
    own_seconds, own = ours(pa.array(texts, pa.large_string()), held_out, jobs)
    sample = {
        "n": n,
        "true_pairs": len(true),
        "datasketch_seconds": round(seconds, 2),
        "datasketch_recall": round(len(found & true) / len(true), 4),
        "leakaudit_seconds": round(own_seconds, 2),
        "leakaudit_recall": round(len(own & true) / len(true), 4),
        "leakaudit_precision": round(len(own & true) / max(len(own), 1), 4),
        "ratio": round(seconds / own_seconds, 1),
    }
    print(json.dumps(sample), flush=True)
    return sample


def one(path: Path, jobs: int, whose: str) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--one", str(path), whose, "--jobs", str(jobs)]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def write(n: int, path: Path) -> None:
    texts, held_out = corpus(n)
    pq.write_table(pa.table({"text": pa.array(texts, pa.large_string()), "held_out": held_out}), path)


def _peak() -> int:
    """Most memory that this process has held, in MB; on Linux from /proc, because getrusage counts the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) // 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform != "darwin" else 1 << 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="datasketch on the largest size, too")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.one:
        print(json.dumps(measure(told.one[0], told.jobs, told.one[1])))
        return
    samples = [compare(n, told.jobs) for n in SAMPLES]
    result: dict[str, object] = {"jobs": told.jobs, "samples": samples, "sizes": []}
    seconds = samples[-1]["datasketch_seconds"]
    rows = []
    for n in told.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "corpus.parquet")
            write(n, path)
            row = one(path, told.jobs, "leakaudit")
            scaled = seconds * n / SAMPLES[-1]
            row |= {"datasketch_scaled": round(scaled, 1), "ratio": round(scaled / row["seconds"], 1)}
            if told.full and n == max(told.sizes):
                whole = one(path, told.jobs, "datasketch")
                found = [{tuple(p) for p in json.loads(Path(f"{path}.{by}").read_text())} for by in WHOSE]
                row |= {
                    "datasketch_seconds": whole["seconds"],
                    "datasketch_peak_mb": whole["peak_mb"],
                    "datasketch_pairs": whole["pairs"],
                    "pairs_of_both": len(found[0] & found[1]),
                    "ratio_measured": round(whole["seconds"] / row["seconds"], 1),
                }
        rows.append(row)
        print(json.dumps(rows[-1]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**result, "sizes": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
