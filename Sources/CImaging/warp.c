// Affine maps of images, bit-identical to OpenCV 4's warpAffine: coordinates are in fixed point with
// 5 bits of fraction, and their weights are exact in 10 bits.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "cimaging.h"

// A fused multiply-add would round coordinates differently from the original.
#pragma STDC FP_CONTRACT OFF

enum { COORDINATE = 10, FRACTION = 5, CELL = 1 << FRACTION };

typedef struct {
    const uint8_t *pixels;
    int width, height;
    uint8_t fill;
    const int *right, *down;  // [width] the steps in the input for each step along an output row
} warp;

static int fixed(double x) { return (int)lrint(x * (1 << COORDINATE)); }

// Computes a pixel near or past the border.
static void border_pixel(const warp *self, int u, int v, uint8_t *output) {
    const int column = u >> FRACTION, row = v >> FRACTION;
    if (column < -1 || column >= self->width || row < -1 || row >= self->height) {
        output[0] = output[1] = output[2] = self->fill;
        return;
    }
    const int s = u & (CELL - 1), t = v & (CELL - 1);
    const int weight[4] = {(CELL - s) * (CELL - t), s * (CELL - t), (CELL - s) * t, s * t};
    for (int c = 0; c < 3; c++) {
        int sum = 1 << (2 * FRACTION - 1);
        for (int k = 0; k < 4; k++) {
            const int x = column + k % 2, y = row + k / 2;
            const int inside = x >= 0 && x < self->width && y >= 0 && y < self->height;
            const size_t at = 3 * ((size_t)y * (size_t)self->width + (size_t)x) + (size_t)c;
            sum += weight[k] * (inside ? self->pixels[at] : self->fill);
        }
        output[c] = (uint8_t)(sum >> (2 * FRACTION));
    }
}

// Computes pixels `first` to `end` of a row whose places in the input begin at (left, top).
static void some_pixels(
    const warp *self, int left, int top, int first, int end, uint8_t *output) {
    const size_t stride = 3 * (size_t)self->width;
    for (int x = first; x < end; x++) {
        const int u = (left + self->right[x]) >> (COORDINATE - FRACTION);
        const int v = (top + self->down[x]) >> (COORDINATE - FRACTION);
        const int column = u >> FRACTION, row = v >> FRACTION;
        if (column < 0 || column >= self->width - 1 || row < 0 || row >= self->height - 1) {
            border_pixel(self, u, v, output + 3 * x);
            continue;
        }
        const int s = u & (CELL - 1), t = v & (CELL - 1);
        const uint8_t *p = self->pixels + (size_t)row * stride + 3 * (size_t)column;
        for (int k = 0; k < 3; k++) {
            const uint8_t *q = p + stride + k;
            const int upper = (CELL - s) * p[k] + s * p[k + 3];
            const int lower = (CELL - s) * q[0] + s * q[3];
            const int sum = (CELL - t) * upper + t * lower;
            output[3 * x + k] = (uint8_t)((sum + (1 << (2 * FRACTION - 1))) >> (2 * FRACTION));
        }
    }
}

static void row_portable(const warp *self, int left, int top, uint8_t *output) {
    some_pixels(self, left, top, 0, self->width, output);
}

#if defined(__x86_64__)
enum { PIXELS = 4 };  // at once

// Loads the pixels at `offset[0]` and `offset[1]`, and their right neighbours.
__attribute__((target("avx2"))) static inline __m128i two(
    const uint8_t *pixels, const int32_t *offset) {
    const __m128i first = _mm_loadl_epi64((const __m128i *)(pixels + offset[0]));
    return _mm_unpacklo_epi64(first, _mm_loadl_epi64((const __m128i *)(pixels + offset[1])));
}

// Reads two bytes past the neighbours, and writes four past the output, which the next pixels
// overwrite.
__attribute__((target("avx2"))) static inline void four_pixels(
    const uint8_t *pixels, size_t stride, __m128i offsets, __m128i s, __m128i t,
    uint8_t *output) {
    const char o = -128;  // yields zero
    const __m128i neighbours =
        _mm_setr_epi8(0, 3, 1, 4, 2, 5, o, o, 8, 11, 9, 12, 10, 13, o, o);
    const __m128i packed = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, o, o, o, o);
    const __m128i cell = _mm_set1_epi32(CELL), half = _mm_set1_epi32(1 << (2 * FRACTION - 1));
    int32_t offset[PIXELS];
    _mm_storeu_si128((__m128i *)offset, offsets);
    // The weights of horizontal neighbours as pairs of bytes, of vertical ones as pairs of words.
    const __m128i pair = _mm_or_si128(_mm_sub_epi32(cell, s), _mm_slli_epi32(s, 8));
    const __m128i across = _mm_or_si128(pair, _mm_slli_epi32(pair, 16));
    const __m128i down = _mm_or_si128(_mm_sub_epi32(cell, t), _mm_slli_epi32(t, 16));
    const __m128i across01 = _mm_unpacklo_epi32(across, across);
    const __m128i across23 = _mm_unpackhi_epi32(across, across);
    const uint8_t *below = pixels + stride;
    const __m128i upper01 =
        _mm_maddubs_epi16(_mm_shuffle_epi8(two(pixels, offset), neighbours), across01);
    const __m128i upper23 =
        _mm_maddubs_epi16(_mm_shuffle_epi8(two(pixels, offset + 2), neighbours), across23);
    const __m128i lower01 =
        _mm_maddubs_epi16(_mm_shuffle_epi8(two(below, offset), neighbours), across01);
    const __m128i lower23 =
        _mm_maddubs_epi16(_mm_shuffle_epi8(two(below, offset + 2), neighbours), across23);
    __m128i sum[PIXELS] = {
        _mm_madd_epi16(_mm_unpacklo_epi16(upper01, lower01), _mm_shuffle_epi32(down, 0x00)),
        _mm_madd_epi16(_mm_unpackhi_epi16(upper01, lower01), _mm_shuffle_epi32(down, 0x55)),
        _mm_madd_epi16(_mm_unpacklo_epi16(upper23, lower23), _mm_shuffle_epi32(down, 0xAA)),
        _mm_madd_epi16(_mm_unpackhi_epi16(upper23, lower23), _mm_shuffle_epi32(down, 0xFF))};
    for (int i = 0; i < PIXELS; i++) {
        sum[i] = _mm_srli_epi32(_mm_add_epi32(sum[i], half), 2 * FRACTION);
    }
    const __m128i bytes = _mm_packus_epi16(
        _mm_packs_epi32(sum[0], sum[1]), _mm_packs_epi32(sum[2], sum[3]));
    _mm_storeu_si128((__m128i *)output, _mm_shuffle_epi8(bytes, packed));
}

__attribute__((target("avx2"))) static void row_avx2(
    const warp *self, int left, int top, uint8_t *output) {
    const int stride = 3 * self->width;
    const __m128i lefts = _mm_set1_epi32(left), tops = _mm_set1_epi32(top);
    const __m128i mask = _mm_set1_epi32(CELL - 1), none = _mm_set1_epi32(-1);
    // The first column and row that are too near the border.
    const __m128i columns = _mm_set1_epi32(self->width - 2);
    const __m128i rows = _mm_set1_epi32(self->height - 1);
    int x = 0;
    for (; x + PIXELS + 2 <= self->width; x += PIXELS) {
        const __m128i right = _mm_loadu_si128((const __m128i *)(self->right + x));
        const __m128i down = _mm_loadu_si128((const __m128i *)(self->down + x));
        const __m128i u = _mm_srai_epi32(_mm_add_epi32(lefts, right), COORDINATE - FRACTION);
        const __m128i v = _mm_srai_epi32(_mm_add_epi32(tops, down), COORDINATE - FRACTION);
        const __m128i column = _mm_srai_epi32(u, FRACTION), row = _mm_srai_epi32(v, FRACTION);
        const __m128i inside = _mm_and_si128(
            _mm_and_si128(_mm_cmpgt_epi32(column, none), _mm_cmpgt_epi32(columns, column)),
            _mm_and_si128(_mm_cmpgt_epi32(row, none), _mm_cmpgt_epi32(rows, row)));
        if (_mm_movemask_epi8(inside) != 0xFFFF) {
            some_pixels(self, left, top, x, x + PIXELS, output);
            continue;
        }
        const __m128i offsets = _mm_add_epi32(
            _mm_mullo_epi32(row, _mm_set1_epi32(stride)),
            _mm_add_epi32(column, _mm_slli_epi32(column, 1)));
        four_pixels(
            self->pixels, (size_t)stride, offsets, _mm_and_si128(u, mask), _mm_and_si128(v, mask),
            output + 3 * x);
    }
    some_pixels(self, left, top, x, self->width, output);
}
#endif

int imaging_warp(
    const uint8_t *pixels, int width, int height, const double *matrix, uint8_t fill,
    imaging_kernels kernels, uint8_t *output) {
    // Each output pixel is looked up in the input through the inverse of the matrix.
    const double determinant = matrix[0] * matrix[4] - matrix[1] * matrix[3];
    const double scale = determinant != 0 ? 1 / determinant : 0;
    const double a = matrix[4] * scale, b = matrix[1] * -scale;
    const double d = matrix[3] * -scale, e = matrix[0] * scale;
    const double c = -a * matrix[2] - b * matrix[5], f = -d * matrix[2] - e * matrix[5];

    int *steps = malloc(2 * (size_t)width * sizeof *steps);
    if (!steps) return -1;
    for (int x = 0; x < width; x++) {
        steps[x] = fixed(a * x);
        steps[width + x] = fixed(d * x);
    }
    const warp self = {pixels, width, height, fill, steps, steps + width};
    void (*row)(const warp *, int, int, uint8_t *) = row_portable;
#if defined(__x86_64__)
    // Its offsets have 32 bits.
    const int is_small = (int64_t)width * height < INT32_MAX / 3;
    if (kernels == IMAGING_FASTEST && is_small && __builtin_cpu_supports("avx2")) row = row_avx2;
#else
    (void)kernels;
#endif
    const int rounding = 1 << (COORDINATE - FRACTION - 1);
    for (int y = 0; y < height; y++, output += 3 * (size_t)width) {
        row(&self, fixed(b * y + c) + rounding, fixed(e * y + f) + rounding, output);
    }
    free(steps);
    return 0;
}
