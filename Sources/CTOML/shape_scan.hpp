#pragma once
#include <cstddef>
#include <string_view>

#include "CTOML.h"

namespace holdfast {

/// Refuses text whose shape would hurt the parser, before it is parsed:
/// - a dotted key of more than HF_TOML_MAX_DEPTH parts: toml++ limits the nesting of values but not of dotted keys,
///   and frees what it built by recursion, so that a header of some 100,000 parts would exhaust the stack;
/// - more than HF_TOML_MAX_HEADERS table headers and dots together: toml++ searches a list of the tables so far for
///   each, so that a hostile text of 1 MiB would take it many seconds.
///
/// The scan reads strings and comments as TOML does. Where it might read a broken text otherwise than the parser, the
/// parser has stopped before, at the error.
class shape_scan {
  public:
    explicit shape_scan(std::string_view text) noexcept : text_{text} {}

    /// What is wrong with the text's shape, and at which position; null when nothing is.
    const char *find_fault(hf_toml_position &position) noexcept;

  private:
    void advance() noexcept;
    bool looking_at(std::string_view expected) const noexcept {
        return text_.substr(offset_, expected.size()) == expected;
    }
    void skip_comment() noexcept;
    void skip_string(char quote) noexcept;

    std::string_view text_;
    std::size_t offset_ = 0;
    hf_toml_position position_{1, 1};
};

inline void shape_scan::advance() noexcept {
    const char byte = text_[offset_++];
    if (byte == '\n') {
        position_ = {position_.line + 1, 1};
    } else if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80) { // continuation bytes share their column
        position_.column++;
    }
}

inline void shape_scan::skip_comment() noexcept {
    while (offset_ < text_.size() && text_[offset_] != '\n') advance();
}

inline void shape_scan::skip_string(char quote) noexcept {
    const char fence[] = {quote, quote, quote};
    const bool is_multi_line = looking_at({fence, 3});
    for (int i = 0; i < (is_multi_line ? 3 : 1); i++) advance();
    while (offset_ < text_.size()) {
        if (quote == '"' && text_[offset_] == '\\') {
            advance();
            if (offset_ < text_.size()) advance();
        } else if (is_multi_line && looking_at({fence, 3})) {
            // Up to two quotes may stand right before the closing three.
            for (int i = 0; i < 5 && offset_ < text_.size() && text_[offset_] == quote; i++) advance();
            return;
        } else if (!is_multi_line && (text_[offset_] == quote || text_[offset_] == '\n')) {
            advance();
            return;
        } else {
            advance();
        }
    }
}

inline const char *shape_scan::find_fault(hf_toml_position &position) noexcept {
    int dots_in_key = 0;
    int total = 0;
    bool is_line_start = true;
    while (offset_ < text_.size()) {
        const char byte = text_[offset_];
        position = position_;
        if (byte == '#') {
            skip_comment();
        } else if (byte == '"' || byte == '\'') {
            skip_string(byte);
            is_line_start = false;
        } else {
            if (byte == '.') {
                if (++dots_in_key >= HF_TOML_MAX_DEPTH) return "a key has too many parts";
                total++;
            } else if (std::string_view{"\n=,[]{}"}.find(byte) != std::string_view::npos) {
                dots_in_key = 0;
                if (byte == '[' && is_line_start) total++;
            }
            if (total > HF_TOML_MAX_HEADERS) return "there are too many tables and dotted keys";
            if (byte == '\n') {
                is_line_start = true;
            } else if (byte != ' ' && byte != '\t') {
                is_line_start = false;
            }
            advance();
        }
    }
    return nullptr;
}

} // namespace holdfast
