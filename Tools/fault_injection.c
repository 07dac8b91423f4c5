// Makes the N-th call of one kind fail, on files below one folder; Tools/fault_injection.py uses it.
//
//     cc -shared -fPIC -O1 -o fault_injection.so Tools/fault_injection.c -ldl
//
// FAULT_CALL   write (also pwrite), fsync (also fdatasync), rename, close or ftruncate
// FAULT_ERROR  an error number, or 0 for a short write: half of the bytes, and no error
// FAULT_AT     which call fails, from 1; 0 only counts
// FAULT_BELOW  part of the path of the files that are meant
// FAULT_COUNT  a file that gets the number of calls at the end
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int calls;

static int concerns(const char *path) {
    const char *below = getenv("FAULT_BELOW");
    return below && strstr(path, below) != NULL;
}

static int concerns_open(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return concerns(path);
}

// Whether this call is the one; counts it.
static int fails(const char *call) {
    const char *wanted = getenv("FAULT_CALL");
    if (!wanted || strcmp(wanted, call) != 0) return 0;
    int number = atomic_fetch_add(&calls, 1) + 1;
    return number == atoi(getenv("FAULT_AT") ? getenv("FAULT_AT") : "0");
}

static int error(void) { return atoi(getenv("FAULT_ERROR") ? getenv("FAULT_ERROR") : "5"); }

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("FAULT_COUNT");
    if (!path) return;
    FILE *file = fopen(path, "w");
    if (!file) return;
    fprintf(file, "%d\n", atomic_load(&calls));
    fclose(file);
}

ssize_t write(int file, const void *bytes, size_t count) {
    if (concerns_open(file) && fails("write")) {
        if (error()) { errno = error(); return -1; }
        count = (count + 1) / 2;
    }
    return syscall(SYS_write, file, bytes, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    if (concerns_open(file) && fails("write")) {
        if (error()) { errno = error(); return -1; }
        count = (count + 1) / 2;
    }
    return syscall(SYS_pwrite64, file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) {
    return pwrite(file, bytes, count, offset);
}

int fsync(int file) {
    if (concerns_open(file) && fails("fsync")) { errno = error(); return -1; }
    return syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    if (concerns_open(file) && fails("fsync")) { errno = error(); return -1; }
    return syscall(SYS_fdatasync, file);
}

int ftruncate(int file, off_t length) {
    if (concerns_open(file) && fails("ftruncate")) { errno = error(); return -1; }
    return syscall(SYS_ftruncate, file, length);
}

int ftruncate64(int file, off_t length) { return ftruncate(file, length); }

int rename(const char *from, const char *to) {
    if (concerns(to) && fails("rename")) { errno = error(); return -1; }
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int close(int file) {
    // As Linux does it: the descriptor is gone although an error is told.
    int found = concerns_open(file) && fails("close");
    int status = syscall(SYS_close, file);
    if (found) { errno = error(); return -1; }
    return status;
}
