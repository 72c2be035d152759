"""What each coefficient is, in a line."""

from __future__ import annotations

CHANCE = "(pa - pe)/(1 - pe), pa the mean over units of the share of agreeing pairs of coders"
WEIGHTED = {
    "linear": "disagreement grows with the distance on the declared scale",
    "quadratic": "disagreement grows with the squared distance on the declared scale",
    "ordinal": "Gwet's ordinal weights, by the number of pairs of ranks between (not alpha's)",
    "radical": "disagreement grows with the square root of the distance on the declared scale",
}
ALPHA = "1 - Do/De, observed over expected disagreement of pairable codings"
_PLAIN = {
    "cohen_kappa": f"{CHANCE}; two coders, pe from each one's own shares (Cohen 1960)",
    "scott_pi": f"{CHANCE}; two coders, pe from their common shares (Scott 1955)",
    "fleiss_kappa": f"{CHANCE}; pe from the shares of all coders together (Fleiss 1971)",
    "conger_kappa": f"{CHANCE}; pe from each coder's own shares, any number (Conger 1980)",
    "gwet_ac1": f"{CHANCE}; pe = sum pi(1 - pi)/(q - 1), q declared values (Gwet 2008)",
    "brennan_prediger": f"{CHANCE}; pe = 1/q, q declared values; of two PABAK (1981)",
    "percent_agreement.units": "mean over pairable units of the share of agreeing pairs of coders",
    "percent_agreement.pairable": "1 - Do (nominal): as above, a unit weighing by its codings",
    "percent_agreement": "the same as percent_agreement.units",
    "positive_agreement": "2a/(2a + b + c): agreement on the last declared of two values",
    "negative_agreement": "2d/(2d + b + c): agreement on the first declared of two values",
}
_ALPHAS = {
    "nominal": "two values are the same or not",
    "ordinal": "squared differences of mid-ranks in the declared order",
    "interval": "squared differences of numbers",
    "ratio": "squared differences over squared sums of numbers",
    "masi": "sets, 1 - MASI (Passonneau 2006)",
    "jaccard": "sets, 1 - Jaccard's index",
}
_FAMILIES = {
    "cohen_kappa": "cohen_kappa",
    "scott_pi": "scott_pi",
    "fleiss_kappa": "fleiss_kappa",
    "conger_kappa": "conger_kappa",
    "gwet_ac2": "gwet_ac1",
    "brennan_prediger": "brennan_prediger",
    "percent_agreement": "percent_agreement.units",
}

DEFINITIONS: dict[str, str] = {
    **{f"krippendorff_alpha.{level}": f"{ALPHA}; {how}" for level, how in _ALPHAS.items()},
    **_PLAIN,
    **{
        f"{family}.{weighting}": f"{_PLAIN[plain]}; {how}"
        for family, plain in _FAMILIES.items()
        for weighting, how in WEIGHTED.items()
    },
    "gwet_ac2.identity": f"{_PLAIN['gwet_ac1']}; the same as gwet_ac1",
    "krippendorff_gwet.identity": f"{ALPHA}; the nominal alpha with Gwet's variance",
    **{
        f"krippendorff_gwet.{weighting}": f"{ALPHA}, in Gwet's form; {how}"
        for weighting, how in WEIGHTED.items()
    },
}
