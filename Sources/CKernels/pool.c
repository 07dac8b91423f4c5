// A pool of threads for parallel loops: workers spin briefly, then sleep.
//
// One job runs at a time. A worker counts itself into `inside` and looks again whether the job is
// open; the caller closes the job and then waits until nobody is inside. One of the two sees the
// other, so a worker that the system has not scheduled yet delays nobody: the caller takes all chunks
// that are left. Nothing that many threads poll shares a cache line with what they change.
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#include "ckernels.h"

// LINE: a cache line, and the one that is fetched beside it.
enum { MOST_THREADS = 256, SPINS = 2000, LINE = 128 };

static struct {
    // Polled by all. The generation is odd while a job is open; workers from `threads` on are idle.
    _Alignas(LINE) _Atomic uint32_t generation;
    _Atomic uint32_t threads;
    _Alignas(LINE) _Atomic long next;  // the first index that nobody has taken
    _Alignas(LINE) _Atomic long inside;
    _Alignas(LINE) _Atomic long sleepers;  // of those that wait for a job
    // The job, read by those inside.
    _Alignas(LINE) long count;
    long grain;
    ck_body body;
    void *context;
    const ck_kernels *kernels;  // the caller's
    _Alignas(LINE) atomic_flag busy;
    long workers;
} pool = {.threads = 1, .busy = ATOMIC_FLAG_INIT};

static _Thread_local bool inside_job;

static _Thread_local struct {
    ck_chunk_record record;
    void *context;
    long threads;
} recording;

// One turn of a waiting loop. Whoever waits may have been given the core of whom it waits for, and
// hands it back.
static inline void pause_briefly(int spins) {
    if (spins % 64 == 63) {
        sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#if defined(__linux__)
// Sleeps while the word has this value, or a little shorter.
static void sleep_on(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word, int most) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
}
#else
// Other systems have no futex: sleepers look again by themselves.
static void sleep_on(_Atomic uint32_t *word, uint32_t value) {
    struct timespec moment = {.tv_nsec = 50000};
    nanosleep(&moment, NULL);
}

static void wake(_Atomic uint32_t *word, int most) {}
#endif

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

// The generation of an open job other than `seen`, as soon as there is one for this worker.
static uint32_t wait_for_job(long index, uint32_t seen, bool *slept) {
    *slept = false;
    for (int spins = 0;; spins++) {
        uint32_t now = atomic_load(&pool.generation), threads = atomic_load(&pool.threads);
        if (index >= threads) {
            sleep_on(&pool.threads, threads);
        } else if (now & 1 && now != seen) {
            return now;
        } else if (spins < SPINS) {
            pause_briefly(spins);
        } else {
            *slept = true;
            atomic_fetch_add(&pool.sleepers, 1);
            sleep_on(&pool.generation, now);
            atomic_fetch_sub(&pool.sleepers, 1);
        }
    }
}

// Those who were asleep wake two more, so that many wake in the time of a few.
static void pass_on(void) {
    if (atomic_load(&pool.sleepers) > 0 && atomic_load(&pool.next) < pool.count)
        wake(&pool.generation, 2);
}

static void *worker(void *argument) {
    long index = (long)argument;
    uint32_t seen = 0;
    for (;;) {
        bool slept;
        seen = wait_for_job(index, seen, &slept);
        atomic_fetch_add(&pool.inside, 1);
        if (atomic_load(&pool.generation) == seen) {
            if (slept) pass_on();
            ck_kernels_use(pool.kernels);
            work();
        }
        atomic_fetch_sub(&pool.inside, 1);
    }
    return NULL;
}

long ck_pool_threads(void) {
    return recording.record ? recording.threads : (long)atomic_load(&pool.threads);
}

void ck_pool_configure(long threads) {
    if (threads < 1) threads = 1;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    while (atomic_flag_test_and_set(&pool.busy)) sched_yield();
    while (pool.workers < threads - 1) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, (void *)(pool.workers + 1)) != 0) break;
        pthread_detach(thread);
        pool.workers++;
    }
    atomic_store(&pool.threads, threads < pool.workers + 1 ? threads : pool.workers + 1);
    // Those that are idle now must not be woken in place of others.
    wake(&pool.generation, INT_MAX);
    wake(&pool.threads, INT_MAX);
    atomic_flag_clear(&pool.busy);
}

void ck_pool_record(long threads, ck_chunk_record record, void *context) {
    recording.record = record;
    recording.context = context;
    recording.threads = threads;
}

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void run_recorded(long count, long grain, ck_body body, void *context) {
    inside_job = true;
    double before = thread_seconds();
    for (long begin = 0; begin < count; begin += grain) {
        body(context, begin, begin + grain < count ? begin + grain : count);
        double now = thread_seconds();
        recording.record(recording.context, begin, now - before);
        before = now;
    }
    inside_job = false;
}

void ck_pool_run(long count, long grain, ck_body body, void *context) {
    if (count <= 0) return;
    if (grain < 1) grain = 1;
    if (recording.record && !inside_job) {
        run_recorded(count, grain, body, context);
        return;
    }
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
    atomic_fetch_add(&pool.generation, 1);
    long sleepers = atomic_load(&pool.sleepers), awake = atomic_load(&pool.threads) - 1 - sleepers;
    if (sleepers > 0 && (count - 1) / grain > awake) wake(&pool.generation, 2);
    work();
    atomic_fetch_add(&pool.generation, 1);
    for (int spins = 0; atomic_load(&pool.inside) > 0; spins++) {
        if (spins < SPINS)
            pause_briefly(spins);
        else
            sched_yield();
    }
    atomic_flag_clear(&pool.busy);
}
