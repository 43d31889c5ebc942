#pragma once
#include <stddef.h>

// The journal through libsystemd, opened only when a journal is wanted: with its compression and hash libraries it
// costs a process about 1 MB, which holdfastd, the same binary, must not pay.

#pragma clang assume_nonnull begin

/// One field of an entry, "NAME=value" without a terminator.
struct hf_journal_field {
    const void *bytes;
    size_t count;
};

/// Whether journald's socket exists.
int hf_journal_is_present(void);

/// Opens libsystemd: null, or why it could not be.
const char *_Nullable hf_journal_load(void);

/// sd_journal_sendv(3), which as such blocks for as long as journald does not read (measured with libsystemd 252: after
/// net.unix.max_dgram_qlen entries, for ever). Here it never blocks: 0, or a negative errno; -EAGAIN when the journal
/// takes no more now. At most HF_JOURNAL_FIELDS_MAX fields.
int hf_journal_send(const struct hf_journal_field *fields, int count);
#define HF_JOURNAL_FIELDS_MAX 16

/// Waits until the journal takes an entry, for at most so many milliseconds: 1 if it does, 0 if not.
int hf_journal_wait(int milliseconds);

#pragma clang assume_nonnull end
