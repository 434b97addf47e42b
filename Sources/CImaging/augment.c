// RandAugment's operations on bytes that leave every pixel in its place; warp.c moves them.
#include <string.h>

#include "cimaging.h"

// A fused multiply-add would round coordinates and samples differently from the original.
#pragma STDC FP_CONTRACT OFF

void imaging_histogram(const uint8_t *pixels, size_t count, uint32_t *histogram) {
    for (int i = 0; i < 3 * 256; i++) histogram[i] = 0;
    for (size_t i = 0; i < count; i++, pixels += 3) {
        histogram[pixels[0]]++;
        histogram[256 + pixels[1]]++;
        histogram[512 + pixels[2]]++;
    }
}

void imaging_look_up(
    const uint8_t *pixels, size_t count, const uint8_t *table, uint8_t *output) {
    for (size_t i = 0; i < count; i++, pixels += 3, output += 3) {
        output[0] = table[pixels[0]];
        output[1] = table[256 + pixels[1]];
        output[2] = table[512 + pixels[2]];
    }
}

// MARK: Sharpness

typedef void (*sharpening)(
    const uint8_t *above, const uint8_t *row, const uint8_t *below, int count, float factor,
    uint8_t *output);

// `above`, `row` and `below` begin at the row's first pixel.
__attribute__((always_inline)) static inline void sharpen_body(
    const uint8_t *above, const uint8_t *row, const uint8_t *below, int count, float factor,
    uint8_t *output) {
    for (int i = 3; i < count - 3; i++) {
        const int ring = above[i - 3] + above[i] + above[i + 3] + row[i - 3] + row[i + 3]
            + below[i - 3] + below[i] + below[i + 3];
        // The mean is rounded; halves cannot occur, because 13 is odd.
        const int smooth = (2 * (ring + 5 * row[i]) + 13) / 26;
        const float difference = (float)(row[i] - smooth);
        const float scaled = factor * difference;
        const float sharp = (float)smooth + scaled;
        output[i] = sharp < 0 ? 0 : sharp > 255 ? 255 : (uint8_t)(int)sharp;
    }
}

static void sharpen_portable(
    const uint8_t *above, const uint8_t *row, const uint8_t *below, int count, float factor,
    uint8_t *output) {
    sharpen_body(above, row, below, count, factor, output);
}

#if defined(__x86_64__)
// Without "fma", which would round differently.
__attribute__((target("avx2"))) static void sharpen_avx2(
    const uint8_t *above, const uint8_t *row, const uint8_t *below, int count, float factor,
    uint8_t *output) {
    sharpen_body(above, row, below, count, factor, output);
}
#endif

void imaging_sharpen(
    const uint8_t *pixels, int width, int height, float factor, imaging_kernels kernels,
    uint8_t *output) {
    sharpening sharpen = sharpen_portable;
#if defined(__x86_64__)
    if (kernels == IMAGING_FASTEST && __builtin_cpu_supports("avx2")) sharpen = sharpen_avx2;
#else
    (void)kernels;
#endif
    const size_t stride = 3 * (size_t)width;
    memcpy(output, pixels, stride * (size_t)height);
    for (int y = 1; y < height - 1; y++) {
        const size_t start = (size_t)y * stride;
        const uint8_t *row = pixels + start;
        sharpen(row - stride, row, row + stride, (int)stride, factor, output + start);
    }
}
