"""SparseBERT's masks without their diagonal: i sees j iff |i - j| is kept and not 0. See sparsebert.py."""

from common import attention, positions
from row import Row
import sparsebert


def visible(inputs, params):
    i, j = positions(inputs["q"], inputs["k"])
    return sparsebert.visible(inputs, params) & (j != i + (j.size - i.size if params["align"] == "bottom_right" else 0))


def reference(inputs, params, dtype):
    return attention(inputs, visible(inputs, params), dtype)


ROW = Row(knobs={"all": sparsebert.knob("all"), "some": sparsebert.knob("some"), "self": sparsebert.knob("self"), "newest": sparsebert.knob("band", 0.3, "bottom_right"),
                 "repeats": sparsebert.knob("repeats", 0.2)},
          captured=sparsebert.captured, text=sparsebert.TEXT | {"align": ["diagonals<{}, %", "not_self<{}>"]})
