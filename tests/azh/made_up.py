"""Small tables of events for the search: easy to tell apart, quick to train with."""

from typing import Any

import numpy as np
import pandas as pd

from azh import events
from course.checks.registry import course_answer

MASSES = (300, 700, 1200, 2000)
MODIFIERS = course_answer("9.7")
"""What may change a process: the course's own answer to exercise 9.7."""


def make_events(n: int = 400, *, masses: tuple[float, ...] = MASSES, seed: int = 0) -> pd.DataFrame:
    """Return ``n`` signal events of each mass and three times as many background events, all in the signal region."""
    rng = np.random.default_rng(seed)
    m_a = np.r_[np.repeat(masses, n), np.zeros(3 * n * len(masses))]
    signal, size = m_a > 0, len(m_a)
    table = pd.DataFrame({name: rng.gamma(4.0, 25.0, size).astype(np.float32) for name in events.MEASURED})
    table["m_bb"], table["m_ll"] = rng.uniform(105, 140, size).astype("f4"), rng.normal(91, 3, size).astype("f4")
    table["pt_b1"] += 50
    table["m_zh"] = np.where(signal, m_a * rng.normal(1, 0.03, size), 240 + rng.gamma(3, 150, size)).astype("f4")
    other = rng.choice(events.PROCESSES[1:], size, p=[0.6, 0.2, 0.1, 0.1])
    return table.assign(
        process=pd.Categorical(np.where(signal, "signal", other), events.PROCESSES),
        region=pd.Categorical(np.full(size, "signal"), events.REGIONS),
        m_a_true=m_a.astype(np.float32),
        run=np.where(signal, 360_000 + m_a, 410_472).astype(np.int32),
        event=np.arange(size),
        weight=np.where(signal, 0.1, np.where(rng.random(size) < 0.1, -0.5, 0.5)).astype(np.float32),
    )


def in_all_regions(n: int = 400, *, masses: tuple[float, ...] = MASSES, seed: int = 0) -> pd.DataFrame:
    """Return such events, and as many backgrounds in the other regions; no weight is negative."""
    inside = make_events(n, masses=masses, seed=seed)
    background = inside[~events.is_signal(inside)]
    beside = background.assign(region="sideband", m_bb=np.where(background["event"] % 3, 85, 160).astype("f4"))
    emu = background.assign(region="emu", process=pd.Categorical(["ttbar"] * len(background), events.PROCESSES))
    table = pd.concat([inside, beside, emu], ignore_index=True)
    return table.assign(
        event=np.arange(len(table)),
        region=pd.Categorical(table["region"], events.REGIONS),
        weight=table["weight"].abs(),
    )


def near_the_mass(table: pd.DataFrame) -> Any:
    """Return a score: 1 where m_Zh is the mass that is tested."""
    return 1 / (1 + np.abs(table["m_zh"].to_numpy(float) / table["m_a"].to_numpy(float) - 1))
