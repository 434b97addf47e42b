// What the next bits of a JPEG mean, for all that they can be.
#include "jpeg_tables.h"

#include <string.h>

static single single_of(int look, int length, int symbol) {
    const int size = symbol & 15, total = length + size;
    if (total > LOOK) return (single){.length = (uint8_t)length, .symbol = (uint8_t)symbol};
    const int raw = look >> (LOOK - total) & ((1 << size) - 1);
    return (single){
        .length = (uint8_t)total, .symbol = (uint8_t)symbol, .complete = 1,
        .value = (int16_t)(size > 0 ? value_of(raw, size) : 0)};
}

static int places_of(single one) {
    return (one.symbol & 15) > 0 || one.symbol == 0xF0 ? (one.symbol >> 4) + 1 : END;
}

// Joins the code at the beginning of `look` with the next, if both are complete.
static step step_of(const single *one, int look) {
    const single a = one[look];
    // A value of 0 at the current place changes nothing, because none is there yet.
    if (!a.complete) return (step){.advance = INCOMPLETE};
    const uint8_t zeros = a.value ? a.symbol >> 4 : 0;
    step joined = {
        .length = a.length, .first = zeros, .second = zeros,
        .advance = (uint8_t)places_of(a), .value = {a.value, a.value}};
    if (joined.advance == END) return joined;
    const single b = one[look << a.length & ((1 << LOOK) - 1)];
    if (!b.complete || a.length + b.length > LOOK) return joined;
    if (b.value) {
        joined.second = (uint8_t)(joined.advance + (b.symbol >> 4));
        joined.value[1] = b.value;
    }
    joined.length += b.length;
    joined.advance = (uint8_t)(joined.advance + places_of(b));
    return joined;
}

table *imaging_huffman_table(j_decompress_ptr codec, const JHUFF_TBL *from, int of_means) {
    if (!from) return NULL;
    table *made = (*codec->mem->alloc_small)((j_common_ptr)codec, JPOOL_IMAGE, sizeof *made);
    memset(made, 0, sizeof *made);
    int32_t code = 0;
    int place = 0;
    for (int length = 1; length <= LONGEST_CODE; length++, code <<= 1) {
        made->offset[length] = place - code;
        for (int i = 0; i < from->bits[length]; i++, place++, code++) {
            if (place == 256 || code >= 1 << length) return NULL;
            const int symbol = from->huffval[place];
            if (of_means && symbol > 15) return NULL;
            made->symbol[place] = (uint8_t)symbol;
            if (length > LOOK) continue;
            const int first = code << (LOOK - length);
            for (int rest = 0; rest < 1 << (LOOK - length); rest++) {
                made->one[first + rest] = single_of(first + rest, length, symbol);
            }
        }
        made->limit[length] = code << (LONGEST_CODE - length);
    }
    for (int look = 0; !of_means && look < 1 << LOOK; look++) {
        made->step[look] = step_of(made->one, look);
    }
    return made;
}

int imaging_huffman_long_code(const table *codes, uint64_t bits, int *symbol) {
    const int32_t code = (int32_t)(bits >> (64 - LONGEST_CODE));
    for (int length = LOOK + 1; length <= LONGEST_CODE; length++) {
        if (code < codes->limit[length]) {
            const int place = (code >> (LONGEST_CODE - length)) + codes->offset[length];
            *symbol = codes->symbol[place & 255];
            return length;
        }
    }
    return 0;
}
