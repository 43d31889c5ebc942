#include "library.h"
#include "CArchive.h"

#include <stdio.h>
#include <stdlib.h>

struct hf_unpack {
    struct archive *archive;
    struct hf_archive_source source;
};

static const char *problem_of(struct archive *archive) {
    const char *text = CALL(archive_error_string)(archive);
    return text ? text : "no reason is given";
}

static la_ssize_t on_read(struct archive *archive, void *context, const void **bytes) {
    struct hf_unpack *unpack = context;
    (void)archive;
    return (la_ssize_t)unpack->source.read(unpack->source.context, bytes);
}

struct hf_unpack *hf_unpack_begin(struct hf_archive_source source, enum hf_compression compression, char *problem,
                                  size_t size) {
    struct hf_unpack *unpack = calloc(1, sizeof *unpack);
    if (!unpack || !(unpack->archive = CALL(archive_read_new)())) {
        snprintf(problem, size, "there is no memory");
        free(unpack);
        return NULL;
    }
    unpack->source = source;
    struct archive *archive = unpack->archive;
    // A warning says that a program would be run instead of the library: never.
    int status = compression == HF_GZIP ? CALL(archive_read_support_filter_gzip)(archive)
                                        : CALL(archive_read_support_filter_zstd)(archive);
    if (status == ARCHIVE_OK) status = CALL(archive_read_support_format_tar)(archive);
    if (status == ARCHIVE_OK) status = CALL(archive_read_open)(archive, unpack, NULL, on_read, NULL);
    int wanted = compression == HF_GZIP ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_ZSTD;
    // One layer, and the bytes below: layers within layers are how bombs are made small.
    if (status == ARCHIVE_OK &&
        (CALL(archive_filter_count)(archive) != 2 || CALL(archive_filter_code)(archive, 0) != wanted)) {
        snprintf(problem, size, "it is compressed more than once, or not at all");
    } else if (status != ARCHIVE_OK) {
        snprintf(problem, size, "%s", problem_of(archive));
    } else {
        return unpack;
    }
    hf_unpack_free(unpack);
    return NULL;
}

int hf_unpack_next(struct hf_unpack *unpack, struct hf_entry *out) {
    struct archive_entry *entry = NULL;
    int status = CALL(archive_read_next_header)(unpack->archive, &entry);
    if (status == ARCHIVE_EOF) return 0;
    // A warning is about a name that is no text here: the name says so, too.
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return -1;
    __LA_MODE_T type = CALL(archive_entry_filetype)(entry);
    out->path = CALL(archive_entry_pathname)(entry);
    out->type = type == AE_IFREG   ? HF_ENTRY_FILE
                : type == AE_IFLNK ? HF_ENTRY_LINK
                : type == AE_IFDIR ? HF_ENTRY_FOLDER
                                   : HF_ENTRY_OTHER;
    if (CALL(archive_entry_hardlink)(entry)) out->type = HF_ENTRY_HARD_LINK;
    out->mode = CALL(archive_entry_mode)(entry) & 07777;
    out->size = CALL(archive_entry_size_is_set)(entry) ? (int64_t)CALL(archive_entry_size)(entry) : -1;
    out->target = type == AE_IFLNK ? CALL(archive_entry_symlink)(entry) : NULL;
    return 1;
}

int64_t hf_unpack_data(struct hf_unpack *unpack, void *buffer, size_t size) {
    la_ssize_t count = CALL(archive_read_data)(unpack->archive, buffer, size);
    return count < 0 ? -1 : count;
}

const char *hf_unpack_problem(struct hf_unpack *unpack) { return problem_of(unpack->archive); }

void hf_unpack_free(struct hf_unpack *unpack) {
    CALL(archive_read_free)(unpack->archive);
    free(unpack);
}
