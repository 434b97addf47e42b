#include "scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,fma")))
#endif

static float product_float(const float *a, const float *b, int32_t width) {
    // Eight sums, as in a vector register; compilers may not reorder a single sum.
    float sums[8] = {0};
    int32_t i = 0;
    for (; i + 8 <= width; i += 8)
        for (int j = 0; j < 8; j++) sums[j] += a[i + j] * b[i + j];
    float sum = 0;
    for (int j = 0; j < 8; j++) sum += sums[j];
    for (; i < width; i++) sum += a[i] * b[i];
    return sum;
}

static int32_t product_codes(const int8_t *a, const int8_t *b, int32_t width) {
    int32_t sum = 0;
    for (int32_t i = 0; i < width; i++) sum += a[i] * b[i];
    return sum;
}

#if defined(AVX2)
AVX2 static inline float sum_float(__m256 v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

AVX2 static inline int32_t sum_int(__m256i v) {
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1)));
}

AVX2 static float product_float_avx2(const float *a, const float *b, int32_t width) {
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    int32_t i = 0;
    for (; i + 32 <= width; i += 32) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
        s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
        s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
        s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
    }
    float sum = sum_float(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
    for (; i < width; i++) sum += a[i] * b[i];
    return sum;
}

AVX2 static int32_t product_codes_avx2(const int8_t *a, const int8_t *b, int32_t width) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i s = _mm256_setzero_si256();
    int32_t i = 0;
    for (; i + 32 <= width; i += 32) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(a + i));
        const __m256i y = _mm256_loadu_si256((const __m256i *)(b + i));
        // |y| times x with y's sign: two products are at most 2 * 127 * 127, which fits 16 bits.
        const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(y), _mm256_sign_epi8(x, y));
        s = _mm256_add_epi32(s, _mm256_madd_epi16(pairs, ones));
    }
    int32_t sum = sum_int(s);
    for (; i < width; i++) sum += a[i] * b[i];
    return sum;
}
#endif

// The bound on the rounding in single precision that is added to the Cauchy-Schwarz inequality,
// relative to (length + error) * (1 + errors[row]), in which length and error are the query's.
//
// Let n be the width and u = 2^-24. To the first order, a sum of n products in any order errs by at
// most n u times the product of the lengths. The same holds for the lengths of vectors and of
// errors, each a sum of n squares; together this is 3 n u. Multiplying the estimate, rounding its
// sum to a float, and subtracting codes when an error is measured add some 30 u. The terms of
// second order are below 4 n^2 u^2, which is less than the remaining n u for every width up to
// 2^17.
static float rounding(int32_t width) { return (4 * (float)width + 64) * 0x1p-24f; }

// The allowance for rows longer than 1: twice the excess that `albef index verify` accepts.
#define SLACK 1e-3f

// One loop per kind of product, so that the product is inlined.
#define SCAN_FLOAT(PRODUCT)                                                              \
    int32_t found = 0;                                                                   \
    for (int32_t row = 0; row < count; row++) {                                          \
        const float score = PRODUCT(rows + (int64_t)row * width, query, width);          \
        hits[found] = (vectors_hit){row, score, 0};                                      \
        found += score >= threshold;                                                     \
    }                                                                                    \
    return found;

#define SCAN_CODES(PRODUCT)                                                              \
    int32_t found = 0;                                                                   \
    const float rounded = rounding(width);                                               \
    for (int32_t row = 0; row < count; row++) {                                          \
        const int32_t sum = PRODUCT(rows + (int64_t)row * width, query->codes, width);   \
        const float score = (float)sum * scales[row] * query->scale;                     \
        const float uncertainty =                                                        \
            query->length * errors[row] + query->error * (1 + SLACK + errors[row]) +         \
            rounded * (query->length + query->error) * (1 + errors[row]);                    \
        hits[found] = (vectors_hit){row, score, uncertainty};                            \
        found += score + uncertainty >= threshold;                                       \
    }                                                                                    \
    return found;

#if defined(AVX2)
AVX2 static int32_t scan_float_avx2(
    const float *rows, int32_t count, int32_t width, const float *query, float threshold,
    vectors_hit *hits) {
    SCAN_FLOAT(product_float_avx2)
}

AVX2 static int32_t scan_codes_avx2(
    const int8_t *rows, const float *scales, const float *errors, int32_t count, int32_t width,
    const vectors_query *query, float threshold, vectors_hit *hits) {
    SCAN_CODES(product_codes_avx2)
}
#endif

int32_t vectors_scan_float(
    const float *rows, int32_t count, int32_t width, const float *query, float threshold,
    vectors_hit *hits) {
#if defined(AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return scan_float_avx2(rows, count, width, query, threshold, hits);
#endif
    SCAN_FLOAT(product_float)
}

int32_t vectors_scan_codes(
    const int8_t *rows, const float *scales, const float *errors, int32_t count, int32_t width,
    const vectors_query *query, float threshold, vectors_hit *hits) {
#if defined(AVX2)
    if (__builtin_cpu_supports("avx2"))
        return scan_codes_avx2(
            rows, scales, errors, count, width, query, threshold, hits);
#endif
    SCAN_CODES(product_codes)
}

float vectors_product(const float *a, const float *b, int32_t width) {
#if defined(AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return product_float_avx2(a, b, width);
#endif
    return product_float(a, b, width);
}
