// Files of attnc: bounded reading, all-or-nothing writing.
#ifndef ATTN_TOOLS_ATTNC_FILES_H
#define ATTN_TOOLS_ATTNC_FILES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace attnc {

/// A file, or standard input for "-". Reads a little more than the compiler takes, so that an endless file is refused
/// and not swallowed.
llvm::Expected<std::string> readAll(llvm::StringRef file);

/// Writes temporary files, and renames them when all of them are complete.
llvm::Error writeAll(llvm::ArrayRef<std::string> paths, llvm::ArrayRef<std::string> contents);

} // namespace attnc

#endif
