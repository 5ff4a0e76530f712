"""Words that hold sentences together, of some thirty languages: the most frequent ones of each, in small letters."""

from __future__ import annotations

_WORDS = """
the a an is are was were am be been do does did have has had will would can could should may might must to of in on at
by for with from about into and or but not no if so than that this these those it its he she they we you i me my your
his her their our us them who what when where why how which there here please

der die das den dem des ein eine einen einem einer ist sind war waren bin wird werden hat haben kann können nicht kein
und oder aber wenn dass ich du er sie es wir ihr mir mich dir dich sich mein dein auf mit für von zu zum zur bei nach
aus wie was wer wo warum bitte
het een zijn wordt heeft niet ook maar als dat ik jij je hij ze wij mij mijn op met voor van naar wat waar hoe waarom

le la les un une des du est sont était être avoir ai ont pas ne je tu il elle nous vous ils mon ma mes ton ta son sa ses
ce cette que qui quoi où quand comment pourquoi dans sur avec pour par et ou mais
el los las uno unos es fue ser estar tengo tiene hay yo tú él ella nosotros mi su qué quién cómo cuándo dónde en con
para por y o pero lo
gli sono è era ho hai ha non io lui lei noi mio mia suo chi che cosa come quando dove perché di da per e
os as um uma são foi tem tenho não eu ele ela nós meu minha seu sua quem onde em com mais
și este sunt nu cu de care

och att det som ett är var har kan ska inte jag han hon vi ni på med för av till från hur vad
og er ikke jeg dig mig hvad hvor ja ei että se ovat oli olen mitä miten missä minä sinä hän
minulle minun sinun onko voitko milloin paljonko

w na z się nie jest są był to co jak kiedy gdzie ty ona my i że v jsou byl kde kdy já
в на с и не что это как я ты он она мы вы по за из к у от для был есть а но же бы так все когда где почему
та що це як ти він вона ми ви
az egy és nem hogy ki hol én te

bir bu ve için mı mu ben sen biz çok nasıl nerede ile değil bana beni benim nedir hangi olan olacak ne kadar var
και το η ο να δεν είναι με σε που τι πώς του της θα
של את על לא הוא היא אני זה מה איך אם כל עם
في من على إلى لا ما هل أن هذا هذه كيف متى أين أنا هو هي و
که از به در را این است می با
है हैं का की के में से को और नहीं मैं यह क्या कैसे कब
এবং না আমি এই কি কে থেকে

là của và không có tôi bạn cho được một các trong
yang dan ke dari untuk tidak ini itu saya kamu apa bagaimana adalah
ya wa kwa ni ang ng mga ako ay
"""

FUNCTION_WORDS = frozenset(_WORDS.split())
"""All of them: what a text is in does not matter, and a word of one language is seldom a name in another."""
