from __future__ import annotations

import json

import numpy as np
import pytest

from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.analysis.columns.running_text import looks_of
from leakaudit.analysis.columns.shared_texts import shared_text_keys, text_units
from tables import context, frame

RNG = np.random.default_rng(0)
THINGS = ["lamp", "door", "garden", "kettle", "meadow", "bridge", "candle", "orchard", "harbour", "jacket"]
GIVEN = ["Anna", "Jonas", "Mara", "Felix", "Nora", "Emil", "Ida", "Oskar", "Lena", "Paul"]
FAMILY = ["Berg", "Kowalski", "Santos", "Okafor", "Tanaka", "Larsen", "Moreau", "Novak", "Rossi", "Haddad"]


def pick(words: list[str]) -> str:
    return str(RNG.choice(words))


def sentences(n: int) -> list[str]:
    return [f"put the {pick(THINGS)} next to the {pick(THINGS)} in row {i}, please" for i in range(n)]


TEXTS = {
    "requests": ["turn on the lights", "what time is it", "play some jazz for me", "is it raining outside"],
    "capitals": ["TURN ON THE LIGHTS NOW", "WHAT TIME IS IT IN ROME", "IS IT RAINING OUTSIDE"],
    "headlines": ["Why the Old Bridge Has to Go Before Winter", "Ten Things You Did Not Know About the Harbour"],
    "German": ["wie komme ich zum Bahnhof", "schalte bitte das Licht in der Küche ein", "was kostet die Karte"],
    "Turkish": ["yarın hava nasıl olacak", "bana bir şarkı çal", "ışıkları kapatır mısın lütfen bu akşam"],
    "Hindi": ["आज मौसम कैसा है", "मुझे एक गाना सुनाओ", "कल सुबह सात बजे का अलार्म लगाओ"],
    "Chinese": ["今天天气怎么样", "帮我定一个明天早上七点的闹钟", "请打开客厅的灯"],
    "Japanese": ["明日の天気を教えてください", "音楽を再生して", "東京駅への行き方は?"],
    "Korean": ["오늘 날씨 어때요", "내일 아침 일곱시에 알람을 맞춰 줘", "근처에 맛집 있어요?"],
    "worked problems": ["Ida sold 48/2 = <<48/2=24>>24 clips in May.", "She has 16 - 3 = <<16-3=13>>13 eggs left."],
    "words without grammar": [
        "anchor bridge candle door ember forest garden",
        "island jacket kettle ladder meadow ash",
    ],
}
NO_TEXTS = {
    "persons": [f"{pick(FAMILY)}, Mr. {pick(GIVEN)} {pick(GIVEN)}" for _ in range(50)],
    "persons in capitals": ["BERG, MR. JONAS", "VAN DER BERG, MRS. MARA", "ROSSI, MISS. IDA ANNA"],
    "films": ["The Silence of the Lambs", "Toy Story (1995)", "Father of the Bride Part II (1995)"],
    "cars": ["chevrolet chevelle malibu", "buick skylark 320", "toyota corolla mark ii", "amc rebel sst"],
    "products": ["Samsung Galaxy S21 128GB Black", "iPhone 12 Pro Max Case Clear", "USB-C Cable 3ft Braided Nylon"],
    "addresses": ["94450 Jackie Branch, Port Charles, VT 52616", "14 Meyer Vista, Suite 832, West Michael, VT 43299"],
    "sparse numbers": ["3:1 10:1 11:1 21:1 30:1", "3:1 9:1 19:1 22:1 30:1 34:1"],
    "formulas": ["CC(=O)OCC(=O)C3(O)CCC4C2CCC1", "CC(C)OC(=O)Nc1cccc(Cl)c1"],
    "ingredients": ["salt, pepper, olive oil, garlic", "flour, sugar, butter, eggs, milk, vanilla"],
    "user agents": ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/117.0"],
    "companies": ["四通信息有限公司", "华远软件网络有限公司"],
}


@pytest.mark.parametrize("name", TEXTS)
def test_running_text(name):
    assert looks_of(TEXTS[name]).running_text, looks_of(TEXTS[name])


@pytest.mark.parametrize("name", NO_TEXTS)
def test_names_titles_and_codes_are_none(name):
    looks = looks_of(NO_TEXTS[name])
    assert not looks.running_text, looks
    assert looks.said


def test_no_values_are_no_text():
    assert not looks_of([]).running_text
    assert not looks_of(["", "?!", "😀 😀 😀 😀 😀"]).running_text


def roles(**columns):
    made = context(frame("train", **columns))
    return made, {column.name: column.role for column in columns_of(made)}


def test_texts_stay_texts_when_they_repeat():
    texts = sentences(80)
    made, found = roles(text=texts * 3, upper=[text.upper() for text in texts] * 3, n=range(240))
    assert (found["text"], found["upper"]) == ("prose", "prose")
    assert {c.rows_a_text for c in columns_of(made) if c.role == "prose"} == {3.0}


def test_answers_of_a_form_stay_categories():
    answers = ["I strongly agree with this", "I do not agree with this", "I have no opinion on that"]
    skewed = [answers[i] for i in RNG.choice(3, 600, p=[0.7, 0.2, 0.1])]
    # Many sentences, of which a few are given nearly always.
    rare = [sentences(40)[i % 40] if i % 15 == 0 else answers[0] for i in range(600)]
    made, found = roles(form=skewed, rare=rare)
    assert (found["form"], found["rare"]) == ("category", "category")
    assert all(column.sentences for column in columns_of(made))
    assert all("repeat as categories do" in column.why for column in columns_of(made))


def test_names_that_are_all_distinct_are_identifiers_and_say_why():
    names = [f"{a}, Mr. {b} {c}" for a in FAMILY for b in GIVEN for c in ("Ole", "Tom")]
    made, found = roles(name=names)
    assert found["name"] == "identifier"
    assert "names or titles" in columns_of(made)[0].why


def test_a_wrapper_is_no_text():
    _, found = roles(
        said=[json.dumps({"text": f"around {i}"}) for i in range(60)],
        told=[json.dumps([{"role": "user", "content": text}]) for text in sentences(60)],
    )
    assert found == {"said": "identifier", "told": "prose"}


def test_what_many_rows_share_is_a_key_beside_another_text():
    premises, own = sentences(40), sentences(120)
    pair = context(frame("train", premise=[text for text in premises for _ in range(3)], hypothesis=own))
    assert shared_text_keys(pair) == ("premise",)
    assert text_units(pair) == ("premise",)
    alone = context(frame("train", text=[text for text in premises for _ in range(3)], n=range(120)))
    assert shared_text_keys(alone) == ()
    assert text_units(alone) == ("text",)
    # A copy in the other split is no repeat: every text is twice in the table, and once in each split.
    copied = context(frame("train", a=own[:60], b=own[60:]), frame("val", a=own[:60], b=own[60:]))
    assert (shared_text_keys(copied), text_units(copied)) == ((), ())
