#include "Tiles.h"

using namespace mlir;
using namespace attn;
using V = Value;

void Tiles::call(StringRef name, ValueRange in) {
  LLVM::CallIntrinsicOp::create(e.b, e.loc, e.b.getStringAttr(("llvm.x86." + name).str()), in);
}

V Tiles::number(int64_t n) { return LLVM::ConstantOp::create(e.b, e.loc, e.b.getI8Type(), e.b.getI8IntegerAttr(n)); }

/// Palette 1: bytes of a row at 16, 2 bytes a tile; rows at 48, one byte.
void Tiles::begin(V at) {
  SmallVector<int8_t> config(64, 0);
  config[0] = 1;
  for (unsigned tile = 0; tile < 8; ++tile)
    config[16 + 2 * tile] = kTileBytes, config[48 + tile] = kTileWords;
  auto type = VectorType::get({64}, e.b.getI8Type());
  e.store(arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(config))), at);
  call("ldtilecfg", at);
}

void Tiles::end() { call("tilerelease", {}); }

void Tiles::eachSum(llvm::function_ref<void(int64_t tile, int64_t row, int64_t half)> body) {
  for (int64_t tile = 0; tile < 4; ++tile)
    body(tile, tile / 2 * kTileWords, tile % 2);
}

void Tiles::transfer(StringRef name, int64_t tile, V at, int64_t stride) {
  call(name, {number(tile), at, e.i64(stride)});
}

void Tiles::zeroSums() {
  eachSum([&](int64_t tile, int64_t, int64_t) { call("tilezero", number(tile)); });
}

void Tiles::loadSums(V at, int64_t stride) {
  eachSum([&](int64_t tile, int64_t row, int64_t half) {
    transfer("tileloadd64", tile, e.at(at, row * stride + half * kTileBytes), stride);
  });
}

void Tiles::storeSums(V at, int64_t stride) {
  eachSum([&](int64_t tile, int64_t row, int64_t half) {
    transfer("tilestored64", tile, e.at(at, row * stride + half * kTileBytes), stride);
  });
}

void Tiles::multiply(V rows, int64_t stride, V columns) {
  auto row = [&](int64_t n) { transfer("tileloadd64", 4 + n, e.at(rows, n * kTileWords * stride), stride); };
  auto column = [&](int64_t n) { transfer("tileloadd64", 6 + n, e.at(columns, n * kTileBytes), 2 * kTileBytes); };
  auto dot = [&](int64_t r, int64_t c) { call("tdpbf16ps", {number(2 * r + c), number(4 + r), number(6 + c)}); };
  row(0), column(0), dot(0, 0);
  column(1), dot(0, 1);
  row(1), dot(1, 0), dot(1, 1);
}
