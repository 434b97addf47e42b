// The kernels (resample_kernels.c) of the two passes of a resize (resample.c).
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "cimaging.h"

typedef struct {
    int taps;        // the maximum number of taps per output pixel, a multiple of the group size
    int *first;      // [outputs] the first input pixel with a weight
    int *length;     // [outputs] the number of input pixels with a weight
    int32_t *value;  // [outputs, taps] weights in fixed point, zero from `length` on
} coefficients;

// Returns 0, or -1 if out of memory. The caller frees `k` in either case.
int imaging_coefficients_make(
    coefficients *k, int inputs, int outputs, imaging_filter filter);
void imaging_coefficients_free(coefficients *k);

// Computes one row of `width` output pixels.
void imaging_row(const uint8_t *input, uint8_t *output, const coefficients *k, int width);

// Computes one row of `stride` bytes from the `length` rows that have a weight for it.
typedef void (*imaging_column)(
    const uint8_t *const *rows, size_t stride, const int32_t *value, int length,
    uint8_t *output);
imaging_column imaging_column_kernel(imaging_kernels kernels);

// Computes four rows at once on processors that can. For these `imaging_pack` returns the
// coefficients in the layout that the kernel needs, which the caller frees; otherwise it returns
// NULL, with `*failed` set if out of memory. The kernel reads up to three bytes per tap and 16 more
// past the end of a row, and writes one byte past the end of an output row.
void *imaging_pack(const coefficients *k, int outputs, imaging_kernels kernels, int *failed);
void imaging_four_rows(
    const uint8_t *const input[4], uint8_t *const output[4], const coefficients *k,
    const void *packed, int width);
