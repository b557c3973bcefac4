/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef FAKESTORE_H
#define FAKESTORE_H

/* A store in memory that keeps the contract of port/store.h, counts its verbs and fails when it is told to.
 * Any thread may use it. Times to live run by the steady hand of a fake clock. */

#include "fakes.h"
#include "port/store.h"

typedef enum {
    FAKESTORE_GET,
    FAKESTORE_PUT,
    FAKESTORE_ADD,
    FAKESTORE_CAS,
    FAKESTORE_TOUCH,
    FAKESTORE_DROP,
    FAKESTORE_VERBS
} fakestore_verb;

/* What a verb does instead of its work. */
typedef struct fakestore_fault {
    unsigned skip;  /* so many calls are still carried out */
    unsigned times; /* and then so many answer: */
    store_rc rc;
    bool happens; /* though the work is done */
} fakestore_fault;

typedef struct fakestore {
    store_port port;
    pthread_mutex_t lock;
    const clock_port *clock;
    void *items;
    size_t count, room;
    uint64_t version;
    unsigned calls[FAKESTORE_VERBS];
    fakestore_fault faults[FAKESTORE_VERBS];
    /* Called before a verb does its work, outside the lock; what it does to the store comes first. It is off
     * while it runs. NULL: nothing. */
    void (*before)(void *data, fakestore_verb verb, const char *key);
    void *before_data;
    bool inside;
    int64_t last_ttl; /* of the last write */
} fakestore;

/* An empty store that ends with the pool. */
void fakestore_init(fakestore *store, apr_pool_t *pool, const clock_port *clock);

/* The next calls of the verb answer this and do nothing. */
void fakestore_fail(fakestore *store, fakestore_verb verb, unsigned times, store_rc rc);
/* The next calls of the verb do their work, and answer this. */
void fakestore_lie(fakestore *store, fakestore_verb verb, unsigned times, store_rc rc);
/* Everything answers DOWN, or works again. */
void fakestore_down(fakestore *store, bool down);

/* All calls so far that write, and all calls. */
unsigned fakestore_writes(const fakestore *store);
unsigned fakestore_calls(const fakestore *store);
/* Forgets the counts. */
void fakestore_recount(fakestore *store);

/* How many items live; the key of the n-th, or NULL. */
size_t fakestore_size(fakestore *store);
const char *fakestore_key(fakestore *store, size_t index);
/* Looks and writes past all counting and failing. False: it is not there. The value is copied. */
bool fakestore_peek(fakestore *store, apr_pool_t *pool, const char *key, text_t *value);
void fakestore_poke(fakestore *store, const char *key, text_t value);
void fakestore_wipe(fakestore *store);

#endif
