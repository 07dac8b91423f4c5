// A pool of threads for parallel loops: workers spin briefly, then sleep.
//
// One job runs at a time. A worker joins a job by counting itself into `state` while the job is
// open, so a worker that the system has not scheduled yet delays nobody: the caller takes all
// chunks that are left, closes the job, and waits only for those who are inside.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "ckernels.h"

enum { MOST_THREADS = 256, SPINS = 2000 };

// state = generation << 32 | open << 31 | workers inside
static const uint64_t open_bit = 1ull << 31, generation_one = 1ull << 32;

static struct {
    _Atomic uint64_t state;
    _Atomic long next;
    long count, grain;
    ck_body body;
    void *context;
    const ck_kernels *kernels;  // the caller's
    atomic_flag busy;
    _Atomic long threads, sleepers;
    long workers;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
} pool = {.busy = ATOMIC_FLAG_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local bool inside_job;

static inline void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void work(void) {
    inside_job = true;
    for (;;) {
        long begin = atomic_fetch_add(&pool.next, pool.grain);
        if (begin >= pool.count) break;
        long end = begin + pool.grain < pool.count ? begin + pool.grain : pool.count;
        pool.body(pool.context, begin, end);
    }
    inside_job = false;
}

// The state changes to a newer generation than `seen`, by spinning and then by sleeping.
static void wait_for_job(uint64_t seen) {
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool.state) >> 32 != seen) return;
        pause_briefly();
    }
    pthread_mutex_lock(&pool.mutex);
    atomic_fetch_add(&pool.sleepers, 1);
    while (atomic_load(&pool.state) >> 32 == seen) pthread_cond_wait(&pool.wake, &pool.mutex);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.mutex);
}

static void *worker(void *argument) {
    long index = (long)argument;
    uint64_t seen = 0;
    for (;;) {
        wait_for_job(seen);
        uint64_t state = atomic_load(&pool.state);
        seen = state >> 32;
        if (index >= atomic_load(&pool.threads)) continue;
        bool joined = false;
        while ((state & open_bit) && state >> 32 == seen && !joined)
            joined = atomic_compare_exchange_weak(&pool.state, &state, state + 1);
        if (!joined) continue;
        ck_kernels_use(pool.kernels);
        work();
        atomic_fetch_sub(&pool.state, 1);
    }
    return NULL;
}

static long usable_cpus(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    return sysconf(_SC_NPROCESSORS_ONLN);
}

static void set_threads(long threads) {
    if (threads < 1) threads = 1;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    while (pool.workers < threads - 1) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, (void *)(pool.workers + 1)) != 0) break;
        pthread_detach(thread);
        pool.workers++;
    }
    atomic_store(&pool.threads, threads < pool.workers + 1 ? threads : pool.workers + 1);
}

static void start(void) {
    const char *text = getenv("RSD_THREADS");
    long threads = text ? strtol(text, NULL, 10) : 0;
    set_threads(threads > 0 ? threads : usable_cpus());
}

long ck_pool_threads(void) {
    pthread_once(&once, start);
    return atomic_load(&pool.threads);
}

void ck_pool_configure(long threads) {
    pthread_once(&once, start);
    while (atomic_flag_test_and_set(&pool.busy)) sched_yield();
    set_threads(threads);
    atomic_flag_clear(&pool.busy);
}

void ck_pool_run(long count, long grain, ck_body body, void *context) {
    if (count <= 0) return;
    if (grain < 1) grain = 1;
    pthread_once(&once, start);
    // A nested loop, a short one, and one beside another caller's all run where they are.
    if (inside_job || count <= grain || atomic_load(&pool.threads) == 1
        || atomic_flag_test_and_set(&pool.busy)) {
        body(context, 0, count);
        return;
    }
    pool.count = count;
    pool.grain = grain;
    pool.body = body;
    pool.context = context;
    pool.kernels = ck_kernels_float();
    atomic_store(&pool.next, 0);
    atomic_fetch_add(&pool.state, generation_one | open_bit);
    if (atomic_load(&pool.sleepers) > 0) {
        pthread_mutex_lock(&pool.mutex);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.mutex);
    }
    work();
    atomic_fetch_and(&pool.state, ~open_bit);
    for (int spins = 0; atomic_load(&pool.state) & (open_bit - 1); spins++) {
        if (spins < SPINS)
            pause_briefly();
        else
            sched_yield();
    }
    atomic_flag_clear(&pool.busy);
}
