// Scans many vectors for those nearest to a query.
//
// Plain C without state: every function reads the rows and the query, and writes only to `hits`.
#ifndef CVECTORS_SCAN_H
#define CVECTORS_SCAN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Returns the inner product of two vectors.
float vectors_product(const float *a, const float *b, int32_t width);

// A row whose score may reach the threshold.
typedef struct {
    // The number of the row, from 0.
    int32_t row;
    // The score, or an estimate of it.
    float score;
    // The maximum difference between the score and the estimate; 0 if the score is exact.
    float uncertainty;
} vectors_hit;

// Computes the inner products of a query with `count` rows of `width` numbers each.
//
// Writes the rows whose product is at least `threshold` to `hits`, in order, and returns their
// number. `hits` must have room for `count`.
int32_t vectors_scan_float(
    const float *rows, int32_t count, int32_t width, const float *query, float threshold,
    vectors_hit *hits);

// A vector in 8 bits: `scale` times the codes, from -127 to 127, and the error of the rounding.
typedef struct {
    const int8_t *codes;
    float scale;
    // The length of the difference between the vector and its codes.
    float error;
    // The length of the vector.
    float length;
} vectors_query;

// Does the same for rows in 8 bits: row i is `scales[i]` times its codes, and `errors[i]` is its
// distance from the original vector of unit length.
//
// By the Cauchy-Schwarz inequality, and with the rounding possible at this width, the result of
// `vectors_product` is within `uncertainty` of the estimate. The rows written are those whose
// product may reach the threshold. A row may have up to 2^17 numbers; beyond that a sum of codes
// may overflow.
int32_t vectors_scan_codes(
    const int8_t *rows, const float *scales, const float *errors, int32_t count, int32_t width,
    const vectors_query *query, float threshold, vectors_hit *hits);

#ifdef __cplusplus
}
#endif

#endif
