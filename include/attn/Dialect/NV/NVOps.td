// The nv dialect: what a thread of a kernel for NVIDIA GPUs can say beyond arith and llvm.
#ifndef ATTN_DIALECT_NV_OPS
#define ATTN_DIALECT_NV_OPS

include "mlir/IR/OpBase.td"
include "mlir/Dialect/LLVMIR/LLVMOpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def NV_Dialect : Dialect {
  let name = "nv";
  let cppNamespace = "::attn::nv";
  let summary = "Instructions of NVIDIA GPUs from sm_80 on that have no op elsewhere.";
  let description = [{
    One op is one PTX instruction, written once for each thread. Ops whose formula speaks of a warp are executed by all 32 lanes of it together: under control flow
    that is the same for the whole warp. In formulas `l` is the lane, `g = l / 4` and `q = l mod 4`; element 0 of a packed register is in its low bits.
  }];
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

class NV_Op<string mnemonic, list<Trait> traits = []> : Op<NV_Dialect, mnemonic, traits>;

def NV_SharedPointer : LLVM_PointerInAddressSpace<3>, BuildableType<"$_builder.getType<::mlir::LLVM::LLVMPointerType>(3)">;
def NV_Word : AnyTypeOf<[F32, I32], "f32 or i32">;

def MmaOp : NV_Op<"mma", [Pure, AttrSizedOperandSegments]> {
  let summary = "a warp's product of small matrices on tensor cores: d = a b + c";
  let description = [{
    ```
    d[m, n] = c[m, n] + sum over k of a[m, k] * b[k, n]      m < 16, n < 8, k < 16 (bf16, f16) or 8 (tf32)
    ```
    With w elements a register (2 for bf16 and f16, 1 for tf32), register r and element e hold

    ```
    a: [g + 8 (r mod 2), w q + e + 4 w (r / 2)]    b: [w q + e + 4 w r, g]    c, d: [g + 8 (r / 2), 2 q + r mod 2]
    ```
    Sums are f32; their order and the rounding of products are the hardware's. The low 13 bits of a tf32 register are to be zero.

    PTX: `mma.sync.aligned.m16n8k16.row.col.f32.KIND.KIND.f32`, m16n8k8 for tf32.

    Constraints: `nv_c1`: `kind` is bf16, f16 or tf32. `nv_c2`: a has four registers, b two, c and d four.
  }];
  let arguments = (ins Variadic<I32>:$a, Variadic<I32>:$b, Variadic<F32>:$c, StrAttr:$kind);
  let results = (outs Variadic<F32>:$d);
  let assemblyFormat = "`(` $a `)` `,` `(` $b `)` `,` `(` $c `)` attr-dict `:` `(` type($a) `)` `,` `(` type($b) `)` `,` `(` type($c) `)` `->` type($d)";
  let builders = [OpBuilder<(ins "llvm::StringRef":$kind, "mlir::ValueRange":$a, "mlir::ValueRange":$b, "mlir::ValueRange":$c)>];
  let hasVerifier = 1;
}

def LdMatrixOp : NV_Op<"ldmatrix"> {
  let summary = "a warp's fragments of 8 x 8 matrices of 16 bits, from shared memory";
  let description = [{
    Lane 8 m + r gives the address of row r of matrix m: 16 bytes, aligned to 16. Addresses of lanes from 8 num on are not used.

    ```
    result m of lane l = matrix m at [g, 2 q] (low half) and [g, 2 q + 1] (high half)
    with trans:                      [2 q, g]           and [2 q + 1, g]
    ```

    PTX: `ldmatrix.sync.aligned.m8n8.xNUM{.trans}.shared.b16`.

    Constraints: `nv_c3`: `num` is 1, 2 or 4, and so many are the results.
  }];
  let arguments = (ins Arg<NV_SharedPointer, "", [MemRead]>:$address, I32Attr:$num, UnitAttr:$trans);
  let results = (outs Variadic<I32>:$matrices);
  let assemblyFormat = "$address attr-dict `:` type($matrices)";
  let builders = [OpBuilder<(ins "mlir::Value":$address, "int":$num, CArg<"bool", "false">:$trans)>];
  let hasVerifier = 1;
}

def CopyAsyncOp : NV_Op<"copy_async"> {
  let summary = "a copy from global to shared memory that goes on while the thread does";
  let description = [{
    ```
    dst[n] = n < bytes ? src[n] : 0      n < size
    ```
    Bytes are counted from 0 to `size`; both addresses are multiples of `size`. The source is an address in a tensor even where `bytes` is 0. The copy belongs to the
    group that the thread's next `nv.commit_group` closes, and has happened, for the thread that made it, after the `nv.wait_group` on that group; other threads see it
    after a barrier that follows.

    PTX: `cp.async.cg.shared.global` for 16 bytes, which passes by the first-level cache, `cp.async.ca.shared.global` else; with a source size where `bytes` is not the
    constant `size`.

    Constraints: `nv_c4`: `size` is 16, 8 or 4. `nv_c5`: constant `bytes` are 0 to `size`.
  }];
  let arguments = (ins Arg<NV_SharedPointer, "", [MemWrite]>:$dst, Arg<LLVM_AnyPointer, "", [MemRead]>:$src, I32:$bytes, I32Attr:$size);
  let assemblyFormat = "$dst `,` $src `,` $bytes attr-dict `:` type($src)";
  let hasVerifier = 1;
}

def CommitGroupOp : NV_Op<"commit_group", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "closes the thread's group of asynchronous copies";
  let description = [{
    Groups are numbered by the thread's commits; one without a copy is complete at once.

    PTX: `cp.async.commit_group`.
  }];
  let assemblyFormat = "attr-dict";
}

def WaitGroupOp : NV_Op<"wait_group", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "waits until at most so many of the thread's newest groups are not complete";
  let description = [{
    ```
    group n is complete for every n <= groups committed - pending
    ```

    PTX: `cp.async.wait_group pending`.

    Constraints: `nv_c6`: `pending` is not negative.
  }];
  let arguments = (ins I32Attr:$pending);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def BarrierOp : NV_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "waits for all threads of the CTA, and sees what they wrote before";
  let description = [{
    Every thread of the CTA comes to the same barrier. Asynchronous copies are complete only for threads that waited for them.

    PTX: `bar.sync 0`.
  }];
  let assemblyFormat = "attr-dict";
}

def ShuffleXorOp : NV_Op<"shuffle_xor", [NoMemoryEffect, SameOperandsAndResultType]> {
  let summary = "the value of the lane whose number differs by the mask";
  let description = [{
    ```
    result of lane l = value of lane (l xor mask)
    ```

    PTX: `shfl.sync.bfly.b32 .., mask, 31, -1`.

    Constraints: `nv_c7`: `mask` is 1 to 31.
  }];
  let arguments = (ins NV_Word:$value, I32Attr:$mask);
  let results = (outs NV_Word:$result);
  let assemblyFormat = "$value `,` `mask` `=` $mask attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def ShuffleIdxOp : NV_Op<"shuffle_idx", [NoMemoryEffect, AllTypesMatch<["value", "result"]>]> {
  let summary = "the value of a lane";
  let description = [{
    ```
    result = value of lane (lane mod 32)
    ```

    PTX: `shfl.sync.idx.b32 .., lane, 31, -1`.
  }];
  let arguments = (ins NV_Word:$value, I32:$lane);
  let results = (outs NV_Word:$result);
  let assemblyFormat = "$value `,` $lane attr-dict `:` type($value)";
}

def BallotOp : NV_Op<"ballot", [NoMemoryEffect]> {
  let summary = "the lanes whose condition holds, as bits";
  let description = [{
    ```
    bit l of the result = condition of lane l
    ```

    PTX: `vote.sync.ballot.b32 .., -1`.
  }];
  let arguments = (ins I1:$condition);
  let results = (outs I32:$lanes);
  let assemblyFormat = "$condition attr-dict";
}

class NV_Index<string mnemonic, string what, string register> : NV_Op<mnemonic, [Pure]> {
  let summary = what;
  let description = "PTX: `mov.u32 .., %" # register # "`.";
  let results = (outs I32:$index);
  let assemblyFormat = "attr-dict";
}
def ThreadIdOp : NV_Index<"thread_id", "the thread's number in its CTA, from 0", "tid.x">;
def CtaIdOp : NV_Index<"cta_id", "the CTA's number in the grid, from 0", "ctaid.x">;

def SharedMemoryOp : NV_Op<"shared_memory", [Pure]> {
  let summary = "the CTA's dynamic shared memory";
  let description = [{
    One address for all ops of this kind, a multiple of 1024. How many bytes there are the launch says; their contents are unknown at first.

    PTX: `.extern .shared .align 1024 .b8 attn_shared[]`.
  }];
  let results = (outs NV_SharedPointer:$address);
  let assemblyFormat = "attr-dict";
}

def Exp2Op : NV_Op<"exp2", [Pure]> {
  let summary = "2^x, as fast as the hardware can";
  let description = [{
    ```
    result = 2^x (1 + e)      |e| about 2^-22; subnormal x are 0, subnormal results 0; 2^-inf = 0, NaN stays NaN
    ```

    PTX: `ex2.approx.ftz.f32`.
  }];
  let arguments = (ins F32:$x);
  let results = (outs F32:$result);
  let assemblyFormat = "$x attr-dict";
}

def PackOp : NV_Op<"pack", [Pure]> {
  let summary = "two numbers as 16-bit floats in one register";
  let description = [{
    ```
    low half of the result = round(lo), high half = round(hi)      to nearest, ties to even; too large is infinite
    ```

    PTX: `cvt.rn.KINDx2.f32 d, hi, lo`: the instruction's first source becomes the upper half.

    Constraints: `nv_c8`: `kind` is bf16 or f16.
  }];
  let arguments = (ins F32:$lo, F32:$hi, StrAttr:$kind);
  let results = (outs I32:$packed);
  let assemblyFormat = "$lo `,` $hi attr-dict";
  let hasVerifier = 1;
}

def RoundTf32Op : NV_Op<"round_tf32", [Pure]> {
  let summary = "a number as tensor cores take it for tf32";
  let description = [{
    ```
    result = bits of x, rounded to 11 significant bits      to nearest, ties away from zero; the low 13 bits are zero
    ```
    The exponents of tf32 are those of f32: only what is above (2 - 2^-11) 2^127 becomes infinite. NaN stays NaN.

    PTX: `cvt.rna.tf32.f32`.
  }];
  let arguments = (ins F32:$x);
  let results = (outs I32:$bits);
  let assemblyFormat = "$x attr-dict";
}

#endif
