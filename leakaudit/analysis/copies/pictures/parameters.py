"""Thresholds of the search for near-duplicate pictures, and where each is from."""

from __future__ import annotations

from dataclasses import dataclass, field

from leakaudit.analysis.copies.pictures.blank import BlankParams


@dataclass(frozen=True, slots=True)
class NearParams:
    """Defaults of the search, and where they come from.

    Measured on: half of CIFAR-10 (25,000 and 5,000 pictures, 123 annotated near-duplicates, and pairs judged by eye),
    MNIST, blood-cell photographs, hand signs, Omniglot, and constructed copies of all of these.

    Parameters
    ----------
    blank : BlankParams
        Which pictures are not judged.
    candidates : int
        Nearest pictures by descriptor that are verified. Of the 123 annotated pairs 16 hold 97.6 %, 4 hold 93.5 %. More
        are looked at where all of them turn out to be near-duplicates,
    most_candidates : int
        up to so many; pictures with more near-duplicates than this are counted in `NearPairs.n_crowded`.
    finest : int
        Candidates that are measured at full resolution, of those that agree best at half resolution.
    suspected, verified : float
        Least evidence, in standard errors of Fisher's z. On CIFAR-10, of the pairs between 4 and 5 that were looked at
        about nine in ten are the same shot, above 5 about 99 in 100; 92 % of the annotated pairs are above 4.
    z : float
        How far beyond the set's own null, in standard deviations: one false alarm in 3.5 million were the null
        normal. The largest of 10,000 MNIST test digits reaches 4.4.
    same, same_difference : float
        Score, and root-mean-square difference in grey levels of brightness and of either colour thumbnail, from which a
        pair with evidence above `suspected` is the same thumbnail for all that can be seen, whatever the null says.
        JPEG at quality 75 leaves about 1 of a photograph of 640×480. No test digit of MNIST has such a partner.
    detailed, same_detail, same_detail_share : float
        Score from which a pair that does not stand out of a narrow domain is looked at more closely; the most that may
        have changed in any place (`leakaudit.analysis.copies.pictures.scene.local_change`), in grey levels and as a
        share of the contrast of the fainter picture, for it to be the same to the last detail. Copies of hand signs
        and of glyphs at three quarters and at one and a half of their size have 0 to 5, the most alike strangers among
        MNIST digits 27.
    alone, null_least : float, int
        Evidence that suffices where the reference has fewer pictures than `null_least` to measure a null on. With 18
        reference pictures, the most between a stranger and the nearest of them, in 3,120 tries each, was 4.2 in MNIST,
        4.7 among hand signs and 3.8 in Omniglot; copies of 32×32 photographs reach 5 to 13, of larger ones 6 to 16.
    framing : float
        Least common share of the smaller field of view for *verified*: a resize, a crop or a shift by a pixel or two
        keep more; two exposures between which the camera moved keep less, and are *suspected*.
    null_size, null_first : int
        Reference pictures on which the null is measured, and those that are enough where the null cannot matter: where
        they put its limit below `suspected` by more than three standard errors, and hardly any agree. So it is with
        photographs (CIFAR-10: 2.0 of 4), not with digits (6.5).
    strangers : int
        Others of the reference, taken at random, that each of them is compared with.
    scene_share : float
        Pairs of strangers that agree as copies do, from which the pictures may share a fixed scene. Eight sets with
        fixed scenes have 0.025 to 0.8; films, digits, glyphs, X-rays, cells, photographs and tiles at most 0.003.
    same_content, other_content : float
        Change in a fixed scene (`leakaudit.analysis.copies.pictures.scene.local_change`) up to which a pair is a copy,
        and from which it shows other content. Constructed copies have 3 to 14 (95 %: 9 to 35), other contents of a
        scene 36 to 96.
    scene_candidates : int
        Pictures of the same scene that are looked at for each held-out picture, those with the strongest evidence.
    seed : int
        Of the choice of those pictures.
    """

    blank: BlankParams = field(default_factory=BlankParams)
    candidates: int = 16
    most_candidates: int = 256
    finest: int = 3
    suspected: float = 4.0
    verified: float = 5.0
    z: float = 5.0
    same: float = 0.98
    same_difference: float = 3.0
    detailed: float = 0.9
    same_detail: float = 8.0
    same_detail_share: float = 0.15
    alone: float = 5.5
    null_least: int = 20
    framing: float = 0.9
    null_size: int = 300
    null_first: int = 64
    strangers: int = 16
    scene_share: float = 0.01
    same_content: float = 15.0
    other_content: float = 25.0
    scene_candidates: int = 8
    seed: int = 20
