// Registration and versioned bytecode of the attn dialect.
#include "attn/Dialect/Attn/Attn.h"

#include "mlir/Bytecode/BytecodeImplementation.h"

using namespace mlir;

#include "attn/Dialect/Attn/AttnDialect.cpp.inc"
#include "attn/Dialect/Attn/AttnEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "attn/Dialect/Attn/AttnAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "attn/Dialect/Attn/AttnTypes.cpp.inc"
#define GET_OP_CLASSES
#include "attn/Dialect/Attn/AttnOps.cpp.inc"

namespace {

struct AttnVersion : DialectVersion {
  explicit AttnVersion(uint32_t number) : number(number) {}
  uint32_t number;
};

/// Bytecode carries attn::AttnDialect::kVersion; a file from a newer compiler is refused instead of misread.
struct AttnBytecode : BytecodeDialectInterface {
  explicit AttnBytecode(Dialect *dialect) : BytecodeDialectInterface(dialect) {}

  void writeVersion(DialectBytecodeWriter &writer) const override { writer.writeVarInt(attn::AttnDialect::kVersion); }

  std::unique_ptr<DialectVersion> readVersion(DialectBytecodeReader &reader) const override {
    uint64_t number;
    if (failed(reader.readVarInt(number)))
      return nullptr;
    if (number > attn::AttnDialect::kVersion) {
      reader.emitError() << "[attn_version] bytecode of attn version " << number
                         << ", this compiler reads up to version " << attn::AttnDialect::kVersion
                         << "; use a newer compiler, or exchange the program as text";
      return nullptr;
    }
    return std::make_unique<AttnVersion>(number);
  }

  /// How many operands an attend of version 1 has was not written down: q, k, v and perhaps a scale.
  LogicalResult upgradeFromVersion(Operation *top, const DialectVersion &version) const override {
    if (static_cast<const AttnVersion &>(version).number < 2)
      top->walk([](attn::AttendOp op) {
        if (op->getNumOperands() == 4)
          op.getProperties().operandSegmentSizes[3] = 1;
      });
    return success();
  }
};

} // namespace

/// One dictionary, so that what later versions add needs no new encoding. Version 1 had one attribute after the other.
LogicalResult attn::AttendOp::readProperties(DialectBytecodeReader &reader, OperationState &state) {
  auto &prop = state.getOrAddProperties<Properties>();
  auto version = reader.getDialectVersion<AttnDialect>();
  if (succeeded(version) && static_cast<const AttnVersion *>(*version)->number < 2) {
    prop.operandSegmentSizes = {1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    return failure(failed(reader.readAttribute(prop.dim_names)) || failed(reader.readAttribute(prop.k_map)) ||
                   failed(reader.readOptionalAttribute(prop.normalizer)) ||
                   failed(reader.readAttribute(prop.num_batch)) || failed(reader.readAttribute(prop.out_maps)) ||
                   failed(reader.readAttribute(prop.out_names)) || failed(reader.readAttribute(prop.q_map)) ||
                   failed(reader.readOptionalAttribute(prop.scale_value)) || failed(reader.readAttribute(prop.v_map)));
  }
  DictionaryAttr all;
  if (failed(reader.readAttribute(all)))
    return failure();
  // Version 2 had neither arguments of the normalizer nor aggregates, version 3 no parts and no bilinear tensor.
  if (auto sizes = all.getAs<DenseI32ArrayAttr>("operandSegmentSizes"); sizes && sizes.size() < 11) {
    SmallVector<int32_t> more(sizes.asArrayRef());
    more.resize(11, 0);
    NamedAttrList list(all);
    list.set("operandSegmentSizes", DenseI32ArrayAttr::get(reader.getContext(), more));
    all = list.getDictionary(reader.getContext());
  }
  return failure(failed(setPropertiesFromAttr(prop, all, [&] { return reader.emitError(); })));
}

void attn::AttendOp::writeProperties(DialectBytecodeWriter &writer) {
  writer.writeAttribute(getPropertiesAsAttr(getContext(), getProperties()));
}

/// As above; before version 3 there were the reference, the kinds and the names of the sums.
LogicalResult attn::PassOp::readProperties(DialectBytecodeReader &reader, OperationState &state) {
  auto &prop = state.getOrAddProperties<Properties>();
  auto version = reader.getDialectVersion<AttnDialect>();
  if (succeeded(version) && static_cast<const AttnVersion *>(*version)->number < 3)
    return failure(failed(reader.readAttribute(prop.ref)) || failed(reader.readAttribute(prop.sum_kinds)) ||
                   failed(reader.readAttribute(prop.sum_names)));
  DictionaryAttr all;
  return failure(failed(reader.readAttribute(all)) ||
                 failed(setPropertiesFromAttr(prop, all, [&] { return reader.emitError(); })));
}

void attn::PassOp::writeProperties(DialectBytecodeWriter &writer) {
  writer.writeAttribute(getPropertiesAsAttr(getContext(), getProperties()));
}

void attn::AttnDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "attn/Dialect/Attn/AttnTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "attn/Dialect/Attn/AttnAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "attn/Dialect/Attn/AttnOps.cpp.inc"
      >();
  addInterfaces<AttnBytecode>();
}
