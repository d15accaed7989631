// Which object a symbol of a module goes into when its code is generated in several at once. Private to this folder.
#ifndef ATTN_LIB_TARGET_X86_PARTITION_H
#define ATTN_LIB_TARGET_X86_PARTITION_H

#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Module.h"

namespace attn::x86 {

/// An object must not refer to another but by addresses in data: a JIT may place them further apart than an
/// instruction's 32 bits reach. So functions stay with those that they call and with the variables that they name,
/// and what data name, such as a kernel's phases, goes anywhere. A local constant that leads nowhere is in each object
/// that needs it.
class Partition {
public:
  /// At most `parts` of about the same number of instructions; the same for the same module, whatever the machine.
  Partition(const llvm::Module &module, unsigned parts);
  unsigned size() const { return parts; }
  /// Leaves of `module`, the same program in a context of its own whose functions need not be read yet, what belongs
  /// to `part`. What other parts may name becomes a hidden symbol.
  llvm::Error reduce(llvm::Module &module, unsigned part) const;

private:
  unsigned parts = 1;
  llvm::StringMap<unsigned> partOf; // constants that are copied have none
};

} // namespace attn::x86

#endif
