"""Splits follow an event's identity, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from labcourse import splitting
from labcourse.errors import BadInput

EVENTS = pd.DataFrame({"run": np.repeat([361106, 363490], 20_000), "event": np.tile(np.arange(20_000), 2)})


def test_sides_do_not_depend_on_order_or_company():
    train, test = splitting.split(EVENTS)
    assert len(train) + len(test) == len(EVENTS)
    shuffled = EVENTS.sample(frac=0.3, random_state=1)
    again = splitting.split(shuffled)
    identities = set(map(tuple, train.to_numpy()))
    assert set(map(tuple, again.train.to_numpy())) <= identities
    assert not set(map(tuple, again.test.to_numpy())) & identities


def test_known_values_hold_for_ever():
    """A changed hash would move events between training and test: old models would be tested on what they saw."""
    few = pd.DataFrame({"run": [361106, 363490, 298773], "event": [1, 2, 134827213]})
    np.testing.assert_allclose(splitting.uniform(few, seed=2024, salt="test"), KNOWN, rtol=0, atol=1e-15)


KNOWN = [0.8228706753396269, 0.2964913919428176, 0.8908637190916564]


@pytest.mark.parametrize("salt", ["", "test", "validation", "fold"])
def test_numbers_are_uniform_and_independent(salt):
    u = splitting.uniform(EVENTS, salt=salt)
    counts, _ = np.histogram(u, 20, (0, 1))
    assert ((counts - 2000) ** 2 / 2000).sum() < 45  # χ² with 19 degrees of freedom, p = 0.0007
    other = splitting.uniform(EVENTS, salt=salt + "x")
    assert abs(np.corrcoef(u, other)[0, 1]) < 0.02
    assert abs(np.corrcoef(u[:20_000], u[20_000:])[0, 1]) < 0.03


def test_validation_and_folds_are_independent_of_the_test_split():
    train, _ = splitting.split(EVENTS)
    fit, validation = splitting.validation_split(train)
    assert len(validation) / len(train) == pytest.approx(1 / 3, abs=0.01)
    assert len(fit) + len(validation) == len(train)
    numbers = splitting.folds(train, 5)
    assert np.bincount(numbers).min() > 0.18 * len(train)
    assert set(numbers) == {0, 1, 2, 3, 4}


def test_bad_arguments():
    with pytest.raises(BadInput, match=r"fraction is 1\.0"):
        splitting.split(EVENTS, train_fraction=1.0)
    with pytest.raises(BadInput, match="folds"):
        splitting.folds(EVENTS, 1)
