//===- Machine.h - The state of a running grid ---------------------------------===//
//
// A warp is a register file of 32 lanes and a list of *strands*: sets of lanes that are at one place. A branch on which
// lanes disagree splits a strand; strands that meet at one place merge. While there are several, the one furthest
// behind in the text runs first, which makes structured code meet again at once; every few hundred steps another one
// gets its turn, so that lanes that wait for others make no dead end. Instructions that need certain lanes together
// (`.aligned`, or a member mask) keep a strand waiting until it has them.
//
// CTAs start in order; up to `residentCtas` of them run interleaved. Which warp goes on, and for how long, is drawn by
// the seed.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LIB_SIM_MACHINE_H
#define ATTN_LIB_SIM_MACHINE_H

#include "Async.h"
#include "Memory.h"
#include "Program.h"
#include "attn/Sim/Launch.h"

#include <deque>
#include <set>

namespace attn::sim {

struct Cta;

struct Frame {
  uint32_t returnPc, function;
};

struct Strand {
  enum State : uint8_t {
    Ready,
    Converge, ///< waits for the lanes `need` at the same place
    Barrier,  ///< waits at bar `barrier`
    Poll,     ///< has asked an mbarrier that is not complete; goes on when something happened
  };
  uint32_t mask = 0, pc = 0;
  State state = Ready;
  uint32_t need = 0, barrier = 0;
  uint64_t address = 0; ///< of the mbarrier
  std::vector<Frame> stack;
};

/// Fences and relaxed reads of one lane that later accesses turn into edges.
struct LaneOrder {
  ClockRef fence, observed;
};

struct Warp {
  Cta *cta = nullptr;
  const Program *program = nullptr;
  uint32_t index = 0, id = 0;    ///< in the CTA, over the grid (in steps of clockWarps)
  uint32_t alive = 0, lanes = 0; ///< lanes that have not exited, lanes that exist
  std::vector<uint64_t> registers;
  std::vector<uint32_t> defined;                  ///< a mask of lanes per slot
  std::unordered_map<uint64_t, OriginId> origins; ///< slot * 32 + lane, for poison that has one
  std::vector<Strand> strands;
  uint32_t current = 0, diverged = 0;

  uint32_t clock = 1;
  std::array<ClockRef, warpLanes> seen;
  bool seenUniform = true;
  std::vector<LaneOrder> order; ///< empty until a fence or a strong read
  LaneCopies copies[warpLanes];

  Strand &strand() { return strands[current]; }
  const uint64_t *value(int32_t slot) const {
    return slot >= 0 ? &registers[size_t(slot) * warpLanes] : &program->constants[size_t(~slot) * warpLanes];
  }
  uint64_t *target(int32_t slot) { return &registers[size_t(slot) * warpLanes]; }
  uint32_t definedOf(int32_t slot) const { return slot >= 0 ? defined[size_t(slot)] : allLanes; }
};

struct NamedBarrier {
  struct Arrival {
    uint32_t warp, lanes, clock;
  };
  uint32_t expected = 0, arrived = 0, arrivedWarps = 0;
  int kind = -1; ///< sync and arrive, or one of the reductions
  std::vector<Arrival> arrivals;
  std::vector<ClockRef> seen;
  uint32_t reduced = 0; ///< popc, and, or so far
  uint32_t count = 0;
};

struct MBarrier {
  uint64_t phase = 0;
  int64_t pending = 0, expected = 0, tx = 0;
  ClockRef clock, lastClock; ///< of the phase under way and of the one before
  std::vector<std::pair<AsyncArrival, uint64_t>>
      done;          ///< copies that have arrived, by phase: delivered when somebody waits for it
  uint32_t line = 0; ///< of its init
};

struct Cta {
  uint32_t index = 0;
  std::array<uint32_t, 3> id{};
  std::vector<std::unique_ptr<Warp>> warps;
  Allocation shared, local;
  NamedBarrier barriers[16];
  std::map<uint64_t, MBarrier> mbarriers;  ///< by shared offset
  std::vector<AsyncArrival> asyncArrivals; ///< cp.async.mbarrier.arrive that are still to be delivered
  uint32_t asyncClock = 0;
  uint32_t live = 0; ///< warps with lanes that have not exited
};

/// Thrown to end a launch after a finding that leaves nothing sensible to go on with.
struct Stop {};

class Machine {
public:
  Machine(const Program &program, const LaunchOptions &options, GlobalMemory &memory, Report &report);
  void run(std::vector<uint8_t> params);

  const Program &program;
  const LaunchOptions &options;
  GlobalMemory &memory;
  Report &report;
  Allocation params;
  uint64_t steps = 0;
  uint32_t warpsPerCta = 0, threadsPerCta = 0;
  uint32_t clockWarps = 0; ///< a CTA's warps and one that stands for its asynchronous copies, in clocks
  uint64_t random = 0;     ///< state of the scheduler's generator
  std::vector<std::unique_ptr<Cta>> resident;

  uint64_t draw();
  uint32_t draw(uint32_t below) { return uint32_t(draw() % below); }

  // Findings.cpp. `stop` ends the launch, the others are noted, once per instruction and kind.
  void note(const char *kind, const Instr &i, const std::string &message, const std::string &hint);
  [[noreturn]] void stop(const char *kind, const Instr &i, const std::string &message, const std::string &hint);
  std::string who(const Warp &w, unsigned lane) const; ///< "lane 3 of warp 1 of CTA (0,0,0)"
  std::string where(uint32_t pc) const;                ///< "line 12 (ld.shared.u32)"
  uint32_t pcOf(const Instr &i) const { return uint32_t(&i - program.code.data()); }
  OriginId origin(std::string text);
  std::string originText(OriginId id) const { return id ? origins[id - 1] : "a register that was never written"; }

  // Poison.cpp
  /// Lanes of `mask` whose `slot` becomes defined or, where `defined` lacks them, poison with the origin of `from`'s
  /// first poisoned slot.
  void write(Warp &w, const Instr &i, int32_t slot, uint32_t mask, uint32_t defined);
  void poison(Warp &w, int32_t slot, uint32_t lanes, OriginId id);
  OriginId originOf(const Warp &w, int32_t slot, unsigned lane) const;
  /// A finding if a lane of `mask` has poison in `slot`, which `use` ("the address") cannot bear. The lanes count as
  /// defined from then on.
  void demand(Warp &w, const Instr &i, int32_t slot, uint32_t mask, const char *use);

  // Access.cpp
  struct Bytes {
    Allocation *allocation;
    uint64_t offset;
    uint8_t *data() const { return allocation->data.data() + offset; }
    uint8_t *state() const { return allocation->state.data() + offset; }
  };
  /// The bytes at an address of `space`; stops if they are out of bounds or misaligned.
  Bytes resolve(Warp &w, const Instr &i, unsigned lane, Space space, uint64_t address, unsigned bytes, unsigned align,
                bool isWrite);
  /// Poison of bytes that are read: 0 if they are all defined. Destinations of copies under way are a finding of their
  /// own.
  OriginId poisonOf(Warp &w, const Instr &i, unsigned lane, const Bytes &b, unsigned bytes);
  /// Before bytes are overwritten: copies under way into or out of them are a finding.
  void checkAsyncWrite(Warp &w, const Instr &i, unsigned lane, const Bytes &b, unsigned bytes);
  std::string placeOf(const Bytes &b) const; ///< "shared byte 128", "'k' + 64"

  // RaceCheck.cpp
  void access(Warp &w, const Instr &i, uint32_t lanes, const Bytes &b, unsigned bytes, bool write,
              Scope scope = Scope::Weak);
  /// Overwrites what is remembered of the bytes: a copy's completion, whose issue was checked.
  void record(const Bytes &b, unsigned bytes, const Epoch &e, bool write);
  Epoch epochOf(const Warp &w, unsigned lane, uint32_t pc) const;
  bool ordered(const Epoch &e, const Warp &w, uint32_t lanes) const;
  ClockRef snapshot(const Warp &w, unsigned lane) const;
  void tick(Warp &w) { ++w.clock; }
  void setSeen(Warp &w, uint32_t lanes, const ClockRef &clock);
  void strongRead(Warp &w, unsigned lane, const Bytes &b, uint8_t semantics);
  void strongWrite(Warp &w, unsigned lane, const Bytes &b, uint8_t semantics, bool isRmw);
  void fence(Warp &w, uint32_t mask, uint8_t semantics);
  /// The clock of everybody who arrived: what they saw and what they did themselves.
  ClockRef gather(const std::vector<ClockRef> &seen,
                  const std::vector<std::pair<const Warp *, NamedBarrier::Arrival>> &arrivals) const;

  // Scheduler.cpp
  void startCta(uint32_t index);
  bool runCta(Cta &cta, uint64_t budget); ///< whether it made progress
  bool runWarp(Warp &w, uint32_t budget);
  void execute(Warp &w);
  void mergeStrands(Warp &w);
  bool chooseStrand(Warp &w);
  void exitLanes(Warp &w, uint32_t mask);
  [[noreturn]] void deadlock();
  /// Whether the lanes `need` are together; else the strand waits for them, or that is impossible and a finding.
  bool together(Warp &w, const Instr &i, uint32_t mask, uint32_t need);
  /// The same for instructions that are `.aligned`.
  bool aligned(Warp &w, const Instr &i, uint32_t mask);
  void branch(Warp &w, uint32_t taken, uint32_t target);

  // Counters.cpp
  void countShared(const Instr &i, const uint64_t *offsets, uint32_t lanes, unsigned bytes);
  void countGlobal(const Instr &i, const uint64_t *addresses, uint32_t lanes, unsigned bytes);
  void countBytes(const Instr &i, const char *what, uint64_t bytes);
  void finishCounters();
  std::vector<uint64_t> executed; ///< by instruction
  std::vector<SiteCounters> sites;
  std::vector<std::pair<uint64_t, uint64_t>> guards; ///< lanes that came by, lanes for which it was true

  // Async.cpp
  void completeCopy(Warp &w, unsigned lane, Copy &c, const Epoch *as = nullptr);
  bool deliverOne(); ///< an asynchronous arrival that was held back; false if there is none

private:
  std::vector<std::string> origins;
  std::vector<std::vector<uint64_t>> freeRegisters; ///< of warps that have finished: what they hold counts as undefined
  std::unordered_map<const uint8_t *, ClockRef> released; ///< by location
  std::map<std::pair<std::string, uint64_t>, size_t> findingIndex;
};

} // namespace attn::sim

#endif
