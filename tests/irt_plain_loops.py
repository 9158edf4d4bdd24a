"""The formulas of docs/algorithms/item_models.md once more, in the plainest form, for the tests to compare with."""

from __future__ import annotations

from typing import Any

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def probabilities(model: str, theta: np.ndarray, par: dict[str, Any]) -> np.ndarray:
    """P of each category, of shape (n, n_categories), from what users read."""
    a, b = par["slope"], par["difficulty"]
    steps = np.asarray(par.get("steps", ()), dtype=float)
    if model == "3pl":
        right = par["guessing"] + (1 - par["guessing"]) * sigmoid(a * (theta - b))
        return np.column_stack([1 - right, right])
    if model == "graded":
        thresholds = b - steps if len(steps) else np.array([b])
        above = sigmoid(a * (theta[:, None] - thresholds))
        ones, zeros = np.ones((len(theta), 1)), np.zeros((len(theta), 1))
        return -np.diff(np.hstack([ones, above, zeros]), axis=1)
    if not len(steps):
        steps = np.zeros(1)
    n_steps = len(steps)
    scores = np.append(par["scores"], n_steps) if model == "nominal" else np.arange(1.0, n_steps + 1.0)
    intercepts = a * (np.cumsum(steps) - b * np.arange(1, n_steps + 1))
    logits = np.column_stack([np.zeros(len(theta)), a * scores * theta[:, None] + intercepts])
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def read_row(row: dict[str, Any]) -> dict[str, Any]:
    """Take the parameters of one row of ``cal.items``."""
    out = {"slope": row["slope"], "difficulty": row["difficulty"], "guessing": row["guessing"]}
    out["steps"] = [row[f"step_{k}"] for k in range(1, 9) if row.get(f"step_{k}") is not None]
    out["scores"] = [row[f"score_{k}"] for k in range(1, 9) if row.get(f"score_{k}") is not None]
    return out


def log_likelihood(
    items: list[tuple[str, dict[str, Any]]], codes: np.ndarray, mean: float, sd: float, nodes: np.ndarray
) -> float:
    """Sum over students of the log of the integral, the normal renormalised on the nodes."""
    prior = np.exp(-0.5 * ((nodes - mean) / sd) ** 2)
    total = np.tile(np.log(prior / prior.sum()), (len(codes), 1))
    for place, (model, par) in enumerate(items):
        chance = probabilities(model, nodes, par)
        seen = codes[:, place] >= 0
        total[seen] += np.log(chance[:, codes[seen, place]]).T
    top = total.max(axis=1, keepdims=True)
    return float((np.log(np.exp(total - top).sum(axis=1)) + top[:, 0]).sum())


def simulate(
    items: list[tuple[str, dict[str, Any]]], theta: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw scores, of shape (n_students, n_items)."""
    out = np.empty((len(theta), len(items)), dtype=np.int64)
    for place, (model, par) in enumerate(items):
        chance = probabilities(model, theta, par)
        out[:, place] = (rng.random((len(theta), 1)) > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=1)
    return out
