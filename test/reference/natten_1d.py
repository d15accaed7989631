"""Neighborhood attention of a sequence: see natten.py."""

from natten import reference, row, visible  # noqa: F401

ROW = row({"7": ((), (7,), (1,), (1,), (0,)), "even": ((), (8,), (1,), (1,), (0,)), "self": ((), (1,), (1,), (1,), (0,)),
           "wide": ((), (300,), (1,), (1,), (0,)), "dilated": ((), (5,), (3,), (1,), (0,)), "far": ((), (3,), (100,), (1,), (0,)),
           "strided": ((), (8,), (1,), (4,), (0,)), "blocked": ((), (7,), (1,), (7,), (0,)), "causal": ((), (7,), (1,), (1,), (1,)),
           "all": ((), (6,), (2,), (3,), (1,))})
