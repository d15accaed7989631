/* abi.c - pins the layout of every struct of the ABI. The compiler emits these structs from its own tables, so a change
 * here is a new ATTN_RT_ABI_VERSION. */
#include "attn-rt/attn_gpu.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define AT(type, field, bytes) _Static_assert(offsetof(type, field) == (bytes), "offset of " #type "." #field)

_Static_assert(ATTN_RT_ABI_VERSION == 4, "the numbers below are those of version 4");
_Static_assert(ATTN_MAX_RANK == 6 && ATTN_MAX_DIMS == 8 && ATTN_MAX_STEP_VALUES == 64,
               "array bounds are part of the layout");
_Static_assert(sizeof(void *) == 8 && sizeof(double) == 8, "64-bit targets only");

SIZE(attn_status, 4);

SIZE(attn_tensor, 112);
AT(attn_tensor, data, 0);
AT(attn_tensor, code, 8);
AT(attn_tensor, bits, 9);
AT(attn_tensor, lanes, 10);
AT(attn_tensor, rank, 12);
AT(attn_tensor, shape, 16);
AT(attn_tensor, stride, 64);

SIZE(attn_scalar, 8);
AT(attn_scalar, i, 0);
AT(attn_scalar, f, 0);

SIZE(attn_stats, 80);
AT(attn_stats, blocks_full, 0);
AT(attn_stats, blocks_partial, 8);
AT(attn_stats, blocks_skipped, 16);
AT(attn_stats, tiles, 24);
AT(attn_stats, tile_rows, 32);
AT(attn_stats, tile_keys, 40);
AT(attn_stats, block_rows, 48);
AT(attn_stats, block_keys, 56);
AT(attn_stats, guarded, 64);
AT(attn_stats, variant, 72);
AT(attn_stats, workers, 76);

SIZE(attn_error, 24);
AT(attn_error, arg, 0);
AT(attn_error, axis, 4);
AT(attn_error, expected, 8);
AT(attn_error, found, 16);

SIZE(attn_call, 88);
AT(attn_call, abi_version, 0);
AT(attn_call, size, 4);
AT(attn_call, args, 8);
AT(attn_call, params, 16);
AT(attn_call, n_args, 24);
AT(attn_call, n_params, 28);
AT(attn_call, workspace, 32);
AT(attn_call, workspace_bytes, 40);
AT(attn_call, parallel_for, 48);
AT(attn_call, pool, 56);
AT(attn_call, workers, 64);
AT(attn_call, variant, 68);
AT(attn_call, stats, 72);
AT(attn_call, error, 80);

SIZE(attn_axis_info, 40);
AT(attn_axis_info, dim, 0);
AT(attn_axis_info, also, 4);
AT(attn_axis_info, divisor, 8);
AT(attn_axis_info, offset, 16);
AT(attn_axis_info, extent, 24);
AT(attn_axis_info, is_free, 32);
AT(attn_axis_info, reserved, 36);

SIZE(attn_arg_info, 280);
AT(attn_arg_info, name, 0);
AT(attn_arg_info, code, 8);
AT(attn_arg_info, bits, 9);
AT(attn_arg_info, role, 10);
AT(attn_arg_info, optional, 11);
AT(attn_arg_info, rank, 12);
AT(attn_arg_info, length_of, 16);
AT(attn_arg_info, facts, 20);
AT(attn_arg_info, range_lo, 24);
AT(attn_arg_info, range_hi, 32);
AT(attn_arg_info, axis, 40);

SIZE(attn_param_info, 16);
AT(attn_param_info, name, 0);
AT(attn_param_info, code, 8);
AT(attn_param_info, bits, 9);
AT(attn_param_info, reserved, 10);

SIZE(attn_dim_info, 24);
AT(attn_dim_info, name, 0);
AT(attn_dim_info, kind, 8);
AT(attn_dim_info, reserved, 12);
AT(attn_dim_info, share, 16);

SIZE(attn_task, 160);
AT(attn_task, args, 0);
AT(attn_task, params, 8);
AT(attn_task, extents, 16);
AT(attn_task, slot, 24);
AT(attn_task, scratch, 32);
AT(attn_task, counters, 40);
AT(attn_task, bad, 48);
AT(attn_task, block, 56);
AT(attn_task, index, 64);
AT(attn_task, state, 128);
AT(attn_task, state_bytes, 136);
AT(attn_task, chunk, 144);
AT(attn_task, chunks, 152);

SIZE(attn_phase_info, 32);
AT(attn_phase_info, run, 0);
AT(attn_phase_info, kind, 8);
AT(attn_phase_info, descending, 12);
AT(attn_phase_info, block, 16);
AT(attn_phase_info, chunks, 24);
AT(attn_phase_info, together, 28);

SIZE(attn_sizes, 40);
AT(attn_sizes, keys, 0);
AT(attn_sizes, queries, 8);
AT(attn_sizes, slot_bytes, 16);
AT(attn_sizes, scratch_bytes, 24);
AT(attn_sizes, state_bytes, 32);

SIZE(attn_variant_info, 104);
AT(attn_variant_info, name, 0);
AT(attn_variant_info, guard, 8);
AT(attn_variant_info, phases, 16);
AT(attn_variant_info, sizes, 24);
AT(attn_variant_info, n_phases, 32);
AT(attn_variant_info, reserved, 36);
AT(attn_variant_info, slot_base, 40);
AT(attn_variant_info, slot_per_panel, 48);
AT(attn_variant_info, panel, 56);
AT(attn_variant_info, scratch_bytes, 64);
AT(attn_variant_info, tile_rows, 72);
AT(attn_variant_info, tile_keys, 80);
AT(attn_variant_info, block_rows, 88);
AT(attn_variant_info, block_keys, 96);

SIZE(attn_step_info, 24);
AT(attn_step_info, kernel, 0);
AT(attn_step_info, values, 8);
AT(attn_step_info, params, 16);

SIZE(attn_kernel_info, 96);
AT(attn_kernel_info, abi_version, 0);
AT(attn_kernel_info, size, 4);
AT(attn_kernel_info, name, 8);
AT(attn_kernel_info, dims, 16);
AT(attn_kernel_info, args, 24);
AT(attn_kernel_info, params, 32);
AT(attn_kernel_info, variants, 40);
AT(attn_kernel_info, n_dims, 48);
AT(attn_kernel_info, n_args, 52);
AT(attn_kernel_info, n_params, 56);
AT(attn_kernel_info, n_variants, 60);
AT(attn_kernel_info, isa, 64);
AT(attn_kernel_info, n_temps, 68);
AT(attn_kernel_info, steps, 72);
AT(attn_kernel_info, n_steps, 80);
AT(attn_kernel_info, reserved, 84);
AT(attn_kernel_info, higher, 88);

SIZE(attn_merge_call, 72);
AT(attn_merge_call, abi_version, 0);
AT(attn_merge_call, size, 4);
AT(attn_merge_call, parts, 8);
AT(attn_merge_call, sink, 16);
AT(attn_merge_call, o, 24);
AT(attn_merge_call, lse, 32);
AT(attn_merge_call, n_parts, 40);
AT(attn_merge_call, workers, 44);
AT(attn_merge_call, parallel_for, 48);
AT(attn_merge_call, pool, 56);
AT(attn_merge_call, error, 64);

SIZE(attn_gpu_image, 24);
AT(attn_gpu_image, sm, 0);
AT(attn_gpu_image, is_ptx, 4);
AT(attn_gpu_image, data, 8);
AT(attn_gpu_image, bytes, 16);

SIZE(attn_gpu_phase_info, 40);
AT(attn_gpu_phase_info, entry, 0);
AT(attn_gpu_phase_info, kind, 8);
AT(attn_gpu_phase_info, threads, 12);
AT(attn_gpu_phase_info, shared_bytes, 16);
AT(attn_gpu_phase_info, block, 20);
AT(attn_gpu_phase_info, chunks, 24);
AT(attn_gpu_phase_info, slices, 28);
AT(attn_gpu_phase_info, together, 32);

SIZE(attn_gpu_variant_info, 56);
AT(attn_gpu_variant_info, name, 0);
AT(attn_gpu_variant_info, phases, 8);
AT(attn_gpu_variant_info, n_phases, 16);
AT(attn_gpu_variant_info, block_keys, 20);
AT(attn_gpu_variant_info, aligned, 24);
AT(attn_gpu_variant_info, min_keys, 32);
AT(attn_gpu_variant_info, max_ctas, 40);
AT(attn_gpu_variant_info, state_bytes, 48);

SIZE(attn_gpu_step_info, 24);
AT(attn_gpu_step_info, kernel, 0);
AT(attn_gpu_step_info, values, 8);
AT(attn_gpu_step_info, params, 16);

SIZE(attn_gpu_info, 48);
AT(attn_gpu_info, abi_version, 0);
AT(attn_gpu_info, size, 4);
AT(attn_gpu_info, kernel, 8);
AT(attn_gpu_info, images, 16);
AT(attn_gpu_info, variants, 24);
AT(attn_gpu_info, steps, 32);
AT(attn_gpu_info, n_variants, 40);
AT(attn_gpu_info, n_steps, 44);

SIZE(attn_gpu_launch, 56);
AT(attn_gpu_launch, info, 0);
AT(attn_gpu_launch, phase, 8);
AT(attn_gpu_launch, variant, 16);
AT(attn_gpu_launch, grid, 20);
AT(attn_gpu_launch, pointers, 24);
AT(attn_gpu_launch, n_pointers, 32);
AT(attn_gpu_launch, words, 40);
AT(attn_gpu_launch, n_words, 48);
