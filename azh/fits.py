"""Fits of a HistFactory model, many data sets at once.

The model is one of pyhf (`pyhf.Model`); so is its likelihood, to the last digit (a test compares both). What is ours
is the fit: Newton's steps, with the derivatives of each modifier written down. Many data sets at once take less than a
millisecond each, where pyhf's general minimiser takes a hundred: toys, bands and scans become a matter of seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyhf
from numpy.typing import ArrayLike, NDArray
from scipy.special import kl_div

from labcourse.errors import BadInput

Floats = NDArray[Any]
LEAST = 1e-6
"""Events that a bin expects at least in a fit."""
NONE = MappingProxyType({"mu": 0.0})
"""To be held where there is no signal."""
_MODIFIERS = {"normfactor", "lumi", "normsys", "histosys", "staterror"}


class Fit(NamedTuple):
    """The best fits of ``n`` data sets.

    ``parameters`` and their ``errors`` (square roots of the inverse Fisher information), shape (n, n_parameters);
    ``deviance``, shape (n,): −2 ln of the likelihood, relative to data that the model meets exactly.
    """

    parameters: Floats
    errors: Floats
    deviance: Floats


class Likelihood:
    """The likelihood of a model in the language of HistFactory, with the signal strength ``mu``.

    Parameters
    ----------
    spec : mapping
        ``channels`` (and ``parameters``) as for `pyhf.Model`; modifiers of the types normfactor, lumi, normsys,
        histosys and staterror.
    validate : bool
        Whether pyhf compares the model with its schema first, which takes a tenth of a second.

    Attributes
    ----------
    names : tuple of str
        The parameters, in pyhf's order.
    start, none : ndarray, shape (n_parameters,)
        What the model says of the parameters, with the signal of mu = 1 and without.
    bins : tuple of (str, int)
        Channel and number of each bin, in pyhf's order: channels by name.

    Raises
    ------
    BadInput
        If pyhf refuses the model, it has no ``mu``, a modifier is of another type, or a bin expects no background.
    """

    def __init__(self, spec: Mapping[str, Any], *, validate: bool = True) -> None:
        where = "azh.fits.Likelihood"
        hint = "Compare with the example in the documentation of pyhf: channels, samples, data, modifiers."
        try:
            self.model = pyhf.Model(dict(spec), poi_name="mu", validate=validate)
        except (pyhf.exceptions.InvalidSpecification, pyhf.exceptions.InvalidModel, KeyError, TypeError) as error:
            raise BadInput(f"pyhf refuses the model: {error}", where=where, next_step=hint) from error
        except pyhf.exceptions.InvalidModifier as error:
            raise BadInput(f"pyhf refuses a modifier: {error}", where=where, next_step=hint) from error
        config = self.model.config
        unknown = sorted({kind for _, kind in config.modifiers} - _MODIFIERS)
        if unknown:
            next_step = f"Use {', '.join(sorted(_MODIFIERS))}."
            raise BadInput(f"The model has a modifier of type {unknown[0]}.", where=where, next_step=next_step)
        self.names = tuple(config.par_names)
        self.bins = tuple((name, i) for name in config.channels for i in range(config.channel_nbins[name]))
        self.poi = int(config.poi_index)
        self.start = np.array(config.suggested_init(), float)
        self._read(spec)
        self.none = self.start.copy()
        self.none[self.poi] = 0
        nu, slope = (values[0] for values in self._evaluate(self.none[None, :]))
        has_signal = slope[:, self.poi] > 0
        self.lowest = float(-0.99 * np.min((nu / np.where(has_signal, slope[:, self.poi], 1))[has_signal], initial=1e6))
        if not (self.expected(self.none) > 0).all():
            channel, number = self.bins[int(np.argmin(self.expected(self.none)))]
            raise BadInput(
                f"Bin {number + 1} of {channel} expects no background.",
                where=where,
                next_step="Merge it with its neighbour: where nothing is expected, one event would be certainty.",
            )

    def _read(self, spec: Mapping[str, Any]) -> None:
        """Lay the model out as arrays, shape (n_samples, n_bins) each."""
        config = self.model.config
        place = {name: config.channel_slices[name] for name in config.channels}
        shape = len(config.samples), len(self.bins)
        self._nominal = np.zeros(shape)
        self._factors: dict[int, NDArray[np.bool_]] = {}
        self._rates: dict[int, tuple[Floats, Floats]] = {}
        self._shapes: dict[int, tuple[Floats, Floats]] = {}
        self._gamma = np.full(len(self.bins), -1)
        self._has_gamma = np.zeros(shape, bool)
        for channel in spec["channels"]:
            columns = place[channel["name"]]
            for sample in channel["samples"]:
                row = config.samples.index(sample["name"])
                nominal = self._nominal[row, columns] = np.array(sample["data"], float)
                for modifier in sample["modifiers"]:
                    kind, index = modifier["type"], config.par_slice(modifier["name"]).start
                    data = modifier["data"]
                    if kind in ("normfactor", "lumi"):
                        self._factors.setdefault(index, np.zeros(shape, bool))[row, columns] = True
                    elif kind == "normsys":
                        lo, hi = self._rates.setdefault(index, (np.ones(shape), np.ones(shape)))
                        lo[row, columns], hi[row, columns] = data["lo"], data["hi"]
                    elif kind == "histosys":
                        down, up = self._shapes.setdefault(index, (np.zeros(shape), np.zeros(shape)))
                        down[row, columns] = np.array(data["lo_data"]) - nominal
                        up[row, columns] = np.array(data["hi_data"]) - nominal
                    else:
                        self._gamma[columns] = index + np.arange(len(nominal))
                        self._has_gamma[row, columns] = True
        sets = [config.param_set(name) for name in config.par_order]
        centre = [s.auxdata if s.constrained else [np.nan] * s.n_parameters for s in sets]
        width = [s.width() if s.constrained else [np.inf] * s.n_parameters for s in sets]
        self.centre = np.concatenate([np.asarray(values, float) for values in centre])
        self.width = np.concatenate([np.asarray(values, float) for values in width])
        # A bin whose simulation is exact has nothing to fit.
        self.is_exact = self.width == 0
        self.is_constrained = np.isfinite(self.centre) & ~self.is_exact
        self.precision = np.zeros(len(self.names))
        self.precision[self.is_constrained] = self.width[self.is_constrained] ** -2.0
        self.low = np.where(self.centre == 0, -10.0, 1e-6)

    def data(self, counts: Mapping[str, ArrayLike]) -> Floats:
        """Return counts by channel in the order of `bins`, shape (n_bins,). Raises BadInput if a channel is missing."""
        config = self.model.config
        for name in config.channels:
            n, shape = config.channel_nbins[name], np.shape(counts.get(name, 0.0))
            if shape != (n,):
                raise BadInput(
                    f"Channel {name} has {n} bins, its data the shape {shape}.",
                    where="azh.fits.Likelihood.data",
                    next_step="Give an array of counts for each channel of the model.",
                )
        return np.concatenate([np.asarray(counts[name], float) for name in config.channels])

    def expected(self, parameters: ArrayLike) -> Floats:
        """Return expected events, shape (n_bins,) or (n, n_bins), for one or n sets of parameters."""
        values = np.atleast_2d(np.asarray(parameters, float))
        found = self._evaluate(values)[0]
        return found[0] if np.ndim(parameters) == 1 else found

    def _evaluate(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return expected events (n, n_bins) and their derivatives (n, n_bins, n_parameters)."""
        n, slope = len(theta), np.zeros((len(theta), len(self.bins), theta.shape[1]))
        yields = np.broadcast_to(self._nominal, (n, *self._nominal.shape))
        change = {}
        for index, (down, up) in self._shapes.items():
            value, change[index] = _shape(theta[:, index, None, None], down, up)
            yields = yields + value
        # Each factor with its derivative; those of one sample multiply.
        factors: dict[int, tuple[Floats, Floats]] = {
            index: (np.where(mask, theta[:, index, None, None], 1.0), mask * 1.0)
            for index, mask in self._factors.items()
        } | {index: _rate(theta[:, index, None, None], *ends) for index, ends in self._rates.items()}
        product = np.ones_like(yields)
        for value, _ in factors.values():
            product = product * value
        gamma = np.where(self._gamma >= 0, theta[:, self._gamma], 1.0)
        with_gamma = np.where(self._has_gamma, gamma[:, None, :], 1.0)
        for index, (_, derivative) in factors.items():
            others = np.ones_like(yields)
            for other, (value, _) in factors.items():
                others = others if other == index else others * value
            slope[:, :, index] += np.einsum(
                "nsb,nsb->nb", yields * with_gamma * others, np.broadcast_to(derivative, yields.shape)
            )
        weighed = product * with_gamma
        for index, derivative in change.items():
            slope[:, :, index] += (derivative * weighed).sum(axis=1)
        has = np.flatnonzero(self._gamma >= 0)
        slope[:, has, self._gamma[has]] += np.where(self._has_gamma, yields * product, 0.0).sum(axis=1)[:, has]
        return (yields * weighed).sum(axis=1), slope

    def deviance(self, parameters: Floats, data: Floats, centre: Floats) -> Floats:
        """Return −2 ln L of one set of parameters for n data sets and auxiliary measurements, shape (n,)."""
        theta = np.broadcast_to(parameters, (len(data), len(self.names)))
        return self._deviance(theta, data, np.where(self.is_constrained, centre, 0.0))[0]

    def toys(self, parameters: Floats, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return counts, shape (n, n_bins), and auxiliary measurements, shape (n, n_parameters), of n experiments."""
        counts = rng.poisson(self.expected(parameters), (n, len(self.bins))).astype(float)
        width = np.where(self.is_constrained, self.width, 0)
        return counts, rng.normal(parameters, width, (n, len(self.names)))

    def fit(
        self,
        data: ArrayLike,
        *,
        hold: Mapping[str, float] = MappingProxyType({}),
        least: float = 0.0,
        centre: Floats | None = None,
    ) -> Fit:
        """Fit all data sets.

        Parameters
        ----------
        data : array_like, shape (n, n_bins) or (n_bins,)
            Counts in the order of `bins`.
        hold : mapping, optional
            Parameters that are not fitted, and their values, such as ``{"mu": 0.0}``.
        least : float
            The smallest signal strength that the fit may find; −inf for an estimate without bias (it ends where a bin
            would expect next to nothing).
        centre : ndarray, shape (n, n_parameters), optional
            What auxiliary measurements gave for the constrained parameters; by default what the model says.

        Raises
        ------
        BadInput
            If a count is negative or not finite, or a fit does not converge.
        """
        counts = np.atleast_2d(np.asarray(data, float))
        if counts.shape[1] != len(self.bins) or not (counts >= 0).all() or not np.isfinite(counts).all():
            raise BadInput(
                f"Data of shape {counts.shape} for {len(self.bins)} bins, or a count that cannot be.",
                where="azh.fits.Likelihood.fit",
                next_step="Give one count per bin, in the order of Likelihood.bins.",
            )
        names = np.arange(len(self.names))
        aux = np.broadcast_to(self.centre if centre is None else centre, (len(counts), len(names)))
        aux = np.where(self.is_constrained, aux, 0.0)
        theta = np.tile(self.start, (len(counts), 1))
        theta[:, self.poi] = max(least, 0.0)
        low = np.where(names == self.poi, max(least, self.lowest), self.low)
        held = self.is_exact.copy()
        for name, fixed in hold.items():
            held[self.names.index(name)] = True
            theta[:, self.names.index(name)] = fixed
        value, nu, slope = self._deviance(theta, counts, aux)
        active = np.arange(len(counts))
        for _ in range(200):
            ratio = counts[active] / nu[active]
            gradient = np.einsum("nbp,nb->np", slope[active], 1 - ratio)
            gradient += self.precision * (theta[active] - aux[active])
            # A bin's curvature is counts/ν²; where nothing was counted it is none, and a little is put in its place.
            information = self._information(slope[active], np.maximum(ratio, 0.01) / nu[active])
            free = ~(held | ((theta[active] <= low) & (gradient > 0)))
            information = np.where(free[:, :, None] & free[:, None, :], information, np.eye(len(names)))
            step = -np.linalg.solve(information, (gradient * free)[:, :, None])[:, :, 0]
            running = -np.einsum("np,np->n", step, gradient) > 1e-7
            active, step, gradient = active[running], step[running], gradient[running]
            todo = np.arange(len(active))
            for shorter in range(20):  # half of a step that goes too far: it has to lower what its slope promises
                which = active[todo]
                trial = np.where(held, theta[which], np.maximum(theta[which] + step[todo] / 2**shorter, low))
                new, *rest = self._deviance(trial, counts[which], aux[which])
                promised = 2 * np.einsum("np,np->n", gradient[todo], trial - theta[which])
                better = new <= value[which] + 0.2 * promised + 1e-10
                at = which[better]
                theta[at], value[at], nu[at], slope[at] = trial[better], new[better], *(r[better] for r in rest)
                todo = todo[~better]
                if not todo.size:
                    break
            active = np.delete(active, todo) if active.size else active  # no way down: this is the minimum
            if not active.size:
                free = ~(held | ((theta <= low) & (names != self.poi)))
                both = free[:, :, None] & free[:, None, :]
                information = np.where(both, self._information(slope, 1 / nu), np.eye(len(names)))
                errors = free * np.sqrt(np.maximum(np.einsum("npp->np", np.linalg.inv(information)), 0))
                return Fit(theta, errors, value)
        raise BadInput(
            f"{active.size} of {len(counts)} fits do not converge.",
            where="azh.fits.Likelihood.fit",
            next_step="Look at the model: is a parameter without effect, or a bin without background?",
        )

    def _information(self, slope: Floats, curvature: Floats) -> Floats:
        # The last term is for a parameter that changes nothing: it stays.
        return np.einsum("nbp,nb,nbq->npq", slope, curvature, slope) + np.diag(self.precision + 1e-9)

    def _deviance(self, theta: Floats, counts: Floats, aux: Floats) -> tuple[Floats, Floats, Floats]:
        """Return −2 ln L relative to the saturated model, expected events, and their derivatives."""
        nu, slope = self._evaluate(theta)
        # A shape may bend a bin of next to nothing below zero: there it stays, and no longer bends.
        positive = nu > LEAST
        nu, slope = np.where(positive, nu, LEAST), np.where(positive[:, :, None], slope, 0)
        constraint = (self.precision * (theta - aux) ** 2).sum(axis=1)
        return 2 * kl_div(counts, nu).sum(axis=1) + constraint, nu, slope


def _shape(alpha: Floats, down: Floats, up: Floats) -> tuple[Floats, Floats]:
    """Return what a histosys adds, and its derivative: pyhf's code 4p."""
    inner = np.abs(alpha) < 1
    s, a = (up - down) / 2, (up + down) / 16
    value = alpha * (s + alpha * a * (15 + alpha**2 * (3 * alpha**2 - 10)))
    derivative = s + a * alpha * (30 + alpha**2 * (18 * alpha**2 - 40))
    outer = np.where(alpha > 0, up, -down)
    return np.where(inner, value, alpha * outer), np.where(inner, derivative, outer)


def _rate(alpha: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return the factor of a normsys, and its derivative: pyhf's code 4, powers outside of ±1, a polynomial inside."""
    ln_low, ln_high = np.log(low), np.log(high)
    # The polynomial has value, first and second derivative of the powers at 1 and at −1.
    ends = np.stack([high - 1, high * ln_high, high * ln_high**2, low - 1, -low * ln_low, low * ln_low**2])
    coefficients = np.einsum("ij,j...->i...", _CODE_4, ends)
    x = np.clip(alpha, -1, 1)
    inner = 1 + sum(c * x**k for k, c in enumerate(coefficients, start=1))
    inner_slope = sum(k * c * x ** (k - 1) for k, c in enumerate(coefficients, start=1))
    outer = np.where(alpha > 0, high**alpha, low**-alpha)
    is_inner, outer_slope = np.abs(alpha) < 1, outer * np.where(alpha > 0, ln_high, -ln_low)
    return np.where(is_inner, inner, outer), np.where(is_inner, inner_slope, outer_slope)


def _code_4() -> Floats:
    """Return the matrix that gives the coefficients of x, x², … x⁶ from value and two derivatives at 1 and at −1."""
    k = np.arange(1.0, 7)
    rows = [factor * end ** (k - n) for end in (1.0, -1.0) for n, factor in enumerate((k**0, k, k * (k - 1)))]
    return np.linalg.inv(np.array(rows))


_CODE_4 = _code_4()
