#include "library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

// fscanf and readdir of libsensors have buffers of a few KiB; only what is touched is ever memory.
#define STACK_BYTES (256 * 1024)
#define HWMON "/sys/class/hwmon"

struct hf_reader {
    /// The loop and the thread: whoever goes last frees it.
    atomic_int owners;
    atomic_int is_abandoned;
    /// Of the job: written by the loop before, read by the thread after.
    atomic_int submitted;
    atomic_int done;
    int wanted;
    int finished;
    int uses_libsensors;
    int count;
    int sensor_count;
    uint64_t signature;
    char *thermal;
    char problem[256];
    struct hf_task tasks[HF_TASKS_MAX];
    struct hf_answer answers[HF_TASKS_MAX];
    struct hf_sensor sensors[HF_SENSORS_MAX];
};

static void release(struct hf_reader *reader) {
    if (atomic_fetch_sub(&reader->owners, 1) > 1) return;
    for (int index = 0; index < reader->count; index++) free((void *)reader->tasks[index].path);
    close(reader->wanted);
    close(reader->finished);
    free(reader->thermal);
    free(reader);
}

// Not by strdup, whose memory is the C library's own where a sanitizer has another heap.
static char *copy(const char *text) {
    size_t size = strlen(text) + 1;
    char *copied = malloc(size);
    return copied ? memcpy(copied, text, size) : NULL;
}

// The first line of a file, or of whatever else may be at the path.
static int read_line(const char *path, char *line, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    ssize_t count = read(file, line, size - 1);
    int error = count < 0 ? errno : 0;
    close(file);
    if (error) return error;
    line[count] = 0;
    line[strcspn(line, "\n")] = 0;
    return 0;
}

// Millidegrees, as a thermal zone tells them. What is no number is one that nobody believes.
static int read_degrees(const char *path, double *value) {
    char line[64], *end;
    int error = read_line(path, line, sizeof line);
    if (error) return error;
    *value = strtod(line, &end) / 1000;
    if (end == line) *value = NAN;
    return 0;
}

static int read_zone(const struct hf_reader *reader, int zone, double *value) {
    char path[512];
    snprintf(path, sizeof path, "%s/thermal_zone%d/temp", reader->thermal, zone);
    return read_degrees(path, value);
}

static int read_zone_limit(const struct hf_reader *reader, int zone, double *value) {
    int found = ENODATA;
    for (int trip = 0; trip < 32; trip++) {
        char path[512], type[32];
        snprintf(path, sizeof path, "%s/thermal_zone%d/trip_point_%d_type", reader->thermal, zone, trip);
        if (read_line(path, type, sizeof type)) break;
        int is_critical = strcmp(type, "critical") == 0;
        if (!is_critical && (strcmp(type, "hot") != 0 || found == 0)) continue;
        snprintf(path, sizeof path, "%s/thermal_zone%d/trip_point_%d_temp", reader->thermal, zone, trip);
        double degrees;
        if (read_degrees(path, &degrees)) continue;
        *value = degrees;
        found = 0;
        if (is_critical) break;
    }
    return found;
}

static int read_space(const char *path, double *value) {
    struct statvfs status;
    if (statvfs(path, &status) < 0) return errno;
    double used = (double)(status.f_blocks - status.f_bfree);
    double usable = used + (double)status.f_bavail;
    *value = usable > 0 ? 100 * used / usable : 0;
    return 0;
}

// Of the names in a folder, in any order.
static uint64_t sign(const char *folder) {
    DIR *directory = opendir(folder);
    uint64_t sum = 0;
    if (!directory) return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        uint64_t hash = 14695981039346656037u; // FNV-1a
        for (const char *byte = entry->d_name; *byte; byte++) hash = (hash ^ (unsigned char)*byte) * 1099511628211u;
        sum += hash;
    }
    closedir(directory);
    return sum;
}

static void list_zones(struct hf_reader *reader) {
    DIR *directory = opendir(reader->thermal);
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        int zone, length = 0;
        if (sscanf(entry->d_name, "thermal_zone%d%n", &zone, &length) != 1 || entry->d_name[length]) continue;
        if (reader->sensor_count == HF_SENSORS_MAX) break;
        char path[512], type[64];
        snprintf(path, sizeof path, "%s/%s/type", reader->thermal, entry->d_name);
        if (read_line(path, type, sizeof type)) snprintf(type, sizeof type, "unknown");
        struct hf_sensor *sensor = &reader->sensors[reader->sensor_count++];
        *sensor = (struct hf_sensor){.kind = HF_TEMPERATURE, .value = -1, .limit = 0, .zone = zone};
        snprintf(sensor->name, sizeof sensor->name, "thermal_zone%d/%s", zone, type);
    }
    closedir(directory);
}

static double discover(struct hf_reader *reader, int only_changes) {
    uint64_t signature = sign(reader->thermal) * 31 + (reader->uses_libsensors ? sign(HWMON) : 0) + 1;
    if (only_changes && signature == reader->signature) return 0;
    // What is known by now stays valid, and nothing else could be made of it.
    if (reader->signature && hf_library_is_given_up()) return 0;
    reader->signature = signature;
    reader->sensor_count = 0;
    reader->problem[0] = 0;
    if (reader->uses_libsensors && hf_library_open(reader->problem, sizeof reader->problem)) {
        reader->sensor_count = hf_library_list(reader->sensors, 0, HF_SENSORS_MAX);
    }
    list_zones(reader);
    return 1;
}

static struct hf_answer perform(struct hf_reader *reader, const struct hf_task *task) {
    struct hf_answer answer = {0, 0};
    const struct hf_sensor *sensor = NULL;
    if (task->kind == HF_READ_VALUE || task->kind == HF_READ_LIMIT) {
        if (task->index < 0 || task->index >= reader->sensor_count) return (struct hf_answer){EINVAL, 0};
        sensor = &reader->sensors[task->index];
    }
    switch (task->kind) {
    case HF_DISCOVER: answer.value = discover(reader, 0); break;
    case HF_DISCOVER_CHANGES: answer.value = discover(reader, 1); break;
    case HF_READ_VALUE:
        answer.status = sensor->chip ? hf_library_read(sensor, sensor->value, &answer.value)
                                     : read_zone(reader, sensor->zone, &answer.value);
        break;
    case HF_READ_LIMIT:
        answer.status = !sensor->chip       ? read_zone_limit(reader, sensor->zone, &answer.value)
                        : sensor->limit < 0 ? ENODATA
                                            : hf_library_read(sensor, sensor->limit, &answer.value);
        break;
    case HF_READ_SPACE: answer.status = task->path ? read_space(task->path, &answer.value) : EINVAL; break;
    default: answer.status = EINVAL;
    }
    return answer;
}

static void *work(void *argument) {
    struct hf_reader *reader = argument;
    uint64_t value;
    while (read(reader->wanted, &value, sizeof value) == sizeof value && !atomic_load(&reader->is_abandoned)) {
        int count = atomic_load(&reader->submitted);
        for (int index = 0; index < count && !atomic_load(&reader->is_abandoned); index++) {
            struct hf_answer answer = perform(reader, &reader->tasks[index]);
            if (atomic_load(&reader->is_abandoned)) break;
            reader->answers[index] = answer;
            atomic_store(&reader->done, index + 1);
        }
        value = 1;
        if (write(reader->finished, &value, sizeof value) < 0) break;
    }
    release(reader);
    return NULL;
}

// Signals are the loop's: none may end up with a thread that does not look at them.
static int start_thread(struct hf_reader *reader) {
    sigset_t all, former;
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    int error = pthread_create(&thread, &attributes, work, reader);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

static void inherit(struct hf_reader *reader, const struct hf_reader *former) {
    int done = atomic_load(&former->done);
    const struct hf_task *stuck = done < former->count ? &former->tasks[done] : NULL;
    if (stuck && (stuck->kind == HF_DISCOVER || stuck->kind == HF_DISCOVER_CHANGES)) return hf_library_give_up();
    int is_sensor = stuck && (stuck->kind == HF_READ_VALUE || stuck->kind == HF_READ_LIMIT);
    if (is_sensor && former->sensors[stuck->index].chip) hf_library_give_up();
    memcpy(reader->sensors, former->sensors, sizeof reader->sensors);
    reader->sensor_count = former->sensor_count;
    reader->signature = former->signature;
}

struct hf_reader *hf_reader_start(const char *thermal, int uses_libsensors, const struct hf_reader *former) {
    struct hf_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return NULL;
    reader->uses_libsensors = uses_libsensors;
    reader->wanted = eventfd(0, EFD_CLOEXEC);
    reader->finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    reader->thermal = copy(thermal);
    atomic_init(&reader->owners, 2);
    if (former) inherit(reader, former);
    int error = reader->wanted < 0 || reader->finished < 0 || !reader->thermal ? errno : start_thread(reader);
    if (!error) return reader;
    if (reader->wanted >= 0) close(reader->wanted);
    if (reader->finished >= 0) close(reader->finished);
    free(reader->thermal);
    free(reader);
    errno = error;
    return NULL;
}

int hf_reader_descriptor(const struct hf_reader *reader) { return reader->finished; }

int hf_reader_submit(struct hf_reader *reader, const struct hf_task *tasks, int count) {
    if (atomic_load(&reader->done) < reader->count) return EBUSY;
    if (count < 1 || count > HF_TASKS_MAX) return EINVAL;
    for (int index = 0; index < reader->count; index++) free((void *)reader->tasks[index].path);
    for (int index = 0; index < count; index++) {
        reader->tasks[index] = tasks[index];
        if (tasks[index].path) reader->tasks[index].path = copy(tasks[index].path);
    }
    reader->count = count;
    atomic_store(&reader->done, 0);
    atomic_store(&reader->submitted, count);
    uint64_t value = 1;
    return write(reader->wanted, &value, sizeof value) < 0 ? errno : 0;
}

int hf_reader_done(const struct hf_reader *reader) { return atomic_load(&reader->done); }

struct hf_answer hf_reader_answer(const struct hf_reader *reader, int task) {
    if (task < 0 || task >= atomic_load(&reader->done)) return (struct hf_answer){EAGAIN, 0};
    return reader->answers[task];
}

int hf_reader_sensor_count(const struct hf_reader *reader) { return reader->sensor_count; }

const struct hf_sensor *hf_reader_sensor(const struct hf_reader *reader, int index) { return &reader->sensors[index]; }

const char *hf_reader_problem(const struct hf_reader *reader) { return reader->problem[0] ? reader->problem : NULL; }

void hf_reader_abandon(struct hf_reader *reader) {
    atomic_store(&reader->is_abandoned, 1);
    uint64_t value = 1;
    // It sleeps, unless it is stuck.
    if (write(reader->wanted, &value, sizeof value) < 0) return;
    release(reader);
}
