// Decodes images and converts colours through libvips.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vips_library.h"

static const vips_library *vips(void) { return imaging_vips_library(); }

// libvips has one error text per process. Operations hold this lock for reading. An operation that
// fails soon is repeated alone, holding the lock for writing, so that the text belongs to its
// image. Nobody waits for that: if other operations are running, or the failure took long, there is
// no text.
static pthread_rwlock_t solo = PTHREAD_RWLOCK_INITIALIZER;
static const double longest_solo = 0.02;  // seconds

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// MARK: Colour

// Replaces *image by `next`, the result of an operation, unless the operation failed.
static int step(VipsImage **image, VipsImage *next, int status) {
    if (status != 0) return -1;
    vips()->unref(*image);
    *image = next;
    return 0;
}

static int over_white(VipsImage **image) {
    if (!vips()->has_alpha(*image)) return 0;
    VipsImage *next = NULL;
    VipsArrayDouble *white = vips()->array(1, 255.0);
    const int status = vips()->flatten(*image, &next, "background", white, NULL);
    vips()->area_unref(white);
    return step(image, next, status);
}

static int is_plain_cmyk(VipsImage *image) {
    return vips()->bands(image) == 4 && vips()->interpretation(image) == INTERPRETATION_CMYK;
}

// Converts to sRGB. CMYK without a usable profile is left as it is, except for its sample size.
static int to_srgb(VipsImage **image, int apply_profile) {
    VipsImage *next = NULL;
    int status = -1;
    if (apply_profile && vips()->typeof_field(*image, "icc-profile-data") != 0) {
        status = vips()->icc_transform(*image, &next, "srgb", "embedded", 1, "depth", 8, NULL);
    }
    // Files store L*a*b* under D50 light, as profiles do; libvips' own formulas are for D65.
    const int interpretation = vips()->interpretation(*image);
    if (status != 0
        && (interpretation == INTERPRETATION_LAB || interpretation == INTERPRETATION_LABS)) {
        status = vips()->icc_export(*image, &next, "output_profile", "srgb", "depth", 8, NULL);
    }
    // A profile that is damaged or does not fit the image is ignored.
    if (status != 0 && !is_plain_cmyk(*image)) {
        status = vips()->colourspace(*image, &next, INTERPRETATION_SRGB, NULL);
        if (status != 0) return -1;
    }
    if (status == 0 && (step(image, next, 0) != 0 || over_white(image) != 0)) return -1;
    next = NULL;
    status = vips()->cast(*image, &next, FORMAT_UCHAR, NULL);
    return step(image, next, status);
}

// Returns the samples as RGB, or NULL if they are neither RGB nor plain CMYK.
static uint8_t *rgb_samples(VipsImage *image) {
    size_t size = 0;
    const size_t area = (size_t)vips()->width(image) * (size_t)vips()->height(image);
    uint8_t *samples = vips()->to_memory(image, &size);
    if (samples && size == 4 * area && is_plain_cmyk(image)) {
        imaging_cmyk_to_rgb(samples, area, samples);  // in place: the output never overtakes
        return samples;
    }
    if (samples && size != 3 * area) {
        vips()->free(samples);
        samples = NULL;
    }
    return samples;
}

// MARK: Running an operation

typedef imaging_vips_status (*operation)(void *context);

static void take_message(char *message) {
    char *text = vips()->error_copy();
    size_t count = 0;
    for (const char *c = text; c && *c && count < IMAGING_MESSAGE_SIZE - 1; c++) {
        // The message is one line; libvips ends the text of each step with a newline.
        if (*c == '\n' && c[1] == 0) break;
        if (*c == '\n') {
            if (count + 2 >= IMAGING_MESSAGE_SIZE) break;
            message[count++] = ';';
        }
        message[count++] = *c == '\n' ? ' ' : *c;
    }
    message[count] = 0;
    vips()->free(text);
}

static imaging_vips_status run(operation work, void *context, char *message) {
    if (vips()->problem[0]) {
        memcpy(message, vips()->problem, IMAGING_MESSAGE_SIZE);
        return IMAGING_VIPS_UNAVAILABLE;
    }
    message[0] = 0;
    const double start = seconds_now();
    pthread_rwlock_rdlock(&solo);
    imaging_vips_status status = work(context);
    pthread_rwlock_unlock(&solo);
    if (status == IMAGING_VIPS_FAILED && seconds_now() - start < longest_solo
        && pthread_rwlock_trywrlock(&solo) == 0) {
        vips()->error_clear();
        status = work(context);
        if (status == IMAGING_VIPS_FAILED) take_message(message);
        vips()->error_clear();
        pthread_rwlock_unlock(&solo);
    }
    vips()->thread_shutdown();  // frees libvips' data of this thread
    return status;
}

// MARK: Loading

typedef struct {
    const uint8_t *bytes;
    size_t count;
    imaging_vips_format format;
    int64_t maximum_pixels;
    int apply_profile;
    int inspects;
    imaging_vips_image *result;
} load_request;

static VipsImage *open_image(const load_request *request) {
    VipsImage *image = NULL;
    int status = -1;
    if (request->format == IMAGING_VIPS_PNM) {
        VipsSource *source = vips()->source(request->bytes, request->count);
        if (!source) return NULL;
        status = vips()->load_pnm(source, &image, "access", ACCESS_SEQUENTIAL, "fail_on",
                               FAIL_ON_ERROR, NULL);
        vips()->unref(source);
    } else {
        status = vips()->load[request->format](
            request->bytes, request->count, &image, "access", ACCESS_SEQUENTIAL, "fail_on",
            FAIL_ON_ERROR, NULL);
    }
    return status == 0 ? image : NULL;
}

static void copy_blob(
    const VipsImage *image, const char *name, uint8_t **copy, size_t *count) {
    const void *blob = NULL;
    size_t size = 0;
    if (!*copy && vips()->typeof_field(image, name) != 0
        && vips()->get_blob(image, name, &blob, &size) == 0
        && (*copy = malloc(size ? size : 1)) != NULL) {
        memcpy(*copy, blob, size);
        *count = size;
    }
}

static imaging_vips_status load(void *context) {
    const load_request *request = context;
    imaging_vips_image *result = request->result;
    VipsImage *image = open_image(request);
    if (!image) return IMAGING_VIPS_FAILED;
    // Only the header has been read so far.
    result->width = vips()->width(image);
    result->height = vips()->height(image);
    if (result->width * result->height > request->maximum_pixels) {
        vips()->unref(image);
        return IMAGING_VIPS_TOO_LARGE;
    }
    if (vips()->typeof_field(image, "orientation") != 0) {
        result->orientation = vips()->orientation(image);
    }
    copy_blob(image, "xmp-data", &result->xmp, &result->xmp_count);
    if (request->inspects) copy_blob(image, "exif-data", &result->exif, &result->exif_count);
    // ImageMagick stores a PNG's EXIF as a comment, in hexadecimal.
    for (int i = 0; i < 16 && !result->hexadecimal_exif; i++) {
        char name[64];
        const char *text = NULL;
        snprintf(name, sizeof name, "png-comment-%d-Raw profile type exif", i);
        if (vips()->typeof_field(image, name) != 0 && vips()->get_string(image, name, &text) == 0) {
            result->hexadecimal_exif = strdup(text);
        }
    }
    if (!request->inspects && to_srgb(&image, request->apply_profile) == 0) {
        result->pixels = rgb_samples(image);
    }
    vips()->unref(image);
    return result->pixels || request->inspects ? IMAGING_VIPS_OK : IMAGING_VIPS_FAILED;
}

static imaging_vips_status start(load_request *request) {
    imaging_vips_image *image = request->result;
    memset(image, 0, sizeof *image);
    const int missing = request->format == IMAGING_VIPS_PNM ? !vips()->load_pnm
                                                            : !vips()->load[request->format];
    if (!vips()->problem[0] && missing) {
        snprintf(image->message, IMAGING_MESSAGE_SIZE,
                 "this libvips is built without support for it");
        return IMAGING_VIPS_UNAVAILABLE;
    }
    return run(load, request, image->message);
}

imaging_vips_status imaging_vips_load(
    const uint8_t *bytes, size_t count, imaging_vips_format format, int64_t maximum_pixels,
    int apply_profile, imaging_vips_image *image) {
    load_request request = {bytes, count, format, maximum_pixels, apply_profile, 0, image};
    return start(&request);
}

imaging_vips_status imaging_vips_inspect(
    const uint8_t *bytes, size_t count, imaging_vips_format format, imaging_vips_image *image) {
    load_request request = {bytes, count, format, INT64_MAX, 0, 1, image};
    return start(&request);
}

void imaging_vips_image_free(imaging_vips_image *image) {
    if (image->pixels) vips()->free(image->pixels);
    free(image->xmp);
    free(image->exif);
    free(image->hexadecimal_exif);
    image->hexadecimal_exif = NULL;
    image->pixels = NULL;
    image->xmp = image->exif = NULL;
}

// MARK: Colours of an image decoded elsewhere

typedef struct {
    const uint8_t *pixels;
    int width, height, channels;
    const uint8_t *profile;
    size_t profile_count;
    uint8_t *output;
} colour_request;

// Returns an image over [height, width, channels] samples, which it does not own; NULL on failure.
static VipsImage *wrap(const uint8_t *pixels, int width, int height, int channels) {
    VipsImage *raw = vips()->from_memory(
        pixels, (size_t)width * (size_t)height * (size_t)channels, width, height, channels,
        FORMAT_UCHAR);
    if (!raw) return NULL;
    const int interpretation = channels == 1 ? INTERPRETATION_B_W
        : channels == 3                      ? INTERPRETATION_SRGB
                                             : INTERPRETATION_CMYK;
    VipsImage *image = NULL;
    const int status = vips()->copy(raw, &image, "interpretation", interpretation, NULL);
    vips()->unref(raw);
    return status == 0 ? image : NULL;
}

static imaging_vips_status convert(void *context) {
    const colour_request *request = context;
    const size_t area = (size_t)request->width * (size_t)request->height;
    VipsImage *image =
        wrap(request->pixels, request->width, request->height, request->channels);
    if (!image) return IMAGING_VIPS_FAILED;
    if (request->profile_count > 0) {
        vips()->set_blob_copy(image, "icc-profile-data", request->profile, request->profile_count);
    }
    uint8_t *output = to_srgb(&image, 1) == 0 ? rgb_samples(image) : NULL;
    vips()->unref(image);
    if (!output) return IMAGING_VIPS_FAILED;
    memcpy(request->output, output, area * 3);
    vips()->free(output);
    return IMAGING_VIPS_OK;
}

imaging_vips_status imaging_vips_to_srgb(
    const uint8_t *pixels, int width, int height, int channels, const uint8_t *profile,
    size_t profile_count, uint8_t *output, char *message) {
    colour_request request = {pixels, width, height, channels, profile, profile_count, output};
    return run(convert, &request, message);
}

// MARK: Saving

typedef struct {
    const uint8_t *pixels;
    int width, height;
    uint8_t **bytes;
    size_t *count;
} save_request;

static imaging_vips_status save(void *context) {
    const save_request *request = context;
    VipsImage *image = wrap(request->pixels, request->width, request->height, 3);
    if (!image) return IMAGING_VIPS_FAILED;
    void *buffer = NULL;
    size_t count = 0;
    const int status = vips()->save_png(image, &buffer, &count, NULL);
    vips()->unref(image);
    if (status != 0) return IMAGING_VIPS_FAILED;
    *request->bytes = malloc(count);
    if (*request->bytes) memcpy(*request->bytes, buffer, count);
    *request->count = *request->bytes ? count : 0;
    vips()->free(buffer);
    return *request->bytes ? IMAGING_VIPS_OK : IMAGING_VIPS_FAILED;
}

imaging_vips_status imaging_vips_encode_png(
    const uint8_t *pixels, int width, int height, uint8_t **bytes, size_t *count, char *message) {
    save_request request = {pixels, width, height, bytes, count};
    if (!vips()->problem[0] && !vips()->save_png) {
        snprintf(message, IMAGING_MESSAGE_SIZE, "this libvips is built without support for it");
        return IMAGING_VIPS_UNAVAILABLE;
    }
    return run(save, &request, message);
}
