"""Variants of a gallery program made by substitution in its text: element type, layout, head dims, and the numbers it states."""

import re


def _must(pattern, into, text, flags=0):
    out, n = re.subn(pattern, into, text, flags=flags)
    if not n:
        raise ValueError(f"the program has no {pattern!r}")
    return out


def _shown(value):
    """How a number, several, a type or a piece of text stands in a program."""
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def stated(text, places, value):
    """The program with `value` at every one of `places`: pieces of its text with {} for what stands there."""
    for place in places:
        before, after = (re.escape(x) for x in place.split("{}"))
        text = _must(rf"({before})(?:[-\w.]|, (?!\w+ =))*({after})", lambda m: m[1] + _shown(value) + m[2], text)
    return text


def scalars(text, params):
    """Those of `params` that are run-time scalars of the program."""
    kernel = text[text.index("attn.kernel"):text.index("->")]
    return {n: value for n, value in params.items() if re.search(rf"%{n}: (index|i32|i64|f32|f64)\b", kernel)}


def results(text):
    """The element types of the program's results by name."""
    alias = dict(re.findall(r"^(!\w+) = (tensor<.*>)$", text, re.M))
    listed = re.search(r"attn\.kernel @\w+\(.*?\) -> \((.*)\) \{$", text, re.M)[1]
    return {n: re.search(r"(\w+?)>$", re.sub(r"^.*x", "", alias.get(of, of)))[1] for n, of in re.findall(r"(\w+): (!\w+|tensor<[^>]*>)", listed)}


def _f64(text, keeps):
    """Every f32 of the text as f64, but in normalizers, where f32 stands for the accumulation type."""
    parts = re.split(r"(^attn\.normalizer .*?^}$)", text, flags=re.M | re.S)
    text = "".join(x if x.startswith("attn.normalizer") else x.replace("f32", "f64") for x in parts)
    text = re.sub(r"\b(score|weighted|sum|min|max|argmax)\(%(\w+)(?=[,)])", r"\1(%\2 : f64", text)
    text = re.sub(r"(columns \w+ = sum\(%\w+ : f64, %\w+)", r"\1 : f64", text)
    text = re.sub(r"\bas \(%(\w+)(?=[,)])", r"as (%\1 : f64", text)
    text = re.sub(r"\bdot\(%(\w+), %(\w+)(?=[,)])", r"dot(%\1 : f64, %\2 : f64", text)
    text = re.sub(r"epilogue\([^)]*\)", lambda m: re.sub(r"\b(\w{2,}|o) = (%\w+)", r"\1 = \2 : f64", m[0]), text)
    text = re.sub(r"(%\w+) = (%\w+\[)", r"\1 : f64 = \2", text)  # elements of a map's operands
    for name in keeps:
        text = _must(rf"(%{name}: [\w<?]*)f64", r"\g<1>f32", text)
    return text


def _narrow(text, element):
    """Tensors of features of a 16-bit type; a load of one gives such a number, which the text's f32 arithmetic takes as f32."""
    narrow = re.findall(r"^(!\w+) = tensor<.*\dxf32>$", text, re.M)
    text = _must(r"^(!\w+ = tensor<.*\dx)f32>$", rf"\g<1>{element}>", text, re.M)
    return re.sub(rf"%(\w+) = (attn\.load %\w+\[[^\]]*\] : (?:{'|'.join(narrow)})\b)", rf"%\1_ = \2  %\1 = arith.extf %\1_ : {element} to f32", text)


def variant(text, element="f32", layout="bhsd", d=64, e=64, keeps=()):
    """The program with q, k of `d` and v, o of `e` features, stored as `layout`:

    bhsd    [b, h, i, c] as in the gallery
    bshd    [b, i, h, c], also the output and its lse [b, i, h]
    packed  one operand qkv [b, i, 3, h, c] for q, k and v (self-attention with as many key heads as query heads)

    f64 replaces every f32 (lse, captured tensors and scalars, the score's type) but that of the arguments `keeps`, a 16-bit element
    only the operands' and o's.
    """
    if e != d:
        v = re.search(r"%v: !(\w+)", text)[1]
        alias, own = (re.search(rf"^!{name} = (tensor<.*)x64xf32>$", text, re.M)[1] for name in (v, "t"))
        text = _must(r"^(!t = .*)$", rf"\1\n!v = {alias}xEVxf32>\n!o = {own}xEVxf32>", text, re.M)
        text = _must(r"%v: !\w+", "%v: !v", text)
        text = _must(r"\(o: !t", "(o: !o", text)
        text = _must(r": \((!\w+), (!\w+), !\w+\) -> (\(?)!t", r": (\1, \2, !v) -> \3!o", text)
        text = _must(r"attn.return %o((?:, %\w+)*) : !t", r"attn.return %o\1 : !o", text)
    text = re.sub(r"^(!\w+ = .*)x64xf32>$", rf"\1x{d}xf32>", text, flags=re.M).replace("xEVx", f"x{e}x")
    if layout == "bshd":
        text = re.sub(r"\[b, (h[^,\]]*), ([ij]), ([ce])\]", r"[b, \2, \1, \3]", text)
        text = re.sub(r"lse\[b, h, i\]", "lse[b, i, h]", text)
    elif layout == "packed":
        text = _must(r"^(!t = .*)$", rf"\1\n!x = tensor<?x?x3x?x{d}xf32>", text, re.M)
        text = _must(r"%q: !t, %k: !t, %v: !t", "%qkv: !x", text)
        text = _must(r"q = %q\[b, h, i, c\] k = %k\[b, h, j, c\] v = %v\[b, h, j, e\]",
                     "q = %qkv[b, i, 0, h, c] k = %qkv[b, j, 1, h, c] v = %qkv[b, j, 2, h, e]", text)
        text = _must(r": \(!t, !t, !t\) ->", ": (!x, !x, !x) ->", text)
    elif layout != "bhsd":
        raise ValueError(layout)
    if element == "f64":
        return _f64(text, keeps)
    return text if element == "f32" else _narrow(text, element)
