"""The main loop of a kernel and the path through it, on instructions of any kind.

The main loop is the innermost one that has all products of the loop with most of them. Of the ways from its head back to it, the path is one with

1. all products that any has,
2. copies, or else wide loads, of global memory,
3. the fewest loops inside, which are passed once,
4. the fewest copies, or else the most wide loads,
5. the fewest instructions,

which is what a block does that is wholly visible while the next one, all of it there, is on its way. ptxas takes loops apart: of its instructions a path is
sought that has as many copies as that of the PTX.
"""

from collections import namedtuple

Loop = namedtuple("Loop", "path inner")


def blocks_of(code):
    """Lists of instructions, and the numbers of those that follow each."""
    blocks, labels, current = [], {}, None
    for i in code:
        if i.label is not None or current is None:
            current = []
            blocks.append(current)
            if i.label is not None:
                labels[i.label] = len(blocks) - 1
                continue
        current.append(i)
        if i.branch is not None or i.ends:
            current = None
    follow = []
    for n, block in enumerate(blocks):
        last = block[-1] if block else None
        to = []
        if last is None or not (last.ends or (last.branch is not None and last.always)):
            to.append(n + 1)
        if last is not None and last.branch is not None:
            to.append(labels[last.branch])
        follow.append([x for x in to if x < len(blocks)])
    return blocks, follow


def components(nodes, follow):
    """Strongly connected ones that have a cycle (Tarjan, without recursion)."""
    number, low, on, stack, found = {}, {}, set(), [], []
    for root in sorted(nodes):
        if root in number:
            continue
        work = [(root, iter(follow[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on.add(root)
        while work:
            node, rest = work[-1]
            for to in rest:
                if to not in nodes:
                    continue
                if to not in number:
                    number[to] = low[to] = len(number)
                    stack.append(to)
                    on.add(to)
                    work.append((to, iter(follow[to])))
                    break
                if to in on:
                    low[node] = min(low[node], number[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    part = set()
                    while True:
                        x = stack.pop()
                        on.discard(x)
                        part.add(x)
                        if x == node:
                            break
                    if len(part) > 1 or node in follow[node]:
                        found.append(part)
    return found


def heads(part, follow):
    inside = {to for n, all_to in enumerate(follow) if n not in part for to in all_to if to in part}
    return sorted(inside) or [min(part)]


def main_loop(code, copies=None):
    blocks, follow = blocks_of(code)
    products = [sum(i.kind == "tensor" for i in b) for b in blocks]

    def weight(part):
        return sum(products[n] for n in part)

    nodes, inside, loop, head = set(range(len(blocks))), follow, None, None
    while True:
        inner = [part for part in components(nodes, inside) if weight(part)]
        best = max(inner, key=weight, default=None)
        if best is None or (loop is not None and weight(best) < weight(loop)):
            break
        nodes = loop = best
        head = heads(best, inside)[0]
        inside = [[to for to in all_to if to != head] for all_to in inside]  # loops in it are what is left
    if loop is None:
        raise SystemExit("there is no loop with products on tensor cores")
    return best_path(blocks, follow, loop, head, copies)


def best_path(blocks, follow, loop, head, wanted_copies):
    # Without edges back to where a way came from there is an order.
    order, seen, active, inner, back = [], set(), set(), set(), set()
    work = [(head, iter(follow[head]))]
    seen.add(head)
    active.add(head)
    while work:
        node, rest = work[-1]
        for to in rest:
            if to not in loop or to == head:
                continue
            if to in active:
                back.add((node, to))
                inner.add(to)
                continue
            if to not in seen:
                seen.add(to)
                active.add(to)
                work.append((to, iter(follow[to])))
                break
        else:
            work.pop()
            active.discard(node)
            order.append(node)
    order.reverse()
    def count(wanted):
        return [sum(wanted(i) for i in b) for b in blocks]

    products, copies = count(lambda i: i.kind == "tensor"), count(lambda i: i.kind == "copy")
    loads = count(lambda i: i.kind == "ldg" and i.amount == 16)
    slots = count(lambda i: i.kind != "none")

    def sums(n):
        return products[n], copies[n], loads[n], int(n in inner)

    # By (products, copies, loads, loops): the fewest instructions, and the way.
    reach = {n: {} for n in loop}
    reach[head][sums(head)] = (slots[head], (head,))
    ways = []
    for node in order:
        for key, (so_far, way) in reach[node].items():
            for to in follow[node]:
                if to == head:
                    ways.append((key, so_far, way))
                elif to in loop and (node, to) not in back:
                    now = tuple(a + b for a, b in zip(key, sums(to)))
                    if now not in reach[to] or reach[to][now][0] > so_far + slots[to]:
                        reach[to][now] = (so_far + slots[to], way + (to,))

    def rank(entry):
        (product, copy, load, loops), instructions, _ = entry
        fits = abs(copy - wanted_copies) if wanted_copies else 0
        return -product, fits, not (copy or load), not copy, loops, copy or -load, instructions

    best = min(ways, key=rank)
    return Loop([i for n in best[2] for i in blocks[n]], best[0][3])
