#include "CTOML.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "shape_scan.hpp"
#include "tomlplusplus.hpp"

struct hf_toml_document {
    toml::table root;
    std::vector<hf_toml_node> nodes;
    bool failed = false;
    std::string reason;
    hf_toml_text failure{};
    hf_toml_position failure_position{};
};

namespace {

hf_toml_position position(const toml::source_region &region) noexcept {
    return {region.begin.line, region.begin.column};
}

hf_toml_text text(std::string_view view) noexcept { return {view.data(), view.size()}; }

int32_t kind(const toml::node &node) noexcept {
    switch (node.type()) {
    case toml::node_type::array: return hf_toml_array;
    case toml::node_type::string: return hf_toml_string;
    case toml::node_type::integer: return hf_toml_integer;
    case toml::node_type::floating_point: return hf_toml_float;
    case toml::node_type::boolean: return hf_toml_boolean;
    case toml::node_type::date: return hf_toml_date;
    case toml::node_type::time: return hf_toml_time;
    case toml::node_type::date_time: return hf_toml_date_time;
    default: return hf_toml_table;
    }
}

void append(std::vector<hf_toml_node> &nodes, const toml::node &node, const toml::key *key);

/// toml++ sorts a table by key; people read and write it by position.
void append_children(std::vector<hf_toml_node> &nodes, const toml::table &table) {
    using entry = std::pair<const toml::key *, const toml::node *>;
    std::vector<entry> entries;
    entries.reserve(table.size());
    for (auto &&[key, value] : table) entries.emplace_back(&key, &value);
    std::sort(entries.begin(), entries.end(), [](const entry &left, const entry &right) {
        return left.first->source().begin < right.first->source().begin;
    });
    for (const entry &child : entries) append(nodes, *child.second, child.first);
}

void append(std::vector<hf_toml_node> &nodes, const toml::node &node, const toml::key *key) {
    hf_toml_node flat{};
    flat.kind = kind(node);
    flat.position = position(node.source());
    if (key) {
        flat.key = text(key->str());
        flat.key_position = position(key->source());
    }
    if (auto value = node.as_string()) {
        flat.string = text(value->get());
    } else if (auto value = node.as_integer()) {
        flat.integer = value->get();
    } else if (auto value = node.as_floating_point()) {
        flat.real = value->get();
    } else if (auto value = node.as_boolean()) {
        flat.integer = value->get() ? 1 : 0;
    } else if (auto table = node.as_table()) {
        flat.child_count = static_cast<uint32_t>(table->size());
    } else if (auto array = node.as_array()) {
        flat.child_count = static_cast<uint32_t>(array->size());
    }
    nodes.push_back(flat);
    if (auto table = node.as_table()) append_children(nodes, *table);
    if (auto array = node.as_array()) {
        for (auto &&element : *array) append(nodes, element, nullptr);
    }
}

/// The parser's words without what only its own users understand.
std::string reason(const toml::parse_error &error) {
    std::string text{error.description()};
    for (std::string_view noise : {"Error while parsing ", " (TOML_MAX_NESTED_VALUES)"}) {
        if (auto found = text.find(noise); found != std::string::npos) text.erase(found, noise.size());
    }
    return text;
}

void fail(hf_toml_document &document, std::string reason, hf_toml_position position) {
    document.failed = true;
    document.reason = std::move(reason);
    document.failure = text(document.reason);
    document.failure_position = position;
}

void parse(hf_toml_document &document, std::string_view bytes) {
    hf_toml_position place{};
    if (const char *fault = holdfast::shape_scan{bytes}.find_fault(place)) {
        fail(document, fault, place);
        return;
    }
    toml::parse_result result = toml::parse(bytes);
    if (result.failed()) {
        fail(document, reason(result.error()), position(result.error().source()));
        return;
    }
    document.root = std::move(result).table();
    append(document.nodes, document.root, nullptr);
}

} // namespace

// Exceptions cannot pass into Swift: the standard library throws when memory is exhausted.
hf_toml_document *hf_toml_parse(const uint8_t *bytes, size_t count) {
    try {
        auto document = std::make_unique<hf_toml_document>();
        parse(*document, {reinterpret_cast<const char *>(bytes), bytes ? count : 0});
        return document.release();
    } catch (...) {
        return nullptr;
    }
}

const hf_toml_text *hf_toml_failure(const hf_toml_document *document, hf_toml_position *position) {
    *position = document->failure_position;
    return document->failed ? &document->failure : nullptr;
}

const hf_toml_node *hf_toml_nodes(const hf_toml_document *document, size_t *count) {
    *count = document->nodes.size();
    return document->nodes.data();
}

void hf_toml_free(hf_toml_document *document) { delete document; }
