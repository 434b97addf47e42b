#include "graph.h"

#include "scan.h"

#include <hnswlib/hnswlib.h>

#include <cstring>
#include <exception>
#include <memory>
#include <string>

namespace {

// 1 - inner product, by the same instructions as the exact scan; hnswlib's own are chosen when it is
// compiled.
float distance(const void *a, const void *b, const void *width) {
    return 1 - vectors_product(
                   static_cast<const float *>(a), static_cast<const float *>(b),
                   *static_cast<const int32_t *>(width));
}

class Space : public hnswlib::SpaceInterface<float> {
  public:
    explicit Space(int32_t width) : width(width) {}
    size_t get_data_size() override { return sizeof(float) * static_cast<size_t>(width); }
    hnswlib::DISTFUNC<float> get_dist_func() override { return distance; }
    void *get_dist_func_param() override { return &width; }

  private:
    int32_t width;
};

void report(char **message, const char *text) { *message = strdup(text); }

}  // namespace

struct hnsw_graph {
    explicit hnsw_graph(int32_t width) : space(width) {}
    Space space;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> index;
};

// Runs `body` and turns what it throws into a message and `failure`.
template <typename Result, typename Body>
static Result guarded(char **message, Result failure, Body body) {
    try {
        return body();
    } catch (const std::exception &error) {
        report(message, error.what());
    } catch (...) {
        report(message, "unknown failure");
    }
    return failure;
}

hnsw_graph *hnsw_make(
    int32_t width, int64_t capacity, int32_t links, int32_t effort, char **message) {
    return guarded<hnsw_graph *>(message, nullptr, [&] {
        auto graph = std::make_unique<hnsw_graph>(width);
        graph->index = std::make_unique<hnswlib::HierarchicalNSW<float>>(
            &graph->space, static_cast<size_t>(capacity), static_cast<size_t>(links),
            static_cast<size_t>(effort));
        return graph.release();
    });
}

hnsw_graph *hnsw_open(const char *path, int32_t width, int32_t effort, char **message) {
    return guarded<hnsw_graph *>(message, nullptr, [&] {
        auto graph = std::make_unique<hnsw_graph>(width);
        graph->index = std::make_unique<hnswlib::HierarchicalNSW<float>>(
            &graph->space, std::string(path));
        graph->index->setEf(static_cast<size_t>(effort));
        return graph.release();
    });
}

int hnsw_add(
    hnsw_graph *graph, const float *rows, int64_t count, int64_t first_label, char **message) {
    return guarded(message, 0, [&] {
        const auto width = graph->space.get_data_size() / sizeof(float);
        for (int64_t row = 0; row < count; row++)
            graph->index->addPoint(
                rows + static_cast<size_t>(row) * width, static_cast<size_t>(first_label + row));
        return 1;
    });
}

int hnsw_write(hnsw_graph *graph, const char *path, char **message) {
    return guarded(message, 0, [&] {
        graph->index->saveIndex(path);
        return 1;
    });
}

int64_t hnsw_search(
    const hnsw_graph *graph, const float *query, int64_t count, int64_t *labels, char **message) {
    return guarded<int64_t>(message, -1, [&] {
        auto found = graph->index->searchKnn(query, static_cast<size_t>(count));
        int64_t number = 0;
        for (; !found.empty(); found.pop())
            labels[number++] = static_cast<int64_t>(found.top().second);
        return number;
    });
}

void hnsw_free(hnsw_graph *graph) { delete graph; }
