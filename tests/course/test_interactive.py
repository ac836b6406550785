"""Live figures without a browser: what the sliders do, and that the numbers shown are right."""

import base64
import html
import io
import math
import re
from types import SimpleNamespace

import ipywidgets
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image
from scipy import optimize, stats

from course import interactive, live
from labcourse import kinematics, significance
from workshop.authoring import tidy

RNG = np.random.default_rng(3)
LABEL = np.repeat([0, 1], [3000, 1000])
SCORE = (1 / (1 + np.exp(-RNG.normal(2.0 * LABEL - 1, 1.5)))).astype(np.float32)
WEIGHT = np.where(LABEL == 1, 0.01, np.where(RNG.random(4000) < 0.1, -0.1, 0.12))
PLANE = np.column_stack([RNG.normal(30 + 10 * LABEL, 8), RNG.normal(15 - 3 * LABEL, 4)])
STANDARD = (PLANE - PLANE.mean(axis=0)) / PLANE.std(axis=0)
LOSSES = [0.6, 0.5, 0.55, 0.48, 0.49, 0.5, 0.47, 0.6, 0.61, 0.62, 0.63]
HISTORY = {"loss": np.linspace(0.6, 0.3, 11), "val_loss": LOSSES}


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    assert plt.get_fignums() == []  # a notebook would show it a second time


def descend(x, y, weights, learning_rate, n_steps):
    """Walk down the landscape of one neuron without a bias."""
    path = [weights]
    for _ in range(n_steps):
        p = 1 / (1 + np.exp(-(x @ path[-1])))
        path.append(path[-1] - learning_rate * (p - y) @ x / len(y))
    return np.array(path)


def numbers(text):
    return [float(number.replace("−", "-")) for number in re.findall(r"[−-]?\d+\.?\d*(?:e-?\d+)?", text)]


def pixels(panel):
    (encoded,) = re.findall(r'<img alt="[^"]+" .*src="data:image/png;base64,([^"]+)">', panel.image.value)
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture
def notebook(monkeypatch):
    """Run as in a notebook: what is shown comes back as outputs."""
    shell = InteractiveShell.instance()
    yield lambda panel: _shown(shell, panel)
    InteractiveShell.clear_instance()


def _shown(shell, panel):
    with capture_output() as captured:
        panel._ipython_display_()
    outputs = [nbformat.v4.new_output("display_data", o.data, metadata=o.metadata or {}) for o in captured.outputs]
    return outputs, captured.stdout


def leptons(n=3):
    """Events of an electron, two muons and an electron, in this order of transverse momentum."""
    values = {"pt": (50, 40, 20, 10), "eta": (0.5, -2.3, 2.4, 0), "phi": (0, 1.5, 3.1, -2), "charge": (1, -1, 1, -1)}
    values["pdgid"] = (11, 13, 13, 11)
    columns = {f"lep{i + 1}_{name}": four[i] + 0.1 * np.arange(n) for name, four in values.items() for i in range(4)}
    columns = {
        name: np.round(column) if name[5:] in ("charge", "pdgid") else column for name, column in columns.items()
    }
    masses = {f"m_ll_{i}{j}": np.full(n, 10.0 * i + j) for i, j in kinematics.PAIRS}
    return pd.DataFrame(columns | masses | {"m_llll": 124.0, "sample": "ggH125_ZZ4lep"})


def search_for(mass):
    """The bins of a score as `azh.Search.templates` gives them: fewer bins where the mass is small."""
    shares = np.array([0.5, 0.3, 0.2]) if mass > 400 else np.array([0.6, 0.4])
    backgrounds = {"Zjets": 1000.0 * shares**6, "ttbar": 300.0 * shares**6, "Zh": 8 * shares**2}
    yields = {"signal": mass / 10 * shares} | backgrounds
    histograms = {name: SimpleNamespace(expected=expected) for name, expected in yields.items()}
    return SimpleNamespace(regions={"signal": histograms})


def seen_at(mass, cross_section):
    histograms = dict(search_for(mass).regions["signal"])
    s = cross_section / 0.05 * histograms.pop("signal").expected
    return np.sqrt((significance.asimov(s, sum(h.expected for h in histograms.values())) ** 2).sum())


LIMITS = {300: (0.004, 0.006, 0.01, 0.015, 0.02), 512.5: (0.002, 0.003, 0.005, 0.007, 0.01)}


@pytest.fixture(scope="module")
def panels():
    return [
        interactive.event(leptons()),
        interactive.cut(SCORE, LABEL, WEIGHT),
        interactive.class_weight(SCORE, LABEL, WEIGHT),
        interactive.patience(HISTORY),
        interactive.likelihood(65, 6.6, 58.8),
        interactive.descent(STANDARD, LABEL, ["lep2_pt", "lep4_pt"], descend, start=[0.5, 1.0]),
        interactive.threshold(),
        interactive.folds(),
        interactive.searching(search_for, seen_at, LIMITS, mass=512.5, cross_section=0.01),
        interactive.sculpting(
            4 * PLANE[:, 0],
            {"a": SCORE, "b": SCORE[::-1]},
            LABEL,
            WEIGHT,
            groups=LABEL.astype(str),
            window=(115, 130),
        ),
    ]


def test_a_cell_shows_a_picture_that_stays_and_in_its_place_what_moves(notebook, panels):
    for panel in panels[:2]:  # all are shown by the same frame
        (still, description, note, view), printed = notebook(panel)
        assert still["metadata"]["image/png"]["alt"] == still["data"]["text/plain"] == panel.alt
        assert all(name in printed for name in panel.readout), "what stays says what the live figure says"
        # Which of the two is seen decides a style sheet, which the browser's tests look at.
        assert "Run this cell to make it live" in note["data"]["text/plain"]
        assert "labcourse-stays" in note["data"]["text/html"]
        assert "labcourse-live" in panel.box._dom_classes
        assert list(view["data"]) == [live.WIDGET], "no text that a comparison of outputs would stumble over"
        assert view["data"][live.WIDGET]["model_id"] == panel.box.model_id
        assert html.escape(panel.alt) in description["data"]["text/html"]
        kept = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[still, note, view])])
        tidy.tidy(kept)
        assert [sorted(output["data"]) for output in kept.cells[0].outputs] == [
            ["image/png", "text/plain"],
            ["text/html", "text/plain"],
        ]


def test_each_control_moves_the_picture_and_the_numbers(panels):
    for panel in panels:
        assert {"labcourse-interactive", f"labcourse-{panel.name}"} <= set(panel.box._dom_classes)
        for key, control in panel.controls.items():
            assert f"labcourse-{panel.name}-{key}" in control._dom_classes
            assert control.description
            assert not control.disabled
            seen, start = [], control.value
            ends = control.options[:2] if hasattr(control, "options") else (control.max, control.min)
            if isinstance(control, ipywidgets.FloatLogSlider):
                ends = (10**control.max, 10**control.min)
            for value in sorted(ends, key=lambda end: end == start):  # what stands there is drawn when it comes back
                control.value = value
                seen.append((pixels(panel), dict(panel.readout), panel.numbers.value))
            (before, words, table), (after, other_words, other_table) = seen
            assert before.shape == after.shape, "the page does not jump"
            assert (before != after).any()
            if key != "learning_rate":  # it makes no difference before the first step
                assert words != other_words
                assert table != other_table
            control.value = start
        assert html.escape(panel.alt) in panel.image.value
        assert len(panel.image.value) < 100_000


def test_an_event_is_drawn_as_it_is_in_the_table():
    panel = interactive.event(leptons())
    assert panel.readout["simulated as"] == "Higgs", "what stays on a page says everything"
    panel.controls["event"].value, panel.controls["answer"].value = 2, "uncovered"
    panel.controls["answer"].value = "covered"
    assert panel.readout["simulated as"] == panel.readout["mass of all four"] == "covered"
    panel.controls["answer"].value = "uncovered"
    assert panel.readout["lepton 2"] == "µ⁻, pT 40.2 GeV, η −2.10, φ 1.70"
    pairs = "leptons 1 and 4: 14.0 GeV; leptons 2 and 3: 23.0 GeV"
    assert panel.readout["one flavour, opposite charges"] == pairs
    assert (panel.readout["mass of all four"], panel.readout["simulated as"]) == ("124.0 GeV", "Higgs")
    across, unrolled = panel.figure.axes
    tracks, points = (ax.get_lines()[-4:] for ax in (across, unrolled))
    for i, (track, point) in enumerate(zip(tracks, points, strict=True), 1):
        row = leptons().iloc[2]
        (_, x), (_, y) = track.get_data()
        assert np.arctan2(y, x) == pytest.approx(np.arctan2(np.sin(row[f"lep{i}_phi"]), np.cos(row[f"lep{i}_phi"])))
        assert np.ravel(point.get_data()) == pytest.approx([row[f"lep{i}_eta"], row[f"lep{i}_phi"]])


def test_an_event_without_a_pair_says_so():
    panel = interactive.event(leptons().assign(lep4_charge=1, lep2_charge=1))
    assert panel.readout["one flavour, opposite charges"] == "no pair"


def test_cut_counts_what_a_mask_counts():
    panel = interactive.cut(SCORE, LABEL, WEIGHT)
    for cut in (0.0, 0.135, 0.5, 0.9):
        panel.controls["cut"].value = cut
        above = np.float32(cut) <= SCORE
        s, b = WEIGHT[above & (LABEL == 1)].sum(), WEIGHT[above & (LABEL == 0)].sum()
        said = panel.readout
        assert numbers(said["expected signal s"])[0] == pytest.approx(s, abs=0.05)
        assert numbers(said["expected background b"])[0] == pytest.approx(b, abs=0.05)
        error = np.sqrt((WEIGHT[above & (LABEL == 0)] ** 2).sum())
        assert numbers(said["expected background b"])[1] == pytest.approx(error, abs=0.05)
        assert numbers(said["purity s/(s+b)"])[0] == pytest.approx(s / (s + b), abs=6e-4)
        assert numbers(said["s/√b"])[0] == pytest.approx(s / math.sqrt(b), abs=6e-4)
        z, z_error = numbers(said["Asimov Z"])
        assert z == pytest.approx(significance.asimov(s, b), abs=z_error / 10)
        assert numbers(said["simulated background is worth"])[0] == pytest.approx((b / error) ** 2, abs=0.6)


def test_cut_says_where_it_cannot_be_trusted():
    label, score = np.array([0, 0, 1, 1]), np.array([0.2, 0.6, 0.7, 0.9])
    panel = interactive.cut(score, label, np.array([30.0, -1.0, 1.0, 1.0]))
    panel.controls["cut"].value = 0.65
    assert panel.readout["Asimov Z"] == "infinite: no background is left"
    assert panel.readout["purity s/(s+b)"] == "1.000"
    panel.controls["cut"].value = 0.5
    assert "less than zero" in panel.readout["Asimov Z"]
    assert panel.readout["purity s/(s+b)"] == "not defined"
    assert "do not trust" in panel.readout["simulated background is worth"]
    panel.controls["cut"].value = 1.0
    assert panel.readout["Asimov Z"] == "0.000"


def test_patience_reads_out_what_it_costs():
    panel = interactive.patience(HISTORY)
    panel.controls["patience"].value = 1
    assert panel.readout["training stops after epoch"] == "3"
    assert panel.readout["goes back to epoch"] == "2"
    assert panel.readout["lost against the best of all"] == "0.0300 (that is epoch 7)"
    assert panel.readout["epochs trained in vain"] == "1"
    panel.controls["patience"].value = 4
    assert panel.readout["goes back to epoch"] == "7"
    assert panel.readout["lost against the best of all"] == "0.0000 (it is the best)"
    assert panel.readout["epochs trained in vain"] == "4"
    panel.controls["patience"].value = 5
    assert "the record ends" in panel.readout["training stops after epoch"]


def test_folds_are_a_cross_validation():
    panel = interactive.folds()
    for k in (2, 5, 12):
        panel.controls["k"].value = k
        panel.controls["network"].value = 12  # more than there are: the last one
        said = panel.readout
        assert numbers(said[f"network {k} trains on"])[:2] == [600 - 600 // k, 600]
        losses = panel.figure.axes[1].lines[1].get_ydata()
        assert len(losses) == k
        mean, spread = numbers(said["mean of the losses"])[0], numbers(said["their spread"])[0]
        assert (mean, spread) == pytest.approx((np.mean(losses), np.std(losses, ddof=1)), abs=6e-5)


def test_class_weight_counts_what_masks_count():
    panel = interactive.class_weight(SCORE, LABEL, WEIGHT)
    for factor in np.geomspace(0.01, 100, 161)[[0, 50, 80, 120, 160]]:
        panel.controls["factor"].value = factor
        new = factor * SCORE.astype(float) / (factor * SCORE + (1 - SCORE.astype(float)))
        called = new >= 0.5
        signal, background = ((called & (value == LABEL)) for value in (1, 0))
        accuracy = WEIGHT[called == (LABEL == 1)].sum() / WEIGHT.sum()
        said = panel.readout
        assert numbers(said["signal there"])[0] == pytest.approx(WEIGHT[signal].sum(), abs=0.05)
        assert numbers(said["background there"])[0] == pytest.approx(WEIGHT[background].sum(), abs=0.05)
        error = np.sqrt((WEIGHT[background] ** 2).sum())
        assert numbers(said["background there"])[1] == pytest.approx(error, abs=0.05)
        assert numbers(said["accuracy (expected events)"])[0] == pytest.approx(accuracy, abs=6e-5)


def test_likelihood_says_what_a_fit_of_both_counts_finds():
    panel = interactive.likelihood(70, 6.6, 58.8)
    panel.controls["control"].value, panel.controls["ratio"].value = 200, 1.1
    n, m, s, b, c = 70, 220.0, 6.6, 58.8, 200.0

    def rise(mu):
        best = optimize.minimize_scalar(lambda k: twice(mu, k), bounds=(0.3, 3), method="bounded").fun
        return best - twice((n - 1.1 * b) / s, 1.1)

    def twice(mu, k):
        return -2 * (stats.poisson.logpmf(n, mu * s + k * b) + stats.poisson.logpmf(m, k * c))

    mu = (n - 1.1 * b) / s
    assert panel.readout["best µ"] == f"{mu:.2f}"
    for level, what in ((1, "its error upwards, k floating"), (2.7055, "upper limit of µ at 95 %, k floating")):
        expected = optimize.brentq(lambda x, level=level: rise(x) - level, mu, mu + 10)
        assert numbers(panel.readout[what])[-1] == pytest.approx(expected - mu * (level == 1), abs=0.02)
    assert (
        numbers(panel.readout["its error upwards, k fixed"])[0]
        < numbers(panel.readout["its error upwards, k floating"])[0]
    )


def test_searching_says_what_an_experiment_could_say():
    asked = []
    panel = interactive.searching(
        lambda mass: asked.append(mass) or search_for(mass), seen_at, LIMITS, mass=300, cross_section=0.05
    )
    said = panel.readout
    assert said["if it exists, expected significance"].startswith(f"{seen_at(300, 0.05):.2f}: ")
    assert said["if it does not exist, most likely"] == "excluded at 95 %"
    panel.controls["mass"].value = "512.5"
    panel.controls["cross_section"].value = 0.001
    said = panel.readout
    assert said["if it does not exist, most likely"] == "not excluded"
    assert said["expected limit at this mass"] == "0.005 pb (68 %: 0.003 to 0.007 pb)"
    histograms = search_for(512.5).regions["signal"]
    b = sum(histograms[name].expected for name in ("Zjets", "ttbar", "Zh"))
    s = histograms["signal"].expected / 50
    assert said["signal above background, best bin"] == f"{s[-1]:.2f} on {b[-1]:.2f} events"
    panel.controls["mass"].value = "300"
    assert asked == [300, 512.5], "the templates of a mass are made once"


def test_descent_shows_the_path_that_it_is_given():
    panel = interactive.descent(STANDARD, LABEL, ["lep2_pt", "lep4_pt"], descend, start=[0.5, 1.0])
    for rate, step in ((3.0, 4), (20.0, 30)):
        panel.controls["learning_rate"].value, panel.controls["step"].value = rate, step
        weights = descend(STANDARD, LABEL, np.array([0.5, 1.0]), rate, step)[-1]
        assert numbers(panel.readout["weights"].replace("w₁", "").replace("w₂", "")) == pytest.approx(weights, abs=6e-4)
        p = 1 / (1 + np.exp(-(STANDARD @ weights)))
        loss = -np.mean(np.log(np.where(LABEL == 1, p, 1 - p)))
        assert numbers(panel.readout["loss"])[0] == pytest.approx(loss, abs=6e-5)


def test_threshold_counts_as_ten_thousand_events_would():
    panel = interactive.threshold()
    for name, value in {"threshold": 0.4, "distance": 1.5, "share": 0.1}.items():
        panel.controls[name].value = value
    rng = np.random.default_rng(8)
    signal, background = rng.normal(0.75, 1, 100_000), rng.normal(-0.75, 1, 900_000)
    kept = [(values > 0.4).sum() / 100 for values in (signal, background)]
    said = {name: numbers(text)[0] for name, text in panel.readout.items()}
    assert said["signal kept (true positive)"] == pytest.approx(kept[0], rel=0.02)
    assert said["background kept (false positive)"] == pytest.approx(kept[1], rel=0.02)
    assert said["signal rejected (false negative)"] == 1000 - said["signal kept (true positive)"]
    assert said["purity (precision)"] == pytest.approx(kept[0] / sum(kept), abs=0.006)
    assert said["signal efficiency (recall)"] == pytest.approx(kept[0] / 1000, abs=0.006)
