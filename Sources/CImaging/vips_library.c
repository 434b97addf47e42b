// Opens libvips when the first image needs it. Linking it would add some 30 ms to every start of
// the program, mostly for libraries that JPEG does not need.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "vips_library.h"

enum { LOG_EVERY_LEVEL = 0x7fffffff & ~3 };  // from glib/gmessages.h

static vips_library vips;
static pthread_once_t once = PTHREAD_ONCE_INIT;

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
                 "libvips, which reads every format but JPEG and BMP, is not installed: %s",
                 remedy);
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
        {&vips.load[IMAGING_VIPS_SVG], "vips_svgload_buffer", 1},
        {&vips.load_pnm, "vips_ppmload_source", 1},
        {&vips.save_png, "vips_pngsave_buffer", 1},
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
        {&vips.icc_export, "vips_icc_export", 0},
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
            snprintf(vips.problem, sizeof vips.problem, "this libvips is too old: it has no %s",
                     symbols[i].name);
            return;
        }
    }
    // Failures are returned as errors; GLib would also print them.
    vips.log_set_handler("VIPS", LOG_EVERY_LEVEL, quiet, NULL);
    if (vips.init("albef") != 0) {
        snprintf(vips.problem, sizeof vips.problem, "libvips cannot be initialised");
        return;
    }
    vips.concurrency_set(1);  // callers process many images at once
    vips.cache_set_max(0);    // no operation is repeated
}

const vips_library *imaging_vips_library(void) {
    pthread_once(&once, open_library);
    return &vips;
}
