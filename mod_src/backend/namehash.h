/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */
#ifndef BACKEND_NAMEHASH_H
#define BACKEND_NAMEHASH_H

/* Spreads names over small tables. Names are ours, so nobody outside chooses collisions, and a collision
 * costs time only. */

#include <stdint.h>

/* FNV-1a of the bytes before the terminating NUL. */
static inline uint64_t namehash_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    return hash;
}

#endif
