// The dialect, its types and op base classes.
#ifndef ATTN_DIALECT_ATTN_BASE
#define ATTN_DIALECT_ATTN_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Attn_Dialect : Dialect {
  let name = "attn";
  let cppNamespace = "::attn";
  let summary = "What an attention computes: maps, sets, scores, normalizers.";
  let description = [{
    One program is one `attn.kernel` of one step or more: `attn.attend`, `attn.map`, `attn.merge`. The dialect says *what* is computed and nothing about how; the
    meaning of every op is given as a formula and executed literally by the interpreter. The text and the bytecode carry a version.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::math::MathDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    /// Version of the text and bytecode. 1: first release. 2: attend has grids, first and dropout; sets over distances, grids and lists. 3: normalizers have
    /// parameters, seeds, statistics, roots and selections; attend has classes, reductions, an epilogue and columns; kernels have several steps.
    static constexpr uint32_t kVersion = 4;
  }];
}

class Attn_Op<string mnemonic, list<Trait> traits = []> : Op<Attn_Dialect, mnemonic, traits>;

def Attn_SetType : TypeDef<Attn_Dialect, "Set"> {
  let mnemonic = "set";
  let summary = "A set of (query, key) pairs for the batch indices of the enclosing attend.";
}

def Attn_Alignment : I32EnumAttr<"Alignment", "Which corner of the score matrix the diagonal starts from", [
    I32EnumAttrCase<"TopLeft", 0, "top_left">, I32EnumAttrCase<"BottomRight", 1, "bottom_right">]> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}
def Attn_AlignmentAttr : EnumAttr<Attn_Dialect, Attn_Alignment, "alignment">;

def Attn_Reference : I32EnumAttr<"Reference", "The row reference of a pass", [
    I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}
def Attn_ReferenceAttr : EnumAttr<Attn_Dialect, Attn_Reference, "reference">;

def Attn_SumKind : I32EnumAttr<"SumKind", "What a sum weighs", [
    I32EnumAttrCase<"One", 0, "one">, I32EnumAttrCase<"Value", 1, "value">, I32EnumAttrCase<"Count", 2, "count">]> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}
def Attn_SumKindAttr : EnumAttr<Attn_Dialect, Attn_SumKind, "sum_kind">;

def Attn_ReduceKind : I32EnumAttr<"ReduceKind", "How the numbers of a row's pairs become one", [
    I32EnumAttrCase<"Weighted", 0, "weighted">, I32EnumAttrCase<"Sum", 1, "sum">, I32EnumAttrCase<"Max", 2, "max">,
    I32EnumAttrCase<"Min", 3, "min">, I32EnumAttrCase<"Argmax", 4, "argmax">, I32EnumAttrCase<"TopK", 5, "topk">]> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}
def Attn_ReduceKindAttr : EnumAttr<Attn_Dialect, Attn_ReduceKind, "reduce_kind">;

#endif
