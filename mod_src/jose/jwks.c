/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_sso authors */

/* A provider's key set. One bad key does not spoil the set, since providers publish encryption keys and new
 * kinds of keys beside those that sign; a set in which nothing is usable is worth a fault, because every
 * login would fail. The JSON lives in a child pool and goes away at once: a key set is kept for hours. */

#include "jose/jwks.h"

/* Reads one value of the list into the next free place; counts it as skipped otherwise. */
static void read_one(apr_pool_t *pool, const jval_t *value, jwk_t *place, jwks_t *set)
{
    if (jval_kind_of(value) != JVAL_OBJECT) {
        set->skipped++;
        set->reason = "a key that is no object";
        return;
    }
    const fault_t *fault = jwk_read(pool, value, place);
    if (fault == NULL) {
        set->count++;
    } else {
        set->skipped++;
        set->reason = fault->detail;
    }
}

static const fault_t *read_list(apr_pool_t *pool, const jval_t *list, jwks_t **keys)
{
    size_t listed = jval_count(list);
    size_t read = listed < JWKS_KEYS_MAX ? listed : JWKS_KEYS_MAX;
    jwks_t *set = apr_pcalloc(pool, sizeof(*set));
    jwk_t *room = apr_pcalloc(pool, (read + 1) * sizeof(*room));
    for (size_t i = 0; i < read; i++)
        read_one(pool, jval_at(list, i), &room[set->count], set);
    if (listed > read) {
        set->skipped += listed - read;
        set->reason = "more keys than are read";
    }
    if (set->count == 0)
        return fault_make(pool, FAULT_METADATA_INVALID, "key set: no usable key (%s)",
                          set->reason != NULL ? set->reason : "it is empty");
    set->keys = room;
    *keys = set;
    return NULL;
}

static const fault_t *read_document(apr_pool_t *pool, apr_pool_t *scratch, text_t document, jwks_t **keys)
{
    const jval_t *object;
    const jval_t *list;
    const fault_t *fault = jval_read(scratch, document, JWKS_DOCUMENT_MAX, FAULT_METADATA_INVALID, &object);
    if (fault != NULL)
        return fault_make(pool, fault->code, "key set: %s",
                          fault->detail != NULL ? fault->detail : "not JSON");
    if (jval_list(object, "keys", &list) != JVAL_FOUND)
        return fault_make(pool, FAULT_METADATA_INVALID, "key set: keys is missing or no list");
    return read_list(pool, list, keys);
}

const fault_t *jwks_read(apr_pool_t *pool, text_t document, jwks_t **keys)
{
    apr_pool_t *scratch;
    if (apr_pool_create(&scratch, pool) != APR_SUCCESS)
        return fault_make(pool, FAULT_INTERNAL, "key set: out of memory");
    const fault_t *fault = read_document(pool, scratch, document, keys);
    apr_pool_destroy(scratch);
    return fault;
}

size_t jwks_pick(const jwks_t *keys, const alg_t *alg, text_t kid, const jwk_t *picked[JWKS_TRIES])
{
    size_t count = 0;
    for (size_t i = 0; i < keys->count && count < JWKS_TRIES; i++) {
        const jwk_t *key = &keys->keys[i];
        if (jwk_fits(key, alg) && (kid.len == 0 || text_equal(kid, key->kid)))
            picked[count++] = key;
    }
    return count;
}
