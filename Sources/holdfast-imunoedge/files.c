// The heartbeat file and the stop file of a worker.

#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_path(char *path, const char *text, const char *more) {
    if (snprintf(path, PATH_MAX, "%s%s", text, more) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        fail(1, "cannot use", text);
    }
}

static const char *environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

// A folder of this user, which nobody else can enter. /tmp is everyone's, so who owns it is checked, not assumed.
static int open_folder(const char *path) {
    if (mkdir(path, 0700) < 0 && errno != EEXIST) fail(1, "cannot make", path);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) fail(1, "cannot open", path);
    struct stat status;
    if (fstat(folder, &status) < 0) fail(1, "cannot examine", path);
    if (status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
        fprintf(stderr, "holdfast-imunoedge: %s belongs to someone else, or others may enter it: remove it\n", path);
        _exit(1);
    }
    return folder;
}

// Makes the folder of this worker and answers its path without the file's name.
static void prepare_folder(struct worker_files *files, char *path) {
    char number[32];
    char all[PATH_MAX];
    snprintf(number, sizeof number, "/holdfast-imunoedge-%u", (unsigned)geteuid());
    set_path(all, environment("TMPDIR", "/tmp"), number);
    files->folder = open_folder(all);
    // systemd-tmpfiles(8) leaves alone what is locked, however old it is.
    flock(files->folder, LOCK_SH);
    snprintf(number, sizeof number, "process-%d", (int)getpid());
    set_path(path, all, "/");
    set_path(path + strlen(path), environment("HOLDFAST_WORKER", number), "");
    close(open_folder(path));
}

static void remove_old(const char *path) {
    if (unlink(path) < 0 && errno != ENOENT) fail(1, "cannot remove the old file", path);
}

static int create(const char *path) {
    // Never through a link that someone else has put there.
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

void files_prepare(struct worker_files *files) {
    const char *heartbeat = environment("IMUNOEDGE_HEARTBEAT_FILE", NULL);
    const char *stop = environment("IMUNOEDGE_STOP_SIGNAL", NULL);
    files->folder = -1;
    char folder[2 * PATH_MAX];
    if (!heartbeat || !stop) prepare_folder(files, folder);
    set_path(files->heartbeat, heartbeat ? heartbeat : folder, heartbeat ? "" : "/heartbeat");
    set_path(files->stop, stop ? stop : folder, stop ? "" : "/stop");

    remove_old(files->stop);
    remove_old(files->heartbeat);
    // It is there from the start, as with ImunoEdge: a worker may change its time only.
    int descriptor = create(files->heartbeat);
    if (descriptor < 0) fail(1, "cannot make", files->heartbeat);
    close(descriptor);
    if (setenv("IMUNOEDGE_HEARTBEAT_FILE", files->heartbeat, 1) < 0 ||
        setenv("IMUNOEDGE_STOP_SIGNAL", files->stop, 1) < 0)
        fail(1, "cannot tell the worker of", files->heartbeat);
}

void files_request_stop(const struct worker_files *files) {
    int descriptor = create(files->stop);
    if (descriptor >= 0) {
        close(descriptor);
    } else if (errno != EEXIST) {
        complain("cannot make", files->stop); // SIGTERM will follow
    }
}

void files_remove(const struct worker_files *files) {
    unlink(files->heartbeat);
    unlink(files->stop);
}
