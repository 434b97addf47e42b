// Tables of Huffman codes for jpeg_huffman.c.
#pragma once
#include <stdio.h>

#include <jpeglib.h>
#include <stdint.h>

// Codes with their bits are up to 31 bits long. Nearly all are within LOOK bits.
enum { LOOK = 10, LONGEST_CODE = 16, COEFFICIENTS = 64 };

// What follows from the next LOOK bits: one or two coefficients, of which the second may be the end
// of the block.
typedef struct {
    uint8_t length;         // of all codes and values here, in bits
    uint8_t first, second;  // the coefficients' places after the current one
    uint8_t advance;        // the places that are complete afterwards, or END or INCOMPLETE
    int16_t value[2];       // a lone coefficient stands here twice
} step;

// Added to the places if the block ends. They alone are at most 63 + 2 * 16.
enum { END = 128, INCOMPLETE = 255 };

// A code with its value, or if these are longer than LOOK bits, just the code; a length of 0 if even
// this is longer.
typedef struct {
    uint8_t length, symbol;
    uint8_t complete;
    int16_t value;
} single;

typedef struct {
    single one[1 << LOOK];
    step step[1 << LOOK];
    int32_t limit[LONGEST_CODE + 2];  // the code after the last one of each length, at 16 bits
    int32_t offset[LONGEST_CODE + 1]; // from a code to its symbol's place
    uint8_t symbol[256];
} table;

// Makes the table of a file's codes in libjpeg's pool, without `step` for the codes of means. Returns
// NULL if the codes do not fit into their lengths, or one of a mean has more bits than exist.
table *imaging_huffman_table(j_decompress_ptr codec, const JHUFF_TBL *from, int of_means);

// Finds the symbol of a code that is longer than LOOK bits, which `bits` begin with. Returns its
// length, or 0 if there is none.
int imaging_huffman_long_code(const table *codes, uint64_t bits, int *symbol);

// Returns the value that `size` bits stand for: those that begin with 0 are negative.
static inline int value_of(int raw, int size) {
    return raw < 1 << (size - 1) ? raw - (1 << size) + 1 : raw;
}
