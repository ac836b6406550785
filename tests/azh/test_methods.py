"""The search for A → Zh: networks, their training on any backend, and trees."""

from typing import Any

import keras
import numpy as np
import pytest

import azh
from azh import events, methods, sensitivity
from labcourse.errors import EmptySelection
from tests.azh.made_up import make_events

QUICK = methods.Recipe(hidden=(16,), epochs=6, batch_size=200, signal_scale=1.0)
MASSES = (300.0, 700.0, 2000.0)


def test_training_weights_are_positive_balanced_and_scaled() -> None:
    table = make_events()
    signal = events.is_signal(table)
    weight = methods.training_weights(table, signal_scale=0.1)
    assert (weight > 0).all()
    assert weight.mean() == pytest.approx(1)
    assert weight[signal].sum() / weight[~signal].sum() == pytest.approx(0.1, rel=1e-4)
    by_mass = [weight[(table["m_a_true"] == mass).to_numpy()].sum() for mass in (300, 700, 1200, 2000)]
    assert by_mass == pytest.approx([by_mass[0]] * 4, rel=1e-4)


@pytest.mark.parametrize("activation", ["relu", "swish"])
def test_networks_are_fresh_and_reproducible(activation: str) -> None:
    x = np.random.default_rng(0).normal(size=(100, 20)).astype("f4")
    recipe, adam = methods.Recipe(hidden=(8, 8), activation=activation), keras.optimizers.Adam
    models = [methods.build(x, recipe, optimizer=adam(), seed=seed) for seed in (1, 1, 2)]
    first, again, other = (np.asarray(model(x)) for model in models)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert ((first > 0) & (first < 1)).all()


def test_a_training_without_signal_or_background_is_one_error() -> None:
    parts = azh.split(make_events(10))
    with pytest.raises(EmptySelection, match=r"no signal of 710 GeV"):
        azh.train(parts, QUICK, masses=(710.0,))
    with pytest.raises(EmptySelection, match="no background"):
        events.of_masses(parts.train[events.is_signal(parts.train)], MASSES)


def test_the_scale_of_the_inputs_does_not_know_a_blind_mass() -> None:
    table = make_events()
    blind = table["m_a_true"] == 1200
    spoilt = table.assign(m_zh=table["m_zh"].where(~blind, 1e6).astype(np.float32))
    scales = []
    for of in (table, spoilt):
        model = azh.train(azh.split(of), QUICK, masses=MASSES, progress=False).model
        scales.append(np.asarray(model.get_layer("normalise").mean))
    np.testing.assert_array_equal(*scales)


def test_a_mass_that_is_kept_blind_is_interpolated() -> None:
    parts = azh.split(make_events(1500))
    trained = azh.train(parts, QUICK, masses=MASSES, progress=False)
    seen, blind = azh.significances(trained.classify, parts.test, (700, 1200), scale=2)
    reference = sensitivity.reference
    assert blind.value / reference(1200) > 0.7 * seen.value / reference(700) > 10


def test_masses_are_drawn_anew_each_epoch_and_repeat_with_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = azh.split(make_events(100))
    seen: list[np.ndarray] = []
    original = methods.training.fit

    def watch(*arguments: Any, each_epoch: Any, **options: Any) -> Any:
        seen.extend(each_epoch(epoch)[:, -1].copy() for epoch in (0, 1, 0))
        x, place = each_epoch(1), events.MEASURED.index("m_zh")
        np.testing.assert_array_equal(x[:, -2], np.clip(np.log(x[:, place] / x[:, -1]), -0.5, 0.5))
        return original(*arguments, each_epoch=each_epoch, **options)

    monkeypatch.setattr(methods.training, "fit", watch)
    azh.train(parts, QUICK, masses=MASSES, progress=False)
    assert (seen[0] != seen[1]).any()
    np.testing.assert_array_equal(seen[0], seen[2])
    assert set(seen[0]) == set(MASSES)


def test_trees_take_the_mass_as_an_input() -> None:
    parts = azh.split(make_events(300))
    classify = azh.train_tree(parts, max_iter=30)
    test = events.at_mass(parts.test, 700)
    assert (classify(test) != classify(test.assign(m_a=np.float32(2000)))).any()
    (found,) = azh.significances(classify, parts.test, (700,), scale=2)
    assert found.value > 0.5


def test_a_network_without_the_mass_gives_one_score_for_all_masses() -> None:
    parts = azh.split(make_events(100))
    test = events.at_mass(parts.test, 700)
    for options in ({"with_mass": False, "masses": MASSES}, {"masses": (700.0,)}):
        trained = azh.train(parts, QUICK, progress=False, **options)
        assert trained.model.input_shape == (None, len(events.MEASURED))
        np.testing.assert_array_equal(
            trained.classify(test), trained.classify(test.assign(m_a=np.float32(2000))), err_msg=str(options)
        )


def test_each_event_is_judged_by_the_network_that_has_not_seen_it() -> None:
    table = make_events(100)
    first, second = (lambda t, v=value: np.full(len(t), v, np.float32) for value in (1, 2))
    score = azh.cross(first, second)(events.at_mass(table, 700))
    swapped = azh.split(table, swapped=True)
    assert set(score[events.in_first_half(events.at_mass(table, 700))]) == {2.0}
    assert set(azh.cross(first, second)(events.at_mass(swapped.test, 700))) == {2.0}
    assert set(azh.cross(first, second)(events.at_mass(azh.split(table).test, 700))) == {1.0}
    assert len(score) == len(events.at_mass(table, 700))


def test_inputs_are_the_measured_columns_with_the_mass_behind_them() -> None:
    table = make_events(10)
    table["m_zh"] = np.geomspace(100, 3000, len(table), dtype=np.float32)
    x = methods.inputs_of(table, np.full(len(table), 500))
    inside = np.abs(np.log(table["m_zh"] / 500)) < 0.5
    assert 0 < inside.sum() < len(table)
    np.testing.assert_allclose(500 * np.exp(x[inside, -2]), table["m_zh"][inside], rtol=1e-5)
    assert set(x[~inside, -2]) == {-0.5, 0.5}
    assert x.shape == (len(table), len(events.INPUTS))
    np.testing.assert_array_equal(x[:, list(events.INPUTS).index("m_zh")], table["m_zh"])
    assert set(x[:, -1]) == {500.0}
