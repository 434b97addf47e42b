// Huffman decoding, which takes most of the time of a JPEG that is decoded at a reduced scale.
//
// One look into a table yields up to two codes with the bits that follow them: the zeros before each
// coefficient, and its value. libjpeg needs two looks that wait for each other for each coefficient.
// The coefficients are the same.
#include "jpeg_huffman.h"

#include <jerror.h>
#include <string.h>

#include "jpeg_tables.h"

// libjpeg is a set of modules that call each other through pointers. Its header jpegint.h, which
// Debian installs, describes them. Without it, libjpeg alone decodes.
#if defined(__has_include)
#if __has_include(<jpegint.h>)
#define HAS_MODULES 1
#include <jpegint.h>
#endif
#endif

#ifdef HAS_MODULES

#if JPEG_LIB_VERSION >= 70
#define SCALED_SIZE DCT_h_scaled_size
#else
#define SCALED_SIZE DCT_scaled_size
#endif

enum { LOOKS = 4 };  // for which the bits of one refill suffice

typedef struct {
    uint64_t bits;  // the next bits, from the highest on
    int count;      // of valid bits; negative if more were taken than there are
    const uint8_t *next, *end;
} reader;

typedef struct {
    reader reader;
    int last_dc[MAX_COMPS_IN_SCAN];
    unsigned until_restart;  // MCUs
    int next_restart;        // the number in its marker
    unsigned long left;      // MCUs
    int *gave_up;
    table *dc[NUM_HUFF_TBLS], *ac[NUM_HUFF_TBLS];
} huffman;

// The places of coefficients in a block. Runs of zeros may lead up to 32 beyond its end.
static const uint8_t order[COEFFICIENTS + 32] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33,
    40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36,
    29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63};

// MARK: Bits

static void give_up(j_decompress_ptr codec, huffman *self) {
    *self->gave_up = 1;
    ERREXIT(codec, JERR_CANT_SUSPEND);  // its text is never seen
}

// Fills the bits where a byte of 255, which may begin a marker, or the end is near. Bits after a
// marker are zeros that are not counted. Returns 0 at the end of the file.
static int refill_slowly(reader *in) {
    while (in->count < 56) {
        if (in->end - in->next < 2) return 0;
        const uint64_t byte = in->next[0];
        if (byte == 0xFF && in->next[1] != 0) return 1;
        in->next += byte == 0xFF ? 2 : 1;
        in->bits |= byte << (56 - in->count);
        in->count += 8;
    }
    return 1;
}

// Makes at least 56 bits, and at most 63, available. Returns 0 if bits were taken that do not exist.
static inline int refill(reader *in) {
    if (in->count < 0) return 0;
    if (in->end - in->next >= 8) {
        uint64_t eight;
        memcpy(&eight, in->next, 8);
        // Whether one of them is 255.
        const uint64_t high = 0x8080808080808080u, low = ~high;
        if ((((eight & low) + 0x0101010101010101u) & eight & high) == 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            eight = __builtin_bswap64(eight);
#endif
            // Bits beyond the last whole byte are set again, equally, by the next call.
            in->bits |= eight >> in->count;
            const int bytes = (63 - in->count) >> 3;
            in->next += bytes;
            in->count += 8 * bytes;
            return 1;
        }
    }
    return refill_slowly(in);
}

static inline void take(reader *in, int bits) {
    in->bits <<= bits;
    in->count -= bits;
}

// MARK: Blocks

// Takes a code and its value one by one. Returns the symbol, or -1 if there is none for these bits.
static inline int take_one(reader *in, const table *codes, int *value) {
    const single one = codes->one[in->bits >> (64 - LOOK)];
    int length = one.length, symbol = one.symbol;
    if (length == 0) length = imaging_huffman_long_code(codes, in->bits, &symbol);
    if (length == 0) return -1;
    take(in, length);
    *value = one.value;
    if (one.complete) return symbol;
    const int size = symbol & 15;
    if (size > 0) {
        *value = value_of((int)(in->bits >> (64 - size)), size);
        take(in, size);
    }
    return symbol;
}

// Reads the coefficients of a block after the first, into `block` if it is not NULL. Returns 0 on
// bad codes.
__attribute__((always_inline)) static inline int read_coefficients(
    reader *in, const table *codes, JCOEF *block) {
    int k = 1;
    while (k < COEFFICIENTS) {
        if (!refill(in)) return 0;
        int before = k;
        reader at = *in;
        for (int look = 0; look < LOOKS; look++) {
            const step step = codes->step[in->bits >> (64 - LOOK)];
            before = k;
            at = *in;
            if (block) {
                block[order[k + step.first]] = step.value[0];
                block[order[k + step.second]] = step.value[1];
            }
            k += step.advance;
            take(in, step.length);
            if (k >= COEFFICIENTS) break;
        }
        if (k <= COEFFICIENTS || (k >= END && k < END + COEFFICIENTS)) continue;
        // The last look yielded nothing, or two codes of which the second is beyond the block's end.
        k = before;
        *in = at;
        int value = 0;
        const int symbol = refill(in) ? take_one(in, codes, &value) : -1;
        if (symbol < 0) return 0;
        if (block && value) block[order[k + (symbol >> 4)]] = (JCOEF)value;
        k += symbol & 15 || symbol == 0xF0 ? (symbol >> 4) + 1 : END;
    }
    return k <= COEFFICIENTS || (k >= END && k < END + COEFFICIENTS);
}

// MARK: MCUs

// Continues after a restart marker, which must follow at once. Returns 0 if it does not.
static int restart(j_decompress_ptr codec, huffman *self) {
    reader *in = &self->reader;
    if (in->count < 0 || in->count >= 8 || in->end - in->next < 2 || in->next[0] != 0xFF
        || in->next[1] != 0xD0 + self->next_restart) {
        return 0;
    }
    in->next += 2;
    in->bits = 0;
    in->count = 0;
    memset(self->last_dc, 0, sizeof self->last_dc);
    self->next_restart = (self->next_restart + 1) % 8;
    self->until_restart = codec->restart_interval;
    return 1;
}

// Reads the next MCU, into `blocks` unless it is NULL. Returns 0 if something is irregular.
static int read_mcu(j_decompress_ptr codec, huffman *self, JBLOCKROW *blocks) {
    if (codec->restart_interval > 0) {
        if (self->until_restart == 0 && !restart(codec, self)) return 0;
        self->until_restart--;
    }
    reader in = self->reader;
    for (int b = 0; b < codec->blocks_in_MCU; b++) {
        const int c = codec->MCU_membership[b];
        const jpeg_component_info *component = codec->cur_comp_info[c];
        int difference;
        if (!refill(&in) || take_one(&in, self->dc[component->dc_tbl_no], &difference) < 0) {
            return 0;
        }
        const int mean = self->last_dc[c] + difference;
        if (mean != (JCOEF)mean) return 0;
        self->last_dc[c] = mean;
        JCOEF *block = blocks && component->component_needed ? blocks[b][0] : NULL;
        if (block) block[0] = (JCOEF)mean;
        const table *codes = self->ac[component->ac_tbl_no];
        // At 1/8 of the size, only means are needed.
        const int good = block && component->SCALED_SIZE > 1
            ? read_coefficients(&in, codes, block)
            : read_coefficients(&in, codes, NULL);
        if (!good) return 0;
    }
    self->reader = in;
    self->left -= self->left > 0;
    return in.count >= 0;
}

static boolean decode_mcu(j_decompress_ptr codec, JBLOCKROW *blocks) {
    huffman *self = codec->client_data;
    if (!read_mcu(codec, self, blocks)) give_up(codec, self);
    return TRUE;
}

void imaging_huffman_read_rest(j_decompress_ptr codec) {
    huffman *self = codec->client_data;
    while (self->left > 0) decode_mcu(codec, NULL);
}

int imaging_huffman_take_over(j_decompress_ptr codec, int *gave_up) {
    *gave_up = 0;
    if (codec->arith_code || codec->progressive_mode || codec->data_precision != 8
        || codec->Ss != 0 || codec->Se != COEFFICIENTS - 1 || codec->Ah != 0 || codec->Al != 0
        || jpeg_has_multiple_scans(codec) || codec->comps_in_scan != codec->num_components) {
        return 0;
    }
    huffman *self = (*codec->mem->alloc_small)((j_common_ptr)codec, JPOOL_IMAGE, sizeof *self);
    memset(self, 0, sizeof *self);
    for (int c = 0; c < codec->comps_in_scan; c++) {
        const jpeg_component_info *component = codec->cur_comp_info[c];
        const int dc = component->dc_tbl_no, ac = component->ac_tbl_no;
        if (dc < 0 || dc >= NUM_HUFF_TBLS || ac < 0 || ac >= NUM_HUFF_TBLS) return 0;
        if (!self->dc[dc]) {
            self->dc[dc] = imaging_huffman_table(codec, codec->dc_huff_tbl_ptrs[dc], 1);
        }
        if (!self->ac[ac]) {
            self->ac[ac] = imaging_huffman_table(codec, codec->ac_huff_tbl_ptrs[ac], 0);
        }
        if (!self->dc[dc] || !self->ac[ac]) return 0;
    }
    self->reader.next = codec->src->next_input_byte;
    self->reader.end = self->reader.next + codec->src->bytes_in_buffer;
    self->until_restart = codec->restart_interval;
    self->left = (unsigned long)codec->MCUs_per_row * codec->MCU_rows_in_scan;
    self->gave_up = gave_up;
    codec->client_data = self;
    codec->entropy->decode_mcu = decode_mcu;
    return 1;
}

#else

int imaging_huffman_take_over(j_decompress_ptr codec, int *gave_up) {
    (void)codec;
    *gave_up = 0;
    return 0;
}

void imaging_huffman_read_rest(j_decompress_ptr codec) { (void)codec; }

#endif
