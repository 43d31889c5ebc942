#include "library.h"

#include <dlfcn.h>
#include <sensors/sensors.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    __typeof__(sensors_init) *init;
    __typeof__(sensors_cleanup) *cleanup;
    __typeof__(sensors_get_detected_chips) *get_detected_chips;
    __typeof__(sensors_get_features) *get_features;
    __typeof__(sensors_get_label) *get_label;
    __typeof__(sensors_get_subfeature) *get_subfeature;
    __typeof__(sensors_get_value) *get_value;
    __typeof__(sensors_snprintf_chip_name) *snprintf_chip_name;
    /// That of the library's own C library: a sanitizer that is linked into this program has another one.
    __typeof__(free) *free;
} library;

static int is_initialised;
static atomic_int is_given_up;

void hf_library_give_up(void) { atomic_store(&is_given_up, 1); }

int hf_library_is_given_up(void) { return atomic_load(&is_given_up); }

static int load(char *problem, size_t size) {
    if (library.init) return 1;
    void *handle = dlopen("libsensors.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        snprintf(problem, size, "%s", dlerror());
        return 0;
    }
    // POSIX has dlsym(3) give functions as object pointers. The first member is set last: it says that all are there.
    const char *const names[] = {"sensors_cleanup",   "sensors_get_detected_chips", "sensors_get_features",
                                 "sensors_get_label", "sensors_get_subfeature",     "sensors_get_value",
                                 "sensors_snprintf_chip_name", "free", "sensors_init"};
    void **const places[] = {(void **)&library.cleanup,   (void **)&library.get_detected_chips,
                             (void **)&library.get_features, (void **)&library.get_label,
                             (void **)&library.get_subfeature, (void **)&library.get_value,
                             (void **)&library.snprintf_chip_name, (void **)&library.free, (void **)&library.init};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        *places[index] = dlsym(handle, names[index]);
        if (*places[index]) continue;
        snprintf(problem, size, "libsensors.so.5 has no %s", names[index]);
        library.init = NULL;
        return 0;
    }
    return 1;
}

int hf_library_open(char *problem, size_t size) {
    if (atomic_load(&is_given_up)) {
        snprintf(problem, size, "a thread is stuck in it");
        return 0;
    }
    if (!load(problem, size)) return 0;
    if (is_initialised) library.cleanup();
    is_initialised = 0;
    int error = library.init(NULL);
    if (error) {
        snprintf(problem, size, "sensors_init failed with %d; see sensors.conf(5)", error);
        return 0;
    }
    is_initialised = 1;
    return 1;
}

// What of a feature is its value and its limit, by preference.
static const struct {
    sensors_feature_type type;
    enum hf_sensor_kind kind;
    int values[2];
    int limits[2];
} classes[] = {
    {SENSORS_FEATURE_TEMP, HF_TEMPERATURE, {SENSORS_SUBFEATURE_TEMP_INPUT, -1},
     {SENSORS_SUBFEATURE_TEMP_CRIT, SENSORS_SUBFEATURE_TEMP_MAX}},
    {SENSORS_FEATURE_FAN, HF_FAN, {SENSORS_SUBFEATURE_FAN_INPUT, -1}, {SENSORS_SUBFEATURE_FAN_MAX, -1}},
    {SENSORS_FEATURE_IN, HF_VOLTAGE, {SENSORS_SUBFEATURE_IN_INPUT, -1},
     {SENSORS_SUBFEATURE_IN_CRIT, SENSORS_SUBFEATURE_IN_MAX}},
    {SENSORS_FEATURE_POWER, HF_POWER, {SENSORS_SUBFEATURE_POWER_INPUT, SENSORS_SUBFEATURE_POWER_AVERAGE},
     {SENSORS_SUBFEATURE_POWER_CRIT, SENSORS_SUBFEATURE_POWER_MAX}},
};

static int subfeature(const sensors_chip_name *chip, const sensors_feature *feature, const int *types) {
    for (int index = 0; index < 2; index++) {
        if (types[index] < 0) continue;
        const sensors_subfeature *found = library.get_subfeature(chip, feature, (sensors_subfeature_type)types[index]);
        if (found && (found->flags & SENSORS_MODE_R)) return found->number;
    }
    return -1;
}

static int is_taken(const struct hf_sensor *sensors, int count, const char *name) {
    for (int index = 0; index < count; index++) {
        if (strcmp(sensors[index].name, name) == 0) return 1;
    }
    return 0;
}

int hf_library_list(struct hf_sensor *sensors, int count, int capacity) {
    int chip_number = 0;
    const sensors_chip_name *chip;
    while ((chip = library.get_detected_chips(NULL, &chip_number))) {
        char chip_name[HF_SENSOR_NAME_MAX / 2];
        if (library.snprintf_chip_name(chip_name, sizeof chip_name, chip) < 0) continue;
        int feature_number = 0;
        const sensors_feature *feature;
        while ((feature = library.get_features(chip, &feature_number))) {
            for (size_t index = 0; index < sizeof classes / sizeof *classes; index++) {
                if (classes[index].type != feature->type || count == capacity) continue;
                int value = subfeature(chip, feature, classes[index].values);
                if (value < 0) continue;
                struct hf_sensor *sensor = &sensors[count];
                *sensor = (struct hf_sensor){.chip = chip, .kind = (int32_t)classes[index].kind, .value = value};
                sensor->limit = subfeature(chip, feature, classes[index].limits);
                sensor->zone = -1;
                char *label = library.get_label(chip, feature);
                snprintf(sensor->name, sizeof sensor->name, "%s/%.56s", chip_name, label ? label : feature->name);
                // Two cores of one name, on a chip with two dies.
                if (is_taken(sensors, count, sensor->name)) {
                    snprintf(sensor->name, sizeof sensor->name, "%s/%.40s (%.16s)", chip_name,
                             label ? label : feature->name, feature->name);
                }
                library.free(label);
                count++;
            }
        }
    }
    return count;
}

int hf_library_read(const struct hf_sensor *sensor, int subfeature, double *value) {
    return library.get_value(sensor->chip, subfeature, value);
}
