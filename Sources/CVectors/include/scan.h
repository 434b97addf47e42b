// Scans of many vectors for those that are nearest to a query.
//
// Plain C without state: every function reads the rows and the query and writes to `hits` alone.
#ifndef CVECTORS_SCAN_H
#define CVECTORS_SCAN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The inner product of two vectors.
float vectors_product(const float *a, const float *b, int32_t width);

// A row whose score may be good enough.
typedef struct {
    // Number of the row, from 0.
    int32_t row;
    // Its score, or an estimate of it.
    float score;
    // How far the score can be from the estimate; 0 where it is exact.
    float uncertainty;
} vectors_hit;

// Inner products of a query with `count` rows of `width` numbers each.
//
// Writes those that are at least `threshold` to `hits`, which has room for `count`, in the order of
// the rows, and returns their number.
int32_t vectors_scan_float(
    const float *rows, int32_t count, int32_t width, const float *query, float threshold,
    vectors_hit *hits);

// A vector in 8 bits: `scale` times the codes, from -127 to 127, and what rounding cost.
typedef struct {
    const int8_t *codes;
    float scale;
    // Length of the difference between the vector and its codes.
    float error;
    // Length of the vector.
    float length;
} vectors_query;

// The same with rows in 8 bits: row i is `scales[i]` times its codes, and `errors[i]` away from what
// it stands for, which has unit length.
//
// By the inequality of Cauchy and Schwarz, and with what rounding can add at this width, the product
// that `vectors_product` gives is within `uncertainty` of the estimate. Written are rows whose product
// may reach the threshold. Up to 2^17 numbers a row, beyond which a sum of codes may overflow.
int32_t vectors_scan_codes(
    const int8_t *rows, const float *scales, const float *errors, int32_t count, int32_t width,
    const vectors_query *query, float threshold, vectors_hit *hits);

#ifdef __cplusplus
}
#endif

#endif
