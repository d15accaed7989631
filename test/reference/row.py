"""What a reference says of its row beside the formula, so that the checker can make cases of it: `ROW = Row(..)` in test/reference/<row>.py.

A row is the program gallery/<row>.mlir and the module of its name with

    visible(inputs, params)            which pairs take part, anything that broadcasts to [b, h, i, j]
    reference(inputs, params, dtype)   see common.py
    ROW                                this
"""

from dataclasses import dataclass, field
from typing import Callable, Optional

import numpy as np


def settings(c, rng, **knob):
    """A row without captured tensors: the settings of its knob are its parameters."""
    return {}, knob


def steps(c, x, rng):
    """Operands in steps of 1/8, small enough for exact products in every element type: which score is larger is no matter of rounding, and there are ties.

    Rows of it have d = 60: with a scale that is no power of two a score is still rounded once, without which the yardstick would be exact by luck."""
    for n, t in x.items():
        if n != "v":
            t[...] = np.round(np.clip(t * 2, -100, 100)) / 8 if c.logits in ("normal", "ties") else np.round(np.clip(t, -100, 100))


ELEMENTS = ("f32", "bf16", "f16", "f64")


@dataclass(frozen=True)
class Row:
    """`c` below is a case (test/gallery/cases.py): its extents b, h, i, j are c.batch, c.heads, c.i, c.j."""

    # Named settings of what the row leaves open. The first is the one of all cases that vary something else.
    knobs: dict = field(default_factory=lambda: {"": {}})
    # (c, rng, **settings) -> (inputs, params): captured tensors by argument name, and parameters of the formula.
    captured: Callable = settings
    # Parameters that the program states: name -> the places of its text, with {} for the number, numbers or words there. A place the
    # program lacks is an error. Parameters of which the program has an argument are run-time scalars.
    text: dict = field(default_factory=dict)
    # Arguments whose type an f64 program keeps.
    keeps: tuple = ()

    # The program's results by name, which it and the reference share, and how the error rule looks at each: `value` [b, h, i, e] and `row` [b, h, i] by the query's
    # magnitudes, `column` [b, h, j] by the largest of its queries', `flat` number by number, with one magnitude for the whole tensor, `rows` the same with all that
    # share the last axis together, `id` exactly.
    outputs: dict = field(default_factory=lambda: {"o": "value", "lse": "row"})
    # Outputs that are a difference: which other output of the reference (the program need not have it) is as large as its terms.
    terms: dict = field(default_factory=dict)
    # c -> {name: shape}: operands of the element type beside q, k and v.
    extra: Callable = lambda c: {}
    # The same instead of q, k and v, where these have other shapes; such a row names its `axes`.
    operands: Optional[Callable] = None
    values: bool = True                # there is a v
    same_width: bool = False           # a value has as many features as a key
    elements: tuple = ELEMENTS
    axes: tuple = ()                   # what is varied; (): everything
    more: tuple = ()                   # cases beside the usual: settings of Case
    few: bool = False                  # a quarter as many cases without --long

    square: bool = False               # one sequence: as many queries as keys
    fit: Optional[Callable] = None     # (i, j, **settings) -> the nearest (i, j) that the row allows
    base: tuple = (37, 70)             # (i, j) of most cases
    heads: int = 0                     # query heads; 0: as many as the error rule needs
    groups: tuple = (1,)               # query heads per key head; the first is that of most cases
    one_key_head: bool = False         # `group` query heads in all
    hides: bool = True                 # some keys can be hidden from a query
    layouts: tuple = ("bhsd", "bshd", "packed")
    thorough: bool = False             # more cases: every axis with every element type
    scale: Optional[float] = None      # absent: 1 / sqrt(d)
    d: int = 64                        # features of most cases

    # Extents of k and v but the feature, and their view as [b or 1, key heads, j, feature].
    keys: Callable = lambda c: (c.batch, c.heads // c.group, c.j)
    view: Callable = lambda t: t
    # From [b, h, i, ..] to the axes of the program's own operands and results; the references of such rows work on those.
    pack: Optional[Callable] = None
    # (c, x, rng): changes q, k, v that were made.
    adjust: Optional[Callable] = None
