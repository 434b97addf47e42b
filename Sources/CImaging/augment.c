// RandAugment's operations on bytes. Warps are bit-identical to OpenCV 4's warpAffine: coordinates
// are in fixed point with 5 bits of fraction, and their weights are exact in 10 bits.
#include <math.h>
#include <stdlib.h>

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

// `above`, `row` and `below` begin at the row's first pixel.
static void sharpen_row(
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

void imaging_sharpen(
    const uint8_t *pixels, int width, int height, float factor, uint8_t *output) {
    const size_t stride = 3 * (size_t)width;
    for (size_t i = 0; i < stride * (size_t)height; i++) output[i] = pixels[i];
    for (int y = 1; y < height - 1; y++) {
        const size_t start = (size_t)y * stride;
        const uint8_t *row = pixels + start;
        sharpen_row(row - stride, row, row + stride, (int)stride, factor, output + start);
    }
}

// MARK: Warps

enum { COORDINATE = 10, FRACTION = 5, CELL = 1 << FRACTION };

static int fixed(double x) { return (int)lrint(x * (1 << COORDINATE)); }

// Computes one pixel near or past the border.
static void border_pixel(
    const uint8_t *pixels, int width, int height, int x, int y, const int weight[4],
    uint8_t fill, uint8_t *output) {
    for (int c = 0; c < 3; c++) {
        int sum = 1 << (2 * FRACTION - 1);
        for (int k = 0; k < 4; k++) {
            const int u = x + k % 2, v = y + k / 2;
            const int inside = u >= 0 && u < width && v >= 0 && v < height;
            sum += weight[k]
                * (inside ? pixels[3 * ((size_t)v * (size_t)width + (size_t)u) + (size_t)c] : fill);
        }
        output[c] = (uint8_t)(sum >> (2 * FRACTION));
    }
}

void imaging_warp(
    const uint8_t *pixels, int width, int height, const double *matrix, uint8_t fill,
    uint8_t *output) {
    // Each output pixel is looked up in the input through the inverse of the matrix.
    const double determinant = matrix[0] * matrix[4] - matrix[1] * matrix[3];
    const double scale = determinant != 0 ? 1 / determinant : 0;
    const double a = matrix[4] * scale, b = matrix[1] * -scale;
    const double d = matrix[3] * -scale, e = matrix[0] * scale;
    const double c = -a * matrix[2] - b * matrix[5], f = -d * matrix[2] - e * matrix[5];

    // If memory for the steps is missing, each row computes them again.
    int *right = malloc(2 * (size_t)width * sizeof *right), *down = right ? right + width : NULL;
    for (int x = 0; right && x < width; x++) {
        right[x] = fixed(a * x);
        down[x] = fixed(d * x);
    }
    const size_t stride = 3 * (size_t)width;
    const int rounding = 1 << (COORDINATE - FRACTION - 1);
    for (int y = 0; y < height; y++) {
        const int left = fixed(b * y + c) + rounding, top = fixed(e * y + f) + rounding;
        for (int x = 0; x < width; x++, output += 3) {
            const int u = (left + (right ? right[x] : fixed(a * x))) >> (COORDINATE - FRACTION);
            const int v = (top + (down ? down[x] : fixed(d * x))) >> (COORDINATE - FRACTION);
            const int column = u >> FRACTION, row = v >> FRACTION;
            const int s = u & (CELL - 1), t = v & (CELL - 1);
            const int weight[4] = {
                (CELL - s) * (CELL - t), s * (CELL - t), (CELL - s) * t, s * t};
            if (column < 0 || column >= width - 1 || row < 0 || row >= height - 1) {
                border_pixel(pixels, width, height, column, row, weight, fill, output);
                continue;
            }
            const uint8_t *p = pixels + (size_t)row * stride + 3 * (size_t)column;
            for (int k = 0; k < 3; k++) {
                const int sum = weight[0] * p[k] + weight[1] * p[k + 3]
                    + weight[2] * p[stride + (size_t)k] + weight[3] * p[stride + (size_t)k + 3];
                output[k] = (uint8_t)((sum + (1 << (2 * FRACTION - 1))) >> (2 * FRACTION));
            }
        }
    }
    free(right);
}
