#include "graph.h"

#include "scan.h"

#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

namespace {

// Returns 1 - inner product, with the same instructions as the exact scan; hnswlib would choose its
// own at compile time.
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

// Runs `body`, and turns an exception into a message and `failure`.
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

namespace {

using Index = hnswlib::HierarchicalNSW<float>;
using hnswlib::tableint;

// The data before the vectors, in the order of the library's own writer.
struct Header {
    size_t offset_level0, capacity, count, element_size, label_offset, data_offset;
    int32_t top_level;
    tableint entry;
    size_t upper_links, level0_links, links;
    double multiplier;
    size_t effort;

    explicit Header(const Index &index)
        : offset_level0(index.offsetLevel0_), capacity(index.max_elements_),
          count(index.cur_element_count), element_size(index.size_data_per_element_),
          label_offset(index.label_offset_), data_offset(index.offsetData_),
          top_level(index.maxlevel_), entry(index.enterpoint_node_),
          upper_links(index.maxM_), level0_links(index.maxM0_), links(index.M_),
          multiplier(index.mult_), effort(index.ef_construction_) {}
    Header() = default;
};
static_assert(sizeof(Header) == 96, "the header has no padding, as in the file");

[[noreturn]] void refuse(const char *reason) { throw std::runtime_error(reason); }

// Reads the bytes part by part.
class Cursor {
  public:
    Cursor(const void *bytes, size_t size) : next(static_cast<const char *>(bytes)), left(size) {}
    const char *take(size_t count) {
        if (count > left) refuse("it is cut short");
        const char *start = next;
        next += count;
        left -= count;
        return start;
    }
    template <typename Value>
    Value read() {
        Value value;
        std::memcpy(&value, take(sizeof value), sizeof value);
        return value;
    }
    bool is_at_end() const { return left == 0; }

  private:
    const char *next;
    size_t left;
};

int level(const Index &index, size_t element) { return index.element_levels_[element]; }

// Checks that the links of a list lead to elements that exist at the height of the list.
void check_links(const Index &index, hnswlib::linklistsizeint *list, size_t capacity, int height) {
    const size_t count = index.getListCount(list);
    if (count > capacity) refuse("an element has too many neighbours");
    for (size_t i = 0; i < count; i++) {
        tableint neighbour;
        std::memcpy(&neighbour, reinterpret_cast<char *>(list + 1 + i), sizeof neighbour);
        if (neighbour >= index.cur_element_count || level(index, neighbour) < height)
            refuse("a link leads to an element that does not exist at its level");
    }
}

// Fills an empty graph with the elements after the header.
void read_elements(Index &index, Cursor &cursor, const Header &header) {
    const size_t count = header.count;
    std::memcpy(
        index.data_level0_memory_, cursor.take(count * header.element_size),
        count * header.element_size);
    index.cur_element_count = count;
    index.maxlevel_ = header.top_level;
    index.enterpoint_node_ = header.entry;
    for (size_t i = 0; i < count; i++) {
        const auto size = cursor.read<uint32_t>();
        if (size % index.size_links_per_element_ != 0) refuse("a list of links has a wrong length");
        if (size > 0) {
            const char *links = cursor.take(size);
            index.linkLists_[i] = static_cast<char *>(std::malloc(size));
            if (index.linkLists_[i] == nullptr) throw std::bad_alloc();
            std::memcpy(index.linkLists_[i], links, size);
        }
        index.element_levels_[i] = static_cast<int>(size / index.size_links_per_element_);
    }
    if (!cursor.is_at_end()) refuse("it has too many bytes");
}

void check_elements(Index &index) {
    const size_t count = index.cur_element_count;
    std::vector<bool> seen(count);
    for (size_t i = 0; i < count; i++) {
        const auto element = static_cast<tableint>(i);
        const size_t label = index.getExternalLabel(element);
        if (label >= count || seen[label]) refuse("its labels are not those of the index");
        seen[label] = true;
        index.label_lookup_[label] = element;
        if (index.isMarkedDeleted(element)) refuse("an element is marked as deleted");
        if (level(index, i) > index.maxlevel_) refuse("an element is above the highest level");
        check_links(index, index.get_linklist0(element), index.maxM0_, 0);
        for (int height = 1; height <= level(index, i); height++)
            check_links(index, index.get_linklist(element, height), index.maxM_, height);
    }
    if (count > 0 && (index.enterpoint_node_ >= count ||
                      level(index, index.enterpoint_node_) != index.maxlevel_))
        refuse("its entry point does not exist at the highest level");
}

}  // namespace

hnsw_graph *hnsw_read(
    const void *bytes, int64_t size, int32_t width, int64_t count, int32_t effort,
    char **message) {
    return guarded<hnsw_graph *>(message, nullptr, [&] {
        Cursor cursor(bytes, static_cast<size_t>(size));
        const auto header = cursor.read<Header>();
        if (header.count != static_cast<size_t>(count))
            refuse("it does not hold as many vectors as the index");
        if (header.links < 2 || header.links > 1024) refuse("its number of links is not 2 to 1024");
        // Checked before memory is allocated for the count in the header.
        if (header.count > static_cast<size_t>(size) / (sizeof(float) * static_cast<size_t>(width)))
            refuse("it is cut short");
        auto graph = std::make_unique<hnsw_graph>(width);
        graph->index = std::make_unique<Index>(
            &graph->space, std::max<size_t>(header.count, 1), header.links, header.effort);
        Index &index = *graph->index;
        // The library computes the layout from the width and the number of links.
        const Header expected(index);
        if (header.element_size != expected.element_size ||
            header.label_offset != expected.label_offset ||
            header.data_offset != expected.data_offset ||
            header.offset_level0 != expected.offset_level0 ||
            header.upper_links != expected.upper_links ||
            header.level0_links != expected.level0_links)
            refuse("its vectors have another width than those of the index");
        read_elements(index, cursor, header);
        check_elements(index);
        index.setEf(static_cast<size_t>(effort));
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

int64_t hnsw_size(const hnsw_graph *graph) {
    const Index &index = *graph->index;
    const size_t count = index.cur_element_count;
    size_t size = sizeof(Header) + count * (index.size_data_per_element_ + sizeof(uint32_t));
    for (size_t i = 0; i < count; i++)
        size += static_cast<size_t>(level(index, i)) * index.size_links_per_element_;
    return static_cast<int64_t>(size);
}

int hnsw_write(const hnsw_graph *graph, hnsw_sink sink, void *context, char **message) {
    return guarded(message, 0, [&] {
        const Index &index = *graph->index;
        const size_t count = index.cur_element_count;
        const Header header(index);
        if (!sink(context, &header, sizeof header)) return 0;
        const size_t element_size = index.size_data_per_element_;
        const size_t step = std::max<size_t>(1, (1 << 20) / element_size);
        for (size_t i = 0; i < count; i += step) {
            const size_t bytes = std::min(step, count - i) * element_size;
            if (!sink(context, index.data_level0_memory_ + i * element_size, bytes)) return 0;
        }
        std::vector<char> links;
        for (size_t i = 0; i < count; i++) {
            const auto size =
                static_cast<uint32_t>(level(index, i) * index.size_links_per_element_);
            const auto *bytes = reinterpret_cast<const char *>(&size);
            links.insert(links.end(), bytes, bytes + sizeof size);
            if (size > 0) links.insert(links.end(), index.linkLists_[i], index.linkLists_[i] + size);
            if (links.size() < (1 << 20) && i + 1 < count) continue;
            if (!sink(context, links.data(), links.size())) return 0;
            links.clear();
        }
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
