/* status.c - names and sentences of the status codes. */
#include "internal.h"

static const struct {
  const char *name, *sentence;
} table[] = {
    [ATTN_OK] = {"ATTN_OK", "The call succeeded."},
    [ATTN_E_VERSION] = {"ATTN_E_VERSION", "The call or the kernel was built for another version of the runtime's ABI."},
    [ATTN_E_ARGUMENT] =
        {"ATTN_E_ARGUMENT",
         "The number of tensors or scalars is wrong, or a pointer is NULL or not aligned to its element."},
    [ATTN_E_DTYPE] = {"ATTN_E_DTYPE", "A tensor has another element type than the kernel expects."},
    [ATTN_E_RANK] = {"ATTN_E_RANK", "A tensor has another rank than the kernel expects."},
    [ATTN_E_SHAPE] = {"ATTN_E_SHAPE", "The extents of a tensor disagree with the program's maps."},
    [ATTN_E_STRIDE] = {"ATTN_E_STRIDE", "A stride is negative, or an output has a zero stride or overlaps itself."},
    [ATTN_E_ALIAS] = {"ATTN_E_ALIAS", "An output overlaps an input or another output."},
    [ATTN_E_LENGTH] = {"ATTN_E_LENGTH", "A length lies outside [0, extent]."},
    [ATTN_E_INDEX] = {"ATTN_E_INDEX",
                      "A captured load at a visible position was out of bounds; the pair was treated as absent."},
    [ATTN_E_WORKSPACE] = {"ATTN_E_WORKSPACE", "The workspace is missing or too small."},
    [ATTN_E_ISA] = {"ATTN_E_ISA", "The CPU lacks a feature that the kernel was compiled for."},
    [ATTN_E_OVERFLOW] = {"ATTN_E_OVERFLOW", "A size does not fit."},
    [ATTN_E_VARIANT] = {"ATTN_E_VARIANT", "The forced variant does not exist or its guard does not hold."},
    [ATTN_E_FACT] = {"ATTN_E_FACT", "An element of a tensor breaks what the program promises of it."},
    [ATTN_E_NO_DRIVER] = {"ATTN_E_NO_DRIVER", "There is no NVIDIA driver, it is too old, or it finds no GPU."},
    [ATTN_E_DEVICE] = {"ATTN_E_DEVICE", "The kernel has no image for this GPU."},
    [ATTN_E_CUDA] = {"ATTN_E_CUDA", "The NVIDIA driver returned an error."},
};

enum { KNOWN = sizeof table / sizeof table[0] };
_Static_assert(KNOWN == ATTN_E_CUDA + 1, "every status has a name");

const char *attn_status_name(attn_status status) {
  return status >= 0 && status < KNOWN ? table[status].name : "ATTN_E_UNKNOWN";
}

const char *attn_status_string(attn_status status) {
  return status >= 0 && status < KNOWN ? table[status].sentence : "This status is not one of libattn_rt's.";
}
