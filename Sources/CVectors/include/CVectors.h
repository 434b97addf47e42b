// Searches for the nearest vectors, by exact scans and by a graph.
#include "graph.h"
#include "scan.h"
