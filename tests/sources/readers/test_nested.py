"""Objects and lists in cells become columns; nothing of them is lost, and no braces are left in a text."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

import leakaudit
from leakaudit.config import Config
from leakaudit.sources.layouts import load
from leakaudit.sources.readers import read_head
from leakaudit.sources.readers.nested import MOST_FIELDS, flatten, shape_of
from leakaudit.sources.readers.stream import read_rows

PLAIN = st.one_of(st.none(), st.integers(), st.text("ab {}", max_size=6))
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["k", "text", "role", "content"]), inner, max_size=3),
    ),
    max_leaves=8,
)


def texts(value) -> set[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return set().union(*map(texts, value)) if value else set()
    return {value} if isinstance(value, str) else set()


@given(st.dictionaries(st.sampled_from("xyz"), VALUES, max_size=3))
def test_every_text_is_in_some_cell_or_name(record):
    found = flatten(record)
    said = "\n".join(
        [*map(str, found), *(value if isinstance(value, str) else json.dumps(value) for value in found.values())]
    )
    assert all(text in said for text in texts(record))


@given(st.lists(st.dictionaries(st.sampled_from("xyz"), VALUES, min_size=1, max_size=3), min_size=1, max_size=4))
def test_a_shape_holds_every_record_that_it_was_made_of(records):
    shape = shape_of(records)
    if shape is not None:
        for record in records:
            flat = shape.flat(record)
            assert tuple(flat) == shape.columns
            assert {name: value for name, value in flat.items() if value is not None} == {
                name: value for name, value in flatten(record).items() if value is not None
            }


def test_names_that_meet_are_kept_apart():
    assert flatten({"a.b": 1, "a": {"b": 2}}) == {"a.b": 1, "a.b_2": 2}


def test_conversations_lists_and_boxes():
    record = {
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "why?"}]},
            {"role": "assistant", "content": "so"},
            {"role": "user", "content": "and?"},
        ],
        "conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}],
        "answers": {"text": ["a", "b"], "answer_start": [1, 2]},
        "boxes": [[1, 2], [3, 4]],
        "objects": [{"bbox": [0.5, 1], "name": "cat"}, {"bbox": [2, 3], "name": "dog"}],
        "tags": ["red", "blue"],
    }
    assert flatten(record) == {
        "messages.system": "be brief",
        "messages.user": "why?\nand?",
        "messages.assistant": "so",
        "conversations.human": "hi",
        "conversations.gpt": "ho",
        "answers.text": "a\nb",
        "answers.answer_start": [1, 2],
        "boxes": [[1, 2], [3, 4]],
        "objects.bbox": [[0.5, 1], [2, 3]],
        "objects.name": "cat\ndog",
        "tags": "red\nblue",
    }


def test_a_role_that_the_head_did_not_show_is_not_lost():
    shape = shape_of([{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}])
    flat = shape.flat({"messages": [{"role": "user", "content": "c"}, {"role": "tool", "content": "d"}]})
    assert flat == {"messages.user": "c", "messages.assistant": "d"}


def test_a_mapping_from_many_keys_stays_one_value():
    records = [{"id": at, "counts": {f"w{at}-{i}": "x" for i in range(50)}} for at in range(1 + MOST_FIELDS // 50)]
    assert shape_of(records).columns == ("id", "counts")


SENTENCES = [f"the {a} {b} waits at the {c} for a very slow bus" for a in "xyz" for b in "pqrs" for c in "klmno"]


def records(shared: int) -> tuple[list[dict], list[dict]]:
    def one(sentence: str, at: int) -> dict:
        turns = [{"role": "user", "content": sentence}, {"role": "assistant", "content": sentence[::-1]}]
        return {"messages": turns, "meta": {"source": f"s{at % 3}"}}

    train = [one(sentence, at) for at, sentence in enumerate(SENTENCES[:40])]
    test = [one(sentence, at) for at, sentence in enumerate(SENTENCES[40:])]
    return train, [*test[shared:], *train[:shared]]


def n_copies(root) -> int:
    report = leakaudit.audit(str(root), select=("LA104",), use_cache=False, jobs=1, probe="off")
    return sum(finding.n_samples for finding in report.findings if finding.code == "LA104")


def test_nested_records_are_found_again_in_every_format(tmp_path):
    for shared in (5, 0):
        train, test = records(shared)
        for name, write in (
            ("jsonl", lambda rows, path: path.write_text("\n".join(map(json.dumps, rows)) + "\n")),
            ("json", lambda rows, path: path.write_text(json.dumps(rows))),
            ("parquet", lambda rows, path: pq.write_table(pa.Table.from_pylist(rows), path)),
        ):
            root = tmp_path / f"{name}-{shared}"
            root.mkdir()
            write(train, root / f"train.{name}")
            write(test, root / f"test.{name}")
            columns = load([root], Config()).tables[0].columns
            assert columns == ("messages.user", "messages.assistant", "meta.source")
            assert n_copies(root) == shared


def test_broken_lines_are_still_counted_by_their_number(tmp_path):
    train, test = records(0)
    lines = [json.dumps(record) for record in train]
    (tmp_path / "train.jsonl").write_text("\n".join([*lines[:30], "{broken", *lines[30:]]) + "\n")
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, test)) + "\n")
    report = leakaudit.audit(str(tmp_path), select=("LA001", "LA104"), use_cache=False, jobs=1, probe="off")
    (finding,) = [finding for finding in report.findings if finding.code == "LA001"]
    assert finding.evidence.samples[0].reason == "line 31: not JSON"


def test_pictures_in_cells_and_lists_of_numbers_stay_as_they_are(tmp_path):
    table = pa.table(
        {
            "image": [{"bytes": b"\x89PNG", "path": "a.png"}],
            "box": [[1.0, 2.0]],
            "caption": [["a cat", "a dog"]],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    head = read_head(str(tmp_path / "a.parquet"), Config())
    assert head.columns == ("image", "box", "caption")
    assert next(iter(head.stream())).schema.field("image").type == table.schema.field("image").type
    assert [row["caption"] for batch in read_rows(head, ("caption",)) for row in batch.to_pylist()] == ["a cat\na dog"]
