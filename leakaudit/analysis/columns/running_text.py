"""Whether the values of a column are running text, or names, titles and codes: told by their looks.

It is the distinct values that are looked at. How often each occurs says nothing: three people may have judged every
text, and a name is no sentence though no two are alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from leakaudit.analysis.columns.function_words import FUNCTION_WORDS

LOOKED_AT = 1_000
"""Distinct values of a column that are looked at: the standard error of a share is then below 0.016."""

CHARACTERS_LOOKED_AT = 500
"""Of each, the first ones: a page shows what it is on its first lines."""

LEAST_WORDS, LEAST_CHARACTERS = 3.0, 15.0
"""Least mean number of words and characters of running text: shorter values are names and categories. A character of
a script without spaces stands for half a word and for `UNSPACED` characters."""

UNSPACED, HANGUL = 2.5, 2.0
"""Letters of an alphabet that say what one character of such a script, or one syllable of Korean, says, by the lengths
of parallel texts."""

LEAST_LETTERS, FEW_LETTERS = 0.7, 0.4
"""Least share of letters (and marks on them) among what is no space. In running text it is 0.8 to 0.98; in addresses,
user agents, codes, formulas and lists of numbers less than the first. Worked problems and logs that have fewer are
running text where most are sentences, see `LEAST_HEADLINES`."""

LONG_WORDS = 6.0
"""From so many words a value in the mean on, names and kinds are ruled out, unless every word has a capital: names of
persons have two to five words, of products and works three to seven."""

TITLED = 0.75
"""Share of words that begin with a capital and go on in small letters from which on values are names or titles. In
running text it is a tenth to a third, German included; in names of persons and of works it is 0.8 and more."""

LEAST_SENTENCES, LEAST_HEADLINES = 0.4, 0.6
"""Least share of values that hold a function word or end like a sentence: of short values, and of long ones whose words
have capitals, as headlines have. Utterances of three to six words do so in four of five, names, addresses and
kinds in one of three at most."""

_PARTICLES = re.compile(
    "[的了是我你他她吗呢吧么这那什怎就也]"  # Chinese
    "|[はがをにでともへのかねよ](?![A-Za-z])"  # Japanese
    "|(?:은|는|을|를|에서|에게|으로|까지|부터|요|다|까|니|해줘)(?![\uac00-\ud7a3])"  # Korean endings of words
    "|(?:ครับ|ค่ะ|ที่|ไม่|และ|ของ|เป็น|ได้)"  # Thai
)
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[^\W\d_{_UNSPACED}]+(?:['’][^\W\d_]+)*")
_ALONE = re.compile(f"[{_UNSPACED}]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_SENTENCE_END = re.compile(r"[.?!…。？！؟।][\"'”’)\]]*$")
_EDGES = ".,;:!?¿¡()[]\"'“”„«»।؟،…-"
_ABBREVIATION = re.compile(r"(?:^|[\s.(])[^\W\d_]{1,3}\.$")  # "Jr.", "U.S.", "Co.": no end of a sentence


@dataclass(frozen=True, slots=True)
class Looks:
    """What some distinct values look like.

    Parameters
    ----------
    words, characters : float
        Mean numbers, scripts without spaces in the measure of others.
    letters : float
        Share of letters among all characters that are no spaces.
    titled : float
        Share of the words of three letters or more that begin with a capital and go on in small letters.
    sentences : float
        Share of values of three words or more that hold a function word or end like a sentence.
    """

    words: float
    characters: float
    letters: float
    titled: float
    sentences: float

    @property
    def running_text(self) -> bool:
        """Whether such values are running text."""
        if self.words < LEAST_WORDS or self.characters < LEAST_CHARACTERS or self.are_codes:
            return False
        if self.titled >= TITLED:
            return self.words >= LONG_WORDS and self.sentences >= LEAST_HEADLINES
        return self.words >= LONG_WORDS or self.sentences >= LEAST_SENTENCES

    @property
    def are_codes(self) -> bool:
        """Whether digits and signs say more than words do."""
        return self.letters < (FEW_LETTERS if self.sentences >= LEAST_HEADLINES else LEAST_LETTERS)

    @property
    def said(self) -> str:
        """Why, for people."""
        measured = f"{self.words:.1f} words and {self.characters:.0f} characters on average"
        if self.running_text or self.words < LEAST_WORDS or self.characters < LEAST_CHARACTERS:
            return measured
        if self.are_codes:
            return "codes or numbers rather than words"
        return "names or titles rather than sentences"


def looks_of(values: Sequence[str]) -> Looks:
    """How the values look that have a letter or digit; at most `LOOKED_AT` distinct ones are asked for.

    >>> looks_of(["how do I change my PIN", "Is there a fee for topping up?"]).running_text
    True
    >>> looks_of(["Braund, Mr. Owen Harris", "Heikkinen, Miss. Laina Maria"]).running_text
    False
    >>> looks_of(["3:1 10:1 11:1 21:1", "3:1 9:1 19:1 22:1 30:1"]).running_text
    False
    """
    n = n_words = n_letters = n_marks = n_titled = n_cased = n_sentences = n_long = 0
    characters = 0.0
    for value in values:
        kinds = Counter(unicodedata.category(character)[0] for character in value if not character.isspace())
        if not kinds["L"] + kinds["N"]:
            continue
        n += 1
        alone = len(_ALONE.findall(value))
        its_words = len(value.split()) if not alone else len(_WORD.findall(value)) + alone // 2
        n_words += its_words
        characters += len(value) + alone * (UNSPACED - 1) + len(_HANGUL.findall(value)) * (HANGUL - 1)
        n_letters += kinds["L"] + kinds["M"]
        n_marks += kinds.total()
        cased = [word for word in _WORD.findall(value) if len(word) >= 3 and word.lower() != word.upper()]
        n_cased += len(cased)
        n_titled += sum(word[0].isupper() and word[1:] == word[1:].lower() for word in cased)
        if its_words >= LEAST_WORDS:
            n_long += 1
            n_sentences += _like_a_sentence(value)
    return Looks(
        words=n_words / max(n, 1),
        characters=characters / max(n, 1),
        letters=n_letters / max(n_marks, 1),
        titled=n_titled / max(n_cased, 1),
        sentences=n_sentences / max(n_long, 1),
    )


def _like_a_sentence(value: str) -> bool:
    if any(word.strip(_EDGES) in FUNCTION_WORDS for word in value.lower().split()) or _PARTICLES.search(value):
        return True
    value = value.rstrip()
    return bool(_SENTENCE_END.search(value)) and not _ABBREVIATION.search(value)
