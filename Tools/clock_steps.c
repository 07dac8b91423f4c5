// A clock that is set: CLOCK_REALTIME steps an hour back and forth while a program runs.
//
//     cc -shared -fPIC -O1 -o clock_steps.so Tools/clock_steps.c -ldl
//     LD_PRELOAD=$PWD/clock_steps.so rsd-train run ...
//
// Every 200 ms of real time the clock is another: right, an hour behind, right, an hour ahead. Clocks
// that nobody can set (CLOCK_MONOTONIC, CLOCK_BOOTTIME) stay as they are.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

static int real(clockid_t clock, struct timespec *now) {
    static int (*next)(clockid_t, struct timespec *);
    if (!next) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    return next(clock, now);
}

static long step(void) {
    static const long steps[4] = {0, -3600, 0, 3600};
    struct timespec now;
    real(CLOCK_MONOTONIC, &now);
    return steps[(now.tv_sec * 5 + now.tv_nsec / 200000000) % 4];
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int status = real(clock, now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += step();
    return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
