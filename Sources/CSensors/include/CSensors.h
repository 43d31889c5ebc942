#pragma once
#include <stddef.h>
#include <stdint.h>

// A thread that reads sensors and asks file systems for their room, since any such call may stay in the kernel for as
// long as a bus or a server does not answer. The event loop gives it one job at a time and can leave it behind: then it
// ends by itself once the kernel lets it go, and another thread carries on. libsensors is opened with dlopen(3), by the
// thread: its process may be one that shares this binary and needs no sensors.

#pragma clang assume_nonnull begin

#define HF_SENSOR_NAME_MAX 160
#define HF_SENSORS_MAX 512
#define HF_TASKS_MAX 1280

enum hf_sensor_kind { HF_TEMPERATURE = 0, HF_FAN = 1, HF_VOLTAGE = 2, HF_POWER = 3 };

/// A sensor that was found. `chip` belongs to libsensors and is null for a zone of the kernel's thermal framework.
struct hf_sensor {
    /// Unique, in whatever encoding the chip's label has.
    char name[HF_SENSOR_NAME_MAX];
    const void *_Nullable chip;
    /// An enum hf_sensor_kind.
    int32_t kind;
    /// libsensors' numbers of its subfeatures; -1 when there is none.
    int32_t value;
    int32_t limit;
    /// Of thermal_zoneN.
    int32_t zone;
};

enum hf_task_kind {
    /// Looks for sensors. The answer is 1 when the list is another one than before, else 0.
    HF_DISCOVER = 0,
    /// The same, unless the names in the folders of chips and zones are as they were.
    HF_DISCOVER_CHANGES = 1,
    /// A sensor's value, in degrees Celsius, turns a minute, volts or watts.
    HF_READ_VALUE = 2,
    /// What the chip calls its highest value (sensors.conf(5)): for a temperature crit, else max; for a zone its trip
    /// point critical, else hot.
    HF_READ_LIMIT = 3,
    /// How full the file system of a path is, in percent, as df(1) counts.
    HF_READ_SPACE = 4,
};

struct hf_task {
    /// An enum hf_task_kind.
    int32_t kind;
    /// Of a sensor.
    int32_t index;
    /// For HF_READ_SPACE; copied.
    const char *_Nullable path;
};

struct hf_answer {
    /// 0, an errno, or a negative error number of libsensors.
    int32_t status;
    double value;
};

struct hf_reader;

/// Starts a thread: null, and errno, when it cannot be. `former` is one that was abandoned, whose sensors this one knows
/// unless it was abandoned while looking for them; it may be null. `thermal` is /sys/class/thermal but for tests.
struct hf_reader *_Nullable hf_reader_start(const char *thermal, int uses_libsensors,
                                            const struct hf_reader *_Nullable former);

/// Readable when the job is done (eventfd(2)); of the reader.
int hf_reader_descriptor(const struct hf_reader *reader);

/// Gives an idle thread its next job, of at most HF_TASKS_MAX tasks: 0, or an errno.
int hf_reader_submit(struct hf_reader *reader, const struct hf_task *tasks, int count);

/// How many tasks of the job are done; the answers of those may be read at any time.
int hf_reader_done(const struct hf_reader *reader);
struct hf_answer hf_reader_answer(const struct hf_reader *reader, int task);

/// What was found; not while a job that looks for sensors is under way.
int hf_reader_sensor_count(const struct hf_reader *reader);
const struct hf_sensor *hf_reader_sensor(const struct hf_reader *reader, int index);

/// Why libsensors cannot be used, or null; under the same condition.
const char *_Nullable hf_reader_problem(const struct hf_reader *reader);

/// Leaves the thread to itself. What it still holds is freed when it ends. The pointer must not be used any longer.
void hf_reader_abandon(struct hf_reader *reader);

#pragma clang assume_nonnull end
