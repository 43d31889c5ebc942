#pragma once
#include <archive.h>
#include <archive_entry.h>

// What is used of libarchive.
#define HF_FUNCTIONS(FUNCTION)                                                                                         \
    FUNCTION(archive_error_string)                                                                                     \
    FUNCTION(archive_read_new)                                                                                         \
    FUNCTION(archive_read_support_filter_gzip)                                                                         \
    FUNCTION(archive_read_support_filter_zstd)                                                                         \
    FUNCTION(archive_read_support_format_tar)                                                                          \
    FUNCTION(archive_read_open)                                                                                        \
    FUNCTION(archive_read_next_header)                                                                                 \
    FUNCTION(archive_read_data)                                                                                        \
    FUNCTION(archive_read_free)                                                                                        \
    FUNCTION(archive_filter_count)                                                                                     \
    FUNCTION(archive_filter_code)                                                                                      \
    FUNCTION(archive_entry_pathname)                                                                                   \
    FUNCTION(archive_entry_filetype)                                                                                   \
    FUNCTION(archive_entry_mode)                                                                                       \
    FUNCTION(archive_entry_size)                                                                                       \
    FUNCTION(archive_entry_size_is_set)                                                                                \
    FUNCTION(archive_entry_symlink)                                                                                    \
    FUNCTION(archive_entry_hardlink)                                                                                   \
    FUNCTION(archive_entry_new)                                                                                        \
    FUNCTION(archive_entry_clear)                                                                                      \
    FUNCTION(archive_entry_free)                                                                                       \
    FUNCTION(archive_entry_set_pathname)                                                                               \
    FUNCTION(archive_entry_set_filetype)                                                                               \
    FUNCTION(archive_entry_set_perm)                                                                                   \
    FUNCTION(archive_entry_set_size)                                                                                   \
    FUNCTION(archive_entry_set_symlink)                                                                                \
    FUNCTION(archive_entry_set_mtime)                                                                                  \
    FUNCTION(archive_entry_set_uid)                                                                                    \
    FUNCTION(archive_entry_set_gid)                                                                                    \
    FUNCTION(archive_write_new)                                                                                        \
    FUNCTION(archive_write_add_filter_gzip)                                                                            \
    FUNCTION(archive_write_add_filter_zstd)                                                                            \
    FUNCTION(archive_write_set_format_pax_restricted)                                                                  \
    FUNCTION(archive_write_set_options)                                                                                \
    FUNCTION(archive_write_set_bytes_in_last_block)                                                                    \
    FUNCTION(archive_write_open)                                                                                       \
    FUNCTION(archive_write_header)                                                                                     \
    FUNCTION(archive_write_data)                                                                                       \
    FUNCTION(archive_write_close)                                                                                      \
    FUNCTION(archive_write_free)

#define HF_MEMBER(name) __typeof__(name) *p_##name;

/// The functions, once the library is open.
extern struct hf_archive_functions { HF_FUNCTIONS(HF_MEMBER) } hf_archive_functions;

/// Calls a function of the library.
#define CALL(name) (*hf_archive_functions.p_##name)
