#pragma once
#include "CSensors.h"

// libsensors, as its thread uses it.

/// Opens and initialises it, or has it look at the machine anew. On failure `problem` is written.
int hf_library_open(char *problem, size_t size);

/// Adds its sensors to a list: how many there are then.
int hf_library_list(struct hf_sensor *sensors, int count, int capacity);

/// A subfeature's value: 0, or libsensors' negative error number.
int hf_library_read(const struct hf_sensor *sensor, int subfeature, double *value);

/// From now on it is not initialised any more: a thread is stuck in it, and what that one uses must stay as it is.
void hf_library_give_up(void);
int hf_library_is_given_up(void);
