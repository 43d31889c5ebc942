#pragma once
#include <cstddef>
#include <string_view>

#include "CTOML.h"

namespace holdfast {

/// Finds the first dotted key of more than HF_TOML_MAX_DEPTH parts. toml++ limits the nesting of values but not of
/// dotted keys, and frees what it built by recursion: a header of some 100,000 parts would exhaust the stack.
///
/// This reads strings and comments as TOML does, so that dots within them do not count. Where it might read a broken
/// text otherwise than the parser, the parser has stopped before, at the error.
class key_depth_scan {
  public:
    explicit key_depth_scan(std::string_view text) noexcept : text_{text} {}

    /// Whether such a key exists; `position` then says where it becomes too deep.
    bool finds_too_deep_key(hf_toml_position &position) noexcept;

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

inline void key_depth_scan::advance() noexcept {
    const char byte = text_[offset_++];
    if (byte == '\n') {
        position_ = {position_.line + 1, 1};
    } else if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80) { // continuation bytes share their column
        position_.column++;
    }
}

inline void key_depth_scan::skip_comment() noexcept {
    while (offset_ < text_.size() && text_[offset_] != '\n') advance();
}

inline void key_depth_scan::skip_string(char quote) noexcept {
    const char fence[] = {quote, quote, quote};
    const bool is_multi_line = looking_at({fence, 3});
    for (int i = 0; i < (is_multi_line ? 3 : 1); i++) advance();
    while (offset_ < text_.size()) {
        if (quote == '"' && text_[offset_] == '\\') {
            advance();
            if (offset_ < text_.size()) advance();
        } else if (is_multi_line && looking_at({fence, 3})) {
            // Up to two quotes may stand right before the closing three.
            while (offset_ < text_.size() && text_[offset_] == quote) advance();
            return;
        } else if (!is_multi_line && (text_[offset_] == quote || text_[offset_] == '\n')) {
            advance();
            return;
        } else {
            advance();
        }
    }
}

inline bool key_depth_scan::finds_too_deep_key(hf_toml_position &position) noexcept {
    int dots = 0;
    while (offset_ < text_.size()) {
        switch (text_[offset_]) {
        case '#': skip_comment(); break;
        case '"':
        case '\'': skip_string(text_[offset_]); break;
        case '.':
            if (++dots >= HF_TOML_MAX_DEPTH) {
                position = position_;
                return true;
            }
            advance();
            break;
        case '\n':
        case '=':
        case ',':
        case '[':
        case ']':
        case '{':
        case '}':
            dots = 0;
            advance();
            break;
        default: advance();
        }
    }
    return false;
}

} // namespace holdfast
