// Pillow's antialiased resize, bit for bit: one pass along the rows and one along the columns, with
// samples rounded to 8 bits in between.
#include <stdlib.h>
#include <string.h>

#include "resample_kernels.h"

typedef struct {
    const uint8_t *pixels;
    int width, height;
    uint8_t *output;
    int output_width, output_height;
    imaging_filter filter;
    size_t input_stride, output_stride;
    int same_width, same_height;  // whether to skip that pass
    coefficients across, down;
    imaging_column column;
    void *packed;         // for imaging_four_rows, or NULL
    const uint8_t **rows; // the input rows of one output row
    uint8_t *padded;      // four rows with room to read past their ends
    size_t slack, padded_stride;
    uint8_t *ring;  // rows between the passes
    size_t ring_stride;
    int capacity;  // rows of the ring, a multiple of four
    int done;      // input rows resized so far
} resizer;

static void finish(resizer *self) {
    imaging_coefficients_free(&self->across);
    imaging_coefficients_free(&self->down);
    free(self->packed);
    free(self->rows);
    free(self->padded);
    free(self->ring);
}

static int prepare(resizer *self, imaging_kernels kernels) {
    self->input_stride = 3 * (size_t)self->width;
    self->output_stride = 3 * (size_t)self->output_width;
    self->same_width = self->width == self->output_width;
    self->same_height = self->height == self->output_height;
    self->column = imaging_column_kernel(kernels);
    int failed = 0;
    if (!self->same_width) {
        if (imaging_coefficients_make(
                &self->across, self->width, self->output_width, self->filter)
            != 0) {
            return -1;
        }
        self->packed = imaging_pack(&self->across, self->output_width, kernels, &failed);
    }
    if (!self->same_height
        && imaging_coefficients_make(
               &self->down, self->height, self->output_height, self->filter)
               != 0) {
        return -1;
    }
    self->slack = 3 * (size_t)self->across.taps + 16;
    self->padded_stride = self->input_stride + self->slack;
    self->ring_stride = self->output_stride + 16;
    self->capacity = (self->down.taps + 3) / 4 * 4 + 8;
    self->rows = malloc((size_t)(self->down.taps + 1) * sizeof *self->rows);
    self->ring = malloc(self->ring_stride * (size_t)self->capacity);
    self->padded = calloc(4, self->padded_stride);
    return failed || !self->rows || !self->ring || !self->padded ? -1 : 0;
}

static uint8_t *ring_row(resizer *self, int y) {
    return self->ring + (size_t)(y % self->capacity) * self->ring_stride;
}

static uint8_t *padded_row(resizer *self, int r) {
    return self->padded + (size_t)r * self->padded_stride;
}

// Computes output row `y`, of `stride` bytes, from `self->rows` in the pass along the columns.
static void mix(resizer *self, int y, size_t stride, uint8_t *output) {
    const int32_t *value = self->down.value + (size_t)y * (size_t)self->down.taps;
    self->column(self->rows, stride, value, self->down.length[y], output);
}

// MARK: Along the rows first

// Resizes the next four input rows, or those that are left, into the ring, which is small enough to
// stay in the cache until the columns are processed.
static void advance(resizer *self) {
    const int count = self->height - self->done < 4 ? self->height - self->done : 4;
    const uint8_t *input[4];
    uint8_t *output[4];
    for (int r = 0; r < 4; r++) {
        // If fewer than four rows are left, the last one is repeated.
        const int y = self->done + (r < count ? r : count - 1);
        input[r] = self->pixels + (size_t)y * self->input_stride;
        output[r] = ring_row(self, y);
        const size_t left = (size_t)(self->height - 1 - y) * self->input_stride;
        if (self->packed && left < self->slack) {
            input[r] = memcpy(padded_row(self, r), input[r], self->input_stride);
        }
    }
    self->done += count;
    if (!self->same_width) {
        imaging_four_rows(input, output, &self->across, self->packed, self->output_width);
        return;
    }
    for (int r = 0; r < count; r++) memcpy(output[r], input[r], self->output_stride);
}

static void rows_first(resizer *self) {
    for (int y = 0; y < self->output_height; y++) {
        uint8_t *output = self->output + (size_t)y * self->output_stride;
        const int first = self->same_height ? y : self->down.first[y];
        const int length = self->same_height ? 1 : self->down.length[y];
        while (self->done < first + length) advance(self);
        if (self->same_height) {
            memcpy(output, ring_row(self, y), self->output_stride);
            continue;
        }
        for (int j = 0; j < length; j++) self->rows[j] = ring_row(self, first + j);
        mix(self, y, self->output_stride, output);
    }
}

// MARK: Along the columns first

static void columns_first(resizer *self) {
    const uint8_t *input[4];
    uint8_t *output[4];
    for (int r = 0; r < 4; r++) {
        input[r] = padded_row(self, r);
        output[r] = ring_row(self, r);
    }
    for (int y = 0; y < self->output_height; y += 4) {
        const int left = self->output_height - y, count = left < 4 ? left : 4;
        for (int r = 0; r < count; r++) {
            for (int j = 0; j < self->down.length[y + r]; j++) {
                self->rows[j] =
                    self->pixels + (size_t)(self->down.first[y + r] + j) * self->input_stride;
            }
            mix(self, y + r, self->input_stride, padded_row(self, r));
        }
        imaging_four_rows(input, output, &self->across, self->packed, self->output_width);
        for (int r = 0; r < count; r++) {
            memcpy(self->output + (size_t)(y + r) * self->output_stride, output[r],
                   self->output_stride);
        }
    }
}

int imaging_resize(
    const uint8_t *pixels, int width, int height, uint8_t *output, int output_width,
    int output_height, imaging_filter filter, imaging_kernels kernels) {
    resizer self = {
        .pixels = pixels, .width = width, .height = height, .output = output,
        .output_width = output_width, .output_height = output_height, .filter = filter};
    if (prepare(&self, kernels) != 0) {
        finish(&self);
        return -1;
    }
    // Because of the rounding in between, the order of the passes matters. As Pillow does since 13,
    // begin with the columns if they shrink by over twice as many pixels as the rows.
    const int64_t narrower = (int64_t)width - output_width;
    const int64_t lower = (int64_t)height - output_height;
    if (!self.same_width && lower > 0 && lower > 2 * narrower) {
        columns_first(&self);
    } else {
        rows_first(&self);
    }
    finish(&self);
    return 0;
}
