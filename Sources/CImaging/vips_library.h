// The functions of libvips and GLib in use, resolved when the first image needs them. The types and
// constants are those of libvips' documented C API, whose binary interface is stable within soname
// 42.
#pragma once
#include <stddef.h>

#include "cimaging.h"

typedef struct _VipsImage VipsImage;
typedef struct _VipsSource VipsSource;
typedef struct _VipsArrayDouble VipsArrayDouble;
typedef int (*buffer_loader)(const void *, size_t, VipsImage **, ...);
typedef int (*source_loader)(VipsSource *, VipsImage **, ...);
typedef int (*buffer_saver)(VipsImage *, void **, size_t *, ...);

enum {  // from vips/image.h, vips/foreign.h and vips/util.h
    FORMAT_UCHAR = 0,
    INTERPRETATION_B_W = 1,
    INTERPRETATION_LAB = 13,
    INTERPRETATION_CMYK = 15,
    INTERPRETATION_LABS = 21,
    INTERPRETATION_SRGB = 22,
    ACCESS_SEQUENTIAL = 1,
    FAIL_ON_ERROR = 2,
};

typedef struct {
    buffer_loader load[IMAGING_VIPS_PNM];
    source_loader load_pnm;
    buffer_saver save_png;
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
    int (*icc_export)(VipsImage *, VipsImage **, ...);
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
    char problem[IMAGING_MESSAGE_SIZE];  // why libvips is unavailable, or empty
} vips_library;

// Returns the library, which is opened and initialised once per process.
const vips_library *imaging_vips_library(void);
