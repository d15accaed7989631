"""Neighborhood attention of an image, causal along some axes: see natten.py."""

from natten import reference, row, visible  # noqa: F401

ROW = row({"rows": ((9,), (3, 5), (1, 1), (1, 1), (1, 0)), "columns": ((8,), (4, 3), (1, 1), (1, 1), (0, 1)),
           "both": ((7,), (3, 3), (1, 1), (1, 1), (1, 1)), "all": ((9,), (4, 3), (1, 2), (3, 2), (1, 0))})
