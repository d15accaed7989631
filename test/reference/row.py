"""What a reference says of its row beside the formula, so that the checker can make cases of it: `ROW = Row(..)` in test/reference/<row>.py.

A row is the program gallery/<row>.mlir and the module of its name with

    visible(inputs, params)            which pairs take part, anything that broadcasts to [b, h, i, j]
    reference(inputs, params, dtype)   see common.py
    ROW                                this
"""

from dataclasses import dataclass, field
from typing import Callable, Optional


def settings(c, rng, **knob):
    """A row without captured tensors: the settings of its knob are its parameters."""
    return {}, knob


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

    # Extents of k and v but the feature, and their view as [b or 1, key heads, j, feature].
    keys: Callable = lambda c: (c.batch, c.heads // c.group, c.j)
    view: Callable = lambda t: t
    # From [b, h, i, ..] to the axes of the program's own operands and results; the references of such rows work on those.
    pack: Optional[Callable] = None
    # (c, x, rng): changes q, k, v that were made.
    adjust: Optional[Callable] = None
