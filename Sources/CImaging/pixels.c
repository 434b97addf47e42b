#include <string.h>

#include "cimaging.h"

void imaging_orient(
    const uint8_t *pixels, size_t width, size_t height, int orientation, uint8_t *output) {
    const ptrdiff_t w = (ptrdiff_t)width, h = (ptrdiff_t)height;
    // The input position of the output's pixel (0, 0), and the steps right and down from there.
    ptrdiff_t origin = 0, right = 1, down = w;
    switch (orientation) {
    case 2: origin = w - 1; right = -1; down = w; break;
    case 3: origin = w * h - 1; right = -1; down = -w; break;
    case 4: origin = w * (h - 1); right = 1; down = -w; break;
    case 5: origin = 0; right = w; down = 1; break;
    case 6: origin = w * (h - 1); right = -w; down = 1; break;
    case 7: origin = w * h - 1; right = -w; down = -1; break;
    case 8: origin = w - 1; right = w; down = -1; break;
    default: memcpy(output, pixels, 3 * width * height); return;
    }
    const ptrdiff_t columns = orientation < 5 ? w : h, rows = orientation < 5 ? h : w;
    for (ptrdiff_t y = 0; y < rows; y++) {
        const uint8_t *from = pixels + 3 * (origin + y * down);
        for (ptrdiff_t x = 0; x < columns; x++, from += 3 * right, output += 3) {
            output[0] = from[0];
            output[1] = from[1];
            output[2] = from[2];
        }
    }
}

void imaging_to_planes(const uint8_t *pixels, size_t count, const float *table, float *output) {
    float *red = output, *green = output + count, *blue = output + 2 * count;
    for (size_t i = 0; i < count; i++) {
        red[i] = table[pixels[3 * i]];
        green[i] = table[256 + pixels[3 * i + 1]];
        blue[i] = table[512 + pixels[3 * i + 2]];
    }
}

// Returns a * b / 255, rounded.
static inline uint8_t multiply(int a, int b) {
    const int product = a * b + 128;
    return (uint8_t)((product + (product >> 8)) >> 8);
}

void imaging_cmyk_to_rgb(const uint8_t *pixels, size_t count, uint8_t *output) {
    for (size_t i = 0; i < count; i++, pixels += 4, output += 3) {
        const int key = 255 - pixels[3];
        output[0] = multiply(255 - pixels[0], key);
        output[1] = multiply(255 - pixels[1], key);
        output[2] = multiply(255 - pixels[2], key);
    }
}
