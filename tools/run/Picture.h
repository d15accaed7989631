//===- Picture.h - The mask as a picture ----------------------------------===//
//
// Query rows down, keys across. Up to 128 x 128 tokens a square is one pair: seen or not seen. Above, a square is a
// block of tokens, shaded by the share of its pairs that is seen: nothing, eighths, everything.
//
//   .svg   rectangles of equal shade are merged over rows and columns; a title, a description and a legend with numbers
//   .png   the same squares in a palette, a ramp with numbers below; title and description are tEXt chunks
//   .txt   a character a square: . nothing, 1 to 8 less than so many eighths, # everything
//
// Orange lines are drawn every block of tokens, where they fall between squares and do not crowd.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_TOOLS_RUN_PICTURE_H
#define ATTN_TOOLS_RUN_PICTURE_H

#include "Ranges.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <array>
#include <string>

namespace attn::run {

/// Pairs seen by square.
class Picture {
public:
  static constexpr int64_t mostSquares = 128; // along either axis
  static constexpr int levels = 10;           // 0: nothing, 1 to 8: below so many eighths, 9: everything

  /// `name`: of the kernel, an identifier. Lines every so many tokens; 0 for none.
  Picture(const std::string &name, int64_t queries, int64_t keys, int64_t lineRows, int64_t lineKeys);
  void addRow(int64_t query, const Ranges &keys);

  /// Pairs seen of all, if the rows that were not added are like the others of their squares.
  double seen() const;
  std::string text() const;
  std::string svg() const;
  std::string png() const;
  /// "64 x 64 tokens" and "128 x 128 squares of 8 x 8 tokens"
  std::string size() const;

  int64_t queries, keys;
  int64_t side = 1; // tokens of a square
  int64_t rows = 0, columns = 0;

private:
  int level(int64_t row, int64_t column) const;
  std::string title() const;
  std::string counted() const; // "2080 of 4096 pairs are seen (50.8 %)"
  int64_t scale() const;       // pixels of a square's side
  /// Squares between two lines; 0: no lines.
  int64_t squaresOf(int64_t lineTokens, int64_t tokens) const;

  std::string name;
  int64_t lineRows, lineKeys;
  std::vector<int64_t> pairs;  // by square, of the rows that were added
  std::vector<int64_t> looked; // rows that were added, by row of squares
};

/// Red, green, blue. From pale to full blue, darker still for everything: the order is in the lightness alone, so that
/// any eye sees it.
std::array<uint8_t, 3> shadeOf(int level);
/// Whether a path ends in what writePicture() can write.
bool isPicture(llvm::StringRef path);
/// By the ending of `path`.
llvm::Error writePicture(const std::string &path, const Picture &picture);

} // namespace attn::run

#endif
