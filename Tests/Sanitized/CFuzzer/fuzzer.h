// The part of libFuzzer that Swift calls; the compiler has the library without a header.
#ifndef CFUZZER_H
#define CFUZZER_H

#include <stddef.h>
#include <stdint.h>

// Calls `run` with one changed input after another, as the options say. Returns the exit status of
// the process.
int LLVMFuzzerRunDriver(
    int *count, char ***arguments, int (*run)(const uint8_t *bytes, size_t count));

#endif
