#pragma once
#include <stddef.h>
#include <stdint.h>

// Reads and writes tar archives, compressed by zstd or gzip, by libarchive as the device has it. Opened with dlopen(3) by who
// handles a bundle: the resident processes are the same binary, and do without. Nothing is ever written to disk here, and no
// policy lives here but that exactly one layer of compression and no other format is taken.

#pragma clang assume_nonnull begin

/// Opens libarchive: 0, or -1 with what is missing, for a person, in `problem`. Again after a success it does nothing.
int hf_archive_load(char *problem, size_t size);

enum hf_compression { HF_ZSTD, HF_GZIP };

// MARK: Reading

/// Where the bytes of an archive come from.
struct hf_archive_source {
    void *_Nullable context;
    /// The next piece, valid until the next call: its size, 0 at the end, or -1.
    int64_t (*read)(void *_Nullable context, const void *_Nullable *_Nonnull bytes);
};

enum hf_entry_type { HF_ENTRY_FILE, HF_ENTRY_LINK, HF_ENTRY_HARD_LINK, HF_ENTRY_FOLDER, HF_ENTRY_OTHER };

/// What an archive says of an entry; the texts are valid until the next one. Owners, times, ACLs and attributes are left out.
struct hf_entry {
    /// As it stands there; null when it is no text of this locale.
    const char *_Nullable path;
    enum hf_entry_type type;
    /// The lower twelve bits.
    uint32_t mode;
    /// In bytes; -1 when it is not said.
    int64_t size;
    /// Of a symbolic link.
    const char *_Nullable target;
};

struct hf_unpack;

/// Null when it fails; `problem` says why.
struct hf_unpack *_Nullable hf_unpack_begin(struct hf_archive_source source, enum hf_compression compression, char *problem,
                                            size_t size);
/// 1 with the next entry, 0 at the end, or -1.
int hf_unpack_next(struct hf_unpack *unpack, struct hf_entry *entry);
/// Bytes of the entry: how many, 0 at its end, or -1.
int64_t hf_unpack_data(struct hf_unpack *unpack, void *buffer, size_t size);
/// What went wrong; valid until the next call.
const char *hf_unpack_problem(struct hf_unpack *unpack);
void hf_unpack_free(struct hf_unpack *unpack);

// MARK: Writing

/// Where the bytes of an archive go.
struct hf_archive_sink {
    void *_Nullable context;
    /// Takes everything: 0, or -1.
    int (*write)(void *_Nullable context, const void *bytes, size_t size);
};

struct hf_pack;

/// Null when it fails; `problem` says why. The same entries give the same bytes, with the same libraries.
struct hf_pack *_Nullable hf_pack_begin(struct hf_archive_sink sink, enum hf_compression compression, char *problem,
                                        size_t size);
/// Begins a file of so many bytes, which have to follow, or a symbolic link where there is a target: 0, or -1. Owner and group
/// are 0, all times are 1970.
int hf_pack_entry(struct hf_pack *pack, const char *path, uint32_t mode, int64_t size, const char *_Nullable target);
/// Bytes of the file: 0, or -1.
int hf_pack_data(struct hf_pack *pack, const void *bytes, size_t size);
/// Writes the end: 0, or -1.
int hf_pack_finish(struct hf_pack *pack);
const char *hf_pack_problem(struct hf_pack *pack);
void hf_pack_free(struct hf_pack *pack);

#pragma clang assume_nonnull end
