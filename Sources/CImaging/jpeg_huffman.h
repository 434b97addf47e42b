// Decodes the Huffman codes of a JPEG in place of libjpeg's routine (jpeg_huffman.c).
#pragma once
#include <stdio.h>

#include <jpeglib.h>

// Takes over the decoding of Huffman codes, if the file has one scan of Huffman-coded 8-bit samples
// as nearly all have. Call it after jpeg_start_decompress, with the whole file in libjpeg's source.
// It keeps its state in libjpeg's pool and `client_data`.
//
// At the first irregularity it sets `*gave_up` and raises an error of libjpeg: the caller then
// decodes the file again without it, so that libjpeg alone judges damaged files.
//
// Returns whether it has taken over.
int imaging_huffman_take_over(j_decompress_ptr codec, int *gave_up);

// Reads the codes of the image's rows that are still to be decoded, without computing pixels, after
// a call of imaging_huffman_take_over that returned 1. Only destroy `codec` afterwards.
void imaging_huffman_read_rest(j_decompress_ptr codec);
