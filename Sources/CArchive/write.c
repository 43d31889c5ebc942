#include "library.h"
#include "CArchive.h"

#include <stdio.h>
#include <stdlib.h>

struct hf_pack {
    struct archive *archive;
    struct archive_entry *entry;
    struct hf_archive_sink sink;
};

static const char *problem_of(struct archive *archive) {
    const char *text = CALL(archive_error_string)(archive);
    return text ? text : "no reason is given";
}

static la_ssize_t on_write(struct archive *archive, void *context, const void *bytes, size_t size) {
    struct hf_pack *pack = context;
    (void)archive;
    return pack->sink.write(pack->sink.context, bytes, size) ? -1 : (la_ssize_t)size;
}

struct hf_pack *hf_pack_begin(struct hf_archive_sink sink, enum hf_compression compression, char *problem, size_t size) {
    struct hf_pack *pack = calloc(1, sizeof *pack);
    if (!pack || !(pack->archive = CALL(archive_write_new)()) || !(pack->entry = CALL(archive_entry_new)())) {
        snprintf(problem, size, "there is no memory");
        if (pack && pack->archive) CALL(archive_write_free)(pack->archive);
        free(pack);
        return NULL;
    }
    pack->sink = sink;
    struct archive *archive = pack->archive;
    int status = compression == HF_GZIP ? CALL(archive_write_add_filter_gzip)(archive)
                                        : CALL(archive_write_add_filter_zstd)(archive);
    if (status == ARCHIVE_OK) status = CALL(archive_write_set_format_pax_restricted)(archive);
    // Level 9 of zstd has a window of 4 MiB: what a reader needs in memory. gzip would put the time of day into its header.
    if (status == ARCHIVE_OK)
        status = CALL(archive_write_set_options)(archive, compression == HF_GZIP ? "gzip:compression-level=9,gzip:!timestamp"
                                                                                 : "zstd:compression-level=9");
    if (status == ARCHIVE_OK) status = CALL(archive_write_set_bytes_in_last_block)(archive, 1);
    if (status == ARCHIVE_OK) status = CALL(archive_write_open)(archive, pack, NULL, on_write, NULL);
    if (status == ARCHIVE_OK) return pack;
    snprintf(problem, size, "%s", problem_of(archive));
    hf_pack_free(pack);
    return NULL;
}

int hf_pack_entry(struct hf_pack *pack, const char *path, uint32_t mode, int64_t size, const char *target) {
    struct archive_entry *entry = CALL(archive_entry_clear)(pack->entry);
    CALL(archive_entry_set_pathname)(entry, path);
    CALL(archive_entry_set_filetype)(entry, target ? AE_IFLNK : AE_IFREG);
    CALL(archive_entry_set_perm)(entry, mode);
    CALL(archive_entry_set_size)(entry, size);
    if (target) CALL(archive_entry_set_symlink)(entry, target);
    CALL(archive_entry_set_mtime)(entry, 0, 0);
    CALL(archive_entry_set_uid)(entry, 0);
    CALL(archive_entry_set_gid)(entry, 0);
    return CALL(archive_write_header)(pack->archive, entry) == ARCHIVE_OK ? 0 : -1;
}

int hf_pack_data(struct hf_pack *pack, const void *bytes, size_t size) {
    return CALL(archive_write_data)(pack->archive, bytes, size) == (la_ssize_t)size ? 0 : -1;
}

int hf_pack_finish(struct hf_pack *pack) { return CALL(archive_write_close)(pack->archive) == ARCHIVE_OK ? 0 : -1; }

const char *hf_pack_problem(struct hf_pack *pack) { return problem_of(pack->archive); }

void hf_pack_free(struct hf_pack *pack) {
    CALL(archive_write_free)(pack->archive);
    CALL(archive_entry_free)(pack->entry);
    free(pack);
}
