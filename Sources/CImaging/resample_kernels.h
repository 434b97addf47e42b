// What the passes of a resize (resample.c) are made of (resample_kernels.c).
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "cimaging.h"

typedef struct {
    int taps;        // taps an output pixel at most, rounded up to whole groups
    int *first;      // [outputs] the first input pixel that counts
    int *length;     // [outputs] how many count
    int32_t *value;  // [outputs, taps] fixed point, zero past `length`
} coefficients;

// Returns 0, or -1 when out of memory; `k` is to be freed either way.
int imaging_coefficients_make(
    coefficients *k, int inputs, int outputs, imaging_filter filter);
void imaging_coefficients_free(coefficients *k);

// One row of `width` output pixels.
void imaging_row(const uint8_t *input, uint8_t *output, const coefficients *k, int width);

// One row of `stride` bytes out of the `length` rows that count for it.
typedef void (*imaging_column)(
    const uint8_t *const *rows, size_t stride, const int32_t *value, int length,
    uint8_t *output);
imaging_column imaging_column_kernel(imaging_kernels kernels);

// Four rows at once, on processors that can: then `imaging_pack` gives the coefficients in the
// form that takes, to be freed, and NULL otherwise (with `*failed` set when out of memory).
// Reads up to three bytes a tap and 16 more past a row's end, and writes one byte past an output
// row.
void *imaging_pack(const coefficients *k, int outputs, imaging_kernels kernels, int *failed);
void imaging_four_rows(
    const uint8_t *const input[4], uint8_t *const output[4], const coefficients *k,
    const void *packed, int width);
