// Pillow's antialiased bicubic resampling, bit for bit: coefficients in double, rounded to fixed
// point with 22 bits of fraction; the rows first, rounded to 8 bits; then the columns. Sums are
// exact in 32 bits, so any order of adding gives the same picture.
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cimaging.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#pragma STDC FP_CONTRACT OFF

enum { PRECISION = 22, SPLIT = 11, GROUP = 4 };

typedef struct {
    int taps;        // taps an output pixel at most, rounded up to whole groups
    int *first;      // [outputs] the first input pixel that counts
    int *length;     // [outputs] how many count
    int32_t *value;  // [outputs, taps] fixed point, zero past `length`
} coefficients;

static double bicubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static void coefficients_free(coefficients *k) {
    free(k->first);
    free(k->length);
    free(k->value);
}

static int coefficients_make(coefficients *k, int inputs, int outputs) {
    const double scale = (double)inputs / outputs;
    const double stretch = scale < 1.0 ? 1.0 : scale;
    const double support = 2.0 * stretch;
    const int most = (int)ceil(support) * 2 + 1;
    k->taps = (most + GROUP - 1) / GROUP * GROUP;
    k->first = malloc((size_t)outputs * sizeof *k->first);
    k->length = malloc((size_t)outputs * sizeof *k->length);
    k->value = calloc((size_t)outputs * (size_t)k->taps, sizeof *k->value);
    double *weight = malloc((size_t)k->taps * sizeof *weight);
    if (!k->first || !k->length || !k->value || !weight) {
        coefficients_free(k);
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
            weight[j] = bicubic((j + low - centre + 0.5) * step);
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

static void row_portable(
    const uint8_t *input, uint8_t *output, const coefficients *k, int width) {
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
// Four taps at a time: a coefficient is split into two 16-bit parts, k = high * 2^11 + low, for
// the instruction that multiplies 16-bit pairs and adds them.
typedef struct {
    int16_t low[4 * GROUP], high[4 * GROUP];
} packed_group;

static packed_group *pack(const coefficients *k, int outputs) {
    const size_t groups = (size_t)outputs * (size_t)k->taps / GROUP;
    packed_group *packed = malloc(groups * sizeof *packed);
    if (!packed) return NULL;
    for (size_t g = 0; g < groups; g++) {
        for (int lane = 0; lane < 4 * GROUP; lane++) {
            // Lanes 0 to 7 pair taps 0 and 1 for R, G, B and nothing; 8 to 15 taps 2 and 3.
            const int32_t value = k->value[g * GROUP + (size_t)(lane / 8 * 2 + lane % 2)];
            packed[g].low[lane] = (int16_t)(value & ((1 << SPLIT) - 1));
            packed[g].high[lane] = (int16_t)(value >> SPLIT);
        }
    }
    return packed;
}

__attribute__((target("avx2"))) static void row_avx2(
    const uint8_t *input, uint8_t *output, const coefficients *k,
    const packed_group *group, int width) {
    const int groups = k->taps / GROUP;
    const char o = -128;  // yields zero
    const __m256i spread = _mm256_setr_epi8(
        0, o, 3, o, 1, o, 4, o, 2, o, 5, o, o, o, o, o,
        6, o, 9, o, 7, o, 10, o, 8, o, 11, o, o, o, o, o);
    const __m128i half = _mm_set1_epi32(1 << (PRECISION - 1));
    for (int i = 0; i < width; i++, group += groups) {
        const uint8_t *pixel = input + 3 * (size_t)k->first[i];
        const int used = (k->length[i] + GROUP - 1) / GROUP;
        __m256i low = _mm256_setzero_si256(), high = low;
        for (int g = 0; g < used; g++) {
            const __m128i bytes = _mm_loadu_si128((const __m128i *)(pixel + 3 * GROUP * g));
            const __m256i pairs =
                _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), spread);
            const __m256i lows = _mm256_loadu_si256((const __m256i *)group[g].low);
            const __m256i highs = _mm256_loadu_si256((const __m256i *)group[g].high);
            low = _mm256_add_epi32(low, _mm256_madd_epi16(pairs, lows));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(pairs, highs));
        }
        const __m256i both = _mm256_add_epi32(low, _mm256_slli_epi32(high, SPLIT));
        __m128i sum = _mm_add_epi32(
            _mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
        sum = _mm_srai_epi32(_mm_add_epi32(sum, half), PRECISION);
        sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
        const int rgb = _mm_cvtsi128_si32(sum);
        output[3 * i] = (uint8_t)rgb;
        output[3 * i + 1] = (uint8_t)(rgb >> 8);
        output[3 * i + 2] = (uint8_t)(rgb >> 16);
    }
}
#endif

// MARK: Columns

enum { BLOCK = 32 };

__attribute__((always_inline)) static inline void column_body(
    const uint8_t *input, size_t stride, const int32_t *value, int length, uint8_t *output) {
    size_t x = 0;
    for (; x + BLOCK <= stride; x += BLOCK) {
        int32_t sum[BLOCK];
        for (int i = 0; i < BLOCK; i++) sum[i] = 1 << (PRECISION - 1);
        for (int j = 0; j < length; j++) {
            const uint8_t *row = input + (size_t)j * stride + x;
            for (int i = 0; i < BLOCK; i++) sum[i] += row[i] * value[j];
        }
        for (int i = 0; i < BLOCK; i++) output[x + (size_t)i] = clamp(sum[i]);
    }
    for (; x < stride; x++) {
        int32_t sum = 1 << (PRECISION - 1);
        for (int j = 0; j < length; j++) sum += input[(size_t)j * stride + x] * value[j];
        output[x] = clamp(sum);
    }
}

typedef void (*column_kernel)(const uint8_t *, size_t, const int32_t *, int, uint8_t *);

static void column_portable(
    const uint8_t *input, size_t stride, const int32_t *value, int length, uint8_t *output) {
    column_body(input, stride, value, length, output);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void column_avx2(
    const uint8_t *input, size_t stride, const int32_t *value, int length, uint8_t *output) {
    column_body(input, stride, value, length, output);
}
#endif

// MARK: The two passes

static int resize_rows(
    const uint8_t *input, int width, int height, uint8_t *output, int output_width,
    imaging_kernels kernels) {
    coefficients k;
    if (coefficients_make(&k, width, output_width) != 0) return -1;
    const size_t in = 3 * (size_t)width, out = 3 * (size_t)output_width;
    int fast = 0;
#if defined(__x86_64__)
    // A group's load may reach past the last taps; the last rows, which have no row after them
    // to be read instead, take the portable way.
    const size_t reach = 3 * (size_t)k.taps + 16;
    const int safe = height - (int)((reach + in - 1) / in);
    if (kernels == IMAGING_FASTEST && safe > 0 && __builtin_cpu_supports("avx2")) {
        packed_group *packed = pack(&k, output_width);
        if (!packed) {
            coefficients_free(&k);
            return -1;
        }
        for (; fast < safe; fast++) {
            row_avx2(input + (size_t)fast * in, output + (size_t)fast * out, &k, packed,
                     output_width);
        }
        free(packed);
    }
#else
    (void)kernels;
#endif
    for (int y = fast; y < height; y++) {
        row_portable(input + (size_t)y * in, output + (size_t)y * out, &k, output_width);
    }
    coefficients_free(&k);
    return 0;
}

static int resize_columns(
    const uint8_t *input, int width, int height, uint8_t *output, int output_height,
    imaging_kernels kernels) {
    coefficients k;
    if (coefficients_make(&k, height, output_height) != 0) return -1;
    column_kernel kernel = column_portable;
#if defined(__x86_64__)
    if (kernels == IMAGING_FASTEST && __builtin_cpu_supports("avx2")) kernel = column_avx2;
#else
    (void)kernels;
#endif
    const size_t stride = 3 * (size_t)width;
    for (int y = 0; y < output_height; y++) {
        kernel(input + (size_t)k.first[y] * stride, stride, k.value + (size_t)y * (size_t)k.taps,
               k.length[y], output + (size_t)y * stride);
    }
    coefficients_free(&k);
    return 0;
}

int imaging_resize(
    const uint8_t *pixels, int width, int height, uint8_t *output, int output_width,
    int output_height, imaging_kernels kernels) {
    const size_t stride = 3 * (size_t)output_width;
    if (width == output_width && height == output_height) {
        memcpy(output, pixels, stride * (size_t)output_height);
        return 0;
    }
    if (height == output_height) {
        return resize_rows(pixels, width, height, output, output_width, kernels);
    }
    if (width == output_width) {
        return resize_columns(pixels, width, height, output, output_height, kernels);
    }
    uint8_t *between = malloc(stride * (size_t)height);
    if (!between) return -1;
    int status = resize_rows(pixels, width, height, between, output_width, kernels);
    if (status == 0) {
        status =
            resize_columns(between, output_width, height, output, output_height, kernels);
    }
    free(between);
    return status;
}
