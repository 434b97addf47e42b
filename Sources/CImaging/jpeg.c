#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>
#include <string.h>

#include "cimaging.h"

typedef struct {
    struct jpeg_error_mgr base;  // first, so that libjpeg's pointer is also ours
    jmp_buf escape;
    char *message;
} error_manager;

typedef struct {
    struct jpeg_decompress_struct codec;
    error_manager errors;
    struct jpeg_progress_mgr progress;
} decoder;

// A progressive file of a few kilobytes may declare thousands of scans over a huge image, each as
// expensive as a full decode. Encoders write about ten.
enum { MAXIMUM_SCANS = 128 };

static void fail(j_common_ptr codec) {
    error_manager *errors = (error_manager *)codec->err;
    char text[JMSG_LENGTH_MAX];
    errors->base.format_message(codec, text);
    strncpy(errors->message, text, IMAGING_MESSAGE_SIZE - 1);
    errors->message[IMAGING_MESSAGE_SIZE - 1] = 0;
    longjmp(errors->escape, 1);
}

// libjpeg paints undecodable parts grey and issues a warning. Here a warning is an error if pixels
// were lost; stray bytes between markers lose none.
static void emit(j_common_ptr codec, int level) {
    if (level >= 0) return;
    switch (codec->err->msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
        fail(codec);
    default:
        codec->err->num_warnings += 1;
    }
}

static void ignore(j_common_ptr codec) { (void)codec; }

static void watch(j_common_ptr codec) {
    decoder *self = (decoder *)codec;
    if (self->codec.input_scan_number > MAXIMUM_SCANS) {
        strncpy(self->errors.message, "it has more progressive scans than any encoder writes",
                IMAGING_MESSAGE_SIZE - 1);
        longjmp(self->errors.escape, 1);
    }
}

static void start(decoder *self, const uint8_t *bytes, size_t count) {
    jpeg_create_decompress(&self->codec);
    self->progress.progress_monitor = watch;
    self->codec.progress = &self->progress;
    jpeg_mem_src(&self->codec, bytes, (unsigned long)count);
    jpeg_read_header(&self->codec, TRUE);
}

static void prepare(decoder *self, char *message) {
    memset(self, 0, sizeof *self);
    message[0] = 0;
    self->codec.err = jpeg_std_error(&self->errors.base);
    self->errors.base.error_exit = fail;
    self->errors.base.emit_message = emit;
    self->errors.base.output_message = ignore;
    self->errors.message = message;
}

static imaging_jpeg_colour colour_of(decoder *self) {
    switch (self->codec.jpeg_color_space) {
    case JCS_GRAYSCALE:
        return IMAGING_JPEG_GREY;
    case JCS_CMYK:
    case JCS_YCCK:
        return self->codec.saw_Adobe_marker ? IMAGING_JPEG_INVERTED_CMYK : IMAGING_JPEG_CMYK;
    default:
        return IMAGING_JPEG_RGB;
    }
}

int imaging_jpeg_inspect(
    const uint8_t *bytes, size_t count, imaging_jpeg_info *info, char *message) {
    decoder self;
    prepare(&self, message);
    if (setjmp(self.errors.escape)) {
        jpeg_destroy_decompress(&self.codec);
        return -1;
    }
    start(&self, bytes, count);
    info->width = (int32_t)self.codec.image_width;
    info->height = (int32_t)self.codec.image_height;
    info->colour = colour_of(&self);
    jpeg_destroy_decompress(&self.codec);
    return 0;
}

int imaging_jpeg_decode(
    const uint8_t *bytes, size_t count, int eighths, int channels, uint8_t *pixels,
    size_t capacity, char *message) {
    decoder self;
    prepare(&self, message);
    if (setjmp(self.errors.escape)) {
        jpeg_destroy_decompress(&self.codec);
        return -1;
    }
    start(&self, bytes, count);
    self.codec.scale_num = (unsigned)eighths;
    self.codec.scale_denom = 8;
    self.codec.out_color_space = channels == 1 ? JCS_GRAYSCALE
        : channels == 3                        ? JCS_RGB
                                               : JCS_CMYK;
    jpeg_start_decompress(&self.codec);
    size_t row = (size_t)self.codec.output_width * (size_t)channels;
    if (row * self.codec.output_height != capacity
        || self.codec.output_components != channels) {
        strncpy(message, "the image size changed while the file was being decoded",
                IMAGING_MESSAGE_SIZE - 1);
        jpeg_destroy_decompress(&self.codec);
        return -1;
    }
    while (self.codec.output_scanline < self.codec.output_height) {
        JSAMPROW rows[4];
        JDIMENSION left = self.codec.output_height - self.codec.output_scanline;
        JDIMENSION ask = left < 4 ? left : 4;
        for (JDIMENSION i = 0; i < ask; i++) {
            rows[i] = pixels + (self.codec.output_scanline + i) * row;
        }
        jpeg_read_scanlines(&self.codec, rows, ask);
    }
    // The image is complete; anything after the last row cannot change it and is not read.
    jpeg_destroy_decompress(&self.codec);
    return 0;
}
