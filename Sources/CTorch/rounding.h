// Rows of numbers as 8-bit integers.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Rounds each of `rows` rows of `count` numbers to integers from -127 to 127, of which the largest
// number of the row is one, and adds 128. `steps` receives the size of a step of each row, which is
// positive even if all its numbers are 0.
void round_rows(const float *numbers, int64_t rows, int64_t count, uint8_t *integers, float *steps);

#ifdef __cplusplus
}
#endif
