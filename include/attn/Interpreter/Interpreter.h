// The oracle: runs an attn.kernel as parsed, one row at a time, and shares no rewrite or expansion with the compiler.
//
// For the row (b, i): every pair (i, j) is tested with the set region as written, scores are s = scale * sum_c q k in
// index order, part by part, where elements may pass through regions and the product may be a dot region, then the
// score region, then the normalizer's form literally: each step over the present keys in index order, then the finish;
// reductions, the epilogue and columns by their formulas. RowEvaluator.h says what holds for rows that are empty or not
// finite.
//
// Two evaluations of the same text:
//   Double  every operation in f64: the reference of the error rule;
//   Plain   every operation rounded to the accumulation type (f32; weights also to 16 bits for 16-bit operands), as a
//           straightforward numpy program would compute it: the yardstick of the error rule.
// Where products of f32 are to be in tf32 (`Products`), Plain rounds to tf32 what meets in them: queries and keys, and
// values and their weights where not all three are used in one 16-bit type. A dot region is no product of tensor cores.
// For f64 programs, long double stands for Double and f64 for Plain. Rounding an o of 16 bits is left to the caller.
//
// Which pairs are in the set is a fact of the text: set regions are evaluated in their nominal types in both. A bad
// index in one `where` makes that set unknown for the pair; the pair is absent and reported only if the whole
// expression hangs on it (`false and unknown` is false). A list whose element names no key is reported for every row
// that the list belongs to, whatever the rest of the set says of the row's pairs.
#ifndef ATTN_INTERPRETER_INTERPRETER_H
#define ATTN_INTERPRETER_INTERPRETER_H

#include "attn-rt/attn_rt.h"
#include "attn/Dialect/Attn/Attn.h"

#include "llvm/Support/Error.h"

namespace attn::interpreter {

enum class Precision { Double, Plain };
/// Of f32, by Plain.
enum class Products { F32, Tf32 };

/// One row of every output but those over keys: one value for each value feature where it has them, one for each key
/// for `p`, one for each rank for a topk, else one. An argmax is a key.
struct RowResult {
  std::map<std::string, std::vector<double>> outputs;
  /// Pairs in the set, without those at a bad index or of a token that is padding, with those of score -inf.
  int64_t visible = 0;
  /// A captured load at a visible position was out of bounds: the pair is absent. Or a list of the set that belongs to
  /// the row has an element that names no key: no pair is absent for that.
  bool badIndex = false;
};

/// The outputs over keys (`columns`, `aggregate`) of one batch element: one value for each key, or for each key and
/// feature, the feature fastest.
struct ColumnResult {
  std::map<std::string, std::vector<double>> outputs;
  bool badIndex = false; // as of rows, in any of them, or a load of a column
};

/// For one thread at a time.
class Interpreter {
public:
  /// `args` are the kernel's tensor arguments in order (inputs only), `params` its scalars. The module has its
  /// normalizers linked. Errors: an op or a normalizer form that the interpreter does not know, and whatever the
  /// runtime refuses in such tensors (the message starts with ATTN_E_...). The tensors' data must outlive the
  /// interpreter and is read anew by every call, but what operand regions read, which is kept; lengths are checked here
  /// alone.
  static llvm::Expected<std::unique_ptr<Interpreter>> create(KernelOp kernel, llvm::ArrayRef<attn_tensor> args,
                                                             llvm::ArrayRef<attn_scalar> params,
                                                             Products products = Products::F32);
  virtual ~Interpreter() = default;

  /// Extent of every dimension, in the order of dims.
  virtual llvm::ArrayRef<int64_t> extents() const = 0;
  /// Whether key `j` is in the set for query `i`; `batch` has one index for each batch dimension.
  virtual bool visible(llvm::ArrayRef<int64_t> batch, int64_t i, int64_t j) = 0;
  virtual RowResult row(llvm::ArrayRef<int64_t> batch, int64_t i, Precision precision) = 0;
  /// Evaluates all rows of the batch element. Nothing where the kernel has no such output.
  virtual ColumnResult columns(llvm::ArrayRef<int64_t> batch, Precision precision) = 0;
};

} // namespace attn::interpreter

#endif
