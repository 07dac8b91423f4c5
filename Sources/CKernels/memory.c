// Aligned memory for buffers and scratch.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ckernels.h"

// Blocks of KEPT_FROM bytes and more are kept when they are freed, since the steps of a loop ask for
// the same sizes again, and fresh pages cost more than most kernels. What is live and what is kept
// exceed together what was once live by no more than SPARE: the oldest kept blocks go back first.
// Without SPARE, a step whose largest block is the last would have to fetch its pages every time.
enum { KEPT_FROM = 1 << 16, HUGE_FROM = 4 << 20, SPARE = 64 << 20, MOST_KEPT = 1024 };

static struct {
    pthread_mutex_t mutex;
    struct {
        void *memory;
        size_t bytes;
    } kept[MOST_KEPT];  // oldest first
    long count;
    size_t live, peak, kept_bytes;
} heap = {.mutex = PTHREAD_MUTEX_INITIALIZER};

// Large sizes are rounded to 1/8 of their power of two, so that nearly equal ones share blocks.
// Pages that are not touched take no memory.
static size_t rounded(size_t bytes) {
    size_t step = 64;
    if (bytes >= KEPT_FROM) step = (size_t)1 << (60 - __builtin_clzll(bytes));
    if (bytes >= HUGE_FROM && step < 2 << 20) step = 2 << 20;
    return bytes == 0 ? 64 : (bytes + step - 1) & ~(step - 1);
}

static size_t whole_pages(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) & ~(page - 1);
}

// Zeroed memory from the system that begins at 2 MiB, with whole huge pages where it has room for
// them: they spare most of the address translation of a long read, but a part of one would take
// memory as a whole. NULL where there is none.
static void *map_huge(size_t bytes) {
    const size_t huge = 2 << 20;
    bytes = whole_pages(bytes);
    char *start = mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                       0);
    if (start == MAP_FAILED) return NULL;
    size_t before = -(uintptr_t)start & (huge - 1);
    if (before) munmap(start, before);
    if (huge - before) munmap(start + before + bytes, huge - before);
#if defined(__linux__)
    if (bytes >= huge) madvise(start + before, bytes & ~(huge - 1), MADV_HUGEPAGE);
#endif
    return start + before;
}

// Huge blocks come from the system and go back to it: malloc cannot give a freed block of 2 MiB
// alignment to the next request of its size, and would keep its pages.
static void *allocate(size_t bytes) {
    void *memory = bytes >= HUGE_FROM ? map_huge(bytes) : aligned_alloc(64, bytes);
    if (!memory) {
        fprintf(stderr, "Error: out of memory: cannot allocate %zu bytes\n", bytes);
        abort();
    }
    return memory;
}

static void give_back(void *memory, size_t bytes) {
    if (bytes >= HUGE_FROM)
        munmap(memory, bytes);
    else
        free(memory);
}

// Takes kept block i out of the list.
static void *take(long i) {
    void *memory = heap.kept[i].memory;
    heap.kept_bytes -= heap.kept[i].bytes;
    heap.count--;
    memmove(heap.kept + i, heap.kept + i + 1, (heap.count - i) * sizeof heap.kept[0]);
    return memory;
}

static void drop_oldest(void) {
    size_t bytes = heap.kept[0].bytes;
    give_back(take(0), bytes);
}

void *ck_allocate(size_t bytes) {
    bytes = rounded(bytes);
    if (bytes < KEPT_FROM) return allocate(bytes);
    void *found = NULL;
    pthread_mutex_lock(&heap.mutex);
    for (long i = heap.count - 1; i >= 0 && !found; i--)
        if (heap.kept[i].bytes == bytes) found = take(i);
    while (!found && heap.count > 0 && heap.live + heap.kept_bytes + bytes > heap.peak + SPARE)
        drop_oldest();
    heap.live += bytes;
    if (heap.live > heap.peak) heap.peak = heap.live;
    pthread_mutex_unlock(&heap.mutex);
    return found ? found : allocate(bytes);
}

void ck_deallocate(void *memory, size_t bytes) {
    bytes = rounded(bytes);
    if (bytes < KEPT_FROM) {
        free(memory);
        return;
    }
    pthread_mutex_lock(&heap.mutex);
    if (heap.count == MOST_KEPT) drop_oldest();
    heap.kept[heap.count].memory = memory;
    heap.kept[heap.count++].bytes = bytes;
    heap.kept_bytes += bytes;
    heap.live -= bytes;
    pthread_mutex_unlock(&heap.mutex);
}

void *ck_map(size_t bytes) {
    void *memory = map_huge(bytes);
    if (!memory) {
        fprintf(stderr, "Error: out of memory: cannot map %zu bytes\n", bytes);
        abort();
    }
    return memory;
}

void ck_unmap(void *memory, size_t bytes) { munmap(memory, whole_pages(bytes)); }

void ck_release_pages(const void *memory, size_t bytes) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)memory, end = first + bytes;
    first = (first + page - 1) & ~(page - 1);
    end &= ~(page - 1);
    if (end > first) madvise((void *)first, end - first, MADV_DONTNEED);
}

// One block a thread, freed with the thread.
typedef struct {
    void *memory;
    size_t bytes;
} block;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local block *mine;

static void release(void *value) {
    block *mine = value;
    if (mine->memory) give_back(mine->memory, mine->bytes);
    free(value);
}

static void make_key(void) { pthread_key_create(&key, release); }

void *ck_scratch(size_t bytes) {
    if (!mine) {
        pthread_once(&once, make_key);
        mine = calloc(1, sizeof(block));
        if (!mine) abort();
        pthread_setspecific(key, mine);
    }
    if (mine->bytes < bytes) {
        if (mine->memory) give_back(mine->memory, mine->bytes);
        mine->bytes = rounded(bytes);
        mine->memory = allocate(mine->bytes);
    }
    return mine->memory;
}
