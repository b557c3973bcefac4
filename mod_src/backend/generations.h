/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_GENERATIONS_H
#define BACKEND_GENERATIONS_H

/* How often the records of one host were changed: an array of counters in shared memory, and each store key
 * has one by its hash. Whoever keeps a copy of a record notes the counter first and asks the store then;
 * whoever changes a record counts on. A copy whose counter has moved is not used any more, in no process of
 * the host.
 *
 * Keys that share a counter cost each other a look into the store and nothing else. A counter comes round
 * after 2^32 changes; no copy lives that long. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <apr_pools.h>

#define GENERATIONS_USUAL ((size_t)65536) /* counters: 256 kB */

typedef struct generations generations;

/* Counters for all processes that are forked after this: to be called in httpd's parent. `count` is rounded
 * up to a power of two. Never NULL. Where the system gives no anonymous shared memory the counters are this
 * process's own; generations_are_shared tells.
 *
 * They end with the pool in the process that clears it; children keep theirs. No cleanup of ours hangs on the
 * pool, so it may be one that outlives the module (httpd's process pool): then the children of before a
 * graceful restart and those of after it still see each other's writes, which with pconf they do not. */
generations *generations_new(apr_pool_t *pool, size_t count);

/* Counters for the threads of one process. Never NULL. */
generations *generations_local(apr_pool_t *pool, size_t count);

/* Do forked processes see each other's changes? */
bool generations_are_shared(const generations *all);

/* Where the key's counter stands. What is read from the store after this call is at least as new as the
 * counter says. */
uint32_t generations_of(const generations *all, const char *key);

/* The record of the key changes, or has changed: answers where the counter stands now. Any thread and any
 * process may call it at any time. */
uint32_t generations_bump(generations *all, const char *key);

/* A hash of a store key's STORE_KEY_LEN bytes, all of whose bits are good. */
uint64_t generations_hash(const char *key);

#endif
