// A hierarchical navigable small-world graph (Malkov and Yashunin, 2018) over unit vectors, through
// hnswlib.
//
// A C interface. Every exception of the library becomes a message, which the caller frees.
#ifndef CVECTORS_GRAPH_H
#define CVECTORS_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hnsw_graph hnsw_graph;

// Creates an empty graph for `capacity` vectors of `width` numbers. `links` is the number of
// neighbours per vector (M); `effort` is the number of candidates considered for each added vector
// (efConstruction).
hnsw_graph *hnsw_make(
    int32_t width, int64_t capacity, int32_t links, int32_t effort, char **message);

// Reads a graph from the bytes of a file that `hnsw_write` wrote. `effort` is the number of
// candidates that a search considers (ef).
//
// The bytes are not trusted: the sizes, the labels, which must be 0 ..< `count` in any order, and
// every link are checked, so that a search never reads outside the graph.
hnsw_graph *hnsw_read(
    const void *bytes, int64_t size, int32_t width, int64_t count, int32_t effort, char **message);

// Adds vectors with consecutive labels. Several threads may add to one graph. Returns false on
// failure.
int hnsw_add(
    hnsw_graph *graph, const float *rows, int64_t count, int64_t first_label, char **message);

// Returns the number of bytes that `hnsw_write` writes.
int64_t hnsw_size(const hnsw_graph *graph);

// Receives bytes; returns false to stop.
typedef int (*hnsw_sink)(void *context, const void *bytes, size_t count);

// Passes the graph to a sink, in the library's format. Returns false if the sink stopped, or on
// failure.
int hnsw_write(const hnsw_graph *graph, hnsw_sink sink, void *context, char **message);

// Writes the labels of approximately the `count` nearest vectors by inner product, in no particular
// order. Returns their number, or -1 on failure. Several threads may search one graph.
int64_t hnsw_search(
    const hnsw_graph *graph, const float *query, int64_t count, int64_t *labels, char **message);

void hnsw_free(hnsw_graph *graph);

#ifdef __cplusplus
}
#endif

#endif
