// One attend on its way to the tile dialect. One file for each part:
//
//   AttnToTile.cpp    the program, its variants, pack phases
//   MainLowering.cpp  the main phase: a sweep over the keys for each step of the normalizer, then the finish
//   FinishLowering.cpp  outputs from the state of the last step
//   ScoreLowering.cpp from the bare product to the score; dropout
//   OperandLowering.cpp parts of queries, keys and values, and what their elements pass through
#ifndef ATTN_LIB_CONVERSION_ATTNTOTILE_LOWERING_H
#define ATTN_LIB_CONVERSION_ATTNTOTILE_LOWERING_H

#include "NormalizerForm.h"
#include "attn/Analysis/ArgumentFacts.h"
#include "attn/Dialect/Tile/Tile.h"
#include "attn/Schedule/Schedule.h"

namespace attn {

class Lowering {
public:
  Lowering(KernelOp kernel, AttendOp attend, llvm::ArrayRef<ArgumentFact> facts)
      : kernel(kernel), attend(attend), normalizer(lookupNormalizer(attend)), facts(facts), b(kernel),
        loc(attend.getLoc()), real(attend.accumulationType()),
        branch(attend->getAttrOfType<mlir::DenseI64ArrayAttr>(kBranchAttr)) {}

  mlir::LogicalResult run();

private:
  using Value = mlir::Value;

  // AttnToTile.cpp
  mlir::LogicalResult checkShare();
  bool isGathered();
  mlir::LogicalResult lowerVariant(mlir::DictionaryAttr v, mlir::Block *body);
  Value boxOrder(mlir::DictionaryAttr boxes);
  llvm::SmallVector<std::pair<Value, mlir::AffineMap>> keySummaries();
  bool isSorted(Value source);
  /// What a main phase reads: keys, values, their order, and the set that the order stands for. Null: rows and lists.
  struct TileKeys {
    Value keys, values, order;
    mlir::Operation *stands = nullptr;
    bool boxes = false, byTasks = false;
  };
  TileKeys ownKeys();

  // OperandLowering.cpp
  struct Sources { // of a tile.pack or tile.load
    llvm::SmallVector<Value> tensors;
    llvm::SmallVector<mlir::AffineMap> maps;
    mlir::DenseI64ArrayAttr extents; // null for one source
    unsigned producers = 0;          // regions: one for each source, or none
  };
  llvm::SmallVector<AttendOp::Operand> keyParts();
  llvm::SmallVector<AttendOp::Operand> packedKeys();
  llvm::SmallVector<AttendOp::Operand> queryParts();
  bool keysMayBeAbsent();
  void cloneProducer(mlir::Region *from, mlir::Region &to);
  Sources sourcesOf(llvm::ArrayRef<AttendOp::Operand> parts);
  Value packOf(llvm::ArrayRef<AttendOp::Operand> parts, mlir::Type type, Value order);
  Value loadQueries(mlir::Type type);

  // MainLowering.cpp
  struct Sum { // one number a row; see tile.weigh
    int64_t phi = -1, cls = -1, op = 0;
    int reduction = -1; // whose region gives x; -1: 1
    bool score = false; // x is the score
    int argument = -1;  // of the finish that it stands for, -1: of none
    int weighted = -1;  // the value sum (argument of the finish) that a weighted reduction takes the place of
  };
  struct Acc { // a sum of values
    int64_t phi, cls;
    int argument;
  };
  struct Sweep {                    // one pass over the keys
    const PassForm *form = nullptr; // null: no weights
    bool exact = false;
    llvm::SmallVector<Sum> sums;
    llvm::SmallVector<Acc> accs;
    std::function<void(mlir::Region &)> phi; // in the place of the form's
    llvm::SmallVector<Value> alsoGiven;
    // Weights are stored instead, by `spreadMap`; the region maps weights and numbers to what is stored.
    Value spreadTo, ref;
    mlir::AffineMap spreadMap;
    llvm::SmallVector<Value> spreadState;
    std::function<void(mlir::Region &)> spread;
  };
  struct State { // what a sweep leaves
    Value ref;
    llvm::SmallVector<Value> sums, accs;
  };
  mlir::LogicalResult lowerMain(mlir::DictionaryAttr v, TileKeys from);
  void openPhase(llvm::StringRef kind, mlir::Type result = {});
  void bindParameters();
  State sweep(const Sweep &what);
  State acrossChunks(const Sweep &what, State ofChunk);
  void seed(const Sweep &what, State &state);
  mlir::LogicalResult lowerPass(PassOp pass, bool last);
  void lowerRoot(RootOp root);
  void lowerSelect();
  void buildReduction(mlir::Region &region, int reduction, bool base2);
  void buildClass(mlir::Region &region);
  mlir::Type tileOf(llvm::ArrayRef<int64_t> shape) { return tile::TileType::get(b.getContext(), shape, real); }

  // FinishLowering.cpp
  mlir::LogicalResult checkOutputs();
  void findNeeded();
  void addReductions(Sweep &what);
  mlir::LogicalResult lowerFinish();
  void lowerWeights(unsigned output);

  // ScoreLowering.cpp
  void buildDropout(mlir::Region &region);
  void buildProduct(mlir::Region &region);
  void buildScore(mlir::Region &region, bool base2);

  KernelOp kernel;
  AttendOp attend;
  NormalizerOp normalizer;
  llvm::ArrayRef<ArgumentFact> facts;
  mlir::OpBuilder b;
  mlir::Location loc;
  mlir::FloatType real;
  mlir::IRMapping args;
  mlir::ValueRange outputs;
  llvm::SmallVector<int64_t> share;
  mlir::DenseI64ArrayAttr branch; // kBranchAttr, or null
  llvm::SmallVector<OutputSource> sources;

  // Of the variant's main phase.
  TileKeys from;
  int64_t rows, taskRows, keys, tileRows, chunks; // chunks: of the keys; 0: not split
  Value queries;
  std::unique_ptr<RegionBuilder> regions;
  PassForm lastForm;
  Sweep lastSweep;
  State last;
  std::vector<bool> needed; // arguments of the finish
};

} // namespace attn

#endif
