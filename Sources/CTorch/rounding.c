#include "rounding.h"

#include <math.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
#endif

static float largest(const float *row, int64_t count) {
  float most = 0;
  for (int64_t i = 0; i < count; i++) most = fmaxf(most, fabsf(row[i]));
  return most;
}

static void round_row(const float *row, int64_t count, float scale, uint8_t *integers) {
  // The comparisons also replace what is not a number.
  for (int64_t i = 0; i < count; i++) {
    float number = row[i] * scale;
    integers[i] = (uint8_t)(128 + (int)rintf(number > -127 ? number < 127 ? number : 127 : -127));
  }
}

#if defined(AVX2)
AVX2 static float largest_avx2(const float *row, int64_t count) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 most[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                    _mm256_setzero_ps()};
  int64_t i = 0;
  for (; i + 32 <= count; i += 32)
    for (int j = 0; j < 4; j++)
      most[j] = _mm256_max_ps(most[j], _mm256_andnot_ps(sign, _mm256_loadu_ps(row + i + 8 * j)));
  float parts[8];
  _mm256_storeu_ps(
      parts, _mm256_max_ps(_mm256_max_ps(most[0], most[1]), _mm256_max_ps(most[2], most[3])));
  return fmaxf(largest(parts, 8), largest(row + i, count - i));
}

AVX2 static void round_row_avx2(const float *row, int64_t count, float scale, uint8_t *integers) {
  const __m256 factor = _mm256_set1_ps(scale);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i numbers[4];
    for (int j = 0; j < 4; j++)
      numbers[j] =
          _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(row + i + 8 * j), factor));
    // Packing works within halves of a register; the permutation restores the order.
    __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(numbers[0], numbers[1]),
                                        _mm256_packs_epi32(numbers[2], numbers[3]));
    packed = _mm256_xor_si256(packed, _mm256_set1_epi8((char)128));
    _mm256_storeu_si256((__m256i *)(integers + i), _mm256_permutevar8x32_epi32(packed, order));
  }
  round_row(row + i, count - i, scale, integers + i);
}
#endif

void round_rows(const float *numbers, int64_t rows, int64_t count, uint8_t *integers,
                float *steps) {
  float (*most)(const float *, int64_t) = largest;
  void (*round)(const float *, int64_t, float, uint8_t *) = round_row;
#if defined(AVX2)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) {
    most = largest_avx2;
    round = round_row_avx2;
  }
#endif
  for (int64_t row = 0; row < rows; row++) {
    const float *from = numbers + row * count;
    // The reciprocal of a smaller number would be infinite.
    float step = fmaxf(most(from, count) / 127, 1e-30f);
    steps[row] = step;
    round(from, count, 1 / step, integers + row * count);
  }
}
