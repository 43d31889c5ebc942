#pragma once
#include "CLinux.h"

#include <stddef.h>

#pragma clang assume_nonnull begin

struct clone_args;

/// clone3(2) and, in the child, everything up to its program. Answers the pid or the negated errno. `request` and all
/// that it points to lie in memory that is not withheld.
long hf_clone_child(struct clone_args *arguments, size_t size, struct hf_spawn_request *request);

/// Where the child side has its code and its constants.
void hf_child_addresses(uint64_t addresses[_Nonnull 2]);

/// Withholds what the heap has grown by; nothing unless `hf_withhold_memory` was called.
void hf_withhold_new_heap(void);

#pragma clang assume_nonnull end
