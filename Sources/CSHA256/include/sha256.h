// SHA-256 (FIPS 180-4), by the processor's own instructions where it has them.
#ifndef CSHA256_H
#define CSHA256_H

#include <stddef.h>
#include <stdint.h>

// A digest in progress. Equal bytes give equal values, however they were divided.
typedef struct {
    uint32_t words[8];
    uint64_t count;
    uint8_t block[64];
} sha256_state;

// Begins a digest.
void sha256_begin(sha256_state *state);

// Adds `count` bytes.
void sha256_add(sha256_state *state, const void *bytes, size_t count);

// Writes the 32 bytes of the digest; the state must not be used any more.
void sha256_end(sha256_state *state, uint8_t *digest);

// Processes whole blocks of 64 bytes in portable C. Only tests call this.
void sha256_blocks_portable(uint32_t *words, const uint8_t *bytes, size_t blocks);

#endif
