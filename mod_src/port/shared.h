/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef PORT_SHARED_H
#define PORT_SHARED_H

/* What the threads of one process share: snapshots that are replaced whole, turns (one does it, the others
 * wait for the result), and throttles. Names are short strings of ours; everything is bounded. */

#include <stdbool.h>
#include <stdint.h>

#include <apr_pools.h>

typedef enum {
    SHARED_MINE,   /* the caller has the turn and must give it back */
    SHARED_PASSED, /* somebody else had the turn and has finished: look at the result */
    SHARED_LATE    /* somebody else still has it at the end of the wait */
} shared_turn;

typedef struct shared_port shared_port;

struct shared_port {
    /* The current snapshot under the name, or NULL. It stays valid until `pool` is cleared, also when it is
     * replaced. */
    const void *(*snapshot)(shared_port *shared, const char *name, apr_pool_t *pool);
    /* Makes a new pool for a snapshot that is being built. The snapshot must not be changed after it was
     * published. */
    apr_pool_t *(*draft)(shared_port *shared);
    /* Replaces the snapshot under the name; the draft's pool goes over to the port and is destroyed with its
     * last reader. */
    void (*publish)(shared_port *shared, const char *name, const void *snapshot, apr_pool_t *draft);
    /* Throws a draft away that is not going to be published. */
    void (*discard)(shared_port *shared, apr_pool_t *draft);
    /* Takes the turn under the name, or waits for whoever has it, at most so many milliseconds (0: does not
     * wait). */
    shared_turn (*take_turn)(shared_port *shared, const char *name, int64_t wait_ms);
    /* Gives the turn back and wakes everybody who waits for it. */
    void (*give_turn)(shared_port *shared, const char *name);
    /* At most once an interval under the name: true lets the caller go on and starts the interval (`now_ms`
     * is steady time). */
    bool (*allow)(shared_port *shared, const char *name, int64_t now_ms, int64_t interval_ms);
    /* Since when the mark has stood under the name without a change, as far as this process has looked:
     * steady milliseconds. A name or mark that is new starts at `now_ms`. */
    int64_t (*unchanged_since)(shared_port *shared, const char *name, uint64_t mark, int64_t now_ms);
};

#endif
