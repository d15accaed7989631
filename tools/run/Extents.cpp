// How large everything is. A dimension's extent comes from, first to last:
//
//   1. the program's static types and the shapes of the files; they must agree with each other
//   2. --size of its name; it must agree with those
//   3. --size n, for the query and the key axis, where no dimension is called n
//   4. a tensor indexed by `dim floordiv G`: G times its extent, for batch dimensions; also for tokens that no input
//      counts otherwise, whose --size is then a multiple of G
//   5. defaults: 1 for the first batch dimension, 8 for one called h or the last of several, 1 for others; 1024 tokens,
//      on a grid as many rows (planes, where it has three axes) as make 4096 tokens, at least 2 and at most 16, behind
//      the `first` tokens; the keys of padded halos are the queries' grid and the halo around it
//
// A first grid extent that the program leaves open is never asked for: it follows from the tokens.
//
// Free axes of captured tables: the type, the file, --size TENSOR.AXIS, or
//
//   tokens, blocks, pages    a quarter of the keys, of the blocks
//   diagonals, attn.member   16
//   csr                      the columns are as many as given offsets say, or 16 a query
//   random_blocks            one probability for each distance of blocks
//   pools                    as many pages as the tensor has whose integers an operand's region indexes them by
//   others                   as long as the longer token axis
#include "Failure.h"
#include "Problem.h"

using namespace attn;
using namespace attn::run;
using llvm::Error;

namespace {

class Solver {
public:
  Solver(Problem &problem, const Program &program, const Options &options)
      : p(problem), program(program), options(options), source(problem.extents.size()) {}

  Error run() {
    AttendOp attend = program.attend;
    for (unsigned d = attend ? attend.dotDim() : p.extents.size(); d < p.extents.size(); ++d)
      if (auto written = attend.getFeatureExtents(); written && (*written)[d - attend.dotDim()] > 0)
        if (Error e = define(d, (*written)[d - attend.dotDim()], "dims"))
          return e;
    for (Tensor &t : p.tensors)
      for (size_t n = 0; n < t.fact.axes.size(); ++n)
        if (Error e = known(t, n))
          return e;
    if (Error e = sizes())
      return e;
    fromDerived();
    defaults();
    if (Error e = equalPairs())
      return e;
    for (unsigned d = p.numBatch; d < p.numBatch + 2; ++d)
      if (p.extents[d] > ATTN_MAX_EXTENT)
        return fail(ExitBadInput, "{} tokens along {} ({}); at most {}", p.extents[d], p.dimNames[d], source[d],
                    ATTN_MAX_EXTENT);
    if (Error e = wholeBlocks())
      return e;
    for (Tensor &t : p.tensors)
      if (Error e = shape(t))
        return e;
    return Error::success();
  }

private:
  static bool isPlain(const AxisFact &a) { return !a.free && a.dim >= 0 && a.divisor == 1 && a.offset == 0; }

  Error define(int64_t dim, int64_t extent, const std::string &who) {
    if (p.extents[dim] >= 0 && p.extents[dim] != extent)
      return fail(ExitBadInput, "dimension {} is {} by {} and {} by {}; make them agree", p.dimNames[dim],
                  p.extents[dim], source[dim], extent, who);
    if (p.extents[dim] < 0)
      source[dim] = who;
    p.extents[dim] = extent;
    return Error::success();
  }

  /// What the type and the file say of one axis.
  Error known(Tensor &t, size_t n) {
    const AxisFact &a = t.fact.axes[n];
    const std::string axis = fmt::format("axis {} of {}", n, t.name);
    if (a.extent >= 0 && t.isGiven && t.shape[n] != a.extent)
      return fail(ExitBadInput, "{} has extent {} in its file and {} in the program's type", axis, t.shape[n],
                  a.extent);
    const int64_t extent = t.isGiven ? t.shape[n] : a.extent;
    if (extent < 0 || !isPlain(a))
      return Error::success();
    if (Error e = define(a.dim, extent, axis))
      return e;
    return a.also >= 0 ? define(a.also, extent, axis) : Error::success();
  }

  int dimNamed(llvm::StringRef name) const {
    for (size_t d = 0; d < p.dimNames.size(); ++d)
      if (p.dimNames[d] == name)
        return int(d);
    return -1;
  }

  Error sizes() {
    for (auto &[name, extent] : options.sizes) {
      if (int d = dimNamed(name); d >= 0) {
        if (Error e = define(d, extent, "--size " + name))
          return e;
        continue;
      }
      if (name == "n")
        continue;
      if (Error e = freeAxis(name, extent))
        return e;
    }
    if (Error e = equalPairs())
      return e;
    for (auto &[name, extent] : options.sizes) {
      if (name != "n" || dimNamed(name) >= 0)
        continue;
      for (unsigned d = p.numBatch; d < p.numBatch + 2; ++d) // an axis that has a --size of its own keeps it
        if (source[d].rfind("--size", 0) != 0)
          if (Error e = define(d, extent, "--size n"))
            return e;
    }
    return equalPairs();
  }

  /// --size TENSOR.AXIS
  Error freeAxis(llvm::StringRef name, int64_t extent) {
    auto [tensor, axis] = name.split('.');
    unsigned n;
    Tensor *t = p.find(tensor);
    if (!t || axis.getAsInteger(10, n) || n >= t->fact.axes.size()) {
      std::string names;
      for (const std::string &d : p.dimNames)
        names += d + ", ";
      return fail(ExitBadInput, "--size {}: no such dimension; there are {}n (both token axes) and TENSOR.AXIS",
                  name.str(), names);
    }
    const AxisFact &a = t->fact.axes[n];
    if (!a.free && !isProbabilities(*t))
      return fail(ExitBadInput, "--size {}: that axis follows from the program; give --size {} instead", name.str(),
                  a.dim >= 0 ? p.dimNames[a.dim] : "of a dimension");
    const int64_t have = t->isGiven ? t->shape[n] : a.extent;
    if (have >= 0 && have != extent)
      return fail(ExitBadInput, "--size {}={}: its extent is {} by {}", name.str(), extent, have,
                  t->isGiven ? "its file" : "its type");
    freeSizes[{t, n}] = extent;
    return Error::success();
  }

  /// Axes that two dimensions index make them equal.
  Error equalPairs() {
    for (Tensor &t : p.tensors)
      for (const AxisFact &a : t.fact.axes) {
        if (a.free || a.dim < 0 || a.also < 0)
          continue;
        if (p.extents[a.dim] >= 0)
          if (Error e = define(a.also, p.extents[a.dim], source[a.dim] + ", for " + t.name + " is indexed by both"))
            return e;
        if (p.extents[a.also] >= 0)
          if (Error e = define(a.dim, p.extents[a.also], source[a.also] + ", for " + t.name + " is indexed by both"))
            return e;
      }
    return Error::success();
  }

  /// Tokens that inputs know by their blocks alone are as many as those hold.
  Error wholeBlocks() {
    for (unsigned d = p.numBatch; d < p.numBatch + 2; ++d) {
      const Tensor *blocks = nullptr;
      int64_t divisor = 0;
      bool counted = false;
      for (const Tensor &t : p.tensors)
        for (const AxisFact &a : t.fact.axes) {
          if (t.isOutput || a.free || (a.dim != int64_t(d) && a.also != int64_t(d)) || a.offset)
            continue;
          counted |= a.divisor == 1;
          if (a.divisor > 1 && !blocks) {
            blocks = &t;
            divisor = a.divisor;
          }
        }
      if (blocks && !counted && p.extents[d] % divisor)
        return fail(ExitBadInput, "{} = {} by {}: {} says how many tokens there are, in blocks of {}; give a multiple",
                    p.dimNames[d], p.extents[d], source[d], blocks->name, divisor);
    }
    return Error::success();
  }

  void fromDerived() {
    for (Tensor &t : p.tensors)
      for (size_t n = 0; n < t.fact.axes.size(); ++n) {
        const AxisFact &a = t.fact.axes[n];
        const int64_t extent = t.isGiven ? t.shape[n] : a.extent;
        int64_t product;
        if (a.free || a.dim < 0 || a.divisor <= 1 || extent < 0 || p.extents[a.dim] >= 0 ||
            __builtin_mul_overflow(extent, a.divisor, &product))
          continue;
        p.extents[a.dim] = product;
        source[a.dim] = fmt::format("axis {} of {}", n, t.name);
      }
  }

  void defaults() {
    for (unsigned d = 0; d < p.extents.size(); ++d) {
      if (p.extents[d] >= 0)
        continue;
      const bool heads = p.dimNames[d] == "h" || (d > 0 && d + 1 == p.numBatch);
      p.extents[d] = d >= p.numBatch ? tokensOf(d) : heads ? 8 : 1;
      source[d] = "default";
      // The other of a pair follows before it gets a default of its own.
      llvm::cantFail(equalPairs());
    }
  }

  /// The default of a token axis.
  int64_t tokensOf(unsigned d) {
    AttendOp attend = program.attend;
    const bool isKey = d == attend.keyDim();
    const auto grid = isKey ? attend.getKeyGrid() : attend.getQueryGrid(), other = attend.getQueryGrid();
    if (!grid)
      return 1024;
    auto inner = [](llvm::ArrayRef<int64_t> g) { return llvm::product_of(g.drop_front()); };
    const auto first = std::clamp<int64_t>(firstToken(program, options), 0, ATTN_MAX_EXTENT), plane = inner(*grid);
    int64_t rows = std::clamp<int64_t>(4096 / plane, 2, 16);
    if (isKey && other && other->size() == grid->size()) { // the queries stand on the same grid, or inside of it
      rows = llvm::divideCeil(std::max<int64_t>(p.queries() - first, 0), inner(*other));
      bool padded = false;
      attend.getSet().walk([&](SetHaloOp halo) {
        rows += halo.getPadded() && !padded ? 2 * halo.getHalo()[0] : 0;
        padded |= halo.getPadded();
      });
      if (!padded && grid->drop_front() == other->drop_front())
        return p.queries();
    }
    return first + (mlir::ShapedType::isDynamic(grid->front()) ? rows : grid->front()) * plane;
  }

  /// Whether the tensor holds the probabilities of random_blocks by distance.
  bool isProbabilities(const Tensor &t) {
    KernelOp kernel = program.kernel;
    return !t.isOutput && llvm::any_of(kernel.getBody().getArgument(t.index).getUsers(),
                                       [](mlir::Operation *user) { return llvm::isa<SetRandomBlocksOp>(user); });
  }

  /// The default of a free axis, by what uses the tensor.
  int64_t freeExtent(const Tensor &t, size_t axis) {
    KernelOp kernel = program.kernel;
    int64_t extent = std::max(p.queries(), p.keys());
    if (t.isOutput)
      return extent;
    if (int64_t pages = pagesOf(t, axis); pages > 0)
      return pages;
    if (axis + 1 != t.fact.axes.size())
      return extent;
    const mlir::Value value = kernel.getBody().getArgument(t.index);
    for (mlir::Operation *user : value.getUsers())
      llvm::TypeSwitch<mlir::Operation *>(user)
          .Case<SetListOp>(
              [&](SetListOp op) { extent = std::max<int64_t>(1, llvm::divideCeilSigned(p.keys(), op.getBlock()) / 4); })
          .Case<SetDiagonalsOp, MemberOp>([&](auto) { extent = 16; })
          .Case<SetRandomBlocksOp>([&](SetRandomBlocksOp op) {
            extent = std::max<int64_t>({1, llvm::divideCeilSigned(p.queries(), op.getBlock()[0]),
                                        llvm::divideCeilSigned(p.keys(), op.getBlock()[1])});
          })
          .Case<SetCsrOp>([&](SetCsrOp op) {
            const Tensor *offsets = p.tensorOf(op.getOffsets());
            if (offsets == &t)
              return;
            extent = offsets->isGiven ? largest(*offsets) : 16 * p.queries();
          });
    return extent;
  }

  /// The elements of the operand by whose integers the attend's regions index this axis; 0: none does.
  int64_t pagesOf(const Tensor &t, size_t axis) {
    AttendOp attend = program.attend;
    KernelOp kernel = program.kernel;
    if (!attend)
      return 0;
    llvm::SmallVector<AttendOp::Operand> operands{attend.vPart()};
    for (unsigned n = 0; n < attend.numParts(); ++n)
      operands.append({attend.qPart(n), attend.kPart(n)});
    int64_t pages = 0;
    for (const AttendOp::Operand &x : operands) {
      if (!x.region)
        continue;
      int64_t count = 1;
      for (mlir::AffineExpr e : x.map.getResults()) {
        const AxisFact a = AxisFact::ofIndex(e);
        count *= a.dim < 0 ? 1 : llvm::divideCeil(std::max<int64_t>(p.extents[a.dim], 1), a.divisor);
      }
      x.region->walk([&](LoadOp load) {
        if (load.getTensor() != kernel.getBody().getArgument(t.index))
          return;
        mlir::Value index = load.getIndices()[axis];
        while (mlir::Operation *op = index.getDefiningOp()) {
          if (!llvm::isa<mlir::arith::IndexCastOp, mlir::arith::ExtSIOp, mlir::arith::ExtUIOp>(op))
            return;
          index = op->getOperand(0);
        }
        if (index == x.region->front().getArgument(0))
          pages = std::max(pages, count);
      });
    }
    return pages;
  }

  static int64_t largest(const Tensor &t) {
    int64_t most = 0;
    for (int64_t n = 0, count = t.elements(); n < count; ++n) {
      int64_t offset = 0, rest = n;
      for (size_t axis = t.shape.size(); axis--; rest /= t.shape[axis])
        offset += rest % t.shape[axis] * t.strides[axis];
      most = std::max(most, loadInteger(t.data.data(), t.element, offset));
    }
    return most;
  }

  Error shape(Tensor &t) {
    std::vector<int64_t> want;
    for (size_t n = 0; n < t.fact.axes.size(); ++n) {
      const AxisFact &a = t.fact.axes[n];
      int64_t extent = t.isGiven ? t.shape[n] : a.extent, need;
      if (auto size = freeSizes.find({&t, unsigned(n)}); size != freeSizes.end())
        extent = size->second;
      if (a.free) {
        want.push_back(extent >= 0 ? extent : freeExtent(t, n));
        continue;
      }
      if (a.dim < 0)
        need = a.offset + 1;
      else if (const int64_t e = p.extents[a.dim];
               __builtin_add_overflow(e / a.divisor + (e % a.divisor != 0), a.offset, &need))
        return fail(ExitBadInput, "axis {} of {}: an extent of {} is too large", n, t.name, e);
      const bool exact = a.dim >= 0 && a.offset == 0; // the runtime's rule: with an offset there may be more
      if (extent >= 0 && (exact ? extent != need : extent < need))
        return fail(ExitBadInput, "axis {} of {} has extent {}; with {} = {} it must be {}{}", n, t.name, extent,
                    a.dim >= 0 ? p.dimNames[a.dim] : "constant index", a.dim >= 0 ? p.extents[a.dim] : a.offset,
                    exact ? "" : "at least ", need);
      if (extent < 0) // a list that must not be empty may still have a length of its own
        extent = isProbabilities(t) ? freeExtent(t, n) : need;
      want.push_back(extent);
    }
    t.shape = std::move(want);
    return Error::success();
  }

  Problem &p;
  const Program &program;
  const Options &options;
  std::vector<std::string> source; // who said the extent, by dimension
  std::map<std::pair<Tensor *, unsigned>, int64_t> freeSizes;
};

} // namespace

Error attn::run::solveExtents(Problem &problem, const Program &program, const Options &options) {
  return Solver(problem, program, options).run();
}
