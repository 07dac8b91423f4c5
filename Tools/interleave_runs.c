// Stops a process before file operations of given numbers; Tools/interleave_runs.py uses it.
//
//     cc -shared -fPIC -O1 -o interleave.so Tools/interleave_runs.c -ldl
//
// INTERLEAVE_CONTROL  a file of `struct control`, mapped by both sides
// INTERLEAVE_BELOW    the folder whose files are meant, as an absolute path; relative paths are in it
//
// A process stops itself (SIGSTOP) before operation number `stop_at`, and wherever it would sleep to
// wait for another process. Sleeps return at once, and nothing is flushed: neither changes what
// another process sees.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct control {
    _Atomic uint64_t count;    // operations begun
    _Atomic uint64_t stop_at;  // stop before the operation of this number
    _Atomic uint64_t is_waiting;  // stopped where it would sleep
    char operation[232];  // what it is stopped before
};

static struct control *control;
static char below[4096];

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("INTERLEAVE_CONTROL"), *folder = getenv("INTERLEAVE_BELOW");
    if (!path || !folder) return;
    int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR);
    void *place = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    syscall(SYS_close, file);
    if (place == MAP_FAILED) abort();
    snprintf(below, sizeof below, "%s", folder);
    control = place;
    // Children are no part of the schedule.
    unsetenv("INTERLEAVE_CONTROL");
    unsetenv("LD_PRELOAD");
}

static void stop(void) { syscall(SYS_tgkill, getpid(), gettid(), SIGSTOP); }

static void before(const char *operation, const char *path) {
    if (!control || !path || (path[0] == '/' && strncmp(path, below, strlen(below)) != 0)) return;
    int saved = errno;
    uint64_t number = atomic_fetch_add(&control->count, 1) + 1;
    if (number == atomic_load(&control->stop_at)) {
        snprintf(control->operation, sizeof control->operation, "%s %s", operation, path);
        stop();
    }
    errno = saved;
}

static void before_open(const char *operation, int file) {
    if (!control) return;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    int saved = errno;
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = saved;
    if (length <= 0 || path[0] != '/') return;
    path[length] = 0;
    before(operation, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int opened(int folder, const char *path, int flags, va_list more) {
    int mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, int) : 0;
    before(flags & O_CREAT ? "create or open" : "open", path);
    return syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode);
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list more; va_start(more, flags); \
        int file = opened(AT_FDCWD, path, flags, more); \
        va_end(more); return file; \
    }
OPEN(open) OPEN(open64)
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        va_list more; va_start(more, flags); \
        int file = opened(folder, path, flags, more); \
        va_end(more); return file; \
    }
OPENAT(openat) OPENAT(openat64)

#define ON_PATH(name, kind, parameters, arguments, path) \
    int name parameters { before(kind, path); return NEXT(name) arguments; }
ON_PATH(rename, "rename to", (const char *from, const char *to), (from, to), to)
ON_PATH(link, "link", (const char *from, const char *to), (from, to), to)
ON_PATH(unlink, "unlink", (const char *path), (path), path)
ON_PATH(unlinkat, "unlink", (int folder, const char *path, int flags), (folder, path, flags), path)
ON_PATH(rmdir, "rmdir", (const char *path), (path), path)
ON_PATH(remove, "remove", (const char *path), (path), path)
ON_PATH(mkdir, "mkdir", (const char *path, mode_t mode), (path, mode), path)
ON_PATH(access, "look for", (const char *path, int mode), (path, mode), path)
ON_PATH(stat, "stat", (const char *path, struct stat *out), (path, out), path)
ON_PATH(stat64, "stat", (const char *path, struct stat64 *out), (path, out), path)
ON_PATH(lstat, "stat", (const char *path, struct stat *out), (path, out), path)
ON_PATH(lstat64, "stat", (const char *path, struct stat64 *out), (path, out), path)

DIR *opendir(const char *path) { before("list", path); return NEXT(opendir)(path); }

#define ON_FILE(result, name, kind, parameters, arguments) \
    result name parameters { before_open(kind, file); return NEXT(name) arguments; }
ON_FILE(ssize_t, write, "write", (int file, const void *data, size_t count), (file, data, count))
ON_FILE(ssize_t, pwrite, "write", (int file, const void *data, size_t count, off_t at),
        (file, data, count, at))
ON_FILE(ssize_t, pwrite64, "write", (int file, const void *data, size_t count, off64_t at),
        (file, data, count, at))
ON_FILE(ssize_t, read, "read", (int file, void *data, size_t count), (file, data, count))
ON_FILE(ssize_t, pread, "read", (int file, void *data, size_t count, off_t at),
        (file, data, count, at))
ON_FILE(int, ftruncate, "truncate", (int file, off_t length), (file, length))
ON_FILE(int, ftruncate64, "truncate", (int file, off64_t length), (file, length))
ON_FILE(int, flock, "flock", (int file, int operation), (file, operation))
ON_FILE(int, close, "close", (int file), (file))

int fsync(int file) { before_open("fsync", file); return 0; }
int fdatasync(int file) { before_open("fsync", file); return 0; }

int usleep(useconds_t time) {
    // Shorter sleeps wait for a child.
    if (!control || time <= 50000) return NEXT(usleep)(time);
    atomic_store(&control->is_waiting, 1);
    snprintf(control->operation, sizeof control->operation, "wait");
    stop();
    atomic_store(&control->is_waiting, 0);
    return 0;
}
