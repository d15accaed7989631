// RUN: %attn-opt %s --vector-to-llvm | FileCheck %s

// Each op as one of the LLVM dialect; flags are kept, by these patterns or by upstream's.

// CHECK-LABEL: llvm.func @integers
llvm.func @integers(%a: i64, %b: i64, %u: vector<8xi32>, %w: vector<8xi32>, %p: !llvm.ptr) {
  // CHECK: llvm.add %{{.*}}, %{{.*}} : i64
  %0 = arith.addi %a, %b : i64
  // CHECK: llvm.sub %{{.*}} overflow<nsw> : i64
  %1 = arith.subi %0, %b overflow<nsw> : i64
  // CHECK: llvm.mul
  %2 = arith.muli %1, %b : i64
  // CHECK: llvm.udiv exact
  %3 = arith.divui %2, %b exact : i64
  // CHECK: llvm.udiv %
  %4 = arith.divui %3, %b : i64
  // CHECK: llvm.shl
  %5 = arith.shli %4, %b : i64
  // CHECK: llvm.lshr
  %6 = arith.shrui %5, %b : i64
  // CHECK: llvm.ashr
  %7 = arith.shrsi %6, %b : i64
  // CHECK: llvm.intr.smin
  %8 = arith.minsi %7, %a : i64
  // CHECK: llvm.intr.smax
  %9 = arith.maxsi %8, %b : i64
  // CHECK: llvm.icmp "sle"
  %10 = arith.cmpi sle, %9, %b : i64
  // CHECK: llvm.icmp "ult"
  %11 = arith.cmpi ult, %9, %b : i64
  // CHECK: llvm.xor %{{.*}} : i1
  %12 = arith.xori %10, %11 : i1
  // CHECK: llvm.select {{.*}} : i1, i64
  %13 = arith.select %12, %9, %a : i64
  // CHECK: llvm.trunc %{{.*}} : i64 to i32
  %14 = arith.trunci %13 : i64 to i32
  // CHECK: llvm.trunc %{{.*}} overflow<nuw> : i64 to i32
  %15 = arith.trunci %13 overflow<nuw> : i64 to i32
  // CHECK: llvm.or
  %16 = arith.ori %14, %15 : i32
  // CHECK: %[[none:.*]] = llvm.mlir.poison : vector<8xi32>
  // CHECK: %[[first:.*]] = llvm.insertelement %{{.*}}, %[[none]][%{{.*}} : i32] : vector<8xi32>
  // CHECK: llvm.shufflevector %[[first]], %[[none]] [0, 0, 0, 0, 0, 0, 0, 0] : vector<8xi32>
  %17 = vector.broadcast %16 : i32 to vector<8xi32>
  // CHECK: llvm.shufflevector %{{.*}} [8, 1, 10, 3, 12, 5, 14, 7]
  %18 = vector.shuffle %17, %u [8, 1, 10, 3, 12, 5, 14, 7] : vector<8xi32>, vector<8xi32>
  // CHECK: llvm.and %{{.*}} : vector<8xi32>
  %19 = arith.andi %18, %w : vector<8xi32>
  // CHECK: llvm.extractelement %{{.*}}[%{{.*}} : i32] : vector<8xi32>
  %20 = vector.extract %19[3] : i32 from vector<8xi32>
  // CHECK: llvm.sext %{{.*}} : i32 to i64
  %21 = arith.extsi %20 : i32 to i64
  llvm.store %21, %p : i64, !llvm.ptr
  llvm.return
}

// CHECK-LABEL: llvm.func @reals
llvm.func @reals(%x: vector<8xf32>, %y: vector<8xf32>, %p: !llvm.ptr) {
  // CHECK: llvm.mlir.constant(dense<5.000000e-01> : vector<8xf32>) : vector<8xf32>
  %half = arith.constant dense<0.5> : vector<8xf32>
  // CHECK: llvm.fmul %{{.*}} {fastmathFlags = #llvm.fastmath<contract>}
  %0 = arith.mulf %x, %half fastmath<contract> : vector<8xf32>
  // CHECK: llvm.fadd %{{[^{]*}} : vector<8xf32>
  %1 = arith.addf %0, %y : vector<8xf32>
  // CHECK: llvm.fsub
  %2 = arith.subf %1, %x : vector<8xf32>
  // CHECK: llvm.fdiv
  %3 = arith.divf %2, %y : vector<8xf32>
  // CHECK: llvm.intr.fma(%{{.*}}) : (vector<8xf32>
  %4 = vector.fma %3, %x, %y : vector<8xf32>
  // CHECK: llvm.intr.fma(%{{.*}}) {fastmathFlags = #llvm.fastmath<nnan>}
  %5 = math.fma %4, %x, %y fastmath<nnan> : vector<8xf32>
  // CHECK: llvm.intr.fabs
  %6 = math.absf %5 : vector<8xf32>
  // CHECK: llvm.fcmp "oeq"
  %7 = arith.cmpf oeq, %6, %x : vector<8xf32>
  // CHECK: llvm.fcmp "une"
  %8 = arith.cmpf une, %6, %y : vector<8xf32>
  // CHECK: llvm.or
  %9 = arith.ori %7, %8 : vector<8xi1>
  // CHECK: llvm.select {{.*}} : vector<8xi1>, vector<8xf32>
  %10 = arith.select %9, %6, %x : vector<8xi1>, vector<8xf32>
  // CHECK: llvm.bitcast %{{.*}} : vector<8xf32> to vector<8xi32>
  %11 = arith.bitcast %10 : vector<8xf32> to vector<8xi32>
  // CHECK: llvm.bitcast %{{.*}} : vector<8xi32> to vector<16xi16>
  %12 = vector.bitcast %11 : vector<8xi32> to vector<16xi16>
  // CHECK-NOT: builtin.unrealized_conversion_cast
  llvm.store %12, %p : vector<16xi16>, !llvm.ptr
  llvm.return
}

// What has other types is upstream's: an index becomes an i64.
// CHECK-LABEL: llvm.func @indices
llvm.func @indices(%a: i64, %p: !llvm.ptr) {
  // CHECK: llvm.mlir.constant(4 : index) : i64
  %four = arith.constant 4 : index
  %0 = arith.index_cast %a : i64 to index
  // CHECK: llvm.icmp "slt" %{{.*}} : i64
  %1 = arith.cmpi slt, %0, %four : index
  // CHECK-NOT: builtin.unrealized_conversion_cast
  llvm.store %1, %p : i1, !llvm.ptr
  llvm.return
}
