// libvips, opened when the first picture needs it: linked plainly it would cost every start of
// the program some 30 ms, most of it for libraries a JPEG never touches. The declarations below
// are libvips' documented C API, which keeps its binary interface within soname 42.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cimaging.h"

typedef struct _VipsImage VipsImage;
typedef struct _VipsSource VipsSource;
typedef struct _VipsArrayDouble VipsArrayDouble;
typedef int (*buffer_loader)(const void *, size_t, VipsImage **, ...);
typedef int (*source_loader)(VipsSource *, VipsImage **, ...);

enum {  // of vips/image.h, vips/foreign.h and vips/util.h
    FORMAT_UCHAR = 0,
    INTERPRETATION_B_W = 1,
    INTERPRETATION_CMYK = 15,
    INTERPRETATION_SRGB = 22,
    ACCESS_SEQUENTIAL = 1,
    FAIL_ON_ERROR = 2,
    LOG_EVERY_LEVEL = 0x7fffffff & ~3,
};

static struct {
    buffer_loader load[IMAGING_VIPS_PNM];
    source_loader load_pnm;
    VipsSource *(*source)(const void *, size_t);
    int (*init)(const char *);
    void (*concurrency_set)(int);
    void (*cache_set_max)(int);
    void (*thread_shutdown)(void);
    void (*error_clear)(void);
    char *(*error_copy)(void);
    int (*width)(const VipsImage *), (*height)(const VipsImage *), (*bands)(const VipsImage *);
    int (*interpretation)(const VipsImage *);
    int (*orientation)(VipsImage *);
    int (*get_string)(const VipsImage *, const char *, const char **);
    int (*has_alpha)(VipsImage *);
    size_t (*typeof_field)(const VipsImage *, const char *);
    int (*get_blob)(const VipsImage *, const char *, const void **, size_t *);
    void (*set_blob_copy)(VipsImage *, const char *, const void *, size_t);
    int (*icc_transform)(VipsImage *, VipsImage **, const char *, ...);
    int (*colourspace)(VipsImage *, VipsImage **, int, ...);
    int (*flatten)(VipsImage *, VipsImage **, ...);
    int (*cast)(VipsImage *, VipsImage **, int, ...);
    int (*copy)(VipsImage *, VipsImage **, ...);
    VipsArrayDouble *(*array)(int, ...);
    void (*area_unref)(void *);
    void *(*to_memory)(VipsImage *, size_t *);
    VipsImage *(*from_memory)(const void *, size_t, int, int, int, int);
    void (*unref)(void *);
    void (*free)(void *);
    unsigned (*log_set_handler)(
        const char *, int, void (*)(const char *, int, const char *, void *), void *);
    char problem[IMAGING_MESSAGE_SIZE];
} vips;

static pthread_once_t once = PTHREAD_ONCE_INIT;

// libvips keeps one error text for the whole process. Work holds this for reading; a failure is
// run again alone, holding it for writing, so that the text is this picture's and no other's.
static pthread_rwlock_t solo = PTHREAD_RWLOCK_INITIALIZER;

static void quiet(const char *domain, int level, const char *text, void *unused) {
    (void)domain, (void)level, (void)text, (void)unused;
}

static void open_library(void) {
#if defined(__APPLE__)
    static const char *const names[] = {
        "libvips.42.dylib", "/opt/homebrew/lib/libvips.42.dylib",
        "/usr/local/lib/libvips.42.dylib"};
    static const char remedy[] = "install it with `brew install vips`";
#else
    static const char *const names[] = {"libvips.so.42"};
    static const char remedy[] = "on Debian and Ubuntu install libvips42";
#endif
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) {
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    }
    if (!library) {
        snprintf(vips.problem, sizeof vips.problem,
                 "libvips, which reads every format but JPEG and BMP, is not here: %s", remedy);
        return;
    }
    const struct {
        void *pointer;
        const char *name;
        int optional;
    } symbols[] = {
        {&vips.load[IMAGING_VIPS_PNG], "vips_pngload_buffer", 1},
        {&vips.load[IMAGING_VIPS_GIF], "vips_gifload_buffer", 1},
        {&vips.load[IMAGING_VIPS_WEBP], "vips_webpload_buffer", 1},
        {&vips.load[IMAGING_VIPS_TIFF], "vips_tiffload_buffer", 1},
        {&vips.load[IMAGING_VIPS_HEIF], "vips_heifload_buffer", 1},
        {&vips.load[IMAGING_VIPS_JPEG2000], "vips_jp2kload_buffer", 1},
        {&vips.load_pnm, "vips_ppmload_source", 1},
        {&vips.source, "vips_source_new_from_memory", 0},
        {&vips.init, "vips_init", 0},
        {&vips.concurrency_set, "vips_concurrency_set", 0},
        {&vips.cache_set_max, "vips_cache_set_max", 0},
        {&vips.thread_shutdown, "vips_thread_shutdown", 0},
        {&vips.error_clear, "vips_error_clear", 0},
        {&vips.error_copy, "vips_error_buffer_copy", 0},
        {&vips.width, "vips_image_get_width", 0},
        {&vips.height, "vips_image_get_height", 0},
        {&vips.bands, "vips_image_get_bands", 0},
        {&vips.interpretation, "vips_image_get_interpretation", 0},
        {&vips.get_string, "vips_image_get_string", 0},
        {&vips.orientation, "vips_image_get_orientation", 0},
        {&vips.has_alpha, "vips_image_hasalpha", 0},
        {&vips.typeof_field, "vips_image_get_typeof", 0},
        {&vips.get_blob, "vips_image_get_blob", 0},
        {&vips.set_blob_copy, "vips_image_set_blob_copy", 0},
        {&vips.icc_transform, "vips_icc_transform", 0},
        {&vips.colourspace, "vips_colourspace", 0},
        {&vips.flatten, "vips_flatten", 0},
        {&vips.cast, "vips_cast", 0},
        {&vips.copy, "vips_copy", 0},
        {&vips.array, "vips_array_double_newv", 0},
        {&vips.area_unref, "vips_area_unref", 0},
        {&vips.to_memory, "vips_image_write_to_memory", 0},
        {&vips.from_memory, "vips_image_new_from_memory", 0},
        {&vips.unref, "g_object_unref", 0},
        {&vips.free, "g_free", 0},
        {&vips.log_set_handler, "g_log_set_handler", 0},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        memcpy(symbols[i].pointer, &symbol, sizeof symbol);
        if (!symbol && !symbols[i].optional) {
            snprintf(vips.problem, sizeof vips.problem, "this libvips has no %s: it is too old",
                     symbols[i].name);
            return;
        }
    }
    // What goes wrong is returned as an error; GLib would also print it.
    vips.log_set_handler("VIPS", LOG_EVERY_LEVEL, quiet, NULL);
    if (vips.init("albef") != 0) {
        snprintf(vips.problem, sizeof vips.problem, "libvips does not start");
        return;
    }
    vips.concurrency_set(1);  // callers run many pictures at once
    vips.cache_set_max(0);    // no picture is asked for twice
}

// MARK: Colour

// Replaces *image by `next`, what an operation made of it, unless that failed.
static int step(VipsImage **image, VipsImage *next, int status) {
    if (status != 0) return -1;
    vips.unref(*image);
    *image = next;
    return 0;
}

static int over_white(VipsImage **image) {
    if (!vips.has_alpha(*image)) return 0;
    VipsImage *next = NULL;
    VipsArrayDouble *white = vips.array(1, 255.0);
    const int status = vips.flatten(*image, &next, "background", white, NULL);
    vips.area_unref(white);
    return step(image, next, status);
}

static int is_plain_cmyk(VipsImage *image) {
    return vips.bands(image) == 4 && vips.interpretation(image) == INTERPRETATION_CMYK;
}

// Leaves CMYK that no profile explains as it is, but for its samples' size.
static int to_srgb(VipsImage **image, int apply_profile) {
    VipsImage *next = NULL;
    int status = -1;
    if (apply_profile && vips.typeof_field(*image, "icc-profile-data") != 0) {
        status = vips.icc_transform(*image, &next, "srgb", "embedded", 1, "depth", 8, NULL);
    }
    // A profile that does not fit the picture, or is damaged, says nothing about its colours.
    if (status != 0 && !is_plain_cmyk(*image)) {
        status = vips.colourspace(*image, &next, INTERPRETATION_SRGB, NULL);
        if (status != 0) return -1;
    }
    if (status == 0 && (step(image, next, 0) != 0 || over_white(image) != 0)) return -1;
    next = NULL;
    status = vips.cast(*image, &next, FORMAT_UCHAR, NULL);
    return step(image, next, status);
}

// What vips_image_write_to_memory gives, as RGB; NULL when it is not that.
static uint8_t *rgb_samples(VipsImage *image) {
    size_t size = 0;
    const size_t area = (size_t)vips.width(image) * (size_t)vips.height(image);
    uint8_t *samples = vips.to_memory(image, &size);
    if (samples && size == 4 * area && is_plain_cmyk(image)) {
        imaging_cmyk_to_rgb(samples, area, samples);  // in place: the output never overtakes
        return samples;
    }
    if (samples && size != 3 * area) {
        vips.free(samples);
        samples = NULL;
    }
    return samples;
}

// MARK: Running an operation

typedef imaging_vips_status (*operation)(void *context);

static void take_message(char *message) {
    char *text = vips.error_copy();
    size_t count = 0;
    for (const char *c = text; c && *c && count < IMAGING_MESSAGE_SIZE - 1; c++) {
        // One line for people: newlines end the text of one step of libvips.
        if (*c == '\n' && c[1] == 0) break;
        if (*c == '\n') {
            if (count + 2 >= IMAGING_MESSAGE_SIZE) break;
            message[count++] = ';';
        }
        message[count++] = *c == '\n' ? ' ' : *c;
    }
    message[count] = 0;
    vips.free(text);
}

static imaging_vips_status run(operation work, void *context, char *message) {
    pthread_once(&once, open_library);
    if (vips.problem[0]) {
        memcpy(message, vips.problem, IMAGING_MESSAGE_SIZE);
        return IMAGING_VIPS_UNAVAILABLE;
    }
    message[0] = 0;
    pthread_rwlock_rdlock(&solo);
    imaging_vips_status status = work(context);
    pthread_rwlock_unlock(&solo);
    if (status == IMAGING_VIPS_FAILED) {
        pthread_rwlock_wrlock(&solo);
        vips.error_clear();
        status = work(context);
        if (status == IMAGING_VIPS_FAILED) take_message(message);
        vips.error_clear();
        pthread_rwlock_unlock(&solo);
    }
    vips.thread_shutdown();  // what libvips keeps for each thread would outlive this one
    return status;
}

// MARK: Loading

typedef struct {
    const uint8_t *bytes;
    size_t count;
    imaging_vips_format format;
    int64_t maximum_pixels;
    int apply_profile;
    imaging_vips_image *result;
} load_request;

static VipsImage *open_image(const load_request *request) {
    VipsImage *image = NULL;
    int status = -1;
    if (request->format == IMAGING_VIPS_PNM) {
        VipsSource *source = vips.source(request->bytes, request->count);
        if (!source) return NULL;
        status = vips.load_pnm(source, &image, "access", ACCESS_SEQUENTIAL, "fail_on",
                               FAIL_ON_ERROR, NULL);
        vips.unref(source);
    } else {
        status = vips.load[request->format](
            request->bytes, request->count, &image, "access", ACCESS_SEQUENTIAL, "fail_on",
            FAIL_ON_ERROR, NULL);
    }
    return status == 0 ? image : NULL;
}

static imaging_vips_status load(void *context) {
    const load_request *request = context;
    imaging_vips_image *result = request->result;
    VipsImage *image = open_image(request);
    if (!image) return IMAGING_VIPS_FAILED;
    // So far only the header was read.
    result->width = vips.width(image);
    result->height = vips.height(image);
    if (result->width * result->height > request->maximum_pixels) {
        vips.unref(image);
        return IMAGING_VIPS_TOO_LARGE;
    }
    if (vips.typeof_field(image, "orientation") != 0) {
        result->orientation = vips.orientation(image);
    }
    const void *xmp = NULL;
    size_t xmp_count = 0;
    if (!result->xmp && vips.typeof_field(image, "xmp-data") != 0
        && vips.get_blob(image, "xmp-data", &xmp, &xmp_count) == 0
        && (result->xmp = malloc(xmp_count ? xmp_count : 1)) != NULL) {
        memcpy(result->xmp, xmp, xmp_count);
        result->xmp_count = xmp_count;
    }
    // ImageMagick keeps a PNG's EXIF as a comment, and writes it in hexadecimal.
    for (int i = 0; i < 16 && !result->hexadecimal_exif; i++) {
        char name[64];
        const char *text = NULL;
        snprintf(name, sizeof name, "png-comment-%d-Raw profile type exif", i);
        if (vips.typeof_field(image, name) != 0 && vips.get_string(image, name, &text) == 0) {
            result->hexadecimal_exif = strdup(text);
        }
    }
    if (to_srgb(&image, request->apply_profile) == 0) result->pixels = rgb_samples(image);
    vips.unref(image);
    return result->pixels ? IMAGING_VIPS_OK : IMAGING_VIPS_FAILED;
}

imaging_vips_status imaging_vips_load(
    const uint8_t *bytes, size_t count, imaging_vips_format format, int64_t maximum_pixels,
    int apply_profile, imaging_vips_image *image) {
    memset(image, 0, sizeof *image);
    load_request request = {bytes, count, format, maximum_pixels, apply_profile, image};
    pthread_once(&once, open_library);
    const int missing = format == IMAGING_VIPS_PNM ? !vips.load_pnm : !vips.load[format];
    if (!vips.problem[0] && missing) {
        snprintf(image->message, IMAGING_MESSAGE_SIZE, "this libvips is built without it");
        return IMAGING_VIPS_UNAVAILABLE;
    }
    return run(load, &request, image->message);
}

void imaging_vips_image_free(imaging_vips_image *image) {
    if (image->pixels) vips.free(image->pixels);
    free(image->xmp);
    free(image->hexadecimal_exif);
    image->hexadecimal_exif = NULL;
    image->pixels = NULL;
    image->xmp = NULL;
}

// MARK: Colours of a picture decoded elsewhere

typedef struct {
    const uint8_t *pixels;
    int width, height, channels;
    const uint8_t *profile;
    size_t profile_count;
    uint8_t *output;
} colour_request;

static imaging_vips_status convert(void *context) {
    const colour_request *request = context;
    const size_t area = (size_t)request->width * (size_t)request->height;
    VipsImage *raw = vips.from_memory(
        request->pixels, area * (size_t)request->channels, request->width, request->height,
        request->channels, FORMAT_UCHAR);
    if (!raw) return IMAGING_VIPS_FAILED;
    const int interpretation = request->channels == 1 ? INTERPRETATION_B_W
        : request->channels == 3                      ? INTERPRETATION_SRGB
                                                      : INTERPRETATION_CMYK;
    VipsImage *image = NULL;
    const int status = vips.copy(raw, &image, "interpretation", interpretation, NULL);
    vips.unref(raw);
    if (status != 0) return IMAGING_VIPS_FAILED;
    if (request->profile_count > 0) {
        vips.set_blob_copy(image, "icc-profile-data", request->profile, request->profile_count);
    }
    uint8_t *output = to_srgb(&image, 1) == 0 ? rgb_samples(image) : NULL;
    vips.unref(image);
    if (!output) return IMAGING_VIPS_FAILED;
    memcpy(request->output, output, area * 3);
    vips.free(output);
    return IMAGING_VIPS_OK;
}

imaging_vips_status imaging_vips_to_srgb(
    const uint8_t *pixels, int width, int height, int channels, const uint8_t *profile,
    size_t profile_count, uint8_t *output, char *message) {
    colour_request request = {pixels, width, height, channels, profile, profile_count, output};
    return run(convert, &request, message);
}
