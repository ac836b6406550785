"""What the page of a validation says around its tables, in Markdown."""

from __future__ import annotations

INTRODUCTION = """\
# Simulated and real events

Are the course's simulated samples like those of the ATLAS Open Data? This page is written by
`labcourse data validate --real DIR --page docs/{page}`, where `DIR` holds official files of the 4-lepton collection
(13 TeV, 2020; DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL). It compares each simulated sample with the real file of the same
process, and the sum of all simulation, each event with its weight, with the collision data (*data*). Of Z → ττ the
release's file holds a handful of events; the course has no sample of it.
"""

TESTS = """\
All events pass the preselection (total charge zero; eeee, eeµµ or µµµµ). Only shapes are compared: the simulation is
scaled to the real events.

- **χ²**: bins of equal probability, two at least, so few that each holds 20 effective real events where that can be,
  and 10 in any case; variances from the common shape of both samples; the normalisation is free, so ndf = bins − 1.
  For unweighted events it is Pearson's test of homogeneity.
- **KS**: Kolmogorov–Smirnov, where each sample counts (Σw)²/Σw² events. Where values repeat (isolation of exactly zero,
  numbers of jets) its probabilities are too large.
- Negative weights subtract in both tests.
- A probability below {threshold:g} is set in **bold**. Of {n_tests} tests, about {expected:.1f} are expected there by
  chance alone. The azimuths φ are a control: they can only be flat.

The *real* samples of Z → ℓℓ, and a few events of t t̄, repeat themselves. A rare pile-up collision that has two leptons
of its own was overlaid on many Z → ℓℓ events and made four-lepton events of them all, with the same two leptons in
each: up to {largest} of one sample's. In what depends on these leptons such events are not independent. In each
variable their likeness is measured (the *design effect*: the variance in bins with whole groups of such events as
units, over that with single events), and variances are so many times larger, in the figures' error bars as well. The
column *effective* says how many independent events of weight one would tell as much as the real ones do: where it is
below a hundred, only large differences would be seen, and probabilities are approximate. The collision data repeat
nothing.

*Control* compares the collision data with the same sum, but with the release's own samples in place of ours where there
are real files ({own}). Where both differ from the data, these samples of ours are not the cause. Most events of the sum
are our llll in both, of which no real file is here: whether the release's llll does better, the control cannot tell.

`labcourse data validate` passes if in no sample a probability is below {threshold:g} divided by the number of its tests
(the control is not judged), and if all figures in the tables are within their tolerance.
"""

SAMPLES = """\
Simulated samples: those whose manifest has the sha256 `{digest}…`
"""

QUANTILES = """\
Quantiles in GeV, simulated / real, with their statistical errors; of all preselected events, which are counted for one
sample and weighted for the sum of all. They should agree within 10 % or {n_sigma:g} statistical errors, whichever is
larger; those that do not are **bold**.
"""

SHARES = """\
Shares should agree within {points:g} percentage points or {n_sigma:g} statistical errors, whichever is larger.
"""

YIELDS = """\
The simulation predicts {simulated:.0f} events at 10 fb⁻¹ where the data hold {real:.0f} (`data/README.md` says why).
All its parts are scaled by the same number.
"""
