#include <stdio.h>

#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "cimaging.h"

typedef struct {
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    char *message;
    unsigned char *bytes;
    unsigned long count;
} encoder;

static void fail(j_common_ptr codec) {
    encoder *self = (encoder *)codec;
    char text[JMSG_LENGTH_MAX];
    self->errors.format_message(codec, text);
    strncpy(self->message, text, IMAGING_MESSAGE_SIZE - 1);
    self->message[IMAGING_MESSAGE_SIZE - 1] = 0;
    longjmp(self->escape, 1);
}

static void ignore(j_common_ptr codec) { (void)codec; }

int imaging_jpeg_encode(
    const uint8_t *pixels, int width, int height, int quality, uint8_t **bytes, size_t *count,
    char *message) {
    encoder self;
    memset(&self, 0, sizeof self);
    message[0] = 0;
    self.message = message;
    self.codec.err = jpeg_std_error(&self.errors);
    self.errors.error_exit = fail;
    self.errors.output_message = ignore;
    if (setjmp(self.escape)) {
        jpeg_destroy_compress(&self.codec);
        free(self.bytes);
        return -1;
    }
    jpeg_create_compress(&self.codec);
    jpeg_mem_dest(&self.codec, &self.bytes, &self.count);
    self.codec.image_width = (JDIMENSION)width;
    self.codec.image_height = (JDIMENSION)height;
    self.codec.input_components = 3;
    self.codec.in_color_space = JCS_RGB;
    jpeg_set_defaults(&self.codec);
    jpeg_set_quality(&self.codec, quality, TRUE);
    self.codec.optimize_coding = TRUE;
    jpeg_start_compress(&self.codec, TRUE);
    while (self.codec.next_scanline < self.codec.image_height) {
        size_t offset = (size_t)self.codec.next_scanline * (size_t)width * 3;
        JSAMPROW row = (JSAMPROW)(pixels + offset);  // only read, though the type is not const
        jpeg_write_scanlines(&self.codec, &row, 1);
    }
    jpeg_finish_compress(&self.codec);
    jpeg_destroy_compress(&self.codec);
    *bytes = self.bytes;
    *count = self.count;
    return 0;
}
