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
};

} // namespace

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
