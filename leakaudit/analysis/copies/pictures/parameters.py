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
        about nine in ten are the same shot, above 5 about 99 in 100; 93 % of the annotated pairs are above 4.
    z : float
        How far beyond the set's own null, in standard deviations: one false alarm in 3.5 million were the null
        normal. The largest of 10,000 MNIST test digits reaches 4.4.
    same, same_difference : float
        Score, and root-mean-square difference in grey levels of brightness and of either colour thumbnail, from which a
        pair with evidence above `suspected` is the same thumbnail for all that can be seen, whatever the null says.
        JPEG at quality 75 leaves about 1 of a photograph of 640×480. No test digit of MNIST has such a partner.
    alone, null_least : float, int
        Evidence that suffices where the reference has fewer pictures than `null_least` to measure a null on. With 18
        reference pictures, the most between a stranger and the nearest of them, in 3,120 tries each, was 4.2 in MNIST,
        4.7 among hand signs and 3.8 in Omniglot; copies of 32×32 photographs reach 5 to 13, of larger ones 6 to 16.
    framing : float
        Least common share of the smaller field of view for *verified*: a resize, a crop or a shift by a pixel or two
        keep more; two exposures between which the camera moved keep less, and are *suspected*.
    null_size : int
        Reference pictures on which the null is measured; the median of 500 is known to 6 % of the spread.
    null_first : int
        Reference pictures that are enough where the null cannot matter: where they put its limit below `suspected` by
        more than three standard errors. So it is with photographs (CIFAR-10: 2.2 ± 0.3 of 4), not with digits (7.5).
    drop : float
        See `leakaudit.analysis.copies.pictures.null.measure`. From one candidate to the next evidence seldom falls by 1
        in MNIST; from the last copy to the first unrelated picture it falls by 4 and more.
    overlap : float
        See `leakaudit.analysis.copies.pictures.null.measure`. Between a picture and the most similar stranger 3 is
        usual in narrow domains (MNIST, hand signs), 7 the most in 10,000 digits; frames of a film and crops of one
        photograph reach 8 to 15.
    strangers : int
        Pictures taken at random that such a picture is compared with; a tenth of them is known to 4 %.
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
    alone: float = 5.5
    null_least: int = 20
    framing: float = 0.9
    null_size: int = 500
    null_first: int = 64
    drop: float = 2.5
    overlap: float = 8.0
    strangers: int = 64
    seed: int = 20
