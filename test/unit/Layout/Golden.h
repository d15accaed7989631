// The golden facts of instructions (test/Sim/golden), written from the manual and read as JSON.
#ifndef ATTN_TEST_UNIT_LAYOUT_GOLDEN_H
#define ATTN_TEST_UNIT_LAYOUT_GOLDEN_H

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

namespace attn::layout {

inline llvm::json::Value readGolden(const char *name) {
  auto text = llvm::MemoryBuffer::getFile(std::string(ATTN_GOLDEN "/") + name);
  EXPECT_TRUE(bool(text)) << name;
  auto value = text ? llvm::json::parse((*text)->getBuffer()) : llvm::json::Value(nullptr);
  EXPECT_TRUE(bool(value)) << name;
  return value ? std::move(*value) : llvm::json::Value(nullptr);
}

inline int64_t integerAt(const llvm::json::Array &array, size_t n) { return *array[n].getAsInteger(); }

} // namespace attn::layout

#endif
