// The C functions of ImageText: JPEG decoding, libvips through dlopen, resampling, augmentation,
// and file reads that cannot block for ever. Only libvips keeps state between calls. Every function
// may be called from any thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { IMAGING_MESSAGE_SIZE = 256 };

// The routines that an implementation chooses for this processor, or those for every processor. Both
// yield the same.
typedef enum { IMAGING_FASTEST, IMAGING_PORTABLE } imaging_kernels;

// MARK: Files

typedef enum {
    IMAGING_FILE_OK = 0,
    IMAGING_FILE_ERRNO,        // see `code`
    IMAGING_FILE_NOT_REGULAR,  // a directory, a pipe, a device
} imaging_file_status;

typedef struct {
    int descriptor;  // owned by the caller until imaging_file_close
    int64_t size;
    int code;  // errno
} imaging_file;

imaging_file_status imaging_file_open(const char *path, imaging_file *file);
// Reads up to `count` bytes at `offset`. Returns their number, or -1 with `file->code` set.
int64_t imaging_file_read(imaging_file *file, int64_t offset, uint8_t *bytes, size_t count);
void imaging_file_close(imaging_file *file);

// MARK: JPEG

typedef enum {
    IMAGING_JPEG_GREY = 1,
    IMAGING_JPEG_RGB = 3,
    IMAGING_JPEG_CMYK = 4,
    IMAGING_JPEG_INVERTED_CMYK = 5,  // as Adobe writes it: 255 means no ink
} imaging_jpeg_colour;

typedef struct {
    int32_t width, height;
    imaging_jpeg_colour colour;
} imaging_jpeg_info;

// A rectangle in pixels from the top left.
typedef struct {
    int32_t left, top, width, height;
} imaging_part;

// Both return 0, or -1 with the reason in `message`.
int imaging_jpeg_inspect(
    const uint8_t *bytes, size_t count, imaging_jpeg_info *info, char *message);
// Decodes a part of the image to [part.height, part.width, channels]; its samples are those of a
// full decode. `eighths` is the scale: 8 for full size, or 4, 2 or 1. Each side of the image becomes
// ceil(side * eighths / 8), and `part` counts in these pixels. `channels` is 1, 3 or 4; a grey image
// can be decoded to 3. Damage outside the part is an error too. Without IMAGING_FASTEST, libjpeg
// alone decodes.
int imaging_jpeg_decode(
    const uint8_t *bytes, size_t count, int eighths, int channels, const imaging_part *part,
    imaging_kernels kernels, uint8_t *pixels, char *message);
// Encodes [height, width, 3] with a `quality` of 1 to 100 as a file of at most `limit` bytes. A
// larger file fails with the error for missing memory. The caller releases `*bytes` with free; it
// is NULL on failure.
int imaging_jpeg_encode(
    const uint8_t *pixels, int width, int height, int quality, size_t limit, uint8_t **bytes,
    size_t *count, char *message);

// MARK: libvips

typedef enum {
    IMAGING_VIPS_PNG,
    IMAGING_VIPS_GIF,
    IMAGING_VIPS_WEBP,
    IMAGING_VIPS_TIFF,
    IMAGING_VIPS_HEIF,
    IMAGING_VIPS_JPEG2000,
    IMAGING_VIPS_SVG,
    IMAGING_VIPS_PNM,
} imaging_vips_format;

typedef enum {
    IMAGING_VIPS_OK = 0,
    IMAGING_VIPS_UNAVAILABLE,  // libvips is missing, or lacks this loader
    IMAGING_VIPS_TOO_LARGE,    // width and height are set
    IMAGING_VIPS_FAILED,
} imaging_vips_status;

typedef struct {
    uint8_t *pixels;  // [height, width, 3], released by imaging_vips_image_free
    int64_t width, height;
    int32_t orientation;  // EXIF's 1 to 8, or 0 if the file has none
    uint8_t *xmp, *exif;  // like hexadecimal_exif, released with the pixels
    char *hexadecimal_exif;
    size_t xmp_count, exif_count;
    char message[IMAGING_MESSAGE_SIZE];
} imaging_vips_image;

imaging_vips_status imaging_vips_load(
    const uint8_t *bytes, size_t count, imaging_vips_format format, int64_t maximum_pixels,
    int apply_profile, imaging_vips_image *image);
// Reads the metadata before the pixels; `pixels` stays null.
imaging_vips_status imaging_vips_inspect(
    const uint8_t *bytes, size_t count, imaging_vips_format format, imaging_vips_image *image);
// Converts `pixels` [height, width, channels] by an ICC profile to sRGB, and writes it to `output`
// [height, width, 3].
imaging_vips_status imaging_vips_to_srgb(
    const uint8_t *pixels, int width, int height, int channels, const uint8_t *profile,
    size_t profile_count, uint8_t *output, char *message);
// Encodes [height, width, 3] as PNG. The caller releases `*bytes` with free.
imaging_vips_status imaging_vips_encode_png(
    const uint8_t *pixels, int width, int height, uint8_t **bytes, size_t *count, char *message);
void imaging_vips_image_free(imaging_vips_image *image);

// MARK: Pixels

// Copies [height, width, 3] to `output`, upright according to EXIF's `orientation` (1 to 8).
void imaging_orient(
    const uint8_t *pixels, size_t width, size_t height, int orientation, uint8_t *output);

// Pillow's filters: cubic with a = -0.5, and a triangle.
typedef enum { IMAGING_BICUBIC, IMAGING_BILINEAR } imaging_filter;

// Converts CMYK, in which 255 is full ink, to RGB by the usual formula without a profile.
void imaging_cmyk_to_rgb(const uint8_t *pixels, size_t count, uint8_t *output);

// Resizes [height, width, 3] with Pillow's antialiasing. Returns 0, or -1 if out of memory.
int imaging_resize(
    const uint8_t *pixels, int width, int height, uint8_t *output, int output_width,
    int output_height, imaging_filter filter, imaging_kernels kernels);

// output[c, i] = table[c, pixels[i, c]] for `count` pixels; `table` is [3, 256].
void imaging_to_planes(const uint8_t *pixels, size_t count, const float *table, float *output);

// MARK: Augmentation

// Counts the pixels of each value: histogram[c, v] for value v in channel c, [3, 256].
void imaging_histogram(const uint8_t *pixels, size_t count, uint32_t *histogram);

// output[i, c] = table[c, pixels[i, c]] for `count` pixels; `table` is [3, 256].
void imaging_look_up(const uint8_t *pixels, size_t count, const uint8_t *table, uint8_t *output);

// Extrapolates by `factor` away from a smoothed copy, truncating fractions. The outermost pixels
// are unchanged.
void imaging_sharpen(
    const uint8_t *pixels, int width, int height, float factor, imaging_kernels kernels,
    uint8_t *output);

// Moves the point (x, y) to `matrix` [2, 3] times (x, y, 1), with bilinear interpolation. Places
// from outside the image become `fill`. Returns 0, or -1 if out of memory.
int imaging_warp(
    const uint8_t *pixels, int width, int height, const double *matrix, uint8_t fill,
    imaging_kernels kernels, uint8_t *output);

#ifdef __cplusplus
}
#endif
