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
# Among the collisions that ATLAS recorded in 2016 there are some in which a Higgs boson decayed to four charged leptons: about
# ten of them were seen in the part that this course looks at, beside forty times as many other events that look like them. You are going to hunt for the
# ten. By chapter 7 you will open the data and say how significant what you see is. (As delivered, your data are simulated ones: section 1.3 says how.) Everything starts with knowing your events.

# %% [markdown]
# ## What you will do
#
# - look at single events, and find the two Z bosons in them;
# - learn why four leptons are the *golden channel* of the Higgs boson, and what else looks like it;
# - understand event weights: why simulated events are not simply counted, and how well their sum is known;
# - write the preselection, and follow it with a cut flow;
# - find the best single cut: what every network of this course has to beat.
#
# | time | needs | makes |
# |---|---|---|
# | 140 minutes | the sample files, in `data/` | the preselected events, for all later chapters |
#
# The heading of an exercise says what it asks for: to *write code*, to *derive* a formula first, or an answer *in your words*. Below each one is a check. Run it
# after the cell of your answer, as often as you change that: it tells you what holds, what does not, and gives a hint. If you leave an exercise open, the
# check says so and the chapter goes on with the course's own solution. A word with a link is explained in the glossary. Code that draws a figure or keeps results for later chapters need only be run, not read.

# %%
from course import checks, interactive, leaderboard, outputs
from labcourse import kinematics, ntuple, plotting, samples, selection, splitting, weights

import numpy as np
import pandas as pd
import uproot

chapter = outputs.Chapter(1, solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(1)

# %% [markdown]
# ## 1.1 One event
#
# Forty million times a second bunches of protons cross in ATLAS. What the detector records of one crossing is an
# [event](../course/glossary.md#event). The course's module `ntuple` reads events from files into one table, a row for each, with four leptons in every one.
# In this course *lepton* means electron or muon, of either charge.

# %% tags=["nbval-ignore-output"]
events = ntuple.load(samples.SIMULATED)

# %%
print(f"{len(events)} events, {len(events.columns)} columns")
print(*events.columns, sep=", ")

# %% [markdown]
# All these events are simulated, so we know what each of them is. Look at some: twenty with a Higgs boson and twenty without, in mixed order.
#
# On the left you look along the beam. On the right the
# detector is cut open and laid flat: the next section explains η and φ. Leptons are numbered by falling momentum across the beam.
# *Two of the leptons, perhaps, come from a Z boson of 91 GeV. Which two? (The farther apart they fly, the larger their mass.) Can you tell an event with
# a Higgs boson from one without?* Guess, then uncover the answer.

# %%
higgs = events["sample"].isin(samples.SIGNAL)
some = pd.concat([events[higgs].sample(20, random_state=219), events[~higgs].sample(20, random_state=219)])
interactive.event(some.sample(frac=1, random_state=33))

# %% [markdown]
# A single event tells little: what a Higgs boson can do, something else can do as well. What is *common* among the
# ones and rare among the others, only numbers tell.

# %% [markdown]
# ## 1.2 The detector and its coordinates
#
# ATLAS surrounds the collision point like the layers of an onion. Electrons leave a track and stop in the
# calorimeter. Muons go through everything and are measured again outside.
#
# ![The ATLAS detector as a cylinder around the beam line, with the x axis to the centre of the ring, the y axis up and
# the z axis along the beam. The azimuth phi turns around the beam; the polar angle theta is measured from the beam,
# and lines mark pseudorapidity 0, 0.5, 1, 1.5, 2 and 2.5.](../course/figures/atlas_coordinates.svg)
#
# Four numbers describe the [four-momentum](../course/glossary.md#four-momentum) of a lepton:
#
# - $p_T$, the *transverse momentum*: its part perpendicular to the beam, in GeV;
# - $\eta = -\ln\tan(\theta/2)$, the [pseudorapidity](../course/glossary.md#pseudorapidity): 0 perpendicular to the beam, large along it;
# - $\phi$, the [azimuth](../course/glossary.md#azimuth): the angle around the beam, in radians;
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
# Energies and momenta of several particles add up. If all came from one particle, the *invariant mass* of the sum is its mass:
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
# The table is a pandas *DataFrame*. What you need of it:
#
# - `events["lep1_pt"]` is a column, and behaves like an array; `.to_numpy()` makes an array of it.
# - `events["lep1_pt"] > 50` is a *mask*: one True or False per event. `events[mask]` keeps the rows where it is True.
# - `events["sample"].isin(list_of_names)` is a mask as well: it asks for several values at once.
# - Masks are combined with `&` (and), `|` (or) and `~` (not), each of them in brackets.
#
# Some of these variables are *low-level*: what the detector measured, such as `lep1_pt`, that of the hardest lepton.
# Others are *high-level*: computed from several low-level ones, with some physics in mind. `m_ll_12` is
# the invariant mass of leptons 1 and 2 (whether or not they belong together), `m_llll` that of all four. `met` is the missing transverse energy: what
# neutrinos carried away, and what was mismeasured.
#
# Your own function should agree with the column `m_llll`:

# %%
own_mass = invariant_mass(*(kinematics.lepton_arrays(events, name).astype(float) for name in ("pt", "eta", "phi", "e")))
print("they agree:", np.allclose(own_mass, events["m_llll"], rtol=1e-5))

# %% [markdown]
# ## 1.3 The Higgs boson and its golden channel
#
# At the Large Hadron Collider, two gluons from the colliding protons can merge into a Higgs boson through a loop of
# top quarks. The boson lives for about $10^{-22}$ seconds. We only ever see what it decays into.
#
# Here we look for the decay into two Z bosons, each of which becomes an electron pair or a muon pair:
#
# $$ H \to ZZ^{*} \to 4\ell, \qquad \ell = e, \mu . $$
#
# The star has a meaning. The Higgs boson weighs 125 GeV, less than two Z bosons at 91 GeV each. So at least one of
# the two must be [virtual](../course/glossary.md#virtual-particle), lighter than a real Z.
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
# A [background](../course/glossary.md#background) is another process with the same particles in the end, or what looks like them. There are three that matter to us:
#
# - **ZZ**: two Z bosons (or virtual photons) made directly, without a Higgs boson. Four real leptons: it looks very
#   much like the signal, and among the events that we shall keep it is by far the largest background.
# - **Z**: a single Z boson gives two leptons; the other two come from [jets](../course/glossary.md#jet), the sprays of particles that quarks and
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
# `Zee` and `Zmumu` are a Z boson that becomes electrons or muons (`Ztautau`, if you have its file, two taus), and `ttbar_lep` is top pairs.
#
# `official` means: a file that ATLAS published in its Open Data of 2020, in this course *the release*. `bundle`
# means: simulated for this course in the form of the release, with the generator Pythia (ZZ with a matrix element of the course's own) and a simple model of the detector.
# (`simulated` is another simulation of the course's, and `foreign` a file that is
# none of these.) The row `data` holds collision data if it is official. In the bundle it is
# [pseudo-data](../course/glossary.md#pseudo-data): simulated events, mixed as nature would mix them, which none of the other samples contains. We keep
# the data closed until chapter 7.

# %% [markdown]
# ## 1.4 Simulation and event weights
#
# To know what signal and background look like, we simulate both: first the collision, with a [generator](../course/glossary.md#generator) that follows
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
# How many does nature make? The cross-section $\sigma$ of a process times the integrated
# [luminosity](../course/glossary.md#luminosity) $L$ of the data is the mean number of collisions of this kind. $L$ is measured in inverse area: at 10 fb⁻¹ a
# process with a cross-section of 1 fb happens ten times on average.

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
# the Particle Data Group: 11 for an electron and 13 for a muon. `XSection` is $\sigma$ in picobarn. The rest you need now:
#
# - `mcWeight`: the weight that the generator gave to the event, on a scale of its own. Events of twice the weight count twice.
# - `SumWeights`: the sum of `mcWeight` over *all* events that were generated, also those that never made it into this file.
# - `scaleFactor_PILEUP`, `scaleFactor_ELE`, `scaleFactor_MUON` and `scaleFactor_LepTRIGGER`: factors that make the simulation more like the data, in the
#   [pile-up](../course/glossary.md#pile-up), in how often electrons and muons are recognised, and in the *trigger*, which decides
#   online what is recorded.

# %% [markdown]
# ### Exercise 1.2 – The event weight (derive, write code)
#
# Find the formula yourself. Leave the scale factors out at first: what should the weights of *all* generated events add up to? And what should make
# one of them larger than another?
#
# `branches` is a dictionary of arrays with the names of the branches above. The luminosity comes in fb⁻¹.


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
factors = {name.removeprefix("scaleFactor_"): branches[name] for name in names[3:]}
for name, factor in factors.items():
    print(f"factor {name:10} from {factor.min():.2f} to {factor.max():.2f}, standard deviation {factor.std():.2f}")

# %% [markdown]
# In one line,
#
# $$ w = w_\text{generator} \cdot f_\text{pile-up} \cdot f_e \cdot f_\mu \cdot f_\text{trigger} \cdot
# \frac{\sigma \cdot L}{\sum w_\text{generator}} . $$
#
# In these files the size of `mcWeight` hardly differs between the events of a sample. What makes the weights differ is above all the
# pile-up: the release was simulated before anybody knew how many collisions would overlap in the data. The other factors correct mostly by
# some per cent (a few events have a trigger factor of 0), this one by a lot, down to 0 where the data have no such crossings.

# %% tags=["claim"]
assert np.ptp(np.abs(branches["mcWeight"])) < 0.01 * np.abs(branches["mcWeight"]).mean()
if {samples.locate(name).source for name in samples.ALL} == {"bundle"}:
    assert factors["PILEUP"].min() == 0
    assert factors["PILEUP"].std() > 3 * max(factors[name].std() for name in ("ELE", "MUON", "LepTRIGGER"))

# %% [markdown]
# ### The numbers of the hunt
#
# The table `events` holds these weights for 10 fb⁻¹, in its column `weight`. There are now two ways to count: *raw*, the number of simulated events, and
# *expected*, the number that nature should have produced in our data.

# %%
cross_section = {
    name: float(uproot.open(samples.locate(name).paths[0])["mini"]["XSection"].array(entry_stop=1)[0])
    for name in samples.SIMULATED
}
table = selection.yields(events)[["raw", "expected"]]
table["cross-section [pb]"] = pd.Series(cross_section)
table.round({"expected": 3, "cross-section [pb]": 7})

# %% [markdown]
# Look at raw and expected side by side. The four Higgs samples hold more than a third of all simulated events, and stand for about ten. The samples
# of Z bosons hold one in a hundred or fewer, and stand for more than three hundred. Simulating rare accidents is
# expensive: only very few Z events have two additional leptons. This imbalance will haunt us in chapters 4 and 5.
#
# (The release's cross-section of ZH is about a hundred times too small. The course keeps it: it makes no difference here.)

# %% [markdown]
# ### Exercise 1.3 – Made, and seen (write code)
#
# The cross-sections of the four Higgs samples include the decay to four leptons. Of all Higgs bosons that decayed in this way, what share is in the table? Bet on
# a number first. Write the function for any such table, with the columns `sample` and `weight`. `cross_section` is a dictionary, in pb by sample; the luminosity is in fb⁻¹, and the
# names of the signal samples are in `samples.SIGNAL`.


# %% tags=["exercise-1.3"]
def share_seen(events, cross_section, luminosity):
    """Share of the Higgs bosons decaying to four leptons that an event table holds, between 0 and 1."""
    ### BEGIN SOLUTION
    decayed = sum(cross_section[name] for name in samples.SIGNAL) * 1000 * luminosity
    return events.loc[events["sample"].isin(samples.SIGNAL), "weight"].sum() / decayed
    ### END SOLUTION


# %% tags=["check-1.3"]
share_seen = checks.exercise_1_3(share_seen)

# %%
decayed = sum(cross_section[name] for name in samples.SIGNAL) * 1000 * samples.LUMINOSITY
print(f"Higgs bosons made at 10 fb⁻¹, with 55 pb: {55 * 1000 * samples.LUMINOSITY:8,.0f}")
print(f"of these decayed to four leptons:         {decayed:8.0f}")
print(f"of these with all four leptons seen:      {share_seen(events, cross_section, samples.LUMINOSITY):8.0%}")

# %% [markdown]
# Half a million Higgs bosons were made in these collisions (55 pb is the calculated [cross-section](../course/glossary.md#cross-section) of all decays). About seventy decayed to four electrons or muons (in WH and ZH also to taus), and one in seven of those
# is seen with all four: a lepton that flies along the beam pipe, is too soft, or is not recognised is lost, and the event with it.

# %% tags=["claim"]
assert 1 / 7.5 < share_seen(events, cross_section, samples.LUMINOSITY) < 1 / 6.5
assert 65 < decayed < 75

# %% [markdown]
# ## 1.5 The preselection
#
# A Z boson decays to two leptons of the same flavour and of opposite charge. Four leptons whose flavours or charges do not fit two Z bosons
# are hardly ever signal (unless a lepton was mismeasured, or came from a tau, or from a W or Z boson
# made beside the Higgs boson), and we drop such events. This is the [preselection](../course/glossary.md#preselection). The
# neural network then works on what is left.

# %% [markdown]
# ### Exercise 1.4 – Flavour (write code)
#
# Each event has the columns `lep1_pdgid` to `lep4_pdgid`, with 11 for an electron and 13 for a muon. Which flavours can two Z bosons give? Return a
# mask, shape `(n_events,)`, that is true for these, in whatever order. Whole columns at once are faster than a loop over events.


# %% tags=["exercise-1.4"]
def is_flavour_allowed(events):
    """True for the events whose four leptons have the flavours of two Z bosons' decays."""
    ### BEGIN SOLUTION
    flavour_sum = events["lep1_pdgid"] + events["lep2_pdgid"] + events["lep3_pdgid"] + events["lep4_pdgid"]
    return (flavour_sum == 44) | (flavour_sum == 48) | (flavour_sum == 52)
    ### END SOLUTION


# %% tags=["check-1.4"]
is_flavour_allowed = checks.exercise_1_4(is_flavour_allowed)

# %% [markdown]
# ### Exercise 1.5 – Charge (write code)
#
# Now the charges: the columns `lep1_charge` to `lep4_charge` hold +1 or −1. The mask is true where two Z bosons can have given all four, the flavours left aside.
# Before you go on: *how many in ten top pairs will pass each of the two?*


# %% tags=["exercise-1.5"]
def is_neutral(events):
    """True for the events whose four leptons have the charges of two Z bosons' decays."""
    ### BEGIN SOLUTION
    charge_sum = events["lep1_charge"] + events["lep2_charge"] + events["lep3_charge"] + events["lep4_charge"]
    return charge_sum == 0
    ### END SOLUTION


# %% tags=["check-1.5"]
is_neutral = checks.exercise_1_5(is_neutral)

# %% [markdown]
# ### The cut flow
#
# A [cut flow](../course/glossary.md#cut-flow) lists how many events are left after each requirement. We make one for every process: raw first, then expected.

# %%
processes = events["sample"].astype(str).map({name: samples.get(name).process for name in samples.SIMULATED})
flow = {process: selection.cut_flow(events[processes == process]) for process in ("Higgs", "ZZ", "Z", "ttbar")}
pd.concat(flow, axis=1).swaplevel(axis=1)[["raw", "expected"]].round(1)

# %% [markdown]
# The leptons of a top pair come from three or four different decays, so their flavours hardly know of each other: half of the
# events fail. Their charges know more. Mostly two leptons come from the W bosons, which have opposite charges, and two from the bottom quarks. If the latter's charges
# were random, half of the rest would fail. It is about a third: the two bottom quarks have opposite charges, too.
# Of the Higgs boson's events hardly any fails.

# %% tags=["claim"]
assert 0.4 < flow["ttbar"]["expected"]["flavour"] / flow["ttbar"]["expected"]["four leptons"] < 0.6
assert 0.58 < flow["ttbar"]["expected"]["charge"] / flow["ttbar"]["expected"]["flavour"] < 0.75
assert flow["Higgs"]["expected"]["charge"] / flow["Higgs"]["expected"]["four leptons"] > 0.95

# %%
preselected = events[is_flavour_allowed(events) & is_neutral(events)].reset_index(drop=True)

# %% [markdown]
# ## 1.6 Which two leptons come from the Z?
#
# In *eeµµ* there is one way to make two pairs of one flavour and of opposite charges.
# In *eeee* and *µµµµ* there are two: each positive lepton can go with either negative one. Nature does not tell. The usual choice is: of all such pairs **Z₁** is the one whose mass is nearest to 91.19 GeV,
# and **Z₂** is made of the two leptons that are left.

# %% [markdown]
# ### Exercise 1.6 – Two Z bosons (write code)
#
# Write `z_masses(events)`: return `(m_z1, m_z2)`, two arrays of shape `(n_events,)` in GeV. The masses of all pairs are in the table, from `m_ll_12` to `m_ll_34`; charges and flavours as in the exercises before.
# Where no pair could come from a Z boson, both are `np.nan`.
#
# The four leptons make six pairs. A loop over these six is short, and each step of it can treat all events at once: `np.where(mask, new, old)` takes an element of `new` where the mask is true.


# %% tags=["exercise-1.6"]
def z_masses(events):
    """Masses of the pair nearest to the Z boson and of the other two leptons: two arrays (n_events,), in GeV."""
    ### BEGIN SOLUTION
    m_z1, m_z2 = np.full(len(events), np.nan), np.full(len(events), np.nan)
    for i, j, k, m in ((1, 2, 3, 4), (1, 3, 2, 4), (1, 4, 2, 3), (2, 3, 1, 4), (2, 4, 1, 3), (3, 4, 1, 2)):
        mass, other = events[f"m_ll_{i}{j}"].to_numpy(), events[f"m_ll_{k}{m}"].to_numpy()
        same_flavour = (events[f"lep{i}_pdgid"] == events[f"lep{j}_pdgid"]).to_numpy()
        opposite = (events[f"lep{i}_charge"] + events[f"lep{j}_charge"] == 0).to_numpy()
        is_nearer = np.isnan(m_z1) | (np.abs(mass - 91.19) < np.abs(m_z1 - 91.19))
        takes = same_flavour & opposite & is_nearer
        m_z1, m_z2 = np.where(takes, mass, m_z1), np.where(takes, other, m_z2)
    return m_z1, m_z2
    ### END SOLUTION


# %% tags=["check-1.6"]
z_masses = checks.exercise_1_6(z_masses)

# %%
m_z1, m_z2 = z_masses(preselected)
paired = preselected.assign(m_z1=m_z1, m_z2=m_z2)[np.isfinite(m_z1)]
fig, axes = plotting.compare_many(paired, {"m_z1": (40, 120), "m_z2": (0, 120)})
plotting.show(
    fig,
    alt="Normalised distributions of signal and background in the masses of the two pairs. Both have a peak of m Z1 near 91 GeV, "
    "with a tail below it that is larger for the signal. For the signal, m Z2 lies mostly between 10 and 40 GeV; the background has one "
    "peak at a few GeV and another at 91 GeV.",
)

# %% [markdown]
# There is the star of ZZ*. In the signal one Z boson is nearly real, and the other takes what is left of 125 GeV: mostly 15 to 35 GeV. Much of the background
# has *two* real Z bosons; in the rest the second pair is often lighter still. (Section 1.8 explains the numbers above the frames.) And would it have been a good guess that the two hardest leptons belong together?

# %%
hardest = (paired["m_ll_12"] == paired["m_z1"]) | (paired["m_ll_12"] == paired["m_z2"])
shares = pd.DataFrame(
    {
        "the two hardest make a pair": hardest.groupby(paired["sample"], observed=True).mean(),
        "no two pairs": pd.Series(np.isnan(m_z1)).groupby(preselected["sample"], observed=True).mean(),
    }
)
shares.round(3)

# %% [markdown]
# In most events of ZZ the two hardest leptons belong to *different* pairs. The second column counts events such as *e⁺e⁺µ⁻µ⁻*: they pass the preselection and hold no pair that could be a Z
# boson. Among the top pairs that is a considerable share, among the others hardly any. We keep them, for a simple preselection; a real analysis
# asks for two pairs.

# %% tags=["claim"]
assert shares.loc["llll", "the two hardest make a pair"] < 0.4
assert shares["no two pairs"].idxmax() == "ttbar_lep"
assert shares["no two pairs"].drop("ttbar_lep").max() < 0.03 < 0.15 < shares["no two pairs"].max()
assert paired.loc[paired["sample"] == "ggH125_ZZ4lep", "m_z2"].between(12, 40).mean() > 0.7

# %% [markdown]
# ## 1.7 What is left, and how well we know it
#
# From here on, $s$ is the number of expected signal events and $b$ that of background events.

# %%
yields = selection.yields(preselected)
signal = preselected["sample"].isin(samples.SIGNAL)
expected_signal = preselected.loc[signal, "weight"].astype(float).sum()
expected_background = preselected.loc[~signal, "weight"].astype(float).sum()
print(f"expected signal {expected_signal:.1f}, background {expected_background:.1f}")
print(f"s/√b = {expected_signal / np.sqrt(expected_background):.2f}")
yields[["raw"]].assign(expected=yields["expected"].map("{:.4g}".format))

# %% [markdown]
# About ten Higgs bosons hide among about four hundred other events. The ratio $s/\sqrt{b}$ compares the signal with the
# random fluctuation of the background. It is about one half: whoever only counts these events cannot tell whether the signal is
# there. The course is about raising that number.
#
# The 43 events of `Zee` are a sum over a few hundred simulated ones. Had we simulated again, with other random numbers, the sum would be another one. By how much?

# %% [markdown]
# ### Exercise 1.7 – The error of a sum of weights (write code)
#
# Find out by experiment. Simulating again costs months, but there is a cheap substitute: let each event of the sample occur 0, 1, 2, … times, with the probabilities of a Poisson distribution
# of mean 1. (Then the number of simulated events fluctuates as well, as it would.) Such a made-up repetition is called a *toy*, or [toy experiment](../course/glossary.md#toy).
#
# Write `spread_of_sum(weight, n_toys, rng)`: make `n_toys` toys, add up the weights in each of them, and return the standard deviation of these sums. `rng.poisson(1.0, size=n)` gives n such numbers.


# %% tags=["exercise-1.7"]
def spread_of_sum(weight, n_toys, rng):
    """Standard deviation of the sum of weights over toys; rng is a generator of NumPy."""
    ### BEGIN SOLUTION
    sums = [(rng.poisson(1.0, size=len(weight)) * weight).sum() for _ in range(n_toys)]
    return np.std(sums)
    ### END SOLUTION


# %% tags=["check-1.7"]
spread_of_sum = checks.exercise_1_7(spread_of_sum)

# %% [markdown]
# Which formula gives this number without any toys? Three guesses: the sum times the relative error of a count, $\sum w/\sqrt{n}$; the fluctuation of the *data*, $\sqrt{\sum w}$; and $\sqrt{\sum w^2}$. Bet on one before you run the cell.

# %% tags=["nbval-ignore-output"]
rng, rows = np.random.default_rng(17), {}
for name in ("ggH125_ZZ4lep", "Zee", "Zmumu", "ttbar_lep"):
    w = preselected.loc[preselected["sample"] == name, "weight"].to_numpy(float)
    rows[name] = {
        "sum of weights": w.sum(),
        "toys": spread_of_sum(w, 1000, rng),
        "Σw/√n": w.sum() / np.sqrt(len(w)),
        "√Σw": np.sqrt(w.sum()),
        "√Σw²": np.sqrt((w**2).sum()),
    }
errors = pd.DataFrame(rows).T
errors.round(3)

# %% [markdown]
# It is $\sqrt{\sum w^2}$, and the reason is short: the number of times that an event occurs has variance 1, so it adds $w^2$ to the variance of the sum. $\sum w/\sqrt{n}$ would be right if all weights were equal. $\sqrt{\sum w}$ answers
# another question: how far the *data* will scatter around the prediction. It is larger here, since all weights are smaller than 1. In all figures of the course the band *stat. uncertainty* is $\sqrt{\sum w^2}$.

# %% tags=["claim"]
assert (np.abs(errors["toys"] / errors["√Σw²"] - 1) < 0.12).all()
assert (errors["√Σw²"] > errors["Σw/√n"]).all()

# %% [markdown]
# ## 1.8 Which variables discriminate?
#
# A variable is useful if signal and background are distributed differently in it. Let us look at the transverse momentum of the
# third lepton, stacked: the processes lie on top of each other, each with its expected number of events.

# %%
fig, ax = plotting.variable(preselected, "lep3_pt", bins=40, span=(0, 100))
plotting.show(
    fig,
    alt="Stacked histogram of the transverse momentum of the third lepton, from 0 to 100 GeV. Z and top pairs make a peak near "
    "10 GeV, ZZ a broad shoulder up to 45 GeV; the Higgs boson is a thin layer on top, near 20 GeV.",
)

# %% [markdown]
# The signal is nearly invisible. To compare *shapes*, we scale signal and background to the same area. The number above
# each frame is the [separation](../course/glossary.md#separation)
#
# $$ \langle S^2\rangle = \frac{1}{2}\int \frac{(s(x)-b(x))^2}{s(x)+b(x)}\,\mathrm{d}x , $$
#
# where $s(x)$ and $b(x)$ are now normalised distributions, and not numbers of events. It is 0 if they are the same (by chance a little more), and 1 if they do not overlap.
# (The dips near |η| = 1.4: there, between two parts of the calorimeter, electrons are not counted.)

# %%
fig, axes = plotting.compare_many(
    preselected, {"lep1_pt": (0, 150), "lep3_pt": (0, 80), "lep1_eta": (-2.8, 2.8), "lep1_phi": (-3.1416, 3.1416)}
)
plotting.show(
    fig,
    alt="Normalised distributions of signal and background in four variables. The transverse momenta of the first and "
    "the third lepton differ, the pseudorapidity little, and the azimuth is flat for both.",
)

# %% [markdown]
# ### Exercise 1.8 – Why not φ? (in your words)
#
# The azimuth of the leading lepton does not separate at all. Why is that so, for signal and background alike? Would you expect
# the *difference* of two leptons' azimuths to be any better?
#
# Press Enter where a line gets long: code cells do not wrap, and on paper what is too long is cut.

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
# ### The best single cut
#
# Separation compares shapes. What we want is $s/\sqrt{b}$. So take one variable, keep the events in a *window* of it, and choose the two ends.
#
# One caution. The best of many windows is the best also by luck. So we choose on one part of the events, six tenths, and quote on the others. Nothing that is
# quoted on these *test events* is chosen on them, in the whole course; chapter 2 tells how they are drawn. `match_yields` scales each part to the full number of expected events again.

# %% [markdown]
# ### Exercise 1.9 – The best window (write code)
#
# Write `best_window(edges, signal, background)`. The arrays `signal` and `background` hold the expected events in each bin of a histogram, and `edges` its `n_bins + 1` edges. Return `(low, high)`, two of the edges: those
# of the window of one or more neighbouring bins with the largest $s/\sqrt{b}$. A window whose expected background is not positive (weights can be negative) does not count.


# %% tags=["exercise-1.9"]
def best_window(edges, signal, background):
    """Edges (low, high) of the window of neighbouring bins with the largest s/√b."""
    ### BEGIN SOLUTION
    best, window = 0.0, (edges[0], edges[-1])
    for first in range(len(signal)):
        for end in range(first + 1, len(signal) + 1):
            s, b = signal[first:end].sum(), background[first:end].sum()
            if b > 0 and s / np.sqrt(b) > best:
                best, window = s / np.sqrt(b), (edges[first], edges[end])
    return window
    ### END SOLUTION


# %% tags=["check-1.9"]
best_window = checks.exercise_1_9(best_window)


# %%
def s_over_root_b(part, variable, low, high):
    """s/√b of the events of a table with low <= variable < high."""
    inside = part[part[variable].between(low, high, inclusive="left")]
    is_signal = inside["sample"].isin(samples.SIGNAL)
    w = inside["weight"].astype(float)
    return w[is_signal].sum() / np.sqrt(w[~is_signal].sum())


choosing, test = (weights.match_yields(part, preselected) for part in splitting.split(preselected))
is_signal = choosing["sample"].isin(samples.SIGNAL).to_numpy()
w = choosing["weight"].to_numpy(float)
rows = {}
for variable in ("lep1_pt", "lep2_pt", "lep3_pt", "lep4_pt"):
    edges = np.arange(4.0, 152.0, 2.0)
    values = choosing[variable].to_numpy()
    s, b = (np.histogram(values[own], edges, weights=w[own])[0] for own in (is_signal, ~is_signal))
    low, high = best_window(edges, s, b)
    rows[variable] = {
        "low": low,
        "high": high,
        "where chosen": s_over_root_b(choosing, variable, low, high),
        "on test events": s_over_root_b(test, variable, low, high),
    }
windows = pd.DataFrame(rows).T
windows.round(3)

# %% [markdown]
# One cut on one number lifts $s/\sqrt{b}$ from one half to 0.7. The third lepton does it: of a Higgs boson it usually belongs to the light pair, softer than in ZZ and harder than from a jet. With as many events as here, the luck of the choice is too small to be seen: both columns
# agree. Chapter 7 will show where it is large.

# %% tags=["claim"]
assert windows["where chosen"].idxmax() == windows["on test events"].idxmax() == "lep3_pt"
assert 0.65 < windows.loc["lep3_pt", "on test events"] < 0.75

# %% [markdown]
# ### The four-lepton mass
#
# The best variable of all is a high-level one. All four leptons of a signal event come from the Higgs boson, so their
# invariant mass is its mass, smeared by the detector.

# %%
fig, ax = plotting.variable(preselected, "m_llll", bins=60, span=(70, 250))
plotting.show(
    fig,
    alt="Stacked histogram of the four-lepton mass from 70 to 250 GeV. The Higgs boson makes a narrow peak at 125 GeV, on a broad "
    "hill of Z events; ZZ has a peak near 91 GeV and rises steeply at 180 GeV.",
)

# %% [markdown]
# Three features of this figure are worth knowing by heart: the peak of the Higgs boson at 125 GeV; the peak of ZZ at 91 GeV, where a
# single Z boson decays to four leptons; and the threshold at 182 GeV, above which both Z bosons can be real.
#
# A fourth is less welcome: the broad hill of Z events around 120 GeV, a real Z boson beside two soft leptons. It lies just where the Higgs boson does.

# %%
mass_window = 115.0, 130.0
in_window = preselected["m_llll"].between(*mass_window, inclusive="left")
s_window, b_window = (preselected.loc[in_window & own, "weight"].astype(float).sum() for own in (signal, ~signal))
print(f"115 to 130 GeV: s = {s_window:.1f}, b = {b_window:.1f}, s/√b = {s_window / np.sqrt(b_window):.2f}")
print(f"share of signal there: {s_window / (s_window + b_window):.2f}")
print(f"test events alone: s/√b = {s_over_root_b(test, 'm_llll', *mass_window):.2f}")

# %% [markdown]
# This is *the bar*: who knows the mass of the Higgs boson needs no network to get to 1.5. For most searches nobody knows the mass beforehand. So the course leaves it out on purpose until chapter 8, and
# asks what can be done without it; then, whether a network can pass the bar.

# %% tags=["claim"]
assert 1.4 < s_window / np.sqrt(b_window) < 1.7

# %% [markdown]
# ## 1.9 The weights themselves
#
# How large are the weights, how much do they spread, and do they have a sign?

# %% [markdown]
# ### Exercise 1.10 – How many events is a sample worth? (derive, write code)
#
# A sample with spread-out weights predicts less precisely than its size suggests. Its *effective number* of events is the number of events *of equal weight* whose sum would
# have the same relative error. You know the error of a sum of weights since exercise 1.7. Derive the formula, and write it as a function.


# %% tags=["exercise-1.10"]
def effective_number(weight):
    """Effective number of events of an array of weights."""
    ### BEGIN SOLUTION
    weight = np.asarray(weight, dtype=float)
    return weight.sum() ** 2 / (weight**2).sum()
    ### END SOLUTION


# %% tags=["check-1.10"]
effective_number = checks.exercise_1_10(effective_number)

# %%
rows = {}
for name in preselected["sample"].unique():
    w = preselected.loc[preselected["sample"] == name, "weight"].to_numpy(float)
    rows[name] = {
        "median": np.median(w),
        "largest": w.max(),
        "negative share": weights.negative_fraction(w),
        "raw": len(w),
        "effective": effective_number(w),
    }
sizes = pd.DataFrame(rows).T
shown = {"median": "{:.2g}", "largest": "{:.2g}", "negative share": "{:.3f}", "raw": "{:.0f}", "effective": "{:.0f}"}
pd.DataFrame({name: sizes[name].map(form.format) for name, form in shown.items()})

# %% [markdown]
# The weights of the Higgs samples are hundreds to hundred thousands of times smaller than those of the Z and top-pair events: of these we have few, and each counts a lot. (Why [effective numbers](../course/glossary.md#effective-number) are smaller than raw ones: mostly pile-up factors and signs.)
#
# Some weights are [negative](../course/glossary.md#negative-weight). In the release they come from calculations beyond the leading order of quantum field theory, where some events subtract
# what others counted twice. The bundle was generated at leading order, and the course has made a share of its Z events negative, whatever they look like.
# Either way the sum is right *because* they subtract. Who drops them, or takes their
# absolute value, changes the prediction: in the bundle its sum alone, in a real calculation shapes as well, since negative weights gather in some regions.

# %% tags=["claim"]
assert sizes.loc[["Zee", "Zmumu", "ttbar_lep"], "median"].min() > 100 * sizes.loc[list(samples.SIGNAL), "median"].max()
assert sizes.loc[["Zee", "Zmumu", "ttbar_lep"], "median"].max() > 1e5 * sizes.loc[list(samples.SIGNAL), "median"].min()

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
# ## 1.10 Can a network beat one cut?
#
# *The leaderboard* goes with you from chapter to chapter, and each adds what it has tried. $Z$ is the significance expected on the test events, by a
# formula that chapter 7 derives: close to $s/\sqrt{b}$ where $s$ is small against $b$, a little less where it is not, as in the mass window: compare with the $s/\sqrt{b}$ of the test events above. Its error is that of the simulation, as if the test events stood alone. The last column compares with the window on the *same* events: luck that both share cancels, so a
# difference can be known better than its parts. *Parameters* counts the numbers that were chosen; *validation loss* and *AUC* belong to the networks of later chapters.

# %% tags=["nbval-ignore-output"]
variable = windows["where chosen"].idxmax()
low, high = windows.loc[variable, ["low", "high"]]
chapter.write_table("events", preselected)
chapter.write_table("cut_flow", selection.cut_flow(events).reset_index())
chapter.write_table("window", pd.DataFrame({"variable": [variable], "low": [low], "high": [high]}))

window = leaderboard.baseline(chapter, test)
in_mass_window = test["m_llll"].between(*mass_window, inclusive="left")
rows = [
    leaderboard.row("no cut", test, np.ones(len(test)), window, inputs="none", parameters=0),
    leaderboard.row("window (baseline)", test, window, window, inputs="pT of lepton 3", parameters=2),
    leaderboard.row("mass window (the bar)", test, in_mass_window, window, inputs="m4l", parameters=2),
]
chapter.write_table("leaderboard", pd.DataFrame(rows))
leaderboard.show(chapter)

# %% [markdown]
# A network that looks at all four transverse momenta at once knows more than one window. *How much better will it be?* Put your guess on paper; the next chapters will tell.
#
# The preselected events, the cut flow and the window are kept in `data/outputs/` for the later chapters.

# %%
chapter.write_numbers(
    {
        "expected_signal": expected_signal,
        "expected_background": expected_background,
        "raw_preselected": len(preselected),
        "share_seen": share_seen(events, cross_section, samples.LUMINOSITY),
        "window_low": low,
        "window_high": high,
        "significance_window": rows[1]["z"],
        "significance_mass_window": rows[2]["z"],
        "purity_115_130": s_window / (s_window + b_window),
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
# ## Four questions
#
# Choose an answer, then open it: there is its reason.
#
# **1. Why must one of the two Z bosons of a Higgs boson of 125 GeV be virtual?**
#
# <details><summary>Because Z bosons live too short to be real.</summary>All Z bosons of this chapter decay at once, and many of them are real all the same: real means that the mass is near 91 GeV.</details>
# <details><summary>Because the masses of both together cannot exceed that of the Higgs boson.</summary>Right. Two real Z bosons weigh 182 GeV. The Higgs boson has 125 GeV, so at least one of them must be lighter than a real one.</details>
# <details><summary>Because the detector measures one of them badly.</summary>The resolution is a GeV or two, and the second mass lies tens of GeV below 91.</details>
#
# **2. A sample of 900 simulated events has weights that add up to 43. What does the 43 mean?**
#
# <details><summary>The mean number of such events in the data.</summary>Right. Each weight says how many events of nature a simulated one stands for, so the sum is what we expect to count.</details>
# <details><summary>The number of its events that pass the preselection.</summary>That is a count of simulated events, a raw number; the weights of those that pass are what is summed.</details>
# <details><summary>Exactly the number that the data will show.</summary>The data are counted, and scatter around the mean: 43 ± 7, by Poisson's law.</details>
#
# **3. Two samples have the same number of raw events and the same expected number. In one all weights are equal, in the other they differ. Which one predicts the sum better?**
#
# <details><summary>Both alike, since n and Σw are the same.</summary>The error is √Σw², and for a given sum that depends on how the weights are spread.</details>
# <details><summary>The one whose weights differ, since it has more information.</summary>Its sum depends on a few heavy events more than on the others, and these fluctuate.</details>
# <details><summary>The one with equal weights.</summary>Right. For a given sum √Σw² is smallest for equal weights; the effective number is then the raw number.</details>
#
# **4. You try 300 windows, take the one with the largest s/√b, and quote this s/√b from the same events. What is wrong?**
#
# <details><summary>Nothing, as long as the events are simulated.</summary>Simulated events fluctuate as well, and the largest of 300 fluctuating numbers tends to be one that went up.</details>
# <details><summary>The number tends to be too large.</summary>Right. The best window is the best partly by luck. On other events the luck is gone; so choose on some events, and quote on others.</details>
# <details><summary>The number tends to be too small.</summary>Of many fluctuating values the largest was picked, and that is more often one that went up.</details>
# <details><summary>It is wrong only if two windows overlap.</summary>Overlapping windows share their luck, which makes the effect smaller and not larger.</details>

# %% [markdown]
# ## What you can now do
#
# - Say why four leptons are the golden channel: rare, but measured completely, with few backgrounds.
# - Turn simulated events into expected ones, and say how well their sum is known: $\sqrt{\sum w^2}$.
# - Select *eeee*, *eeµµ* and *µµµµ* with total charge zero, and find the two Z bosons in them.
# - Choose a cut on some events, quote it on others.
# - Name what a network has to beat: one window in one momentum, 0.7, and the mass window, 1.5. With no cut at all it is one half.
# - Warn of what comes: the rare backgrounds are modelled by few events with large weights, some of them negative.
#
# ## Further reading
#
# - ATLAS Collaboration, *Observation of a new particle in the search for the Standard Model Higgs boson with the ATLAS detector at the LHC*,
#   Phys. Lett. B 716 (2012) 1, arXiv:1207.7214.
# - ATLAS Collaboration, *The ATLAS Experiment at the CERN Large Hadron Collider*, JINST 3 (2008) S08003.
# - The ATLAS Open Data of 2020, CERN Open Data record 15005, DOI 10.7483/OPENDATA.ATLAS.2Y1T.TLGL.
#
# Next: [chapter 2, training](chapter2_training.ipynb).
