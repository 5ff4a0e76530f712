"""Usual names: of splits, and of the columns that mean something. Every match made here is a guess, and is said."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from leakaudit.errors import ConfigError

SPLIT_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "trainset", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "valset", "dev", "devel", "development"), "val"),
    **dict.fromkeys(("test", "testing", "testset", "tst", "holdout", "heldout", "eval", "evaluation"), "test"),
}
"""Usual names of splits, in lower case without punctuation, and what they are called here."""

_ABROAD: Mapping[str, str] = {
    "train": """
        训练 训练集 训练数据 训练样本 訓練 訓練集 訓練データ 学習 学習データ 学習用 トレーニング
        학습 훈련 학습데이터 훈련데이터 학습용
        Trainingsdaten Trainingsset Trainingsmenge Lernmenge entraînement apprentissage entrenamiento entreno
        treino treinamento addestramento allenamento обучение обучающая обучающий тренировка тренировочная
        тренировочный тренировочные eğitim eğitimseti trening treningowy treningowe uczenie uczący
        träning opplæring koulutus trénink tréninková antrenament تدريب التدريب प्रशिक्षण huấnluyện pelatihan
    """,
    "val": """
        验证 验证集 验证数据 驗證 驗證集 校验集 开发集 検証 検証データ 検証用 バリデーション
        검증 검증데이터 검증용 밸리데이션
        Validierung Validierungsdaten Validierungsset Validierungsmenge validación validação validazione convalida
        валидация валидационная валидационный валидационные проверочная проверочный doğrulama geçerleme walidacja
        walidacyjny walidacyjne validatie validatieset validering validace validare التحقق تحقق सत्यापन validasi
    """,
    "test": """
        测试 测试集 测试数据 測試 測試集 テスト テストデータ テスト用 評価 評価用 테스트 시험 평가 테스트데이터 평가용
        Testdaten Testmenge Prüfung Testen Evaluierung essai essais évaluation prueba pruebas evaluación teste testes
        avaliação prova valutazione тест тестовая тестовый тестовые тестирование контрольная testseti değerlendirme
        testowy testowe testy utvärdering testování اختبار الاختبار परीक्षण kiểmtra pengujian
    """,
}
"""Whole names of splits in other languages than English, as a person writes them."""

LABEL_NAMES: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("label", "labels", "labelname", "labelid", "goldlabel"), ("target", "targets", "targetname"), ("groundtruth",)),
    (("survived",), ("churn", "churned"), ("attrition",), ("diagnosis",), ("species",), ("sentiment",), ("intent",)),
    (("class", "classname", "classid", "classlabel"), ("y",), ("category",), ("outcome",), ("response",)),
)
"""Usual names of labels, the plainest first: words for it, things that one predicts, words with other meanings, too.
Names in one pair of brackets are one label in several spellings or codings."""

_LABEL_WORDS = frozenset(("label", "labels"))
_NO_LABEL_WORDS = frozenset(
    ["annotator", "annotators", "num", "number", "count", "n", "pred", "predicted", "prediction", "has", "is", "old"]
)

SPLIT_COLUMN_NAMES = ("split", "set", "subset", "partition", "phase", "fold", "usage", "datasplit", "publishedsplit")
PATH_NAMES = (
    "path",
    "paths",
    "filepath",
    "file",
    "filename",
    "image",
    "imagepath",
    "imagefile",
    "imagefilename",
    "imagename",
    "img",
    "imgpath",
    "imgfile",
    "imgname",
    "picture",
    "uri",
    "name",
)
ID_NAMES = ("imageid", "imgid", "pictureid", "photoid", "fileid", "id", "imageids", "idcode", "uid", "uuid", "sampleid")
"""Columns that may name a picture without its ending."""

GROUP_NAMES = (
    "group",
    "groupid",
    "subject",
    "subjectid",
    "patient",
    "patientid",
    "person",
    "personid",
    "user",
    "userid",
    "session",
    "sessionid",
    "speaker",
    "speakerid",
    "video",
    "videoid",
)
TIME_NAMES = ("time", "timestamp", "date", "datetime", "takenat", "capturedat", "createdat")
"""Usual column names, in lower case without punctuation, the likeliest first."""

COLUMNS_LISTED = 30


def plain(name: str) -> str:
    """Lower case, letters and digits only.

    >>> plain("Hold-Out")
    'holdout'
    """
    return "".join(character for character in name.lower() if character.isalnum())


def unaccented(name: str) -> str:
    """`plain`, without accents, however a file system spells them.

    >>> unaccented("Validação"), unaccented("训练集")
    ('validacao', '训练集')
    """
    return plain("".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each)))


_SPLITS_ABROAD = {unaccented(name): split for split, names in _ABROAD.items() for name in names.split()}


def words(name: str) -> list[str]:
    """The words of a name, in lower case: runs of letters, capitals begin a new one.

    >>> words("asl_alphabet_trainData2017")
    ['asl', 'alphabet', 'train', 'data']
    """
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def split_of(name: str, told: Mapping[str, str]) -> str | None:
    """The split that a whole name stands for: as told by the user, else by the usual names in several languages.

    >>> split_of("Validation", {}), split_of("part1", {"part1": "train"}), split_of("cats", {})
    ('val', 'train', None)
    """
    for key, split in told.items():
        if key == name or key.lower() == name.strip().lower():
            return canonical(split)
    return SPLIT_NAMES.get(plain(name)) or _SPLITS_ABROAD.get(unaccented(name))


def split_word(name: str) -> str | None:
    """The split named by exactly one word of a name; None where no word names one, or two words name two.

    >>> split_word("adult-train"), split_word("train_test_overlap"), split_word("status")
    ('train', None, None)
    """
    found = {SPLIT_NAMES[word] for word in words(name) if word in SPLIT_NAMES}
    return found.pop() if len(found) == 1 else None


def canonical(split: str) -> str:
    """A name that the user gave a split: ``training`` becomes ``train``, others stay as they are."""
    return SPLIT_NAMES.get(plain(split)) or _SPLITS_ABROAD.get(unaccented(split), split)


def distinct(found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Keep two names of the same split apart: ``test`` and ``eval`` side by side are two splits, ``Test`` and ``test``
    are one.

    Parameters
    ----------
    found : sequence of (name, split)

    Returns
    -------
    list of (name, split)
        Where several names mean one split, the name that is the split's own keeps it (else the first), and the others
        become splits called by their own names.
    """
    named: dict[str, list[str]] = {}
    for name, split in found:
        named.setdefault(split, []).append(name)
    owner = {split: split if split in names else names[0] for split, names in named.items()}
    first = {plain(name): name for name, _ in reversed(found)}
    return [(name, split if plain(owner[split]) == plain(name) else first[plain(name)]) for name, split in found]


def guess_column(columns: Iterable[str], usual: Sequence[str]) -> str | None:
    """The column with the likeliest of the usual names, or None."""
    by_plain: dict[str, str] = {}
    for column in columns:
        by_plain.setdefault(plain(column), column)
    return next((by_plain[name] for name in usual if name in by_plain), None)


def label_candidates(columns: Sequence[str], usual: Sequence[tuple[tuple[str, ...], ...]] = LABEL_NAMES) -> list[str]:
    """The columns that have equally likely of the usual label names; a ``y`` beside a ``z`` is a coordinate.

    >>> label_candidates(["survived", "pclass", "class"]), label_candidates(["text", "class", "category"])
    (['survived'], ['class', 'category'])
    """
    there = {plain(column) for column in columns}
    for names in usual:
        found = [guess_column(columns, each) for each in names if each != ("y",) or "z" not in there]
        if candidates := [column for column in found if column is not None]:
            return candidates
    return called_labels(columns) if usual is LABEL_NAMES else []


def called_labels(columns: Sequence[str]) -> list[str]:
    """The columns whose last word is one for a label: "Finding Labels", "toxicity_label"; not what somebody counted or
    predicted.

    >>> called_labels(["id", "Finding Labels", "annotator_labels"])
    ['Finding Labels']
    """
    return [
        column
        for column in columns
        if (found := words(column)) and found[-1] in _LABEL_WORDS and not _NO_LABEL_WORDS.intersection(found)
    ]


def guess_label(columns: Sequence[str]) -> str | None:
    """The column with a usual label name; None where there is none, or several are equally likely."""
    candidates = label_candidates(columns)
    return candidates[0] if len(candidates) == 1 else None


def resolve_column(told: str, columns: Sequence[str], option: str) -> str:
    """The column that the user means: its name, or its 1-based position.

    Raises
    ------
    ConfigError
        Neither; names the nearest column, and lists them.
    """
    if told in columns:
        return told
    if told.isdecimal() and 1 <= int(told) <= len(columns):
        return columns[int(told) - 1]
    listed = ", ".join(columns[:COLUMNS_LISTED]) + (", …" if len(columns) > COLUMNS_LISTED else "")
    near = difflib.get_close_matches(told, columns, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"{option}: there is no column {told!r}{hint} (columns: {listed})")
