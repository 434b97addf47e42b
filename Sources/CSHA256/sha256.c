#include "sha256.h"

#include <stdatomic.h>
#include <string.h>

enum { block_size = 64 };

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotated(uint32_t x, int count) { return x >> count | x << (32 - count); }

static inline uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

void sha256_blocks_portable(uint32_t *words, const uint8_t *bytes, size_t blocks) {
    for (; blocks > 0; blocks--, bytes += block_size) {
        // The last 16 words of the message schedule.
        uint32_t w[16];
        uint32_t a = words[0], b = words[1], c = words[2], d = words[3];
        uint32_t e = words[4], f = words[5], g = words[6], h = words[7];
#pragma clang loop unroll(full)
        for (int t = 0; t < 64; t++) {
            if (t < 16) {
                w[t] = big_endian(bytes + 4 * t);
            } else {
                const uint32_t x = w[(t - 15) & 15], y = w[(t - 2) & 15];
                w[t & 15] += (rotated(x, 7) ^ rotated(x, 18) ^ x >> 3) + w[(t - 7) & 15] +
                             (rotated(y, 17) ^ rotated(y, 19) ^ y >> 10);
            }
            const uint32_t first = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) +
                                   ((e & f) ^ (~e & g)) + constants[t] + w[t & 15];
            const uint32_t second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) +
                                    ((a & b) ^ (a & c) ^ (b & c));
            h = g, g = f, f = e, e = d + first;
            d = c, c = b, b = a, a = first + second;
        }
        words[0] += a, words[1] += b, words[2] += c, words[3] += d;
        words[4] += e, words[5] += f, words[6] += g, words[7] += h;
    }
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

// Processes whole blocks with the SHA extensions, four rounds at a time.
__attribute__((target("sha,sse4.1"))) static void blocks_sha_extensions(
    uint32_t *words, const uint8_t *bytes, size_t blocks
) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    // The instructions keep the words as (f, e, b, a) and (h, g, d, c), lowest first.
    const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)words), 0xB1);
    const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(words + 4)), 0x1B);
    __m128i feba = _mm_alignr_epi8(badc, hgfe, 8);
    __m128i hgdc = _mm_blend_epi16(hgfe, badc, 0xF0);
    for (; blocks > 0; blocks--, bytes += block_size) {
        const __m128i first = feba, second = hgdc;
        __m128i w[4];
        for (int i = 0; i < 4; i++) {
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + 16 * i)), swap);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 16; i++) {
            const __m128i *four = (const __m128i *)(constants + 4 * i);
            const __m128i sum = _mm_add_epi32(w[i & 3], _mm_load_si128(four));
            hgdc = _mm_sha256rnds2_epu32(hgdc, feba, sum);
            feba = _mm_sha256rnds2_epu32(feba, hgdc, _mm_shuffle_epi32(sum, 0x0E));
            if (i < 12) {
                const __m128i older = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
                const __m128i next =
                    _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]), older);
                w[i & 3] = _mm_sha256msg2_epu32(next, w[(i + 3) & 3]);
            }
        }
        feba = _mm_add_epi32(feba, first);
        hgdc = _mm_add_epi32(hgdc, second);
    }
    const __m128i abef = _mm_shuffle_epi32(feba, 0x1B);
    const __m128i ghcd = _mm_shuffle_epi32(hgdc, 0xB1);
    _mm_storeu_si128((__m128i *)words, _mm_blend_epi16(abef, ghcd, 0xF0));
    _mm_storeu_si128((__m128i *)(words + 4), _mm_alignr_epi8(ghcd, abef, 8));
}

static int has_sha_extensions(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0;
}

static void process(uint32_t *words, const uint8_t *bytes, size_t blocks) {
    // 0: not known yet; asking the processor can take microseconds in a virtual machine.
    static atomic_int known;
    int kind = atomic_load_explicit(&known, memory_order_relaxed);
    if (kind == 0) {
        kind = has_sha_extensions() ? 2 : 1;
        atomic_store_explicit(&known, kind, memory_order_relaxed);
    }
    (kind == 2 ? blocks_sha_extensions : sha256_blocks_portable)(words, bytes, blocks);
}

#else

static void process(uint32_t *words, const uint8_t *bytes, size_t blocks) {
    sha256_blocks_portable(words, bytes, blocks);
}

#endif

void sha256_begin(sha256_state *state) {
    // The first 32 bits of the fractional parts of the square roots of the first 8 primes.
    static const sha256_state start = {.words = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    }};
    *state = start;
}

void sha256_add(sha256_state *state, const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    const size_t kept = state->count % block_size;
    state->count += count;
    if (kept > 0) {
        const size_t part = count < block_size - kept ? count : block_size - kept;
        if (part > 0) memcpy(state->block + kept, next, part);
        next += part, count -= part;
        if (kept + part < block_size) return;
        process(state->words, state->block, 1);
    }
    process(state->words, next, count / block_size);
    if (count % block_size > 0) {
        memcpy(state->block, next + count / block_size * block_size, count % block_size);
    }
}

void sha256_end(sha256_state *state, uint8_t *digest) {
    const uint64_t bits = state->count * 8;
    size_t kept = state->count % block_size;
    state->block[kept++] = 0x80;
    if (kept > block_size - 8) {
        memset(state->block + kept, 0, block_size - kept);
        process(state->words, state->block, 1);
        kept = 0;
    }
    memset(state->block + kept, 0, block_size - 8 - kept);
    for (int i = 0; i < 8; i++) state->block[block_size - 1 - i] = (uint8_t)(bits >> 8 * i);
    process(state->words, state->block, 1);
    for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(state->words[i / 4] >> (24 - 8 * (i % 4)));
}
