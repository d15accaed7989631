// Who runs next: CTAs, warps, strands.
#include "Machine.h"

#include <fmt/format.h>

#include <algorithm>

using namespace attn::sim;

Machine::Machine(const Program &program, const LaunchOptions &options, GlobalMemory &memory, Report &report)
    : program(program), options(options), memory(memory), report(report),
      random(options.seed * 0x9e3779b97f4a7c15 + 1) {
  threadsPerCta = options.block[0] * options.block[1] * options.block[2];
  warpsPerCta = (threadsPerCta + warpLanes - 1) / warpLanes;
  clockWarps = warpsPerCta + 1;
  executed.resize(program.code.size());
  sites.resize(program.code.size());
  guards.resize(program.code.size());
}

uint64_t Machine::draw() { // splitmix64
  uint64_t z = random += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void Machine::run(std::vector<uint8_t> paramBytes) {
  params.name = "the parameters";
  params.space = Space::Param;
  params.base = paramWindow;
  params.bytes = paramBytes.size();
  params.state.resize(paramBytes.size());
  params.data = std::move(paramBytes);
  params.readOnly = true;
  const uint64_t ctas = uint64_t(options.grid[0]) * options.grid[1] * options.grid[2];
  uint64_t next = 0;
  try {
    while (next < ctas || !resident.empty()) {
      while (next < ctas && resident.size() < options.residentCtas)
        startCta(uint32_t(next++));
      bool progress = false;
      for (size_t n = resident.size(); n-- > 0;) {
        progress |= runCta(*resident[n], resident.size() == 1 ? 1 << 16 : 1 << 12);
        if (!resident[n]->live) {
          for (auto &w : resident[n]->warps)
            freeRegisters.push_back(std::move(w->registers));
          resident.erase(resident.begin() + long(n));
          ++report.ctas;
          progress = true;
        }
      }
      if (!progress && !deliverOne())
        deadlock();
    }
  } catch (const Stop &) {
  }
  report.steps = steps;
  finishCounters();
}

void Machine::startCta(uint32_t index) {
  auto cta = std::make_unique<Cta>();
  cta->index = index;
  const auto &g = options.grid, &b = options.block;
  cta->id = {index % g[0], index / g[0] % g[1], index / g[0] / g[1]};
  const auto space = [&](Allocation &a, const char *name, Space s, uint64_t base, uint64_t bytes) {
    a.name = name;
    a.space = s;
    a.base = base;
    a.bytes = bytes;
    a.data.assign(bytes, 0xa5);
    a.state.assign(bytes, Unwritten);
  };
  space(cta->shared, "shared", Space::Shared, sharedWindow, program.sharedStatic + options.sharedBytes);
  space(cta->local, "local", Space::Local, localWindow, program.localBytes * warpsPerCta * warpLanes);
  for (uint32_t n = 0; n < warpsPerCta; ++n) {
    auto w = std::make_unique<Warp>();
    w->cta = cta.get();
    w->program = &program;
    w->index = n;
    w->id = index * clockWarps + n;
    const uint32_t count = std::min(warpLanes, threadsPerCta - n * warpLanes);
    w->alive = w->lanes = count == warpLanes ? allLanes : (1u << count) - 1;
    if (freeRegisters.empty()) {
      w->registers.assign(size_t(program.registerCount) * warpLanes, 0x7ff7a5a57fbfa5a5);
    } else {
      w->registers = std::move(freeRegisters.back());
      freeRegisters.pop_back();
    }
    w->defined.assign(program.registerCount, 0);
    w->strands.push_back({w->lanes, program.functions[0].start, Strand::Ready, 0, 0, 0, {}});
    for (auto [special, slot] : program.specials) {
      w->defined[slot] = allLanes;
      for (unsigned l = 0; l < warpLanes; ++l) {
        const uint32_t t = n * warpLanes + l;
        uint64_t v = 0;
        const unsigned s = unsigned(special);
        const uint32_t tid[3] = {t % b[0], t / b[0] % b[1], t / b[0] / b[1]};
        if (special <= Special::NctaidZ)
          v = s < 3 ? tid[s] : s < 6 ? b[s - 3] : s < 9 ? cta->id[s - 6] : g[s - 9];
        else
          switch (special) {
          case Special::LaneId:
            v = l;
            break;
          case Special::WarpId:
            v = n;
            break;
          case Special::NWarpId:
            v = warpsPerCta;
            break;
          case Special::SmId:
            v = index % 108;
            break;
          case Special::NSmId:
            v = 108;
            break;
          case Special::GridId:
            v = 1;
            break;
          case Special::LanemaskEq:
            v = 1u << l;
            break;
          case Special::LanemaskLt:
            v = (1u << l) - 1;
            break;
          case Special::LanemaskLe:
            v = (2u << l) - 1;
            break;
          case Special::LanemaskGt:
            v = uint32_t(~((2u << l) - 1));
            break;
          case Special::LanemaskGe:
            v = uint32_t(~((1u << l) - 1));
            break;
          case Special::DynamicSharedSize:
            v = options.sharedBytes;
            break;
          case Special::TotalSharedSize:
            v = cta->shared.bytes;
            break;
          case Special::ClusterIdX:
          case Special::ClusterIdY:
          case Special::ClusterIdZ:
            v = cta->id[s - unsigned(Special::ClusterIdX)];
            break;
          case Special::NClusterIdX:
          case Special::NClusterIdY:
          case Special::NClusterIdZ:
            v = g[s - unsigned(Special::NClusterIdX)];
            break;
          case Special::ClusterNCtaIdX:
          case Special::ClusterNCtaIdY:
          case Special::ClusterNCtaIdZ:
          case Special::ClusterNCtaRank:
            v = 1;
            break;
          default:
            break; // ranks in clusters of one CTA
          }
        w->registers[size_t(slot) * warpLanes + l] = v;
      }
    }
    w->defined[program.sink] = allLanes;
    cta->warps.push_back(std::move(w));
  }
  cta->live = warpsPerCta;
  resident.push_back(std::move(cta));
}

bool Machine::runCta(Cta &cta, uint64_t budget) {
  bool progress = false;
  const uint64_t end = steps + budget;
  while (cta.live && steps < end) {
    bool any = false;
    const uint32_t first = draw(uint32_t(cta.warps.size()));
    for (uint32_t n = 0; n < cta.warps.size(); ++n) {
      Warp &w = *cta.warps[(first + n) % cta.warps.size()];
      if (w.alive)
        any |= runWarp(w, 1 + draw(64));
      if (!cta.asyncArrivals.empty() && options.async == AsyncTime::Random && draw(4) == 0)
        deliverOne();
    }
    if (!any)
      return progress;
    progress = true;
  }
  return progress;
}

bool Machine::chooseStrand(Warp &w) {
  if (w.strands.size() == 1) {
    w.current = 0;
    return w.strands[0].state == Strand::Ready;
  }
  mergeStrands(w);
  // Behind in the text first; now and then the one farthest ahead, which the others may be waiting for.
  const bool last = ++w.diverged % 512 >= 448;
  uint32_t best = ~0u;
  for (uint32_t n = 0; n < w.strands.size(); ++n)
    if (w.strands[n].state == Strand::Ready && (best == ~0u || (w.strands[n].pc < w.strands[best].pc) != last))
      best = n;
  if (best == ~0u)
    return false;
  w.current = best;
  return true;
}

void Machine::mergeStrands(Warp &w) {
  for (size_t a = 0; a < w.strands.size(); ++a)
    for (size_t b = a + 1; b < w.strands.size();) {
      Strand &x = w.strands[a], &y = w.strands[b];
      const bool movable = (x.state == Strand::Ready || x.state == Strand::Converge) &&
                           (y.state == Strand::Ready || y.state == Strand::Converge);
      const auto sameFrame = [](const Frame &f, const Frame &g) {
        return f.returnPc == g.returnPc && f.function == g.function;
      };
      if (movable && x.pc == y.pc && x.stack.size() == y.stack.size() &&
          std::equal(x.stack.begin(), x.stack.end(), y.stack.begin(), sameFrame)) {
        x.mask |= y.mask;
        x.state = Strand::Ready;
        w.strands.erase(w.strands.begin() + long(b));
        continue;
      }
      ++b;
    }
}

bool Machine::runWarp(Warp &w, uint32_t budget) {
  bool progress = false;
  for (uint32_t n = 0; n < budget && w.alive; ++n) {
    if (!chooseStrand(w))
      break;
    execute(w);
    const bool polling = w.alive && w.current < w.strands.size() && w.strand().state == Strand::Poll;
    progress |= !polling;
    if (++steps > options.maxSteps) {
      const Instr &i = program.code[w.alive && w.current < w.strands.size() ? w.strand().pc : 0];
      stop("endless", i,
           fmt::format("{} instructions were executed and the grid has no end; warp {} of CTA {} is here", steps,
                       w.index, w.cta->index),
           "look for a loop whose end is never reached, or raise --max-steps");
    }
  }
  return progress;
}

void Machine::execute(Warp &w) {
  Strand &s = w.strand();
  const Instr &i = program.code[s.pc];
  uint32_t mask = s.mask;
  if (i.guard >= 0) {
    demand(w, i, i.guard, mask, "the predicate that decides about this instruction");
    const uint64_t *p = w.value(i.guard);
    uint32_t on = 0;
    for (unsigned l = 0; l < warpLanes; ++l)
      on |= uint32_t(p[l] & 1) << l;
    auto &[lanes, passed] = guards[s.pc];
    lanes += unsigned(__builtin_popcount(mask));
    mask &= i.guardNot ? ~on : on;
    passed += unsigned(__builtin_popcount(mask));
    if (!mask) {
      ++s.pc;
      return;
    }
  }
  ++executed[s.pc];
  if (i.run(*this, w, i, mask) == Step::Next)
    ++w.strand().pc;
}

void Machine::branch(Warp &w, uint32_t taken, uint32_t target) {
  Strand &s = w.strand();
  if (taken == s.mask) {
    s.pc = target;
    return;
  }
  Strand other = s;
  other.mask = taken;
  other.pc = target;
  s.mask &= ~taken;
  ++s.pc;
  w.strands.push_back(std::move(other));
}

void Machine::exitLanes(Warp &w, uint32_t mask) {
  w.alive &= ~mask;
  Strand &s = w.strand();
  s.mask &= ~mask;
  if (!s.mask)
    w.strands.erase(w.strands.begin() + w.current);
  else
    ++s.pc;
  for (Strand &other : w.strands) // those who waited for the lanes look again
    if (other.state == Strand::Converge)
      other.state = Strand::Ready;
  if (!w.alive)
    --w.cta->live;
}

bool Machine::together(Warp &w, const Instr &i, uint32_t mask, uint32_t need) {
  if ((mask & need) == need)
    return true;
  Strand &s = w.strand();
  if (const uint32_t guarded = s.mask & ~mask & need) // the guard keeps them out: they will never come
    stop("divergence", i,
         fmt::format("the guard of this instruction is false in {}, which it needs together with {}",
                     who(w, unsigned(__builtin_ctz(guarded))), who(w, unsigned(__builtin_ctz(mask)))),
         "make the guard the same in all lanes of the warp, or leave those lanes out of the member mask");
  s.state = Strand::Converge;
  s.need = need;
  mergeStrands(w);
  return false;
}

bool Machine::aligned(Warp &w, const Instr &i, uint32_t mask) {
  if (const uint32_t gone = w.lanes & ~w.alive)
    stop("divergence", i,
         fmt::format("{} has exited, and this instruction is for whole warps", who(w, unsigned(__builtin_ctz(gone)))),
         "let the lane skip work, not return, until the last such instruction");
  return together(w, i, mask, w.lanes);
}

void Machine::deadlock() {
  std::string text;
  const Instr *at = nullptr;
  bool diverged = false;
  for (auto &cta : resident)
    for (auto &w : cta->warps)
      for (auto &s : w->strands) {
        const Instr &i = program.code[s.pc];
        at = at ? at : &i;
        text += fmt::format("\n    CTA ({},{},{}) warp {} lanes {:#010x} wait at {}", cta->id[0], cta->id[1],
                            cta->id[2], w->index, s.mask, where(s.pc));
        if (s.state == Strand::Converge) {
          diverged = true;
          at = &i;
          text += fmt::format(" for lanes {:#010x} of their warp", s.need & ~s.mask);
        } else if (s.state == Strand::Barrier) {
          const NamedBarrier &b = cta->barriers[s.barrier];
          text += fmt::format(" for barrier {}: {} of {} threads have arrived", s.barrier, b.arrived, b.expected);
        } else if (s.state == Strand::Poll) {
          const auto m = cta->mbarriers.find(s.address);
          if (m != cta->mbarriers.end())
            text += fmt::format(" for the mbarrier at shared byte {}: phase {}, {} arrivals and {} bytes pending",
                                s.address, m->second.phase, m->second.pending, m->second.tx);
        }
        if (text.size() > 3000) {
          text += "\n    and more";
          stop(diverged ? "divergence" : "deadlock", *at, "nobody can go on:" + text,
               "see which of them waits for something that cannot come any more");
        }
      }
  stop(diverged ? "divergence" : "deadlock", *at, "nobody can go on:" + text,
       diverged ? "lanes of one warp must come to this very instruction together: move it out of the branch"
                : "see which of them waits for something that cannot come any more");
}
