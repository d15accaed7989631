"""Rotary positions, interleaved: features 2 f and 2 f + 1 are the two parts of a complex number that is turned by its position's angle; else as rope.py."""

import rope
from dataclasses import replace


def visible(inputs, params):
    return rope.visible(inputs, params)


def reference(inputs, params, dtype):
    return rope.reference(inputs, params, dtype, rope.pairs)


ROW = replace(rope.ROW, few=True, text={"half": [x for x in rope.ROW.text["half"] if "%half" not in x]})
