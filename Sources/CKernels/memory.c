// Aligned memory for buffers and scratch.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "ckernels.h"

static size_t rounded(size_t bytes) { return bytes == 0 ? 64 : (bytes + 63) & ~(size_t)63; }

static void *allocate(size_t bytes) {
    void *memory = aligned_alloc(64, rounded(bytes));
    if (!memory) {
        fprintf(stderr, "out of memory: cannot allocate %zu bytes\n", bytes);
        abort();
    }
    return memory;
}

void *ck_allocate(size_t bytes) { return allocate(bytes); }

void ck_deallocate(void *memory, size_t bytes) {
    (void)bytes;
    free(memory);
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
    free(((block *)value)->memory);
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
        free(mine->memory);
        mine->memory = allocate(bytes);
        mine->bytes = bytes;
    }
    return mine->memory;
}
