// One function for each nv op: the intrinsic that the NVPTX back end selects the instruction from.
//
// Intrinsics rather than inline assembly wherever there are any: LLVM knows what memory they touch, folds addresses
// into them and keeps those that are convergent where they are. (Those for mma are not marked so; the back end of ours
// marks their calls.)
#include "NVOps.h"

using namespace mlir;
using namespace attn::nv;

namespace {

/// Shared memory for one module, declared when the first op asks.
class Lowering {
public:
  explicit Lowering(ModuleOp device) : device(device), b(device.getContext()) {}

  void run() {
    device.walk([&](Operation *op) {
      if (!isa_and_nonnull<NVDialect>(op->getDialect()))
        return;
      b.setInsertionPoint(op);
      loc = op->getLoc();
      SmallVector<Value> results;
      llvm::TypeSwitch<Operation *>(op)
          .Case<MmaOp, LdMatrixOp, CopyAsyncOp, CommitGroupOp, WaitGroupOp, BarrierOp, ShuffleXorOp, ShuffleIdxOp,
                BallotOp, ThreadIdOp, CtaIdOp, SharedMemoryOp, Exp2Op, PackOp, RoundTf32Op>(
              [&](auto typed) { results = lower(typed); })
          .Default([](Operation *) { llvm_unreachable("an nv op without a lowering"); });
      op->replaceAllUsesWith(results);
      op->erase();
    });
  }

private:
  Value i32(int32_t value) { return LLVM::ConstantOp::create(b, loc, b.getI32Type(), value); }
  void call(const Twine &name, ValueRange args = {}) {
    LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr(name), args);
  }
  Value call(Type result, const Twine &name, ValueRange args = {}) {
    return LLVM::CallIntrinsicOp::create(b, loc, result, b.getStringAttr(name), args).getResult(0);
  }
  /// An intrinsic with several results, which are a struct.
  SmallVector<Value> callForMany(TypeRange types, const Twine &name, ValueRange args) {
    if (types.size() == 1)
      return {call(types.front(), name, args)};
    auto tuple = LLVM::LLVMStructType::getLiteral(b.getContext(), llvm::to_vector(types));
    Value all = call(tuple, name, args);
    SmallVector<Value> results;
    for (unsigned n = 0; n < types.size(); ++n)
      results.push_back(LLVM::ExtractValueOp::create(b, loc, all, n));
    return results;
  }

  SmallVector<Value> lower(MmaOp op) {
    bool f16 = op.getKind() == "f16";
    SmallVector<Value> args;
    auto halves = VectorType::get(2, b.getF16Type());
    for (ValueRange registers : {op.getA(), op.getB()})
      for (Value value : registers)
        args.push_back(f16 ? LLVM::BitcastOp::create(b, loc, halves, value).getResult() : value);
    llvm::append_range(args, op.getC());
    // The f16 shapes are named by the types of d and c, the others by those of a and b.
    return callForMany(op.getResultTypes(),
                       "llvm.nvvm.mma.m16n8k" + Twine(mmaDepth(op.getKind())) + ".row.col." +
                           (f16 ? StringRef("f32.f32") : op.getKind()),
                       args);
  }

  SmallVector<Value> lower(LdMatrixOp op) {
    return callForMany(op.getResultTypes(),
                       "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x" + Twine(op.getNum()) + (op.getTrans() ? ".trans" : "") +
                           ".b16.p3",
                       op.getAddress());
  }

  SmallVector<Value> lower(CopyAsyncOp op) {
    Value source = op.getSrc();
    auto global = LLVM::LLVMPointerType::get(b.getContext(), 1);
    if (source.getType() != global)
      source = LLVM::AddrSpaceCastOp::create(b, loc, global, source);
    SmallVector<Value> args{op.getDst(), source};
    APInt bytes;
    bool whole = matchPattern(op.getBytes(), m_ConstantInt(&bytes)) && bytes == op.getSize();
    if (!whole)
      args.push_back(op.getBytes());
    call(Twine("llvm.nvvm.cp.async.") + (op.getSize() == 16 ? "cg" : "ca") + ".shared.global." + Twine(op.getSize()) +
             (whole ? "" : ".s"),
         args);
    return {};
  }

  SmallVector<Value> lower(CommitGroupOp) { return call("llvm.nvvm.cp.async.commit.group"), SmallVector<Value>(); }
  SmallVector<Value> lower(WaitGroupOp op) {
    return call("llvm.nvvm.cp.async.wait.group", i32(op.getPending())), SmallVector<Value>();
  }
  SmallVector<Value> lower(BarrierOp) {
    return call("llvm.nvvm.barrier.cta.sync.aligned.all", i32(0)), SmallVector<Value>();
  }

  Value shuffle(StringRef mode, Value value, Value lane) {
    return call(value.getType(), "llvm.nvvm.shfl.sync." + mode + (value.getType().isF32() ? ".f32" : ".i32"),
                {i32(-1), value, lane, i32(31)});
  }
  SmallVector<Value> lower(ShuffleXorOp op) { return {shuffle("bfly", op.getValue(), i32(op.getMask()))}; }
  SmallVector<Value> lower(ShuffleIdxOp op) { return {shuffle("idx", op.getValue(), op.getLane())}; }
  SmallVector<Value> lower(BallotOp op) {
    return {call(b.getI32Type(), "llvm.nvvm.vote.ballot.sync", {i32(-1), op.getCondition()})};
  }

  SmallVector<Value> lower(ThreadIdOp) { return {call(b.getI32Type(), "llvm.nvvm.read.ptx.sreg.tid.x")}; }
  SmallVector<Value> lower(CtaIdOp) { return {call(b.getI32Type(), "llvm.nvvm.read.ptx.sreg.ctaid.x")}; }

  SmallVector<Value> lower(SharedMemoryOp) {
    if (!shared) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(device.getBody());
      auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
      shared = LLVM::GlobalOp::create(b, device.getLoc(), bytes, /*isConstant=*/false, LLVM::Linkage::External,
                                      kSharedMemory, Attribute(), /*alignment=*/1024, /*addrSpace=*/3);
    }
    return {LLVM::AddressOfOp::create(b, loc, shared)};
  }

  SmallVector<Value> lower(Exp2Op op) { return {call(b.getF32Type(), "llvm.nvvm.ex2.approx.ftz", op.getX())}; }

  SmallVector<Value> lower(PackOp op) {
    bool f16 = op.getKind() == "f16";
    auto halves = VectorType::get(2, f16 ? b.getF16Type() : b.getBF16Type());
    // d = cvt a, b: a becomes the upper half.
    Value packed = call(halves, f16 ? "llvm.nvvm.ff2f16x2.rn" : "llvm.nvvm.ff2bf16x2.rn", {op.getHi(), op.getLo()});
    return {LLVM::BitcastOp::create(b, loc, b.getI32Type(), packed)};
  }

  SmallVector<Value> lower(RoundTf32Op op) { return {call(b.getI32Type(), "llvm.nvvm.f2tf32.rna", op.getX())}; }

  ModuleOp device;
  OpBuilder b;
  Location loc = device.getLoc();
  LLVM::GlobalOp shared;
};

} // namespace

void attn::nv::lowerOps(ModuleOp device) { Lowering(device).run(); }
