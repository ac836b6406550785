# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chapter 1 – Data preparation
#
# Among the collisions that ATLAS recorded in 2016 there are some in which a Higgs boson decayed to four leptons: about
# ten in the part that this course looks at, and forty times as many other events that look like them. You are going to hunt for the
# ten. By chapter 7 you will open the data and say how significant what you see is. Everything starts with knowing your events. That is
# what this chapter is for.

# %% [markdown]
# ## What you will do
#
# - learn why four leptons are the *golden channel* of the Higgs boson, and what else looks like it;
# - open a ROOT file and turn it into a table you can compute with;
# - understand event weights: why simulated events are not simply counted;
# - write the preselection, and follow it with a cut flow;
# - find out which variables tell signal from background, and which cannot.
#
# | time | needs | makes |
# |---|---|---|
# | 90 minutes | the sample files, in `data/` | the preselected events, for all later chapters |
#
# Exercises come in three kinds: *write code*, *read a plot* (or a table), and *in your words*. Below each one is a check. Run it
# after the cell of your answer, as often as you change that: it tells you what holds, what does not, and gives a hint. If you leave an exercise open, the
# check says so and the chapter goes on with the course's own solution. You can always come back.

# %%
from course import checks
from labcourse import kinematics, metrics, ntuple, outputs, plotting, samples, selection, weights

import numpy as np
import pandas as pd
import uproot

chapter = outputs.Chapter(1, solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(1)

# %% [markdown]
# ## 1.1 The Higgs boson and its golden channel
#
# At the Large Hadron Collider, two gluons from the colliding protons can merge into a Higgs boson through a loop of
# top quarks. The boson lives for about $10^{-22}$ seconds. We only ever see what it decays into.
#
# Here we look for the decay into two Z bosons, each of which becomes an electron pair or a muon pair:
#
# $$ H \to ZZ^{*} \to 4\ell, \qquad \ell = e, \mu . $$
#
# The star has a meaning. The Higgs boson weighs 125 GeV, less than two Z bosons at 91 GeV each. So at least one of
# the two must be *virtual*, lighter than a real Z.
#
# ![Feynman diagram. Two gluons meet in a triangular loop of top quarks, from which a Higgs boson emerges. It splits
# into two Z bosons, one of them virtual, and each Z boson becomes a lepton and an
# antilepton.](../course/figures/feynman_higgs_four_leptons.svg)
#
# Only about one Higgs boson in eight thousand ends as four electrons or muons. Then why *golden*? Because
# ATLAS measures electrons and muons to a per cent or two. All four decay products are seen, so their combined mass shows a narrow
# peak. And few other processes make four leptons.

# %% [markdown]
# ### What looks like it
#
# A *background* is another process with the same particles in the end. There are three that matter to us:
#
# - **ZZ**: two Z bosons (or virtual photons) made directly, without a Higgs boson. Four real leptons: it looks very
#   much like the signal, and among the events that we shall keep it is by far the largest background.
# - **Z**: a single Z boson gives two leptons; the other two come from *jets*, the sprays of particles that quarks and
#   gluons become. They are made there, for instance in the decay of a bottom quark, or are other particles mistaken for
#   leptons.
# - **top pairs**: each top quark gives a W boson and a bottom quark. Leptons can come out of any of the four.
#
# The samples of the course hold each of these, simulated. Let us see where your files come from.

# %% tags=["nbval-ignore-output"]
sources = {name: samples.locate(name).source for name in samples.ALL}
pd.DataFrame(
    {
        "sample": samples.ALL,
        "role": [samples.get(name).role for name in samples.ALL],
        "process": [samples.get(name).process for name in samples.ALL],
        "source": [sources[name] for name in samples.ALL],
    }
).set_index("sample")

# %% [markdown]
# The names: `ggH` is gluon fusion, as above. `VBF` is *vector boson fusion*: two quarks each radiate a W or Z boson, and
# these two merge into a Higgs boson. In `WH` and `ZH` the Higgs boson is made beside a W or a Z boson. `llll` is ZZ,
# `Zee` and `Zmumu` are a Z boson that becomes electrons or muons, and `ttbar_lep` is top pairs.
#
# `bundle` means: simulated for this course, with the Pythia generator and a simple model of the detector. `official`
# means: a file of the ATLAS Open Data. (`simulated` is another simulation of the course's, and `foreign` a file that is
# none of these.) The row `data` holds collision data if it is official. In the bundle it is
# *pseudo-data*: simulated events, mixed as nature would mix them, which none of the other samples contains. We keep
# the data closed until chapter 7.

# %% [markdown]
# ## 1.2 The detector and its coordinates
#
# ATLAS surrounds the collision point like the layers of an onion. Electrons leave a track and stop in the
# calorimeter. Muons go through everything and are measured again outside.
#
# ![The ATLAS detector as a cylinder around the beam line, with the x axis to the centre of the ring, the y axis up and
# the z axis along the beam. The azimuth phi turns around the beam; the polar angle theta is measured from the beam,
# and lines mark pseudorapidity zero, one and two and a half.](../course/figures/atlas_coordinates.svg)
#
# Four numbers describe the *four-momentum* of a lepton:
#
# - $p_T$, the *transverse momentum*: its part perpendicular to the beam, in GeV;
# - $\eta = -\ln\tan(\theta/2)$, the *pseudorapidity*: 0 perpendicular to the beam, large along it;
# - $\phi$, the *azimuth*: the angle around the beam, in radians;
# - $E$, the energy, in GeV.
#
# (We set $c = 1$: masses and momenta are in GeV, too.)
#
# Why not simply $x$, $y$ and $z$? The quarks and gluons that collide carry unknown shares of the protons' momenta, so the whole
# event may be boosted along the beam. $p_T$, $\phi$ and *differences* in $\eta$ do not change under such a boost (the latter
# as long as masses can be neglected).
#
# The momentum vector follows from them:
#
# $$ p_x = p_T\cos\phi, \qquad p_y = p_T\sin\phi, \qquad p_z = p_T\sinh\eta . $$

# %% [markdown]
# ### Exercise 1.1 – The invariant mass (write code)
#
# Energies and momenta of several particles add up. The *invariant mass* of the sum is the mass of what they came from:
#
# $$ m^2 = \Big(\sum E\Big)^2 - \Big(\sum p_x\Big)^2 - \Big(\sum p_y\Big)^2 - \Big(\sum p_z\Big)^2 . $$
#
# Complete `invariant_mass`. Each argument is an array with one row per event and one column per particle, shape
# `(n_events, n_particles)`. Return one mass per event, shape `(n_events,)`.


# %% tags=["exercise-1.1"]
def invariant_mass(pt, eta, phi, energy):
    """Invariant mass (GeV) of all particles in a row.

    pt, eta, phi, energy: arrays of shape (n_events, n_particles), in GeV and radians
    """
    ### BEGIN SOLUTION
    px = (pt * np.cos(phi)).sum(axis=1)
    py = (pt * np.sin(phi)).sum(axis=1)
    pz = (pt * np.sinh(eta)).sum(axis=1)
    return np.sqrt(energy.sum(axis=1) ** 2 - px**2 - py**2 - pz**2)
    ### END SOLUTION


# %% tags=["check-1.1"]
invariant_mass = checks.exercise_1_1(invariant_mass)

# %% [markdown]
# ## 1.3 Simulation and event weights
#
# To know what signal and background look like, we simulate both: first the collision, with a *generator* that follows
# quantum field theory, then the detector's answer to every particle. What comes out has the same form as collision
# data, with one difference. Each simulated event carries a *weight*.
#
# ![Three histograms of the same falling spectrum. Twenty events of weight one have the right scale but fluctuate strongly.
# Two thousand events of weight one are smooth, but a hundred times too many. Two thousand events of weight 0.01 are smooth
# and have the right scale.](../course/figures/event_weights.svg)
#
# Simulate as many events as nature makes, and the histogram is ragged (left). Simulate a hundred times more, and it is
# smooth, but shows a hundred times too many (middle). Now let each event count only 0.01: smooth, and right (right). The
# *weight* says how many events of nature a simulated event stands for.
#
# Weights need not be all the same. A generator can spend more events on rare regions, and give them smaller weights. The
# sum of the weights is then right everywhere, and the tails are smooth as well.
#
# We simulate as many events of each process as we can afford. The weight turns them into what the data should contain:
#
# $$ w = w_\text{generator} \cdot f_\text{pile-up} \cdot f_e \cdot f_\mu \cdot f_\text{trigger} \cdot
# \frac{\sigma \cdot L}{\sum w_\text{generator}} . $$
#
# Here $\sigma$ is the *cross-section* of the process, and $L$ the integrated *luminosity*: together $\sigma L$ is the number
# of collisions of this kind that happened. $L$ is measured in inverse area: at 10 fb⁻¹ a process with a cross-section of
# 1 fb happens ten times on average.
#
# The factors $f$ correct small differences between simulation and detector: in the *pile-up*, which is further
# collisions in the same bunch crossing, in how often electrons and muons are recognised, and in the *trigger*, which decides
# online what is recorded.
# The sum in the denominator runs over *all* generated events, not only the selected ones.

# %% [markdown]
# ### A look into the file
#
# Particle physics stores events in ROOT files. A file holds *trees*, and a tree holds *branches*, one for each variable.
# The library `uproot` reads them without ROOT itself. Here is the sample of Z bosons decaying to electrons.

# %%
path = samples.locate("Zee").paths[0]
tree = uproot.open(path)["mini"]
for name in ("eventNumber", "lep_n", "lep_pt", "lep_charge", "lep_type", "mcWeight", "XSection", "SumWeights"):
    print(f"{name:12}", tree[name].array()[:2].tolist())

# %% [markdown]
# Branches that belong to the event have one number. Branches of the leptons have a list, one entry per lepton: four
# or more here. Energies are in MeV, as ATLAS stores them. `lep_type` is the PDG code, the particle's number in the list of
# the Particle Data Group: 11 for an electron and 13 for a muon. `XSection` is in picobarn.

# %% [markdown]
# ### Exercise 1.2 – The event weight (write code)
#
# Write the formula above as a function of the branches. `branches` is a dictionary of arrays with the names used in
# the file: `mcWeight`, `scaleFactor_PILEUP`, `scaleFactor_ELE`, `scaleFactor_MUON`, `scaleFactor_LepTRIGGER`, `XSection`
# (in pb) and `SumWeights`. The luminosity comes in fb⁻¹. Mind the units: 1 pb = 1000 fb.


# %% tags=["exercise-1.2"]
def event_weight(branches, luminosity):
    """Expected number of events that each simulated event stands for, shape (n_events,).

    branches: dict of arrays of shape (n_events,); luminosity: in fb⁻¹
    """
    ### BEGIN SOLUTION
    factors = branches["mcWeight"] * branches["scaleFactor_PILEUP"] * branches["scaleFactor_LepTRIGGER"]
    factors = factors * branches["scaleFactor_ELE"] * branches["scaleFactor_MUON"]
    return factors * branches["XSection"] * 1000 * luminosity / branches["SumWeights"]
    ### END SOLUTION


# %% tags=["check-1.2"]
event_weight = checks.exercise_1_2(event_weight)

# %%
names = ["mcWeight", "XSection", "SumWeights"]
names += ["scaleFactor_PILEUP", "scaleFactor_ELE", "scaleFactor_MUON", "scaleFactor_LepTRIGGER"]
branches = {name: tree[name].array(library="np").astype(float) for name in names}
weight = event_weight(branches, luminosity=10)
print(f"{len(weight)} simulated events stand for {weight.sum():.1f} events at 10 fb⁻¹")

# %% [markdown]
# ## 1.4 The event table
#
# From here on the course's module `ntuple` reads the files. It does what you have just seen: four leptons, GeV instead of MeV, weights for
# 10 fb⁻¹. The result is one table for all samples.

# %% tags=["nbval-ignore-output"]
events = ntuple.load(samples.SIMULATED)

# %%
print(f"{len(events)} events, {len(events.columns)} columns")
print(*events.columns, sep=", ")

# %% [markdown]
# The table is a pandas *DataFrame*. What you need of it:
#
# - `events["lep1_pt"]` is a column, and behaves like an array; `.to_numpy()` makes an array of it.
# - `events["lep1_pt"] > 50` is a *mask*: one True or False per event. `events[mask]` keeps the rows where it is True.
# - `events["sample"].isin(list_of_names)` is a mask as well: it asks for several values at once.
# - Masks are combined with `&` (and), `|` (or) and `~` (not), each of them in brackets.
#
# Some of these variables are *low-level*: what the detector measured, such as `lep1_pt`. Leptons are numbered by falling $p_T$, so
# `lep1` is the hardest. Others are *high-level*: computed from several low-level ones, with some physics in mind. `m_ll_12` is
# the invariant mass of leptons 1 and 2, `m_llll` that of all four. `met` is the missing transverse energy, which
# neutrinos leave behind.
#
# Your own function should agree with the column `m_llll`:

# %%
own_mass = invariant_mass(*(kinematics.lepton_arrays(events, name).astype(float) for name in ("pt", "eta", "phi", "e")))
print("they agree:", np.allclose(own_mass, events["m_llll"], rtol=1e-5))

# %% [markdown]
# ### Exercise 1.3 – Raw and expected events (write code)
#
# Two ways to count: *raw*, the number of simulated events, and *expected*, the number that nature should have produced in our data.
# Complete the function for an event table with the column `weight`. Return both, as `(raw, expected)`.


# %% tags=["exercise-1.3"]
def count(events):
    """Return (raw, expected) numbers of events of an event table."""
    ### BEGIN SOLUTION
    return len(events), events["weight"].sum()
    ### END SOLUTION


# %% tags=["check-1.3"]
count = checks.exercise_1_3(count)

# %%
for name in samples.SIMULATED:
    raw, expected = count(events[events["sample"] == name])
    print(f"{name:15}{raw:8.0f} raw {expected:10.3f} expected")

# %% [markdown]
# Look at the two columns side by side. The four Higgs samples hold more than a third of all simulated events, and stand for about ten. The two
# samples of Z bosons hold one in a hundred or fewer, and stand for more than a hundred. Simulating rare accidents is
# expensive: only very few Z events have two additional leptons. Keep this imbalance in mind. It will haunt us in chapters 4 and 5.
#
# (ZH should be nearly as large as WH. The release gives it a cross-section that is about a hundred times too small. The course keeps it, so that yields
# agree with the release. It makes no difference here.)

# %% [markdown]
# ## 1.5 The preselection
#
# A Z boson decays to two leptons of the same flavour and of opposite charge. So the four leptons of a signal event must be
#
# - *eeee*, *eeµµ* or *µµµµ*, and
# - two positive and two negative: the total charge is zero.
#
# Events that fail are hardly ever signal (unless a lepton was mismeasured, or one of the four comes from a W or Z boson
# made beside the Higgs boson), and we drop them. This is the *preselection*. The
# neural network then works on what is left.

# %% [markdown]
# ### Exercise 1.4 – Flavour (write code)
#
# Each event has the columns `lep1_pdgid` to `lep4_pdgid`, with 11 for an electron and 13 for a muon. Return a mask, shape
# `(n_events,)`, that is true for *eeee*, *eeµµ* and *µµµµ*. Use whole columns at once: a Python loop over a million
# events is slow.


# %% tags=["exercise-1.4"]
def is_flavour_allowed(events):
    """True for the events whose four leptons are eeee, eeµµ or µµµµ."""
    ### BEGIN SOLUTION
    flavour_sum = events["lep1_pdgid"] + events["lep2_pdgid"] + events["lep3_pdgid"] + events["lep4_pdgid"]
    return (flavour_sum == 44) | (flavour_sum == 48) | (flavour_sum == 52)
    ### END SOLUTION


# %% tags=["check-1.4"]
is_flavour_allowed = checks.exercise_1_4(is_flavour_allowed)

# %% [markdown]
# ### Exercise 1.5 – Charge (write code)
#
# Now the same for the charge: the columns `lep1_charge` to `lep4_charge` hold +1 or −1. The mask is true where the four charges
# add up to zero.


# %% tags=["exercise-1.5"]
def is_neutral(events):
    """True for the events whose four leptons have total charge zero."""
    ### BEGIN SOLUTION
    charge_sum = events["lep1_charge"] + events["lep2_charge"] + events["lep3_charge"] + events["lep4_charge"]
    return charge_sum == 0
    ### END SOLUTION


# %% tags=["check-1.5"]
is_neutral = checks.exercise_1_5(is_neutral)

# %% [markdown]
# ### The cut flow
#
# A *cut flow* lists how many events are left after each requirement. We make one for every process: raw first, then expected.

# %%
processes = events["sample"].astype(str).map({name: samples.get(name).process for name in samples.SIMULATED})
flow = {process: selection.cut_flow(events[processes == process]) for process in ("Higgs", "ZZ", "Z", "ttbar")}
pd.concat(flow, axis=1).swaplevel(axis=1)[["raw", "expected"]].round(1)

# %%
is_signal = events["sample"].isin(samples.SIGNAL)
fig, axes = plotting.cut_flow(
    {"signal": selection.cut_flow(events[is_signal]), "background": selection.cut_flow(events[~is_signal])}
)
plotting.show(
    fig,
    alt="Raw and expected events of signal and background after each requirement of the preselection. "
    "The signal loses little, the background visibly more.",
)

# %% [markdown]
# ### Exercise 1.6 – Reading the cut flow (read a table)
#
# What share of the expected *top-pair* events passes the whole preselection? Read it from the table, as a number between 0
# and 1, to within 0.05. And think about it for a moment: why do so many of them fail, and hardly any of the Higgs boson's?

# %% tags=["exercise-1.6"]
### BEGIN SOLUTION
top_share = flow["ttbar"]["expected"]["charge"] / flow["ttbar"]["expected"]["four leptons"]
### END SOLUTION

# %% tags=["check-1.6"]
checks.exercise_1_6(top_share, cut_flow=flow["ttbar"])

# %% [markdown]
# The leptons of a top pair come from three or four different decays, so their flavours hardly know of each other: half of the
# events fail. Their charges know a little, since the two W bosons have opposite ones. About a third of the rest fails all the same.
#
# Now we apply the preselection, and look at what is left of each sample. `error` is the statistical uncertainty of the
# simulation, $\sqrt{\sum w^2}$.

# %%
preselected = events[is_flavour_allowed(events) & is_neutral(events)].reset_index(drop=True)
yields = selection.yields(preselected)
yields.round(3)

# %% [markdown]
# Both requirements are necessary, but they are not sufficient. An event *e⁺e⁺µ⁻µ⁻* passes both, and has no pair that could
# be a Z boson. How common are such events?

# %%
electron_charge = sum(preselected[f"lep{i}_charge"].where(preselected[f"lep{i}_pdgid"] == 11, 0) for i in (1, 2, 3, 4))
rows = {}
for name in preselected["sample"].unique():
    part = preselected["sample"] == name
    rows[name] = count(preselected[part & (electron_charge != 0)])[1] / count(preselected[part])[1]
pd.Series(rows, name="share without two pairs").round(3)

# %% [markdown]
# Among the top pairs it is a considerable share, among the others hardly any. We keep them, so that the yields are those of the release. A real analysis
# asks for two pairs of the same flavour and opposite charge.
#
# From here on, $s$ is the number of expected signal events and $b$ that of background events.

# %%
signal = preselected["sample"].isin(samples.SIGNAL)
expected_signal = preselected.loc[signal, "weight"].astype(float).sum()
expected_background = preselected.loc[~signal, "weight"].astype(float).sum()
print(f"expected signal {expected_signal:.1f}, background {expected_background:.1f}")
print(f"s/√b = {expected_signal / np.sqrt(expected_background):.2f}")

# %% [markdown]
# About ten Higgs bosons hide among about four hundred other events. The ratio $s/\sqrt{b}$ compares the signal with the
# random fluctuation of the background. It is about one half: after the preselection alone, nobody could tell whether the signal is
# there. The rest of this course is about raising that number.

# %% [markdown]
# ## 1.6 Which variables discriminate?
#
# A variable is useful if signal and background are distributed differently in it. Let us look at the transverse momenta of the
# leptons, stacked: the processes lie on top of each other, each with its expected number of events.

# %%
fig, ax = plotting.variable(preselected, "lep1_pt", bins=40, span=(0, 200))
plotting.show(
    fig,
    alt="Stacked histogram of the transverse momentum of the leading lepton, from 0 to 200 GeV. ZZ is the largest part and peaks "
    "near 50 GeV; the Higgs boson is a thin layer on top.",
)

# %% [markdown]
# The signal is nearly invisible. To compare *shapes*, we scale signal and background to the same area. The number in the
# corner is the *separation*
#
# $$ \langle S^2\rangle = \frac{1}{2}\int \frac{(s(x)-b(x))^2}{s(x)+b(x)}\,\mathrm{d}x , $$
#
# where $s(x)$ and $b(x)$ are now normalised distributions, and not numbers of events. It is 0 if they are the same, and 1 if they do not overlap.

# %%
fig, axes = plotting.compare_many(
    preselected, {"lep1_pt": (20, 200), "lep4_pt": (0, 60), "lep1_eta": (-2.8, 2.8), "lep1_phi": (-3.1416, 3.1416)}
)
plotting.show(
    fig,
    alt="Normalised distributions of signal and background in four variables. The transverse momenta of the first and "
    "the fourth lepton differ somewhat, the pseudorapidity little, and the azimuth is flat for both.",
)

# %% [markdown]
# ### Exercise 1.7 – The best variable (read a plot)
#
# `separations` below holds the separation of many variables. Which one of the *low-level* variables, those that start with `lep`,
# separates best? Give its name as a string. (Finite samples make any two histograms differ a little, so no number is exactly 0. The table has other bins than the figures above, so its numbers differ a little from theirs.)

# %%
spans = {"pt": (0, 200), "eta": (-2.7, 2.7), "phi": (-np.pi, np.pi), "e": (0, 500)}
ranges = {f"lep{i}_{quantity}": span for i in (1, 2, 3, 4) for quantity, span in spans.items()}
ranges |= {"m_ll_12": (0, 200), "m_ll_34": (0, 150), "m_llll": (80, 400), "met": (0, 150)}
separations = pd.Series(
    {name: metrics.separation(preselected, name, bins=40, span=span) for name, span in ranges.items()}
).sort_values(ascending=False)
separations.round(3)

# %% tags=["exercise-1.7"]
### BEGIN SOLUTION
best_variable = separations[separations.index.str.startswith("lep")].idxmax()
### END SOLUTION

# %% tags=["check-1.7"]
checks.exercise_1_7(best_variable, separations=separations)

# %% [markdown]
# ### Exercise 1.8 – Why not φ? (in your words)
#
# The azimuth of the leading lepton does not separate at all. Why is that so, for signal and background alike? Would you expect
# the *difference* of two leptons' azimuths to be any better? Two or three sentences.

# %% tags=["exercise-1.8", "written"]
### BEGIN SOLUTION
answer_1_8 = """The beams collide head-on and are not polarised, so nothing singles out a direction around the beam:
every process looks the same after a rotation in φ, and φ of a single lepton is uniform whatever made it.
A difference of two azimuths does not change under such a rotation. It depends on how the leptons were produced,
and can therefore differ between signal and background."""
### END SOLUTION

# %% tags=["check-1.8"]
checks.written("1.8", answer_1_8)

# %% [markdown]
# In the table above, the separation of an azimuth is small, but not 0. That is how much chance makes two histograms differ. Smaller
# differences between variables mean nothing.

# %% [markdown]
# ### The four-lepton mass
#
# The best variable of all is a high-level one. All four leptons of a signal event come from the Higgs boson, so their
# invariant mass is its mass, smeared by the detector.

# %%
fig, ax = plotting.variable(preselected, "m_llll", bins=60, span=(70, 250))
plotting.show(
    fig,
    alt="Stacked histogram of the four-lepton mass from 70 to 250 GeV. The Higgs boson makes a narrow peak at 125 GeV; "
    "ZZ has a peak near 91 GeV and rises steeply above 180 GeV.",
)

# %% [markdown]
# Three features of this figure are worth knowing by heart: the peak of the Higgs boson at 125 GeV; the peak of ZZ at 91 GeV, where a
# single Z boson decays to four leptons; and the threshold at 182 GeV, above which both Z bosons can be real.
#
# A fourth is less welcome: the broad hill of Z events around 120 GeV, a real Z boson beside two soft leptons. It lies just where the Higgs boson does.
#
# No other single variable separates signal from background as well as this one. The course leaves it out on purpose until the very end, where it tells us
# whether the networks found the right events. For most searches, nobody knows the mass beforehand.

# %% [markdown]
# ### Exercise 1.9 – Purity (write code)
#
# The *purity* of a selection is the share of signal in what it keeps, in expected events: $s/(s+b)$. Complete the function. It gets an event
# table and a mass window in GeV, and returns the purity of the events with `low <= m_llll < high`. The samples with
# signal are named in `samples.SIGNAL`. An empty window has purity 0.


# %% tags=["exercise-1.9"]
def purity(events, low, high):
    """Share of signal among the expected events with low <= m_llll < high (GeV); 0 if there are none."""
    ### BEGIN SOLUTION
    inside = events[(events["m_llll"] >= low) & (events["m_llll"] < high)]
    total = inside["weight"].sum()
    if total == 0:
        return 0.0
    return inside.loc[inside["sample"].isin(samples.SIGNAL), "weight"].sum() / total
    ### END SOLUTION


# %% tags=["check-1.9"]
purity = checks.exercise_1_9(purity)

# %%
print(f"all masses:      {purity(preselected, 0, np.inf):.3f}")
print(f"115 to 130 GeV:  {purity(preselected, 115, 130):.3f}")

# %% [markdown]
# ## 1.7 The weights themselves
#
# One more look at the weights before we hand them to a network. How large are they, how much do they spread, and do they have a sign?

# %%
rows = {}
for name in preselected["sample"].unique():
    w = preselected.loc[preselected["sample"] == name, "weight"].to_numpy(float)
    rows[name] = {
        "median": np.median(w),
        "largest": w.max(),
        "negative share": weights.negative_fraction(w),
        "raw": len(w),
        "effective": weights.effective_number(w),
    }
pd.DataFrame(rows).T.astype({"raw": int}).round({"median": 7, "largest": 7, "negative share": 3, "effective": 0})

# %%
fig, ax = plotting.weights(preselected)
plotting.show(
    fig,
    alt="Distributions of the size of the event weights of each process on logarithmic axes. Weights of the Higgs "
    "samples are hundreds to hundred thousands of times smaller than those of Z and top pairs.",
)

# %% [markdown]
# Some weights are negative. They come from calculations beyond the leading order of quantum field theory. There, some simulated events subtract
# what others counted twice. Sums over many events are right *because* the negative ones subtract. Dropping them, or taking their
# absolute value, changes the prediction.

# %% [markdown]
# ### Exercise 1.10 – How many events is a sample worth? (write code)
#
# A sample with spread-out weights predicts less precisely than its size suggests. Its *effective number* of events is the number of unweighted events
# with the same relative uncertainty:
#
# $$ n_\text{eff} = \frac{\left(\sum w\right)^2}{\sum w^2} . $$


# %% tags=["exercise-1.10"]
def effective_number(weight):
    """Effective number of events of an array of weights."""
    ### BEGIN SOLUTION
    weight = np.asarray(weight, dtype=float)
    return weight.sum() ** 2 / (weight**2).sum()
    ### END SOLUTION


# %% tags=["check-1.10"]
effective_number = checks.exercise_1_10(effective_number)

# %% [markdown]
# ### Exercise 1.11 – What the weights will do (in your words)
#
# A network is going to learn from these events. A single Z event can weigh as much as thousands of Higgs events, and some weights are negative.
# What might go wrong if it learns from raw events, each counted once? And what if it learns with the weights as they are? Write down your guess: chapter 5
# will come back to it.

# %% tags=["exercise-1.11", "written"]
### BEGIN SOLUTION
answer_1_11 = """Counted once each, the network sees almost no Z and top-pair events, although about a third of the
expected background comes from them: it can afford to misplace them. With the weights as they are, the signal weighs only some two per cent of
everything, and calling every event background is nearly free. Events with negative weights even reward a wrong
answer, and the few events with large weights dominate the gradient."""
### END SOLUTION

# %% tags=["check-1.11"]
checks.written("1.11", answer_1_11)

# %% [markdown]
# ## 1.8 Handing on
#
# The preselected events go to the later chapters, together with the cut flow. They are written to `data/outputs/`, with a note of which files they were made from.

# %%
chapter.write_table("events", preselected)
chapter.write_table("cut_flow", selection.cut_flow(events).reset_index())
chapter.write_numbers(
    {
        "expected_signal": expected_signal,
        "expected_background": expected_background,
        "raw_preselected": len(preselected),
        "purity_115_130": purity(preselected, 115, 130),
        **{f"expected_{name}": yields["expected"][name] for name in ("llll", "Zee", "Zmumu", "ttbar_lep")},
    }
)

# %% [markdown]
# ## Where you stand
#
# Each chapter keeps a count of its exercises. It follows your checks and survives a restart. A number leads to its
# exercise. In JupyterLab's terminal (*File → New → Terminal*), `labcourse status` shows the same for all chapters.
# `labcourse reset 1` starts this chapter over, and keeps what you have written under another name.

# %% tags=["nbval-ignore-output"]
checks.panel(1)

# %% [markdown]
# ## Summary
#
# - Four leptons are the golden channel: rare, but measured completely, with few backgrounds.
# - A simulated event counts with its weight. Raw counts say how precise the simulation is, expected counts what nature should show.
# - The preselection keeps *eeee*, *eeµµ* and *µµµµ* with total charge zero: almost all of the signal.
# - About ten signal events are left among about four hundred. A single number cannot find them: $s/\sqrt{b}$ is about one half.
# - Transverse momenta separate somewhat, φ not at all. The four-lepton mass separates best, and we leave it out for now.
# - The rare backgrounds are modelled by few events with large weights, some of them negative.
#
# ## Further reading
#
# - ATLAS Collaboration, *Observation of a new particle in the search for the Standard Model Higgs boson with the ATLAS detector at the LHC*,
#   Phys. Lett. B 716 (2012) 1, arXiv:1207.7214.
# - ATLAS Collaboration, *The ATLAS Experiment at the CERN Large Hadron Collider*, JINST 3 (2008) S08003.
# - The ATLAS Open Data of 2020, CERN Open Data record 15005, DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL.
#
# Next: [chapter 2, training](chapter2_training.ipynb).
