#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "cimaging.h"

// The growing file. libjpeg's own memory destination keeps its buffer to itself until the end, so
// that after a failure nothing could free it.
typedef struct {
    struct jpeg_destination_mgr base;
    uint8_t *bytes;
    size_t capacity, limit;
} destination;

typedef struct {
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    destination file;
    jmp_buf escape;
    char *message;
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

// MARK: The file

// Makes room for more. All of the old room is used, except at the very start.
static void grow(j_compress_ptr codec) {
    destination *file = &((encoder *)codec)->file;
    const size_t wanted = file->capacity ? 2 * file->capacity : 1 << 14;
    const size_t capacity = wanted < file->limit ? wanted : file->limit;
    uint8_t *bytes = capacity > file->capacity ? realloc(file->bytes, capacity) : NULL;
    if (!bytes) ERREXIT1(codec, JERR_OUT_OF_MEMORY, 0);
    file->base.next_output_byte = bytes + file->capacity;
    file->base.free_in_buffer = capacity - file->capacity;
    file->bytes = bytes;
    file->capacity = capacity;
}

static boolean empty(j_compress_ptr codec) {
    grow(codec);
    return TRUE;
}

static void end(j_compress_ptr codec) { (void)codec; }

// MARK: Encoding

int imaging_jpeg_encode(
    const uint8_t *pixels, int width, int height, int quality, size_t limit, uint8_t **bytes,
    size_t *count, char *message) {
    encoder self;
    memset(&self, 0, sizeof self);
    message[0] = 0;
    *bytes = NULL;
    *count = 0;
    self.message = message;
    self.codec.err = jpeg_std_error(&self.errors);
    self.errors.error_exit = fail;
    self.errors.output_message = ignore;
    if (setjmp(self.escape)) {
        jpeg_destroy_compress(&self.codec);
        free(self.file.bytes);
        return -1;
    }
    jpeg_create_compress(&self.codec);
    self.file.base = (struct jpeg_destination_mgr){
        .init_destination = grow, .empty_output_buffer = empty, .term_destination = end};
    // libjpeg asks for more as soon as the room is used up, even if nothing follows.
    self.file.limit = limit < SIZE_MAX ? limit + 1 : limit;
    self.codec.dest = &self.file.base;
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
    *bytes = self.file.bytes;
    *count = self.file.capacity - self.file.base.free_in_buffer;
    return 0;
}
