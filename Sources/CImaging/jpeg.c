#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>
#include <string.h>

#include "cimaging.h"
#include "jpeg_huffman.h"

typedef struct {
    struct jpeg_error_mgr base;  // first, so that libjpeg's pointer is also ours
    jmp_buf escape;
    char *message;
} error_manager;

typedef struct {
    struct jpeg_decompress_struct codec;
    error_manager errors;
    struct jpeg_progress_mgr progress;
    int gave_up;  // set by jpeg_huffman.c
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

// MARK: Decoding

enum { ROWS = 4, NARROW = 16 };  // read at once; see choose_columns

// Decodes columns `first` to `first + width` and some more on both sides, because the colours of
// pixels at an edge may depend on those beyond. Returns the first column that will be decoded.
static JDIMENSION choose_columns(decoder *self, JDIMENSION first, JDIMENSION width) {
    const JDIMENSION all = self->codec.output_width;
    // Smooth upsampling of halved colours looks that far. Of very few columns, libjpeg upsamples
    // otherwise.
    const JDIMENSION before = width < NARROW ? NARROW : 1, after = width < NARROW ? NARROW : 2;
    const JDIMENSION end = first + width, left_over = all - end;
    first -= first < before ? first : before;
    width = end + (left_over < after ? left_over : after) - first;
    if (width < all) jpeg_crop_scanline(&self->codec, &first, &width);
    return first;
}

// Reads rows without keeping them.
static void drop_rows(decoder *self, JSAMPARRAY rows, JDIMENSION end) {
    while (self->codec.output_scanline < end) jpeg_read_scanlines(&self->codec, rows, ROWS);
}

static void read_part(
    decoder *self, const imaging_part *part, int taken_over, uint8_t *pixels) {
    j_decompress_ptr codec = &self->codec;
    const size_t channels = (size_t)codec->output_components;
    const JDIMENSION left = (JDIMENSION)part->left, top = (JDIMENSION)part->top;
    const JDIMENSION begun = choose_columns(self, left, (JDIMENSION)part->width);
    const size_t stride = (size_t)part->width * channels;
    const int is_direct = codec->output_width == (JDIMENSION)part->width;
    JSAMPARRAY wide = (*codec->mem->alloc_sarray)(
        (j_common_ptr)codec, JPOOL_IMAGE, codec->output_width * (JDIMENSION)channels, ROWS);
    if (top > 0) jpeg_skip_scanlines(codec, top);
    const JDIMENSION end = top + (JDIMENSION)part->height;
    while (codec->output_scanline < end) {
        const JDIMENSION left_over = end - codec->output_scanline;
        const JDIMENSION ask = left_over < ROWS ? left_over : ROWS;
        JSAMPROW rows[ROWS];
        for (JDIMENSION i = 0; i < ask; i++) rows[i] = pixels + i * stride;
        const JDIMENSION got = jpeg_read_scanlines(codec, is_direct ? rows : wide, ask);
        for (JDIMENSION i = 0; i < got && !is_direct; i++) {
            memcpy(rows[i], wide[i] + (left - begun) * channels, stride);
        }
        pixels += got * stride;
    }
    // Damage further down is an error too; of several scans, all have been read. Anything after the
    // last row is not read.
    if (taken_over) {
        imaging_huffman_read_rest(codec);
    } else if (!jpeg_has_multiple_scans(codec)) {
        drop_rows(self, wide, codec->output_height);
    }
}

// Returns 1 to be called again with `plain`, so that libjpeg alone decodes.
static int decode(
    const uint8_t *bytes, size_t count, int eighths, int channels, const imaging_part *part,
    int plain, uint8_t *pixels, char *message) {
    decoder self;
    prepare(&self, message);
    if (setjmp(self.errors.escape)) {
        jpeg_destroy_decompress(&self.codec);
        return self.gave_up ? 1 : -1;
    }
    start(&self, bytes, count);
    self.codec.scale_num = (unsigned)eighths;
    self.codec.scale_denom = 8;
    self.codec.out_color_space = channels == 1 ? JCS_GRAYSCALE
        : channels == 3                        ? JCS_RGB
                                               : JCS_CMYK;
    jpeg_start_decompress(&self.codec);
    if (part->left < 0 || part->top < 0 || part->width < 1 || part->height < 1
        || (int64_t)part->left + part->width > self.codec.output_width
        || (int64_t)part->top + part->height > self.codec.output_height
        || self.codec.output_components != channels) {
        strncpy(message, "the image size changed while the file was being decoded",
                IMAGING_MESSAGE_SIZE - 1);
        jpeg_destroy_decompress(&self.codec);
        return -1;
    }
    const int taken_over = !plain && imaging_huffman_take_over(&self.codec, &self.gave_up);
    read_part(&self, part, taken_over, pixels);
    jpeg_destroy_decompress(&self.codec);
    return 0;
}

int imaging_jpeg_decode(
    const uint8_t *bytes, size_t count, int eighths, int channels, const imaging_part *part,
    imaging_kernels kernels, uint8_t *pixels, char *message) {
    const int plain = kernels == IMAGING_PORTABLE;
    const int status = decode(bytes, count, eighths, channels, part, plain, pixels, message);
    if (status != 1) return status;
    return decode(bytes, count, eighths, channels, part, 1, pixels, message);
}
