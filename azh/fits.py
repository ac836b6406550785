"""Fits of a HistFactory model, many data sets at once.

The model is one of pyhf (`pyhf.Model`); so is its likelihood, to the last digit (a test compares both). What is ours
is the fit: Newton's steps, with the derivatives of each modifier written down. Many data sets at once take less than a
millisecond each, where pyhf's general minimiser takes a hundred: toys, bands and scans become a matter of seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyhf
from numpy.typing import ArrayLike, NDArray
from scipy.special import kl_div

from labcourse.errors import BadInput

Floats = NDArray[Any]
LEAST = 1e-6
"""Events that a bin expects at least in a fit; below it no factor is looked at either."""
NONE = MappingProxyType({"mu": 0.0})
"""To be held where there is no signal."""


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
        ``channels`` (and ``parameters``) as for `pyhf.Model`; modifiers of the types normfactor, lumi, normsys (of one
        size wherever its name stands), histosys and staterror.

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
        If a modifier is another one. What is no model raises as in pyhf.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        # To compare it with pyhf's schema would take a tenth of a second.
        self.model = pyhf.Model(dict(spec), poi_name="mu", validate=False)
        config = self.model.config
        self.names = tuple(config.par_names)
        self.bins = tuple((name, i) for name in config.channels for i in range(config.channel_nbins[name]))
        self.poi = int(config.poi_index)
        self._read(spec)
        sets = [config.param_set(name) for name in config.par_order]
        centre = [s.auxdata if s.constrained else [np.nan] * s.n_parameters for s in sets]
        width = [s.width() if s.constrained else [np.inf] * s.n_parameters for s in sets]
        self.centre, self.width = (np.concatenate(values).astype(float) for values in (centre, width))
        self.is_constrained = np.isfinite(self.centre)
        self.precision = self.width**-2.0
        self.low = np.where(self.centre == 0, -10.0, LEAST)
        self.is_fixed = np.array(config.suggested_fixed())  # where the simulation of a bin is exact
        self.start = np.array(config.suggested_init(), float)
        self.none = np.where(np.arange(len(self.names)) == self.poi, 0, self.start)
        nu, slope = (values[0] for values in self.evaluate(self.none[None, :]))
        has_signal = slope[:, self.poi] > 0
        self.lowest = float(-0.99 * np.min((nu / np.where(has_signal, slope[:, self.poi], 1))[has_signal], initial=1e6))

    def _read(self, spec: Mapping[str, Any]) -> None:
        """Lay the model out as arrays, whose last two axes are samples and bins.

        ``_scaled``: 1 where a parameter multiplies what is expected (``_has_mu`` for mu); ``_odd``, ``_even``: what
        each shape adds, the part that changes its sign with the parameter and the part that does not.
        """
        config = self.model.config
        shape = len(config.samples), len(self.bins)
        self._nominal = np.zeros(shape)
        self._scaled = np.zeros((len(self.names), *shape))
        self._odd, self._even = np.zeros_like(self._scaled), np.zeros_like(self._scaled)
        sizes: dict[int, dict[str, float]] = {}
        places = [
            (config.channel_slices[channel["name"]], s) for channel in spec["channels"] for s in channel["samples"]
        ]
        for columns, sample in places:
            row = config.samples.index(sample["name"])
            nominal = self._nominal[row, columns] = np.array(sample["data"], float)
            for modifier in sample["modifiers"]:
                kind, data, index = modifier["type"], modifier["data"], config.par_slice(modifier["name"]).start
                if kind == "staterror":
                    np.fill_diagonal(self._scaled[index : index + len(nominal), row, columns], 1)
                elif kind == "histosys":
                    down, up = (np.array(data[name]) - nominal for name in ("lo_data", "hi_data"))
                    self._odd[index, row, columns] = (up - down) / 2
                    self._even[index, row, columns] = (up + down) / 16
                elif kind in ("normfactor", "lumi") or (kind == "normsys" and sizes.setdefault(index, data) == data):
                    self._scaled[index, row, columns] = 1
                else:
                    raise BadInput(
                        f"{modifier['name']} is a {kind} that is not fitted here.",
                        where="azh.fits.Likelihood",
                        next_step="Use normfactor, lumi, histosys, staterror, or normsys of one size for each name.",
                    )
        self._rates = {index: _rate(size["lo"], size["hi"]) for index, size in sizes.items()}
        self._has_mu, self._scaled[self.poi] = self._scaled[self.poi].copy(), 0

    def data(self, counts: Mapping[str, ArrayLike]) -> Floats:
        """Return counts by channel in the order of `bins`, shape (n_bins,)."""
        return np.concatenate([np.asarray(counts[name], float) for name in self.model.config.channels])

    def expected(self, parameters: ArrayLike) -> Floats:
        """Return expected events, shape (n_bins,) or (n, n_bins), for one or n sets of parameters."""
        found = self.evaluate(np.atleast_2d(np.asarray(parameters, float)))[0]
        return found[0] if np.ndim(parameters) == 1 else found

    def evaluate(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return expected events (n, n_bins) and their derivatives (n, n_bins, n_parameters) for n sets of parameters.

        A sample expects (nominal + shapes) · factors in a bin, and mu times that where it is signal. A derivative by a
        factor is that of its logarithm, times what is expected; not so by mu, which may be 0.
        """
        factor = np.maximum(theta, LEAST)
        ln, slope_of_ln = np.log(factor), 1 / factor
        for index, rate in self._rates.items():
            value, derivative = rate(theta[:, index])
            ln[:, index], slope_of_ln[:, index] = np.log(value), derivative / value
        bend, slope_of_bend = _bend(theta)
        content = self._nominal + np.tensordot(theta, self._odd, 1) + np.tensordot(bend, self._even, 1)
        factors = np.exp(np.tensordot(ln, self._scaled, 1))
        weight = factors * np.where(self._has_mu, theta[:, self.poi, None, None], 1)
        slope = _over_samples(content * weight, self._scaled) * slope_of_ln[:, None, :]
        slope += _over_samples(weight, self._odd) + _over_samples(weight, self._even) * slope_of_bend[:, None, :]
        slope[:, :, self.poi] = (content * factors * self._has_mu).sum(axis=1)
        return (content * weight).sum(axis=1), slope

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
        held = self.is_fixed.copy()
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
        return (slope * curvature[:, :, None]).transpose(0, 2, 1) @ slope + np.diag(self.precision + 1e-9)

    def _deviance(self, theta: Floats, counts: Floats, aux: Floats) -> tuple[Floats, Floats, Floats]:
        """Return −2 ln L relative to the saturated model, expected events, and their derivatives."""
        nu, slope = self.evaluate(theta)
        # A shape may bend a bin of next to nothing below zero: there it stays, and no longer bends.
        positive = nu > LEAST
        nu, slope = np.where(positive, nu, LEAST), np.where(positive[:, :, None], slope, 0)
        constraint = (self.precision * (theta - aux) ** 2).sum(axis=1)
        return 2 * kl_div(counts, nu).sum(axis=1) + constraint, nu, slope


def _over_samples(weight: Floats, of: Floats) -> Floats:
    """Return Σ_s weight[n, s, b] · of[p, s, b], shape (n, n_bins, n_parameters): products of matrices, for speed."""
    return (weight.transpose(2, 0, 1) @ np.ascontiguousarray(of.T)).transpose(1, 0, 2)


def _bend(alpha: Floats) -> tuple[Floats, Floats]:
    """Return by what the even part of a histosys is multiplied, and the derivative: pyhf's code 4p."""
    value = alpha**2 * (15 + alpha**2 * (3 * alpha**2 - 10))
    derivative = alpha * (30 + alpha**2 * (18 * alpha**2 - 40))
    inner = np.abs(alpha) < 1
    return np.where(inner, value, 8 * np.abs(alpha)), np.where(inner, derivative, 8 * np.sign(alpha))


def _rate(low: float, high: float) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Return what gives the factor of a normsys and its derivative: pyhf's code 4, a polynomial between powers."""
    coefficients = pyhf.interpolators.get(4)([[[[low], [1.0], [high]]]], subscribe=False).coefficients
    polynomial = np.polynomial.Polynomial([1, *np.ravel(coefficients)])
    slope = polynomial.deriv()

    def rate(alpha: Floats) -> tuple[Floats, Floats]:
        outer = np.where(alpha > 0, high**alpha, low**-alpha)
        outer_slope = outer * np.where(alpha > 0, np.log(high), -np.log(low))
        inner = np.abs(alpha) < 1
        return np.where(inner, polynomial(alpha), outer), np.where(inner, slope(alpha), outer_slope)

    return rate
