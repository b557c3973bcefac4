/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_MCLOOKUP_H
#define BACKEND_MCLOOKUP_H

/* One question to the resolver, which may take as long as it likes: the asking waits only as long as it
 * wants. */

#include <stdbool.h>
#include <stdint.h>

#include <netdb.h>

typedef struct mclookup mclookup;

/* Starts looking up the addresses of a name. NULL: it cannot be started (no memory, no thread). */
mclookup *mclookup_start(const char *host);

/* Has it ended? Waits for that at most so many milliseconds. */
bool mclookup_wait(mclookup *asked, int64_t wait_ms);

/* What was found, until the end; NULL: nothing. Only after a wait that answered true. */
const struct addrinfo *mclookup_found(const mclookup *asked);

/* No longer wanted, done or not. */
void mclookup_end(mclookup *asked);

#endif
