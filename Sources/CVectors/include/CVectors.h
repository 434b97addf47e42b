// Nearest vectors: exact scans, and a graph.
#include "graph.h"
#include "scan.h"
