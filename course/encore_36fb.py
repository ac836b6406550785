# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Encore – 36 fb⁻¹ and the network you trained
#
# In 2025 ATLAS opened more of its data: all proton collisions of 2015 and 2016, 36 fb⁻¹. That is three and a half times as many as in this course, and the events come almost raw. No identification of the leptons, no
# isolation, no trigger: whoever wants to see the Higgs boson has to dig it out. You have a network. Does it work on events that it was not made for? And can you measure, with errors that you would defend, how much Higgs boson there is?
#
# ## What you will do
#
# - read a release whose units, order and weights differ from what you know, without falling into its traps;
# - dig out the events, and test whether your network of chapter 8 knows them;
# - measure how many of the leptons are fakes, with data;
# - fit the signal strength with systematic uncertainties, two generators among them, and compare with what ATLAS has published;
# - review somebody else's analysis with four numbers.
#
# | time | needs | makes |
# |---|---|---|
# | 120 minutes | the network of chapter 8, the events of chapter 1, the samples of 2025 | a signal strength, with its uncertainties one by one |

# %%
from course import checks, outputs
from labcourse import kinematics, metrics, ntuple, plotting, samples, selection, splitting, training, weights

import itertools

import awkward as ak
import numpy as np
import pandas as pd
import uproot
from scipy import optimize

NAMES = samples.names("2025", "signal", "twin", "background", "data")
LUMINOSITY = samples.LUMINOSITIES["2025"]
chapter = outputs.Chapter(11, sources=[*samples.ALL, *NAMES], solution=True)

# %% tags=["nbval-ignore-output"]
checks.panel(11)

# %% [markdown]
# ## 11.1 The same detector, another file
#
# What do you have? If your instructor has downloaded the release, the source below says `official`. If it says `bundle`, you have pseudo-data: simulated for this course in the form of the release, with far fewer [fakes](../course/glossary.md#fake) than there are in truth (nine in ten events instead of nearly all of them), so that they fit into
# the course's folder. All that you learn about the method holds for both. What you learn about nature, only for the first.

# %%
sources = {samples.locate(name).source for name in NAMES}
kind = plotting.data_kind("data_36fb")
print(f"source: {', '.join(sorted(sources))}; the data are {kind}")
print(*NAMES, sep=", ")

# %%
path = samples.locate("ZZ").paths[0]
tree = uproot.open(path)["analysis"]
for name in ("eventNumber", "lep_pt", "lep_type", "lep_isLooseIso", "trigE", "mcWeight", "xsec", "kfac", "filteff"):
    print(f"{name:15}", tree[name].array()[:2].tolist())

# %% [markdown]
# Compare with section 1.4. The tree has another name, energies are in GeV, and the cross-section comes in three factors: `xsec`, a correction for higher orders `kfac`, and the share `filteff` of the events that the generator's filter let through. So an event weighs
#
# $$ w = \frac{1000\, L \cdot \texttt{xsec} \cdot \texttt{kfac} \cdot \texttt{filteff} \cdot \texttt{mcWeight} \cdot \prod \texttt{ScaleFactor}}{\texttt{sum\_of\_weights}}. $$
#
# Flags say of each lepton what the detector thinks of it. And look at the transverse momenta.

# %% [markdown]
# ### Exercise 11.1 – Who leads? (write code)
#
# Electrons stand before muons, and only within each kind does the momentum fall. Whoever takes the first lepton for the leading one is often wrong. Write `leading_first(pt, values)`: both have the shape `(n_events, 4)`; return `values` with the columns of each event in the order of falling `pt`. `np.argsort` gives an order (rising), and
# `np.take_along_axis` applies it.


# %% tags=["exercise-11.1"]
def leading_first(pt, values):
    """Return values of leptons, shape (n_events, 4), in the order of falling pt."""
    ### BEGIN SOLUTION
    order = np.argsort(-np.asarray(pt), axis=1, kind="stable")
    return np.take_along_axis(np.asarray(values), order, axis=1)
    ### END SOLUTION


# %% tags=["check-11.1"]
leading_first = checks.exercise_11_1(leading_first)

# %%
raw_pt, raw_type = (ak.to_numpy(tree[name].array()) for name in ("lep_pt", "lep_type"))
print(f"first lepton not the hardest: {np.mean(raw_pt[:, 0] < raw_pt.max(axis=1)):.0%} of the ZZ events")
print(f"hardest lepton is a muon:     {np.mean(leading_first(raw_pt, raw_type)[:, 0] == 13):.0%}")
print(f"first lepton is a muon:       {np.mean(raw_type[:, 0] == 13):.0%}")

# %% [markdown]
# `ntuple` does all this for you, and gives the table that you know: the tree's name tells it which release it reads. New are the columns `trigger`, `matched`, `lep1_identified` … and `lep1_isolated` …
#
# ## 11.2 Digging
#
# The files hold whatever had four objects that somebody might call leptons. The release's own example asks for a single-lepton [trigger](../course/glossary.md#trigger) and a lepton that fired it ("matched"); more than 20, 15 and 10 GeV for the three hardest; loose [isolation](../course/glossary.md#isolation) for all, identification (loose for electrons, medium for muons); and then what you know from chapter 1. Real files have 1.4 million events of data, so we count them part by part.


# %%
def cut_flow(name, column):
    """Cut flow of a sample, of which only a part is in memory at a time."""
    parts = (part for path in samples.locate(name).paths for part in ntuple.iterate(path, sample=name))
    return sum(selection.cut_flow(part)[column] for part in parts)


flow = pd.DataFrame(
    {name: cut_flow(name, "expected") for name in ("ggH", "ZZ")} | {"data": cut_flow("data_36fb", "raw")}
)
flow["data per expected"] = flow["data"] / (flow["ggH"] + flow["ZZ"])
flow.round(1)

# %% tags=["claim"]
assert flow["data"].iloc[0] > 5 * flow["data"].iloc[-1]
assert 0.9 < flow["data per expected"].iloc[-1] < 1.3

# %% [markdown]
# The trigger hardly helps: most fakes come beside a real Z boson, which fires it. The momenta help a little. Isolation and identification do the work, and they have a price: nearly two fifths of the Higgs bosons. (The last row holds the whole spectrum, mostly ZZ. It says nothing of the peak, and the peak stays closed for now.)
#
# Two tables follow. `simulated` holds the events that pass everything. `control` holds data that *fail*: at least two good leptons, good meaning identified and isolated, but not everything that a candidate needs. Of these about one in three hundred is expected to be a Higgs boson, so we may look.


# %%
def qualities(table):
    """Whether each lepton is identified and isolated, shape (n_events, 4)."""
    return np.logical_and(*(kinematics.lepton_arrays(table, name) for name in ("identified", "isolated")))


def is_candidate(table):
    return np.logical_and.reduce(list(selection.requirements(table).values()))


def sideways(table):
    """Events with the trigger, the momenta and two good leptons, that are no candidates."""
    masks = selection.requirements(table)
    kept = masks["trigger"] & masks["matched lepton"] & masks["pT 20, 15, 10 GeV"]
    return table[kept & (qualities(table).sum(axis=1) >= 2) & ~is_candidate(table)]


def of_role(*roles):
    return samples.names("2025", *roles)


prompt = [name for name in of_role("signal", "background") if samples.get(name).process in ("Higgs", "ZZ")]
simulated = ntuple.load(
    of_role("signal", "twin", "background"), keep=lambda part: part[is_candidate(part)], progress=False
)
control = ntuple.load(["data_36fb"], keep=sideways, progress=False)
prompt_control = ntuple.load(prompt, keep=sideways, progress=False)
table = selection.yields(simulated)
table["effective"] = [
    weights.effective_number(simulated.loc[simulated["sample"] == name, "weight"]) for name in table.index
]
print(f"{len(control)} events of data to learn from")
table.round(2)

# %% [markdown]
# Look at the last column. The release's continuum ZZ has 11,260 raw events before any cut, fifty times fewer than that of 2020 (and ten times fewer than this course's). A network would learn them by heart. So we train nothing here: the network comes from chapter 8, and these events only test it.
#
# ## 11.3 A network among strangers
#
# Your network of chapter 8, with its inputs. (If you have added ingredients of your own there, add the same lines here.)


# %%
def log_of(mass):
    return np.log(np.maximum(mass, 1))


def own_inputs(table):
    """The inputs of your entry in chapter 8, shape (n_events, n_inputs)."""
    windows = [np.tanh((table["m_llll"] - 124) / 4), np.tanh((table["m_llll"] - 124) / 15)]
    z_bosons = [f(mass) for mass in kinematics.z_masses(table) for f in (log_of, lambda m: np.tanh((m - 91.2) / 5))]
    columns = [
        np.log(kinematics.lepton_arrays(table, "pt")),
        log_of(table[[f"m_ll_{i}{j}" for i, j in kinematics.PAIRS]]),
        log_of(table["m_llll"]),
        *windows,
        *z_bosons,
    ]
    return np.column_stack(columns).astype(np.float32)


# %% tags=["nbval-ignore-output"]
model = chapter.read_model(8, "low_level_model")
n_inputs = own_inputs(simulated[:2]).shape[1]
assert model.input_shape[1] == n_inputs, (
    f"Your network takes {model.input_shape[1]} inputs, own_inputs makes {n_inputs}: copy the lines of INGREDIENTS."
)


def score_of(table):
    return training.predict(model, own_inputs(table))


# %% [markdown]
# Two questions, in this order. *Does it separate as well as at home?* We take gluon fusion against ZZ: the test events of the course, which the network has never seen; and the samples of 2025; both above 25, 15 and 10 GeV, so that the momenta required are the same. *Do its scores have the same distribution?* A network may separate as well and yet be off, as a cut that keeps nine tenths of the signal
# at home may keep eight tenths here.

# %% tags=["nbval-ignore-output"]
_, home = splitting.split(chapter.read_table(1, "events"))
home = home[home["sample"].isin(["ggH125_ZZ4lep", "llll"]) & (home["lep2_pt"] > 15) & (home["lep3_pt"] > 10)]
away = simulated[simulated["sample"].isin(["ggH", "ZZ"]) & (simulated["lep1_pt"] > 25)]
HIGGS, CONTINUUM = ["ggH125_ZZ4lep", "ggH"], ["llll", "ZZ"]
places = {"at home (2020)": home, "away (2025)": away}
scores = {place: score_of(events) for place, events in places.items()}
rows = {}
for place, events in places.items():
    is_higgs, weight = events["sample"].isin(HIGGS).to_numpy(), events["weight"].to_numpy(float)
    cut = np.quantile(scores["at home (2020)"][home["sample"] == "ggH125_ZZ4lep"], 0.1)
    kept = scores[place] >= cut
    rows[place] = {
        "AUC": metrics.auc(events, scores[place]),
        "ggH kept": weight[is_higgs & kept].sum() / weight[is_higgs].sum(),
        "ZZ kept": weight[~is_higgs & kept].sum() / weight[~is_higgs].sum(),
        "error of ZZ kept": np.sqrt(np.sum(weight[~is_higgs & kept] ** 2)) / weight[~is_higgs].sum(),
    }
transfer = pd.DataFrame(rows).T
transfer.round(4)

# %% tags=["nbval-ignore-output"]
edges = np.linspace(0, 1, 26)
with plotting.use_style():
    fig, ax = plotting.new_figure()
    for place, events in places.items():
        for name, color, members in (
            ("ggH", "#D55E00", events["sample"].isin(HIGGS)),
            ("ZZ", "#0072B2", events["sample"].isin(CONTINUUM)),
        ):
            content, error, _ = metrics.histogram(scores[place][members], events["weight"][members], edges)
            content, error = content / content.sum(), error / content.sum()
            label = f"{name}, {place}"
            if place.startswith("away"):
                ax.errorbar(
                    (edges[1:] + edges[:-1]) / 2, content, error, fmt="o", color=color, markersize=3.5, label=label
                )
            else:
                ax.stairs(content, edges, color=color, linewidth=1.8, label=label)
    ax.set(yscale="log", xlabel="score of chapter 8", ylabel="share of events / bin", xlim=(0, 1), ylim=(1e-4, 3))
    ax.legend(loc="upper center", ncols=2)
    plotting.stamp(ax, luminosity=None)
plotting.show(
    fig,
    alt="Share of events against the score of chapter 8 on a logarithmic axis, for gluon fusion and for ZZ, at home as lines and away as "
    "points. ZZ piles up near zero, gluon fusion near one, and the points lie on the lines within their errors.",
)

# %% tags=["claim"]
if sources == {"bundle"}:
    assert abs(transfer["AUC"].diff().iloc[1]) < 0.01
    assert abs(transfer["ggH kept"].diff().iloc[1]) < 0.05

# %% [markdown]
# In the bundle, home and away were made by the same generator and nearly the same detector. That they agree tests the reading and the selection, hardly the physics. With the release's own files the table becomes a real question: there the Higgs boson was simulated beyond leading order, its neighbours by other programs, the detector by ATLAS.

# %% [markdown]
# ### Exercise 11.2 – Trained here, used there (in your words)
#
# Suppose that with the real files the network keeps 90 % of the signal at home and 86 % away, and the data cannot tell which is right. What does that mean for your measurement of the signal, if you take the efficiency from the simulation of 2025? And if you took it from home? Which of the network's inputs would you compare first, where, and with which events of the data? Three or four sentences.

# %% tags=["exercise-11.2", "written"]
### BEGIN SOLUTION
answer_11_2 = """A network that was trained on another simulation is still a valid variable, only perhaps not the best one: what it costs is significance, not correctness.
The efficiency must come from the simulation that describes these data, so from 2025; taken from home, the signal would come out four per cent too small here.
The difference between two good simulations is a measure of what nobody knows, and belongs to the systematic uncertainty.
I would compare the inputs one by one, the momenta of the soft leptons and the masses of the pairs first, and do it with data where no Higgs boson is expected: pairs of Z bosons above 180 GeV, and Z → 4ℓ at 91 GeV."""
### END SOLUTION

# %% tags=["check-11.2"]
checks.written("11.2", answer_11_2)

# %% [markdown]
# ## 11.4 Fakes, measured
#
# Which of the candidates are a real Z boson beside two leptons that are none? The simulation cannot be trusted here: it would have to know how often a jet looks like an electron. So we ask the data. The idea needs one number: of all fakes, how many are *good* for each one that is not? Call it the factor $f$. Then a single failed lepton
# stands for $f$ good ones.
#
# Where do you find fakes and nothing else? Take a Z boson made of two good leptons, and two more of the *same* charge. No Higgs boson and hardly any ZZ looks like this. If one of the two fails, the other is an honest fake: how often is it good?


# %%
def z_and_others(table):
    """Position of the pair of good leptons nearest to the Z boson (-1 for none within 15 GeV), and those of the other two."""
    charge, code = (kinematics.lepton_arrays(table, name) for name in ("charge", "pdgid"))
    good, places = qualities(table), np.array(kinematics.PAIRS) - 1
    first, second = places.T
    is_pair = (charge[:, first] + charge[:, second] == 0) & (code[:, first] == code[:, second])
    is_pair &= good[:, first] & good[:, second]
    mass = table[[f"m_ll_{i}{j}" for i, j in kinematics.PAIRS]].to_numpy()
    far = np.where(is_pair, np.abs(mass - 91.2), np.inf)
    pair = far.argmin(axis=1)
    # The pairs are listed such that the one opposite in the list holds the other two leptons.
    return np.where(far.min(axis=1) < 15, pair, -1), places[::-1][pair]


def beside_a_failed_one(table):
    """Weights of fakes that are good and that fail, for electrons and muons: the other one has failed, same charge."""
    pair, others = z_and_others(table)
    rows = np.arange(len(table))[:, None]
    charge, code = (kinematics.lepton_arrays(table, name)[rows, others] for name in ("charge", "pdgid"))
    good, chosen = qualities(table)[rows, others], (pair >= 0) & (charge.sum(axis=1) != 0)
    weight = table["weight"].to_numpy(float)
    counts = {}
    for name, number in (("electrons", 11), ("muons", 13)):
        own = chosen[:, None] & (code == number) & ~good[:, ::-1]
        counts[name] = [(weight[:, None] * (own & is_so)).sum() for is_so in (good, ~good)]
    return pd.DataFrame(counts, index=["good", "failed"]).T


of_data, of_prompt = beside_a_failed_one(control), beside_a_failed_one(prompt_control)
of_data.assign(**{"good, by ZZ and Higgs": of_prompt["good"]}).round(2)

# %% [markdown]
# ### Exercise 11.3 – The factor (derive, write code)
#
# Write `fake_factor(n_good, n_failed, n_prompt)`: the factor $f$ and its error. `n_good` and `n_failed` are counts of data; of the good ones, `n_prompt` are expected to be no fakes (the simulation of ZZ knows that well; take it as exact). Take both counts as independent. (An event in which both fail counts twice among the failed. That makes the error larger by two per cent; leave it out.)


# %% tags=["exercise-11.3"]
def fake_factor(n_good, n_failed, n_prompt):
    """Good fakes for each failed one, and its statistical error."""
    ### BEGIN SOLUTION
    factor = (n_good - n_prompt) / n_failed
    return factor, np.sqrt(n_good + factor**2 * n_failed) / n_failed
    ### END SOLUTION


# %% tags=["check-11.3"]
fake_factor = checks.exercise_11_3(fake_factor)

# %%
factors = {
    name: fake_factor(of_data.loc[name, "good"], of_data.loc[name, "failed"], of_prompt.loc[name, "good"])
    for name in of_data.index
}
for name, (factor, error) in factors.items():
    print(f"{name}: {factor:.3f} ± {error:.3f} good fakes for each that fails")

# %% [markdown]
# (With the release's own files, think of a W boson beside the Z: its real lepton, beside a fake that fails, looks like a good fake, and makes $f$ too large. The bundle has no such events.)
#
# Now use it. Take events with the flavours and charges of a candidate, where one or two leptons fail. Let *n* events hold two fakes that both fail. Then there are $n f_1 f_2$ candidates with two good fakes: that is what we want. And events with *one* failed lepton? There are $n f_1$ with the first fake good and $n f_2$ with the second. Each such event, weighted with the factor of its failed
# lepton, counts every candidate twice. So
#
# $$ N = \sum_{\text{one failed}} f \;-\; \sum_{\text{two failed}} f_1 f_2 \;-\; (\text{the same two sums over ZZ and Higgs events}). $$
#
# The last term is for real leptons that fail. (Two sums where one would do? A Z boson with a *real* third lepton and one fake is in the first sum, not in the second: the difference counts it right.)

# %% [markdown]
# ### Exercise 11.4 – From failed to good (derive, write code)
#
# Write `reducible(one, two, prompt)`. `one` holds the factors of the failed leptons of the events with one failed, shape `(n,)`; `two` those of the events with two, shape `(m, 2)`; `prompt` is the number to subtract at the end. Return the estimate $N$ and its statistical error, from the fluctuation of the two kinds of events (the factors and `prompt` taken as exact). An event that
# counts $f$ has the variance $f^2$.


# %% tags=["exercise-11.4"]
def reducible(one, two, prompt):
    """Expected candidates with fakes, and its statistical error."""
    ### BEGIN SOLUTION
    one, both = np.asarray(one), np.prod(two, axis=1)
    return one.sum() - both.sum() - prompt, np.sqrt((one**2).sum() + (both**2).sum())
    ### END SOLUTION


# %% tags=["check-11.4"]
reducible = checks.exercise_11_4(reducible)


# %%
def failed_factors(table, shift=(0, 0)):
    """Events of a candidate's flavours and charges with one failed lepton, with two, and the factors of these leptons."""
    masks = selection.requirements(table)
    good = qualities(table)
    steps = dict(zip((11, 13), shift, strict=True))
    of_code = {
        code: factors[name][0] + steps[code] * factors[name][1] for code, name in ((11, "electrons"), (13, "muons"))
    }
    code = kinematics.lepton_arrays(table, "pdgid")
    f = np.where(good, np.nan, np.where(code == 11, of_code[11], of_code[13]))
    number = np.where(masks["flavour"] & masks["charge"], (~good).sum(axis=1), 0)
    one, two = number == 1, number == 2
    return table[one], f[one][~good[one]], table[two], f[two][~good[two]].reshape(-1, 2)


ZZ_UNKNOWN = 0.05


def estimate(shift=(0, 0), of_real=1.0):
    """Fakes among the candidates: the sums of data, less those of ZZ and Higgs events; and by two failed leptons alone."""
    _, one, _, two = failed_factors(control, shift)
    prompt_one, f_one, prompt_two, f_two = failed_factors(prompt_control, shift)
    sums = (
        of_real * (prompt_one["weight"].to_numpy(float) * f_one).sum(),
        of_real * (prompt_two["weight"].to_numpy(float) * f_two.prod(axis=1)).sum(),
    )
    return *reducible(one, two, sums[0] - sums[1]), two.prod(axis=1).sum() - sums[1]


n_fakes, statistical, by_two_alone = estimate()
of_factors = np.hypot(*(estimate(step)[0] - n_fakes for step in ((1, 0), (0, 1))))
of_zz = abs(estimate(of_real=1 + ZZ_UNKNOWN)[0] - n_fakes)
fakes_error = np.sqrt(statistical**2 + of_factors**2 + of_zz**2)
by_simulation = simulated[simulated["sample"].isin(of_role("background")) & ~simulated["sample"].isin(prompt)]["weight"]
print(
    f"fakes among the candidates: {n_fakes:.1f} ± {statistical:.1f} (events) ± {of_factors:.1f} (factors) ± {of_zz:.1f} (ZZ)"
)
print(f"real leptons that fail, taken away: {estimate(of_real=0)[0] - n_fakes:.1f}")
print(f"by events with two failed leptons alone: {by_two_alone:.1f}")
print(
    f"by simulation: {by_simulation.sum():.1f} ± {np.sqrt((by_simulation**2).sum()):.1f}, from {len(by_simulation)} events"
)

# %% tags=["claim"]
if sources == {"bundle"}:
    assert abs(by_two_alone - n_fakes) < 2 * fakes_error
    assert fakes_error < 0.5 * n_fakes
    assert of_zz > of_factors
    assert 0.7 < 1 - n_fakes / estimate(of_real=0)[0] < 0.8

# %% [markdown]
# Two ways, the same answer within its error. That tests what the method assumes: if the fakes of candidates were good more often than those of the same charge, the difference of the two sums would grow, and the second sum alone would not. Why not take that one? It does not know the Z boson with a real third lepton.
#
# And what does the difference rely on? Three quarters of it are real leptons that fail, which the simulation of ZZ takes away: if that is known to five per cent (our assumption), the estimate has a third error, nearly as large as the first.
#
# What does the simulation of the fakes say? Of its thousands of events a handful passes, so that it hardly knows what it predicts. Besides, that error knows only of the number of simulated events, not of mistakes in their making: in the bundle the pseudo-data hold 1.4 times as many
# fakes as the simulation says, and with a handful of events nobody could tell.
#
# For the fit we need the fakes' scores as well. Events with two failed leptons show them: there are many, with the momenta of fakes.
#
# ## 11.5 The plan
#
# As in chapter 7, everything is fixed before the candidates are opened. The score is cut into bins by the signal: 5 % of it in the lowest, 25 % in the next, 70 % in the two highest. The lowest bin holds most of the ZZ, and tells how much of that there is. More bins would look better, and hold no simulated ZZ that one could trust: here are few events, and some of them subtract.

# %% tags=["nbval-ignore-output"]
scores = score_of(simulated)
weight, sample = simulated["weight"].to_numpy(float), simulated["sample"].to_numpy(str)
with_twin = {name: f"{name}_Herwig" for name in of_role("signal") if f"{name}_Herwig" in of_role("twin")}
is_signal = np.isin(sample, of_role("signal"))
other_signal = is_signal & ~np.isin(sample, list(with_twin))
is_zz = np.isin(sample, [name for name in prompt if name not in of_role("signal")])
inner = np.quantile(scores[is_signal], [0.05, 0.3, 0.6], weights=weight[is_signal], method="inverted_cdf")
edges = np.array([0, *inner, 1.0])


def binned(members):
    return np.histogram(scores[members], edges, weights=weight[members])[0]


pythia, herwig = binned(is_signal), binned(np.isin(sample, list(with_twin.values())) | other_signal)
zz = binned(is_zz)
_, _, failed, f_failed = failed_factors(control)
shape = np.histogram(score_of(failed), edges, weights=f_failed.prod(axis=1))[0]
fakes = n_fakes * shape / shape.sum()
zz_error = np.sqrt(np.histogram(scores[is_zz], edges, weights=weight[is_zz] ** 2)[0])
plan = pd.DataFrame({"Pythia": pythia, "twin": herwig, "ZZ": zz, "error of ZZ": zz_error, "fakes": fakes})
plan.index = [f"{low:.3f} to {high:.3f}" for low, high in itertools.pairwise(edges)]
plan.round(2)

# %% [markdown]
# What is not known? The statistics of the data first. Then the *systematic* uncertainties:
#
# - **generator**: how a quark or gluon radiates is modelled. Two programs, Pythia and Herwig, share the calculation of the Higgs boson and differ in this. Neither is the truth; their difference is a measure of what we do not know. (In the bundle the "twin" is Pythia with another parton shower.)
# - **fakes**: their number, by the error above.
# - **signal**: luminosity and efficiencies, five per cent. This number is our assumption: the files do not say.
# - **simulation**: ZZ in each bin, by the error of its few simulated events.
# - The normalisation of ZZ floats freely.

# %% [markdown]
# ### Exercise 11.5 – A generator as a parameter (write code)
#
# Turn the choice of the generator into a number $\theta$: 0 is Pythia, 1 the twin, and anything between or beyond is allowed. Write `expectation(mu, theta, pythia, twin, background)`: the expected events of each bin. `pythia`, `twin` and `background` are arrays of shape `(n_bins,)`; the signal strength `mu` multiplies signal only, and signal moves in a straight line with `theta`.


# %% tags=["exercise-11.5"]
def expectation(mu, theta, pythia, twin, background):
    """Expected events in each bin, shape (n_bins,)."""
    ### BEGIN SOLUTION
    return mu * (pythia + theta * (twin - pythia)) + background
    ### END SOLUTION


# %% tags=["check-11.5"]
expectation = checks.exercise_11_5(expectation)


# %% tags=["nbval-ignore-output"]
SIGNAL_UNKNOWN = 0.05
SOURCES = ("generator", "fakes", "signal", "simulation")


def twice_nll(mu, nuisances, n):
    """−2 ln L: Poisson in each bin, a Gaussian of width one for each nuisance but k, which multiplies ZZ."""
    k, generator, of_fakes, of_signal, *of_bins = nuisances
    background = k * np.maximum(zz + zz_error * of_bins, 0) + fakes * max(0, 1 + of_fakes * fakes_error / n_fakes)
    nu = expectation(mu * (1 + SIGNAL_UNKNOWN * of_signal), generator, pythia, herwig, background)
    nu = np.maximum(nu, 1e-6)
    return 2 * np.sum(nu - n * np.log(nu)) + np.square(nuisances[1:]).sum()


MU = np.linspace(0, 3.6, 73)


def profile(n, sources=SOURCES):
    """Return q for all values of MU; sources that are not named are known exactly."""
    of_sources = [(-4, 4) if name in sources else (0, 0) for name in SOURCES]
    bounds = [(0.3, 3), *of_sources[:-1], *of_sources[-1:] * len(zz)]
    at, q = np.array([1.0] + [0.0] * (len(bounds) - 1)), []
    for mu in MU:
        best = optimize.minimize(lambda x, mu=mu: twice_nll(mu, x, n), at, bounds=bounds, method="L-BFGS-B")
        at = best.x
        q.append(best.fun)
    return np.array(q) - np.min(q)


def summarise(q):
    """Return best value and errors of a profile, between the points of MU by a parabola."""
    at = int(np.clip(q.argmin(), 1, len(q) - 2))
    a, b, _ = np.polyfit(MU[at - 1 : at + 2], q[at - 1 : at + 2], 2)
    best, up, down = -b / (2 * a), slice(at, None), slice(at, None, -1)
    return {
        "μ̂": best,
        "error up": np.interp(1, q[up], MU[up]) - best,
        "error down": best - np.interp(1, q[down], MU[down]),
        "Z": np.sqrt(np.interp(0, MU, q)),
    }


def all_fits(n):
    """Fit with all sources, with none, and with each one by itself."""
    choices = {"all": SOURCES, "none": (), **{name: (name,) for name in SOURCES}}
    profiles = {name: profile(n, chosen) for name, chosen in choices.items()}
    return profiles, pd.DataFrame({name: summarise(q) for name, q in profiles.items()}).T


_, expected = all_fits(pythia + zz + fakes)
expected.round(3)

# %% tags=["claim"]
assert abs(expected["μ̂"] - 1).max() < 0.02
assert expected.loc["all", "error up"] >= expected.loc["none", "error up"]

# %% [markdown]
# The data are not opened yet: the table is what we expect to be able to say. The row "none" has the error of the data's statistics (with ZZ floating), the others have one source each. Compare "none" with "all": with 36 fb⁻¹ it is the number of events in the data that limits us. Of the sources, the few simulated ZZ events and the normalisation of the signal enlarge it most, each by a little. Only the former cost significance: without a Higgs boson there is no signal to normalise;
# the generator costs next to nothing: in the table above the two differ by hardly more than their simulated events fluctuate.
#
# ## 11.6 The candidates
#
# The plan is fixed: bins, sources, numbers. Now.

# %% tags=["nbval-ignore-output"]
data = ntuple.load(["data_36fb"], keep=lambda part: part[is_candidate(part)], progress=False)
observed = np.histogram(score_of(data), edges)[0]
profiles, fits = all_fits(observed)
print(f"{kind}: {len(data)} candidates, in the bins {', '.join(map(str, observed))}")
fits.round(2)

# %% tags=["nbval-ignore-output"]
with plotting.use_style():
    fig, (left, right) = plotting.new_figure(1, 2, width=9.0, height=3.9)
    mass_edges = np.arange(80.0, 171.0, 5.0)
    base = np.zeros(len(mass_edges) - 1)
    shape, _ = np.histogram(failed["m_llll"], mass_edges, weights=f_failed.prod(axis=1))
    stack = {
        "fakes (data)": (shape / f_failed.prod(axis=1).sum() * n_fakes, "#009E73", "..."),
        "ZZ": (np.histogram(simulated["m_llll"][is_zz], mass_edges, weights=weight[is_zz])[0], "#2C94D1", ""),
        "Higgs": (
            np.histogram(simulated["m_llll"][is_signal], mass_edges, weights=weight[is_signal])[0],
            "#D55E00",
            "///",
        ),
    }
    for name, (content, color, hatch) in stack.items():
        left.stairs(
            base + content,
            mass_edges,
            baseline=base,
            fill=True,
            facecolor=color,
            edgecolor="white",
            hatch=hatch,
            label=name,
        )
        base = base + content
    counts = np.histogram(data["m_llll"], mass_edges)[0]
    centres = (mass_edges[1:] + mass_edges[:-1]) / 2
    left.errorbar(centres, counts, np.sqrt(counts), fmt="o", color="#222222", markersize=4, label="data")
    left.set(xlabel=r"$m_{4\ell}$ [GeV]", ylabel="events / 5 GeV", xlim=(80, 170), ylim=(0, None))
    left.legend(loc="upper right")
    plotting.stamp(left, kind, luminosity=LUMINOSITY)
    for name, style in (("all", "-"), ("none", "--")):
        label = "with systematics" if name == "all" else "statistics only"
        right.plot(MU, profiles[name], style, color="#0072B2", label=label)
    right.axhline(1, color="#777777", linewidth=0.8)
    right.set(xlabel="signal strength μ", ylabel=r"$q(\mu)$", xlim=(MU[0], MU[-1]), ylim=(0, 12))
    right.legend(loc="center right")
plotting.show(
    fig,
    alt="Left: four-lepton mass from 80 to 170 GeV, fakes, ZZ and Higgs boson stacked and the data as points with errors; the data follow "
    "the stack, with a peak at 91 GeV and one at 125 GeV. Right: the profile likelihood ratio q against the signal strength, a parabola with its lowest point "
    "near one; the curve with systematics is a little wider than the one with statistics only.",
)

# %% tags=["claim"]
if sources == {"bundle"}:
    assert abs(fits.loc["all", "μ̂"] - 1) < 2.5 * fits.loc["all", ["error up", "error down"]].mean()
    assert fits.loc["all", "Z"] > 3
    assert round(pythia.sum()) == 34

# %% [markdown]
# There it is. The left picture shows the mass *before* any cut on the score, as everybody knows it, and the stack before the fit, with μ = 1; the fit has used the score alone, with the mass inside.
#
# ## 11.7 Beside the published measurement
#
# ATLAS has measured this process with the same collisions (36.1 fb⁻¹, arXiv:1708.02810): a cross-section of 3.62 ± 0.50 (statistical) +0.25 −0.20 (systematic) fb for Higgs bosons whose leptons the detector can measure, where the Standard Model predicts 2.91 ± 0.13 fb. Their ratio can be put beside your $\hat\mu$.

# %% tags=["nbval-ignore-output"]
measured, predicted = 3.62, 2.91
published = pd.DataFrame(
    {
        "μ̂": [measured / predicted, fits.loc["all", "μ̂"]],
        "statistical": [0.50 / predicted, fits.loc["none", ["error up", "error down"]].mean()],
        "all": [np.hypot(0.50, 0.225) / predicted, fits.loc["all", ["error up", "error down"]].mean()],
    },
    index=["ATLAS (published)", f"you ({kind})"],
)
published.round(2)

# %% [markdown]
# (0.225 is the mean of the two systematic errors; the uncertainty of the prediction is left out on both sides.) Why is your statistical error larger? A count of $n$ events has the relative error $1/\sqrt{n}$. ATLAS's, 0.50/3.62 = 14 %, takes at least fifty Higgs bosons, even without any background. In the bundle you expect 34: our selection has lost more of them.

# %% [markdown]
# ### Exercise 11.6 – What you may say (in your words)
#
# Write the summary of your measurement: the signal strength, its statistical and systematic uncertainty, what dominates. Say how far the comparison with ATLAS goes: are the two numbers independent? Would you divide their difference by the root of the summed squares of both errors? And what does the comparison tell if your data are pseudo-data? Four or five sentences.

# %% tags=["exercise-11.6", "written"]
### BEGIN SOLUTION
answer_11_6 = """For our pseudo-data we find a signal strength of 1.2 ± 0.25, nearly all of the uncertainty from the number of events; the few simulated ZZ events and the normalisation of the signal add a little in squares, generator and fakes next to nothing.
With the release's own files the two measurements use the same collisions, so they fluctuate together, and errors of independent numbers must not be added: the difference comes from selection, from the network in place of ATLAS's discriminants and from the simulation, and should be much smaller than either error.
ATLAS quotes a cross-section within its acceptance, we a ratio to our simulation: to compare, one relies on that simulation being normalised to the same prediction.
With pseudo-data the comparison says nothing about nature: they were made with a signal strength of one, and a result near one tests the method.
Either way it would be dishonest to look at the published number first, and to tune the bins until ours agrees."""
### END SOLUTION

# %% tags=["check-11.6"]
checks.written("11.6", answer_11_6)

# %% [markdown]
# ## 11.8 Review an analysis
#
# You are asked to review an analysis that was published with these data as an example, in a notebook that many people copy. Here is what it does, in our words and code. It takes $n_\text{s}$ and $n_\text{b}$ from the three bins around the peak, from 122.5 to 130 GeV, and quotes $n_\text{s}/\sqrt{n_\text{b} + 0.3\,n_\text{b}^2}$, which allows for a background that is uncertain by $\sqrt{0.3}$ = 55 %.


# %%
def their_weights(table):
    """How that analysis weighs events."""
    return np.abs(table["weight"].to_numpy(float))


def their_numbers(signal, background):
    """Events of signal and background around the peak, by the histograms that are drawn on top of each other."""
    stacked = background + signal
    return stacked.sum(), background.sum()


def their_significance(n_signal, n_background):
    return n_signal / np.sqrt(n_background + 0.3 * n_background**2)


n_signal, n_background = 28.73, 10.3  # as they are published
print(
    f"published: {n_signal} signal and {n_background} background events, significance {their_significance(n_signal, n_background):.2f}"
)

# %% [markdown]
# ### Exercise 11.7 – The number in the headline (find out)
#
# Read `their_numbers` line by line. How many of the 28.73 events are signal? Give the significance, by the same formula, of what is truly there: `corrected`.

# %% tags=["exercise-11.7"]
### BEGIN SOLUTION
corrected = their_significance(n_signal - n_background, n_background)
### END SOLUTION

# %% tags=["check-11.7"]
corrected = checks.exercise_11_7(corrected)

# %%
print(f"with signal alone: {n_signal - n_background:.1f} events, significance {corrected:.2f} in place of 4.43")

# %% [markdown]
# A check that would have found it takes one line: signal and background must add up to the stack, and the signal alone must not depend on the background.

# %% [markdown]
# ### Exercise 11.8 – Three numbers for a referee (write code)
#
# Three more flaws, and each has a number that gives it away. Write `review(weight, pt)` for a sample with event weights of shape `(n,)` and lepton momenta of shape `(n, 4)` in the order of the file. Return
#
# 1. by which share the sum of $|w|$ exceeds the sum of $w$ (0.1 for ten per cent): that analysis takes absolute values;
# 2. the share of events whose first lepton is not the hardest: it takes the first three for the leading ones, and cuts on them;
# 3. the effective number of events (chapter 1): some of its processes have a handful.


# %% tags=["exercise-11.8"]
def review(weight, pt):
    """Excess of the absolute weights, share of events that are not led by their first lepton, effective number."""
    ### BEGIN SOLUTION
    weight, pt = np.asarray(weight, float), np.asarray(pt)
    too_many = np.abs(weight).sum() / weight.sum() - 1
    unsorted = np.mean(pt[:, 0] < pt.max(axis=1))
    return too_many, unsorted, weight.sum() ** 2 / (weight**2).sum()
    ### END SOLUTION


# %% tags=["check-11.8"]
review = checks.exercise_11_8(review)

# %%
rows = {}
for name in of_role("signal", "background"):
    tree = uproot.open(samples.locate(name).paths[0])["analysis"]
    numbers = review(ntuple.read_sample(name)["weight"], ak.to_numpy(tree["lep_pt"].array()))
    rows[name] = dict(zip(("|w| too many", "unsorted", "effective"), numbers, strict=True))
reviewed = pd.DataFrame(rows).T
few = {s.name: s.official_raw for s in samples.CATALOGUE if s.role == "replaced"}
print("raw events that the release has in the samples that this analysis takes for WH and ZH:", few)
reviewed.round(3)

# %% tags=["claim"]
assert reviewed.loc["ZZ", "unsorted"] > 0.2
assert min(few.values()) == 4
if sources == {"bundle"}:
    assert 0.15 < reviewed.loc["ZZ", "|w| too many"] < 0.25

# %% [markdown]
# Four events for a process: its yield is known to 50 % at best, and its shape not at all. (The release has larger samples of the same processes, which this notebook uses.) Absolute weights make a sample with negative ones too large: every pair of $+w$ and $-w$, which should cancel, counts as $2w$. And who cuts at 20 GeV on a lepton that is not the leading one throws away good events, in data and simulation alike: it costs events and
# is no bias by itself, as long as both are treated alike.
#
# The last flaw needs no code: the notebooks that come with the release use 36.0, 36.1 and 36.6 fb⁻¹ for the same data. All of these would have been found by somebody who asked for one number each.

# %% tags=["nbval-ignore-output"]
chapter.write_table("fits", fits.rename_axis("sources").reset_index())
chapter.write_table("plan", plan.rename_axis("score").reset_index())
chapter.write_numbers(
    {
        "data_raw": flow["data"].iloc[0],
        "candidates": len(data),
        "fake_factor_electrons": factors["electrons"][0],
        "fake_factor_muons": factors["muons"][0],
        "fakes": n_fakes,
        "fakes_error": fakes_error,
        "zz_too_many": reviewed.loc["ZZ", "|w| too many"],
        "corrected": corrected,
        "auc_home": transfer.loc["at home (2020)", "AUC"],
        "auc_away": transfer.loc["away (2025)", "AUC"],
        "expected_error": expected.loc["all", "error up"],
        "mu": fits.loc["all", "μ̂"],
        "mu_error": fits.loc["all", ["error up", "error down"]].mean(),
        "z_observed": fits.loc["all", "Z"],
    }
)

# %% [markdown]
# ## Where you stand

# %% tags=["nbval-ignore-output"]
checks.panel(11)

# %% [markdown]
# ## Summary
#
# - Another release is other units, another order of leptons, another formula of the weight: read the documentation, then check each with a number.
# - Without identification and isolation nearly everything is fakes; the requirements that reject them also measure them.
# - A factor from same-sign events turns failed leptons into the number of fakes among the candidates, with an error, and a test of the method.
# - A network may be used away from home. Its efficiency has to come from a simulation of the events at hand, and their difference is a systematic uncertainty.
# - A systematic uncertainty is a parameter with a Gaussian of its own in the likelihood: two generators are its 0 and 1.
# - Absolute weights, unsorted leptons, four events for a process, background counted as signal: a referee finds each with one number.

# %% [markdown]
# ## Four questions
#
# Choose an answer, and open it.
#
# **1. The simulation of 2025 has 11,260 raw ZZ events. Why do you not train with them?**
#
# <details><summary>Their weights are in another unit.</summary>Balanced weights have no unit at all, and the reader has brought all energies to GeV.</details>
# <details><summary>A network of some thousand parameters would learn them by heart.</summary>Right. For the training ten to fifty times as many were at hand, and the few are enough to test with.</details>
# <details><summary>Training and testing must use the same release.</summary>They must not share events. To test on another simulation is an honest and a harder test.</details>
#
# **2. Why are the factors of the fakes measured with two leptons of the same charge?**
#
# <details><summary>Fakes always have the same charge.</summary>About as many have opposite charges, which is what makes them candidates.</details>
# <details><summary>The detector measures their charge best.</summary>It is the same detector, and the charge of a fake is measured neither better nor worse.</details>
# <details><summary>Real pairs of Z bosons have opposite charges, so next to no real leptons are among them.</summary>Right. A factor that holds real leptons would be too large, and subtract signal as background.</details>
#
# **3. Pythia and its twin differ by 6 % in one bin. What is the systematic uncertainty of that bin?**
#
# <details><summary>6 %, exactly.</summary>Two programs may be wrong together, or one of them badly: a difference of two is a rough measure.</details>
# <details><summary>A guess of about 6 %, moved together in all bins by one parameter.</summary>Right. The bins are correlated, as the same physics changes them, and its width is a convention, not a proof.</details>
# <details><summary>None, if the data agree with Pythia.</summary>The data constrain the difference only as well as their statistics allow, and the fit takes that into account by itself.</details>
#
# **4. With the release's files you find μ = 1.15 ± 0.25, ATLAS has 1.24 ± 0.19. Do they agree within 0.3 standard deviations?**
#
# <details><summary>Both use the same collisions, so the question is put wrongly.</summary>Right. Most of the fluctuation is common and cancels in the difference; what remains has to be estimated, event by event.</details>
# <details><summary>Yes, since the difference is 0.09 and the errors add up to 0.31.</summary>That would hold for independent measurements, for instance of other years.</details>
# <details><summary>No, since two analyses of the same data must give the same number.</summary>They select other events and use other variables, so that part of the luck differs.</details>

# %% [markdown]
# ## What you can now do
#
# - take a new release, find its traps, and prove with numbers that you have not fallen into them;
# - estimate fakes with data, and test the estimate;
# - use a network on events that it was not made for, and say what that costs;
# - fit with systematic uncertainties, and say which one matters;
# - compare with a published number, and know what the comparison does not tell;
# - review an analysis.
#
# ## Further reading
#
# - ATLAS Collaboration, *Measurement of inclusive and differential cross sections in the H → ZZ* → 4ℓ decay channel in pp collisions at √s = 13 TeV with
#   the ATLAS detector*, JHEP 10 (2017) 132, arXiv:1708.02810.
# - The ATLAS Open Data for education of 2025, DOI 10.7483/OPENDATA.ATLAS.B5M9.44TN.
#
# That was the encore. Thank you, and good night.
