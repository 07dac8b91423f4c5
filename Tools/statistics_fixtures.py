"""Writes Tests/EvaluateTests/Fixtures/statistics.json: reference values for the statistics.

Run by hand from the repository root: python3 Tools/statistics_fixtures.py
Made with Python 3.11 or later, NumPy 2.4 and SciPy 1.17.1; the file records the versions used.
"""

import itertools
import json
import math

import numpy
import scipy
from scipy import special, stats


def interval(pair):
    return [float(pair[0]), float(pair[1])]


def intervals():
    cases = [(0, 1), (1, 1), (0, 30), (1, 30), (3, 30), (15, 30), (30, 30), (50, 198), (327, 500),
             (400, 1319), (1318, 1319)]
    rows = []
    for successes, trials in cases:
        for confidence in (0.9, 0.95, 0.99):
            test = stats.binomtest(successes, trials)
            rows.append({
                "successes": successes, "trials": trials, "confidence": confidence,
                "wilson": interval(test.proportion_ci(confidence, "wilson")),
            })
    return rows


def permutation_tests():
    random = numpy.random.default_rng(7)
    rows = []
    for size, bound in [(1, 1), (4, 3), (8, 1), (12, 4), (15, 9)]:
        d = random.integers(-bound, bound + 1, size).tolist()
        sums = [sum(s * x for s, x in zip(signs, d))
                for signs in itertools.product((-1, 1), repeat=size)]
        p = sum(abs(s) >= abs(sum(d)) for s in sums) / len(sums)
        same = sum(abs(s) == abs(sum(d)) for s in sums) / len(sums)
        rows.append({"differences": d, "p": p, "midP": p - same / 2})
        if size >= 4:  # SciPy's own exact test agrees
            test = stats.permutation_test((numpy.array(d),), numpy.sum, permutation_type="samples",
                                          n_resamples=math.inf, alternative="two-sided")
            # SciPy doubles the smaller tail; the law under the null is symmetric.
            assert abs(min(1, float(test.pvalue)) - p) < 1e-12, (d, test.pvalue, p)
    return rows


def paired():
    random = numpy.random.default_rng(11)
    arm = random.integers(0, 9, 40)
    base = random.integers(0, 9, 40)
    d = (arm - base) / 8
    return {"samples": 8, "arm": arm.tolist(), "base": base.tolist(),
            "difference": float(d.mean()), "standardError": float(stats.sem(d)),
            "armMean": float((arm / 8).mean()), "armStandardError": float(stats.sem(arm / 8)),
            "minimumDetectableEffect":
                float((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * stats.sem(d))}


def holm():
    # Computed by hand from the definition.
    return [{"p": [0.01, 0.04, 0.03, 0.005], "adjusted": [0.03, 0.06, 0.06, 0.02]},
            {"p": [0.5, 0.6], "adjusted": [1.0, 1.0]},
            {"p": [0.02], "adjusted": [0.02]},
            {"p": [0.01, 0.02, 0.02], "adjusted": [0.03, 0.04, 0.04]}]


def clustered():
    """Wilson's interval on the effective number of trials, from its definition."""
    random = numpy.random.default_rng(13)
    rows = []
    for n, k, p in [(1, 1, 1), (4, 2, 0.4), (30, 1, 0.1), (30, 16, 0.03), (198, 4, 0.25),
                    (500, 16, 0.65)]:
        correct = random.binomial(k, random.beta(p, 1 - p, n) if p < 1 else numpy.ones(n))
        means = correct / k
        z = stats.norm.ppf(0.975)
        shrunk = (means.sum() + z * z / 2) / (n + z * z)
        mean = means.mean()
        variance = means.var() + shrunk * (1 - shrunk) / (4 * n)
        trials = min(n * k, max(n, n * mean * (1 - mean) / variance))
        # The score interval: |mean - p| = z sqrt(p (1 - p) / trials), solved for p.
        roots = numpy.roots([1 + z * z / trials, -(2 * mean + z * z / trials), mean * mean])
        rows.append({"correct": correct.tolist(), "samples": k,
                     "interval": sorted(float(min(1, max(0, root))) for root in roots.real)})
    return rows


def student_t():
    rows = [[nu, p, float(stats.t.ppf(p, nu))] for nu in (1, 2, 4, 5, 30, 199)
            for p in (0.01, 0.025, 0.5, 0.8, 0.975, 0.995)]
    return rows


def seeds():
    values = [0.021, -0.004, 0.033, 0.017, 0.008, 0.029]
    test = stats.ttest_1samp(values, 0)
    interval = test.confidence_interval(0.95)
    flips = stats.permutation_test((numpy.array(values),), numpy.sum, n_resamples=math.inf,
                                   permutation_type="samples", alternative="two-sided")
    return {"values": values, "tP": float(test.pvalue), "signFlipP": float(flips.pvalue),
            "interval": [float(interval.low), float(interval.high)],
            "standardError": float(stats.sem(values))}


def pass_at_k():
    rows = []
    for n, c, k in [(1, 0, 1), (1, 1, 1), (10, 3, 1), (10, 3, 2), (10, 3, 8), (16, 1, 16),
                    (64, 5, 8), (200, 7, 100)]:
        rows.append({"samples": n, "correct": c, "k": k,
                     "value": 1 - math.comb(n - c, k) / math.comb(n, k)})
    return rows


fixture = {
    "versions": {"numpy": numpy.__version__, "scipy": scipy.__version__},
    "normalQuantiles": [[p, float(stats.norm.ppf(p))]
                        for p in (1e-10, 0.001, 0.025, 0.2, 0.5, 0.8, 0.975, 0.999)],
    "logGamma": [[x, float(special.gammaln(x))]
                 for x in (0.1, 0.5, 1, 1.5, 2, 9.99, 10, 50.5, 1320, 1e6)],
    "betaCumulative": [[x, a, b, float(special.betainc(a, b, x))]
                       for x in (0.001, 0.1, 0.5, 0.9, 0.999)
                       for a, b in ((0.5, 0.5), (1, 30), (3, 28), (15, 16), (400, 920))],
    "intervals": intervals(),
    "permutationTests": permutation_tests(),
    "paired": paired(),
    "holm": holm(),
    "passAtK": pass_at_k(),
    "clustered": clustered(),
    "studentT": student_t(),
    "seeds": seeds(),
}
with open("Tests/EvaluateTests/Fixtures/statistics.json", "w", encoding="utf-8") as file:
    json.dump(fixture, file, indent=1)
    file.write("\n")
