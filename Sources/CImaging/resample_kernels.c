// Pillow's coefficients, computed in double precision and stored in fixed point with 22 bits of
// fraction, and the sums over them. These are exact in 32 bits, so the order of addition does not
// matter.
#include "resample_kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// A fused multiply-add would round coefficients differently from Pillow's build.
#pragma STDC FP_CONTRACT OFF

enum { PRECISION = 22, SPLIT = 11, GROUP = 4 };

static double bicubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static double bilinear(double x) {
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

void imaging_coefficients_free(coefficients *k) {
    free(k->first);
    free(k->length);
    free(k->value);
}

int imaging_coefficients_make(
    coefficients *k, int inputs, int outputs, imaging_filter filter) {
    const double scale = (double)inputs / outputs;
    const double stretch = scale < 1.0 ? 1.0 : scale;
    const double support = (filter == IMAGING_BILINEAR ? 1.0 : 2.0) * stretch;
    const int most = (int)ceil(support) * 2 + 1;
    k->taps = (most + GROUP - 1) / GROUP * GROUP;
    k->first = malloc((size_t)outputs * sizeof *k->first);
    k->length = malloc((size_t)outputs * sizeof *k->length);
    k->value = calloc((size_t)outputs * (size_t)k->taps, sizeof *k->value);
    double *weight = malloc((size_t)k->taps * sizeof *weight);
    if (!k->first || !k->length || !k->value || !weight) {
        free(weight);
        return -1;
    }
    for (int i = 0; i < outputs; i++) {
        const double centre = (i + 0.5) * scale;
        int low = (int)(centre - support + 0.5);
        if (low < 0) low = 0;
        int high = (int)(centre + support + 0.5);
        if (high > inputs) high = inputs;
        const int length = high - low;
        const double step = 1.0 / stretch;
        double sum = 0.0;
        for (int j = 0; j < length; j++) {
            const double x = (j + low - centre + 0.5) * step;
            weight[j] = filter == IMAGING_BILINEAR ? bilinear(x) : bicubic(x);
            sum += weight[j];
        }
        int32_t *value = k->value + (size_t)i * (size_t)k->taps;
        for (int j = 0; j < length; j++) {
            const double w = sum != 0.0 ? weight[j] / sum : weight[j];
            value[j] = (int32_t)(w * (1 << PRECISION) + (w < 0 ? -0.5 : 0.5));
        }
        k->first[i] = low;
        k->length[i] = length;
    }
    free(weight);
    return 0;
}

static inline uint8_t clamp(int32_t sum) {
    sum >>= PRECISION;
    return sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
}

// MARK: Rows

void imaging_row(const uint8_t *input, uint8_t *output, const coefficients *k, int width) {
    for (int i = 0; i < width; i++) {
        const uint8_t *pixel = input + 3 * (size_t)k->first[i];
        const int32_t *value = k->value + (size_t)i * (size_t)k->taps;
        int32_t red = 1 << (PRECISION - 1), green = red, blue = red;
        for (int j = 0; j < k->length[i]; j++) {
            red += pixel[3 * j] * value[j];
            green += pixel[3 * j + 1] * value[j];
            blue += pixel[3 * j + 2] * value[j];
        }
        output[3 * i] = clamp(red);
        output[3 * i + 1] = clamp(green);
        output[3 * i + 2] = clamp(blue);
    }
}

#if defined(__x86_64__)
// The kernel processes four taps at a time. A coefficient is split into two 16-bit parts,
// k = high * 2^11 + low, for the instruction that multiplies 16-bit pairs and adds them.
typedef struct {
    int16_t low[4 * GROUP], high[4 * GROUP];
} packed_group;

static packed_group *pack(const coefficients *k, int outputs) {
    const size_t groups = (size_t)outputs * (size_t)k->taps / GROUP;
    packed_group *packed = malloc(groups * sizeof *packed);
    if (!packed) return NULL;
    for (size_t g = 0; g < groups; g++) {
        for (int lane = 0; lane < 4 * GROUP; lane++) {
            // Lanes 0 to 7 pair taps 0 and 1 for R, G, B and padding; 8 to 15 taps 2 and 3.
            const int32_t value = k->value[g * GROUP + (size_t)(lane / 8 * 2 + lane % 2)];
            packed[g].low[lane] = (int16_t)(value & ((1 << SPLIT) - 1));
            packed[g].high[lane] = (int16_t)(value >> SPLIT);
        }
    }
    return packed;
}

__attribute__((target("avx2"))) static void rows_avx2(
    const uint8_t *const input[4], uint8_t *const output[4], const coefficients *k,
    const packed_group *group, int width) {
    const int groups = k->taps / GROUP;
    const char o = -128;  // yields zero
    const __m256i spread = _mm256_setr_epi8(
        0, o, 3, o, 1, o, 4, o, 2, o, 5, o, o, o, o, o,
        6, o, 9, o, 7, o, 10, o, 8, o, 11, o, o, o, o, o);
    const __m256i half =
        _mm256_castsi128_si256(_mm_set1_epi32(1 << (PRECISION - 1)));
    const __m256i rounding = _mm256_inserti128_si256(half, _mm_setzero_si128(), 1);
    for (int i = 0; i < width; i++, group += groups) {
        const size_t offset = 3 * (size_t)k->first[i];
        const int used = (k->length[i] + GROUP - 1) / GROUP;
        __m256i low[4], high[4];
        for (int r = 0; r < 4; r++) {
            low[r] = rounding;
            high[r] = _mm256_setzero_si256();
        }
        for (int g = 0; g < used; g++) {
            const __m256i lows = _mm256_loadu_si256((const __m256i *)group[g].low);
            const __m256i highs = _mm256_loadu_si256((const __m256i *)group[g].high);
            for (int r = 0; r < 4; r++) {
                const uint8_t *pixel = input[r] + offset + 3 * GROUP * (size_t)g;
                const __m256i bytes =
                    _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)pixel));
                const __m256i pairs = _mm256_shuffle_epi8(bytes, spread);
                low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(pairs, lows));
                high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(pairs, highs));
            }
        }
        __m128i sum[4];
        for (int r = 0; r < 4; r++) {
            const __m256i both = _mm256_add_epi32(low[r], _mm256_slli_epi32(high[r], SPLIT));
            sum[r] = _mm_srai_epi32(
                _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)),
                PRECISION);
        }
        const __m128i four = _mm_packus_epi16(
            _mm_packs_epi32(sum[0], sum[1]), _mm_packs_epi32(sum[2], sum[3]));
        int32_t rgb[4];
        _mm_storeu_si128((__m128i *)rgb, four);
        // The next pixel overwrites the fourth byte.
        for (int r = 0; r < 4; r++) memcpy(output[r] + 3 * i, &rgb[r], 4);
    }
}
#endif

// MARK: Columns

enum { BLOCK = 32 };

__attribute__((always_inline)) static inline void column_body(
    const uint8_t *const *rows, size_t stride, const int32_t *value, int length,
    uint8_t *output) {
    size_t x = 0;
    for (; x + BLOCK <= stride; x += BLOCK) {
        int32_t sum[BLOCK];
        for (int i = 0; i < BLOCK; i++) sum[i] = 1 << (PRECISION - 1);
        for (int j = 0; j < length; j++) {
            const uint8_t *row = rows[j] + x;
            for (int i = 0; i < BLOCK; i++) sum[i] += row[i] * value[j];
        }
        for (int i = 0; i < BLOCK; i++) output[x + (size_t)i] = clamp(sum[i]);
    }
    for (; x < stride; x++) {
        int32_t sum = 1 << (PRECISION - 1);
        for (int j = 0; j < length; j++) sum += rows[j][x] * value[j];
        output[x] = clamp(sum);
    }
}

static void column_portable(
    const uint8_t *const *rows, size_t stride, const int32_t *value, int length,
    uint8_t *output) {
    column_body(rows, stride, value, length, output);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void column_avx2(
    const uint8_t *const *rows, size_t stride, const int32_t *value, int length,
    uint8_t *output) {
    column_body(rows, stride, value, length, output);
}
#endif

// MARK: Choosing

static int has_avx2(imaging_kernels kernels) {
#if defined(__x86_64__)
    return kernels == IMAGING_FASTEST && __builtin_cpu_supports("avx2");
#else
    (void)kernels;
    return 0;
#endif
}

imaging_column imaging_column_kernel(imaging_kernels kernels) {
#if defined(__x86_64__)
    if (has_avx2(kernels)) return column_avx2;
#endif
    (void)kernels;
    return column_portable;
}

void *imaging_pack(const coefficients *k, int outputs, imaging_kernels kernels, int *failed) {
    void *packed = NULL;
    *failed = 0;
    if (!has_avx2(kernels)) return NULL;
#if defined(__x86_64__)
    packed = pack(k, outputs);
#endif
    *failed = !packed;
    return packed;
}

void imaging_four_rows(
    const uint8_t *const input[4], uint8_t *const output[4], const coefficients *k,
    const void *packed, int width) {
#if defined(__x86_64__)
    if (packed) {
        rows_avx2(input, output, k, packed, width);
        return;
    }
#endif
    for (int r = 0; r < 4; r++) imaging_row(input[r], output[r], k, width);
}
