"""Warps that take turns on one sub-partition: each issues in order, once what it reads is there and its pipe is free; one instruction a cycle in all, of the
warp that has waited longest. Accesses of shared memory and what the xu pipe does wait in a queue, not in the warp, unless QUEUE cycles of work are in it. The
loop is repeated; copies and wide loads are in time, and nobody waits for other warps at a barrier."""

from .machine import LATENCY, cost

ROUNDS = 6
QUEUE = {"shared": 64, "xu": 16}


def cycles(path, gpu, warps):
    """From the end of one round of all warps to that of a later one, by round."""
    path = [(i, [(p, n) for p, n in cost(i, gpu).items() if p != "issue"]) for i in path if i.kind != "none"]
    free = {}
    ready = [dict() for _ in range(warps)]
    at, own, done = [0] * warps, [0] * warps, []
    now, total = 0, len(path) * ROUNDS
    waited = list(range(warps))
    ends = [[] for _ in range(warps)]

    def when(w):
        i, pipes = path[at[w] % len(path)]
        t = own[w]
        for r in i.reads:
            t = max(t, ready[w].get(r, 0))
        for r in i.writes:  # a result that is on its way is not overtaken
            t = max(t, ready[w].get(r, 0) - LATENCY.get(i.kind, 4))
        for p, _ in pipes:
            t = max(t, free.get(p, 0) - QUEUE.get(p, 0))
        return t

    while any(a < total for a in at):
        running = [w for w in waited if at[w] < total]
        times = {w: max(now, when(w)) for w in running}
        w = min(running, key=lambda x: (times[x], waited.index(x)))
        now = times[w]
        i, pipes = path[at[w] % len(path)]
        begins = now
        for p, n in pipes:
            begins = max(begins, free.get(p, 0))
            free[p] = max(now, free.get(p, 0)) + n
        for r in i.writes:
            ready[w][r] = begins + LATENCY.get(i.kind, 4)
        own[w] = now + (LATENCY[i.kind] if i.kind == "barrier" else 1)
        at[w] += 1
        if at[w] % len(path) == 0:
            ends[w].append(now)
        waited.remove(w)
        waited.append(w)
        now += 1
    last = max(e[-1] for e in ends)
    first = max(e[1] for e in ends)
    return (last - first) / (ROUNDS - 2)
